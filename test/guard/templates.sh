#!/bin/sh
# templates.sh: every page a route names exists and every template is used; every form carries its
# CSRF field; no tag stands where HTML escaping is not enough; nothing inline, so that the CSP holds.
# shellcheck source=test/guard/lib.sh
. "$(dirname "$0")/lib.sh"

[ -d templates ] || verdict
code_text=$({ files '*.[ch]' modules && files '*.def' modules && files mod_userauth.c mod_userauth.c; } | code whole)

printf '%s\n' "$code_text" | grep -E '"[a-z/_-]+\.(html|txt)"' | while IFS=: read -r file line text; do
    for name in $(printf '%s\n' "$text" | grep -oE '"[a-z/_-]+\.(html|txt)"' | tr -d '"'); do
        [ -f "templates/$name" ] || echo "$file:$line: templates/$name does not exist"
    done
done | breaches

cd templates || exit 1
files '*' . | sed 's|^\./||' | grep -E '\.(html|txt)$' | while read -r file; do
    suffix=${file##*.}
    grep -oE '\{\{[<>] *[a-z/_-]+' "$file" | sed -E 's/..[<>] *//' | while read -r name; do
        [ -f "$name.$suffix" ] || echo "templates/$file: {{>$name}} names no file"
    done
    stem=${file%.*}
    name=${stem#mail/}
    printf '%s\n' "$code_text" | grep -qE "\"($file|$stem|$name)\"" || grep -rqE "\{\{[<>] *$stem *\}\}" . ||
        echo "templates/$file: nothing names it"
    case $file in
    mail/*.html) grep -q '<form' "$file" && echo "templates/$file: a form in a mail" ;;
    *.html)
        forms=$(grep -ciE '<form[^>]*method="?post' "$file")
        fields=$(grep -cE '\{\{> *csrf *\}\}|name="csrf"' "$file")
        [ "$forms" -le "$fields" ] || echo "templates/$file: a form that posts without {{>csrf}}"
        grep -nE '<style|<script([^>]*[^/])?>[^<]|[ "]style=|[ "]on[a-z]+=' "$file" |
            sed -E "s|^([0-9]+):.*|templates/$file:\1: inline style or script, which the CSP stops|"
        ;;
    esac
    grep -nE '\{\{\{|\{\{ *&|\{\{=' "$file" | sed -E "s|^([0-9]+):.*|templates/$file:\1: a tag that does not escape|"
    [ "$suffix" = txt ] || grep -nE '=\{\{[^{]|=[^"'"'"' >{]+\{\{[^#/^]|<!--.*\{\{|javascript:' "$file" |
        sed -E "s|^([0-9]+):.*|templates/$file:\1: a tag or address where escaping is not enough|"
done | breaches
cd ..

for mail in templates/mail/*.txt; do
    [ ! -e "$mail" ] || [ "$mail" = templates/mail/foot.txt ] || [ -f "${mail%.txt}.html" ] || echo "$mail: has no HTML part beside it"
done | breaches
verdict
