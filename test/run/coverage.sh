#!/usr/bin/env bash
# coverage.sh unit|all: which lines and branches of modules/ the tests reach, against the floors of test/coverage.tsv.
#
# unit counts what the unit programs reach (two minutes), all also the http suite on SQLite (half an hour). Both build
# in BUILD/coverage with gcc's counters, without optimisation and sanitizers; BUILD/coverage/html/index.html shows each
# line. Fails when a test fails or a floor isn't met. Needs the package gcovr; PORT, ARGS and so on go to `make http`.
set -eu
floors=test/coverage.tsv
out=$(realpath -m "${BUILD:-build}")/coverage
cc="${CC:-gcc} --coverage -fprofile-update=atomic"
failed=0

refuse() {
    printf 'coverage: %s\n' "$*" >&2
    exit 1
}

# make, with counters.
build() { "${MAKE:-make}" --no-print-directory BUILD="$out" CC="$cc" CFLAGS=-O0 SAN=-O0 "$@"; }

# The unit programs: built before any is run, so that what doesn't compile ends here.
programs() { printf '%s\n' test/unit/test_*.c | sed "s|test/\(.*\)\.c|$out/\1|"; }

# Apache's children run as www-data: they can't make files here, but write into those that are there.
open_counters() {
    local notes
    while read -r notes; do
        : >"${notes%.gcno}.gcda"
        chmod 666 "${notes%.gcno}.gcda"
    done < <(find "$out/o" -name '*.gcno')
    [ "$(id -u)" -ne 0 ] || setpriv --reuid=www-data --regid=www-data --clear-groups test -w "$out/o/mod_userauth.gcda" ||
        refuse "Apache's children can't reach $out: give another folder with BUILD="
}

# Those lines of the table that are of a kind, without comments.
rows() { awk -F '\t' -v kind="$1" '$1 == kind' "$floors"; }

# One expression for all lines whose branches don't count. It fits in every file, so that each that has such a line
# needs a row of its own.
excepted() {
    local file text why other pattern=''
    while IFS=$'\t' read -r _ file text why; do
        [ -n "$why" ] || refuse "$floors: '$text' has no reason"
        grep -qF -- "$text" "$file" || refuse "$floors: '$text' isn't in $file"
        while read -r other; do
            rows except | cut -f 2,3 | grep -qxF -- "$other"$'\t'"$text" || refuse "$floors: '$text' is in $other, too"
        done < <(grep -rlF -- "$text" modules mod_userauth.c)
        pattern="$pattern|$(printf '%s' "$text" | sed 's/[][\\.*^$+?(){}|]/\\&/g')"
    done < <(rows except)
    printf '%s' "${pattern:+.*(${pattern#|})}"
}

count() {
    local pattern
    pattern=$(excepted)
    mkdir -p "$out/html"
    gcovr --root . --filter modules/ --filter mod_userauth.c -j 2 ${pattern:+--exclude-branches-by-pattern "$pattern"} \
        --csv "$out/files.csv" --html-details "$out/html/index.html" "$@"
}

# A line for each file and folder, then one for each floor that isn't met. Both shares are cut, not rounded.
judge() {
    awk -v all="$1" '
        function share(some, of) { return of ? int(1000 * some / of) / 10 : 100 }
        function show(what) {
            printf "%-42s %6.1f %% of %5d lines, %6.1f %% of %5d branches\n", what, share(reached[what], lines[what]), lines[what],
                share(taken[what], branches[what]), branches[what]
        }
        function add(what) { lines[what] += $2; reached[what] += $3; branches[what] += $5; taken[what] += $6 }
        FNR == 1 { table++ }
        table == 1 && FNR > 1 {
            add($1)
            show($1)
            folder = $1
            while (sub(/\/[^\/]*$/, "", folder)) { if (!(folder in lines)) folders[++n] = folder; add(folder) }
        }
        table == 2 && !totals++ { for (i = 1; i <= n; i++) show(folders[i]) }
        table == 2 && $1 == "except" { printf "not counted: %s: %s (%s)\n", $2, $3, $4 }
        table == 2 && $1 == "floor" {
            if (!($2 in lines)) { if (all) { print "coverage: " $2 " wasn'\''t counted"; bad = 1 } next }
            if (share(reached[$2], lines[$2]) < $3) { print "coverage: " $2 ": fewer than " $3 " % of its lines"; bad = 1 }
            if (share(taken[$2], branches[$2]) < $4) { print "coverage: " $2 ": fewer than " $4 " % of its branches"; bad = 1 }
        }
        END { exit bad }
    ' FS=, "$out/files.csv" FS='\t' "$floors"
}

case ${1:-} in unit | all) ;; *) refuse "usage: coverage.sh unit|all" ;; esac
command -v gcovr >/dev/null || refuse "gcovr is missing: apt-get install gcovr"
excepted >/dev/null
mkdir -p "$out"
find "$out" -name '*.gcda' -delete
mapfile -t programs < <(programs)
build -j2 "${programs[@]}"
[ "$1" = unit ] || build -j2 all
build unit || failed=1
counters=("$out/san")
if [ "$1" = all ]; then
    open_counters
    build http || failed=1
    counters+=("$out/o")
fi
count "${counters[@]}"
judge "$([ "$1" = unit ] || echo 1)" || failed=1
exit "$failed"
