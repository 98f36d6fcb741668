# shellcheck shell=sh
# lib.sh: what the guards share. A guard runs at the top of the tree, names each breach of its law
# as "file:line: reason" through breaches(), and is done with verdict().
guard=$(basename "$0" .sh)
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# Collects lines of breaches from standard input.
breaches() { cat >>"$found"; }

# All files below the given places whose names match a shell pattern: files '*.c' modules test/unit
files() {
    pattern=$1
    shift
    for place; do [ ! -e "$place" ] || find "$place" -type f -name "$pattern"; done | sort
}

# Code of the C files named on standard input, without comments; $1 is whole, or 0 to empty strings.
code() {
    xargs -r awk -v strings="$1" -f "$(dirname "$0")/strip.awk" /dev/null
}

verdict() {
    if [ -s "$found" ]; then
        sed "s/^/$guard: /" "$found" >&2
        exit 1
    fi
    echo "guard $guard: ok"
    exit 0
}
