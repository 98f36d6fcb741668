/* test_session_cache.c: what a process remembers of sessions, and when it has to ask again.
 *
 * Cases: SESS (an ended session is refused at once), CLK-01, RACE-07 (a change while a session is read).
 */
#include "remembered.h"

#include <pthread.h>

static void a_session_is_remembered_for_two_seconds(void **state)
{
    ua_test_t *t = remembered_open(NULL);

    (void)state;
    assert_false(remembered_asks(t));
    assert_string_equal(t->req->session->username, "alice");
    assert_string_equal(t->req->session->email, "alice@example.org");
    assert_string_equal(t->req->session->amr, "pwd");
    t->now += apr_time_from_sec(2) - 1;
    assert_false(remembered_asks(t));
    t->now++;
    assert_true(remembered_asks(t));
    ua_test_close(t);
}

static void another_time_by_directive(void **state)
{
    ua_test_t *t = remembered_open("UserAuthSessionCacheTTL 5s");

    (void)state;
    ua_test_clock(t, 4);
    assert_false(remembered_asks(t));
    ua_test_clock(t, 1);
    assert_true(remembered_asks(t));
    ua_test_close(t);
    t = remembered_open("UserAuthSessionCacheTTL 0");
    assert_true(remembered_asks(t));
    ua_test_close(t);
}

/* A clock that goes back (CLK-01) makes nothing live longer. */
static void a_clock_that_goes_back(void **state)
{
    ua_test_t *t = remembered_open(NULL);

    (void)state;
    t->now--;
    assert_true(remembered_asks(t));
    ua_test_close(t);
}

/* No connection, and so no system call for it: the table is gone, and the gate does not notice. */
static void no_database_is_asked(void **state)
{
    ua_test_t *t = remembered_open(NULL);

    (void)state;
    ua_test_elsewhere(t, "ALTER TABLE session RENAME TO gone");
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_test_clock(t, 2);
    ua_test_expect(t, "UA0102");
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 503);
    ua_test_elsewhere(t, "ALTER TABLE gone RENAME TO session");
    ua_test_close(t);
}

/* ---- what is not remembered ---- */

static ua_session_t *read_session(ua_test_t *t, ua_ctx_t *ctx)
{
    ua_session_t *session = NULL;

    assert_int_equal(ua_session_read(&session, ctx, ua_test_cookie(t, "")), APR_SUCCESS);
    return session;
}

static apr_status_t find(ua_session_key_t *key, ua_test_t *t, ua_ctx_t *ctx, const char *secret)
{
    ua_session_t *session = NULL;

    ua_session_key_secret(key, t->app->sessions, UA_CREDENTIAL_COOKIE, secret);
    return ua_session_cache_find(&session, t->app->sessions, ctx, key);
}

/* Another process changes the account after the row was read, and before it is remembered. */
static void a_change_while_it_is_read(void **state)
{
    ua_test_t *t = remembered_open(NULL);
    ua_ctx_t *ctx = ua_test_context(t);
    ua_session_t *session = read_session(t, ctx);
    ua_session_key_t key;

    (void)state;
    assert_int_equal(find(&key, t, ctx, "a secret"), APR_NOTFOUND);
    ua_session_cache_keep(t->app->sessions, ctx, &key, session, session->expires);
    assert_int_equal(find(&key, t, ctx, "a secret"), APR_SUCCESS);
    assert_int_equal(find(&key, t, ctx, "another"), APR_NOTFOUND);
    ua_generation_change(ctx, session->account_id);
    ua_generation_publish(ctx);
    ua_session_cache_keep(t->app->sessions, ctx, &key, session, session->expires);
    assert_int_equal(find(&key, t, ctx, "another"), APR_NOTFOUND);
    ua_db_release(ctx);
    ua_test_close(t);
}

/* A cookie's secret is no access token, although the table holds it. */
static void a_cookie_is_no_token(void **state)
{
    ua_test_t *t = remembered_open(NULL);
    const char *cookie = ua_test_cookie(t, "");

    (void)state;
    ua_test_header(t, "Cookie", "none=1");
    ua_test_header(t, "Authorization", apr_pstrcat(t->pool, "Bearer ", cookie, NULL));
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 401);
    ua_test_close(t);
}

/* Shortly before a session ends of idleness each use is written. */
static void sessions_that_end_soon(void **state)
{
    ua_test_t *t = remembered_open("UserAuthSessionIdle 12s");

    (void)state;
    assert_true(remembered_asks(t));
    ua_test_close(t);
    t = remembered_open("UserAuthSessionLifetime 12s");
    assert_true(remembered_asks(t));
    ua_test_close(t);
}

static void texts_that_are_too_long(void **state)
{
    ua_test_t *t = remembered_open(NULL);
    ua_ctx_t *ctx = ua_test_context(t);
    ua_session_t session = *read_session(t, ctx);
    ua_session_key_t key;
    char *text = apr_pcalloc(ctx->pool, 2000);

    (void)state;
    memset(text, 'x', 254 + 256 + 32); /* the longest address, display name, username */
    session.username = session.email = "";
    session.display_name = text;
    assert_int_equal(find(&key, t, ctx, "long"), APR_NOTFOUND);
    ua_session_cache_keep(t->app->sessions, ctx, &key, &session, session.expires);
    assert_int_equal(find(&key, t, ctx, "long"), APR_SUCCESS);
    memset(text, 'x', 1000);
    assert_int_equal(find(&key, t, ctx, "too long"), APR_NOTFOUND);
    ua_session_cache_keep(t->app->sessions, ctx, &key, &session, session.expires);
    assert_int_equal(find(&key, t, ctx, "too long"), APR_NOTFOUND);
    ua_db_release(ctx);
    ua_test_close(t);
}

/* ---- access tokens ---- */

static void a_token_is_remembered(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    assert_int_equal(api_gated(t, api.access), 0);
    ua_test_elsewhere(t, "UPDATE session SET ended = 1");
    assert_int_equal(api_gated(t, api.access), 0);
    assert_int_equal(t->req->bearer, UA_BEARER_GOOD);
    ua_test_clock(t, 2);
    assert_no_good(t, api_gated(t, api.access));
    ua_test_close(t);
}

/* Not beyond its own end, and beyond the cookie's. */
static void a_token_ends_in_time(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, "UserAuthSessionLifetime 60s");

    (void)state;
    ua_test_clock(t, 299);
    assert_int_equal(api_gated(t, api.access), 0);
    ua_test_elsewhere(t, "UPDATE account SET display_name = '" REMEMBERED_NEWS "'");
    assert_int_equal(api_gated(t, api.access), 0);
    assert_string_not_equal(t->req->session->display_name, REMEMBERED_NEWS);
    ua_test_clock(t, 1);
    assert_no_good(t, api_gated(t, api.access));
    ua_test_close(t);
}

/* A wrong guess at a name forgets what was right: the second guess finds nothing to tell it by. */
static void another_password_forgets_the_name(void **state)
{
    static const char *const tries[] = {"right", "wrong", "right"};
    static const apr_status_t expected[] = {APR_SUCCESS, APR_NOTFOUND, APR_NOTFOUND};
    ua_test_t *t = remembered_open(NULL);
    ua_ctx_t *ctx = ua_test_context(t);
    ua_session_t *session = read_session(t, ctx);
    ua_session_key_t key;

    (void)state;
    ua_session_key_password(&key, t->app->sessions, UA_CREDENTIAL_BASIC, "alice", "right");
    ua_session_cache_keep(t->app->sessions, ctx, &key, session, session->expires);
    ua_session_key_password(&key, t->app->sessions, UA_CREDENTIAL_BASIC, "bob", "wrong");
    assert_int_equal(ua_session_cache_find(&session, t->app->sessions, ctx, &key),
                     APR_NOTFOUND);
    for (size_t i = 0; i < COUNT(tries); i++) {
        ua_session_key_password(&key, t->app->sessions, UA_CREDENTIAL_BASIC, "alice", tries[i]);
        assert_int_equal(ua_session_cache_find(&session, t->app->sessions, ctx, &key),
                         expected[i]);
    }
    ua_db_release(ctx);
    ua_test_close(t);
}

/* ---- many, and at once ---- */

static const char *number(ua_ctx_t *ctx, int i)
{
    return apr_psprintf(ctx->pool, "secret %d", i);
}

static void the_table_is_bounded(void **state)
{
    ua_test_t *t = remembered_open(NULL);
    ua_ctx_t *ctx = ua_test_context(t);
    ua_session_t *session = read_session(t, ctx);
    ua_session_key_t key;
    int held = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        ctx->now++;
        assert_int_equal(find(&key, t, ctx, number(ctx, i)), APR_NOTFOUND);
        ua_session_cache_keep(t->app->sessions, ctx, &key, session, session->expires);
        assert_int_equal(find(&key, t, ctx, number(ctx, i)), APR_SUCCESS); /* the newest is */
    }
    for (int i = 0; i < 20000; i++) {
        held += find(&key, t, ctx, number(ctx, i)) == APR_SUCCESS;
    }
    assert_in_range(held, 4000,
                    4096); /* in one run of 200 chance leaves a set with a place free */
    ua_db_release(ctx);
    ua_test_close(t);
}

typedef struct worker_t {
    ua_test_t *t;
    ua_ctx_t *ctx;
    const ua_session_t *session;
    int number;
    int found;
} worker_t;

/* All write the same few entries, each with texts of its own that agree with each other. */
static void *work(void *data)
{
    static char torn[] = "torn";
    worker_t *w = data;
    ua_session_t *session = NULL;
    ua_session_t own = *w->session;
    ua_session_key_t key;

    own.username = own.email = own.display_name =
        apr_psprintf(w->ctx->pool, "%0*d", 10 + 20 * w->number, w->number);
    for (int i = 0; i < 20000; i++) {
        apr_status_t rv = APR_NOTFOUND;

        ua_session_key_secret(&key, w->t->app->sessions, UA_CREDENTIAL_COOKIE,
                              i % 2 ? "one" : "two");
        rv = ua_session_cache_find(&session, w->t->app->sessions, w->ctx, &key);
        if (rv == APR_SUCCESS && (strcmp(session->username, session->email) != 0 ||
                                  strcmp(session->email, session->display_name) != 0)) {
            return torn;
        }
        w->found += rv == APR_SUCCESS;
        ua_session_cache_keep(w->t->app->sessions, w->ctx, &key, &own, own.expires);
        if (i % 100 == 0) {
            apr_pool_clear(w->ctx->pool); /* own's texts are gone: made again */
            own.username = own.email = own.display_name =
                apr_psprintf(w->ctx->pool, "%0*d", 10 + 20 * w->number, w->number);
        }
    }
    return NULL;
}

static void threads_never_see_half_an_entry(void **state)
{
    ua_test_t *t = remembered_open(NULL);
    ua_ctx_t *ctx = ua_test_context(t);
    ua_session_t *session = read_session(t, ctx);
    worker_t workers[4];
    pthread_t threads[COUNT(workers)];

    (void)state;
    for (size_t i = 0; i < COUNT(workers); i++) {
        ua_ctx_t *own = apr_pmemdup(ctx->pool, ctx, sizeof *ctx);

        assert_int_equal(apr_pool_create_unmanaged(&own->pool), APR_SUCCESS);
        workers[i] = (worker_t){t, own, session, (int)i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < COUNT(workers); i++) {
        void *wrong = NULL;

        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
        assert_true(workers[i].found > 0);
        apr_pool_destroy(workers[i].ctx->pool);
    }
    ua_db_release(ctx);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_remembered_for_two_seconds),
        cmocka_unit_test(another_time_by_directive),
        cmocka_unit_test(a_clock_that_goes_back),
        cmocka_unit_test(no_database_is_asked),
        cmocka_unit_test(a_change_while_it_is_read),
        cmocka_unit_test(a_cookie_is_no_token),
        cmocka_unit_test(sessions_that_end_soon),
        cmocka_unit_test(texts_that_are_too_long),
        cmocka_unit_test(a_token_is_remembered),
        cmocka_unit_test(a_token_ends_in_time),
        cmocka_unit_test(another_password_forgets_the_name),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(threads_never_see_half_an_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
