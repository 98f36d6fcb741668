/* test_logout.c: signing out: by a submit of the person's own page only, also without a session. */
#include "fixture.h"

static void ends_the_session(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *session = NULL;

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    session = apr_pstrdup(t->pool, ua_test_cookie(t, ""));
    assert_status(t, ua_test_submit(t, "/auth/logout", NULL), 303);
    assert_string_equal(ua_test_location(t), "/auth/login?notice=logged-out");
    assert_null(ua_test_cookie(t, ""));
    assert_non_null(ua_test_cookie(t, "device")); /* the browser stays known */
    assert_string_equal(ua_test_reply_header(t, "Clear-Site-Data"), "\"cache\"");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 0);
    assert_int_equal(ua_test_events(t, "\"event\":\"logout\""), 1);
    assert_status(t, ua_test_get(t, ua_test_location(t)), 200);
    assert_shows(t, "You are logged out.");
    apr_table_set(t->jar, "userauth", session); /* SESS-03: replayed */
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    t->json = 1;
    assert_status(t,
                  ua_test_post_json(t, "/auth/login",
                                    "{\"login\":\"alice\",\"password\":\"" UA_TEST_PASSWORD
                                    "\"}"),
                  200);
    assert_status(t, ua_test_post_json(t, "/auth/logout", "{}"), 200);
    assert_string_equal(t->body, "{\"message\":\"You are logged out.\"}");
    assert_status(t, ua_test_get(t, "/dashboard"), 401);
    ua_test_close(t);
}

static void does_no_harm_without_a_session(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_post(t, "/auth/logout", NULL), 303);
    assert_string_equal(ua_test_location(t), "/auth/login?notice=logged-out");
    t->json = 1;
    assert_status(t, ua_test_post(t, "/auth/logout", NULL), 200);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event"), 0);
    t->json = 0;
    assert_status(t, ua_test_get(t, "/auth/logout"), 200);
    assert_shows(t, "You are not signed in here");
    ua_test_close(t);
}

/* CSRF-03, CSRF-09 */
static void wants_the_persons_own_submit(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_status(t, ua_test_get(t, "/auth/logout"), 200);
    assert_shows(t, "You are signed in as <strong>alice</strong>");
    assert_status(t, ua_test_post(t, "/auth/logout", NULL), 403);
    ua_test_header(t, "Sec-Fetch-Site", "cross-site");
    assert_status(t, ua_test_submit(t, "/auth/logout", NULL), 403);
    assert_non_null(ua_test_cookie(t, ""));
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    ua_test_close(t);
}

static void leaves_other_devices_signed_in(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    apr_table_t *other = NULL;

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    other = t->jar;
    t->jar = apr_table_make(t->pool, 4);
    ua_test_login(t, "alice");
    assert_status(t, ua_test_submit(t, "/auth/logout", NULL), 303);
    t->jar = other;
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    ua_test_close(t);
}

/* A dead cookie is taken away too. */
static void forgets_a_dead_cookie(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    apr_table_set(t->jar, "userauth", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_status(t, ua_test_submit(t, "/auth/logout", NULL), 303);
    assert_null(ua_test_cookie(t, ""));
    assert_int_equal(ua_test_events(t, "logout"), 0);
    ua_test_close(t);
}

static void says_so_when_the_session_cannot_be_ended(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    ua_test_sql(t, "CREATE TRIGGER broken BEFORE UPDATE ON session BEGIN SELECT "
                   "RAISE(ABORT, 'disk on fire'); END");
    assert_null(ua_test_start(t, NULL));
    ua_test_expect(t, "UA0101: /auth/logout was refused");
    assert_status(t, ua_test_submit(t, "/auth/logout", NULL), 503);
    assert_non_null(ua_test_cookie(t, ""));
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_the_session),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(does_no_harm_without_a_session),
        cmocka_unit_test(wants_the_persons_own_submit),
        cmocka_unit_test(leaves_other_devices_signed_in),
        cmocka_unit_test(forgets_a_dead_cookie),
        cmocka_unit_test(says_so_when_the_session_cannot_be_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
