/* test_session_faults.c: sessions while the database or OpenSSL fails.
 *
 * No session starts, goes on or is taken for ended unless the machine could tell. Case: INV-7.
 */
#include "failing_calls.h"
#include "domain/session.h"

/* A member with as many sessions as are allowed; the cookie of the newest. */
typedef struct signed_in_t {
    const char *account_id;
    const char *cookie;
    ua_session_t *session;
} signed_in_t;

static signed_in_t sign_in(ua_test_t *t)
{
    ua_ctx_t *ctx = ua_test_context(t);
    signed_in_t who = {.account_id = apr_pstrdup(t->pool, site_member(ctx, "mike"))};
    apr_int64_t age = 0;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(ua_session_start(&who.cookie, &age, ctx, who.account_id, 0),
                         APR_SUCCESS);
    }
    assert_int_equal(ua_session_read(&who.session, ctx, who.cookie), APR_SUCCESS);
    ua_db_release(ctx);
    return who;
}

/* What a function that makes a cookie left of its outputs. */
static apr_status_t judge_cookie(apr_status_t rv, const char *cookie, apr_int64_t age)
{
    assert_int_equal(rv == APR_SUCCESS, strlen(cookie) == UA_DIGEST_TEXT);
    assert_true(rv == APR_SUCCESS || (strcmp(cookie, "untouched") == 0 && age == -1));
    return rv;
}

static apr_status_t start(ua_ctx_t *ctx, void *data)
{
    const signed_in_t *who = data;
    const char *cookie = "untouched";
    apr_int64_t age = -1;
    apr_status_t rv = ua_session_start(&cookie, &age, ctx, who->account_id, 0);

    return judge_cookie(rv, cookie, age);
}

static apr_status_t renew(ua_ctx_t *ctx, void *data)
{
    const signed_in_t *who = data;
    const char *cookie = "untouched";
    apr_int64_t age = -1;
    apr_status_t rv = ua_session_renew(&cookie, &age, ctx, who->session, who->cookie);

    return judge_cookie(rv, cookie, age);
}

static apr_status_t read_cookie(ua_ctx_t *ctx, void *data)
{
    const signed_in_t *who = data;
    ua_session_t *session = NULL;
    apr_status_t rv = ua_session_read(&session, ctx, who->cookie);

    assert_int_equal(rv == APR_SUCCESS, session != NULL);
    return rv;
}

static apr_status_t find_owner(ua_ctx_t *ctx, void *data)
{
    const signed_in_t *who = data;
    const char *id = "untouched";
    apr_status_t rv = ua_session_owner(&id, ctx, who->cookie);

    assert_string_equal(id, rv == APR_SUCCESS ? who->account_id : "untouched");
    return rv;
}

static apr_status_t end(ua_ctx_t *ctx, void *data)
{
    const signed_in_t *who = data;

    return ua_session_end(ctx, who->cookie);
}

static void what_fails_is_said(void **state)
{
    static failing_act_f *const acts[] = {start, renew, read_cookie, find_owner, end};
    ua_test_t *t = ua_test_open("UserAuthSessionLimit 2", NULL);
    signed_in_t who = sign_in(t);

    (void)state;
    for (size_t i = 0; i < COUNT(acts); i++) {
        each_call_fails(t, acts[i], &who);
    }
    /* All of it was rolled back. */
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 2);
    ua_test_close(t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
