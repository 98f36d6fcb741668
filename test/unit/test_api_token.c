/* test_api_token.c: /auth/token: another access token for a refresh token, or for a browser's session. */
#include "api_client.h"

#define DAY ((apr_int64_t)24 * 3600)

static int live_sessions(ua_test_t *t)
{
    return (int)ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0");
}

static void new_tokens_for_a_refresh_token(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    const char *refresh = NULL;
    const char *access = NULL;

    (void)state;
    ua_test_clock(t, 300);
    assert_int_equal(api_gated(t, api.access), 401); /* its five minutes are over */
    assert_status(t, api_renew(t, api.refresh), 200);
    refresh = api_kept(t, "refresh_token");
    access = api_kept(t, "access_token");
    assert_string_not_equal(refresh, api.refresh);
    assert_value(t, "token_type", "Bearer");
    assert_value(t, "expires_in", "300");
    assert_value(t, "message", "Here are new tokens.");
    assert_int_equal(t->res->cookies->nelts, 0);
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"), "no-store");
    assert_int_equal(api_gated(t, access), 0);
    assert_string_equal(t->req->session->id, api.session_id);
    assert_status(t, ua_test_post(t, "/auth/token", "refresh_token", refresh, NULL), 200);
    assert_string_not_equal(ua_test_value(t, "refresh_token"), refresh);
    ua_test_close(t);
}

/* Contract 5: the cookie obeys its own limits, the refresh token its own. */
static void outlives_the_cookie(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    const char *access = NULL;
    const char *refresh = NULL;

    (void)state;
    ua_test_clock(t, 2 * DAY);
    assert_status(t, api_renew(t, api.refresh), 200);
    access = api_kept(t, "access_token");
    refresh = api_kept(t, "refresh_token");
    assert_int_equal(api_gated(t, access), 0);
    ua_jobs_sweep(t->jobs, t->now); /* its use is noted, and does not revive the cookie */
    apr_table_set(t->jar, "userauth", api.cookie);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    api_carry(t, access, NULL);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0); /* a dead cookie is none */
    assert_null(t->req->session_cookie);
    ua_test_clock(t, 14 * DAY);
    assert_no_good(t, api_renew(t, refresh));
    ua_test_close(t);
}

/* JWT-10: it may be in two hands, so neither keeps it; the refusal is committed. */
static void a_reused_token_ends_the_session(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    const char *refresh = NULL;
    const char *access = NULL;

    (void)state;
    assert_status(t, api_renew(t, api.refresh), 200);
    refresh = api_kept(t, "refresh_token");
    access = api_kept(t, "access_token");
    ua_test_clock(t, 10);
    assert_no_good(t, api_renew(t, api.refresh));
    assert_value(t, "code", "login_required");
    assert_int_equal(live_sessions(t), 0);
    assert_int_equal(ua_test_events(t, "\"event\":\"refresh_reused\""), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event WHERE kind = "
                                      "'refresh_reused' AND account_id <> ''"),
                     1);
    assert_int_equal(api_gated(t, access), 401);
    assert_no_good(t, api_renew(t, refresh));
    assert_no_good(t, api_renew(t, api.refresh));
    assert_int_equal(ua_test_events(t, "refresh_reused"), 1); /* said once */
    ua_test_close(t);
}

static void a_lost_answer_is_given_again(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    const char *refresh = NULL;

    (void)state;
    assert_status(t, api_renew(t, api.refresh), 200);
    refresh = api_kept(t, "refresh_token");
    ua_test_clock(t, 9);
    assert_status(t, api_renew(t, api.refresh), 200);
    assert_value(t, "refresh_token", refresh);
    assert_status(t, api_renew(t, refresh), 200);
    assert_no_good(t, api_renew(t, api.refresh)); /* now the successor was used */
    assert_int_equal(live_sessions(t), 0);
    ua_test_close(t);
}

/* JWT-08 */
static void nothing_else_is_a_refresh_token(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    const char *wrong[] = {api.access, api.cookie,    api.session_id, "x",
                           "0",        "' OR '1'='1", "AAAAAAAAAA",   NULL};

    (void)state;
    wrong[7] = apr_pstrdup(t->pool, ua_test_scalar(t, "SELECT digest FROM refresh"));
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_no_good(t, api_renew(t, wrong[i]));
        assert_false(ua_test_shows(t, wrong[i]) && strlen(wrong[i]) > 3);
    }
    assert_status(t, api_renew(t, api.refresh), 200);
    ua_test_close(t);
}

/* Contract 8: failed token checks 30/5m per client address. */
static void guesses_are_counted(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    for (int i = 0; i < 30; i++) {
        assert_no_good(t, api_renew(t, "x"));
    }
    assert_status(t, api_renew(t, "x"), 429);
    assert_true(*ua_test_reply_header(t, "Retry-After") != '\0');
    t->address = "198.51.100.9";
    assert_status(t, api_renew(t, api.refresh), 200);
    ua_test_close(t);
}

/* Contract 5: same-origin JSON with the session cookie, nothing. */
static void an_access_token_for_the_cookie(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    apr_table_set(t->jar, "userauth", api.cookie);
    ua_test_header(t, "Sec-Fetch-Site", "same-origin");
    assert_status(t, ua_test_post_json(t, "/auth/token", "{}"), 200);
    assert_value(t, "refresh_token", "");
    assert_int_equal(api_gated(t, api_kept(t, "access_token")), 0);
    assert_status(t, ua_test_post_json(t, "/auth/token", "{\"refresh_token\":\"\"}"), 200);
    ua_test_header(t, "Sec-Fetch-Site", "cross-site");
    assert_status(t, ua_test_post_json(t, "/auth/token", "{}"), 403);
    ua_test_header(t, "Origin", "http://evil.example");
    assert_status(t, ua_test_post_json(t, "/auth/token", "{}"), 403);
    assert_status(t, ua_test_post(t, "/auth/token", NULL), 403); /* a form needs its field … */
    assert_status(t, ua_test_submit(t, "/auth/token", NULL), 401); /* … and is no JSON */
    ua_test_close(t);
}

static void nothing_without_a_session(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    apr_int64_t hits = ua_test_count(t, "SELECT SUM(hits) FROM throttle");

    (void)state;
    assert_status(t, ua_test_post_json(t, "/auth/token", "{}"), 401);
    assert_string_equal(ua_test_reply_header(t, "WWW-Authenticate"), "Bearer");
    assert_value(t, "code", "login_required");
    assert_status(t, ua_test_post(t, "/auth/token", NULL), 401);
    api_carry(t, api.access, NULL); /* does not prolong itself … */
    assert_status(t, ua_test_post_json(t, "/auth/token", "{}"), 401);
    ua_test_clock(t, 2 * DAY); /* … nor with a cookie whose time is over */
    assert_status(t, api_renew(t, api.refresh), 200);
    api_carry(t, api_kept(t, "access_token"), api.cookie);
    assert_status(t, ua_test_post_json(t, "/auth/token", "{}"), 401);
    assert_int_equal(ua_test_count(t, "SELECT SUM(hits) FROM throttle"), hits);
    ua_test_close(t);
}

/* A client that sends its old access token along is not kept from renewing it. */
static void an_expired_access_token_beside_it(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    ua_test_clock(t, 300);
    api_carry(t, api.access, NULL);
    assert_status(t, api_renew(t, api.refresh), 200);
    api_carry(t, api.access, api.cookie); /* but the cookie does not count beside it */
    assert_no_good(t, ua_test_post_json(t, "/auth/token", "{}"));
    ua_test_close(t);
}

/* JWT-09, INV-5 */
static void not_once_the_session_or_account_ended(void **state)
{
    static const char *const ends[] = {
        "UPDATE session SET ended = 1",
        "UPDATE account SET enabled = 0, closed = 1",
        "DELETE FROM account",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        api_t api;
        ua_test_t *t = api_open(&api, NULL);

        ua_test_sql(t, "%s", ends[i]);
        assert_no_good(t, api_renew(t, api.refresh));
        apr_table_set(t->jar, "userauth", api.cookie);
        assert_status(t, ua_test_post_json(t, "/auth/token", "{}"), 401);
        ua_test_close(t);
    }
}

static void only_by_post(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    assert_status(
        t,
        ua_test_get(t, apr_pstrcat(t->pool, "/auth/token?refresh_token=", api.refresh, NULL)),
        405);
    assert_string_equal(ua_test_reply_header(t, "Allow"), "POST, OPTIONS");
    assert_string_equal(t->res->type, "application/problem+json"); /* also for a browser */
    assert_status(
        t,
        ua_test_request(t, UA_METHOD_POST,
                        apr_pstrcat(t->pool, "/auth/token?refresh_token=", api.refresh, NULL),
                        "application/json", "{}"),
        401);
    ua_test_close(t);
}

static void failures(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    ua_test_sql(t, "CREATE TRIGGER broken BEFORE INSERT ON refresh BEGIN SELECT RAISE(ABORT, "
                   "'disk on fire'); END");
    assert_null(ua_test_start(t, NULL));
    ua_test_expect(t, "UA0101: /auth/token was refused");
    assert_status(t, api_renew(t, api.refresh), 503);
    ua_test_sql(t, "DROP TRIGGER broken");
    assert_null(ua_test_start(t, NULL));
    assert_status(t, api_renew(t, api.refresh), 200); /* nothing was used up */
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_tokens_for_a_refresh_token),
        cmocka_unit_test(outlives_the_cookie),
        cmocka_unit_test(a_reused_token_ends_the_session),
        cmocka_unit_test(a_lost_answer_is_given_again),
        cmocka_unit_test(nothing_else_is_a_refresh_token),
        cmocka_unit_test(guesses_are_counted),
        cmocka_unit_test(an_access_token_for_the_cookie),
        cmocka_unit_test(nothing_without_a_session),
        cmocka_unit_test(an_expired_access_token_beside_it),
        cmocka_unit_test(not_once_the_session_or_account_ended),
        cmocka_unit_test(only_by_post),
        cmocka_unit_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
