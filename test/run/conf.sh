#!/usr/bin/env bash
# conf.sh: writes the configuration of the Apache that server.sh starts; sourced by it.
#
# Uses server.sh's $run $port $plain $tls $uid $module $here and LISTEN, EXTRA_CONF.
# shellcheck disable=SC2154
# Modules that are compiled into Debian's server (log_config, unixd, watchdog …) need no line.
modules='mpm_event access_compat actions alias allowmethods auth_basic authn_core authn_file authz_core
    authz_groupfile authz_host authz_user autoindex deflate dir env expires filter headers include
    mime negotiation proxy proxy_fcgi proxy_http remoteip reqtimeout rewrite setenvif socache_shmcb
    ssl status'

# LISTEN, or loopback in both families where the machine has them.
listen_addresses() {
    local address addresses
    if [ -n "${LISTEN:-}" ]; then
        read -r -a addresses <<<"${LISTEN//,/ }"
        for address in "${addresses[@]}"; do
            case $address in
            '['*) echo "$address" ;;
            *:*) echo "[$address]" ;;
            *) echo "$address" ;;
            esac
        done
        return
    fi
    echo 127.0.0.1
    if grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 2>/dev/null; then echo '[::1]'; fi
}

# mod_cgid talks through a socket, whose path cannot pass 107 bytes; mod_cgi needs none.
cgi_lines() {
    if [ ${#run} -lt 80 ]; then
        echo "LoadModule cgid_module /usr/lib/apache2/modules/mod_cgid.so"
        echo "ScriptSock \"$run/cgid.sock\""
    else
        echo "LoadModule cgi_module /usr/lib/apache2/modules/mod_cgi.so"
    fi
}

write_conf() {
    local name p base=http
    [ -z "$tls" ] || base=https
    echo "# Written by test/run/conf.sh; changes are lost. Your own lines: EXTRA_CONF=file"
    for name in $modules; do
        echo "LoadModule ${name}_module /usr/lib/apache2/modules/mod_$name.so"
    done
    echo "LoadModule userauth_module \"$module\""
    cgi_lines
    for p in $(printf '%s\n' "$port" "$plain" | sort -u); do
        listen_addresses | sed "s/\$/:$p/; s/^/Listen /"
    done
    [ "$uid" -ne 0 ] || printf '%s\n' 'User www-data' 'Group www-data'
    cat <<CONF
Define RUN "$run"
Define PORT $port
Define BASE_URL $base://localhost:$port
ServerRoot "\${RUN}"
DefaultRuntimeDir "\${RUN}"
PidFile "\${RUN}/httpd.pid"
ServerName localhost
ErrorLog "\${RUN}/logs/error.log"
LogLevel notice userauth:info
LogFormat "%h %u %t \"%m %U %H\" %>s %B %Dus \"%{User-Agent}i\"" plain
CustomLog "\${RUN}/logs/access.log" plain
TypesConfig /dev/null
SSLSessionCache "shmcb:\${RUN}/tls-sessions"
<Directory />
    Require all denied
</Directory>
<VirtualHost *:$port>
CONF
    if [ -n "$tls" ]; then
        cat <<'CONF'
    SSLEngine on
    SSLSessionTickets off
    SSLCertificateFile "${RUN}/tls/cert.pem"
    SSLCertificateKeyFile "${RUN}/tls/key.pem"
CONF
    fi
    write_site
    echo "</VirtualHost>"
    [ -z "$tls" ] || { echo "<VirtualHost *:$plain>" && write_site && echo "</VirtualHost>"; }
}

write_site() {
    sed "s#^\( *UserAuthDatabase \).*#\1$database#" "$here/site.conf"
    [ -z "${EXTRA_CONF:-}" ] || echo "    Include \"$(realpath "$EXTRA_CONF")\""
}
