/* test_profile_email.c: a new address is asked for on the profile page: what it needs, what is shown
 * meanwhile, how it is cancelled or sent again. Opening the link is test_change_email.c. */
#include "moves.h"

#define NEW "new@example.org"

static int send_json(ua_test_t *t, const char *body)
{
    int json = t->json;
    int status = 0;

    t->json = 1;
    status = ua_test_post_json(t, PROFILE, body);
    t->json = json;
    return status;
}

static void expect_pending(ua_test_t *t, const char *email, const char *state)
{
    int json = t->json;

    t->json = 1;
    assert_status(t, ua_test_get(t, PROFILE), 200);
    assert_value(t, "pending_email", email);
    assert_value(t, "pending_email_state", state);
    t->json = json;
}

static void asks_and_shows(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    ask(t, "New.One@Example.ORG");
    assert_status(t, ua_test_get(t, ua_test_location(t)), 200);
    assert_shows(t, "We sent a link to your new address: it changes when you open it.");
    assert_shows(t, "<p>We sent a link to <strong>New.One@example.org</strong>. Your address "
                    "changes when you open it. Until then it stays "
                    "<strong>alice@example.org</strong>.</p>");
    assert_shows(t, "name=\"email\" value=\"alice@example.org\"");
    assert_shows(t, "<button name=\"cancel_email\" value=\"1\">");
    assert_shows(t, "<button name=\"resend_email\" value=\"1\">");
    expect_pending(t, "New.One@example.org", "queued");
    assert_non_null(letter(t, "New.One@example.org"));
    expect_pending(t, "New.One@example.org", "sent");
    assert_string_equal(address_of(t, "alice"), ALICE);
    assert_int_equal(ua_test_events(t, "\"email_change_requested\""), 1);
    assert_int_equal(ua_test_events(t, "\"profile_changed\""), 0);
    assert_status(t, log_in(t, ALICE, UA_TEST_PASSWORD), 303);
    assert_status(t, log_in(t, "new.one@example.org", UA_TEST_PASSWORD), 401);
    ua_test_close(t);
}

/* MAIL-12, MAIL-15 */
static void mails_the_link(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    ask(t, NEW);
    assert_non_null(letter(t, NEW));
    assert_non_null(strstr(t->mail, "\r\nSubject: Confirm your new email for localhost\r\n"));
    assert_non_null(
        strstr(t->mail, apr_pstrcat(t->pool,
                                    "Hello alice,\r\n\r\n"
                                    "You asked to use this email address for your account\r\n"
                                    "on localhost. Open this link to confirm it:\r\n\r\n"
                                    "http://localhost:8080",
                                    ua_test_link(t, "email"),
                                    "\r\n\r\n"
                                    "The link works for 24 hours,\r\n"
                                    "until 22 November 2026 at 08:30 UTC.\r\n"
                                    "Until you open it your present address stays.\r\n\r\n\r\n"
                                    "Not you? Then ignore this email. Without the link\r\n"
                                    "nothing changes.\r\n\r\n\r\n"
                                    "localhost\r\nhttp://localhost:8080\r\n",
                                    NULL)));
    assert_non_null(strstr(t->mail, ">Confirm my new address</a>"));
    assert_null(strstr(t->mail, "Someone"));
    assert_null(strstr(t->mail, ALICE));
    assert_null(
        strstr(letter(t, ALICE), "Confirm your new email")); /* nothing to the old one */
    ua_test_close(t);
}

/* Contract 2 and 4: the same form asks for the password, and keeps the rest. */
static void needs_a_fresh_password(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *cookie = ua_test_cookie(t, "");
    const char *before = NULL;

    (void)state;
    ua_test_clock(t, 15 * 60);
    before = ua_test_scalar(t, "SELECT display_name FROM account");
    assert_status(t,
                  ua_test_submit(t, PROFILE, "flags", "1", "username", "alice2", "email", NEW,
                                 "hidden", "1", NULL),
                  403);
    assert_shows(t, "Please enter your password again");
    assert_shows(t, "To change your email address, enter your current password, too.");
    assert_shows(t, "name=\"email\" value=\"new@example.org\"");
    assert_shows(t, "name=\"username\" value=\"alice2\"");
    assert_shows(t, "name=\"hidden\" value=\"1\" checked>");
    assert_shows(t, "type=\"password\" id=\"f-current_password\"");
    assert_string_equal(ua_test_scalar(t, "SELECT display_name FROM account"), before);
    assert_string_equal(address_of(t, "alice"), ALICE);
    assert_status(t, send_json(t, "{\"email\":\"new@example.org\"}"), 403);
    assert_value(t, "code", "reauth_required");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE purpose = 'email'"), 0);
    assert_status(t,
                  ua_test_submit(t, PROFILE, "flags", "1", "username", "alice2", "email", NEW,
                                 "current_password", UA_TEST_PASSWORD, NULL),
                  303);
    assert_string_equal(address_of(t, "alice2"), ALICE);
    assert_string_not_equal(ua_test_cookie(t, ""), cookie); /* SESS-02 */
    expect_pending(t, NEW, "queued");
    assert_status(t, send_json(t, "{\"email\":\"two@example.org\"}"), 200); /* fresh now */
    ua_test_close(t);
}

static void a_password_is_fresh_for_15_minutes(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    ua_test_clock(t, 15 * 60 - 1);
    assert_status(t, send_json(t, "{\"email\":\"new@example.org\"}"), 200);
    ua_test_clock(t, 1);
    assert_status(t, send_json(t, "{\"display_name\":\"A\"}"), 200); /* needs none */
    assert_status(t, send_json(t, "{\"email\":\"new@example.org\"}"),
                  200); /* pending already */
    assert_status(t, send_json(t, "{\"email\":\"alice@example.org\"}"), 200);
    assert_status(t, send_json(t, "{\"email\":\"new@example.org\"}"), 403);
    ua_test_close(t);
}

/* The password is counted like any other try (contract 8). */
static void counts_wrong_passwords(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *body = "{\"email\":\"new@example.org\",\"display_name\":\"A\","
                       "\"current_password\":\"not-the-password\"}";

    (void)state;
    ua_test_clock(t, 15 * 60);
    assert_status(t, send_json(t, "{\"email\":\"n@example.org\",\"current_password\":\"\"}"),
                  422);
    assert_value(t, "errors.current_password", "Enter your current password.");
    for (int i = 0; i < 5; i++) {
        assert_status(t, send_json(t, body), 422);
        assert_value(t, "errors.current_password", "This is not your password.");
    }
    assert_status(t, send_json(t, body), 429);
    assert_value(t, "code", "account_locked");
    assert_string_equal(ua_test_scalar(t, "SELECT display_name FROM account"), "");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE purpose = 'email'"), 0);
    assert_int_equal(ua_test_events(t, "\"login_failed\""), 5);
    assert_status(t, send_json(t, "{\"display_name\":\"B\"}"), 200); /* ends nothing */
    ua_test_clock(t, 30);
    assert_status(
        t, ua_test_submit(t, PROFILE, "email", NEW, "current_password", "wrong-one-92", NULL),
        422);
    assert_shows(t, "id=\"e-current_password\"");
    assert_shows(t, "name=\"email\" value=\"new@example.org\"");
    assert_false(ua_test_shows(t, "wrong-one-92"));
    ua_test_close(t);
}

/* TOK-07: the links of an older wish die with the next one. */
static void takes_the_latest_wish(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *first = NULL;

    (void)state;
    ask(t, NEW);
    assert_non_null(letter(t, NEW));
    first = ua_test_token(t, "email");
    ua_test_clock(t, 1);
    ask(t, "two@example.org");
    expect_pending(t, "two@example.org", "queued");
    assert_status(t, ua_test_submit(t, "/auth/email", "token", first, NULL), 400);
    assert_shows(t, "<h1>Invalid link</h1>");
    assert_string_equal(address_of(t, "alice"), ALICE);
    ua_test_close(t);
}

static void keeps_the_present_address(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *link = NULL;

    (void)state;
    ask(t, NEW);
    assert_non_null(letter(t, NEW));
    link = ua_test_token(t, "email");
    /* The page's form holds the present address whatever else is edited. */
    assert_status(
        t, ua_test_submit(t, PROFILE, "flags", "1", "email", ALICE, "display_name", "A", NULL),
        303);
    assert_string_equal(ua_test_location(t), PROFILE "?notice=profile-saved");
    expect_pending(t, NEW, "sent");
    /* A program that names it means it. */
    assert_status(t, send_json(t, "{\"email\":\"Alice@EXAMPLE.org\"}"), 200);
    assert_value(t, "pending_email", "Alice@example.org"); /* another spelling is a change */
    assert_status(t, send_json(t, "{\"email\":\"alice@example.org\"}"), 200);
    assert_value(t, "message", "Your address stays as it is.");
    assert_value(t, "pending_email", "null");
    assert_int_equal(ua_test_events(t, "\"email_change_cancelled\""), 1);
    assert_status(t, ua_test_submit(t, "/auth/email", "token", link, NULL), 400);
    ua_test_close(t);
}

static void cancels(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    ask(t, NEW);
    ua_test_clock(t, 15 * 60); /* needs no password */
    assert_status(t, ua_test_submit(t, PROFILE, "cancel_email", "1", NULL), 303);
    assert_string_equal(ua_test_location(t), PROFILE "?notice=email-cancelled");
    expect_pending(t, "null", "null");
    assert_int_equal(ua_test_events(t, "\"email_change_cancelled\""), 1);
    assert_null(letter(t, NEW)); /* it had not left yet, and does not */
    assert_status(t, send_json(t, "{\"cancel_email\":true}"), 200);
    assert_value(t, "message", "Your address stays as it is.");
    assert_int_equal(ua_test_events(t, "\"email_change_cancelled\""), 1);
    ua_test_close(t);
}

static void sends_again(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *first = NULL;

    (void)state;
    assert_status(t, ua_test_submit(t, PROFILE, "resend_email", "1", NULL), 303);
    assert_string_equal(ua_test_location(t), PROFILE "?notice=unchanged"); /* nothing waits */
    ask(t, NEW);
    assert_non_null(letter(t, NEW));
    first = ua_test_token(t, "email");
    ua_test_clock(t, 60);
    assert_status(t, ua_test_submit(t, PROFILE, "resend_email", "1", NULL), 303);
    assert_string_equal(ua_test_location(t), PROFILE "?notice=email-resent");
    assert_status(t, send_json(t, "{\"resend_email\":\"1\"}"), 200);
    assert_value(t, "message", "We sent the link again.");
    assert_value(t, "pending_email", NEW);
    assert_non_null(letter(t, NEW));
    assert_string_not_equal(ua_test_token(t, "email"), first);
    /* A newer mail does not end an older one; its use ends both. */
    assert_status(t, ua_test_submit(t, "/auth/email", "token", first, NULL), 303);
    assert_status(t, ua_test_submit(t, "/auth/email", "token", ua_test_token(t, "email"), NULL),
                  410);
    ua_test_close(t);
}

static void waits_for_a_day(void **state)
{
    ua_test_t *t = site_of_alice("UserAuthSessionIdle 2d");

    (void)state;
    assert_null(ua_test_start(t, "UserAuthSessionIdle 3d", "UserAuthSessionLifetime 3d", NULL));
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    ask(t, NEW);
    ua_test_clock(t, DAYS(1) - 1);
    expect_pending(t, NEW, "queued");
    ua_test_clock(t, 1);
    expect_pending(t, "null", "null");
    ua_test_close(t);
}

/* UNI-04: one address in two spellings of its domain. */
static void knows_domains_in_any_script(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    ask(t, "alice@B\xc3\xbc"
           "cher.example");
    assert_status(t, confirm(t, "alice@xn--bcher-kva.example"), 303);
    assert_string_equal(address_of(t, "alice"), "alice@xn--bcher-kva.example");
    assert_status(t,
                  send_json(t, "{\"email\":\"alice@b\xc3\xbc"
                               "cher.example\"}"),
                  200);
    assert_value(t, "pending_email", "null");
    join(t, "bob");
    assert_status(t, log_in(t, "bob", UA_TEST_PASSWORD), 303);
    assert_status(t, send_json(t, "{\"email\":\"ALICE@XN--BCHER-KVA.example\"}"), 409);
    assert_value(t, "code", "email_in_use");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_shows),
        cmocka_unit_test(mails_the_link),
        cmocka_unit_test(needs_a_fresh_password),
        cmocka_unit_test(a_password_is_fresh_for_15_minutes),
        cmocka_unit_test(counts_wrong_passwords),
        cmocka_unit_test(takes_the_latest_wish),
        cmocka_unit_test(keeps_the_present_address),
        cmocka_unit_test(cancels),
        cmocka_unit_test(sends_again),
        cmocka_unit_test(waits_for_a_day),
        cmocka_unit_test(knows_domains_in_any_script),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
