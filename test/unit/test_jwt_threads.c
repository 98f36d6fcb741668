/* test_jwt_threads.c: threads that sign, verify and list over a change of keys, and cjose's counts meanwhile.
 *
 * cjose counts a key's holders in a plain int. The two functions that count stand here in front of the
 * library's own, and tell when two threads are in them at once; a key freed in use is AddressSanitizer's to find.
 */
#include "jwt_forge.h"

#include <cjose/jwk.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>

#define THREADS 4
#define ROUNDS  150
#define START   ((PERIOD + 1) * DAY) /* of the period that comes */

typedef cjose_jwk_t *(*retain_t)(cjose_jwk_t *jwk, cjose_err *err);
typedef bool (*release_t)(cjose_jwk_t *jwk);

static int counting; /* threads that count now */
static int clashes;  /* times that more than one did */
static int
    held; /* holders now: retained and not released, with the one of each creation taken off */

static void enter(void)
{
    if (__atomic_add_fetch(&counting, 1, __ATOMIC_SEQ_CST) > 1) {
        __atomic_add_fetch(&clashes, 1, __ATOMIC_SEQ_CST);
    }
    sched_yield(); /* so that whoever may come in, does */
}

static void leave(void)
{
    __atomic_sub_fetch(&counting, 1, __ATOMIC_SEQ_CST);
}

cjose_jwk_t *cjose_jwk_retain(cjose_jwk_t *jwk, cjose_err *err)
{
    retain_t real = NULL;
    cjose_jwk_t *same = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "cjose_jwk_retain");
    enter();
    same = real(jwk, err);
    leave();
    __atomic_add_fetch(&held, 1, __ATOMIC_SEQ_CST);
    return same;
}

bool cjose_jwk_release(cjose_jwk_t *jwk)
{
    release_t real = NULL;
    bool rest = false;

    *(void **)&real = dlsym(RTLD_NEXT, "cjose_jwk_release");
    if (!jwk) {
        return false;
    }
    enter();
    rest = real(jwk);
    leave();
    __atomic_sub_fetch(&held, 1, __ATOMIC_SEQ_CST);
    return rest;
}

/* One request at `now`; 1 when all went as it should. */
static int one_round(apr_pool_t *own, const char *given, apr_time_t now)
{
    const ua_jwt_wanted_t then = {ISSUER, AUDIENCE, now};
    const ua_jwt_t token = a_token(now);
    ua_jwt_t read = {0};
    const char *text = NULL;
    json_t *set = NULL;

    return ua_jwt_sign(&text, own, keys, &token) == APR_SUCCESS &&
           ua_jwt_verify(&read, own, keys, text, &then) == APR_SUCCESS &&
           ua_jwt_verify(&read, own, keys, given, &then) == APR_SUCCESS &&
           strcmp(read.username, "alice") == 0 &&
           ua_jwt_set(&set, own, keys, now) == APR_SUCCESS &&
           json_array_size(json_object_get(set, "keys")) == (now < START ? 2 : 3);
}

typedef struct worker_t {
    pthread_t thread;
    apr_pool_t *pool;
    const char *given; /* a token of the period before */
    int good;
} worker_t;

static void *work(void *data)
{
    worker_t *worker = data;

    for (int i = 0; i < ROUNDS; i++) {
        apr_pool_t *own = NULL;

        if (apr_pool_create(&own, worker->pool) != APR_SUCCESS) {
            return NULL;
        }
        worker->good +=
            one_round(own, worker->given, START + apr_time_from_sec(i - ROUNDS / 2));
        apr_pool_destroy(own);
    }
    return NULL;
}

static void over_a_change_of_keys(void **state)
{
    const ua_jwt_t token = a_token(START - apr_time_from_sec(100));
    worker_t workers[THREADS] = {{0}};
    const char *given = NULL;
    int rest = 0;

    (void)state;
    assert_int_equal(ua_jwt_sign(&given, pool, keys, &token), APR_SUCCESS);
    rest = held;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(apr_pool_create_unmanaged_ex(&workers[i].pool, NULL, NULL),
                         APR_SUCCESS);
        workers[i].given = given;
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        apr_pool_destroy(workers[i].pool);
        assert_int_equal(workers[i].good, ROUNDS);
    }
    assert_int_equal(clashes, 0);
    assert_int_equal(held, rest); /* whoever took a key gave it back */
}

/* At the end of a process its pools go in any order. */
static void a_request_outlives_the_keys(void **state)
{
    apr_pool_t *own = NULL;
    ua_jwt_keys_t *site = NULL;
    const ua_jwt_t token = a_token(NOW);
    const char *text = NULL;
    int rest = held;

    (void)state;
    assert_int_equal(apr_pool_create(&own, pool), APR_SUCCESS);
    assert_int_equal(ua_jwt_keys_create(&site, own, secret, DAY), APR_SUCCESS);
    assert_int_equal(ua_jwt_sign(&text, pool, site, &token), APR_SUCCESS);
    assert_int_equal(held, rest + 1);
    apr_pool_destroy(own);
    assert_int_equal(held, rest); /* the creation's; `pool` still has one */
    assert_int_equal(verify(text), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_a_change_of_keys),
        cmocka_unit_test(a_request_outlives_the_keys),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
