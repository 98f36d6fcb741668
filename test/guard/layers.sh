#!/bin/sh
# layers.sh: includes point down (design.md 2), Apache stays on top, one .c file per foreign library,
# and the top level holds only its own names (design.md 3).
# shellcheck source=test/guard/lib.sh
. "$(dirname "$0")/lib.sh"

headers=$(files '*.h' modules)
sources=$({ files '*.c' modules && files mod_userauth.c mod_userauth.c; } | tr '\n' ' ')
for f in $headers $sources; do
    grep -nE '^[ \t]*#[ \t]*include' "$f" | sed "s|^|$f:|"
done | awk -F: '
function layer(f) { if (!sub(/^modules\//, "", f)) return "top"; sub(/\/.*/, "", f); return f }
function base(f) { sub(/.*\//, "", f); sub(/\.[a-z]+$/, "", f); return f }
function family(f) { f = base(f); sub(/_.*/, "", f); return f }
BEGIN {
    split("base domain features app httpd top", order, " ")
    for (i in order) rank[order[i]] = i
    rank["cli"] = rank["httpd"]
    contract["domain"] = " domain.h "; contract["features"] = " feature.h common.h features.h "
    contract["base"] = " base.h "; contract["app"] = " app.h "
    contract["httpd"] = " httpd.h edge.h "; contract["cli"] = " cli.h "
    foreign = "^(curl/|sodium|openssl/|zxcvbn|idn2|uni(str|norm|ctype|case|conv|types)\\.h|apr_dbd|cjose/|liboath/|qrencode|fido|sqlite3)"
}
{ file = $1; where = $1 ":" $2; mine = layer(file); target = $3 }
target ~ /</ {
    sub(/.*</, "", target); sub(/>.*/, "", target)
    if (target ~ /^(httpd|http_.*|ap_.*|util_.*|mod_.*|mpm_.*|unixd|scoreboard)\.h$/ && mine != "httpd" && mine != "top")
        print where ": <" target "> belongs to modules/httpd/ and mod_userauth.c"
    if (target !~ foreign) next
    lib = target; sub(/[\/.].*/, "", lib); sub(/^uni[a-z]+$/, "uni", lib); sub(/^apr_dbd$/, "db", lib)
    key = (family(file) == lib) ? lib "*.c" : file
    if (file ~ /\.h$/ && key == file) print where ": <" target "> in a header reaches every file; include it in one .c file"
    if (file ~ /\.h$/) private[file] = lib
    if (lib in user && user[lib] != key) print where ": " lib " is already the business of " user[lib]
    user[lib] = key
    next
}
{
    sub(/^[^"]*"/, "", target); sub(/".*/, "", target)
    path = target ~ /\// ? "modules/" target : (mine == "top" ? "" : "modules/" mine "/") target
    theirs = layer(path); name = path; sub(/.*\//, "", name)
    if (!(theirs in rank)) { print where ": \"" target "\" is in no layer"; next }
    if (rank[theirs] > rank[mine]) print where ": \"" target "\" is above"
    else if (rank[theirs] == rank[mine] && theirs != mine) print where ": \"" target "\" is beside"
    n++; from[n] = file; line[n] = where; to[n] = path; text[n] = target; same[n] = theirs == mine && mine != "top"
    if (!same[n] || name ~ /\.def$/) next
    if (file ~ /\.h$/ && index(contract[mine], " " name " ") == 0) busy[file] = 1
}
# Within a layer: the own family, the contract, queries.h for domain.h and queries.c; in base/ also leaves, that is
# headers which include nothing of their layer but the contract (text.h, crypto.h, lock.h …).
END {
    for (i = 1; i <= n; i++) {
        name = to[i]; sub(/.*\//, "", name); mine = layer(from[i])
        if (to[i] in private && family(from[i]) != private[to[i]]) print line[i] ": \"" text[i] "\" is for " private[to[i]] "*.c only"
        if (!same[i] || name ~ /\.def$/) continue
        if (index(contract[mine], " " name " ") || family(from[i]) == family(to[i])) continue
        if (mine == "domain" && name == "queries.h" && base(from[i]) == "domain") continue
        if (mine == "base" && !(to[i] in busy)) continue
        print line[i] ": \"" text[i] "\" is a neighbour; only the own header, its family and the layer'"'"'s contract"
    }
}' | breaches

names=' Makefile README.md mod_userauth.c modules templates conf schema test build compile_commands.json '
for name in *; do
    case $names in
    *" $name "*) ;;
    *) echo "$name: the top level holds only the names in design.md 3" ;;
    esac
done | breaches
verdict
