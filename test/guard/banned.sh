#!/bin/sh
# banned.sh: functions that have a better sister, goto, words that promise work, paths of one machine.
# free() stands in base/ only, where a foreign library hands out memory of its own.
# shellcheck source=test/guard/lib.sh
. "$(dirname "$0")/lib.sh"

{ files '*.[ch]' modules && files mod_userauth.c mod_userauth.c; } | code 0 >"$found.code"
calls='\b(v?sprintf|strcpy|strncpy|strcat|strncat|strtok|gets|s?rand|random|time|malloc|calloc|realloc|strdup|system|popen|alloca|localtime|gmtime|ctime|asctime|setjmp) *\('
grep -E "$calls" "$found.code" | sed -E "s/^([^:]*:[0-9]+):.*\b([a-z]+) *\(.*/\1: a banned function/" | breaches
grep -E '\bfree *\(' "$found.code" | grep -v '^modules/base/' | sed -E 's/^([^:]*:[0-9]+):.*/\1: free() outside base/' | breaches
grep -E '\bgoto\b' "$found.code" | sed -E 's/^([^:]*:[0-9]+):.*/\1: goto/' | breaches
rm -f "$found.code"

words='\b(TOD[O]|FIXM[E]|XX[X]|HAC[K]|for no[w]|not implemente[d]|placeholde[r])\b'
paths='/(wor[k]|far[m]|roo[t])/'
for place in Makefile README.md mod_userauth.c modules templates conf schema test .ci; do
    [ ! -e "$place" ] || grep -rnIE "$words|$paths" --exclude-dir=data --exclude-dir=__pycache__ "$place" | sed "s|^\([0-9]\)|$place:\1|"
done | grep -v 'placeholder=' | sed -E 's/^([^:]*:[0-9]+):.*/\1: a word that promises work, or a path of one machine/' | breaches
verdict
