#!/usr/bin/env bash
# engine.sh start|stop|create|drop ENGINE FOLDER [DATABASE]: a private PostgreSQL or MariaDB, all of it below FOLDER.
#
# start makes the data folder where there is none and returns when the server answers; create makes an empty database
# and prints what UserAuthDatabase takes for it. The password of its one user is in FOLDER/password. It listens on
# 127.0.0.1 alone. ENGINE_ARGS are more of the server's own options; ENGINE_PORT is its port, else any free one.
set -eu
action=${1:-} engine=${2:-} folder=$(realpath -m "${3:-}") database=${4:-userauth}
unpacked=$(realpath -m "${BUILD:-build}/unpacked")
PATH=$PATH:/usr/sbin:/sbin

refuse() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Neither server runs as root.
owner=()
if [ "$(id -u)" -eq 0 ]; then owner=(setpriv --reuid=www-data --regid=www-data --clear-groups); fi

# Below those that the system gives to clients.
free_port() {
    local p
    for ((p = 20000 + RANDOM % 12000; ; p++)); do
        (: <"/dev/tcp/127.0.0.1/$p") 2>/dev/null || break
    done
    echo "$p"
}

port() { cat "$folder/port"; }
password() { cat "$folder/password"; }

pgsql_bin() {
    local bin
    for bin in /usr/lib/postgresql/*/bin "$unpacked"/postgresql/usr/lib/postgresql/*/bin; do
        [ ! -x "$bin/postgres" ] || found=$bin
    done
    [ -n "${found:-}" ] || refuse "PostgreSQL is not at hand."
}

pgsql_make() {
    "${owner[@]}" "$found/initdb" -D "$folder/data" -U userauth -A scram-sha-256 --pwfile="$folder/password" \
        -E UTF8 --locale=C.UTF-8 --no-instructions
    # Nothing else may connect than by TCP with the password; a copy of the log may be taken by a standby.
    printf 'host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n' >"$folder/data/pg_hba.conf"
}

pgsql_serve() {
    # shellcheck disable=SC2086
    exec "${owner[@]}" "$found/postgres" -D "$folder/data" -p "$(port)" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c max_connections=400 ${ENGINE_ARGS:-}
}

pgsql_client() {
    PGPASSWORD=$(password) PGCONNECT_TIMEOUT=5 "$found/psql" -XqAt -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(port)" -U userauth "$@"
}

pgsql_answers() { pgsql_client -d postgres -c 'SELECT 1'; }
pgsql_sql() { pgsql_client -d postgres -c "$1"; }
pgsql_create() { pgsql_sql "CREATE DATABASE \"$database\""; }
pgsql_params() { echo "host=127.0.0.1 port=$(port) dbname=$database user=userauth"; }

mysql_bin() {
    command -v mariadbd >/dev/null || refuse "MariaDB is not at hand."
    export TMPDIR=$folder # two servers would take each other's temporary tables
}

mysql_make() {
    "${owner[@]}" mariadb-install-db --no-defaults --datadir="$folder/data" --auth-root-authentication-method=normal \
        --skip-test-db --skip-name-resolve
    cat >"$folder/init.sql" <<SQL
CREATE USER IF NOT EXISTS 'userauth'@'127.0.0.1' IDENTIFIED BY '$(password)';
GRANT ALL ON *.* TO 'userauth'@'127.0.0.1' WITH GRANT OPTION;
DROP USER IF EXISTS 'root'@'localhost', 'root'@'127.0.0.1';
SQL
    printf '[client]\nuser=userauth\npassword=%s\n' "$(password)" >"$folder/client.cnf"
}

mysql_serve() {
    # shellcheck disable=SC2086
    exec "${owner[@]}" mariadbd --no-defaults --datadir="$folder/data" --port="$(port)" --bind-address=127.0.0.1 \
        --socket="$folder/sock" --pid-file="$folder/pid" --init-file="$folder/init.sql" --skip-name-resolve \
        --max-connections=400 --innodb-buffer-pool-size=64M ${ENGINE_ARGS:-}
}

mysql_client() {
    mariadb --defaults-file="$folder/client.cnf" --protocol=tcp -h 127.0.0.1 -P "$(port)" --connect-timeout=5 -BN "$@"
}

mysql_answers() { mysql_client -e 'SELECT 1'; }
mysql_sql() { mysql_client -e "$1"; }
mysql_create() { mysql_sql "CREATE DATABASE \`$database\`"; }
mysql_params() { echo "host=127.0.0.1 port=$(port) dbname=$database user=userauth"; }

server_process() { cat "$folder/server" 2>/dev/null || true; }
runs() { [ -n "$(server_process)" ] && kill -0 "$(server_process)" 2>/dev/null; }

make_folder() {
    mkdir -p "$folder"
    [ "${#owner[@]}" -eq 0 ] || chown www-data:www-data "$folder"
    (umask 077 && head -c 18 /dev/urandom | base64 | tr +/ -_ >"$folder/password")
    [ "${#owner[@]}" -eq 0 ] || chown www-data:www-data "$folder/password"
    # Half a data folder is none.
    "${engine}_make" >"$folder/make.log" 2>&1 || { rm -rf "$folder/data" && refuse "$(tail -n 5 "$folder/make.log")"; }
}

serve_and_wait() {
    local i
    ("${engine}_serve") </dev/null >>"$folder/server.log" 2>&1 &
    echo $! >"$folder/server"
    for ((i = 0; i < 300; i++)); do
        "${engine}_answers" >/dev/null 2>&1 && return
        runs || return 1
        sleep 0.1
    done
    return 1
}

start() {
    local tries
    ! runs || return 0
    [ -d "$folder/data" ] || make_folder
    for tries in 1 2 3; do
        [ -f "$folder/port" ] || echo "${ENGINE_PORT:-$(free_port)}" >"$folder/port"
        if serve_and_wait; then
            touch "$folder/started"
            return
        fi
        # Somebody else may have taken a port that was free, once: later starts keep theirs.
        [ "$tries" -eq 3 ] || [ -f "$folder/started" ] || [ -n "${ENGINE_PORT:-}" ] || rm "$folder/port"
    done
    refuse "$engine does not answer: $(tail -n 5 "$folder/server.log")"
}

stop() {
    local i
    runs || return 0
    kill -INT "$(server_process)" 2>/dev/null || true
    [ "$engine" = pgsql ] || kill -TERM "$(server_process)" 2>/dev/null || true
    for ((i = 0; i < 300; i++)); do
        runs || { rm -f "$folder/server" && return; }
        sleep 0.1
    done
    kill -KILL "$(server_process)"
}

case $engine in pgsql | mysql) "${engine}_bin" ;; *) refuse "ENGINE=$engine is not supported: sqlite3, pgsql or mysql." ;; esac
case $action in
start) start ;;
stop) stop ;;
create)
    "${engine}_create"
    "${engine}_params"
    ;;
drop) "${engine}_sql" "DROP DATABASE $database" ;;
*) refuse "usage: engine.sh start|stop|create|drop pgsql|mysql FOLDER [DATABASE]" ;;
esac
