/* test_sessions.c: the list of places where a person is signed in, and ending them: one's own only. */
#include "places.h"

#define SESSIONS "/dashboard/sessions"

static void shows_where(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *first = NULL;

    (void)state;
    t->agent = FIREFOX;
    t->address = "198.51.100.4";
    ua_test_clock(t, 60);
    (void)signed_in_elsewhere(t, "alice");
    first = own_id(t);
    ua_test_clock(t, 60);
    assert_status(t, ua_test_get(t, SESSIONS), 200);
    assert_shows(t, "<h1>Security</h1>");
    assert_shows(t, "<strong>Firefox on Windows</strong> · this device");
    assert_shows(t, "<strong>Unknown device</strong></p>");
    assert_shows(t, "198.51.100.4");
    assert_shows(t, UA_TEST_ADDRESS);
    assert_shows(t, "<time datetime=\"2026-11-21T08:31:00Z\" "
                    "title=\"21 November 2026 at 08:31 UTC\">21 November 2026 at 08:31 UTC");
    assert_shows(t, "Sign out all other devices");
    assert_shows(t, "aria-current=\"page\">Security</a>");
    assert_false(ua_test_shows(t, apr_pstrcat(t->pool, "value=\"", first, "\"", NULL)));
    assert_false(ua_test_shows(t, "Gecko"));
    ua_test_close(t);
}

/* Exactly the contract's members. */
static void tells_a_program(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *here = own_id(t);

    (void)state;
    t->json = 1;
    ua_test_clock(t, 30);
    assert_status(t, ua_test_get(t, SESSIONS), 200);
    assert_string_equal(
        t->body, apr_pstrcat(t->pool, "{\"sessions\":[{\"id\":\"", here,
                             "\",\"device\":\"Unknown device\",\"address\":\"" UA_TEST_ADDRESS
                             "\",\"created\":\"2026-11-21T08:30:00Z\",\"last_used\":"
                             "\"2026-11-21T08:30:30Z\",\"current\":true}]}",
                             NULL));
    ua_test_close(t);
}

/* The present one leads although its last use is not written yet; what ended by itself is not there. */
static void in_order(void **state)
{
    ua_test_t *t = site_of_alice();
    apr_table_t *first = NULL;
    const char *ids[2];

    (void)state;
    ids[0] = own_id(t);
    ua_test_clock(t, HOUR - 10);
    first = signed_in_elsewhere(t, "alice");
    ids[1] = own_id(t);
    t->jar = first;
    t->json = 1;
    assert_status(t, ua_test_get(t, SESSIONS), 200);
    assert_int_equal(entries(t, "sessions"), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(entry_value(t, "sessions", i, "id"), ids[i]);
        assert_string_equal(entry_value(t, "sessions", i, "current"), i ? "false" : "true");
        assert_string_equal(entry_value(t, "sessions", i, "last_used"), "2026-11-21T09:29:50Z");
    }
    ua_jobs_sweep(t->jobs, t->now);
    ua_test_clock(t, HOUR - 1);
    assert_status(t, ua_test_get(t, SESSIONS), 200);
    ua_jobs_sweep(t->jobs, t->now);
    ua_test_clock(t, 1); /* the other one was not used for an hour */
    assert_status(t, ua_test_get(t, SESSIONS), 200);
    assert_int_equal(entries(t, "sessions"), 1);
    ua_test_close(t);
}

static void ends_another(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *there = own_id(t);
    apr_table_t *other = signed_in_elsewhere(t, "alice");

    (void)state;
    assert_status(t, ua_test_submit(t, SESSIONS, "session", there, NULL), 303);
    assert_string_equal(ua_test_location(t), SESSIONS "?notice=session-ended");
    assert_int_equal(ua_test_events(t, "\"session_ended\""), 1);
    assert_int_equal(ua_test_events(t, "\"detail\":\"one\""), 1);
    assert_true(is_ended(t, there));
    assert_status(t, ua_test_get(t, ua_test_location(t)), 200);
    assert_shows(t, "That device is signed out.");
    assert_shows(t, "You are signed in nowhere else.");
    t->jar = other; /* SESS-03: its next request is refused */
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

/* SESS-03: the own session is a logout, cookie and cache included. */
static void ends_this_one(void **state)
{
    static const struct {
        const char *name, *value, *detail;
        int all;
    } ways[] = {{"session", NULL, "\"detail\":\"one\"", 0},
                {"all", "1", "\"detail\":\"all\"", 1}};

    (void)state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        ua_test_t *t = site_of_alice();
        apr_table_t *other = signed_in_elsewhere(t, "alice");
        const char *cookie = ua_test_cookie(t, "");

        assert_status(t,
                      ua_test_submit(t, SESSIONS, ways[i].name,
                                     ways[i].value ? ways[i].value : own_id(t), NULL),
                      303);
        assert_string_equal(ua_test_location(t), "/auth/login?notice=logged-out");
        assert_string_equal(ua_test_reply_header(t, "Clear-Site-Data"), "\"cache\"");
        assert_null(ua_test_cookie(t, ""));
        assert_int_equal(ua_test_events(t, ways[i].detail), 1);
        apr_table_set(t->jar, "userauth", cookie); /* a replay */
        assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
        t->jar = other;
        assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), ways[i].all ? 303 : 0);
        ua_test_close(t);
    }
}

static void ends_the_others(void **state)
{
    ua_test_t *t = site_of_alice();
    apr_table_t *first = signed_in_elsewhere(t, "alice");
    apr_table_t *second = signed_in_elsewhere(t, "alice");

    (void)state;
    assert_status(t, ua_test_submit(t, SESSIONS, "others", "1", NULL), 303);
    assert_string_equal(ua_test_location(t), SESSIONS "?notice=others-ended");
    assert_int_equal(ua_test_events(t, "\"detail\":\"others\""), 1);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    t->jar = first;
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    t->jar = second;
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *there = own_id(t);
    const char *body = NULL;

    (void)state;
    (void)signed_in_elsewhere(t, "alice");
    t->json = 1;
    body = apr_pstrcat(t->pool, "{\"session\":\"", there, "\"}", NULL);
    assert_status(t, ua_test_post_json(t, SESSIONS, body), 200);
    assert_string_equal(t->body, "{\"message\":\"That device is signed out.\"}");
    assert_status(t, ua_test_post_json(t, SESSIONS, body), 404); /* once */
    assert_value(t, "code", "not_found");
    assert_status(t, ua_test_post_json(t, SESSIONS, "{\"others\":true}"), 200);
    assert_value(t, "message", "All other devices are signed out.");
    assert_status(t, ua_test_post_json(t, SESSIONS, "{\"all\":true}"), 200);
    assert_value(t, "message", "You are logged out.");
    assert_status(t, ua_test_get(t, SESSIONS), 401);
    ua_test_close(t);
}

/* AUTHZ-01: nobody ends, or hears of, what another person has. */
static void only_ones_own(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *hers = own_id(t);
    const char *before = NULL;

    (void)state;
    t->jar = apr_table_make(t->pool, 8);
    (void)ua_test_mail(t); /* hers; the next one is Eve's */
    ua_test_member(t, "eve");
    ua_test_login(t, "eve");
    before = ua_test_rows(t);
    t->json = 1;
    assert_status(t, ua_test_get(t, SESSIONS), 200);
    assert_int_equal(entries(t, "sessions"), 1);
    assert_string_not_equal(entry_value(t, "sessions", 0, "id"), hers);
    t->json = 0;
    for (int known = 0; known < 2; known++) {
        assert_status(t,
                      ua_test_submit(t, SESSIONS, "session",
                                     known ? hers : "11111111-2222-4333-8444-555555555555",
                                     NULL),
                      404);
        assert_shows(t, "Device not found");
    }
    assert_string_equal(ua_test_rows(t), before);
    assert_status(t, ua_test_submit(t, SESSIONS, "all", "1", NULL), 303);
    assert_false(is_ended(t, hers));
    ua_test_close(t);
}

static void wants_one_choice(void **state)
{
    static const char *const bodies[] = {
        "{}",
        "{\"session\":\"\"}",
        "{\"others\":false}",
        "{\"others\":true,\"all\":true}",
        "{\"session\":\"x\",\"others\":true}",
        "{\"session\":\"x\",\"others\":true,\"all\":true}",
    };

    ua_test_t *t = site_of_alice();
    const char *before = ua_test_rows(t);

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        assert_status(t, ua_test_post_json(t, SESSIONS, bodies[i]), 422);
        assert_value(t, "code", "invalid_fields");
        assert_value(t, "title", "Please choose what to sign out");
    }
    assert_string_equal(ua_test_rows(t), before);
    assert_status(t, ua_test_submit(t, SESSIONS, NULL), 422);
    assert_shows(t, "Please choose what to sign out");
    assert_shows(t, "this device"); /* the list still stands */
    ua_test_close(t);
}

/* AUTHZ-03 */
static void for_the_signed_in_only(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    ua_test_sql(t, "UPDATE account SET enabled = 0");
    assert_status(t, ua_test_get(t, SESSIONS), 303);
    assert_status(t, ua_test_post_json(t, SESSIONS, "{\"all\":true}"), 401);
    /* The lock ended what it met, and that is all. */
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended > 0"), 1);
    apr_table_clear(t->jar);
    assert_status(t, ua_test_get(t, SESSIONS), 303);
    assert_status(t, ua_test_post_json(t, SESSIONS, "{\"all\":true}"), 401);
    ua_test_close(t);
}

static void without_storage(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    ua_test_sql(t, "ALTER TABLE session RENAME TO away");
    ua_test_expect(t, "UA0103");
    t->json = 1;
    assert_status(t, ua_test_get(t, SESSIONS), 503);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_where),       cmocka_unit_test(tells_a_program),
        cmocka_unit_test(in_order),          cmocka_unit_test(ends_another),
        cmocka_unit_test(ends_this_one),     cmocka_unit_test(ends_the_others),
        cmocka_unit_test(answers_a_program), cmocka_unit_test(only_ones_own),
        cmocka_unit_test(wants_one_choice),  cmocka_unit_test(for_the_signed_in_only),
        cmocka_unit_test(without_storage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
