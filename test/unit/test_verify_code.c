/* test_verify_code.c: the 8 digits beside the verification link, for who reads the mail on another
 * device: in the browser that registered, five tries for each mail (contract 1 and 3). */
#include "fixture.h"

#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define DIGITS       "0123456789"

/* The line of eight digits in the newest mail. */
static const char *code_of(ua_test_t *t)
{
    const char *at = t->mail;

    assert_non_null(at);
    while ((at = strpbrk(at, DIGITS)) != NULL) {
        size_t length = strspn(at, DIGITS);

        if (length == 8 && at[-1] == '\n' && (at[8] == '\r' || at[8] == '\n')) {
            return apr_pstrndup(t->pool, at, 8);
        }
        at += length;
    }
    fail_msg("no code in the mail: %s", t->mail);
    return "";
}

/* A registration whose mail has arrived; the browser keeps its cookie. */
static const char *registered(ua_test_t **out, const char *line)
{
    *out = ua_test_open(line, NULL);
    ua_test_register(*out, "alice");
    assert_non_null(ua_test_mail(*out));
    return code_of(*out);
}

static int post(ua_test_t *t, const char *code)
{
    return ua_test_post(t, "/auth/verify", "code", code, NULL);
}

static const char *wrong(ua_test_t *t, const char *code, int step)
{
    return apr_psprintf(t->pool, "%08ld", (atol(code) + step) % 100000000L);
}

static apr_int64_t enabled(ua_test_t *t)
{
    return ua_test_count(t, "SELECT COUNT(*) FROM account WHERE enabled = 1");
}

static void does_what_the_link_does(void **state)
{
    ua_test_t *t = NULL;
    const char *code = registered(&t, NULL);
    const char *token = ua_test_token(t, "verify");
    const char *disown = ua_test_token(t, "disown");

    (void)state;
    assert_status(t, ua_test_submit(t, "/auth/verify", "code", code, NULL), 303);
    assert_string_equal(ua_test_location(t), "/auth/login?notice=verified");
    assert_int_equal(enabled(t), 1);
    assert_int_equal(ua_test_events(t, "\"event\":\"verified\""), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE state = 0"), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM held_name"), 1);
    assert_status(t, ua_test_post(t, "/auth/verify", "token", token, NULL), 410);
    assert_status(t, ua_test_post(t, "/auth/disown", "token", disown, NULL), 400);
    assert_status(t, post(t, code), 410); /* INV-1: once */
    assert_shows(t, "Verification link has already been used");
    assert_shows(t, "href=\"/auth/login\"");
    ua_test_login(t, "alice");
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = NULL;
    const char *code = registered(&t, NULL);

    (void)state;
    t->json = 1;
    assert_status(
        t,
        ua_test_post_json(t, "/auth/verify",
                          apr_psprintf(t->pool, "{\"token\":\"\",\"code\":\"%s\"}", code)),
        200);
    assert_string_equal(
        t->body, "{\"message\":\"Your email address is verified. You can log in now.\"}");
    ua_test_close(t);
}

static void may_be_typed_in_groups(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        ua_test_t *t = NULL;
        const char *code = registered(&t, NULL);
        const char *between[] = {" ", "-", "  - "};

        assert_status(t,
                      post(t, apr_pstrcat(t->pool, between[i], apr_pstrndup(t->pool, code, 4),
                                          between[i], code + 4, " ", NULL)),
                      303);
        assert_int_equal(enabled(t), 1);
        ua_test_close(t);
    }
}

/* What is no code costs no try. */
static void refuses_what_is_no_code(void **state)
{
    ua_test_t *t = NULL;
    const char *code = registered(&t, NULL);
    const char *typed[] = {
        "",         " ",
        "1234567",  apr_pstrcat(t->pool, code, "0", NULL),
        "abcdefgh", "1234567x",
        "+1234567", "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93" /* fullwidth digits */};
    const char *before = ua_test_rows(t);

    (void)state;
    for (size_t i = 0; i < COUNT(typed); i++) {
        t->json = 1;
        assert_status(t, post(t, typed[i]), 422);
        assert_value(t, "code", "invalid_fields");
        assert_value(t, "errors.code", "Enter the 8 digits from the email.");
        t->json = 0;
        assert_status(t, post(t, typed[i]), 422);
        assert_shows(t, "Enter the 8 digits from the email.");
        assert_shows(t, "autocomplete=\"one-time-code\"");
        assert_shows(t, "inputmode=\"numeric\"");
        assert_shows(t, "alice@example.org");
    }
    assert_string_equal(ua_test_rows(t), before);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM throttle WHERE name LIKE 'code:%%'"), 0);
    assert_status(t, post(t, code), 303);
    ua_test_close(t);
}

static const char *const answers[] = {
    "This code is not right. You have 4 more tries.",
    "This code is not right. You have 3 more tries.",
    "This code is not right. You have 2 more tries.",
    "This code is not right. You have 1 more try.",
    "This code is not right. Use the link in the email, or ask for a new email.",
    "Too many wrong codes. Use the link in the email, or ask for a new email.",
};

/* Five tries for a mail, then not even the right one; the link works still, a new mail anew. */
static void counts_five_tries(void **state)
{
    ua_test_t *t = NULL;
    const char *code = registered(&t, "UserAuthMailLimit off");
    const char *token = ua_test_token(t, "verify");

    (void)state;
    t->json = 1;
    for (size_t i = 0; i < COUNT(answers); i++) {
        assert_status(t, post(t, wrong(t, code, 1 + (int)i)), 422);
        assert_value(t, "errors.code", answers[i]);
        assert_value(t, "links.resend", "/auth/resend");
    }
    assert_status(t, post(t, code), 422);
    assert_value(t, "errors.code", answers[5]);
    assert_int_equal(enabled(t), 0);
    assert_int_equal(ua_test_events(t, "token_refused"), 7);
    assert_int_equal(ua_test_events(t, "\"detail\":\"code\""), 7);
    assert_int_equal(ua_test_events(t, code), 0); /* INV-6 */
    ua_test_clock(t, 60);
    assert_status(t, ua_test_post(t, "/auth/resend", "email", "alice@example.org", NULL), 202);
    assert_non_null(ua_test_mail(t));
    assert_status(t, post(t, wrong(t, code, 9)), 422);
    assert_value(t, "errors.code", answers[0]);
    assert_status(t, post(t, code_of(t)), 200);
    assert_status(t, ua_test_post(t, "/auth/verify", "token", token, NULL), 410);
    ua_test_close(t);
}

static void leaves_the_link_alone_after_the_fifth(void **state)
{
    ua_test_t *t = NULL;
    const char *code = registered(&t, NULL);

    (void)state;
    for (int i = 1; i <= 6; i++) {
        assert_status(t, post(t, wrong(t, code, i)), 422);
        assert_shows(t,
                     i < 5 ? "more tr" : "Use the link in the email, or ask for a new email.");
    }
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  303);
    assert_int_equal(enabled(t), 1);
    ua_test_close(t);
}

/* The code of an older mail works as its link does. */
static void every_open_mail_has_one(void **state)
{
    ua_test_t *t = NULL;
    const char *first = registered(&t, "UserAuthMailLimit off");

    (void)state;
    ua_test_clock(t, 60);
    assert_status(t, ua_test_post(t, "/auth/resend", "email", "alice@example.org", NULL), 303);
    assert_non_null(ua_test_mail(t));
    assert_string_not_equal(code_of(t), first);
    assert_status(t, post(t, first), 303);
    ua_test_close(t);
}

static void dies_with_a_corrected_address(void **state)
{
    ua_test_t *t = NULL;
    const char *first = registered(&t, NULL);

    (void)state;
    assert_status(t, ua_test_post(t, "/auth/check-email", "email", "al@example.org", NULL),
                  303);
    assert_non_null(ua_test_mail(t));
    assert_status(t, post(t, first), 422);
    assert_status(t, post(t, code_of(t)), 303);
    assert_int_equal(
        ua_test_count(t, "SELECT enabled FROM account WHERE email = 'al@example.org'"), 1);
    ua_test_close(t);
}

/* INV-2: the code alone proves nothing; it needs the browser that registered this account. */
static void works_in_no_other_browser(void **state)
{
    ua_test_t *t = NULL;
    const char *code = registered(&t, NULL);
    const char *before = NULL;

    (void)state;
    apr_table_clear(t->jar);
    before = ua_test_rows(t);
    t->json = 1;
    assert_status(t, post(t, code), 400);
    assert_value(t, "code", "token_invalid");
    assert_value(t, "title", "Invalid verification link");
    assert_value(t, "links.resend", "/auth/resend");
    t->json = 0;
    assert_status(t, post(t, code), 400);
    assert_shows(t, "The code works only in the browser that registered.");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_register(t, "bob");
    assert_status(t, post(t, code), 422);
    assert_int_equal(enabled(t), 0);
    ua_test_close(t);
}

static void works_as_long_as_its_link(void **state)
{
    ua_test_t *t = NULL;
    const char *code = registered(&t, "UserAuthVerifyLifetime 90s");

    (void)state;
    ua_test_clock(t, 90);
    t->json = 1;
    assert_status(t, post(t, code), 410);
    assert_value(t, "code", "token_expired");
    assert_value(t, "links.resend", "/auth/resend");
    assert_int_equal(enabled(t), 0);
    ua_test_close(t);
}

/* Wrong codes and bad links of one client address have one limit. */
static void counts_for_the_client_address(void **state)
{
    ua_test_t *t = NULL;
    const char *code = registered(&t, "UserAuthRateLimit token 3/5m");

    (void)state;
    t->json = 1;
    assert_status(t, post(t, wrong(t, code, 1)), 422);
    assert_status(t, ua_test_post(t, "/auth/verify", "token", "guess", NULL), 400);
    assert_status(t, post(t, wrong(t, code, 2)), 422);
    assert_status(t, post(t, code), 429);
    assert_value(t, "code", "rate_limited");
    ua_test_clock(t, 300);
    assert_status(t, post(t, code), 200);
    ua_test_close(t);
}

/* A token wins, and neither is refused as ever. */
static void gives_way_to_a_token(void **state)
{
    ua_test_t *t = NULL;
    const char *code = registered(&t, NULL);

    (void)state;
    assert_status(t, ua_test_post(t, "/auth/verify", "token", "guess", "code", code, NULL),
                  400);
    assert_status(t, ua_test_post(t, "/auth/verify", NULL), 400);
    assert_shows(t, "<h1>Invalid verification link</h1>");
    assert_int_equal(enabled(t), 0);
    ua_test_close(t);
}

/* CSRF-03: a browser's form without its field comes back with what was typed. */
static void comes_back_after_a_long_time(void **state)
{
    ua_test_t *t = NULL;
    const char *code = registered(&t, NULL);

    (void)state;
    ua_test_browser(t);
    assert_status(t, post(t, code), 403);
    assert_shows(t, "This page was open for a long time. Please send it again.");
    assert_shows(t, apr_pstrcat(t->pool, "value=\"", code, "\"", NULL));
    assert_int_equal(enabled(t), 0);
    ua_test_close(t);
}

static void is_asked_for_by_the_page_after_registration(void **state)
{
    static const char field[] = "name=\"code\" autocomplete=\"one-time-code\"";
    ua_test_t *t = NULL;
    const char *code = registered(&t, NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/check-email"), 200);
    assert_shows(t, field);
    assert_shows(t, "action=\"/auth/verify\"");
    assert_status(t, post(t, code), 303);
    assert_status(t, ua_test_get(t, "/auth/check-email"), 200); /* confirmed: no more */
    assert_false(ua_test_shows(t, field));
    apr_table_clear(t->jar);
    assert_status(t, ua_test_get(t, "/auth/check-email"), 200); /* a stranger */
    assert_false(ua_test_shows(t, field));
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_what_the_link_does),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(may_be_typed_in_groups),
        cmocka_unit_test(refuses_what_is_no_code),
        cmocka_unit_test(counts_five_tries),
        cmocka_unit_test(leaves_the_link_alone_after_the_fifth),
        cmocka_unit_test(every_open_mail_has_one),
        cmocka_unit_test(dies_with_a_corrected_address),
        cmocka_unit_test(works_in_no_other_browser),
        cmocka_unit_test(works_as_long_as_its_link),
        cmocka_unit_test(counts_for_the_client_address),
        cmocka_unit_test(gives_way_to_a_token),
        cmocka_unit_test(comes_back_after_a_long_time),
        cmocka_unit_test(is_asked_for_by_the_page_after_registration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
