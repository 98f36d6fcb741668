/* test_forgot.c: a link that sets a new password: the same answer and rows for every address, no wait that
 * stops it, and how many mails one address gets. */
#include "passwords.h"

static void sends_a_link(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *mail = NULL;

    (void)state;
    ua_test_member(t, "alice");
    ua_test_clock(t, 60);
    assert_status(t, ua_test_get(t, "/auth/forgot"), 200);
    assert_shows(t, "<h1>Forgot your password?</h1>");
    assert_status(t, ua_test_submit(t, "/auth/forgot", "email", "ALICE@example.org", NULL),
                  303);
    assert_string_equal(ua_test_location(t), "/auth/forgot?notice=reset-sent");
    assert_status(t, ua_test_get(t, ua_test_location(t)), 200);
    assert_shows(t, "If this address has an account here, a link to set a new password is on "
                    "its way.");
    mail = letter(t, ALICE);
    assert_non_null(mail);
    assert_non_null(strstr(mail, "Subject: Reset your password for localhost\r\n"));
    assert_non_null(strstr(mail, "Hello alice,"));
    assert_non_null(strstr(mail, "http://localhost:8080/auth/reset?token="));
    assert_non_null(strstr(mail, "The link works for 1 hour, until"));
    assert_non_null(strstr(mail, "Not you? Then ignore this email."));
    assert_int_equal(ua_test_events(t, "reset_requested"), 1);
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *name;
    const char *change; /* of its row, or NULL */
    const char *rows;   /* what was written: kind|state|address|purpose */
} people[] = {
    {"verified", "bob", NULL, "reset|0|bob@example.org|reset"},
    {"not verified", "alice", NULL, "reset|0|alice@example.org|reset"},
    {"unknown", "carol", NULL, "nobody|0||reset"},
    {"shut out", "dave", "enabled = 0", "nobody|0||reset"},
    {"disowned", "erin", "password_off = 1", "reset|0|erin@example.org|reset"},
    {"closed yesterday", "frank", "enabled = 0, closed = verified - 86400000000",
     "closed|0|frank@example.org|restore"},
    {"closed too long ago", "grace", "enabled = 0, closed = verified - 7 * 86400000000",
     "nobody|0||restore"},
};

static apr_int64_t rows_of(ua_test_t *t)
{
    return ua_test_count(t, "SELECT (SELECT COUNT(*) FROM token) + 100 * (SELECT COUNT(*) FROM "
                            "outbox) + 10000 * (SELECT COUNT(*) FROM event) + 1000000 * "
                            "(SELECT COUNT(*) FROM throttle)");
}

/* The first from an address of its own, so that all write as many counters. */
static void ask_twice(ua_test_t *t, const char *email, const char *address)
{
    apr_int64_t before = rows_of(t);

    t->address = address;
    t->json = 0;
    assert_status(t, forgot(t, email), 303);
    assert_string_equal(ua_test_location(t), "/auth/forgot?notice=reset-sent");
    assert_int_equal(t->res->cookies->nelts, 0);
    assert_int_equal(rows_of(t) - before, 4010101); /* one row each; 3 mail limits, 1 client */
    t->json = 1;
    ua_test_clock(t, 60);
    assert_status(t, forgot(t, email), 202);
    assert_string_equal(t->body,
                        "{\"message\":\"If this address has an account here, a link to set a "
                        "new password is on its way.\"}");
}

/* ENUM-05, ENUM-06: nothing in the answer tells which it is, and as much is written. */
static void answers_alike_for_every_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *written = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(people); i++) {
        if (i != 1 && i != 2) {
            join(t, people[i].name);
        }
        if (people[i].change) {
            ua_test_sql(t, "UPDATE account SET %s WHERE username = '%s'", people[i].change,
                        people[i].name);
        }
    }
    ua_test_register(t, "alice");
    assert_non_null(letter(t, ALICE));
    apr_table_clear(t->jar);
    ua_test_sql(t, "DELETE FROM throttle");
    for (size_t i = 0; i < COUNT(people); i++) {
        ask_twice(t, apr_pstrcat(t->pool, people[i].name, "@example.org", NULL),
                  apr_psprintf(t->pool, "198.51.100.%d", (int)i));
        written = ua_test_scalar(
            t, "SELECT o.kind || '|' || o.state || '|' || o.email || '|' || t.purpose FROM "
               "outbox o, token t ORDER BY o.rowid DESC, t.rowid DESC LIMIT 1");
        if (strcmp(written, people[i].rows) != 0) {
            fail_msg("%s: %s", people[i].comment, written);
        }
    }
    ua_test_close(t);
}

/* ENUM-06: the mail server's mood is no part of the answer. */
static void answers_alike_without_a_mail_server(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMail smtp://127.0.0.1:9 a@example.com",
                                "UserAuthMailLimit off", NULL);
    const char *answer = NULL;

    (void)state;
    ua_test_register(t, "alice");
    apr_table_clear(t->jar);
    t->json = 1;
    for (int i = 0; i < 2; i++) {
        assert_status(t, forgot(t, ALICE), 202);
        answer = apr_pstrdup(t->pool, t->body);
        assert_status(t, forgot(t, "unknown@example.org"), 202);
        assert_string_equal(t->body, answer);
        if (i == 0) {
            ua_test_expect(t, "UA0201");
            assert_null(ua_test_mail(t));
        }
    }
    ua_test_close(t);
}

/* Who closed the account reads until when it can be brought back: that time does not begin anew. */
static void tells_a_closed_account_its_time(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *mail = NULL;

    (void)state;
    ua_test_member(t, "alice");
    ua_test_sql(t, "UPDATE account SET enabled = 0, closed = %" APR_TIME_T_FMT, t->now);
    ua_test_clock(t, DAYS(3));
    assert_status(t, forgot(t, ALICE), 303);
    mail = letter(t, ALICE);
    assert_non_null(mail);
    assert_non_null(strstr(mail, "Subject: Your account on localhost is closed"));
    assert_non_null(strstr(mail, "/auth/restore?token="));
    assert_non_null(strstr(mail, "28 November 2026")); /* 7 days after the 21st */
    ua_test_close(t);
}

/* Contract 8: a reset is never blocked by a wait, nor by the end of all waits. */
static void is_not_stopped_by_failed_sign_ins(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthLockDisable 6", NULL);

    (void)state;
    ua_test_member(t, "alice");
    for (int i = 0; i < 6; i++) {
        ua_test_clock(t, 3600);
        assert_status(t, log_in(t, "alice", "wrong-password-1"), 401);
    }
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 429);
    assert_non_null(reset_link(t, ALICE));
    ua_test_close(t);
}

/* UNI-01: the mail goes to the stored address, never to what was typed. */
static void writes_to_the_stored_address(void **state)
{
    static const struct {
        const char *typed;
        int known;
    } rows[] = {
        {"MIKE@example.org", 1},
        {"Mike@EXAMPLE.ORG", 1},
        {"m\xc4\xb1ke@example.org", 0},     /* dotless i */
        {"mike@exampIe.org", 0},            /* capital i for l */
        {"\xef\xbd\x8dike@example.org", 0}, /* fullwidth m */
        {"mi\xe2\x84\xaa"
         "e@example.org",
         0}, /* Kelvin sign */
        {"mike@example.org.evil.example", 0},
        {"mike+x@example.org", 0},
        {"mike@example.org, eve@evil.example", 0},
        {"mike@example.org\r\nBcc: eve@evil.example", 0},
    };

    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    (void)state;
    join(t, "mike");
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)forgot(t, rows[i].typed);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'reset'"),
                         i < 2 ? i + 1 : 2);
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE email NOT IN ('', "
                                      "'mike@example.org')"),
                     0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE purpose = 'reset' AND "
                                      "email NOT IN ('', 'mike@example.org')"),
                     0);
    ua_test_close(t);
}

/* 429 alike for an address that nobody has; resend counts together with it. */
static void limits_mails_to_one_address(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit 2/1h", NULL);
    const char *known = NULL;
    const char *before = NULL;

    (void)state;
    join(t, "alice");
    t->json = 1;
    assert_status(t, forgot(t, ALICE), 202);
    assert_status(t, ua_test_post(t, "/auth/resend", "email", "nobody@example.org", NULL), 202);
    assert_status(t, forgot(t, "nobody@example.org"), 202);
    before = ua_test_rows(t);
    assert_status(t, forgot(t, ALICE), 429);
    assert_value(t, "code", "rate_limited");
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "3600");
    known = apr_pstrdup(t->pool, t->body);
    assert_status(t, forgot(t, "nobody@example.org"), 429);
    assert_string_equal(t->body, known);
    assert_string_equal(ua_test_rows(t), before);
    ua_test_clock(t, 3600);
    assert_status(t, forgot(t, ALICE), 202);
    ua_test_close(t);
}

/* Strangers who ask for somebody's mails do not use up those of a browser the person signed in with. */
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
    assert_status(t, forgot(t, "bob@example.org"), 303);
    assert_status(t, forgot(t, "bob@example.org"), 429);
    t->jar = own;
    assert_status(t, forgot(t, "bob@example.org"), 303);
    assert_status(t, forgot(t, "bob@example.org"), 429);
    ua_test_close(t);
}

static void limits_requests_of_one_client_address(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit mail 3/1h", NULL);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_status(t, forgot(t, apr_psprintf(t->pool, "a%d@example.org", i)), 303);
    }
    assert_status(t, forgot(t, "b@example.org"), 429);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox"), 3);
    t->address = "192.0.2.8";
    assert_status(t, forgot(t, "b@example.org"), 303);
    ua_test_close(t);
}

/* UserAuthHideAccounts: who pretended to own the address is answered as its owner would be, but sends no more
 * mails there than any stranger. */
static void sends_no_more_for_a_hidden_registration(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthHideAccounts on", "UserAuthMailLimit 1/1h", NULL);
    apr_table_t *eve = NULL;

    (void)state;
    join(t, "alice");
    ua_test_clock(t, 3600);
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "eve", "email", ALICE,
                               "password", UA_TEST_PASSWORD, NULL),
                  303);
    eve = t->jar;
    t->jar = apr_table_make(t->pool, 4);
    ua_test_clock(t, 3600);
    assert_status(t, forgot(t, ALICE), 303);
    t->jar = eve;
    assert_status(t, forgot(t, ALICE), 303);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'reset'"), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE purpose = 'reset'"), 2);
    ua_test_close(t);
}

static void asks_for_an_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, forgot(t, "alice"), 422);
    assert_shows(t, "Enter an email address like name@example.com.");
    assert_shows(t, "value=\"alice\"");
    t->json = 1;
    assert_status(t, forgot(t, ""), 422);
    assert_value(t, "errors.email", "Enter your email address.");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_a_link),
        cmocka_unit_test(answers_alike_for_every_address),
        cmocka_unit_test(answers_alike_without_a_mail_server),
        cmocka_unit_test(tells_a_closed_account_its_time),
        cmocka_unit_test(is_not_stopped_by_failed_sign_ins),
        cmocka_unit_test(writes_to_the_stored_address),
        cmocka_unit_test(limits_mails_to_one_address),
        cmocka_unit_test(keeps_a_bucket_for_a_known_browser),
        cmocka_unit_test(limits_requests_of_one_client_address),
        cmocka_unit_test(sends_no_more_for_a_hidden_registration),
        cmocka_unit_test(asks_for_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
