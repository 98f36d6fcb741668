#!/bin/sh
# size.sh: no file over 400 lines, no function over 60 (design.md 5).
# shellcheck source=test/guard/lib.sh
. "$(dirname "$0")/lib.sh"

all=$(for kind in '*.c' '*.h' '*.py' '*.sh' '*.css' '*.js' '*.html'; do
    files "$kind" mod_userauth.c modules templates test
done | grep -v '^test/data/')
for f in $all; do
    awk 'END { if (NR > 400) print FILENAME ": " NR " lines, more than 400" }' "$f"
done | breaches

echo "$all" | grep -E '\.(c|py)$' |
    ctags -x --_xformat='%K %N %n %e %F' --fields=+ne --kinds-C=f --kinds-Python=fm -L - |
    awk '$4 - $3 + 1 > 60 { print $5 ":" $3 ": " $2 " has " $4 - $3 + 1 " lines, more than 60" }' | breaches
verdict
