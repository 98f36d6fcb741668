/* test_mailer_kinds.c: what every kind of mail holds: its one link, "this wasn't me", when and from where;
 * and that what a client sends stays text in it (MAIL-12, SMTP-02, XSS-01). */
#include "fixture.h"

#include "base/mail.h"

#define TOKEN  "11111111-1111-4111-8111-111111111111"
#define DISOWN "22222222-2222-4222-8222-222222222222"

static const ua_outbox_t row = {
    .id = "01234567-89ab-4cde-8f01-23456789abcd",
    .account_id = "0f0e0d0c-0b0a-4908-8706-050403020100",
    .email = "alice@example.org",
    .username = "alice",
    .token_id = TOKEN,
    .disown_id = DISOWN,
    .detail = "{\"device\":\"Firefox on Linux\",\"address\":\"192.0.2.7\",\"email\":\"new@"
              "example.org\"}",
    .created = UA_TEST_START,
    .expires = UA_TEST_START + apr_time_from_sec(86400)};

/* A mail of this kind as the features queue it: a link it has no use for has no row. */
static ua_mail_t mail_of(ua_test_t *t, int kind, const char *detail)
{
    ua_outbox_t of = row;
    ua_mail_t mail = {0};

    of.kind = (ua_mail_kind_e)kind;
    of.token_id = *ua_mail_kinds[kind].purpose ? TOKEN : "";
    of.disown_id = ua_mail_kinds[kind].disown ? DISOWN : "";
    of.detail = detail ? detail : row.detail;
    assert_int_equal(ua_mailer_write(&mail, t->app, ua_test_context(t), &of), APR_SUCCESS);
    return mail;
}

static int count_of(const char *text, const char *part)
{
    int n = 0;

    for (const char *p = strstr(text, part); p; p = strstr(p + strlen(part), part)) {
        n++;
    }
    return n;
}

/* MAIL-12: one link that does something, and the way out where the kind has one; in both parts. */
static void links(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (int kind = 0; kind < UA_MAIL_NOBODY; kind++) {
        const ua_mail_kind_t *k = &ua_mail_kinds[kind];
        ua_mail_t mail = mail_of(t, kind, NULL);
        int has = *k->purpose != '\0';
        const char *page =
            apr_pstrcat(t->pool, "/auth/", k->purpose, "?token=" TOKEN ".", NULL);

        if (count_of(mail.text, "?token=") != has + k->disown ||
            count_of(mail.text, page) != has ||
            count_of(mail.text, "/auth/disown?token=" DISOWN ".") != k->disown ||
            (count_of(mail.html, page) > 0) != has ||
            (count_of(mail.html, "/auth/disown?token=" DISOWN ".") > 0) != k->disown) {
            fail_msg("%s: %s\n%s", k->name, mail.text, mail.html);
        }
    }
    ua_test_close(t);
}

/* look.md: a subject of at most 60 characters, short lines of text, a greeting, who sends it. */
static void words(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthSiteName \"Bread & Butter\"", NULL);

    (void)state;
    for (int kind = 0; kind < UA_MAIL_NOBODY; kind++) {
        ua_mail_t mail = mail_of(t, kind, NULL);

        if (strlen(mail.subject) > 60 || strncmp(mail.text, "Hello alice,\n", 13) != 0 ||
            !strstr(mail.text, "Bread & Butter") || !strstr(mail.html, "Bread &amp; Butter") ||
            !strstr(mail.html, "Hello alice,") || strstr(mail.text, "{{") ||
            strstr(mail.html, "{{") || strstr(mail.text, "\n\n\n\n")) {
            fail_msg("%s: %s\n%s", ua_mail_kinds[kind].name, mail.subject, mail.text);
        }
        for (const char *line = mail.text; *line;
             line += strcspn(line, "\n"), line += !!*line) {
            if (!strstr(apr_pstrndup(t->pool, line, strcspn(line, "\n")), "http")) {
                assert_true(strcspn(line, "\n") <= 72);
            }
        }
    }
    ua_test_close(t);
}

static const struct {
    ua_mail_kind_e kind;
    const char *said;
} facts[] = {
    {UA_MAIL_NEW_DEVICE, "From: Firefox on Linux, 192.0.2.7"},
    {UA_MAIL_NEW_DEVICE, "When: 21 November 2026 at 08:30 UTC"},
    {UA_MAIL_LOCKED, "From: Firefox on Linux, 192.0.2.7"},
    {UA_MAIL_LOCKED, "http://localhost:8080/auth/forgot"},
    {UA_MAIL_DISOWNED, "http://localhost:8080/auth/forgot"},
    {UA_MAIL_WELCOME, "http://localhost:8080/auth/login"},
    {UA_MAIL_TAKEN, "http://localhost:8080/auth/login"},
    {UA_MAIL_VERIFY, "until 22 November 2026 at 08:30 UTC"},
};

static void facts_are_said(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        ua_mail_t mail = mail_of(t, facts[i].kind, NULL);

        if (!strstr(mail.text, facts[i].said)) {
            fail_msg("%s: %s\n%s", ua_mail_kinds[facts[i].kind].name, facts[i].said, mail.text);
        }
    }
    ua_test_close(t);
}

/* The 8 digits stand on a line of their own, in the verification mail alone. */
static void the_code(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_token_t token = {.id = TOKEN,
                        .account_id = row.account_id,
                        .purpose = UA_PURPOSE_VERIFY,
                        .email = row.email};
    const char *code = NULL;

    (void)state;
    assert_int_equal(ua_token_code(&code, t->pool, t->app->keys, &token), APR_SUCCESS);
    for (int kind = 0; kind < UA_MAIL_NOBODY; kind++) {
        ua_mail_t mail = mail_of(t, kind, NULL);
        int is_verify = kind == UA_MAIL_VERIFY;

        assert_int_equal(count_of(mail.text, apr_pstrcat(t->pool, "\n", code, "\n", NULL)),
                         is_verify);
        assert_int_equal(count_of(mail.html, code), is_verify);
    }
    ua_test_close(t);
}

/* SMTP-02, XSS-01: a User-Agent is whatever a client likes. */
static void what_a_client_sends_is_text(void **state)
{
    static const char detail[] = "{\"device\":\"<b>x</b>\\r\\nBcc: eve@example.net\","
                                 "\"address\":\"<i>\"}";
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (int kind = 0; kind < UA_MAIL_NOBODY; kind++) {
        ua_mail_t mail = mail_of(t, kind, detail);

        assert_null(strstr(mail.subject, "Bcc"));
        assert_null(strpbrk(mail.subject, "\r\n"));
        assert_null(strstr(mail.html, "<b>x"));
        assert_null(strstr(mail.html, "<i>"));
    }
    ua_test_close(t);
}

/* A row without a detail, as an earlier version wrote it, or a damaged one. */
static void goes_without_details(void **state)
{
    static const char *const details[] = {"", "{", "[]", "null"};
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
        for (int kind = 0; kind < UA_MAIL_NOBODY; kind++) {
            assert_non_null(mail_of(t, kind, details[i]).text);
        }
    }
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links),
        cmocka_unit_test(words),
        cmocka_unit_test(facts_are_said),
        cmocka_unit_test(the_code),
        cmocka_unit_test(what_a_client_sends_is_text),
        cmocka_unit_test(goes_without_details),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
