/* test_me.c: who I am and how long my session lasts; asking prolongs nothing. */
#include "places.h"

#define ME "/auth/me"

static const char *me(ua_test_t *t, const char *member)
{
    assert_status(t, ua_test_get(t, ME), 200);
    return ua_test_value(t, member);
}

static void tells_the_account(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    ua_test_sql(t, "UPDATE account SET display_name = 'Alice'");
    assert_status(t, ua_test_get(t, ME), 200);
    assert_string_equal(t->res->type, "application/json");
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"), "no-store");
    assert_string_equal(
        t->body,
        apr_pstrcat(t->pool, "{\"id\":\"", ua_test_scalar(t, "SELECT id FROM account"),
                    "\",\"username\":\"alice\",\"email\":\"alice@example.org\","
                    "\"email_verified\":true,\"display_name\":\"Alice\",\"session\":{"
                    "\"idle_seconds_left\":3600,\"expires_at\":\"2026-11-22T08:30:00Z\","
                    "\"fresh_until\":\"2026-11-21T08:45:00Z\"}}",
                    NULL));
    ua_test_close(t);
}

/* SESS-05: an hour without use but for this question is over after an hour. */
static void is_no_use(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    ua_test_clock(t, HOUR / 2);
    assert_string_equal(me(t, "session.idle_seconds_left"), "1800");
    ua_jobs_sweep(t->jobs, t->now);
    ua_test_clock(t, HOUR / 2);
    t->now--;
    assert_string_equal(me(t, "session.idle_seconds_left"), "0");
    ua_jobs_sweep(t->jobs, t->now);
    t->now++;
    assert_status(t, ua_test_get(t, ME), 401);
    assert_value(t, "code", "login_required");
    ua_test_close(t);
}

static void follows_every_other_use(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    ua_test_clock(t, HOUR / 2);
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    ua_jobs_sweep(t->jobs, t->now);
    assert_string_equal(me(t, "session.idle_seconds_left"), "3600");
    ua_test_clock(t, 1);
    assert_string_equal(me(t, "session.idle_seconds_left"), "3599");
    ua_test_close(t);
}

/* Near the absolute end no use helps. */
static void knows_the_absolute_end(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthSessionIdle 12h", "UserAuthSessionLifetime 13h", NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_string_equal(me(t, "session.idle_seconds_left"), "43200");
    ua_test_clock(t, 6 * HOUR);
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    ua_jobs_sweep(t->jobs, t->now);
    assert_string_equal(me(t, "session.idle_seconds_left"), "25200");
    assert_value(t, "session.expires_at", "2026-11-21T21:30:00Z");
    ua_test_close(t);
}

/* The pages of a person know when to ask here: a session that ends within minutes, or after days without
 * use, is not worth a warning. Without script nothing is shown. */
static void pages_know_when_to_ask(void **state)
{
    static const struct {
        const char *line;
        apr_int64_t after;
        const char *shows;
    } cases[] = {
        {NULL, 0, "data-idle=\"3600\""},
        {NULL, 60, "data-idle=\"3600\""}, /* looking at a page is a use */
        {"UserAuthSessionLifetime 61m", 60, "data-idle=\"3600\""},
        {"UserAuthSessionLifetime 61m", 61, "data-idle=\"3599\""}, /* no use moves that end */
        {"UserAuthSessionIdle 24h", 0, "data-idle=\"86400\""},
        {"UserAuthSessionIdle 121s", 0, "data-idle=\"121\""},
        {"UserAuthSessionIdle 120s", 0, NULL},
        {"UserAuthSessionLifetime 30d", 0, "data-idle=\"3600\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ua_test_t *t = ua_test_open(cases[i].line, NULL);

        ua_test_member(t, "alice");
        ua_test_login(t, "alice");
        ua_test_clock(t, cases[i].after);
        assert_status(t, ua_test_get(t, "/dashboard"), 200);
        assert_int_equal(ua_test_shows(t, "You will be signed out in 2 minutes."),
                         cases[i].shows != NULL);
        if (cases[i].shows) {
            assert_shows(t, cases[i].shows);
            assert_shows(t, "<div class=\"idle\" role=\"alert\" hidden data-idle=");
            assert_shows(t, "data-ask=\"/auth/me\" data-stay=\"/dashboard\" "
                            "data-login=\"/auth/login?next=\"");
        }
        assert_status(t, ua_test_get(t, "/auth/reauth"), 200); /* its card warns of nothing */
        assert_false(ua_test_shows(t, "data-idle"));
        ua_test_close(t);
    }
}

static void a_remembered_one_is_not_warned_of(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    assert_status(t,
                  ua_test_submit(t, "/auth/login", "login", "alice", "password",
                                 UA_TEST_PASSWORD, "remember", "1", NULL),
                  303);
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_false(ua_test_shows(t, "data-idle"));
    ua_test_close(t);
}

/* A session that lives by its API tokens alone has no idle time left. */
static void by_access_token(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *token = NULL;

    (void)state;
    ua_test_member(t, "alice");
    assert_status(t,
                  ua_test_post_json(t, "/auth/login",
                                    "{\"login\":\"alice\",\"password\":\"" UA_TEST_PASSWORD
                                    "\"}"),
                  200);
    token = apr_pstrcat(t->pool, "Bearer ", ua_test_value(t, "access_token"), NULL);
    ua_test_header(t, "Cookie", "");
    ua_test_header(t, "Authorization", token);
    assert_string_equal(me(t, "username"), "alice");
    ua_test_sql(t, "UPDATE session SET last_used = last_used - idle");
    ua_test_header(t, "Cookie", "");
    ua_test_header(t, "Authorization", token);
    assert_string_equal(me(t, "session.idle_seconds_left"), "0");
    ua_test_close(t);
}

/* AUTHZ-03: JSON in any case, and nothing for those without a session. */
static void for_the_signed_in_only(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    assert_status(t, ua_test_post_json(t, ME, "{}"), 405);
    ua_test_sql(t, "UPDATE account SET enabled = 0");
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, ME), 401);
    assert_string_equal(t->res->type, "application/problem+json");
    assert_string_equal(ua_test_reply_header(t, "WWW-Authenticate"), "Bearer");
    assert_false(ua_test_shows(t, "alice"));
    apr_table_clear(t->jar);
    assert_status(t, ua_test_get(t, ME), 401);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_account),
        cmocka_unit_test(is_no_use),
        cmocka_unit_test(follows_every_other_use),
        cmocka_unit_test(knows_the_absolute_end),
        cmocka_unit_test(by_access_token),
        cmocka_unit_test(pages_know_when_to_ask),
        cmocka_unit_test(a_remembered_one_is_not_warned_of),
        cmocka_unit_test(for_the_signed_in_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
