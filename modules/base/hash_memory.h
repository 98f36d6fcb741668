/* hash_memory.h: what libsodium takes its memory from, in place of mmap(2): the Makefile gives its static library this
 * name for it.
 *
 * Each password's Argon2 fills 19 MiB of fresh memory. In pages of 4 KiB, those of every program, a quarter of a hash's
 * time goes to the kernel, for 4864 page faults (measured on Linux 6.18, x86-64); in huge pages next to none.
 */
#ifndef UA_HASH_MEMORY_H
#define UA_HASH_MEMORY_H

#include <stddef.h>
#include <sys/types.h>

/* As mmap(2), and given back by munmap(2). Private memory of 2 MiB or more begins at a multiple of 2 MiB, is wanted in
 * huge pages (madvise(2), MADV_HUGEPAGE) and filled when it is touched. */
void *ua_hash_memory(void *at, size_t length, int protection, int flags, int file,
                     off_t offset);

#endif
