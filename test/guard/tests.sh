#!/bin/sh
# tests.sh: every source file below the httpd edge has its unit program, every feature its file of
# live tests, and no program tests what is gone.
# shellcheck source=test/guard/lib.sh
. "$(dirname "$0")/lib.sh"

sources=$(for layer in base domain features app cli; do files '*.c' "modules/$layer"; done)
for source in $sources; do
    file=${source##*/}
    name=${file%.c}
    [ -f "test/unit/test_$name.c" ] || echo "$source: test/unit/test_$name.c is missing"
    case $source in
    modules/features/common*) ;;
    modules/features/*) [ -f "test/http/test_$name.py" ] || echo "$source: test/http/test_$name.py is missing" ;;
    esac
done | breaches

# Two files of one name would share a program, and one of them go untested.
echo "$sources" | sed 's|.*/||' | sort | uniq -d | sed '/./s|$|: two source files have this name|' | breaches
# test_url_next.c is a further program for url.c.
for program in test/unit/test_*.c; do
    [ -e "$program" ] || continue
    tested=${program##*/test_}
    tested=${tested%.c}
    for source in $sources; do
        stem=${source##*/} stem=${stem%.c}
        case $tested in "$stem" | "$stem"_*) continue 2 ;; esac
    done
    echo "$program: tests no source file of that name"
done | breaches
verdict
