#!/bin/sh
# ledger.sh: test/ledger.tsv maps each case (shared/cases.md) to the tests that name it: "ID priority file[:test] …".
# A P1 case has a test, no test names a case that is not in the table, and the table is as `make ledger` writes it.
# shellcheck source=test/guard/lib.sh
. "$(dirname "$0")/lib.sh"

table=test/ledger.tsv
[ -f "$table" ] || verdict
now=$(mktemp)
unknown=$(mktemp)
trap 'rm -f "$found" "$now" "$unknown"' EXIT
{ files 'test_*.py' test && files 'test_*.c' test && files '*.c' test/fuzz && files '*.py' test/campaign; } 2>/dev/null | LC_ALL=C sort |
    xargs awk -f "$(dirname "$0")/ledger.awk" "$table" >"$now" 2>"$unknown"
[ "${1:-}" != write ] || cp "$now" "$table"
breaches <"$unknown"
awk -F '\t' '$2 == "P1" && $3 == "" { print FILENAME ":" FNR ": " $1 " has no test" }' "$table" | breaches
cmp -s "$now" "$table" || echo "$table: is not what the tests say: make ledger" | breaches
verdict
