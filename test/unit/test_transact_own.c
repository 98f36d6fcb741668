/* test_transact_own.c: what a signed-in person changes, while the machine fails at each call: see failing_requests.h. */
#include "failing_requests.h"

#define NEW      "new@example.org"
#define OTHER    "seven-quiet-otters-paint-12"
#define SESSIONS "/dashboard/sessions"
#define FIELD    "UserAuthProfileField city \"Home town\" public"

static void another_name(int kinds)
{
    ua_test_t *t = tireless_alice(FIELD);

    fill_form(
        t, PROFILE,
        "flags=1&username=alice2&email=alice%40example.org&display_name=A&hidden=1&city=Ulm");
    play_until(t, post_form, kinds, 303);
    assert_string_equal(ua_test_scalar(t, "SELECT username || display_name || hidden || value "
                                          "FROM account, profile_field"),
                        "alice2A1Ulm");
    assert_int_equal(ua_test_events(t, "\"profile_changed\""), 1);
    ua_test_close(t);
}

/* Asked for, sent again, cancelled; the second time another address takes the place of the first. */
static void another_address(int kinds)
{
    ua_test_t *t = tireless_alice(FIELD);

    ask(t, "first-" NEW);
    fill_form(t, PROFILE, "email=new%40example.org&current_password=" UA_TEST_PASSWORD);
    play_until(t, post_form, kinds, 303);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM token WHERE purpose = 'email' AND state = 0"),
        1);
    fill_form(t, PROFILE, "resend_email=1");
    play_until(t, post_form, kinds, 303);
    assert_non_null(letter(t, NEW));
    fill_form(t, PROFILE, "cancel_email=1");
    play_until(t, post_form, kinds, 303);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM token WHERE purpose = 'email' AND state = 0"),
        0);
    assert_string_equal(address_of(t, "alice"), ALICE);
    ua_test_close(t);
}

static void another_password(int kinds)
{
    ua_test_t *t = tireless_alice(NULL);

    fill_form(t, "/dashboard/password",
              "current_password=" UA_TEST_PASSWORD "&password=" OTHER);
    play_until(t, post_form, kinds, 303);
    assert_int_equal(ua_test_events(t, "\"password_changed\""), 1);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 401);
    assert_status(t, log_in(t, "alice", OTHER), 303);
    ua_test_close(t);
}

/* One of three, then the others, then all. */
static void sessions_ended(int kinds)
{
    static const char *const left[] = {"2", "1", "0"};
    ua_test_t *t = tireless_alice(NULL);
    const char *forms[] = {NULL, "others=1", "all=1"};

    forms[0] =
        apr_pstrcat(t->pool, "session=", ua_test_scalar(t, "SELECT id FROM session"), NULL);
    for (int i = 0; i < 2; i++) {
        assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    }
    for (size_t i = 0; i < COUNT(forms); i++) {
        fill_form(t, SESSIONS, forms[i]);
        play_until(t, post_form, kinds, 303);
        assert_string_equal(ua_test_scalar(t, "SELECT COUNT(*) FROM session WHERE ended = 0"),
                            left[i]);
    }
    ua_test_close(t);
}

static void the_password_once_more(int kinds)
{
    ua_test_t *t = tireless_alice(NULL);

    ua_test_clock(t, 15 * 60);
    fill_form(t, "/auth/reauth", "password=" UA_TEST_PASSWORD);
    play_until(t, post_form, kinds, 303);
    assert_int_equal(ua_test_count(t, "SELECT auth_time FROM session"), t->now);
    ua_test_close(t);
}

static int post_code(ua_test_t *t)
{
    return ua_test_post(t, "/auth/verify", "code", form.body, NULL);
}

/* The eight digits of the mail, in the browser that registered. */
static void confirmed_by_code(int kinds)
{
    ua_test_t *t = tireless_site(NULL);
    const char *at = NULL;

    ua_test_register(t, "alice");
    at = ua_test_mail(t);
    while (at && strspn(at, "0123456789") != 8) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    assert_non_null(at);
    form.body = apr_pstrndup(t->pool, at, 8);
    play_until(t, post_code, kinds, 303);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE enabled = 1"), 1);
    assert_int_equal(ua_test_events(t, "\"verified\""), 1);
    ua_test_close(t);
}

static int post_token(ua_test_t *t)
{
    return ua_test_post(t, "/auth/token", "refresh_token", form.body, NULL);
}

static void tokens_renewed(int kinds)
{
    ua_test_t *t = tireless_alice(NULL);

    apr_table_clear(t->jar);
    assert_status(t,
                  ua_test_post_json(t, "/auth/login",
                                    "{\"login\":\"alice\",\"password\":\"" UA_TEST_PASSWORD
                                    "\"}"),
                  200);
    form.body = apr_pstrdup(t->pool, ua_test_value(t, "refresh_token"));
    apr_table_clear(t->jar);
    play_until(t, post_token, kinds, 200);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM refresh WHERE used > 0"), 1);
    ua_test_close(t);
}

static const scenario_t scenarios[] = {
    {"another name", another_name},
    {"another address", another_address},
    {"another password", another_password},
    {"sessions ended", sessions_ended},
    {"the password once more", the_password_once_more},
    {"confirmed by code", confirmed_by_code},
    {"tokens renewed", tokens_renewed},
};

static void the_database_fails(void **state)
{
    (void)state;
    run_scenarios(scenarios, COUNT(scenarios), FAULT_ANY);
}

static void one_write_fails(void **state)
{
    (void)state;
    run_scenarios(scenarios, COUNT(scenarios), ONE_ALONE);
}

static void openssl_fails(void **state)
{
    (void)state;
    run_scenarios(scenarios, COUNT(scenarios), FAULT_CRYPTO);
}

static void no_connection(void **state)
{
    (void)state;
    run_scenarios(scenarios, COUNT(scenarios), FAULT_LEASE);
    run_scenarios(scenarios, COUNT(scenarios), FAULT_LEASE | FAULT_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_database_fails),
        cmocka_unit_test(no_connection),
        cmocka_unit_test(one_write_fails),
        cmocka_unit_test(openssl_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
