/* test_crypto.c: digests against published vectors, draws, text forms of bytes.
 *
 * Sources: FIPS 180-4 and RFC 4231 for digests (by way of Python's hashlib for the framed lists),
 * RFC 4648 for base64url, RFC 9562 for UUIDs. Case: JWT-12.
 */
#include "base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <pthread.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static apr_pool_t *pool;

static int setup(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS || ua_crypto_init() != APR_SUCCESS;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static void test_sha256(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {"", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"},
        {"abc", "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "JI1qYdIGOLjlwCaTDD5gOaM85Flk_yFn9uzt1BnbBsE"},
    };

    const char *text = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ua_digest_text(&text, pool, rows[i].text), APR_SUCCESS);
        assert_string_equal(text, rows[i].expected);
        assert_int_equal(strlen(text), UA_DIGEST_TEXT);
    }
}

/* Expected: hmac.new(key, b"".join(len(p).to_bytes(8, "big") + p for p in parts), "sha256"). */
static void test_hmac(void **state)
{
    static const unsigned char zero[UA_DIGEST_BYTES];
    unsigned char counting[UA_DIGEST_BYTES];

    const struct {
        const unsigned char *key;
        const char *const *parts;
        const char *expected;
    } rows[] = {
        {zero, (const char *const[]){NULL}, "thNnmggU2ex3L5XXeMNfxf8Wl8STcVZTxscSFEKSxa0"},
        {zero, UA_PARTS(""), "83UYCrqSiIQB8ZGb5KhxWmJ2O2XBwQ4dCFjoHU1vn9I"},
        {counting, UA_PARTS("verify", "id", "mike@example.org"),
         "u-sjNFGQKF5sgq8Ih-8lDtsCRDnQDtNh5O3jlQMUQv8"},
    };

    const char *text = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(counting); i++) {
        counting[i] = (unsigned char)i;
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ua_hmac_text(&text, pool, rows[i].key, rows[i].parts), APR_SUCCESS);
        assert_string_equal(text, rows[i].expected);
    }
}

/* Lists that read alike when put together must not give the same bytes. */
static void test_hmac_frames(void **state)
{
    static const unsigned char key[UA_DIGEST_BYTES] = {1};
    const char *const *const lists[] = {
        UA_PARTS("ab", "c"), UA_PARTS("a", "bc"), UA_PARTS("abc"),  UA_PARTS("abc", ""),
        UA_PARTS("", "abc"), UA_PARTS(""),        UA_PARTS("", ""), UA_PARTS("a", "b", "c")};
    unsigned char out[COUNT(lists)][UA_DIGEST_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        assert_int_equal(ua_hmac(out[i], key, lists[i]), APR_SUCCESS);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(out[i], out[j], UA_DIGEST_BYTES);
        }
    }
}

static void test_random(void **state)
{
    unsigned char one[32] = {0};
    unsigned char two[32] = {0};

    (void)state;
    assert_int_equal(ua_random(one, sizeof(one)), APR_SUCCESS);
    assert_int_equal(ua_random(two, sizeof(two)), APR_SUCCESS);
    assert_memory_not_equal(one, two, sizeof(one));
    assert_int_equal(ua_random(one, (apr_size_t)INT_MAX + 1), APR_EINVAL);
}

static void test_draws_repeat(void **state)
{
    ua_ctx_t ctx = {.pool = pool};
    ua_ctx_t other = {.pool = pool};
    unsigned char first[3][32];
    unsigned char again[32];
    const char *uuid = NULL;
    const char *same = NULL;

    (void)state;
    assert_int_equal(ua_draw_init(&ctx), APR_SUCCESS);
    assert_int_equal(ua_draw_init(&other), APR_SUCCESS);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ua_draw(&ctx, first[i], 32), APR_SUCCESS);
    }
    assert_memory_not_equal(first[0], first[1], 32);
    assert_memory_not_equal(first[1], first[2], 32);
    assert_int_equal(ua_draw_uuid(&uuid, &ctx), APR_SUCCESS);
    ua_draw_rewind(&ctx);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ua_draw(&ctx, again, 32), APR_SUCCESS);
        assert_memory_equal(first[i], again, 32);
    }
    assert_int_equal(ua_draw_uuid(&same, &ctx), APR_SUCCESS);
    assert_string_equal(uuid, same);
    assert_int_equal(ua_draw(&other, again, 32), APR_SUCCESS);
    assert_memory_not_equal(first[0], again, 32);
}

static void test_draw_refuses(void **state)
{
    ua_ctx_t ctx = {.pool = pool};
    unsigned char out[40] = {0};

    (void)state;
    assert_int_equal(ua_draw(&ctx, out, 32), APR_EINVAL); /* nobody seeded it */
    assert_int_equal(ua_draw_init(&ctx), APR_SUCCESS);
    assert_int_equal(ua_draw(&ctx, out, 0), APR_EINVAL);
    assert_int_equal(ua_draw(&ctx, out, 33), APR_EINVAL);
    assert_int_equal(ctx.draw.count, 0);
    assert_int_equal(ua_draw(&ctx, out, 1), APR_SUCCESS);
    assert_int_equal(out[1], 0);
}

static void test_uuid_drawn(void **state)
{
    ua_ctx_t ctx = {.pool = pool};
    const char *last = "";

    (void)state;
    assert_int_equal(ua_draw_init(&ctx), APR_SUCCESS);
    for (int i = 0; i < 200; i++) {
        const char *uuid = NULL;
        assert_int_equal(ua_draw_uuid(&uuid, &ctx), APR_SUCCESS);
        assert_true(ua_uuid_valid(uuid));
        assert_string_not_equal(uuid, last);
        last = uuid;
    }
}

static void test_uuid_valid(void **state)
{
    static const struct {
        const char *text;
        int valid;
        const char *comment;
    } rows[] = {
        {"f81d4fae-7dec-4d0a-a765-00a0c91e6bf6", 1, "right"},
        {"f81d4fae-7dec-4d0a-8765-00a0c91e6bf6", 1, "variant 8"},
        {"f81d4fae-7dec-4d0a-b765-00a0c91e6bf6", 1, "variant b"},
        {"F81D4FAE-7DEC-4D0A-A765-00A0C91E6BF6", 0, "upper case"},
        {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", 0, "version 1"},
        {"f81d4fae-7dec-4d0a-c765-00a0c91e6bf6", 0, "another variant"},
        {"f81d4fae-7dec-4d0a-a765-00a0c91e6bf", 0, "one short"},
        {"f81d4fae-7dec-4d0a-a765-00a0c91e6bf66", 0, "one long"},
        {"f81d4fae-7dec-4d0a-a765-00a0c91e6bf6\n", 0, "a line end"},
        {"f81d4fae7dec-4d0a-a765-00a0c91e6bf6-", 0, "a dash elsewhere"},
        {"g81d4fae-7dec-4d0a-a765-00a0c91e6bf6", 0, "no hex"},
        {"f81d4fae-7dec-4d0a-", 0, "cut off at the variant"},
        {"", 0, "empty"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ua_uuid_valid(rows[i].text), rows[i].valid);
    }
}

/* RFC 4648 10, in the alphabet of 5 and without padding. */
static void test_base64url(void **state)
{
    static const struct {
        const char *bytes;
        apr_size_t length;
        const char *text;
    } rows[] = {{"", 0, ""},
                {"f", 1, "Zg"},
                {"fo", 2, "Zm8"},
                {"foo", 3, "Zm9v"},
                {"foob", 4, "Zm9vYg"},
                {"fooba", 5, "Zm9vYmE"},
                {"foobar", 6, "Zm9vYmFy"},
                {"\xFB\xFF\xFE", 3, "-__-"},
                {"\0\0\0\0", 4, "AAAAAA"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned char out[8] = {0};
        assert_string_equal(ua_base64url(pool, rows[i].bytes, rows[i].length), rows[i].text);
        assert_int_equal(ua_base64url_decode(out, rows[i].length, rows[i].text), APR_SUCCESS);
        assert_memory_equal(out, rows[i].bytes, rows[i].length);
    }
}

/* JWT-12 and its kin: one text only for the same bytes. */
static void test_base64url_refuses(void **state)
{
    static const struct {
        const char *text;
        const char *comment;
    } rows[] = {
        {"Zm9vYg==", "padding"},       {"Zm9vY", "too short"},     {"Zm9vYgA", "too long"},
        {"Zm9vYh", "unused bits set"}, {"Zm9vY/", "a slash"},      {"Zm9vY+", "a plus"},
        {"Zm9vY ", "a blank"},         {"Zm9vYg\n", "a line end"}, {"", "empty"},
        {"Zm9v\xC3\xA4", "not ASCII"}, {"Zm9v.g", "a dot"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned char out[4] = "x";
        assert_int_equal(ua_base64url_decode(out, 4, rows[i].text), APR_EINVAL);
        assert_string_equal((const char *)out, "x");
    }
}

static void test_equal(void **state)
{
    char secret[] = "secret";

    (void)state;
    assert_true(ua_equal("abc", "abd", 2));
    assert_false(ua_equal("abc", "abd", 3));
    assert_false(ua_equal("abc", "bbc", 3));
    assert_true(ua_equal_text("", ""));
    assert_true(ua_equal_text("abc", "abc"));
    assert_false(ua_equal_text("abc", "abcd"));
    assert_false(ua_equal_text("abc", "ab"));
    assert_false(ua_equal_text("abc", "abC"));
    ua_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, "\0\0\0\0\0\0", sizeof(secret));
}

static void *digest_often(void *data)
{
    static const unsigned char key[UA_DIGEST_BYTES] = {7};
    unsigned char first[UA_DIGEST_BYTES];
    unsigned char again[UA_DIGEST_BYTES];

    if (ua_hmac(first, key, UA_PARTS("a")) != APR_SUCCESS) {
        return data;
    }
    for (int i = 0; i < 500; i++) {
        if (ua_sha256(again, &i, sizeof(i)) != APR_SUCCESS ||
            ua_hmac(again, key, UA_PARTS("a")) != APR_SUCCESS ||
            memcmp(first, again, sizeof(first)) != 0) {
            return data;
        }
    }
    return NULL;
}

/* trap 34: contexts are each thread's own, and go with it (LeakSanitizer watches). */
static void test_threads(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, digest_often, pool), 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),       cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_hmac_frames),  cmocka_unit_test(test_random),
        cmocka_unit_test(test_draws_repeat), cmocka_unit_test(test_draw_refuses),
        cmocka_unit_test(test_uuid_drawn),   cmocka_unit_test(test_uuid_valid),
        cmocka_unit_test(test_base64url),    cmocka_unit_test(test_base64url_refuses),
        cmocka_unit_test(test_equal),        cmocka_unit_test(test_threads),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
