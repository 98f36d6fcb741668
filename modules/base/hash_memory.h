/* hash_memory.h: what libsodium's Argon2 takes its memory from, in place of mmap(2) and malloc(3): test/run/sodium.sh gives
 * it these names for them.
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
void *ua_hash_map(void *at, size_t length, int protection, int flags, int file, off_t offset);

/* As malloc(3) and free(3), but what is freed goes back to the kernel: malloc(3) would keep the 38 KiB of a hash for each
 * thread that ever made one. For few pieces: each takes pages of its own. */
void *ua_hash_malloc(size_t size);
void ua_hash_free(void *at);

#endif
