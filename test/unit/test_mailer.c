/* test_mailer.c: what a mail says, and that nothing but the mail holds its links. */
#include "fixture.h"

#include "base/mail.h"
#include "domain/outbox.h"

#define ACCOUNT "0f0e0d0c-0b0a-4908-8706-050403020100"

static const ua_outbox_t row = {.id = "01234567-89ab-4cde-8f01-23456789abcd",
                                .account_id = ACCOUNT,
                                .kind = UA_MAIL_VERIFY,
                                .email = "alice@example.org",
                                .username = "alice",
                                .token_id = "11111111-1111-4111-8111-111111111111",
                                .disown_id = "22222222-2222-4222-8222-222222222222",
                                .created = UA_TEST_START,
                                .expires = UA_TEST_START + apr_time_from_sec(86400)};

static apr_status_t write_mail(ua_mail_t *mail, ua_test_t *t, const ua_outbox_t *of)
{
    ua_ctx_t *ctx = ua_test_context(t);
    apr_status_t rv = ua_mailer_write(mail, t->app, ctx, of);

    if (rv != APR_SUCCESS) {
        print_message("fails: %s\n", ctx->failed);
    }
    return rv;
}

/* The link that a row stands for, made as the reader of links makes it. */
static const char *link_of(ua_test_t *t, const char *purpose, const char *id)
{
    ua_token_t token = {
        .id = id, .account_id = ACCOUNT, .purpose = purpose, .email = "alice@example.org"};
    const char *text = NULL;

    assert_int_equal(ua_token_text(&text, t->pool, t->app->keys, &token), APR_SUCCESS);
    return apr_pstrcat(t->pool, t->conf->site, t->conf->path, "/", purpose, "?token=", text,
                       NULL);
}

static int count_of(const char *text, const char *part)
{
    int n = 0;

    for (const char *p = strstr(text, part); p; p = strstr(p + strlen(part), part)) {
        n++;
    }
    return n;
}

static void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("not said: %s\nin: %s", part, text);
    }
}

/* Contract 3, MAIL-12: greeting, link, expiry, what to do, the way out; in both parts alike. */
static void the_verification_mail(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthSiteName \"Bread & Butter\"",
                                "UserAuthMailReplyTo \"Help <help@example.com>\"", NULL);
    const char *verify = link_of(t, "verify", row.token_id);
    const char *disown = link_of(t, "disown", row.disown_id);
    ua_mail_t mail = {0};

    (void)state;
    assert_int_equal(write_mail(&mail, t, &row), APR_SUCCESS);
    assert_string_equal(mail.id, row.id);
    assert_int_equal(mail.date, row.created);
    assert_string_equal(mail.from_name, "Example");
    assert_string_equal(mail.from_address, "accounts@example.com");
    assert_string_equal(mail.to, "alice@example.org");
    assert_string_equal(mail.reply_to, "help@example.com");
    assert_string_equal(mail.subject, "Confirm your email for Bread & Butter");
    assert_int_equal(strncmp(mail.text, "Hello alice,\n", 13), 0);
    assert_int_equal(count_of(mail.text, verify), 1);
    assert_int_equal(count_of(mail.text, disown), 1);
    assert_int_equal(count_of(mail.text, "?token="), 2);
    assert_says(mail.text, "24 hours");
    assert_says(mail.text, "22 November 2026 at 08:30 UTC");
    assert_says(mail.text, "Not you?");
    assert_says(mail.text, "Remove this registration");
    assert_says(mail.text, "Bread & Butter"); /* text is text */
    assert_says(mail.html, "Bread &amp; Butter");
    assert_says(mail.html, "Hello alice,");
    assert_says(mail.html, apr_pstrcat(t->pool, "href=\"", verify, "\"", NULL));
    assert_says(mail.html, apr_pstrcat(t->pool, "href=\"", disown, "\"", NULL));
    assert_says(mail.html, "22 November 2026 at 08:30 UTC");
    ua_test_close(t);
}

/* MAIL-12: nothing is fetched when a mail is opened. */
static void no_mail_calls_home(void **state)
{
    static const char *const parts[] = {"<img", "<script", "<link", "src=", "url(", "@import"};
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (int kind = 0; kind < UA_MAIL_NOBODY; kind++) {
        ua_outbox_t of = row;
        ua_mail_t mail = {0};

        of.kind = (ua_mail_kind_e)kind;
        assert_int_equal(write_mail(&mail, t, &of), APR_SUCCESS);
        for (size_t n = 0; n < sizeof parts / sizeof *parts; n++) {
            assert_null(strstr(mail.html, parts[n]));
        }
        assert_null(strstr(mail.text, "{{"));
        assert_null(strstr(mail.html, "{{"));
        assert_null(strstr(mail.text, "\n\n\n\n"));
    }
    ua_test_close(t);
}

/* Contract 3: "already confirmed, log in here": no link that does anything. */
static void the_confirmed_mail(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_outbox_t of = row;
    ua_mail_t mail = {0};

    (void)state;
    of.kind = UA_MAIL_CONFIRMED;
    of.token_id = of.disown_id = "";
    assert_int_equal(write_mail(&mail, t, &of), APR_SUCCESS);
    assert_string_equal(mail.subject, "Already confirmed: log in to localhost");
    assert_says(mail.text, "Hello alice,");
    assert_says(mail.text, "http://localhost:8080/auth/login");
    assert_says(mail.html, "href=\"http://localhost:8080/auth/login\"");
    assert_null(strstr(mail.text, "token="));
    assert_null(strstr(mail.html, "token="));
    assert_string_equal(mail.reply_to, "");
    ua_test_close(t);
}

/* HOST: a link begins with the base URL and the administrator's path, whatever Host was sent. */
static void links_begin_with_the_base_url(void **state)
{
    ua_test_t *t =
        ua_test_open("UserAuthBaseURL https://www.example.com:8443", "UserAuthPath /in", NULL);
    ua_mail_t mail = {0};

    (void)state;
    assert_int_equal(write_mail(&mail, t, &row), APR_SUCCESS);
    assert_says(mail.text, "\nhttps://www.example.com:8443/in/verify?token=11111111-");
    assert_says(mail.text, "\nhttps://www.example.com:8443/in/disown?token=22222222-");
    ua_test_close(t);
}

/* The purpose, the address and the account are in the tag: no link serves for another. */
static void each_row_has_its_own_link(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_outbox_t other = row;
    ua_mail_t mail = {0};

    (void)state;
    other.email = "mallory@example.org";
    assert_int_equal(write_mail(&mail, t, &other), APR_SUCCESS);
    assert_null(strstr(mail.text, link_of(t, "verify", row.token_id)));
    other = row;
    other.account_id = "33333333-3333-4333-8333-333333333333";
    assert_int_equal(write_mail(&mail, t, &other), APR_SUCCESS);
    assert_null(strstr(mail.text, link_of(t, "verify", row.token_id)));
    ua_test_close(t);
}

/* MAIL-05: what is said is the link's own end, not counted from the sending. */
static void a_late_mail_says_when_it_ends(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthVerifyLifetime 2h", NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_clock(t, 3600);
    assert_non_null(ua_test_mail(t));
    assert_says(t->mail, "2 hours");
    assert_says(t->mail, "21 November 2026 at 10:30 UTC");
    ua_test_close(t);
}

/* TOK-10, INV-6: nothing in the rows makes a link. */
static void no_row_holds_a_link(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *rows = NULL;
    const char *tag = NULL;

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    rows = ua_test_rows(t);
    for (int i = 0; i < 2; i++) {
        tag = strchr(ua_test_token(t, i ? "disown" : "verify"), '.') + 1;
        assert_int_equal(strlen(tag), UA_DIGEST_TEXT);
        assert_null(strstr(rows, tag));
        assert_null(strstr(rows, apr_pstrmemdup(t->pool, tag, 16)));
    }
    assert_null(strstr(rows, "http://localhost:8080/auth"));
    ua_test_close(t);
}

/* Contract 3: nothing typed by a person but the username goes to an address nobody proved. */
static void nothing_else_typed_is_sent(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email",
                               "alice@example.org", "password", UA_TEST_PASSWORD,
                               "display_name", "Buy canary pills", NULL),
                  303);
    assert_non_null(ua_test_mail(t));
    assert_null(strstr(t->mail, "canary"));
    assert_null(strstr(t->mail, UA_TEST_PASSWORD));
    assert_says(t->mail, "Hello alice,");
    ua_test_close(t);
}

/* A message of RFC 5322 leaves: both parts, and marked as automatic. */
static void a_complete_message(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    assert_says(t->mail, "From: Example <accounts@example.com>\r\n");
    assert_says(t->mail, "To: alice@example.org\r\n");
    assert_says(t->mail, "Subject: Confirm your email for localhost\r\n");
    assert_says(t->mail, "Date: Sat, 21 Nov 2026 08:30:00 +0000\r\n");
    assert_says(t->mail, "Auto-Submitted: auto-generated\r\n");
    assert_says(t->mail, "Message-ID: <");
    assert_says(t->mail, "Content-Type: multipart/alternative;");
    assert_says(t->mail, "text/plain; charset=UTF-8");
    assert_says(t->mail, "text/html; charset=UTF-8");
    assert_int_equal(count_of(t->mail, "Subject:"), 1);
    ua_test_close(t);
}

static void an_unknown_kind_fails(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_outbox_t of = row;
    ua_mail_t mail = {.id = "untouched"};

    (void)state;
    of.kind = UA_MAIL_NOBODY;
    assert_int_not_equal(write_mail(&mail, t, &of), APR_SUCCESS);
    assert_string_equal(mail.id, "untouched");
    ua_test_close(t);
}

/* CFG-06: an operator's mail without its first line is found out at start, not at the first mail. */
static void a_template_without_subject(void **state)
{
    ua_test_t *t = ua_test_begin();
    const char *err = NULL;

    (void)state;
    ua_test_write(t, "own/mail/verify.txt", "Hello {{username}}\n{{link}}\n");
    err = ua_test_start(t, "UserAuthTemplates {}/own", NULL);
    assert_non_null(err);
    assert_says(err, "verify.txt");
    assert_says(err, "Subject: ");
    ua_test_write(t, "own/mail/verify.txt",
                  "Subject: H\xc3\xa9llo {{username}}\r\n\r\nMine: {{link}}\r\n");
    assert_null(ua_test_start(t, "UserAuthTemplates {}/own", NULL));
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    assert_says(t->mail, "Subject: =?");
    assert_says(t->mail, "Mine: http://localhost:8080/auth/verify?token=");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verification_mail),
        cmocka_unit_test(no_mail_calls_home),
        cmocka_unit_test(the_confirmed_mail),
        cmocka_unit_test(links_begin_with_the_base_url),
        cmocka_unit_test(each_row_has_its_own_link),
        cmocka_unit_test(a_late_mail_says_when_it_ends),
        cmocka_unit_test(no_row_holds_a_link),
        cmocka_unit_test(nothing_else_typed_is_sent),
        cmocka_unit_test(a_complete_message),
        cmocka_unit_test(an_unknown_kind_fails),
        cmocka_unit_test(a_template_without_subject),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
