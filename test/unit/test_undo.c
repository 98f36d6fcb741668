/* test_undo.c: the owner of an address takes the account back from a thief who knew the password: whatever
 * the thief did meanwhile, the owner wins within seven days. */
#include "moves.h"

#define THIEF      "thief@example.org"
#define THIEF2     "thief2@example.org"
#define THIEF_WORD "thieves-like-long-passwords-17"
#define NOTICE     "/auth/login?notice=email-undone"

/* Alice's account was moved to the thief, who is signed in; her token. */
static const char *stolen(ua_test_t **out, const char *line)
{
    ua_test_t *t = site_of_alice(line);

    *out = t;
    move_to(t, THIEF);
    return undo_link(t, ALICE);
}

/* Address back, nobody in, no browser known, no password but a new one. */
static void expect_back(ua_test_t *t)
{
    assert_string_equal(ua_test_location(t), NOTICE);
    assert_string_equal(
        ua_test_scalar(t,
                       "SELECT email || '|' || enabled || '|' || password_off || '|' || closed "
                       "FROM account WHERE username = 'alice'"),
        "alice@example.org|1|1|0");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM device"), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE state = 0 AND purpose "
                                      "<> 'undo' AND account_id <> ''"),
                     0);
}

static void brings_the_address_back(void **state)
{
    ua_test_t *t = NULL;
    const char *token = stolen(&t, NULL);
    const char *cookie = ua_test_cookie(t, "");

    (void)state;
    apr_table_clear(t->jar);
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, ua_test_link(t, "undo")), 303);
    assert_string_equal(ua_test_cookie(t, "link-undo"), token);
    assert_status(t, ua_test_submit(t, "/auth/undo", "password", UA_TEST_PASSWORD, NULL), 303);
    assert_null(ua_test_cookie(t, "link-undo"));
    expect_back(t);
    assert_int_equal(ua_test_events(t, "\"email_undone\""), 1);
    assert_status(t, ua_test_get(t, NOTICE), 200);
    assert_shows(t, "Your old email address is back. Set a new password to log in.");
    apr_table_set(t->jar, "userauth", cookie);
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    assert_status(t, log_in(t, ALICE, UA_TEST_PASSWORD), 401);
    assert_status(t, log_in(t, THIEF, UA_TEST_PASSWORD), 401);
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 410);
    assert_shows(t, "<h1>Link has already been used</h1>");
    ua_test_close(t);
}

/* MAIL-15: both are told. */
static void tells_both_addresses(void **state)
{
    ua_test_t *t = NULL;
    const char *token = stolen(&t, NULL);
    static const char *const addresses[] = {ALICE, THIEF};

    (void)state;
    ua_test_clock(t, 60);
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 303);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        assert_non_null(letter(t, addresses[i]));
        assert_non_null(
            strstr(t->mail, "\r\nSubject: The change of your email was undone\r\n"));
        assert_non_null(strstr(t->mail,
                               "Hello alice,\r\n\r\n"
                               "The email address of your account on localhost is\r\n"
                               "alice@example.org\r\n"
                               "again: the change was undone from there. Everybody was\r\n"
                               "signed out, and the password was switched off.\r\n\r\n"
                               "When: 21 November 2026 at 08:31 UTC\r\n"));
        assert_non_null(strstr(t->mail, "To log in, ask for a new password with that address:"
                                        "\r\n\r\nhttp://localhost:8080/auth/forgot\r\n"));
        assert_null(strstr(t->mail, "token="));
    }
    ua_test_close(t);
}

/* TOK-11; and the page of the form. */
static void shows_the_form(void **state)
{
    ua_test_t *t = NULL;
    const char *token = stolen(&t, NULL);
    const char *before = ua_test_rows(t);

    (void)state;
    apr_table_clear(t->jar);
    assert_status(t, ua_test_get(t, apr_pstrcat(t->pool, "/auth/undo?token=", token, NULL)),
                  200);
    assert_shows(t, "<h1>Bring your address back</h1>");
    assert_shows(t, "Your account <strong>alice</strong> was moved to another email address. "
                    "Here you bring <strong>alice@example.org</strong> back.");
    assert_shows(t, "It needs a password that the account has now or had in the last 7 days.");
    assert_shows(t, "value=\"alice\" autocomplete=\"username\" readonly");
    assert_shows(t, "name=\"password\" autocomplete=\"current-password\"");
    assert_false(ua_test_shows(t, THIEF));
    assert_string_equal(ua_test_hidden(t, "token"), token);
    assert_string_equal(ua_test_rows(t), before);
    assert_status(t, undo(t, token, ""), 422);
    assert_shows(t, "Enter a password.");
    assert_shows(t, "<h1>Bring your address back</h1>");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = NULL;
    const char *token = stolen(&t, NULL);

    (void)state;
    t->json = 1;
    assert_status(t, undo(t, token, "not-the-password-92"), 422);
    assert_value(t, "code", "invalid_fields");
    assert_value(t, "errors.password", "This is no password of the account.");
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 200);
    assert_string_equal(t->body, "{\"message\":\"Your old email address is back. Set a new "
                                 "password to log in.\"}");
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 410);
    assert_value(t, "code", "token_used");
    assert_status(t, undo(t, "x", UA_TEST_PASSWORD), 400);
    assert_value(t, "code", "token_invalid");
    ua_test_close(t);
}

/* Guesses are counted for the link: 5, then waits; the token is not used up. */
static void counts_wrong_passwords(void **state)
{
    ua_test_t *t = NULL;
    const char *token = stolen(&t, NULL);

    (void)state;
    t->json = 1;
    for (int i = 0; i < 5; i++) {
        assert_status(t, undo(t, token, "not-the-password-92"), 422);
    }
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 429);
    assert_value(t, "code", "account_locked");
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "30");
    assert_int_equal(ua_test_events(t, "\"undo_failed\""), 5);
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 0);
    t->json = 0;
    assert_status(t, log_in(t, THIEF, UA_TEST_PASSWORD), 303); /* no wait for a sign-in */
    ua_test_clock(t, 30);
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 303);
    expect_back(t);
    ua_test_close(t);
}

static void works_for_seven_days(void **state)
{
    ua_test_t *t = NULL;
    const char *token = stolen(&t, NULL);

    (void)state;
    ua_test_clock(t, DAYS(7) - 1); /* a second passed since */
    t->json = 1;
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 410);
    assert_value(t, "code", "token_expired");
    assert_value(
        t, "detail",
        "Links like this work for 7 days. The address can't be brought back this way any more. "
        "Please ask whoever runs this site.");
    assert_string_equal(address_of(t, "alice"), THIEF);
    t->json = 0;
    ua_test_clock(t, -1);
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 303);
    expect_back(t);
    ua_test_close(t);
}

/* A password that ended more than 7 days ago is none of the last 7 days. */
static void takes_passwords_of_seven_days(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = NULL;

    (void)state;
    change_password(t, THIEF_WORD); /* at START */
    ua_test_clock(t, DAYS(1));
    assert_status(t, log_in(t, "alice", THIEF_WORD), 303);
    move_to(t, THIEF);
    token = undo_link(t, ALICE);
    ua_test_clock(t, DAYS(6) - 2);
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 422);
    ua_test_clock(t, -1);
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 303);
    expect_back(t);
    ua_test_close(t);
}

/* ---- the thief tries to keep it ---- */

static void changes_password_often(ua_test_t *t)
{
    for (int i = 0; i < 12; i++) {
        ua_test_clock(t, 1);
        change_password(t, apr_psprintf(t->pool, THIEF_WORD "-%d", i));
    }
}

static void moves_on(ua_test_t *t)
{
    move_to(t, THIEF2);
    move_to(t, "thief3@example.org");
}

/* "This wasn't me" in the thief's own mail switches the password off; then he resets it. */
static void disowns_and_resets(ua_test_t *t)
{
    ua_test_sql(t, "UPDATE account SET password_off = 1");
    change_password(t, THIEF_WORD);
}

static void closes(ua_test_t *t)
{
    ua_ctx_t *ctx = ua_test_context(t);

    assert_int_equal(ua_account_close(ctx, ua_test_scalar(t, "SELECT id FROM account LIMIT 1")),
                     APR_SUCCESS);
    ua_db_release(ctx);
}

static void fails_on_purpose(ua_test_t *t)
{
    for (int i = 0; i < 6; i++) {
        (void)log_in(t, "alice", "not-the-password-92");
    }
    ua_test_sql(t, "UPDATE account SET failures = 100, device_failures = 100");
}

static void renames(ua_test_t *t)
{
    assert_status(t, ua_test_submit(t, PROFILE, "username", "mallory", NULL), 303);
    assert_status(t, ua_test_submit(t, PROFILE, "username", "alice", NULL), 303);
}

static void asks_for_more(ua_test_t *t)
{
    ask(t, THIEF2);
}

static void does_all_of_it(ua_test_t *t)
{
    moves_on(t);
    renames(t);
    asks_for_more(t);
    disowns_and_resets(t);
    changes_password_often(t);
    fails_on_purpose(t);
    closes(t);
}

static void the_owner_wins(void **state)
{
    static void (*const tricks[])(ua_test_t *) = {
        changes_password_often, moves_on, disowns_and_resets, closes,
        fails_on_purpose,       renames,  asks_for_more,      does_all_of_it};

    (void)state;
    for (size_t i = 0; i < COUNT(tricks); i++) {
        ua_test_t *t = NULL;
        const char *token = stolen(&t, NULL);

        print_message("trick %d\n", (int)i);
        tricks[i](t);
        assert_status(t, undo(t, token, UA_TEST_PASSWORD), 303);
        expect_back(t);
        ua_test_close(t);
    }
}

/* The oldest link wins: it ends the later ones; a later one leaves it alone. */
static void the_oldest_link_wins(void **state)
{
    ua_test_t *t = NULL;
    const char *first = stolen(&t, NULL);
    const char *second = NULL;
    const char *third = NULL;

    (void)state;
    move_to(t, THIEF2);
    second = undo_link(t, THIEF);
    move_to(t, "thief3@example.org");
    third = undo_link(t, THIEF2);
    assert_status(t, undo(t, second, UA_TEST_PASSWORD), 303); /* the thief, first */
    assert_string_equal(address_of(t, "alice"), THIEF);
    assert_status(t, undo(t, third, UA_TEST_PASSWORD), 410);
    assert_status(t, undo(t, first, UA_TEST_PASSWORD), 303);
    expect_back(t);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE state = 0"), 0);
    ua_test_close(t);
}

/* More links than one look at them tells. */
static void ends_any_number_of_later_links(void **state)
{
    ua_test_t *t = NULL;
    const char *first = stolen(&t, NULL);

    (void)state;
    for (int i = 0; i < 45; i++) {
        ua_test_sql(
            t,
            "INSERT INTO token SELECT 'later%d', account_id, site, purpose, email, 0, "
            "created + %d, expires + %d, 0 FROM token WHERE purpose = 'undo' AND id NOT "
            "LIKE 'later%%'",
            i, i + 1, i + 1);
    }
    ua_test_sql(t, "INSERT INTO token SELECT 'earlier', account_id, site, purpose, email, 0, "
                   "created - 2, expires - 2, 0 FROM token WHERE id = 'later0'");
    assert_status(t, undo(t, first, UA_TEST_PASSWORD), 303);
    assert_string_equal(ua_test_scalar(t, "SELECT group_concat(id) FROM token WHERE state = 0"),
                        "earlier");
    ua_test_close(t);
}

/* Nothing the thief still holds brings his address back, though he knows a password. */
static void the_owner_stays(void **state)
{
    ua_test_t *t = NULL;
    const char *first = stolen(&t, NULL);
    const char *email = NULL;
    const char *second = NULL;

    (void)state;
    move_to(t, THIEF2);
    second = undo_link(t, THIEF);
    ask(t, "thief3@example.org");
    assert_non_null(letter(t, "thief3@example.org"));
    email = ua_test_token(t, "email");
    assert_status(t, undo(t, first, UA_TEST_PASSWORD), 303);
    assert_status(t, undo(t, second, UA_TEST_PASSWORD), 410);
    assert_status(t, ua_test_post(t, "/auth/email", "token", email, NULL), 400);
    assert_string_equal(address_of(t, "alice"), ALICE);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_the_address_back),
        cmocka_unit_test(tells_both_addresses),
        cmocka_unit_test(shows_the_form),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(counts_wrong_passwords),
        cmocka_unit_test(works_for_seven_days),
        cmocka_unit_test(takes_passwords_of_seven_days),
        cmocka_unit_test(the_owner_wins),
        cmocka_unit_test(the_oldest_link_wins),
        cmocka_unit_test(ends_any_number_of_later_links),
        cmocka_unit_test(the_owner_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
