/* test_restore.c: a closed account comes back by the mailed link and a password of its owner, and a thief
 * who closed it keeps nobody out.
 *
 * Cases: TOK-01, TOK-02, TOK-11, BF-01, AUTHZ-01.
 */
#include "moves.h"

#define WRONG      "not-the-password-92"
#define THIEF_WORD "thieves-like-long-passwords-17"
#define RESTORED   "/auth/login?notice=restored"
#define SWITCHED   "/auth/login?notice=restored-off"

/* Signs in and closes the account; the token of the mail. */
static const char *close_it(ua_test_t *t, const char *password)
{
    ua_test_clock(t, 1);
    assert_status(t, log_in(t, "alice", password), 303);
    ua_test_clock(t, 1);
    assert_status(t, ua_test_submit(t, "/dashboard/close", "current_password", password, NULL),
                  303);
    apr_table_clear(t->jar);
    assert_non_null(letter(t, ALICE));
    return ua_test_token(t, "restore");
}

static ua_test_t *closed_site(const char **token, const char *line)
{
    ua_test_t *t = site_of_alice(line);

    *token = close_it(t, UA_TEST_PASSWORD);
    return t;
}

static int restore(ua_test_t *t, const char *token, const char *password)
{
    apr_table_clear(t->jar);
    return ua_test_post(t, "/auth/restore", "token", token, "password", password, NULL);
}

/* Enabled, password off, closed. */
static const char *state_of(ua_test_t *t)
{
    return ua_test_scalar(t,
                          "SELECT enabled || '|' || password_off || '|' || (closed > 0) FROM "
                          "account WHERE username = 'alice'");
}

static void brings_it_back(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    assert_string_equal(state_of(t), "0|0|1");
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, ua_test_link(t, "restore")), 303);
    assert_string_equal(ua_test_cookie(t, "link-restore"), token);
    assert_status(t, ua_test_submit(t, "/auth/restore", "password", UA_TEST_PASSWORD, NULL),
                  303);
    assert_string_equal(ua_test_location(t), RESTORED);
    assert_null(ua_test_cookie(t, "link-restore"));
    assert_string_equal(state_of(t), "1|0|0");
    assert_int_equal(ua_test_events(t, "\"restored\""), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 0);
    assert_status(t, ua_test_get(t, RESTORED), 200);
    assert_shows(t, "Your account is restored. You can log in now.");
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 410); /* TOK-01 */
    assert_shows(t, "<h1>Link has already been used</h1>");
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    assert_status(t, ua_test_get(t, "/dashboard/members/alice"), 200);
    ua_test_close(t);
}

/* TOK-11: looking at the page changes nothing. */
static void shows_the_form(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);
    const char *before = ua_test_rows(t);

    (void)state;
    assert_status(t, ua_test_get(t, apr_pstrcat(t->pool, "/auth/restore?token=", token, NULL)),
                  200);
    assert_shows(t, "<h1>Restore your account</h1>");
    assert_shows(t, "Your account <strong>alice</strong> is closed.");
    assert_shows(t,
                 "It needs the password that the account had when it was closed, or one that "
                 "it had in the 7 days before.");
    assert_shows(t, "value=\"alice\" autocomplete=\"username\" readonly");
    assert_shows(t, "name=\"password\" autocomplete=\"current-password\"");
    assert_string_equal(ua_test_hidden(t, "token"), token);
    assert_string_equal(ua_test_rows(t), before);
    assert_status(t, restore(t, token, ""), 422);
    assert_shows(t, "Enter a password.");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    t->json = 1;
    assert_status(t, ua_test_get(t, "/auth/restore"), 400);
    assert_status(t, restore(t, token, WRONG), 422);
    assert_value(t, "code", "invalid_fields");
    assert_value(t, "errors.password", "This is no password of the account.");
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 200);
    assert_string_equal(t->body, "{\"message\":\"Your account is restored. You can log in "
                                 "now.\"}");
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 410);
    assert_value(t, "code", "token_used");
    assert_status(t, restore(t, "x", UA_TEST_PASSWORD), 400);
    assert_value(t, "code", "token_invalid");
    assert_value(t, "links.login", "/auth/login");
    ua_test_close(t);
}

/* MAIL-15: the owner is told, with a way to say that it was somebody else. */
static void tells_the_owner(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    ua_test_clock(t, 60);
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 303);
    assert_non_null(letter(t, ALICE));
    assert_non_null(strstr(t->mail, "\r\nSubject: Your account on localhost is restored\r\n"));
    assert_non_null(strstr(t->mail, "Hello alice,\r\n\r\n"
                                    "Your account on localhost is back as it was.\r\n"
                                    "You can log in again.\r\n\r\n"
                                    "When: 21 November 2026 at 08:31 UTC\r\n"));
    assert_non_null(strstr(t->mail, "\r\n\r\nhttp://localhost:8080/auth/login\r\n"));
    assert_null(strstr(t->mail, "auth/forgot"));
    assert_status(t, ua_test_post(t, "/auth/disown", "token", ua_test_token(t, "disown"), NULL),
                  200);
    assert_string_equal(state_of(t), "1|1|0");
    ua_test_close(t);
}

/* BF-01: guesses are counted for the link; waits apply; they use nothing up and lock nobody out. */
static void counts_wrong_passwords(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    t->json = 1;
    for (int i = 0; i < 5; i++) {
        assert_status(t, restore(t, token, WRONG), 422);
    }
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 429);
    assert_value(t, "code", "account_locked");
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "30");
    assert_int_equal(ua_test_events(t, "\"restore_failed\""), 5);
    assert_string_equal(state_of(t), "0|0|1");
    ua_test_clock(t, 30);
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 200);
    t->json = 0;
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

/* Failed sign-ins by the hundred are no obstacle, neither to the link nor to the sign-in behind it. */
static void failures_of_others(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    ua_test_sql(t, "UPDATE account SET failures = 60, device_failures = 60");
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 303);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

/* TOK-02 */
static void works_for_seven_days(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    ua_test_clock(t, DAYS(7));
    t->json = 1;
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 410);
    assert_value(t, "code", "token_expired");
    assert_value(
        t, "detail",
        "Links like this work for 7 days. The account can't be brought back any more. You can "
        "register again.");
    t->json = 0;
    ua_test_clock(t, -1);
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 303);
    assert_string_equal(state_of(t), "1|0|0");
    ua_test_close(t);
}

/* Once it is erased the link leads nowhere, and says what that may mean. */
static void after_the_erasure(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    ua_test_clock(t, DAYS(7) + 60);
    ua_jobs_sweep(t->jobs, t->now);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    assert_status(t, ua_test_get(t, apr_pstrcat(t->pool, "/auth/restore?token=", token, NULL)),
                  400);
    assert_shows(t, "the time to restore it is over and it was deleted");
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 400);
    assert_shows(t, "href=\"/auth/register\"");
    ua_test_close(t);
}

/* A newer mail does not end an older one; using one ends its siblings. */
static void more_than_one_link(void **state)
{
    const char *first = NULL;
    ua_test_t *t = closed_site(&first, NULL);
    const char *second = NULL;

    (void)state;
    ua_test_clock(t, 60);
    assert_status(t, ua_test_post(t, "/auth/forgot", "email", ALICE, NULL), 303);
    assert_non_null(letter(t, ALICE));
    second = ua_test_token(t, "restore");
    assert_string_not_equal(first, second);
    assert_status(t, restore(t, first, UA_TEST_PASSWORD), 303);
    assert_status(t, restore(t, second, UA_TEST_PASSWORD), 410);
    first = close_it(t, UA_TEST_PASSWORD);
    assert_status(t, restore(t, second, UA_TEST_PASSWORD), 410); /* stays ended */
    assert_status(t, restore(t, first, UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

/* ---- a thief closed it ---- */

/* The thief's password is off, the owner sets a new one by mail and is in. */
static void expect_owner_wins(ua_test_t *t)
{
    assert_string_equal(ua_test_location(t), SWITCHED);
    assert_string_equal(state_of(t), "1|1|0");
    assert_int_equal(ua_test_events(t, "\"password_off\""), 1);
    assert_status(t, ua_test_get(t, SWITCHED), 200);
    assert_shows(t, "Your account is restored. Set a new password to log in.");
    assert_status(t, log_in(t, "alice", THIEF_WORD), 401);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 401);
    ua_test_clock(t, 1);
    assert_non_null(letter(t, ALICE));
    assert_non_null(strstr(t->mail, "no longer works. To log in, set a new\r\none:\r\n\r\n"
                                    "http://localhost:8080/auth/forgot\r\n"));
    assert_null(strstr(t->mail, "You can log in again"));
    assert_status(t, ua_test_post(t, "/auth/forgot", "email", ALICE, NULL), 303);
    assert_non_null(letter(t, ALICE));
    assert_status(t,
                  ua_test_post(t, "/auth/reset", "token", ua_test_token(t, "reset"), "password",
                               "quartz-meadow-lantern-58", NULL),
                  303);
    assert_status(t, log_in(t, "alice", "quartz-meadow-lantern-58"), 303);
}

static void thief_changed_the_password(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = NULL;

    (void)state;
    change_password(t, THIEF_WORD);
    ua_test_clock(t, DAYS(6));
    token = close_it(t, THIEF_WORD);
    ua_test_clock(t, DAYS(6)); /* 12 days after it was changed, 6 after the closing */
    ua_jobs_sweep(t->jobs, t->now);
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 303);
    expect_owner_wins(t);
    ua_test_close(t);
}

/* A password counts that ended within 7 days before the closing, not before. */
static void older_passwords_do_not_count(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = NULL;

    (void)state;
    change_password(t, THIEF_WORD);
    ua_test_clock(t, DAYS(7));
    token = close_it(t, THIEF_WORD);
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 422);
    assert_status(t, restore(t, token, THIEF_WORD), 303);
    assert_string_equal(ua_test_location(t), RESTORED);
    ua_test_close(t);
}

/* The right password, but it was switched off: it restores, and stays off. */
static void the_password_was_off(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    ua_test_sql(t, "UPDATE account SET password_off = 1");
    ua_test_clock(t, 1);
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 303);
    expect_owner_wins(t);
    ua_test_close(t);
}

/* ---- the link of one account ---- */

/* AUTHZ-01: somebody else's link and password open the own account only, whoever is signed in. */
static void for_its_own_account(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    join(t, "bob");
    ua_test_sql(t, "UPDATE account SET password_hash = 'x' WHERE username = 'bob'");
    ua_test_sql(t, "UPDATE account SET enabled = 0, closed = 5 WHERE username = 'bob'");
    assert_status(t,
                  ua_test_post(t, "/auth/restore", "token", token, "password", UA_TEST_PASSWORD,
                               "username", "bob", NULL),
                  303);
    assert_string_equal(state_of(t), "1|0|0");
    assert_int_equal(ua_test_count(t, "SELECT closed FROM account WHERE username = 'bob'"), 5);
    ua_test_close(t);
}

/* Opened by other means, as by an administrator: nothing is left to restore. */
static void is_open_already(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    ua_test_sql(t, "UPDATE account SET enabled = 1, closed = 0");
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 400);
    assert_shows(t, "<h1>Invalid link</h1>");
    assert_shows(t, "href=\"/auth/login\"");
    assert_string_equal(state_of(t), "1|0|0");
    ua_test_close(t);
}

static void all_or_nothing(void **state)
{
    const char *token = NULL;
    ua_test_t *t = closed_site(&token, NULL);

    (void)state;
    ua_test_sql(t, "ALTER TABLE outbox RENAME TO away");
    ua_test_expect(t, "UA0101");
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 503);
    assert_string_equal(state_of(t), "0|0|1");
    ua_test_sql(t, "ALTER TABLE away RENAME TO outbox");
    assert_status(t, restore(t, token, UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_it_back),
        cmocka_unit_test(shows_the_form),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(tells_the_owner),
        cmocka_unit_test(counts_wrong_passwords),
        cmocka_unit_test(failures_of_others),
        cmocka_unit_test(works_for_seven_days),
        cmocka_unit_test(after_the_erasure),
        cmocka_unit_test(more_than_one_link),
        cmocka_unit_test(thief_changed_the_password),
        cmocka_unit_test(older_passwords_do_not_count),
        cmocka_unit_test(the_password_was_off),
        cmocka_unit_test(for_its_own_account),
        cmocka_unit_test(is_open_already),
        cmocka_unit_test(all_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
