/* test_reauth.c: a person who signed in a while ago gives the password again, and goes on. */
#include "places.h"

#define REAUTH "/auth/reauth"
#define WANTED "/dashboard/export"

static apr_int64_t auth_time(ua_test_t *t)
{
    return ua_test_count(t, "SELECT auth_time FROM session");
}

static void goes_on(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    grow_stale(t);
    assert_status(t, ua_test_get(t, REAUTH "?next=%2Fdashboard%2Fexport"), 200);
    assert_shows(t, "<h1>Enter your password</h1>");
    assert_shows(t, "value=\"alice\" autocomplete=\"username\" readonly>");
    assert_string_equal(ua_test_hidden(t, "next"), WANTED);
    assert_status(
        t, ua_test_submit(t, REAUTH, "password", UA_TEST_PASSWORD, "next", WANTED, NULL), 303);
    assert_string_equal(ua_test_location(t), WANTED);
    assert_int_equal(auth_time(t), t->now);
    assert_int_equal(ua_test_events(t, "\"reauthenticated\""), 1);
    assert_status(t, ua_test_submit(t, REAUTH, "password", UA_TEST_PASSWORD, NULL), 303);
    assert_string_equal(ua_test_location(t), "/dashboard");
    ua_test_close(t);
}

/* SESS-02: the secret changes, the session stays; the old secret opens nothing. */
static void renews_the_cookie(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *old = ua_test_cookie(t, "");
    const char *id = own_id(t);

    (void)state;
    grow_stale(t);
    assert_status(t, ua_test_submit(t, REAUTH, "password", UA_TEST_PASSWORD, NULL), 303);
    assert_string_not_equal(ua_test_cookie(t, ""), old);
    assert_int_equal(ua_test_set_cookie(t, "")->age, 0);
    assert_string_equal(own_id(t), id);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_test_header(t, "Cookie", apr_pstrcat(t->pool, "userauth=", old, NULL));
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

/* A remembered session is remembered as long as before, and not a second longer. */
static void keeps_the_cookies_age(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    assert_status(t,
                  ua_test_submit(t, "/auth/login", "login", "alice", "password",
                                 UA_TEST_PASSWORD, "remember", "1", NULL),
                  303);
    ua_test_clock(t, 10 * 24 * HOUR);
    assert_status(t, ua_test_submit(t, REAUTH, "password", UA_TEST_PASSWORD, NULL), 303);
    assert_int_equal(ua_test_set_cookie(t, "")->age, 20 * 24 * HOUR);
    ua_test_close(t);
}

static void counts_a_wrong_password(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *cookie = ua_test_cookie(t, "");
    apr_int64_t before = auth_time(t);

    (void)state;
    grow_stale(t);
    assert_status(t, ua_test_submit(t, REAUTH, "password", "wrong-password-x", NULL), 422);
    assert_shows(t, "This is not your password.");
    assert_shows(t, "aria-invalid=\"true\"");
    assert_false(ua_test_shows(t, "wrong-password-x"));
    assert_int_equal(auth_time(t), before);
    assert_string_equal(ua_test_cookie(t, ""), cookie);
    assert_int_equal(ua_test_events(t, "\"login_failed\""), 1);
    assert_int_equal(ua_test_events(t, "\"reauthenticated\""), 0);
    t->json = 1;
    for (int i = 1; i < 5; i++) {
        assert_status(t, ua_test_post_json(t, REAUTH, "{\"password\":\"wrong-password-x\"}"),
                      422);
        assert_value(t, "errors.password", "This is not your password.");
    }
    assert_status(t, ua_test_post_json(t, REAUTH, "{\"password\":\"" UA_TEST_PASSWORD "\"}"),
                  429);
    assert_value(t, "code", "account_locked");
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "30");
    assert_int_equal(auth_time(t), before);
    ua_test_clock(t, 30); /* a wait ends nothing, and is over */
    assert_status(t, ua_test_post_json(t, REAUTH, "{\"password\":\"" UA_TEST_PASSWORD "\"}"),
                  200);
    assert_int_equal(ua_test_count(t, "SELECT device_failures + failures FROM account"), 0);
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    t->json = 1;
    assert_status(t, ua_test_get(t, REAUTH "?next=%2Fx"), 200); /* no redirect, though fresh */
    assert_shows(t, "{\"fields\":[{\"name\":\"password\"");
    assert_status(t, ua_test_post_json(t, REAUTH, "{}"), 422);
    assert_true(*ua_test_value(t, "errors.password") != '\0');
    assert_status(t, ua_test_post_json(t, REAUTH, "{\"password\":\"" UA_TEST_PASSWORD "\"}"),
                  200);
    assert_string_equal(t->body, "{\"message\":\"Thank you. You can go on.\"}");
    ua_test_close(t);
}

/* A stranger signs in, which is as good: no second question, and no way in circles. */
static void leads_a_stranger_to_the_end(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    assert_status(t, ua_test_get(t, REAUTH "?next=%2Fdashboard%2Fexport"), 303);
    assert_string_equal(ua_test_location(t),
                        "/auth/login?next=%2Fauth%2Freauth%3Fnext%3D%252Fdashboard%252Fexport");
    assert_status(t, ua_test_get(t, ua_test_location(t)), 200);
    assert_status(t,
                  ua_test_submit(t, "/auth/login", "login", "alice", "password",
                                 UA_TEST_PASSWORD, "next", ua_test_hidden(t, "next"), NULL),
                  303);
    assert_string_equal(ua_test_location(t), WANTED);
    assert_status(t, ua_test_get(t, REAUTH), 200);
    assert_status(t, ua_test_get(t, REAUTH "?next=%2Fdashboard%2Fexport"), 200);
    assert_status(t, ua_test_get(t, REAUTH "?next=%2F%2Fevil.example"), 200); /* RED-01 */
    ua_test_close(t);
}

/* CLK: fresh for a quarter of an hour, to the microsecond. */
static void is_asked_when_stale_only(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    grow_stale(t);
    t->now--;
    assert_status(t, ua_test_get(t, REAUTH "?next=%2Fa&max_age=86400"), 303);
    t->now++;
    assert_status(t, ua_test_get(t, REAUTH "?next=%2Fa&max_age=86400"), 200);
    ua_test_close(t);
}

/* AUTHZ-03 */
static void for_the_signed_in_only(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    ua_test_sql(t, "UPDATE account SET enabled = 0");
    t->json = 1;
    assert_status(t, ua_test_post_json(t, REAUTH, "{\"password\":\"" UA_TEST_PASSWORD "\"}"),
                  401);
    assert_int_equal(ua_test_events(t, "\"reauthenticated\""), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on),
        cmocka_unit_test(renews_the_cookie),
        cmocka_unit_test(keeps_the_cookies_age),
        cmocka_unit_test(counts_a_wrong_password),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(leads_a_stranger_to_the_end),
        cmocka_unit_test(is_asked_when_stale_only),
        cmocka_unit_test(for_the_signed_in_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
