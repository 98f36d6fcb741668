/* test_pwhash.c: Argon2id hashes: made, checked, judged outdated, refused.
 *
 * The vectors were made with Debian's argon2 command, another implementation. The cheapest
 * parameters that are allowed keep this quick.
 */
#include "base/pwhash.h"

#include <sodium.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define BODY         "$c2l4dGVlbmJ5dGVzYWx0IQ$0wLqoEH80gSUj4xIwB+49Lkz3//ZfiV3xpLeTipKocI"
#define VECTOR       "$argon2id$v=19$m=256,t=2,p=1" BODY
#define LARGE_VECTOR                                                                           \
    "$argon2id$v=19$m=7168,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0IQ$"                                    \
    "RKV7CMGYPlzoo+tQuh+nNIXe7RNZqAkWHVlHBuaEPF8"

static const ua_pwhash_params_t cheap = {7168, 1};
static apr_pool_t *pool;

/* libsodium takes the memory of a hash by mmap. This one stands in front of the system's, says what
 * was asked for, and refuses large pieces on demand. */
static size_t largest;
static int refused;

#pragma GCC visibility push(default)

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    largest = length > largest ? length : largest;
    if (refused && length >= 7168 * 1024) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

/* … and this one before libsodium's, to sum up what hashes cost: memory × passes. */
static apr_int64_t cost;

int crypto_pwhash(unsigned char *const out, unsigned long long outlen, const char *const passwd,
                  unsigned long long passwdlen, const unsigned char *const salt,
                  unsigned long long opslimit, size_t memlimit, int alg)
{
    union {
        void *symbol;
        int (*call)(unsigned char *, unsigned long long, const char *, unsigned long long,
                    const unsigned char *, unsigned long long, size_t, int);
    } real = {dlsym(RTLD_NEXT, "crypto_pwhash")};

    cost += (apr_int64_t)(memlimit / 1024 * opslimit);
    return real.call(out, outlen, passwd, passwdlen, salt, opslimit, memlimit, alg);
}

#pragma GCC visibility pop

static int setup(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS || ua_pwhash_init() != APR_SUCCESS;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static void test_hash_and_verify(void **state)
{
    static const char *const passwords[] = {"correct horse battery staple", "",
                                            "p\xC3\xA4ssw\xC3\xB6rd", "a b\tc"};
    const char *one = NULL;
    const char *two = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(passwords); i++) {
        assert_int_equal(ua_pwhash(&one, pool, passwords[i], &cheap), APR_SUCCESS);
        assert_int_equal(strncmp(one, "$argon2id$v=19$m=7168,t=1,p=1$", 30), 0);
        assert_int_equal(ua_pwhash_verify(pool, one, passwords[i], &cheap), APR_SUCCESS);
        assert_int_equal(ua_pwhash_verify(pool, one, "another", &cheap), APR_EACCES);
        assert_int_equal(ua_pwhash(&two, pool, passwords[i], &cheap), APR_SUCCESS);
        assert_string_not_equal(one, two);
    }
}

/* All 1024 bytes of a password count. */
static void test_long_password(void **state)
{
    char password[1025];
    const char *hash = NULL;

    (void)state;
    memset(password, 'x', sizeof(password));
    password[1024] = '\0';
    assert_int_equal(ua_pwhash(&hash, pool, password, &cheap), APR_SUCCESS);
    assert_int_equal(ua_pwhash_verify(pool, hash, password, &cheap), APR_SUCCESS);
    password[1023] = 'y';
    assert_int_equal(ua_pwhash_verify(pool, hash, password, &cheap), APR_EACCES);
}

static void test_vector(void **state)
{
    static const ua_pwhash_params_t others = {19456, 2};

    (void)state;
    assert_int_equal(ua_pwhash_verify(pool, VECTOR, "password", &cheap), APR_SUCCESS);
    assert_int_equal(ua_pwhash_verify(pool, VECTOR, "Password", &cheap), APR_EACCES);
    assert_int_equal(ua_pwhash_verify(pool, LARGE_VECTOR, "password", &cheap), APR_SUCCESS);
    assert_int_equal(ua_pwhash_verify(pool, LARGE_VECTOR, "password ", &cheap), APR_EACCES);
    assert_int_equal(ua_pwhash_verify(pool, VECTOR, "password", &others), APR_SUCCESS);
}

static const struct {
    const char *hash;
    const char *comment;
} malformed[] = {
    {"", "empty: a disabled password"},
    {"x", "a letter"},

    {"!" VECTOR, "something before it"},
    {"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
     "a salt of 8 bytes"},
    {VECTOR "=", "padding"},
    {"$argon2id$v=19$m=256,t=2,p=1$c2l4dGVlbmJ5dGVzYWx0IR$"
     "0wLqoEH80gSUj4xIwB+49Lkz3//ZfiV3xpLeTipKocI",
     "unused bits set"},
    {"$argon2id$v=19$m=4194305,t=2,p=1" BODY, "more memory than is allowed"},
    {"$argon2id$v=19$m=256,t=11,p=1" BODY, "more passes than are allowed"},
    {VECTOR "\n", "a line end"},
    {"$argon2i$v=19$m=256,t=2,p=1" BODY, "another kind"},
    {"$argon2id$v=16$m=256,t=2,p=1" BODY, "an old version"},
    {"$argon2id$m=256,t=2,p=1" BODY, "no version"},
    {"$argon2id$v=19$m=256,t=2,p=2" BODY, "two lanes"},
    {"$argon2id$v=19$m=0256,t=2,p=1" BODY, "a leading zero"},
    {"$argon2id$v=19$m=-256,t=2,p=1" BODY, "a sign"},
    {"$argon2id$v=19$m=99999999999999999999,t=1,p=1" BODY, "a number beyond all"},
    {"$argon2id$v=19$m=1,t=1,p=1" BODY, "less memory than Argon2 takes"},
    {"$argon2id$v=19$m=7168,t=0,p=1" BODY, "no pass"},
    {"$argon2id$v=19$m=256,t=2,p=1$c2l4dGVlbmJ5dGVzYWx0IQ", "no digest"},
    {"$argon2id$v=19$m=7168,t=1,p=1$$", "nothing in it"},
    {"$2b$12$KIXsTnTgC8mZ1J8yq0G0ieo0J5H4r6rM5eQhU2o7x3Zb8Yw9v1aQK", "bcrypt"},
};

/* None of these is right, and each costs what a wrong password costs. */
static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(malformed); i++) {
        largest = 0;
        assert_int_equal(ua_pwhash_verify(pool, malformed[i].hash, "password", &cheap),
                         APR_EACCES);
        assert_true(largest >= 7168 * 1024);
        assert_int_equal(ua_pwhash_verify(pool, malformed[i].hash, "", &cheap), APR_EACCES);
    }
}

/* Without memory nothing is said about the password, right or wrong. */
static void test_no_memory(void **state)
{
    const char *hash = NULL;

    (void)state;
    refused = 1;
    assert_int_equal(ua_pwhash(&hash, pool, "password", &cheap), APR_ENOMEM);
    assert_null(hash);
    assert_int_equal(ua_pwhash_verify(pool, LARGE_VECTOR, "password", &cheap), APR_ENOMEM);
    assert_int_equal(ua_pwhash_verify(pool, LARGE_VECTOR, "Password", &cheap), APR_ENOMEM);
    assert_int_equal(ua_pwhash_verify(pool, "", "password", &cheap), APR_ENOMEM);
    refused = 0;
    assert_int_equal(ua_pwhash_verify(pool, LARGE_VECTOR, "password", &cheap), APR_SUCCESS);
}

static void test_ranges(void **state)
{
    static const ua_pwhash_params_t rows[] = {
        {7167, 1}, {4194305, 1}, {7168, 0}, {7168, 11}, {-1, 1}, {7168, -1}, {INT64_MAX, 1}};
    const char *hash = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ua_pwhash(&hash, pool, "password", &rows[i]), APR_EINVAL);
        assert_int_equal(ua_pwhash_verify(pool, "", "password", &rows[i]), APR_EINVAL);
        assert_null(hash);
    }
}

static void test_outdated(void **state)
{
    static const struct {
        ua_pwhash_params_t params;
        int outdated;
        const char *comment;
    } rows[] = {
        {{256, 2}, 0, "the same"},         {{19456, 2}, 1, "more memory now"},
        {{256, 3}, 1, "more passes now"},  {{128, 2}, 1, "less memory now"},
        {{256, 1}, 1, "fewer passes now"},
    };

    const char *hash = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ua_pwhash_outdated(VECTOR, &rows[i].params), rows[i].outdated);
    }
    assert_int_equal(ua_pwhash(&hash, pool, "password", &cheap), APR_SUCCESS);
    assert_int_equal(ua_pwhash_outdated(hash, &cheap), 0);
    assert_int_equal(ua_pwhash_outdated("", &cheap), 1);
    assert_int_equal(ua_pwhash_outdated(VECTOR "=", &cheap), 1);
}

/* ENUM-03: nobody's name, an empty row, a hash of before: a wrong password costs the same, but for a rounding. */
static void a_wrong_password_costs_the_same(void **state)
{
    static const char *const hashes[] = {"", "not a hash", VECTOR, LARGE_VECTOR};
    static const ua_pwhash_params_t todays[] = {{7168, 1}, {7168, 5}, {19456, 2}, {30000, 3}};

    (void)state;
    for (size_t t = 0; t < COUNT(todays); t++) {
        for (size_t i = 0; i < COUNT(hashes); i++) {
            apr_int64_t full = todays[t].memory_kib * todays[t].passes;

            cost = 0;
            assert_int_equal(ua_pwhash_verify(pool, hashes[i], "wrong", &todays[t]),
                             APR_EACCES);
            assert_in_range(cost, full - 16, full);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_password_costs_the_same),
        cmocka_unit_test(test_hash_and_verify),
        cmocka_unit_test(test_long_password),
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_outdated),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
