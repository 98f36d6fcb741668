#!/bin/sh
# docs.sh: every directive stands in conf/userauth.conf and README.md, and they name no other;
# every route stands in README.md. Skips a document that is not written yet only while no README.md exists.
# shellcheck source=test/guard/lib.sh
. "$(dirname "$0")/lib.sh"

rows=modules/base/directives.def
if [ -f $rows ] && [ -f README.md ]; then
    known=$(tr '\n' ' ' <$rows | grep -oE 'UA_[A-Z_]+\([a-z_0-9]+, *"UserAuth[A-Za-z]+"' | grep -oE 'UserAuth[A-Za-z]+' | sort -u)
    for document in conf/userauth.conf README.md; do
        named=$(grep -ohE '\bUserAuth[A-Z][A-Za-z]+' $document | sort -u)
        for name in $known; do
            echo "$named" | grep -qx "$name" || echo "$rows: $name is missing in $document"
        done
        for name in $named; do
            echo "$known" | grep -qx "$name" || echo "$document: $name is no directive"
        done
    done | breaches
fi

[ ! -f README.md ] || files '*.c' modules/features | code whole | grep -oE '^[^:]*:[0-9]+:|\.path = "[^"]*"' |
    while read -r row; do
        case $row in
        modules/*) where=$row ;;
        *)
            path=$(echo "$row" | sed -E 's/.*"\/?([^"]*)"/\1/')
            grep -qE "/(auth|dashboard)?/?$path([^a-z-]|\$)" README.md || echo "$where the route \"$path\" is missing in README.md"
            ;;
        esac
    done | breaches
verdict
