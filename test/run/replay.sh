#!/bin/sh
# replay.sh PROGRAM…: runs fuzz targets over their corpora (test/fuzz/corpus), as many at once as there are processors; what
# one printed is shown if it fails. Oracles whose language is not installed are named once.
if [ "$1" = --one ]; then
    "$2" > "$2.log" 2>&1 && exit 0
    cat "$2.log"
    echo "FAILED: $2"
    exit 1
fi
export ASAN_OPTIONS="${ASAN_OPTIONS:-quarantine_size_mb=16:malloc_context_size=8}"
printf '%s\n' "$@" | xargs -P "$(nproc 2>/dev/null || echo 1)" -n 1 sh "$0" --one || exit 1
for program; do grep -h '^skipped:' "$program.log"; done | sort -u
echo "$# fuzz corpora: ok"
