/* test_jwt_faults.c: tokens while OpenSSL, cjose, jansson or a lock fails, and candidates for a key that are none.
 *
 * A token that can't be checked is refused, and one that can't be signed is none; the next try works. Cases:
 * INV-7, JWT-05.
 */
#include "crypto_faults.h"
#include "jwt_forge.h"

#include <cjose/cjose.h>
#include <stdio.h>

#define FAULT_OTHER 128
#define FAULT_EACH  (FAULT_CRYPTO | FAULT_CRYPTO_REST | FAULT_OTHER)
#define MOST_CALLS  500

static int other_fails(void)
{
    int done = 0;

    return fault_of(FAULT_OTHER, &done) != 0;
}

/* ---- the libraries' functions, which pass on what no rule stops ---- */

static unsigned char private_number[32]; /* of the key that was made last */

cjose_jwk_t *cjose_jwk_create_EC_spec(const cjose_jwk_ec_keyspec *spec, cjose_err *err)
{
    cjose_jwk_t *(*real)(const cjose_jwk_ec_keyspec *, cjose_err *) = NULL;

    FIND_REAL(real, "cjose_jwk_create_EC_spec");
    memcpy(private_number, spec->d, sizeof private_number);
    return other_fails() ? NULL : real(spec, err);
}

char *cjose_jwk_to_json(const cjose_jwk_t *jwk, bool private, cjose_err *err)
{
    char *(*real)(const cjose_jwk_t *, bool, cjose_err *) = NULL;

    FIND_REAL(real, "cjose_jwk_to_json");
    return other_fails() ? NULL : real(jwk, private, err);
}

bool cjose_jwk_set_kid(cjose_jwk_t *jwk, const char *kid, size_t length, cjose_err *err)
{
    bool (*real)(cjose_jwk_t *, const char *, size_t, cjose_err *) = NULL;

    FIND_REAL(real, "cjose_jwk_set_kid");
    return other_fails() ? false : real(jwk, kid, length, err);
}

cjose_jws_t *cjose_jws_sign(const cjose_jwk_t *jwk, cjose_header_t *header,
                            const uint8_t *plaintext, size_t length, cjose_err *err)
{
    cjose_jws_t *(*real)(const cjose_jwk_t *, cjose_header_t *, const uint8_t *, size_t,
                         cjose_err *) = NULL;

    FIND_REAL(real, "cjose_jws_sign");
    return other_fails() ? NULL : real(jwk, header, plaintext, length, err);
}

bool cjose_jws_export(cjose_jws_t *jws, const char **compact, cjose_err *err)
{
    bool (*real)(cjose_jws_t *, const char **, cjose_err *) = NULL;

    FIND_REAL(real, "cjose_jws_export");
    return other_fails() ? false : real(jws, compact, err);
}

cjose_jws_t *cjose_jws_import(const char *compact, size_t length, cjose_err *err)
{
    cjose_jws_t *(*real)(const char *, size_t, cjose_err *) = NULL;

    FIND_REAL(real, "cjose_jws_import");
    return other_fails() ? NULL : real(compact, length, err);
}

bool cjose_jws_verify(cjose_jws_t *jws, const cjose_jwk_t *jwk, cjose_err *err)
{
    bool (*real)(cjose_jws_t *, const cjose_jwk_t *, cjose_err *) = NULL;

    FIND_REAL(real, "cjose_jws_verify");
    return other_fails() ? false : real(jws, jwk, err);
}

apr_status_t apr_thread_mutex_create(apr_thread_mutex_t **mutex, unsigned int flags,
                                     apr_pool_t *parent)
{
    apr_status_t (*real)(apr_thread_mutex_t **, unsigned int, apr_pool_t *) = NULL;

    FIND_REAL(real, "apr_thread_mutex_create");
    return other_fails() ? APR_ENOMEM : real(mutex, flags, parent);
}

apr_status_t apr_thread_mutex_lock(apr_thread_mutex_t *mutex)
{
    apr_status_t (*real)(apr_thread_mutex_t *) = NULL;

    FIND_REAL(real, "apr_thread_mutex_lock");
    return other_fails() ? APR_EINVAL : real(mutex);
}

/* ---- each call fails ---- */

/* Does one thing with keys that nothing was derived of yet; 1 when it worked. */
typedef int act_f(apr_pool_t *own, const char *token);

static ua_jwt_keys_t *keys_of(apr_pool_t *own)
{
    ua_jwt_keys_t *made = NULL;
    apr_status_t rv = ua_jwt_keys_create(&made, own, secret, DAY);

    assert_int_equal(rv == APR_SUCCESS, made != NULL);
    return made;
}

static int sign(apr_pool_t *own, const char *token)
{
    const ua_jwt_t asked = a_token(NOW);
    ua_jwt_keys_t *site = keys_of(own);
    const char *text = "untouched";
    int good = site && ua_jwt_sign(&text, own, site, &asked) == APR_SUCCESS;

    (void)token;
    assert_int_equal(strcmp(text, "untouched") == 0, !good);
    return good;
}

static int check(apr_pool_t *own, const char *token)
{
    ua_jwt_keys_t *site = keys_of(own);
    ua_jwt_t found = {.issuer = "untouched"};
    int good = site && ua_jwt_verify(&found, own, site, token, &wanted) == APR_SUCCESS;

    assert_int_equal(strcmp(found.issuer, "untouched") == 0, !good);
    return good;
}

static int show_keys(apr_pool_t *own, const char *token)
{
    ua_jwt_keys_t *site = keys_of(own);
    json_t *set = NULL;
    int good = site && ua_jwt_set(&set, own, site, NOW) == APR_SUCCESS;

    (void)token;
    assert_int_equal(set != NULL, good);
    return good;
}

/* How many calls there are; each of them fails once, alone. */
static int play_all(act_f *act, const char *token)
{
    int failed = 1;
    int n = 0;

    for (; failed && n < MOST_CALLS; n++) {
        apr_pool_t *own = NULL;
        int worked = 0;

        assert_int_equal(apr_pool_create(&own, pool), APR_SUCCESS);
        faults_add((fault_t){.kinds = FAULT_EACH, .skip = n, .times = 1});
        worked = act(own, token);
        failed = faults.failed;
        faults_off();
        assert_int_equal(worked, !failed);
        apr_pool_destroy(own);
    }
    return n - 1;
}

static void what_fails_is_no_token(void **state)
{
    const char *token = sign_at(keys, NOW);

    (void)state;
    assert_in_range(play_all(sign, NULL), 10, MOST_CALLS - 2);
    assert_in_range(play_all(check, token), 10, MOST_CALLS - 2);
    assert_in_range(play_all(show_keys, NULL), 10, MOST_CALLS - 2);
}

/* A failure is no answer that lasts: the same keys work when the fault is over. */
static void the_next_try_works(void **state)
{
    const char *token = sign_at(keys, NOW);

    (void)state;
    for (int n = 0; n < 12; n++) {
        ua_jwt_keys_t *site = keys_of(pool);
        ua_jwt_t found;

        faults_add((fault_t){.kinds = FAULT_EACH, .skip = n, .times = 1});
        assert_int_not_equal(ua_jwt_verify(&found, pool, site, token, &wanted), APR_SUCCESS);
        faults_off();
        assert_int_equal(ua_jwt_verify(&found, pool, site, token, &wanted), APR_SUCCESS);
    }
}

/* ---- candidates for a private number ---- */

/* The order of P-256 (FIPS 186-4, D.1.2.3). */
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

static void candidate(const char *hex)
{
    unsigned char *bytes = crypto_made.codes[crypto_made.count++];

    for (int i = 0; i < 32; i++) {
        unsigned int byte = 0;

        assert_int_equal(sscanf(hex + (ptrdiff_t)2 * i, "%2x", &byte), 1);
        bytes[i] = (unsigned char)byte;
    }
}

#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE  "0000000000000000000000000000000000000000000000000000000000000001"
#define ONES "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define LAST "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"

/* SEC 1, 3.2.1: a private number is above zero and below the order; the first that is, is taken. */
static void a_private_number_is_in_range(void **state)
{
    static const struct {
        const char *candidates[8];
        int taken; /* the row's number, or -1 */
    } rows[] = {
        {{ONE, LAST}, 0},
        {{LAST, ONE}, 0},
        {{ZERO, ONE}, 1},
        {{ORDER, LAST}, 1},
        {{ONES, ZERO, ORDER, ONES, ZERO, ORDER, ONES, LAST}, 7},
        {{ONES, ZERO, ORDER, ONES, ZERO, ORDER, ONES, ZERO}, -1},
    };

    const ua_jwt_t asked = a_token(NOW);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ua_jwt_keys_t *site = keys_of(pool);
        const char *text = NULL;

        memset(&crypto_made, 0, sizeof crypto_made);
        memset(private_number, 0, sizeof private_number);
        for (size_t n = 0; n < COUNT(rows[i].candidates) && rows[i].candidates[n]; n++) {
            candidate(rows[i].candidates[n]);
        }
        assert_int_equal(ua_jwt_sign(&text, pool, site, &asked),
                         rows[i].taken >= 0 ? APR_SUCCESS : APR_EGENERAL);
        assert_int_equal(text != NULL, rows[i].taken >= 0);
        if (rows[i].taken >= 0) {
            assert_int_equal(crypto_made.used, rows[i].taken + 1);
            assert_memory_equal(private_number, crypto_made.codes[rows[i].taken], 32);
        }
    }
    memset(&crypto_made, 0, sizeof crypto_made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_is_no_token),
        cmocka_unit_test(the_next_try_works),
        cmocka_unit_test(a_private_number_is_in_range),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
