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

void *ua_hash_map(void *at, size_t length, int protection, int flags, int file, off_t offset)
{
    return !at && length >= HUGE_PAGE && (flags & MAP_PRIVATE) && (flags & MAP_ANONYMOUS)
               ? map_aligned(length, protection, flags)
               : mmap(at, length, protection, flags, file, offset);
}

#else

void *ua_hash_map(void *at, size_t length, int protection, int flags, int file, off_t offset)
{
    return mmap(at, length, protection, flags, file, offset);
}

#endif

/* Stands before what is given out. */
typedef union head_t {
    size_t length; /* of all of it */
    max_align_t align;
} head_t;

void *ua_hash_malloc(size_t size)
{
    size_t length = size + sizeof(head_t);
    head_t *head = length > size ? mmap(NULL, length, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                 : MAP_FAILED;

    if (head == MAP_FAILED) {
        return NULL;
    }
    head->length = length;
    return head + 1;
}

void ua_hash_free(void *at)
{
    if (at) {
        head_t *head = (head_t *)at - 1;

        (void)munmap(head, head->length);
    }
}
