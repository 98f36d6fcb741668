#!/bin/sh
# selftest.sh: shows that each guard bites. It builds a small lawful tree, on which every guard must
# pass, then breaks one law at a time and expects the guard to name the breach.
# shellcheck disable=SC2016
guards=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cd "$tree" || exit 1
failed=0

mkdir -p modules/base modules/domain modules/features modules/httpd modules/app templates/mail conf test/unit test/http schema/sqlite3 build
put() { printf '%b\n' "$2" >"$1"; }
put modules/base/base.h '#include <apr_pools.h>'
put modules/base/text.h '#include "base.h"'
put modules/base/text.c '#include "text.h"\nint ua_text(void)\n{\n    return 0; /* malloc( goto */\n}'
put modules/base/db.c '#include <apr_dbd.h>\n#include "base.h"\nconst char *b = "BEGIN IMMEDIATE";'
put modules/base/directives.def 'UA_TEXT(base_url, "UserAuthBaseURL", NULL, "help")\nUA_TIME(idle,\n  "UserAuthIdle", "1h", "help")'
put modules/domain/domain.h '#include "base/base.h"'
put modules/domain/queries.h 'UA_QUERY(x, "SELECT id FROM account WHERE id = %s")'
put modules/domain/account.c '#include "domain.h"'
put modules/features/feature.h '#include "domain/domain.h"'
put modules/features/login.c '#include "feature.h"\nr = {.path = "login", .template = "login.html"};\nn = "mail/hello";'
put modules/httpd/reply.c '#include <httpd.h>\n#include "app/app.h"'
put modules/app/app.h '#include "features/feature.h"'
put templates/login.html '<form method="post" action="{{path}}">\n{{>csrf}}\n</form>'
put templates/csrf.html '<input type="hidden" name="csrf" value="{{csrf}}">'
put templates/mail/hello.txt '{{link}}'
put templates/mail/hello.html '<p style="margin: 0">{{link}}</p>'
put conf/userauth.conf 'UserAuthBaseURL https://a\n#UserAuthIdle 1h\nAuthType UserAuth'
put README.md '`UserAuthBaseURL` `UserAuthIdle` `/auth/login`'
put schema/sqlite3/001.sql 'CREATE TABLE account (\n    id TEXT\n);'
for name in text db account login; do put test/unit/test_$name.c ''; done
put test/http/test_login.py ''

run() { BUILD=build sh "$guards/$1.sh" 2>&1; }

for guard in "$guards"/*.sh; do
    guard=$(basename "$guard" .sh)
    case $guard in lib | selftest) continue ;; esac
    answer=$(run "$guard") || { failed=1 && echo "selftest: $guard refuses a lawful tree: $answer" >&2; }
done

# bites GUARD FILE TEXT REASON: with TEXT added to FILE, GUARD has to fail and say REASON.
bites() {
    [ -e "$2" ] && cp "$2" "$tree/.saved"
    printf '%b\n' "$3" >>"$2"
    if answer=$(run "$1") || ! echo "$answer" | grep -q "$4"; then
        failed=1
        echo "selftest: $1 does not say '$4' of '$3' in $2: $answer" >&2
    fi
    if [ -e "$tree/.saved" ]; then mv "$tree/.saved" "$2"; else rm "$2"; fi
}

bites layers modules/base/text.c '#include "domain/domain.h"' above
bites layers modules/domain/account.c '#include "token.h"' neighbour
bites layers modules/features/login.c '#include "register.h"' neighbour
put modules/base/form.h '#include "text.h"'
put modules/base/db_conn.h '#include <apr_dbd.h>'
bites layers modules/base/text.c '#include "form.h"' neighbour
bites layers modules/domain/account.c '#include "base/db_conn.h"' 'is for db'
bites layers modules/domain/account.c '#include <httpd.h>' 'belongs to'
bites layers modules/domain/account.c '#include <apr_dbd.h>' 'already the business'
bites layers modules/base/base.h '#include <curl/curl.h>' 'reaches every file'
bites layers notes.txt 'x' 'top level'
bites size modules/base/text.c "$(yes '' | head -n 400 | sed 's/$/x/' | tr '\n' ' ' | sed 's/ /\\n/g')" 'more than 400'
bites size modules/base/text.c "int f(void)\n{$(yes a | head -n 60 | tr -d '\n' | sed 's/a/\\n    g();/g')\n}" 'more than 60'
bites sql modules/domain/account.c 'q = "SELECT id FROM account";' 'SQL outside'
bites sql modules/domain/account.c 'q = "COMMIT";' 'SQL outside'
bites sql modules/base/db.c 'q = "DELETE FROM account";' 'SQL outside'
bites sql modules/features/login.c 'q = "update account set a = 1";' 'SQL outside'
mkdir schema/pgsql
put schema/pgsql/001.sql 'CREATE TABLE account (\n    id TEXT\n);'
bites sql schema/pgsql/002.sql 'CREATE TABLE more (\n    id TEXT\n);' 'more.id'
bites docs conf/userauth.conf 'UserAuthGone on' 'no directive'
bites docs README.md 'UserAuthGone' 'no directive'
bites docs modules/base/directives.def 'UA_TEXT(new, "UserAuthNew", NULL, "help")' 'missing in README'
bites docs modules/features/login.c 'r = {.path = "nowhere"};' 'nowhere'
bites templates modules/features/login.c 'x = "gone.html";' 'does not exist'
bites templates templates/login.html '<form method="post"></form>' 'without'
bites templates templates/login.html '{{>missing}}' 'names no file'
bites templates templates/login.html '{{{name}}}' 'does not escape'
bites templates templates/login.html '{{&name}}' 'does not escape'
bites templates templates/login.html '<a href={{name}}>' 'not enough'
bites templates templates/login.html '<p style="color: red">' 'inline'
bites templates templates/login.html '<script>alert(1)</script>' 'inline'
bites templates templates/login.html '<a onclick="x()">' 'inline'
bites templates templates/orphan.html '<p>' 'nothing names it'
bites templates templates/mail/alone.txt 'x' 'no HTML part'
bites tests modules/base/url.c 'x' 'test_url.c is missing'
bites tests modules/features/logout.c 'x' 'test_logout.py is missing'
bites tests modules/domain/text.c 'x' 'have this name'
bites tests test/unit/test_gone.c 'x' 'tests no source'
bites banned modules/base/text.c 'strcpy(a, b);' 'banned function'
bites banned modules/base/text.c 'x = time(NULL);' 'banned function'
bites banned modules/domain/account.c 'free(x);' 'outside base'
bites banned modules/base/text.c 'goto out;' 'goto'
bites banned modules/base/text.c '/* TO''DO */' 'promises'
bites banned README.md 'cd /ro''ot/x' 'promises'

put test/ledger.tsv 'TOK-01\tP1\tunit/test_text.c'
put test/unit/test_text.c '/* TOK-01 */'
bites ledger test/ledger.tsv 'TOK-02\tP1\t' 'TOK-02 has no test'
bites ledger test/unit/test_db.c '/* TOK-03 */' 'no case TOK-03'
bites ledger test/unit/test_db.c '/* TOK-01 */' 'make ledger'

if command -v gcc >/dev/null; then
    mkdir -p build/o/modules/features
    echo 'int userauth_module, other;' | gcc -shared -fPIC -x c - -o build/mod_userauth.so
    echo 'int ua_feature_login, helper;' | gcc -c -x c - -o build/o/modules/features/login.o
    answer=$(run exports)
    for symbol in 'mod_userauth.so: exports other' 'login.c: exports helper'; do
        echo "$answer" | grep -q "$symbol" || { failed=1 && echo "selftest: exports does not say '$symbol': $answer" >&2; }
    done
fi

[ "$failed" -eq 0 ] && echo 'guard selftest: ok'
exit "$failed"
