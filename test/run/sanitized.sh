#!/usr/bin/env bash
# sanitized.sh [PYTEST-ARGUMENT…]: the tests on a live Apache whose module is built with AddressSanitizer and UBSan; without
# arguments the whole http suite. Called by hand and by `make sanitized`; needs the packages of `make test`.
#
# Every report of any process fails the run, also one of a child that no test asks for: each is shown at the end.
# A report ends its process by SIGABRT, so Apache logs it and the test that caused it fails too. Leaks are not looked for:
# a pool holds its memory until its end by design, and a child that changed its user may not be traced.
set -eu
build=$(realpath -m "${BUILD:-build}")/sanitized
flags="-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"

BUILD=$build make -s -j"$(nproc 2>/dev/null || echo 1)" CC="${CC:-gcc}" CFLAGS="$flags" all
# Programs that deps.sh unpacked are found below BUILD.
ln -sfn ../unpacked "$build/unpacked"

# Pools hide what lies behind an allocation, and what is used after its pool: each allocation is a block of its own.
gcc -O1 -g -shared -fPIC -std=gnu11 -D_GNU_SOURCE -isystem /usr/include/apr-1.0 -o "$build/pools.so" test/run/sanitized_pools.c -lapr-1

# The tests' helper finds this apache2 first. Nothing but Apache itself runs with these libraries.
mkdir -p "$build/bin"
cat >"$build/bin/apache2" <<SH
#!/bin/sh
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $build/ubsan.so $build/pools.so\${LD_PRELOAD:+ \$LD_PRELOAD}"
export LD_PRELOAD
exec $(PATH=$PATH:/usr/sbin command -v apache2) "\$@"
SH
chmod 755 "$build/bin/apache2"

# Children write there as www-data, which may not enter BUILD.
reports=$(mktemp -d)
chmod 1777 "$reports"
export ASAN_OPTIONS="log_path=$reports/asan:detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=1:strict_init_order=1"

# Beside ASan's library UBSan's own would take the other's functions for its files, and write none: here it is bound to its own.
# It asks for its options when it has something to report, and a child that changed its user can't read its environment.
gcc -shared -fPIC -o "$build/ubsan.so" -x c - -x none -Wl,-Bsymbolic -Wl,--whole-archive "$(gcc -print-file-name=libubsan.a)" \
    -Wl,--no-whole-archive -l:libstdc++.so.6 -lpthread -ldl -lm <<C
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "log_path=$reports/ubsan:print_stacktrace=1:halt_on_error=1:abort_on_error=1";
}
C

rc=0
[ "$#" -gt 0 ] || set -- test/http
env BUILD="$build" PATH="$build/bin:$PATH" PYTHONPYCACHEPREFIX="$build/pycache" \
    /usr/bin/python3 -m pytest -p no:cacheprovider --rootdir=test -c /dev/null "$@" || rc=$?

found=$(find "$reports" -type f | sort)
if [ -n "$found" ]; then
    while read -r report; do
        echo "== $report"
        head -n 40 "$report"
    done <<<"$found"
    echo "sanitized: FAILED: $(wc -l <<<"$found") reports in $reports"
    exit 1
fi
rmdir "$reports"
echo "sanitized: no report"
exit "$rc"
