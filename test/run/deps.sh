#!/usr/bin/env bash
# deps.sh SET…: installs the Debian packages of the named sets that are missing; silent if none is.
#
# Called first by `make run` and `make test`, so it needs nothing but bash and dpkg.
# The package apache2 is never installed: it would start a server on port 80. Nor are those that would run
# daemons or change the machine's Apache: they are unpacked below BUILD.
set -eu

packages_of() {
    case $1 in
    run) echo gcc libc6-dev apache2-bin apache2-dev libaprutil1-dbd-sqlite3 libsodium-dev libjansson-dev \
        libcurl4-openssl-dev libidn2-dev libunistring-dev libzxcvbn-dev libssl-dev libcjose-dev openssl sqlite3 ;;
    pgsql) echo libaprutil1-dbd-pgsql python3-psycopg2 ;;
    mysql) echo libaprutil1-dbd-mysql mariadb-server-core mariadb-client-core python3-pymysql ;;
    check) echo libcmocka-dev universal-ctags ;;
    test) echo python3-pytest python3-requests python3-selenium python3-aiosmtpd python3-cryptography python3-jwt python3-jsonschema \
        python3-h2 chromium chromium-driver php-cgi libpython3-dev libapparmor1 curl wrk \
        libaprutil1-dbd-pgsql libaprutil1-dbd-mysql mariadb-server-core mariadb-client-core galera-4 \
        python3-psycopg2 python3-pymysql rsync lsof ;;
    bench) echo libhiredis0.14 python3-django python3-django-allauth gunicorn python3-argon2 ;;
    coverage) echo gcovr ;;
    fuzz) echo clang libclang-rt-dev llvm nodejs python3-idna ;;
    lint) echo clang-tidy clang-format cppcheck shellcheck ;;
    *) echo "deps.sh: no set is named $1" >&2 && exit 1 ;;
    esac
}

# unpack NAME PACKAGE…: their files, in BUILD/unpacked/NAME.
unpack() {
    local to=${BUILD:-build}/unpacked/$1 deb
    shift
    [ -d "$to/usr" ] && return
    mkdir -p "$to"
    (cd "$to" && apt-get -q download "$@" >/dev/null 2>&1 && for deb in ./*.deb; do dpkg-deb -x "$deb" .; done && rm ./*.deb) ||
        echo "$1 can't be fetched: its tests are skipped" >&2
}

# depends_of PACKAGE PATTERN: the names it depends on.
depends_of() { apt-cache depends "$1" | sed -n "s/^ *Depends: \($2\)\$/\1/p"; }

# Installed, PostgreSQL would start a server of its own.
unpack_postgresql() {
    local server libraries
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 && return
    server=$(depends_of postgresql 'postgresql-[0-9]*')
    mapfile -t libraries < <(depends_of "$server" 'lib.*' | grep -v llvm)
    apt install --no-install-recommends tzdata "${libraries[@]}"
    unpack postgresql "$server" "${server/postgresql/postgresql-client}"
}

wanted=()
for set; do
    names=$(packages_of "$set")
    read -r -a packages <<<"$names"
    wanted+=("${packages[@]}")
done

if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian: please see to these yourself: ${wanted[*]}" >&2
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo)
fi

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null
}

installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
    grep -qx "installed $package" <<<"$installed" || missing+=("$package")
done
finish() {
    case " $* " in *" test "* | *" pgsql "*)
        unpack_postgresql ;;
    esac
    case " $* " in *" test "*)
        unpack fail2ban fail2ban
        unpack mariadb mariadb-server
        unpack mod_wsgi libapache2-mod-wsgi-py3
        unpack php-fpm "$(depends_of php-fpm '.*')" ;;
    esac
    case " $* " in *" bench "*)
        unpack mod_auth_openidc libapache2-mod-auth-openidc
        unpack postfix postfix ;;
    esac
    exit 0
}

[ ${#missing[@]} -eq 0 ] && finish "$@"

if [ ${#as_root[@]} -gt 0 ] && ! command -v sudo >/dev/null; then
    echo "Missing packages, and no sudo to install them. As root: apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "Installing: ${missing[*]}"
apt update || echo "apt-get update failed; trying with the lists at hand" >&2
apt install --no-install-recommends "${missing[@]}"
finish "$@"
