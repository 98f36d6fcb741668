#!/bin/sh
# units.sh PROGRAM…: runs unit programs, as many at once as there are processors; what one printed is shown if it fails.
if [ "$1" = --one ]; then
    "$2" > "$2.log" 2>&1 && exit 0
    cat "$2.log"
    echo "FAILED: $2"
    exit 1
fi
# In reverse: the long ones are late in the alphabet and start first.
printf '%s\n' "$@" | sort -r | xargs -P "$(nproc 2>/dev/null || echo 1)" -n 1 sh "$0" --one && echo "$# unit programs: ok"
