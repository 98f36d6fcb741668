#!/bin/sh
# sodium.sh TARGET: writes the static library of libsodium to TARGET, with its Argon2 taking memory from
# modules/base/hash_memory.c. Where there is no static one, or no such part in it, TARGET is empty: then the module is
# linked to the shared library, as it is. Called by the Makefile; CC is the compiler.
set -eu
target=$1
part=libsodium_la-argon2-core.o
library=$(${CC:-gcc} -print-file-name=libsodium.a)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

rm -f "$target"
if [ -f "$library" ] && ar t "$library" | grep -qx "$part"; then
    ar p "$library" "$part" >"$folder/$part"
    objcopy --redefine-sym mmap=ua_hash_map --redefine-sym malloc=ua_hash_malloc --redefine-sym free=ua_hash_free "$folder/$part"
    cp "$library" "$target"
    ar rD "$target" "$folder/$part"
else
    ar rcD "$target"
fi
