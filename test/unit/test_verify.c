/* test_verify.c: using the link of a verification mail: once, in time, by a POST or by the browser
 * that registered. What a GET does is in test_verify_get.c. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define DAY          ((apr_int64_t)24 * 3600)

/* A site with one registration; its token. The cookies are forgotten, so the browser is a stranger. */
static const char *registered(ua_test_t **out, const char *line)
{
    ua_test_t *t = ua_test_open(line, NULL);

    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    apr_table_clear(t->jar);
    *out = t;
    return ua_test_token(t, "verify");
}

static apr_int64_t enabled(ua_test_t *t)
{
    return ua_test_count(t, "SELECT enabled FROM account");
}

static int post(ua_test_t *t, const char *token)
{
    return ua_test_post(t, "/auth/verify", "token", token, NULL);
}

static void confirms_the_address(void **state)
{
    ua_test_t *t = NULL;
    const char *token = registered(&t, NULL);

    (void)state;
    assert_status(t, ua_test_submit(t, "/auth/verify", "token", token, NULL), 303);
    assert_string_equal(ua_test_location(t), "/auth/login?notice=verified");
    assert_int_equal(enabled(t), 1);
    assert_string_equal(
        ua_test_scalar(t, "SELECT verified FROM account"),
        ua_test_scalar(t, "SELECT happened FROM event WHERE kind = 'verified'"));
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE state = 0"), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM held_name"), 1);
    assert_int_equal(ua_test_events(t, "\"event\":\"verified\""), 1);
    assert_status(t, ua_test_get(t, ua_test_location(t)), 200);
    assert_shows(t, "Your email address is verified. You can log in now.");
    assert_null(ua_test_cookie(t, "")); /* nobody is signed in by it */
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = NULL;
    const char *token = registered(&t, NULL);

    (void)state;
    assert_status(t,
                  ua_test_post_json(t, "/auth/verify",
                                    apr_pstrcat(t->pool, "{\"token\":\"", token, "\"}", NULL)),
                  200);
    assert_value(t, "message", "Your email address is verified. You can log in now.");
    assert_int_equal(enabled(t), 1);
    ua_test_close(t);
}

/* TOK-01, TOK-18, INV-1 */
static void works_once(void **state)
{
    ua_test_t *t = NULL;
    const char *token = registered(&t, NULL);

    (void)state;
    assert_status(t, post(t, token), 303);
    t->json = 1;
    assert_status(t, post(t, token), 410);
    assert_value(t, "code", "token_used");
    assert_value(t, "title", "Verification link has already been used");
    assert_value(t, "links.login", "/auth/login");
    t->json = 0;
    assert_status(t, post(t, token), 410);
    assert_shows(t, "<h1>Verification link has already been used</h1>");
    assert_shows(t, "href=\"/auth/login\"");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event WHERE kind = 'verified'"), 1);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM event WHERE kind = 'token_refused'"), 2);
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *line;
    apr_int64_t seconds;
    int good;
} ages[] = {
    {"TOK-02: a second before the end", NULL, DAY - 1, 1},
    {"TOK-02: exactly 24:00:00", NULL, DAY, 0},
    {"TOK-02: a second after", NULL, DAY + 1, 0},
    {"the administrator's own time, before", "UserAuthVerifyLifetime 90s", 89, 1},
    {"the administrator's own time, exactly", "UserAuthVerifyLifetime 90s", 90, 0},
};

static void works_in_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ages); i++) {
        ua_test_t *t = NULL;
        const char *token = registered(&t, ages[i].line);
        const char *before = NULL;

        ua_test_clock(t, ages[i].seconds);
        before = ua_test_rows(t);
        t->json = 1;
        assert_status(t, post(t, token), ages[i].good ? 200 : 410);
        assert_int_equal(enabled(t), ages[i].good);
        if (!ages[i].good) {
            assert_value(t, "code", "token_expired");
            assert_value(t, "title", "Verification link has expired");
            assert_value(t, "links.resend", "/auth/resend");
            assert_string_equal(ua_test_rows(t), before);
            t->json = 0;
            assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 410);
            assert_shows(t, "<h1>Verification link has expired</h1>");
        }
        ua_test_close(t);
    }
}

/* CLK-01: a clock that goes back makes no used token good again. */
static void stays_used_when_the_clock_goes_back(void **state)
{
    ua_test_t *t = NULL;
    const char *token = registered(&t, NULL);

    (void)state;
    assert_status(t, post(t, token), 303);
    ua_test_clock(t, -25 * 3600);
    assert_status(t, post(t, token), 410);
    assert_shows(t, "Verification link has already been used");
    ua_test_close(t);
}

static const char *altered(ua_test_t *t, const char *token, size_t at)
{
    char *copy = apr_pstrdup(t->pool, token);

    copy[at] = copy[at] == 'a' ? 'b' : 'a';
    return copy;
}

static void refuses_what_is_no_token(void **state)
{
    ua_test_t *t = NULL;
    const char *token = registered(&t, NULL);
    const char *tokens[] = {"",
                            "x",
                            "null",
                            "../../etc/passwd",
                            altered(t, token, 0),
                            altered(t, token, 40),
                            altered(t, token, 78),
                            apr_pstrcat(t->pool, token, "A", NULL),
                            apr_pstrndup(t->pool, token, 36),
                            "00000000-0000-4000-8000-000000000000."
                            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    const char *before = ua_test_rows(t);

    (void)state;
    for (size_t i = 0; i < COUNT(tokens); i++) {
        t->json = 1;
        assert_status(t, post(t, tokens[i]), 400);
        assert_value(t, "code", "token_invalid");
        assert_value(t, "title", "Invalid verification link");
        assert_value(t, "links.resend", "/auth/resend");
        assert_value(t, "links.register", "/auth/register");
        t->json = 0;
        assert_status(t, post(t, tokens[i]), 400);
        assert_shows(t, "<h1>Invalid verification link</h1>");
    }
    assert_status(t, ua_test_post(t, "/auth/verify", NULL), 400);
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

/* TOK-05: what is a secret elsewhere is no token here, and the other way round. */
static void refuses_secrets_of_other_kinds(void **state)
{
    ua_test_t *t = NULL;
    const char *token = registered(&t, NULL);
    const char *disown = ua_test_token(t, "disown");
    const char *session = NULL;

    (void)state;
    assert_status(t, post(t, disown), 400);
    assert_status(t, ua_test_post(t, "/auth/disown", "token", token, NULL), 400);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE enabled = 0"), 1);
    assert_status(t, post(t, token), 303);
    ua_test_login(t, "alice");
    session = ua_test_cookie(t, "");
    ua_test_browser(t);
    ua_test_get(t, "/auth/logout");
    apr_table_clear(t->jar);
    assert_status(t, post(t, session), 400);
    assert_status(t, post(t, ua_test_scalar(t, "SELECT id FROM token")), 400);
    ua_test_header(t, "Cookie", apr_pstrcat(t->pool, "userauth=", token, NULL));
    assert_status(t, ua_test_get(t, "/dashboard"), 303); /* no session either */
    ua_test_close(t);
}

/* TOK-10: nothing in the database makes a link. */
static void is_not_in_the_database(void **state)
{
    ua_test_t *t = NULL;
    const char *token = registered(&t, NULL);
    const char *rows = ua_test_rows(t);

    (void)state;
    assert_non_null(strstr(rows, apr_pstrndup(t->pool, token, 36)));
    assert_null(strstr(rows, token + 37));
    assert_null(strstr(rows, apr_pstrndup(t->pool, token + 37, 12)));
    assert_int_equal(ua_test_events(t, token + 37), 0);
    assert_int_equal(ua_test_logged(t, token + 37), 0);
    ua_test_close(t);
}

/* A newer mail does not end an older one; using one ends its siblings. */
static void ends_its_siblings(void **state)
{
    ua_test_t *t = NULL;
    const char *first = registered(&t, "UserAuthMailLimit off");
    const char *second = NULL;

    (void)state;
    assert_status(t, ua_test_post(t, "/auth/resend", "email", "alice@example.org", NULL), 303);
    assert_non_null(ua_test_mail(t));
    second = ua_test_token(t, "verify");
    assert_string_not_equal(first, second);
    assert_status(t, post(t, first), 303);
    assert_status(t, post(t, second), 410);
    assert_shows(t, "Verification link has already been used");
    ua_test_close(t);
}

/* TOK-06: the link acts on its own account, whoever is signed in. */
static void acts_on_its_own_account(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *token = NULL;

    (void)state;
    ua_test_member(t, "bob");
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    token = ua_test_token(t, "verify");
    apr_table_clear(t->jar);
    ua_test_login(t, "bob");
    assert_status(t,
                  ua_test_submit(
                      t, "/auth/verify", "token", token, "user", "bob", "id",
                      ua_test_scalar(t, "SELECT id FROM account WHERE username = 'bob'"), NULL),
                  303);
    assert_int_equal(ua_test_count(t, "SELECT enabled FROM account WHERE username = 'alice'"),
                     1);
    t->json = 1;
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_value(t, "username", "bob");
    ua_test_close(t);
}

/* TOK-14: 30 failed checks in 5 minutes from one address, GET and POST together. */
static void limits_guesses(void **state)
{
    ua_test_t *t = NULL;
    const char *token = registered(&t, NULL);

    (void)state;
    t->json = 1;
    for (int i = 0; i < 15; i++) {
        assert_status(t, post(t, "guess"), 400);
        assert_status(t, ua_test_get(t, "/auth/verify?token=guess"), 400);
    }
    assert_status(t, post(t, token), 429);
    assert_value(t, "code", "rate_limited");
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "300");
    assert_int_equal(enabled(t), 0);
    ua_test_clock(t, 300);
    assert_status(t, post(t, token), 200);
    ua_test_close(t);
}

/* Looking at a good link, and using it, costs nothing of that limit. */
static void counts_no_good_token(void **state)
{
    ua_test_t *t = NULL;
    const char *token = registered(&t, "UserAuthRateLimit token 1/5m");

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 200);
    }
    assert_status(t, post(t, token), 303);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confirms_the_address),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(works_once),
        cmocka_unit_test(works_in_time),
        cmocka_unit_test(stays_used_when_the_clock_goes_back),
        cmocka_unit_test(refuses_what_is_no_token),
        cmocka_unit_test(refuses_secrets_of_other_kinds),
        cmocka_unit_test(is_not_in_the_database),
        cmocka_unit_test(ends_its_siblings),
        cmocka_unit_test(acts_on_its_own_account),
        cmocka_unit_test(limits_guesses),
        cmocka_unit_test(counts_no_good_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
