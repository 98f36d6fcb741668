/* test_resend.c: another verification mail: the same answer for every address, and how many mails one
 * address gets. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static int resend(ua_test_t *t, const char *email)
{
    return ua_test_post(t, "/auth/resend", "email", email, NULL);
}

static void sends_a_new_link(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    apr_table_clear(t->jar);
    ua_test_clock(t, 60);
    assert_status(t, ua_test_submit(t, "/auth/resend", "email", "ALICE@example.org", NULL),
                  303);
    assert_string_equal(ua_test_location(t), "/auth/check-email");
    assert_non_null(strstr(ua_test_mail(t), "To: alice@example.org"));
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE state = 0 AND purpose "
                                      "= 'verify'"),
                     2); /* the older one lives on */
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  303);
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *email;
    const char *row; /* what was written: kind|state|address */
} addresses[] = {
    {"not verified", "alice@example.org", "verify|0|alice@example.org"},
    {"verified", "bob@example.org", "confirmed|0|bob@example.org"},
    {"unknown", "carol@example.org", "nobody|0|"},
};

/* ENUM-06: the same work for every address: a mail and two links. */
static void writes_alike_for_every_address(void **state)
{
    static const char links[] = "SELECT COUNT(*) FROM token";
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "bob");
    ua_test_register(t, "alice");
    apr_table_clear(t->jar);
    ua_test_clock(t, 60);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        apr_int64_t before = ua_test_count(t, links);

        assert_status(t, resend(t, addresses[i].email), 303);
        assert_int_equal(ua_test_count(t, links), before + 2);
    }
    ua_test_close(t);
}

/* ENUM-06, TOK-18: nothing in the answer tells which it is. */
static void answers_alike_for_every_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *answer = NULL;

    (void)state;
    ua_test_member(t, "bob");
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    apr_table_clear(t->jar);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        ua_test_clock(t, 60);
        t->json = 0;
        assert_status(t, resend(t, addresses[i].email), 303);
        assert_string_equal(ua_test_location(t), "/auth/check-email");
        assert_int_equal(t->res->cookies->nelts, 0);
        assert_string_equal(
            ua_test_scalar(t, "SELECT kind || '|' || state || '|' || email FROM outbox ORDER "
                              "BY created DESC, rowid DESC LIMIT 1"),
            addresses[i].row);
        ua_test_clock(t, 60);
        t->json = 1;
        assert_status(t, resend(t, addresses[i].email), 202);
        assert_value(t, "message",
                     "If this address needs confirming, a new link is on its way.");
        answer = answer ? answer : apr_pstrdup(t->pool, t->body);
        assert_string_equal(t->body, answer);
    }
    assert_int_equal(ua_test_count(t, "SELECT enabled FROM account WHERE username = 'bob'"), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE email LIKE 'carol%%'"),
                     0);
    ua_test_close(t);
}

static void tells_the_owner_that_nothing_is_needed(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *mail = NULL;

    (void)state;
    ua_test_member(t, "bob");
    ua_test_clock(t, 60);
    assert_status(t, resend(t, "bob@example.org"), 303);
    mail = ua_test_mail(t);
    assert_non_null(mail);
    assert_non_null(strstr(mail, "Subject: Already confirmed: log in to localhost"));
    assert_non_null(strstr(mail, "http://localhost:8080/auth/login"));
    assert_null(strstr(mail, "token="));
    ua_test_clock(t, 60);
    assert_status(t, resend(t, "carol@example.org"), 303);
    assert_null(ua_test_mail(t)); /* nobody's address gets none */
    ua_test_close(t);
}

/* UNI-01: the mail goes to the stored address, never to what was typed. */
static void writes_to_the_stored_address(void **state)
{
    static const char *const typed[] = {"m\xc4\xb1"
                                        "ke@example.org",
                                        "mike@exampIe.org", "mike@example.org.evil.example"};
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    (void)state;
    ua_test_register(t, "mike");
    assert_non_null(ua_test_mail(t));
    for (size_t i = 0; i < COUNT(typed); i++) {
        (void)resend(t, typed[i]);
        assert_null(ua_test_mail(t));
    }
    assert_status(t, resend(t, "MIKE@EXAMPLE.ORG"), 303);
    assert_non_null(strstr(ua_test_mail(t), "To: mike@example.org"));
    ua_test_close(t);
}

static const struct {
    const char *comment;
    apr_int64_t seconds; /* since the last one */
    int status;
    const char *retry;
} tries[] = {
    {"the registration's own mail counts", 0, 429, "60"},
    {"a second before the minute is over", 59, 429, "1"},
    {"a minute", 1, 202, ""},
    {"3rd", 60, 202, ""},
    {"4th", 60, 202, ""},
    {"5th of the hour", 60, 202, ""},
    {"6th", 60, 429, "3300"},
    {"when the hour is over", 3300, 202, ""},
    {"7th", 60, 202, ""},
    {"8th", 60, 202, ""},
    {"9th", 60, 202, ""},
    {"10th of the day", 60, 202, ""},
    {"11th", 3600, 429, "78960"},
    {"when the day is over", 78960, 202, ""},
};

/* MAIL-01: 1 in a minute, 5 in an hour, 10 in a day; unknown addresses alike. */
static void limits_mails_to_one_address(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit mail off", NULL);

    (void)state;
    t->json = 1;
    ua_test_register(t, "alice");
    apr_table_clear(t->jar);
    assert_status(t, resend(t, "unknown@example.org"), 202); /* as the registration counted */
    for (size_t i = 0; i < COUNT(tries); i++) {
        const char *before = NULL;
        const char *known = NULL;

        ua_test_clock(t, tries[i].seconds);
        before = ua_test_rows(t);
        if (resend(t, "Alice@Example.org") != tries[i].status) {
            fail_msg("%s: %d %s", tries[i].comment, t->res->status, t->body);
        }
        assert_string_equal(ua_test_reply_header(t, "Retry-After"), tries[i].retry);
        known = apr_pstrdup(t->pool, t->body);
        if (tries[i].status == 429) {
            assert_value(t, "code", "rate_limited");
            assert_string_equal(ua_test_rows(t), before);
        }
        assert_status(t, resend(t, "unknown@example.org"), tries[i].status);
        assert_string_equal(t->body, known);
    }
    ua_test_close(t);
}

/* Strangers who ask for somebody's mails do not use up the owner's. */
static void keeps_a_bucket_for_the_browser_that_registered(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    apr_table_t *own = NULL;

    (void)state;
    t->json = 1;
    ua_test_register(t, "alice");
    own = t->jar;
    t->jar = apr_table_make(t->pool, 4);
    for (int i = 0; i < 4; i++) {
        ua_test_clock(t, 60);
        assert_status(t, resend(t, "alice@example.org"), 202);
    }
    assert_status(t, resend(t, "alice@example.org"), 429);
    t->jar = own;
    assert_status(t, resend(t, "alice@example.org"), 202);
    assert_status(t, resend(t, "alice@example.org"), 429);
    assert_status(t, resend(t, "unknown@example.org"), 202);
    assert_status(t, resend(t, "unknown@example.org"), 429); /* no bucket for others' */
    ua_test_close(t);
}

/* A browser its owner signed in from, likewise. */
static void keeps_a_bucket_for_a_known_browser(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    apr_table_t *own = NULL;

    (void)state;
    ua_test_member(t, "bob");
    ua_test_login(t, "bob");
    ua_test_forget(t, "");
    own = t->jar;
    t->jar = apr_table_make(t->pool, 4);
    ua_test_clock(t, 60);
    assert_status(t, resend(t, "bob@example.org"), 303);
    assert_status(t, resend(t, "bob@example.org"), 429);
    t->jar = own;
    assert_status(t, resend(t, "bob@example.org"), 303);
    assert_status(t, resend(t, "bob@example.org"), 429);
    ua_test_close(t);
}

static void limits_requests_of_one_client_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    t->json = 1;
    for (int i = 0; i < 20; i++) {
        assert_status(t, resend(t, apr_psprintf(t->pool, "a%d@example.org", i)), 202);
    }
    assert_status(t, resend(t, "b@example.org"), 429);
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "3600");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox"), 20);
    t->address = "192.0.2.8";
    assert_status(t, resend(t, "b@example.org"), 202);
    ua_test_close(t);
}

static void asks_for_an_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, resend(t, "alice"), 422);
    assert_shows(t, "Enter an email address like name@example.com.");
    assert_shows(t, "value=\"alice\"");
    t->json = 1;
    assert_status(t, resend(t, ""), 422);
    assert_value(t, "errors.email", "Enter your email address.");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_a_new_link),
        cmocka_unit_test(answers_alike_for_every_address),
        cmocka_unit_test(writes_alike_for_every_address),
        cmocka_unit_test(tells_the_owner_that_nothing_is_needed),
        cmocka_unit_test(writes_to_the_stored_address),
        cmocka_unit_test(limits_mails_to_one_address),
        cmocka_unit_test(keeps_a_bucket_for_the_browser_that_registered),
        cmocka_unit_test(keeps_a_bucket_for_a_known_browser),
        cmocka_unit_test(limits_requests_of_one_client_address),
        cmocka_unit_test(asks_for_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
