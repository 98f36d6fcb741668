/* test_activity.c: what happened to a person's account, in words; nobody else's, and nothing as sent. */
#include "places.h"

#define ACTIVITY "/dashboard/activity"

/* One event of alice, a second after the one before. */
static void happen(ua_test_t *t, const char *kind, const char *detail)
{
    ua_ctx_t *ctx = NULL;

    ua_test_clock(t, 1);
    ctx = ua_test_context(t);
    ua_test_sql(
        t,
        "INSERT INTO event (id, site, account_id, kind, happened, address, agent, detail) "
        "SELECT '%s', '', id, '%s', %" APR_TIME_T_FMT ", '%s', '%s', '%s' FROM account "
        "WHERE username = 'alice'",
        ctx->id, kind, t->now, t->address, t->agent, detail);
}

static ua_test_t *without_events(void)
{
    ua_test_t *t = site_of_alice();

    ua_test_sql(t, "DELETE FROM event");
    return t;
}

/* All that is emitted about an account, but for what nobody needs. */
static const struct {
    const char *kind, *detail, *text;
} kinds[] = {
    {"registered", "", "You registered"},
    {"verification_requested", "", "Another confirmation email was asked for"},
    {"address_corrected", "", "You corrected your email address"},
    {"verified", "", "You confirmed your email address"},
    {"login", "new_device", "You logged in from a new device"},
    {"login", "known_device", "You logged in"},
    {"login_failed", "", "Someone tried to log in with a wrong password"},
    {"login_failed", "known_device", "A wrong password was entered on a device you use"},
    {"login_wait", "", "Logging in was paused after several wrong passwords"},
    {"login_unverified", "", "A login had to wait until your email address is confirmed"},
    {"logout", "", "You logged out"},
    {"reset_requested", "", "A link to set a new password was asked for"},
    {"password_reset", "", "A new password was set by a link from an email"},
    {"password_changed", "", "You changed your password"},
    {"profile_changed", "username", "You changed your username"},
    {"profile_changed", "", "You changed your profile"},
    {"email_change_requested", "", "A change of your email address was asked for"},
    {"email_change_cancelled", "", "The change of your email address was cancelled"},
    {"email_changed", "", "Your email address was changed"},
    {"email_undone", "", "The change of your email address was undone"},
    {"email_undone", "restored", "The change of your email address was undone"},
    {"restore_failed", "", "Someone tried to restore your account with a wrong password"},
    {"undo_failed", "", "Someone tried to undo a change of address with a wrong password"},
    {"reauthenticated", "", "You entered your password again"},
    {"session_ended", "one", "You signed out a device"},
    {"session_ended", "others", "You signed out all other devices"},
    {"session_ended", "all", "You signed out everywhere"},
    {"refresh_reused", "", "An app was signed out because its key was used twice"},
    {"disowned", "", "You told us that something wasn&#39;t you: everybody was signed out"},
    {"closed", "", "You closed your account"},
    {"restored", "", "Your account was restored"},
    {"exported", "", "You downloaded your data"},
};

static void has_words_for_each_kind(void **state)
{
    ua_test_t *t = without_events();
    const char *place = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        happen(t, kinds[i].kind, kinds[i].detail);
    }
    assert_status(t, ua_test_get(t, ACTIVITY), 200);
    assert_shows(t, "<h1>Recent activity</h1>");
    place = t->body + strlen(t->body);
    for (size_t i = 0; i < COUNT(kinds); i++) { /* the newest first */
        const char *line = apr_pstrcat(t->turn, "<p>", kinds[i].text, "</p>", NULL);
        const char *found = NULL;

        for (const char *p = strstr(t->body, line); p && p < place; p = strstr(p + 1, line)) {
            found = p;
        }
        if (!found) {
            fail_msg("%s (%s): not in its place: %s", kinds[i].kind, kinds[i].detail, line);
        }
        place = found;
    }
    ua_test_close(t);
}

static void leaves_out_what_nobody_needs(void **state)
{
    static const char *const silent[] = {"token_refused",        "mail_dropped", "rate_limited",
                                         "registration_removed", "another",      ""};
    ua_test_t *t = without_events();

    (void)state;
    assert_status(t, ua_test_get(t, ACTIVITY), 200);
    assert_shows(t, "Nothing yet. When you log in or change your password");
    for (size_t i = 0; i < COUNT(silent); i++) {
        happen(t, silent[i], "");
    }
    assert_status(t, ua_test_get(t, ACTIVITY), 200);
    assert_shows(t, "Nothing yet.");
    assert_false(ua_test_shows(t, "<li>"));
    t->json = 1;
    assert_status(t, ua_test_get(t, ACTIVITY), 200);
    assert_string_equal(t->body, "{\"events\":[]}");
    ua_test_close(t);
}

/* What a person really does stands there. */
static void tells_what_happened(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    t->agent = FIREFOX;
    t->address = "198.51.100.4";
    ua_test_clock(t, 60);
    t->json = 1;
    assert_status(
        t, ua_test_post_json(t, "/auth/login", "{\"login\":\"alice\",\"password\":\"wrong\"}"),
        401);
    assert_status(t, ua_test_get(t, ACTIVITY), 200);
    assert_int_equal(entries(t, "events"), 4);
    assert_string_equal(entry_value(t, "events", 0, "event"), "login_failed");
    assert_string_equal(entry_value(t, "events", 0, "time"), "2026-11-21T08:31:00Z");
    assert_string_equal(entry_value(t, "events", 0, "address"), "198.51.100.4");
    assert_string_equal(entry_value(t, "events", 0, "device"), "Firefox on Windows");
    t->json = 0;
    assert_status(t, ua_test_get(t, ACTIVITY), 200);
    assert_shows(t, "<p>A wrong password was entered on a device you use</p>\n"
                    "<p class=\"hint\"><time datetime=\"2026-11-21T08:31:00Z\" "
                    "title=\"21 November 2026 at 08:31 UTC\">21 November 2026 at 08:31 UTC"
                    "</time> · Firefox on Windows · 198.51.100.4</p>");
    assert_shows(t, "<p>You logged in from a new device</p>");
    assert_shows(t, "<p>You confirmed your email address</p>");
    assert_shows(t, "<p>You registered</p>");
    ua_test_close(t);
}

static void tells_a_program(void **state)
{
    ua_test_t *t = without_events();

    (void)state;
    happen(t, "closed", "");
    t->json = 1;
    assert_status(t, ua_test_get(t, ACTIVITY), 200);
    assert_string_equal(t->body,
                        apr_pstrcat(t->pool, "{\"events\":[{\"id\":\"",
                                    ua_test_scalar(t, "SELECT id FROM event"),
                                    "\",\"event\":\"closed\",\"time\":\"2026-11-21T08:30:01Z\","
                                    "\"address\":\"" UA_TEST_ADDRESS
                                    "\",\"device\":\"Unknown device\"}]}",
                                    NULL));
    ua_test_close(t);
}

/* The last 50 that have words, however many have none. */
static void shows_fifty(void **state)
{
    ua_test_t *t = without_events();

    (void)state;
    for (int i = 0; i < 60; i++) {
        happen(t, "logout", "");
        happen(t, "token_refused", "reset");
    }
    t->json = 1;
    assert_status(t, ua_test_get(t, ACTIVITY), 200);
    assert_int_equal(entries(t, "events"), 50);
    assert_string_equal(entry_value(t, "events", 0, "time"), "2026-11-21T08:31:59Z");
    assert_string_equal(entry_value(t, "events", 49, "time"), "2026-11-21T08:30:21Z");
    ua_test_close(t);
}

/* XSS-07: words only come out, the header never. */
static void repeats_nothing_of_the_agent(void **state)
{
    ua_test_t *t = without_events();

    (void)state;
    t->agent = "<script>alert(1)</script>{{csrf}} Firefox/1 \\u003cimg src=x onerror=alert(1)>";
    happen(t, "logout", "<b>detail</b>");
    for (t->json = 0; t->json < 2; t->json++) {
        assert_status(t, ua_test_get(t, ACTIVITY), 200);
        assert_shows(t, "Firefox");
        assert_false(ua_test_shows(t, "alert(1)"));
        assert_false(ua_test_shows(t, "onerror"));
        assert_false(ua_test_shows(t, "detail"));
    }
    ua_test_close(t);
}

/* AUTHZ-01, AUTHZ-03 */
static void ones_own_only(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    t->jar = apr_table_make(t->pool, 8);
    ua_test_member(t, "eve");
    ua_test_login(t, "eve");
    ua_test_sql(t, "DELETE FROM event WHERE account_id <> (SELECT id FROM account WHERE "
                   "username = 'alice')");
    t->json = 1;
    assert_status(t, ua_test_get(t, ACTIVITY "?account_id=alice"), 200);
    assert_string_equal(t->body, "{\"events\":[]}");
    assert_status(t, ua_test_post_json(t, ACTIVITY, "{}"), 405);
    ua_test_sql(t, "UPDATE account SET enabled = 0");
    assert_status(t, ua_test_get(t, ACTIVITY), 401);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_words_for_each_kind),
        cmocka_unit_test(leaves_out_what_nobody_needs),
        cmocka_unit_test(tells_what_happened),
        cmocka_unit_test(tells_a_program),
        cmocka_unit_test(shows_fifty),
        cmocka_unit_test(repeats_nothing_of_the_agent),
        cmocka_unit_test(ones_own_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
