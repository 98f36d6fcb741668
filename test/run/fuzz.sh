#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET…]: runs fuzz targets (test/fuzz/TARGET.c; all without a name), each so many seconds, under
# clang's libFuzzer, AddressSanitizer and UBSan. One line a target; fails when one found something.
#
# Each begins with test/fuzz/corpus/TARGET and what earlier runs found new, in BUILD/fuzz/corpus/TARGET. A finding is a
# file in BUILD/fuzz/found/TARGET, to be run again by BUILD/fuzz/TARGET FILE. JOBS of them run at once.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:?fuzz.sh SECONDS [TARGET…]}
shift
fuzz=$(realpath -m "${BUILD:-build}")/fuzz
jobs=${JOBS:-$(nproc 2>/dev/null || echo 1)}
# value NAME: what the Makefile gives this variable.
value() { sed -n "s/^$1 *:= *//p" Makefile; }
san=$(value SAN)
read -r -a libs <<<"$(value LIBS) $(value APRLIBS)"

known=()
for file in test/fuzz/*.c; do
    name=$(basename "$file" .c)
    case $name in fuzz_*) ;; *) known+=("$name") ;; esac
done
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then targets=("${known[@]}"); fi
for name in "${targets[@]}"; do
    [ -f "test/fuzz/$name.c" ] || { echo "fuzz.sh: no target is named $name; there are: ${known[*]}" >&2 && exit 2; }
done
command -v clang >/dev/null || { echo "fuzz.sh needs the packages clang and libclang-rt-dev" >&2 && exit 2; }

# The Makefile's own rules for unit programs, with clang; its warnings are gcc's business.
help=("$fuzz"/san/test/{unit/pool,fuzz/fuzz_help,fuzz/fuzz_child}.o)
objects=("${targets[@]/#/$fuzz/san/test/fuzz/}")
env -u MAKEFLAGS -u MAKELEVEL make -s --no-print-directory -j"$jobs" BUILD="$fuzz" CC="${FUZZ_CC:-clang}" WARN=-Wall \
    SAN="$san -fsanitize=fuzzer-no-link" "$fuzz/libcore_san.a" "${help[@]}" "${objects[@]/%/.o}"
for name in "${targets[@]}"; do
    # shellcheck disable=SC2086 # the flags are words
    clang $san -fsanitize=fuzzer -o "$fuzz/$name" "$fuzz/san/test/fuzz/$name.o" "${help[@]}" "$fuzz/libcore_san.a" "${libs[@]}"
done

# number NAME LOG: one of libFuzzer's last figures.
number() { sed -n "s/^stat::$1: *//p" "$2" | tail -n 1; }

one() {
    local name=$1 log=$fuzz/$1.log work=$fuzz/corpus/$1 found=$fuzz/found/$1 options=() rc=0 last
    mkdir -p "$work" "$found"
    find "$found" -type f -exec mv -t "$work" {} + # a finding of before that is still one comes first
    if [ -f "test/fuzz/$name.dict" ]; then options+=("-dict=test/fuzz/$name.dict"); fi
    ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=8 "$fuzz/$name" "$work" "test/fuzz/corpus/$name" \
        -max_total_time="$seconds" -timeout=30 -rss_limit_mb=1500 -print_final_stats=1 -use_value_profile=1 \
        -artifact_prefix="$found/" "${options[@]}" >"$log" 2>&1 || rc=$?
    last=$(grep -E '^#[0-9]+.* cov: ' "$log" | tail -n 1)
    printf '%-11s %10s runs %7s/s  %-20s %s findings\n' "$name" "$(number number_of_executed_units "$log")" \
        "$(number average_exec_per_sec "$log")" "$(grep -oE 'cov: [0-9]+ ft: [0-9]+' <<<"$last")" \
        "$(find "$found" -type f ! -name 'slow-unit-*' | wc -l)"
    grep -h '^skipped:' "$log" || true
    if [ "$rc" -ne 0 ]; then
        grep -hoE '^FINDING.*|ERROR: .*|.*runtime error:.*|^SUMMARY.*|Test unit written.*' "$log" || tail -n 20 "$log"
    fi
    return "$rc"
}

export -f one number
export fuzz seconds
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I {} bash -c 'one {}'
