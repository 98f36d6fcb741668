#!/bin/sh
# sql.sh: SQL stands in modules/domain/queries.h and schema/ only; base/db*.c has transaction and
# connection statements; and the engines' schemas declare the same tables and columns.
# shellcheck source=test/guard/lib.sh
. "$(dirname "$0")/lib.sh"

begins='"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|PRAGMA|SET )'
upper='"[^"]*(SELECT |INSERT INTO|UPDATE [a-z_]+ SET|DELETE FROM|(CREATE|ALTER|DROP) (UNIQUE |VIRTUAL )?(TABLE|INDEX|TRIGGER)|VALUES ?\(|ORDER BY| WHERE )'
lower='"(select |insert into |update [a-z_]+ set |delete from |(create|alter|drop) (unique )?(table|index) |pragma )'

{ files '*.[ch]' modules && files mod_userauth.c mod_userauth.c; } |
    grep -v '^modules/domain/queries\.h$' | code whole |
    grep -E "$begins|$upper|$lower" |
    grep -vE "^modules/base/db[a-z_]*\.c:[0-9]+:.*$begins" |
    sed -E 's/^([^:]*:[0-9]+):.*/\1: SQL outside modules\/domain\/queries.h/' | breaches

columns() {
    cat "$1"/*.sql | awk '
        { sub(/IF NOT EXISTS /, "") }
        /^CREATE TABLE/ { table = $3; sub(/\(.*/, "", table); next }
        /^ALTER TABLE .* ADD COLUMN/ { print $3 "." $6; next }
        /^\)/ { table = "" }
        table != "" && $1 ~ /^[a-z_]+$/ { print table "." $1 }' | sort
}
for engine in schema/*/; do
    [ -d schema/sqlite3 ] || continue
    other=$(columns "$engine")
    columns schema/sqlite3 | { echo "$other" | diff /dev/fd/3 - | sed -n "s|^[<>] \(.*\)|$engine: \1 is not in both it and sqlite3|p"; } 3<&0
done | breaches
verdict
