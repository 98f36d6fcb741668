#!/bin/sh
# units.sh PROGRAM…: runs unit programs, one more at once than there are processors, for some wait; what one printed is shown
# if it fails.
if [ "$1" = --one ]; then
    "$2" > "$2.log" 2>&1 && exit 0
    cat "$2.log"
    echo "FAILED: $2"
    exit 1
fi
# Less memory kept after it was freed and shorter stacks: half the time for the kernel.
export ASAN_OPTIONS="${ASAN_OPTIONS:-quarantine_size_mb=16:malloc_context_size=8}"
# A folder in memory, where there is one: nothing here tests the disk.
[ ! -w /dev/shm ] || export UNIT_FOLDER="${UNIT_FOLDER:-/dev/shm}"
# In reverse: the long ones are late in the alphabet and start first.
printf '%s\n' "$@" | sort -r | xargs -P "$(($(nproc 2>/dev/null || echo 1) + 1))" -n 1 sh "$0" --one || exit 1
# What test/unit/db_faults.h and crypto_faults.h made fail.
for program; do grep -h '^injected ' "$program.log"; done |
    awk '{ runs += $2; calls += $3 } END { printf "faults: %d runs, in which %d calls failed\n", runs, calls }'
echo "$# unit programs: ok"
