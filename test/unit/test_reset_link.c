/* test_reset_link.c: links that set a new password: how long, how often, from where and for what they work,
 * and what is said when they don't. */
#include "passwords.h"

#include "api_client.h"

#define USED          "Password reset link has already been used"
#define INVALID_RESET "Invalid password reset link"
#define HOUR          ((apr_int64_t)3600)

/* The same for a program and a person, on the page and on its form; nothing changes. */
static void expect_refused(ua_test_t *t, const char *token, int status, const char *title)
{
    const char *link = apr_pstrcat(t->pool, "/auth/reset?token=", token, NULL);
    const char *hash = ua_test_scalar(t, "SELECT group_concat(password_hash) FROM account");

    t->json = 1;
    assert_status(t, ua_test_get(t, link), status);
    assert_value(t, "title", title);
    assert_status(t, reset(t, token, "green-lamps-hum-softly-4"), status);
    assert_value(t, "title", title);
    assert_value(t, "links.reset", "/auth/forgot");
    assert_value(t, "links.login", status == 410 && strstr(title, "used") ? "/auth/login" : "");
    t->json = 0;
    assert_status(t, ua_test_get(t, link), status);
    assert_shows(t, apr_pstrcat(t->pool, "<h1>", title, "</h1>", NULL));
    assert_shows(t, "href=\"/auth/forgot\"");
    assert_status(t, reset(t, token, "short"), status); /* the link is judged first */
    assert_shows(t, title);
    assert_string_equal(ua_test_scalar(t, "SELECT group_concat(password_hash) FROM account"),
                        hash);
}

static ua_test_t *site(const char *line)
{
    ua_test_t *t =
        ua_test_open("UserAuthMailLimit off", "UserAuthRateLimit token off", line, NULL);

    join(t, "alice");
    return t;
}

/* TOK-01, TOK-04: one use ends every link of the account; until then an older one works. */
static void works_once(void **state)
{
    ua_test_t *t = site(NULL);
    const char *older = reset_link(t, ALICE);
    const char *newer = reset_link(t, ALICE);

    (void)state;
    assert_string_not_equal(older, newer);
    assert_status(t, forgot(t, ALICE), 303); /* its mail is still on its way */
    assert_status(t, reset(t, older, NEW_PASSWORD), 303);
    expect_refused(t, older, 410, USED);
    expect_refused(t, newer, 410, USED);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'reset' AND "
                                      "state = 0"),
                     0);
    assert_true(opens(t, "alice", NEW_PASSWORD));
    assert_int_equal(notices(t), 1);
    assert_string_equal(
        ua_test_scalar(t, "SELECT detail FROM event WHERE kind = 'token_refused'"), "reset");
    ua_test_close(t);
}

/* TOK-08: a change of the password elsewhere. */
static void ends_with_a_change_of_the_password(void **state)
{
    ua_test_t *t = site(NULL);
    const char *token = reset_link(t, ALICE);

    (void)state;
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    assert_status(t, change(t, UA_TEST_PASSWORD, NEW_PASSWORD), 303);
    apr_table_clear(t->jar);
    expect_refused(t, token, 400, INVALID_RESET);
    ua_test_close(t);
}

/* TOK-09: the account is gone, shut out, closed, or has another address. */
static void ends_with_its_account(void **state)
{
    static const char *const changes[] = {
        "DELETE FROM account",
        "UPDATE account SET enabled = 0",
        "UPDATE account SET enabled = 0, closed = 1",
        "UPDATE account SET email = 'alice2@example.org', email_key = 'alice2@example.org'",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        ua_test_t *t = site(NULL);
        const char *token = reset_link(t, ALICE);

        ua_test_sql(t, "%s", changes[i]);
        expect_refused(t, token, 400, INVALID_RESET);
        assert_int_equal(ua_test_count(t, "SELECT state FROM token WHERE purpose = 'reset'"),
                         0);
        ua_test_close(t);
    }
}

/* TOK-09 as a person does it: a link sent to the old address. */
static void ends_with_a_change_of_the_address(void **state)
{
    ua_test_t *t = site(NULL);
    const char *token = reset_link(t, ALICE);

    (void)state;
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    move_to(t, "alice2@example.org");
    apr_table_clear(t->jar);
    expect_refused(t, token, 400, INVALID_RESET);
    assert_status(t, reset(t, reset_link(t, "alice2@example.org"), NEW_PASSWORD), 303);
    ua_test_close(t);
}

/* TOK-03: the last second it works, and the first it doesn't. */
static void works_for_its_time(void **state)
{
    static const struct {
        const char *line, *words;
        apr_int64_t seconds;
    } rows[] = {
        {NULL, "Links like this work for 1 hour. We can send you a new one.", HOUR},
        {"UserAuthResetLifetime 90m",
         "Links like this work for 90 minutes. We can send you a new one.", HOUR * 3 / 2},
        {"UserAuthResetLifetime 3s",
         "Links like this work for 3 seconds. We can send you a new one.", 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ua_test_t *t = site(rows[i].line);
        const char *late = reset_link(t, ALICE);
        const char *token = reset_link(t, ALICE); /* a second later */

        t->now += apr_time_from_sec(rows[i].seconds) - 1 - APR_USEC_PER_SEC; /* and reset()'s */
        assert_status(t, reset(t, token, NEW_PASSWORD), 303);
        ua_test_sql(t, "UPDATE token SET state = 0 WHERE purpose = 'reset'");
        t->now += 1;
        expect_refused(t, late, 410, "Password reset link has expired");
        expect_refused(t, token, 410, "Password reset link has expired");
        assert_shows(t, rows[i].words);
        assert_false(opens(t, "alice", "green-lamps-hum-softly-4"));
        ua_test_close(t);
    }
}

/* One more value that is no reset link. */
static void expect_no_link(ua_test_t *t, const char *value)
{
    expect_refused(t, value, 400, INVALID_RESET);
}

/* TOK-05: what was issued for something else sets no password. */
static void takes_no_other_secret(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", "UserAuthRateLimit token off", NULL);
    const char *verify = NULL;
    const char *disown = NULL;
    const char *email = NULL;
    const char *csrf = NULL;
    const char *session = NULL;
    const char *device = NULL;
    api_t api;

    (void)state;
    ua_test_register(t, "bob");
    assert_non_null(letter(t, "bob@example.org"));
    verify = apr_pstrdup(t->pool, ua_test_token(t, "verify"));
    disown = apr_pstrdup(t->pool, ua_test_token(t, "disown"));
    join(t, "alice");
    api = api_login(t, "alice");
    t->json = 0;
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    ask(t, "alice2@example.org");
    assert_non_null(letter(t, "alice2@example.org"));
    email = apr_pstrdup(t->pool, ua_test_token(t, "email"));
    assert_status(t, ua_test_get(t, "/dashboard/password"), 200);
    csrf = apr_pstrdup(t->pool, ua_test_hidden(t, "csrf"));
    session = apr_pstrdup(t->pool, ua_test_cookie(t, ""));
    device = apr_pstrdup(t->pool, ua_test_cookie(t, "device"));
    apr_table_clear(t->jar);
    expect_no_link(t, csrf);
    expect_no_link(t, session);
    expect_no_link(t, device);
    expect_no_link(t, verify);
    expect_no_link(t, disown);
    expect_no_link(t, email);
    expect_no_link(t, api.refresh);
    expect_no_link(t, api.access);
    expect_no_link(t, api.session_id);
    expect_no_link(t, "");
    ua_test_close(t);
}

/* TOK-05: and a reset link does nothing else. */
static void does_nothing_else(void **state)
{
    static const char *const pages[] = {"/auth/verify", "/auth/disown", "/auth/email"};
    ua_test_t *t = site(NULL);
    const char *token = reset_link(t, ALICE);
    const char *tag = strchr(token, '.');

    (void)state;
    for (size_t i = 0; i < COUNT(pages); i++) {
        assert_status(t, ua_test_post(t, pages[i], "token", token, NULL), 400);
    }
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 400);
    assert_no_good(t, api_renew(t, token));
    assert_int_equal(api_gated(t, token), 401);
    expect_no_link(t, apr_pstrcat(t->pool, token, "x", NULL));
    expect_no_link(t, apr_pstrcat(t->pool, apr_pstrmemdup(t->pool, token, 36),
                                  tag[1] == 'A' ? ".B" : ".A", tag + 2, NULL));
    expect_no_link(t, apr_pstrcat(t->pool, "97f493f2-9416-48e6-94dc-7f1c04aa9097", tag, NULL));
    assert_status(t, reset(t, token, NEW_PASSWORD), 303);
    ua_test_close(t);
}

/* TOK-14: guesses of one client address are numbered, whether by page or form. */
static void limits_guesses(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", "UserAuthRateLimit token 4/5m", NULL);
    const char *token = NULL;

    (void)state;
    join(t, "alice");
    token = reset_link(t, ALICE);
    for (int i = 0; i < 2; i++) {
        assert_status(t, ua_test_get(t, "/auth/reset?token=x"), 400);
        assert_status(t, reset(t, "x", NEW_PASSWORD), 400);
    }
    assert_status(t, reset(t, token, NEW_PASSWORD), 429);
    assert_int_equal(ua_test_count(t, "SELECT state FROM token WHERE purpose = 'reset'"), 0);
    t->address = "192.0.2.8";
    assert_status(t, reset(t, token, NEW_PASSWORD), 303);
    ua_test_close(t);
}

/* INV-7: a link that can't be looked up is neither good nor bad. */
static void fails_without_its_table(void **state)
{
    ua_test_t *t = site(NULL);
    const char *token = reset_link(t, ALICE);

    (void)state;
    ua_test_sql(t, "ALTER TABLE token RENAME TO gone");
    for (int i = 0; i < 2; i++) {
        ua_test_expect(t, "UA0101");
    }
    assert_status(t, reset(t, token, NEW_PASSWORD), 503);
    assert_status(t, ua_test_get(t, apr_pstrcat(t->pool, "/auth/reset?token=", token, NULL)),
                  503);
    ua_test_sql(t, "ALTER TABLE gone RENAME TO token");
    assert_status(t, reset(t, token, NEW_PASSWORD), 303);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_once),
        cmocka_unit_test(ends_with_a_change_of_the_password),
        cmocka_unit_test(ends_with_its_account),
        cmocka_unit_test(ends_with_a_change_of_the_address),
        cmocka_unit_test(works_for_its_time),
        cmocka_unit_test(takes_no_other_secret),
        cmocka_unit_test(does_nothing_else),
        cmocka_unit_test(limits_guesses),
        cmocka_unit_test(fails_without_its_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
