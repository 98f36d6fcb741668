/* test_common_sign_in.c: letting a person in: cookies, what ends with it, and the mail about a new browser. */
#include "fixture.h"

static int sign_in(ua_test_t *t)
{
    return ua_test_post(t, "/auth/login", "login", "alice", "password", UA_TEST_PASSWORD, NULL);
}

/* Alice in a browser nobody has seen. */
static void sign_in_elsewhere(ua_test_t *t)
{
    apr_table_clear(t->jar);
    assert_status(t, sign_in(t), t->json ? 200 : 303);
}

static apr_int64_t notices(ua_test_t *t)
{
    return ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'new-device'");
}

static void gives_the_browser_its_cookies(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
    assert_non_null(ua_test_cookie(t, "registration"));
    assert_status(t, sign_in(t), 303);
    assert_non_null(ua_test_set_cookie(t, ""));
    assert_int_equal(ua_test_set_cookie(t, "device")->age, (apr_int64_t)400 * 24 * 3600);
    assert_null(ua_test_cookie(t, "registration")); /* has served */
    assert_int_equal(ua_test_events(t, "\"event\":\"login\""), 1);
    assert_int_equal(ua_test_events(t, "\"detail\":\"new_device\""), 1);
    ua_test_close(t);
}

/* The first sign-in ever is no news, nor is one from a browser that is known. */
static void tells_of_a_new_browser(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *device = NULL;

    (void)state;
    ua_test_member(t, "alice");
    sign_in_elsewhere(t);
    assert_int_equal(notices(t), 0);
    device = apr_pstrdup(t->pool, ua_test_cookie(t, "device"));
    apr_table_clear(t->jar);
    apr_table_set(t->jar, "userauth-device", device);
    assert_status(t, sign_in(t), 303);
    assert_int_equal(notices(t), 0);
    assert_int_equal(ua_test_events(t, "\"detail\":\"known_device\""), 1);

    t->agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    t->address = "198.51.100.9";
    sign_in_elsewhere(t);
    assert_int_equal(notices(t), 1);
    assert_non_null(ua_test_mail(t));
    assert_non_null(strstr(t->mail, "To: alice@example.org\r\n"));
    assert_non_null(strstr(t->mail, "When: 21 November 2026 at 08:30 UTC"));
    assert_non_null(strstr(t->mail, "198.51.100.9"));
    assert_non_null(strstr(t->mail, "Firefox"));
    assert_non_null(ua_test_token(t, "disown"));
    ua_test_close(t);
}

/* Contract 8: at most one an account in 24 h. */
static void tells_once_a_day(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "bob");
    ua_test_member(t, "alice");
    for (int i = 0; i < 4; i++) {
        sign_in_elsewhere(t);
        assert_int_equal(notices(t), i == 0 ? 0 : 1);
    }
    apr_table_clear(t->jar);
    ua_test_login(t, "bob");
    apr_table_clear(t->jar);
    ua_test_login(t, "bob"); /* another account has its own day */
    assert_int_equal(notices(t), 2);
    ua_test_clock(t, 24 * 3600 - 1);
    sign_in_elsewhere(t);
    assert_int_equal(notices(t), 2);
    ua_test_clock(t, 1);
    sign_in_elsewhere(t);
    assert_int_equal(notices(t), 3);
    ua_test_close(t);
}

/* A cookie of another account's browser makes this one no less new. */
static void knows_a_browser_by_account(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "bob");
    ua_test_member(t, "alice");
    sign_in_elsewhere(t);
    apr_table_clear(t->jar);
    ua_test_login(t, "bob");
    ua_test_forget(t, "");
    assert_status(t, sign_in(t), 303);
    assert_int_equal(notices(t), 1);
    ua_test_close(t);
}

/* No session without the mail about it. */
static void goes_with_its_mail(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    sign_in_elsewhere(t);
    apr_table_clear(t->jar);
    ua_test_sql(t,
                "CREATE TRIGGER broken BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no "
                "room'); END");
    ua_test_expect(t, "UA0101: /auth/login was refused");
    assert_status(t, sign_in(t), 503);
    assert_null(ua_test_cookie(t, ""));
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 1);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_browser_its_cookies),
        cmocka_unit_test(tells_of_a_new_browser),
        cmocka_unit_test(tells_once_a_day),
        cmocka_unit_test(knows_a_browser_by_account),
        cmocka_unit_test(goes_with_its_mail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
