#!/usr/bin/env bash
# threads.sh [NAME…]: builds and runs the programs of test/thread under ThreadSanitizer, or only those named: what threads
# share in a child, and over all children (session cache, generations, connections, hash slots). Called by `make threads`.
#
# A program fails by a report or by a result that cannot be. THREAD_ROUNDS=1000 makes each run ten times as long.
set -eu
build=$(realpath -m "${BUILD:-build}")/thread
# Fences are unknown to it (-Wtsan); what they order here is atomic itself, so nothing is reported for it.
flags="-O1 -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan"
libraries="-lcurl -lsodium -ljansson -lcrypto -lzxcvbn -lcjose -lidn2 -lunistring -lm -lpthread -laprutil-1 -lapr-1"

BUILD=$build make -s -j"$(nproc 2>/dev/null || echo 1)" CC="${CC:-gcc}" SAN="$flags" "$build/libcore_san.a"
if [ "$#" -eq 0 ]; then
    for source in test/thread/*.c; do
        name=$(basename "$source" .c)
        [ "$name" = threads ] || set -- "$@" "$name"
    done
fi

# APR and the database's libraries are Debian's own, without ThreadSanitizer: it sees the locks they take, but not what these
# guard. So it misses races in them and reports none, and nothing has to be suppressed; the two waits that it does not know are
# in test/thread/threads.c.
export TSAN_OPTIONS="halt_on_error=0:exitcode=66:second_deadlock_stack=1:history_size=4"
# A machine with more random addresses than its shadow memory allows needs none of them.
fixed=()
if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)" -gt 28 ]; then fixed=(setarch -R); fi

rc=0
for name; do
    # shellcheck disable=SC2086
    ${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Werror $flags -isystem /usr/include/apache2 -isystem /usr/include/apr-1.0 \
        -Imodules -Itest/thread -o "$build/$name" "test/thread/$name.c" test/thread/threads.c "$build/libcore_san.a" $libraries
    if "${fixed[@]}" "$build/$name" >"$build/$name.log" 2>&1; then
        echo "$name: ok: $(paste -sd ',' "$build/$name.log" | sed 's/,/, /g')"
    else
        cat "$build/$name.log"
        echo "FAILED: $name"
        rc=1
    fi
done
exit "$rc"
