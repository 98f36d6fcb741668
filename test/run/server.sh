#!/usr/bin/env bash
# server.sh run|start|stop: the Apache of `make run`, `make start` and `make stop` (README, contract 7).
#
# Reads BUILD PORT RUN LISTEN TLS EXTRA_CONF ENGINE from the environment, empty meaning the default,
# and writes only below RUN. conf.sh beside it writes the server's configuration.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/run/conf.sh
. "$here/conf.sh"

PATH=$PATH:/usr/sbin:/sbin
uid=$(id -u)
module=$(realpath -m "${BUILD:-build}/mod_userauth.so")
port=${PORT:-8080}
engine=${ENGINE:-sqlite3}
tls=
case ${TLS:-0} in 0 | no | off) ;; *) tls=1 ;; esac
plain=$((port + ${tls:-0}))

say() { printf '%s\n' "$*"; }
refuse() {
    say "$*" >&2
    exit 1
}

as_www_data() { setpriv --reuid=www-data --regid=www-data --clear-groups "$@"; }

# Apache's children run as www-data when root starts it, else as the caller.
children_can_enter() {
    if [ "$uid" -eq 0 ]; then
        as_www_data test -x "$1"
    else
        [ -x "$1" ] && [ -w "$1" ]
    fi
}

nearest_existing() {
    local folder=$1
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    printf '%s\n' "$folder"
}

# Sets $run. Makes nothing, so that `stop` finds the same folder and leaves no trace.
choose_folder() {
    run=$(realpath -m "${RUN:-${BUILD:-build}/run}")
    # shellcheck disable=SC1003
    case $run in *['"$\']* | *$'\n'*) refuse "RUN=$run: quotes, \$ and \\ cannot stand in Apache's configuration." ;; esac
    children_can_enter "$(nearest_existing "$run")" && return
    local who=www-data
    [ "$uid" -eq 0 ] || who=$(id -un)
    if [ -n "${RUN:-}" ]; then
        reason="RUN=$run cannot be used: Apache's children run as $who and cannot enter (or $who cannot write) it or a folder above it."
        return
    fi
    notice="Apache's children ($who) cannot enter $run; using /var/tmp/userauth-$uid instead."
    run=/var/tmp/userauth-$uid
    if [ -e "$run" ] && { [ -L "$run" ] || [ ! -O "$run" ]; }; then
        reason="$run belongs to someone else; give another folder with RUN=."
    fi
}

# The sticky bit lets www-data add its database files and keeps it from replacing root's.
make_folders() {
    umask 022
    mkdir -p "$run/logs" "$run/mail" "$run/htdocs"
    if [ "$uid" -eq 0 ]; then
        as_www_data test -w "$run" || { chgrp www-data "$run" && chmod 1775 "$run"; }
        chown www-data:www-data "$run/mail"
    fi
    chmod 750 "$run/mail"
    children_can_enter "$run" || refuse "Apache's children cannot enter $run; give another folder with RUN=."
    cp -u "$here"/htdocs/* "$run/htdocs/"
    [ -z "$tls" ] || make_certificate
}

make_certificate() {
    mkdir -p "$run/tls"
    [ -s "$run/tls/cert.pem" ] && openssl x509 -checkend 86400 -noout -in "$run/tls/cert.pem" >/dev/null && return
    (
        umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
            -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1' \
            -addext basicConstraints=critical,CA:FALSE \
            -keyout "$run/tls/key.pem" -out "$run/tls/cert.pem" 2>/dev/null
    )
    chmod 644 "$run/tls/cert.pem"
}

# The ids of all Apache processes whose configuration is this folder's; the first need not be the parent.
server_processes() {
    local file
    # shellcheck disable=SC2062
    grep -lzxF -f - /proc/[0-9]*/cmdline 2>/dev/null <<<"$run/httpd.conf" | while read -r file; do
        [ "$(cat "${file%/*}/comm" 2>/dev/null)" != apache2 ] || echo "$file" | cut -d / -f 3
    done
}

# Whether anything answers at ADDRESS PORT; the subshell keeps its messages and descriptors to itself.
connects() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

port_taken() {
    local address
    for address in $(probe_addresses); do
        connects "$address" "$1" && return 0
    done
    return 1
}

# Where to knock: the addresses listened at, a wildcard being loopback.
probe_addresses() {
    local address
    listen_addresses | while read -r address; do
        case $address in
        '*' | 0.0.0.0) echo 127.0.0.1 ;;
        '[::]') echo ::1 ;;
        *) address=${address#[} && echo "${address%]}" ;;
        esac
    done
}

health_status() {
    local address line=
    address=$(probe_addresses | head -n 1)
    line=$( (exec 3<>"/dev/tcp/$address/$plain" &&
        printf 'GET /auth/health HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n' >&3 &&
        read -r -t 5 line <&3 && say "$line") 2>/dev/null) || return 1
    case $line in HTTP/*) line=${line#* } && say "${line%% *}" ;; *) return 1 ;; esac
}

address() { if [ -n "$tls" ]; then say "https://localhost:$port/"; else say "http://localhost:$port/"; fi; }

show_why() {
    tail -c +"$((log_start + 1))" "$run/logs/error.log" 2>/dev/null | tail -n 20 >&2
    tail -n 20 "$run/logs/start.log" >&2
}

# Waits until the server answers, at most half a minute, or is no more.
wait_until_up() {
    local status i
    for ((i = 0; i < 300; i++)); do
        if status=$(health_status); then
            [ "$status" = 200 ] || say "Mind: /auth/health answers $status; see $run/logs/error.log" >&2
            return 0
        fi
        [ -z "$ending" ] || return 0
        if [ "$i" -gt 10 ] && [ -z "$(server_processes)" ]; then break; fi
        sleep 0.1
    done
    show_why
    return 1
}

prepare() {
    local p
    case $engine in
    sqlite3 | pgsql | mysql) ;;
    *) refuse "ENGINE=$engine is not supported: sqlite3, pgsql or mysql." ;;
    esac
    case $port in '' | *[!0-9]*) refuse "PORT=$port is no port number." ;; esac
    [ -f "$module" ] || refuse "$module is missing: run make first."
    [ -z "${EXTRA_CONF:-}" ] || [ -r "$EXTRA_CONF" ] || refuse "EXTRA_CONF=$EXTRA_CONF cannot be read."
    [ -z "$notice" ] || say "$notice"
    [ -z "$reason" ] || refuse "$reason"
    if [ -n "$(server_processes)" ]; then
        say "A server already runs from $run; it is replaced."
        stop_server
    fi
    for p in "$port" "$plain"; do
        ! port_taken "$p" || refuse "Port $p is taken by another program; choose one with PORT=."
    done
    make_folders
    start_engine
    write_conf >"$run/httpd.conf"
    echo "$port $plain" >"$run/ports"
    log_start=$(stat -c %s "$run/logs/error.log" 2>/dev/null || echo 0)
}

# Sets $database, the words of UserAuthDatabase; PostgreSQL or MariaDB runs from $run/$engine, with its data.
start_engine() {
    # shellcheck disable=SC2034,SC2016
    database='sqlite3 "${RUN}/userauth.db"'
    [ "$engine" != sqlite3 ] || return 0
    setsid bash "$here/engine.sh" start "$engine" "$run/$engine"
    [ -f "$run/$engine/database" ] ||
        bash "$here/engine.sh" create "$engine" "$run/$engine" >"$run/$engine/database"
    # shellcheck disable=SC2034
    database="$engine \"$(cat "$run/$engine/database")\"\\n    UserAuthDatabasePasswordFile \"\${RUN}/$engine/password\""
}

stop_engines() {
    local name
    for name in pgsql mysql; do
        [ ! -d "$run/$name" ] || bash "$here/engine.sh" stop "$name" "$run/$name"
    done
}

# Becomes Apache, in a session of its own with nothing of the caller's open: no descriptor, no terminal.
become_apache() {
    local fd
    for fd in "/proc/$BASHPID/fd"/*; do
        fd=${fd##*/}
        [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done
    cd /
    # libpq would look for certificates in the home of who starts, where the children may not look.
    exec env -u HOME setsid apache2 -d "$run" -f "$run/httpd.conf" "$@" </dev/null >"$run/logs/start.log" 2>&1
}

failed() {
    end_processes
    stop_engines
    refuse "Apache did not start; its log is $run/logs/error.log"
}

start() {
    prepare
    (become_apache -k start) || { show_why && failed; }
    wait_until_up || failed
    say "Answering at $(address)  (mails: $(address)mail/, files: $run; \`make stop\` ends it)"
}

run_in_foreground() {
    local status=0
    prepare
    become_apache -D FOREGROUND &
    server=$!
    trap 'ending=1; kill -TERM "$server" 2>/dev/null || true' INT TERM HUP
    wait_until_up || failed
    [ -n "$ending" ] || say "Answering at $(address)  (mails: $(address)mail/, files: $run; Ctrl-C ends it)"
    # A signal ends `wait` early, so it is asked again until the server is gone.
    while kill -0 "$server" 2>/dev/null; do wait "$server" && status=0 || status=$?; done
    end_processes
    stop_engines
    [ -n "$ending" ] || [ "$status" -eq 0 ] || refuse "Apache ended; its log is $run/logs/error.log"
    say "Stopped."
}

# The parent ends its children; children without one get TERM themselves, and KILL after ten seconds.
end_processes() {
    local i p left parent signal=TERM
    for ((i = 0; i < 300; i++)); do
        left=$(server_processes)
        [ -n "$left" ] || return 0
        if [ $((i % 100)) -eq 0 ]; then
            parent=$(cat "$run/httpd.pid" 2>/dev/null || true)
            if [ "$i" -eq 0 ] && grep -qxF "$parent" <<<"$left"; then left=$parent; fi
            [ "$i" -eq 0 ] || signal=KILL
            for p in $left; do
                kill -"$signal" "$p" 2>/dev/null || [ ! -e "/proc/$p" ] ||
                    refuse "The server in $run (process $p) belongs to someone else."
            done
        fi
        sleep 0.1
    done
    refuse "The server in $run did not end within 30 seconds."
}

# Returns when its processes are gone and its ports are free.
stop_server() {
    local i p ports=()
    end_processes
    [ ! -f "$run/ports" ] || read -r -a ports <"$run/ports"
    for p in "${ports[@]}"; do
        for ((i = 0; i < 100; i++)); do
            port_taken "$p" || break
            sleep 0.1
        done
    done
    stop_engines
    rm -f "$run/httpd.pid" "$run/ports"
}

stop() {
    if [ -z "$(server_processes)" ]; then
        say "No server runs from $run."
        return
    fi
    stop_server
    say "Stopped."
}

notice='' reason='' ending='' log_start=0
choose_folder
case ${1:-} in
run) run_in_foreground ;;
start) start ;;
stop) stop ;;
*) refuse "usage: server.sh run|start|stop" ;;
esac
