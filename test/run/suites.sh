#!/usr/bin/env bash
# suites.sh SUITE…: the http suite on an engine (sqlite3, pgsql, mysql) or the browser suite (browser), side by side.
#
# Most of their time is waiting, so one more runs at once than there are processors. Each writes BUILD/suites/NAME.log;
# its last line is shown when it ends, and all of it when it failed. PYTEST is the command; called by `make test`.
set -u
logs=${BUILD:-build}/suites
mkdir -p "$logs"

one() {
    local folder=test/http engine=$1 rc=0
    if [ "$1" = browser ]; then folder=test/browser engine=sqlite3; fi
    ENGINE=$engine eval "$PYTEST $folder" >"$logs/$1.log" 2>&1 || rc=$?
    if [ "$rc" -ne 0 ]; then cat "$logs/$1.log"; fi
    printf '%s: %s\n' "$1" "$(tail -n 1 "$logs/$1.log")"
    return "$rc"
}

export -f one
export logs PYTEST
printf '%s\n' "$@" | xargs -P "$(($(nproc 2>/dev/null || echo 1) + 1))" -I {} bash -c 'one {}'
