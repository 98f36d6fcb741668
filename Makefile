# mod_userauth. The two commands are `make run` and `make test`; `make help` lists the rest.
# Nothing here needs a tool before its recipe runs: `make run` installs what is missing first.

BUILD ?= build
CC    := gcc
# V=1 shows each command.
Q     := $(if $(V),,@)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wformat-signedness -Wstrict-prototypes \
	-Wmissing-prototypes -Wmissing-declarations -Wold-style-definition -Wpointer-arith -Wcast-qual \
	-Wcast-align=strict -Wwrite-strings -Wvla -Wundef -Wconversion -Wsign-conversion \
	-Wnull-dereference -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wimplicit-fallthrough=5 \
	-Wswitch-enum -Wunused-macros -Werror
BASEFLAGS := -std=gnu11 -D_GNU_SOURCE -g -fPIC -fvisibility=hidden -isystem /usr/include/apache2 \
	-isystem /usr/include/apr-1.0 -Imodules
CFLAGS  := -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
SAN     := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LIBS    := -lcurl -lsodium -ljansson -lcrypto -lzxcvbn -lcjose -lidn2 -lunistring -lm -lpthread
APRLIBS := -laprutil-1 -lapr-1

CORE     := $(sort $(wildcard modules/base/*.c modules/domain/*.c modules/features/*.c modules/app/*.c))
EDGE     := $(sort $(wildcard mod_userauth.c modules/httpd/*.c))
FILES    := $(sort $(shell find templates schema -type f 2>/dev/null))
UNITS    := $(sort $(patsubst test/unit/%.c,%,$(wildcard test/unit/test_*.c)))
UNITHELP := $(filter-out test/unit/test_%.c,$(wildcard test/unit/*.c))
FUZZERS  := $(patsubst test/fuzz/%.c,%,$(filter-out test/fuzz/fuzz_%,$(sort $(wildcard test/fuzz/*.c))))
FUZZHELP := $(patsubst %.c,$(BUILD)/san/%.o,$(wildcard test/fuzz/fuzz_*.c) test/unit/pool.c)
FORMATTED = $(CORE) $(EDGE) $(wildcard modules/*/*.h test/unit/*.[ch] test/fuzz/*.[ch] test/thread/*.[ch] test/run/*.c)
SHELLS    = $(wildcard test/*/*.sh) .ci/run

MODULE  := $(BUILD)/mod_userauth.so
OBJECTS := $(patsubst %.c,$(BUILD)/o/%.o,$(CORE) $(EDGE))
CORESAN := $(BUILD)/libcore_san.a
HELPSAN := $(patsubst %.c,$(BUILD)/san/%.o,$(UNITHELP))

# What the scripts read; empty means their default.
export BUILD PORT RUN ENGINE TLS EXTRA_CONF LISTEN
DEPS   := bash test/run/deps.sh
SERVER := bash test/run/server.sh
PYTEST  = PYTHONPYCACHEPREFIX=$(abspath $(BUILD))/pycache /usr/bin/python3 -m pytest -p no:cacheprovider \
	--rootdir=test -c /dev/null $(ARGS)
# As many compilers as processors, unless the caller said how many.
PARALLEL = $(MAKE) --no-print-directory \
	$(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))

.PHONY: all run start stop test ledger check replay fuzz sanitized threads coverage races failover galera bench timing guards exports unit http browser lint tidy cppcheck analyze \
	shellcheck formatted format install clean help deps run-deps test-deps always
.SECONDARY:
.DELETE_ON_ERROR:

all: $(MODULE) ## build the module (the default)

# ---- the two commands ----

run start: ## run: a server in the foreground; start: the same in the background
	@$(DEPS) run $(filter pgsql mysql,$(ENGINE))
	@$(PARALLEL) all
	@exec $(SERVER) $@

stop: ## end what `make start` started
	@exec $(SERVER) stop

SUITES ?= sqlite3 pgsql mysql browser
test: ## everything: guards, unit programs, a live server on each engine, a headless browser (SUITES="sqlite3 browser")
	@$(DEPS) run check test
	@$(PARALLEL) all
	@$(PARALLEL) check
	@PYTEST='$(PYTEST)' bash test/run/suites.sh $(SUITES)

# ---- the parts of test ----

check: ## guards, unit programs and fuzz corpora, under a minute
	@+$(PARALLEL) guards exports unit replay

GUARDS := $(filter-out %/selftest.sh %/exports.sh,$(sort $(wildcard test/guard/*.sh)))
guards: ## the laws a compiler cannot see, and the proof that each guard bites
	@rc=0; for g in $(GUARDS) test/guard/selftest.sh; do sh $$g || rc=1; done; exit $$rc

ledger: ## write test/ledger.tsv anew: which tests name which case
	@sh test/guard/ledger.sh write

exports: $(if $(wildcard mod_userauth.c),$(MODULE))
	@sh test/guard/exports.sh

replay: $(addprefix $(BUILD)/replay/,$(FUZZERS)) ## the fuzz targets over test/fuzz/corpus, under ASan and UBSan
	@sh test/run/replay.sh $^

unit: $(addprefix $(BUILD)/unit/,$(UNITS)) ## one program per source file, under ASan and UBSan
	@sh test/run/units.sh $^

http: $(MODULE) ## the tests on a live Apache, with ENGINE=sqlite3|pgsql|mysql; ARGS= goes to pytest
	@$(PYTEST) test/http

browser: $(MODULE) ## the tests in a headless Chromium; ARGS= goes to pytest
	@$(PYTEST) test/browser

# ---- what takes long ----

fuzz: ## each target of test/fuzz for SECONDS=60 under clang's libFuzzer; TARGETS="form url" for some
	@$(DEPS) run check fuzz
	@bash test/run/fuzz.sh $(or $(SECONDS),60) $(TARGETS)

sanitized: ## the http suite on a live Apache under ASan and UBSan; ARGS= goes to pytest
	@$(DEPS) run test
	+@bash test/run/sanitized.sh $(ARGS)

threads: ## what threads share, under ThreadSanitizer
	@$(DEPS) run check
	+@bash test/run/threads.sh $(ARGS)

coverage: ## lines and branches that the tests reach, against their floors; ALL=1: the http suite's, too
	@$(DEPS) run check test coverage
	@bash test/run/coverage.sh $(if $(ALL),all,unit)

ROUNDS ?= 1000
races: $(MODULE) ## the races over two nodes, ROUNDS=1000 of each, with ENGINE=sqlite3|pgsql|mysql
	@UA_ROUNDS=$(ROUNDS) $(PYTEST) -rP test/http/test_races.py test/http/test_races_account.py

kill-%: $(MODULE) ## a site whose database, child, parent or sender is killed 200 times: kill-child.sqlite3 …; ARGS="--rounds 1000"
	@/usr/bin/python3 test/campaign/kills.py --kind $(basename $*) --engine $(patsubst .%,%,$(suffix $*)) $(ARGS)
failover galera: $(MODULE) ## a PostgreSQL primary, a node of a MariaDB cluster that is killed under load, again and again
	@/usr/bin/python3 test/campaign/$@.py $(ARGS)

BENCHES ?= gate peers rates accounts flood mail_rate soak
bench: $(addprefix bench-,$(BENCHES)) ## gate, peers, rates, size, flood, mails, memory: build/bench/ (hours in full; BENCHES="gate peers")

bench-%: ## one of them; ARGS= goes to it (--help)
	@$(DEPS) run test bench
	@$(PARALLEL) all
	@mkdir -p $(BUILD)/bench
	@PYTHONPYCACHEPREFIX=$(abspath $(BUILD))/pycache /usr/bin/python3 test/bench/$*.py $(ARGS)

timing: ## whether the time of an answer tells if an account exists
	@$(DEPS) run test
	@$(PARALLEL) all
	@PYTHONPYCACHEPREFIX=$(abspath $(BUILD))/pycache /usr/bin/python3 test/bench/timing.py $(ARGS)

# ---- building ----

# builtin.S lists the files that travel inside the module; it is rewritten only when the list changes.
$(BUILD)/builtin.S: always
	@mkdir -p $(@D)
	@sh test/run/builtin.sh $(FILES) > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(BUILD)/builtin.o: $(BUILD)/builtin.S $(FILES)
	$(Q)$(CC) -c $< -o $@

$(BUILD)/o/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASEFLAGS) $(WARN) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libsodium.a: always
	@mkdir -p $(@D)
	@CC="$(CC)" sh test/run/sodium.sh $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(MODULE): $(OBJECTS) $(BUILD)/builtin.o $(BUILD)/libsodium.a
	$(Q)$(CC) -shared -Wl,-z,relro,-z,now,--as-needed,--exclude-libs,libsodium.a -o $@ $^ $(LIBS)

# Unit programs: every source file but the httpd edge, each apr_palloc its own block (test/unit/pool.c).
$(BUILD)/san/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASEFLAGS) $(WARN) $(SAN) -Itest/unit -MMD -MP -c $< -o $@

$(CORESAN): $(patsubst %.c,$(BUILD)/san/%.o,$(CORE)) $(BUILD)/builtin.o
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/unit/%: $(BUILD)/san/test/unit/%.o $(HELPSAN) $(CORESAN)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) -o $@ $< $(HELPSAN) $(CORESAN) $(LIBS) $(APRLIBS) -lcmocka

$(BUILD)/replay/%: $(BUILD)/san/test/fuzz/%.o $(FUZZHELP) $(CORESAN)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) -o $@ $< $(FUZZHELP) $(CORESAN) $(LIBS) $(APRLIBS)

-include $(shell find $(BUILD)/o $(BUILD)/san $(BUILD)/lint -name '*.d' 2>/dev/null)

# ---- lint ----

lint: ## clang-tidy, cppcheck, gcc -fanalyzer, shellcheck, and the format
	@$(DEPS) run check lint
	@$(PARALLEL) --keep-going tidy analyze cppcheck shellcheck formatted

# The compile database names the flags clang knows too; gcc's own warnings stay with gcc.
$(BUILD)/compile_commands.json: always
	@mkdir -p $(@D)
	@sep='['; for f in $(CORE) $(EDGE); do \
	  printf '%s\n{"directory": "%s", "file": "%s", "command": "clang %s -c %s"}' \
	    "$$sep" "$(CURDIR)" "$$f" "$(BASEFLAGS) -Wall -Wextra" "$$f"; sep=','; \
	  done > $@.new; printf '\n]\n' >> $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

tidy: $(patsubst %,$(BUILD)/lint/%.tidy,$(CORE) $(EDGE))
$(BUILD)/lint/%.tidy: % $(wildcard modules/*/*.h modules/*/*.def) .clang-tidy | $(BUILD)/compile_commands.json
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet -p $(BUILD) $< && touch $@

analyze: $(patsubst %.c,$(BUILD)/lint/%.o,$(CORE) $(EDGE))
$(BUILD)/lint/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASEFLAGS) $(WARN) $(CFLAGS) -fanalyzer -MMD -MP -c $< -o $@

cppcheck:
	cppcheck -q --std=c11 --enable=warning,performance,portability --inline-suppr \
	  --suppress=missingIncludeSystem --error-exitcode=1 -Imodules $(CORE) $(EDGE)

shellcheck:
	shellcheck -x $(SHELLS)

formatted:
	clang-format --dry-run -Werror $(FORMATTED)

format: ## put every C file into the house's form
	@$(DEPS) lint
	@clang-format -i $(FORMATTED)

# ---- the rest ----

# Debian's layout: then `a2enmod userauth`. An operator's own userauth.conf is never overwritten.
install: $(MODULE) ## into the system's Apache (DESTDIR= is honoured)
	@sh test/run/install.sh $(MODULE) '$(DESTDIR)'

copy: ## a site's SQLite file to an empty server: FROM=/…/userauth.db TO="pgsql host=…" PASSWORD_FILE=/…
	@$(DEPS) run $(firstword $(TO))
	@/usr/bin/python3 test/run/copy.py --from '$(FROM)' --to '$(TO)' $(if $(PASSWORD_FILE),--password-file '$(PASSWORD_FILE)')

deps: ## install everything that run, test and lint need
	@$(DEPS) run check test lint
run-deps:
	@$(DEPS) run
test-deps:
	@$(DEPS) run check test

clean: ## end the server, remove everything built, the accounts in build/run included
	@$(SERVER) stop
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z].*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo '  with PORT=8080 RUN=build/run LISTEN="127.0.0.1 [::1]" TLS=1 EXTRA_CONF=file ENGINE=sqlite3|pgsql|mysql'
