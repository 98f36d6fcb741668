#!/bin/sh
# builtin.sh FILE…: the assembler text that carries the files inside the module, for base/builtin.c.
#
# One row (name, data, length) for each file in the order given, ended by a row of zeros.
# The bytes themselves are read by the assembler, so this text changes only with the list of files.
set -eu

echo '.section .rodata'
i=0
for file; do
    i=$((i + 1))
    printf 'data%d: .incbin "%s"\nend%d: .byte 0\nname%d: .asciz "%s"\n' $i "$file" $i $i "$file"
done
echo '.section .data.rel.ro,"aw"'
echo '.globl ua_builtin_table'
echo '.hidden ua_builtin_table'
echo '.balign 8'
echo 'ua_builtin_table:'
i=0
for file; do
    i=$((i + 1))
    printf '.dc.a name%d, data%d, end%d - data%d\n' $i $i $i $i
done
echo '.dc.a 0, 0, 0'
echo '.section .note.GNU-stack,"",%progbits'
