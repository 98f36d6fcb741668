#!/bin/sh
# exports.sh: the built module exports one symbol, and so does each feature (its ua_feature_t).
# shellcheck source=test/guard/lib.sh
. "$(dirname "$0")/lib.sh"
build=${BUILD:-build}

if [ -f "$build/mod_userauth.so" ]; then
    nm -D --defined-only "$build/mod_userauth.so" | awk '{ print $3 }' | grep -vx userauth_module |
        sed 's/^/mod_userauth.so: exports /' | breaches
fi
for source in modules/features/*.c; do
    object=$build/o/${source%.c}.o
    name=$(basename "$source" .c)
    case $name in common*) continue ;; esac
    [ -f "$object" ] || continue
    nm -g --defined-only "$object" | awk '{ print $3 }' | grep -vx "ua_feature_$name" |
        sed "s|^|$source: exports |" | breaches
done
verdict
