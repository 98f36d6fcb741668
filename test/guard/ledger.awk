# ledger.awk: the rows of test/ledger.tsv as they should be: each case with its priority and the tests that name it.
#
#   awk -f ledger.awk TABLE FILE…
#
# A name in a test's body counts for the test, one in a comment or decorator for the test below it, any other for the
# file. Paths are told below test/.
FNR == NR {
    split($0, cell, "\t")
    ids[++rows] = cell[1]
    priority[cell[1]] = cell[2]
    split(cell[1], part, "-")
    family[part[1]] = 1
    next
}
FNR == 1 {
    file = FILENAME
    sub(/^test\//, "", file)
    current = ""
    waiting = ""
}

function test_begins(name) {
    sub(/\(.*/, "", name)
    current = ":" name
    n = split(waiting, held, " ")
    for (i = 1; i <= n; i++) add(held[i], current)
    waiting = ""
}

function add(id, at) {
    if (!(id in priority)) {
        print FILENAME ":" FNR ": there is no case " id > "/dev/stderr"
        return
    }
    if (!((id, file at) in told)) {
        told[id, file at] = 1
        tests[id] = tests[id] (tests[id] ? " " : "") file at
    }
}

/^(async )?def test_/ { name = $0; sub(/^(async )?def /, "", name); test_begins(name) }
/^static void [a-z0-9_]+\(void \*\*state\)/ { test_begins($3) }
/^}/ { current = "" }
/^(def [^t]|def t[^e]|class |[A-Za-z_]+ = )/ { current = "" }
{
    above = /^(@|#|\/\*| \*)/
    line = $0
    while (match(line, /[A-Z]+-[0-9][0-9]+/)) {
        id = substr(line, RSTART, RLENGTH)
        split(id, part, "-")
        if (part[1] in family) {
            if (above && FNR > 6) waiting = waiting " " id
            else add(id, current)
        }
        line = substr(line, RSTART + RLENGTH)
    }
}
END {
    for (i = 1; i <= rows; i++) print ids[i] "\t" priority[ids[i]] "\t" tests[ids[i]]
}
