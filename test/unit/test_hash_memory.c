/* test_hash_memory.c: memory for Argon2 is aligned, wanted in huge pages, exactly as long as asked, and gone when given
 * back. */
#include "base/hash_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define HASH      ((size_t)19 << 20)
#define POPULATED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE)

static unsigned char *map(size_t length)
{
    return ua_hash_map(NULL, length, PROT_READ | PROT_WRITE, POPULATED, -1, 0);
}

/* How much this process has mapped, in bytes. */
static size_t mapped(void)
{
    char text[64] = "";
    int file = open("/proc/self/statm", O_RDONLY);

    assert_true(read(file, text, sizeof text - 1) > 0);
    assert_int_equal(close(file), 0);
    return strtoul(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/* 1 when the kernel keeps this advice ("hg") of the mapping at `at`. */
static int is_advised(const void *at)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512], flags[512] = "";
    int inside = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long long begin = 0, end = 0;

        if (sscanf(line, "%llx-%llx ", &begin, &end) == 2) {
            inside = begin <= (uintptr_t)at && (uintptr_t)at < end;
        }
        else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            memcpy(flags, line, sizeof flags);
        }
    }
    (void)fclose(maps);
    return strstr(flags, " hg") != NULL;
}

/* Whatever address the kernel gives, nothing more is mapped than was asked for, in whole pages. */
static void one_hash(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t before = mapped();

    (void)state;
    for (size_t extra = 0; extra < 64; extra++) {
        size_t length = HASH + extra * 1024;
        unsigned char *memory = map(length);

        assert_ptr_not_equal(memory, MAP_FAILED);
        assert_int_equal((uintptr_t)memory % HUGE_PAGE, 0);
        assert_int_equal(mapped() - before, (length + page - 1) / page * page);
        memset(memory, 1, length);
        assert_int_equal(munmap(memory, length), 0);
        assert_int_equal(mapped(), before);
    }
}

static void in_huge_pages(void **state)
{
    unsigned char *memory = map(HASH);

    (void)state;
    assert_true(is_advised(memory));
    assert_int_equal(munmap(memory, HASH), 0);
}

/* … And what is no hash's is as mmap() gives it. */
static void small_and_shared(void **state)
{
    unsigned char *small = map(4096);
    unsigned char *shared =
        ua_hash_map(NULL, HASH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned char *there = ua_hash_map(shared, HASH, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    (void)state;
    assert_ptr_not_equal(small, MAP_FAILED);
    assert_ptr_not_equal(shared, MAP_FAILED);
    assert_ptr_equal(there, shared);
    assert_false(is_advised(small));
    assert_false(is_advised(there));
    assert_int_equal(munmap(small, 4096), 0);
    assert_int_equal(munmap(shared, HASH), 0);
}

static void too_much(void **state)
{
    static const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX - HUGE_PAGE,
                                     (size_t)1 << 62};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_ptr_equal(map(lengths[i]), MAP_FAILED);
    }
}

static void pieces_go_back(void **state)
{
    static const size_t sizes[] = {0, 1, 16, 4096, 38912, 1 << 20};
    size_t before = mapped();

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *memory = ua_hash_malloc(sizes[i]);

        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        memset(memory, 1, sizes[i]);
        assert_true(mapped() - before >= sizes[i]);
        ua_hash_free(memory);
        assert_int_equal(mapped(), before);
    }
    ua_hash_free(NULL);
    assert_null(ua_hash_malloc(SIZE_MAX));
    assert_null(ua_hash_malloc(SIZE_MAX - 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hash),         cmocka_unit_test(in_huge_pages),
        cmocka_unit_test(small_and_shared), cmocka_unit_test(too_much),
        cmocka_unit_test(pieces_go_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
