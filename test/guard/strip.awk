# strip.awk: C files without their comments, as "file:line:code", for the guards that read code.
# With -v strings=0 the insides of strings go too. (No guard may trip over its own explanation.)
FNR == 1 { comment = 0 }
{
    out = ""; quote = ""; line = $0; n = length(line)
    for (i = 1; i <= n; i++) {
        c = substr(line, i, 1); pair = substr(line, i, 2)
        if (comment) { if (pair == "*/") { comment = 0; i++ }; continue }
        if (quote != "") {
            if (c == "\\") { if (strings != "0") out = out pair; i++; continue }
            if (c == quote) { quote = ""; out = out c; continue }
            if (strings != "0") out = out c
            continue
        }
        if (pair == "/*") { comment = 1; i++; continue }
        if (pair == "//") break
        if (c == "\"" || c == "'") quote = c
        out = out c
    }
    if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
}
