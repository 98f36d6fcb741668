/* test_change_email.c: the link sent to a new address: it moves the account there, once, and tells both. */
#include "moves.h"

#define NEW "new@example.org"

static const char *asked(ua_test_t *t, const char *email)
{
    ask(t, email);
    assert_non_null(letter(t, email));
    return ua_test_token(t, "email");
}

static int post(ua_test_t *t, const char *token)
{
    return ua_test_submit(t, "/auth/email", "token", token, NULL);
}

static void moves_the_account(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = asked(t, NEW);

    (void)state;
    assert_status(t, post(t, token), 303);
    assert_string_equal(ua_test_location(t), PROFILE "?notice=email-changed");
    assert_string_equal(ua_test_scalar(t, "SELECT email || email_key FROM account"), NEW NEW);
    assert_int_equal(ua_test_events(t, "\"email_changed\""), 1);
    assert_status(t, ua_test_get(t, ua_test_location(t)), 200);
    assert_shows(t, "Your email address is changed.");
    assert_shows(t, "name=\"email\" value=\"new@example.org\"");
    assert_false(ua_test_shows(t, "We sent a link to"));
    assert_status(t, post(t, token), 410); /* TOK-01 */
    assert_shows(t, "<h1>Link has already been used</h1>");
    assert_status(t, log_in(t, "NEW@example.org", UA_TEST_PASSWORD), 303);
    assert_status(t, log_in(t, ALICE, UA_TEST_PASSWORD), 401);
    ua_test_close(t);
}

/* MAIL-15: the new address is told, and the old one with a link that undoes it. */
static void tells_both_addresses(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = asked(t, NEW);

    (void)state;
    ua_test_clock(t, 1);
    assert_status(t, post(t, token), 303);
    assert_non_null(letter(t, ALICE));
    assert_non_null(strstr(t->mail, "\r\nSubject: Your email on localhost was changed\r\n"));
    assert_non_null(strstr(
        t->mail,
        apr_pstrcat(
            t->pool,
            "Hello alice,\r\n\r\n"
            "Your account on localhost now uses\r\n"
            "new@example.org\r\n"
            "instead of this address. We send no more mail about it\r\nto this address.\r\n\r\n"
            "When: 21 November 2026 at 08:30 UTC\r\n"
            "From: ",
            NULL)));
    assert_non_null(strstr(t->mail, ", 192.0.2.7\r\n"));
    assert_non_null(
        strstr(t->mail, apr_pstrcat(t->pool,
                                    "This wasn't you? Open this link within 7 days,\r\n"
                                    "until 28 November 2026 at 08:30 UTC:\r\n\r\n"
                                    "http://localhost:8080",
                                    ua_test_link(t, "undo"),
                                    "\r\n\r\n"
                                    "It brings this address back, signs everybody out and\r\n"
                                    "switches the present password off. You need a password\r\n"
                                    "that the account has now or had in the last 7 days.\r\n",
                                    NULL)));
    assert_non_null(letter(t, NEW));
    assert_non_null(strstr(t->mail, "\r\nSubject: This is now your email on localhost\r\n"));
    assert_non_null(strstr(t->mail, "Your account on localhost now uses this address.\r\n"
                                    "Log in with it, or with your username.\r\n"));
    assert_non_null(ua_test_link(t, "disown"));
    assert_null(strstr(t->mail, "/undo"));
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = asked(t, NEW);

    (void)state;
    apr_table_clear(t->jar); /* needs no session, and signs nobody in */
    t->json = 1;
    assert_status(t, ua_test_post(t, "/auth/email", "token", token, NULL), 200);
    assert_string_equal(t->body, "{\"message\":\"Your email address is changed.\"}");
    assert_null(ua_test_cookie(t, ""));
    assert_status(t, ua_test_post(t, "/auth/email", "token", token, NULL), 410);
    assert_value(t, "code", "token_used");
    assert_status(t, ua_test_post(t, "/auth/email", NULL), 400);
    assert_value(t, "code", "token_invalid");
    assert_value(t, "title", "Invalid link");
    t->json = 0;
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    token = asked(t, "two@example.org");
    apr_table_clear(t->jar);
    assert_status(t, post(t, token), 303);
    assert_string_equal(ua_test_location(t), "/auth/login?notice=email-changed");
    ua_test_close(t);
}

/* TOK-11 */
static void does_nothing_on_get(void **state)
{
    static const ua_method_e methods[] = {UA_METHOD_GET, UA_METHOD_HEAD, UA_METHOD_OPTIONS};
    ua_test_t *t = site_of_alice("UserAuthVerifyOnGet any");
    const char *link = NULL;
    const char *before = NULL;

    (void)state;
    (void)asked(t, NEW);
    link = ua_test_link(t, "email");
    before = ua_test_rows(t);
    for (size_t i = 0; i < COUNT(methods); i++) {
        assert_status(t, ua_test_request(t, methods[i], link, "", NULL), i < 2 ? 200 : 204);
    }
    assert_status(t, ua_test_get(t, link), 200);
    assert_shows(t, "<h1>Confirm your new email address</h1>");
    assert_shows(t, "<button class=\"primary\">Confirm my new address</button>");
    assert_shows(t, "new@example.org");
    assert_string_equal(ua_test_hidden(t, "token"), strstr(link, "token=") + 6);
    assert_string_equal(ua_test_rows(t), before);
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, link), 303); /* out of the address bar */
    assert_string_equal(ua_test_location(t), "/auth/email");
    assert_status(t, ua_test_submit(t, "/auth/email", NULL), 303);
    assert_null(ua_test_cookie(t, "link-email"));
    assert_string_equal(address_of(t, "alice"), NEW);
    ua_test_close(t);
}

/* SESS-02: another secret, as fresh as before: opening a link is no password. */
static void renews_the_cookie(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = asked(t, NEW);
    const char *cookie = ua_test_cookie(t, "");

    (void)state;
    ua_test_clock(t, 15 * 60 - 1);
    assert_status(t, post(t, token), 303);
    assert_string_not_equal(ua_test_cookie(t, ""), cookie);
    ask(t, "two@example.org");
    ua_test_clock(t, 1);
    t->json = 1;
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"email\":\"three@example.org\"}"), 403);
    t->json = 0;
    apr_table_set(t->jar, "userauth", cookie);
    assert_status(t, ua_test_get(t, "/dashboard"), 303); /* the old one is dead */
    ua_test_close(t);
}

/* TOK-06: the token decides whose address it is, not who is signed in. */
static void acts_on_its_own_account(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = asked(t, NEW);
    const char *cookie = NULL;

    (void)state;
    join(t, "bob");
    assert_status(t, log_in(t, "bob", UA_TEST_PASSWORD), 303);
    cookie = ua_test_cookie(t, "");
    assert_status(t, ua_test_submit(t, "/auth/email", "token", token, "username", "bob", NULL),
                  303);
    assert_string_equal(ua_test_location(t), "/auth/login?notice=email-changed");
    assert_string_equal(address_of(t, "bob"), "bob@example.org");
    assert_string_equal(address_of(t, "alice"), NEW);
    assert_string_equal(ua_test_cookie(t, ""), cookie);
    ua_test_close(t);
}

/* RACE-04, one after another: a link mailed to an own address never confirms another one. */
static void confirms_the_address_it_was_sent_to(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *own = asked(t, "mallory@example.org");

    (void)state;
    ask(t, "victim@example.org");
    assert_status(t, post(t, own), 400); /* ended by a change */
    assert_string_equal(address_of(t, "alice"), ALICE);
    ask(t, "mallory@example.org"); /* the same address again does not revive it */
    assert_status(t, post(t, own), 400);
    ua_test_sql(t, "UPDATE token SET email = 'victim@example.org' WHERE purpose = 'email'");
    assert_status(t, post(t, own), 400); /* the tag is over the address */
    assert_string_equal(address_of(t, "alice"), ALICE);
    ua_test_close(t);
}

static void works_for_a_day(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = asked(t, NEW);

    (void)state;
    apr_table_clear(t->jar);
    t->json = 1;
    ua_test_clock(t, DAYS(1));
    assert_status(t, ua_test_post(t, "/auth/email", "token", token, NULL), 410);
    assert_value(t, "code", "token_expired");
    assert_value(
        t, "detail",
        "Links like this work for 24 hours. Your address stays as it was. You can ask for the "
        "change again in your profile.");
    assert_string_equal(address_of(t, "alice"), ALICE);
    ua_test_clock(t, -1);
    assert_status(t, ua_test_post(t, "/auth/email", "token", token, NULL), 200);
    ua_test_close(t);
}

static void refuses_an_address_taken_meanwhile(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = asked(t, "bob@example.org");

    (void)state;
    apr_table_clear(t->jar);
    ua_test_register(t, "bob");
    assert_status(t, post(t, token), 409);
    assert_shows(t, "<h1>Email already in use</h1>");
    assert_shows(t, "Another account took this address meanwhile.");
    assert_string_equal(address_of(t, "alice"), ALICE);
    assert_string_equal(address_of(t, "bob"), "bob@example.org");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind LIKE 'email-%%'"),
                     0);
    ua_test_close(t);
}

/* SESS-08: a thief begins a change, the owner sets another password, the thief confirms. */
static void refuses_what_began_before_a_new_password(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = asked(t, NEW);

    (void)state;
    change_password(t, "another-good-password-17");
    apr_table_clear(t->jar);
    assert_status(t, post(t, token), 400);
    assert_string_equal(address_of(t, "alice"), ALICE);
    ua_test_close(t);
}

/* TOK-09: nothing moves an account that is shut. */
static void refuses_a_shut_account(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *token = asked(t, NEW);

    (void)state;
    ua_test_sql(t, "UPDATE account SET enabled = 0, closed = 1");
    assert_status(t, post(t, token), 400);
    assert_shows(t, "<h1>Invalid link</h1>");
    assert_string_equal(address_of(t, "alice"), ALICE);
    ua_test_close(t);
}

static const char *issue(ua_test_t *t, ua_mail_kind_e kind)
{
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t *account = NULL;

    assert_int_equal(ua_account_by_username(&account, ctx, "alice"), APR_SUCCESS);
    assert_int_equal(ua_mail_queue(ctx, account, kind, NULL, NULL), APR_SUCCESS);
    ua_db_release(ctx);
    return ua_test_scalar(t, "SELECT token_id || disown_id FROM outbox WHERE kind = '%s'",
                          ua_mail_kinds[kind].name);
}

static int state_of(ua_test_t *t, const char *id)
{
    return (int)ua_test_count(t, "SELECT state FROM token WHERE id = '%s'", id);
}

/* A reset link at the old address opens nothing any more; its owner can still react (TOK-09). */
static void ends_what_is_stale(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *reset = issue(t, UA_MAIL_RESET);
    const char *disown = issue(t, UA_MAIL_PASSWORD_CHANGED);
    const char *undo_id = NULL;

    (void)state;
    move_to(t, NEW);
    assert_int_equal(state_of(t, reset), UA_ENDED_CHANGE);
    assert_int_equal(state_of(t, disown), UA_ENDED_OPEN);
    undo_id = ua_test_scalar(t, "SELECT id FROM token WHERE purpose = 'undo'");
    move_to(t, "two@example.org");
    assert_int_equal(state_of(t, undo_id), UA_ENDED_OPEN);
    ua_test_close(t);
}

/* Contract 8: an address freed by a change stays reserved 7 days, but for its owner. */
static void keeps_the_old_address_for_its_owner(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    ask(t, NEW);
    assert_status(t, confirm(t, NEW), 303);
    apr_table_clear(t->jar);
    ua_test_clock(t, DAYS(7) - 1);
    t->json = 1;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "mallory", "email",
                               "ALICE@example.org", "password", UA_TEST_PASSWORD, NULL),
                  409);
    assert_value(t, "code", "email_in_use");
    ua_test_clock(t, 1);
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "mallory", "email", ALICE,
                               "password", UA_TEST_PASSWORD, NULL),
                  201);
    ua_test_close(t);
}

static void moves_back(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    move_to(t, NEW);
    move_to(t, ALICE);
    assert_string_equal(address_of(t, "alice"), ALICE);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM held_email"), 1); /* of NEW */
    move_to(t, "Alice@example.org"); /* another spelling holds nothing against itself */
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM held_email"), 1);
    assert_string_equal(address_of(t, "alice"), "Alice@example.org");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_the_account),
        cmocka_unit_test(tells_both_addresses),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(does_nothing_on_get),
        cmocka_unit_test(renews_the_cookie),
        cmocka_unit_test(acts_on_its_own_account),
        cmocka_unit_test(confirms_the_address_it_was_sent_to),
        cmocka_unit_test(works_for_a_day),
        cmocka_unit_test(refuses_an_address_taken_meanwhile),
        cmocka_unit_test(refuses_what_began_before_a_new_password),
        cmocka_unit_test(refuses_a_shut_account),
        cmocka_unit_test(ends_what_is_stale),
        cmocka_unit_test(keeps_the_old_address_for_its_owner),
        cmocka_unit_test(moves_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
