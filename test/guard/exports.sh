#!/bin/sh
# exports.sh: the built module exports one symbol, and so does each feature (its ua_feature_t). A part of a
# feature, <feature>_<part>.c that is no feature itself, exports ua_<feature>_… for it.
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
    allowed=ua_feature_$name
    whole=${name%%_*}
    if [ "$whole" != "$name" ] && [ -f "modules/features/$whole.c" ] && ! grep -q "X($name)" modules/features/features.h; then
        allowed="ua_${whole}_.*"
    fi
    nm -g --defined-only "$object" | awk '{ print $3 }' | grep -vx "$allowed" |
        sed "s|^|$source: exports |" | breaches
done
verdict
