/* test_check_email.c: the page after a registration: how the mail fares, and the correction of a
 * mistyped address by the browser that registered. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define PAGE         "/auth/check-email"

/* The words of the page and of the API at this moment. */
static void expect_state(ua_test_t *t, const char *word, const char *shown, int refresh)
{
    t->json = 1;
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_value(t, "mail", word);
    assert_value(t, "email", "alice@example.org");
    t->json = 0;
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_shows(t, shown);
    assert_shows(t, "alice@example.org");
    assert_int_equal(ua_test_shows(t, "http-equiv=\"refresh\" content=\"5\""), refresh);
}

static void follows_the_mail(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    expect_state(t, "queued", "It is on its way.", 1);
    assert_shows(t, "You can ask for another email in 1 minute.");
    assert_non_null(ua_test_mail(t));
    expect_state(t, "sent", "We sent an email to", 1);
    ua_test_clock(t, 60);
    expect_state(t, "sent", "Send it again", 1);
    assert_status(t, ua_test_get(t, PAGE "?correct=1"), 200); /* who types is not disturbed */
    assert_false(ua_test_shows(t, "http-equiv=\"refresh\""));
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
    expect_state(t, "verified", "Your email address is verified", 0);
    assert_shows(t, "href=\"/auth/login\"");
    assert_false(ua_test_shows(t, "Is the address wrong?"));
    ua_test_close(t);
}

/* MAIL-03: nothing is lost, and the person hears that it takes longer. */
static void says_that_the_mail_is_delayed(void **state)
{
    ua_test_t *t =
        ua_test_open("UserAuthMail folder:{}/absent \"Example <accounts@example.com>\"", NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_expect(t, "UA0201: mail can't be sent");
    assert_null(ua_test_mail(t));
    expect_state(t, "delayed", "It is delayed. Your registration is safe", 1);
    assert_null(ua_test_start(t, NULL)); /* put right */
    ua_test_clock(t, 2);
    assert_non_null(ua_test_mail(t));
    expect_state(t, "sent", "We sent an email to", 1);
    ua_test_close(t);
}

static void tells_strangers_nothing(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    apr_table_clear(t->jar);
    for (int i = 0; i < 2; i++) {
        t->json = 1;
        assert_status(t, ua_test_get(t, PAGE), 200);
        assert_string_equal(t->body, "{\"mail\":\"unknown\",\"email\":null}");
        t->json = 0;
        assert_status(t, ua_test_get(t, PAGE "?notice=resent"), 200);
        assert_shows(t, "If your address is waiting to be confirmed");
        assert_shows(t, "If this address needs confirming, a new link is on its way.");
        assert_false(ua_test_shows(t, "alice"));
        apr_table_set(t->jar, "userauth-registration", /* forged */
                      apr_pstrcat(t->pool, ua_test_scalar(t, "SELECT id FROM account"),
                                  ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL));
    }
    ua_test_close(t);
}

static int correct(ua_test_t *t, const char *email)
{
    return ua_test_post(t, PAGE, "email", email, NULL);
}

/* TOK-07: the corrected address gets a link, and those sent before die. */
static void corrects_the_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *verify = NULL;
    const char *disown = NULL;

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    verify = ua_test_token(t, "verify");
    disown = ua_test_token(t, "disown");
    assert_status(t, ua_test_submit(t, PAGE, "email", "Alice.New@example.org", NULL), 303);
    assert_string_equal(ua_test_location(t), PAGE);
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_shows(t, "Alice.New@example.org");
    assert_shows(t, "Corrections left: 2.");
    assert_string_equal(
        ua_test_scalar(t, "SELECT email_key || '|' || corrections || '|' || enabled "
                          "FROM account"),
        "alice.new@example.org|1|0");
    assert_status(t, ua_test_post(t, "/auth/verify", "token", verify, NULL), 400);
    assert_shows(t, "Invalid verification link");
    assert_status(t, ua_test_post(t, "/auth/disown", "token", disown, NULL), 400);
    assert_non_null(strstr(ua_test_mail(t), "To: Alice.New@example.org"));
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  303);
    assert_int_equal(ua_test_count(t, "SELECT enabled FROM account"), 1);
    assert_int_equal(ua_test_events(t, "address_corrected"), 1);
    ua_test_close(t);
}

/* The mail to the mistyped address that has not left yet never does. */
static void stops_the_mail_to_the_wrong_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    t->json = 1;
    ua_test_register(t, "alice");
    assert_status(t, correct(t, "alice2@example.org"), 200);
    assert_value(t, "mail", "queued");
    assert_value(t, "email", "alice2@example.org");
    assert_value(t, "message", "We sent a new link to the corrected address.");
    assert_non_null(strstr(ua_test_mail(t), "To: alice2@example.org"));
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE email = 'alice@example.org' AND "
                         "state = 2 AND sent = 0"),
        1);
    ua_test_close(t);
}

static void corrects_three_times(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *before = NULL;

    (void)state;
    t->json = 1;
    ua_test_register(t, "alice");
    for (int i = 1; i <= 3; i++) {
        assert_status(t, correct(t, apr_psprintf(t->pool, "alice%d@example.org", i)), 200);
    }
    before = ua_test_rows(t);
    assert_status(t, correct(t, "alice4@example.org"), 403);
    assert_value(t, "code", "forbidden");
    assert_value(t, "detail",
                 "An address can be corrected three times. Register again with the right one.");
    assert_string_equal(ua_test_rows(t), before);
    t->json = 0;
    assert_status(t, correct(t, "alice4@example.org"), 403);
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_false(ua_test_shows(t, "Is the address wrong?"));
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *email;
    int status;
    const char *code;
} corrections[] = {
    {"no address", "", 422, "invalid_fields"},
    {"not an address", "alice", 422, "invalid_fields"},
    {"another account's", "BOB@example.org", 409, "email_in_use"},
    {"the one it has already", "alice@example.org", 200, ""},
};

static void changes_nothing_for_a_refused_correction(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *before = NULL;

    (void)state;
    ua_test_register(t, "bob");
    ua_test_register(t, "alice");
    before = ua_test_rows(t);
    t->json = 1;
    for (size_t i = 0; i < COUNT(corrections); i++) {
        assert_status(t, correct(t, corrections[i].email), corrections[i].status);
        assert_value(t, "code", corrections[i].code);
        assert_string_equal(ua_test_rows(t), before);
    }
    t->json = 0;
    assert_status(t, correct(t, "bob@example.org"), 409);
    assert_shows(t, "Email already in use");
    apr_table_clear(t->jar);
    assert_status(t, correct(t, "mallory@example.org"), 403); /* a stranger */
    t->json = 1;
    assert_status(t, correct(t, "mallory@example.org"), 403);
    assert_value(t, "detail", "Only the browser that registered can correct the address.");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

/* SESS-08: what is verified changes its address elsewhere. */
static void corrects_no_verified_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *before = NULL;

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
    before = ua_test_rows(t);
    t->json = 1;
    assert_status(t, correct(t, "mallory@example.org"), 200);
    assert_value(t, "mail", "verified");
    assert_value(t, "email", "alice@example.org");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

static void limits_mails_of_one_client_address(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit mail 2/1h", NULL);

    (void)state;
    t->json = 1;
    ua_test_register(t, "alice");
    assert_status(t, correct(t, "alice1@example.org"), 200);
    assert_status(t, correct(t, "alice2@example.org"), 200);
    assert_status(t, correct(t, "alice3@example.org"), 429);
    assert_value(t, "code", "rate_limited");
    assert_string_equal(ua_test_scalar(t, "SELECT email FROM account"), "alice2@example.org");
    ua_test_close(t);
}

/* Two mails to one address within a minute, by way of corrections. */
static void limits_mails_to_one_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    t->json = 1;
    ua_test_register(t, "alice");
    assert_status(t, correct(t, "alice1@example.org"), 200);
    assert_status(t, correct(t, "alice@example.org"), 429);
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "60");
    assert_string_equal(ua_test_scalar(t, "SELECT email || corrections FROM account"),
                        "alice1@example.org1");
    ua_test_close(t);
}

/* A mail that was given up is not on its way. */
static void does_not_call_a_dropped_mail_queued(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_sql(t, "UPDATE outbox SET state = 2, attempts = 0");
    t->json = 1;
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_string_not_equal(ua_test_value(t, "mail"), "queued");
    assert_string_not_equal(ua_test_value(t, "mail"), "sent");
    t->json = 0;
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_shows(t,
                 "Our email to <strong>alice@example.org</strong> could not be sent in time.");
    assert_false(ua_test_shows(t, "It can take some minutes to arrive"));
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_mail),
        cmocka_unit_test(says_that_the_mail_is_delayed),
        cmocka_unit_test(tells_strangers_nothing),
        cmocka_unit_test(corrects_the_address),
        cmocka_unit_test(stops_the_mail_to_the_wrong_address),
        cmocka_unit_test(corrects_three_times),
        cmocka_unit_test(changes_nothing_for_a_refused_correction),
        cmocka_unit_test(corrects_no_verified_address),
        cmocka_unit_test(limits_mails_of_one_client_address),
        cmocka_unit_test(limits_mails_to_one_address),
        cmocka_unit_test(does_not_call_a_dropped_mail_queued),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
