/* hash_memory.c: see hash_memory.h. */
#include "hash_memory.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef MADV_HUGEPAGE

#define HUGE_PAGE ((size_t)2 << 20)

/* More than is wanted; what stands before and behind the aligned part is given back. */
static void *map_aligned(size_t length, int protection, int flags)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t whole = (length + page - 1) / page * page;
    char *all = whole >= length && whole + HUGE_PAGE > whole
                    ? mmap(NULL, whole + HUGE_PAGE, protection, flags & ~MAP_POPULATE, -1, 0)
                    : MAP_FAILED;
    size_t before = 0;

    if (all == MAP_FAILED) {
        return MAP_FAILED;
    }
    before = (HUGE_PAGE - (uintptr_t)all % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0) {
        (void)munmap(all, before);
    }
    (void)munmap(all + before + whole, HUGE_PAGE - before);
    (void)madvise(all + before, whole, MADV_HUGEPAGE);
    return all + before;
}

void *ua_hash_memory(void *at, size_t length, int protection, int flags, int file, off_t offset)
{
    return !at && length >= HUGE_PAGE && (flags & MAP_PRIVATE) && (flags & MAP_ANONYMOUS)
               ? map_aligned(length, protection, flags)
               : mmap(at, length, protection, flags, file, offset);
}

#else

void *ua_hash_memory(void *at, size_t length, int protection, int flags, int file, off_t offset)
{
    return mmap(at, length, protection, flags, file, offset);
}

#endif
