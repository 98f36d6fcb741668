/* test_crypto_faults.c: OpenSSL, or the memory of a thread, is not there.
 *
 * No digest, code or random value is given out then, and nothing half made stays behind. Case: INV-7.
 */
#include "crypto_faults.h"

#include "base/crypto.h"
#include "base/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <pthread.h>
#include <string.h>

#define FAULT_MAKE 128 /* what makes contexts, and what fetches algorithms */
#define EACH_CALL  (FAULT_CRYPTO | FAULT_CRYPTO_REST)
#define MOST_CALLS 200

static int make_fails(void)
{
    int done = 0;

    return fault_of(FAULT_MAKE, &done) != 0;
}

EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties)
{
    EVP_MD *(*real)(OSSL_LIB_CTX *, const char *, const char *) = NULL;

    FIND_REAL(real, "EVP_MD_fetch");
    return make_fails() ? NULL : real(library, name, properties);
}

EVP_MAC *EVP_MAC_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties)
{
    EVP_MAC *(*real)(OSSL_LIB_CTX *, const char *, const char *) = NULL;

    FIND_REAL(real, "EVP_MAC_fetch");
    return make_fails() ? NULL : real(library, name, properties);
}

void *CRYPTO_zalloc(size_t size, const char *file, int line)
{
    void *(*real)(size_t, const char *, int) = NULL;

    FIND_REAL(real, "CRYPTO_zalloc");
    return make_fails() ? NULL : real(size, file, line);
}

EVP_MD_CTX *EVP_MD_CTX_new(void)
{
    EVP_MD_CTX *(*real)(void) = NULL;

    FIND_REAL(real, "EVP_MD_CTX_new");
    return make_fails() ? NULL : real();
}

EVP_MAC_CTX *EVP_MAC_CTX_new(EVP_MAC *mac)
{
    EVP_MAC_CTX *(*real)(EVP_MAC *) = NULL;

    FIND_REAL(real, "EVP_MAC_CTX_new");
    return make_fails() ? NULL : real(mac);
}

int EVP_MAC_CTX_set_params(EVP_MAC_CTX *ctx, const OSSL_PARAM params[])
{
    int (*real)(EVP_MAC_CTX *, const OSSL_PARAM *) = NULL;

    FIND_REAL(real, "EVP_MAC_CTX_set_params");
    return make_fails() ? 0 : real(ctx, params);
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    int (*real)(pthread_key_t, const void *) = NULL;

    FIND_REAL(real, "pthread_setspecific");
    return make_fails() ? 1 : real(key, value);
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    int (*real)(pthread_key_t *, void (*)(void *)) = NULL;

    FIND_REAL(real, "pthread_key_create");
    return make_fails() ? 1 : real(key, destructor);
}

static apr_pool_t *pool;

static apr_status_t digest(void)
{
    const char *text = "untouched";
    apr_status_t rv = ua_digest_text(&text, pool, "abc");

    assert_string_equal(text, rv == APR_SUCCESS ? "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
                                                : "untouched");
    return rv;
}

static apr_status_t code(void)
{
    static const unsigned char key[UA_DIGEST_BYTES];
    const char *text = "untouched";
    apr_status_t rv = ua_hmac_text(&text, pool, key, UA_PARTS(""));

    assert_string_equal(text, rv == APR_SUCCESS ? "83UYCrqSiIQB8ZGb5KhxWmJ2O2XBwQ4dCFjoHU1vn9I"
                                                : "untouched");
    return rv;
}

/* A context without a seed draws nothing, and the next try may seed it. */
static apr_status_t begin_to_draw(void)
{
    ua_ctx_t ctx = {.pool = pool};
    apr_status_t rv = ua_draw_begin(&ctx);

    assert_int_equal(rv == APR_SUCCESS, ctx.id != NULL && ua_uuid_valid(ctx.id));
    return rv;
}

/* The number of a draw that failed is that of the next one. */
static apr_status_t draw(void)
{
    static ua_ctx_t ctx;
    apr_uint64_t before = 0;
    unsigned char out[4] = {0};
    apr_status_t rv = APR_SUCCESS;

    ctx.draw.seed[0] = 1;
    before = ctx.draw.count;
    rv = ua_draw(&ctx, out, sizeof out);
    assert_int_equal(ctx.draw.count, before + (rv == APR_SUCCESS));
    assert_memory_equal(out, "\0\0\0\0", rv == APR_SUCCESS ? 0 : 4);
    return rv;
}

static apr_status_t derive_keys(void)
{
    static const unsigned char secret[UA_DIGEST_BYTES] = {1};
    ua_keys_t *keys = NULL;
    apr_status_t rv = ua_keys_derive(&keys, pool, secret);

    assert_int_equal(rv == APR_SUCCESS, keys != NULL);
    return rv;
}

/* Each call of these kinds fails once, alone; then it works. How many there were. */
static int play_all(apr_status_t (*act)(void), int kinds)
{
    int failed = 1;
    int n = 0;

    for (; failed && n < MOST_CALLS; n++) {
        apr_status_t rv = APR_SUCCESS;

        faults_off();
        faults_add((fault_t){.kinds = kinds, .skip = n, .times = 1});
        rv = act();
        failed = faults.failed;
        faults_off();
        assert_int_equal(rv, failed ? APR_EGENERAL : APR_SUCCESS);
    }
    return n - 1;
}

/* Runs first: nothing works before the algorithms are there, and a start that failed may be tried again. */
static void nothing_without_a_start(void **state)
{
    (void)state;
    assert_int_equal(digest(), APR_EGENERAL);
    assert_int_equal(code(), APR_EGENERAL);
    for (int n = 0; n < 3; n++) { /* the first call of what is left: digest, code, key */
        faults_off();
        faults_add((fault_t){.kinds = FAULT_MAKE, .skip = n > 0, .times = 3});
        assert_int_equal(ua_crypto_init(), APR_EGENERAL);
        assert_int_equal(code(), APR_EGENERAL);
    }
    faults_off();
    assert_int_equal(ua_crypto_init(), APR_SUCCESS);
    assert_int_equal(digest(), APR_SUCCESS);
    assert_int_equal(code(), APR_SUCCESS);
}

static void what_fails_gives_nothing(void **state)
{
    (void)state;
    assert_int_equal(play_all(digest, EACH_CALL), 3);
    assert_in_range(play_all(code, EACH_CALL), 4, 8);
    assert_in_range(play_all(begin_to_draw, EACH_CALL), 5, 20);
    assert_in_range(play_all(draw, EACH_CALL), 4, 8);
    assert_in_range(play_all(derive_keys, EACH_CALL), 28, 60);
}

/* What a new thread does; no assertions there: they work on the first thread only. */
static void *act_in_thread(void *data)
{
    unsigned char out[UA_DIGEST_BYTES];
    apr_status_t *rv = data;

    *rv = ua_sha256(out, "abc", 3);
    return NULL;
}

static apr_status_t in_a_new_thread(void)
{
    apr_status_t rv = APR_SUCCESS;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, act_in_thread, &rv), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return rv;
}

/* A thread's contexts are all there or none is; LeakSanitizer sees what would stay behind. */
static void a_thread_without_memory(void **state)
{
    (void)state;
    assert_in_range(play_all(in_a_new_thread, FAULT_MAKE), 5, 50);
}

static int setup(void **state)
{
    (void)state;
    return apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_without_a_start),
        cmocka_unit_test(what_fails_gives_nothing),
        cmocka_unit_test(a_thread_without_memory),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
