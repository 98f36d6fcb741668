/* test_disown_member.c: "this wasn't me" in a notice: shuts everybody out of a confirmed account, once, and
 * never changes its address (issue 3, item 6). */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Alice, signed in at home; a stranger signs in elsewhere, and she gets the mail about it. Her browser's
 * cookies are in *jar. */
static ua_test_t *open_site(apr_table_t **jar)
{
    ua_test_t *t = ua_test_open(NULL);

    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    *jar = apr_table_clone(t->pool, t->jar);
    apr_table_clear(t->jar);
    ua_test_clock(t, 60);
    ua_test_login(t, "alice");
    assert_non_null(ua_test_mail(t));
    assert_non_null(strstr(t->mail, "Subject: New sign-in to localhost\r\n"));
    return t;
}

/* In a browser that knows nothing. */
static int post(ua_test_t *t, const char *token)
{
    apr_table_clear(t->jar);
    return ua_test_post(t, "/auth/disown", "token", token, NULL);
}

static apr_int64_t sessions(ua_test_t *t)
{
    return ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0");
}

static void says_what_will_happen(void **state)
{
    apr_table_t *home = NULL;
    ua_test_t *t = open_site(&home);
    const char *before = NULL;

    (void)state;
    apr_table_clear(t->jar);
    before = ua_test_rows(t);
    assert_status(t, ua_test_get(t, ua_test_link(t, "disown")), 200); /* TOK-11 */
    assert_shows(t, "<h1>This wasn't me</h1>");
    assert_shows(t, "<button class=\"danger\">Sign everybody out</button>");
    assert_shows(t, "has a link that brings yours back");
    assert_false(ua_test_shows(t, "Remove this registration"));
    assert_string_equal(ua_test_hidden(t, "token"), ua_test_token(t, "disown"));
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

/* INV-5: no session, no password; a new password by mail opens the account again. */
static void shuts_everybody_out(void **state)
{
    apr_table_t *home = NULL;
    ua_test_t *t = open_site(&home);
    const char *token = ua_test_token(t, "disown");

    (void)state;
    assert_int_equal(sessions(t), 2);
    assert_status(t, ua_test_submit(t, "/auth/disown", "token", token, NULL), 200);
    assert_shows(t, "<h1>Everybody is signed out</h1>");
    assert_shows(t, "its link brings your address back");
    assert_int_equal(sessions(t), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM device"),
                     0); /* BF-05: nor the thief's */
    assert_int_equal(ua_test_events(t, "\"event\":\"disowned\""), 1); /* INV-10 */
    assert_string_equal(
        ua_test_scalar(t, "SELECT email || enabled || password_off FROM account"),
        "alice@example.org11");
    assert_non_null(strstr(ua_test_mail(t), "To: alice@example.org\r\n"));
    assert_non_null(strstr(t->mail, "Subject: Your account on localhost is locked\r\n"));
    assert_null(strstr(t->mail, "token="));
    t->jar = home;
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    apr_table_clear(t->jar);
    t->json = 1;
    assert_status(
        t, ua_test_post(t, "/auth/login", "login", "alice", "password", UA_TEST_PASSWORD, NULL),
        401);
    assert_value(t, "code", "invalid_credentials");
    assert_int_equal(sessions(t), 0);
    ua_test_close(t);
}

/* Single use; every other such link ends as a sibling. */
static void works_once(void **state)
{
    apr_table_t *home = NULL;
    ua_test_t *t = open_site(&home);
    const char *first = ua_test_token(t, "disown");
    const char *second = NULL;
    const char *before = NULL;

    (void)state;
    apr_table_clear(t->jar);
    ua_test_clock(t, 24 * 3600);
    ua_test_login(t, "alice");
    assert_non_null(ua_test_mail(t));
    second = ua_test_token(t, "disown");
    assert_string_not_equal(first, second);
    t->json = 1;
    assert_status(t, post(t, first), 200);
    assert_string_equal(t->body, "{\"message\":\"Everybody is signed out, and the password is "
                                 "switched off. Set a new one to log in.\"}");
    before = ua_test_rows(t);
    for (int i = 0; i < 2; i++) {
        assert_status(t, ua_test_get(t, ua_test_link(t, "disown")), 410);
        assert_value(t, "code", "token_used");
        assert_string_equal(ua_test_rows(t), before);
    }
    assert_status(t, post(t, second), 410);
    assert_status(t, post(t, first), 410);
    assert_int_equal(ua_test_events(t, "\"event\":\"disowned\""), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'disowned'"),
                     1);
    ua_test_close(t);
}

static const struct {
    const char *purpose;
    ua_ended_e state;
} links[] = {
    {UA_PURPOSE_RESET, UA_ENDED_CHANGE},
    {UA_PURPOSE_EMAIL, UA_ENDED_CHANGE}, /* SESS-08 */
    {UA_PURPOSE_DISOWN, UA_ENDED_SIBLING},
    {UA_PURPOSE_UNDO, UA_ENDED_OPEN}, /* an owner always wins */
    {UA_PURPOSE_RESTORE, UA_ENDED_OPEN},
};

/* A thief may have asked for some, the owner for others. */
static void ends_the_links_that_a_thief_may_have(void **state)
{
    apr_table_t *home = NULL;
    ua_test_t *t = open_site(&home);
    const char *id = ua_test_scalar(t, "SELECT id FROM account");
    ua_ctx_t *ctx = ua_test_context(t);
    const char *ids[COUNT(links)];

    (void)state;
    for (size_t i = 0; i < COUNT(links); i++) {
        ua_token_t token = {
            .account_id = id, .purpose = links[i].purpose, .email = "alice@example.org"};

        assert_int_equal(ua_token_issue(&ids[i], ctx, &token, apr_time_from_sec(3600)),
                         APR_SUCCESS);
        ids[i] = apr_pstrdup(t->pool, ids[i]); /* the context ends with the next request */
    }
    ua_db_release(ctx);
    assert_status(t, post(t, ua_test_token(t, "disown")), 200);
    for (size_t i = 0; i < COUNT(links); i++) {
        apr_int64_t found = ua_test_count(t, "SELECT state FROM token WHERE id = '%s'", ids[i]);

        if (found != (apr_int64_t)links[i].state) {
            fail_msg("%s: %d", links[i].purpose, (int)found);
        }
    }
    ua_test_close(t);
}

/* The mail was sent before a thief changed the address: it works, and shows nothing of the new one. */
static void works_from_the_address_before(void **state)
{
    apr_table_t *home = NULL;
    ua_test_t *t = open_site(&home);

    (void)state;
    ua_test_sql(t, "UPDATE account SET email = 'thief@example.net', email_key = "
                   "'thief@example.net'");
    assert_status(t, post(t, ua_test_token(t, "disown")), 200);
    assert_false(ua_test_shows(t, "thief"));
    assert_int_equal(sessions(t), 0);
    assert_string_equal(ua_test_scalar(t, "SELECT email || password_off FROM account"),
                        "thief@example.net1");
    ua_test_close(t);
}

/* A closed account has nothing left to end; it stays closed, and can be restored. */
static void leaves_a_closed_account_closed(void **state)
{
    apr_table_t *home = NULL;
    ua_test_t *t = open_site(&home);
    ua_ctx_t *ctx = ua_test_context(t);

    (void)state;
    assert_int_equal(ua_account_close(ctx, ua_test_scalar(t, "SELECT id FROM account")),
                     APR_SUCCESS);
    ua_db_release(ctx);
    assert_status(t, post(t, ua_test_token(t, "disown")), 200);
    assert_string_equal(ua_test_scalar(t, "SELECT enabled || password_off FROM account"), "00");
    assert_null(ua_test_mail(t));
    ua_test_close(t);
}

/* DB-14: all of it or nothing. */
static void is_undone_when_a_statement_fails(void **state)
{
    apr_table_t *home = NULL;
    ua_test_t *t = open_site(&home);
    const char *before = ua_test_rows(t);

    (void)state;
    ua_test_sql(t,
                "CREATE TRIGGER broken BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no "
                "room'); END");
    ua_test_expect(t, "UA0101: /auth/disown was refused");
    assert_status(t, post(t, ua_test_token(t, "disown")), 503);
    assert_string_equal(ua_test_rows(t), before);
    ua_test_sql(t, "DROP TRIGGER broken");
    assert_status(t, post(t, ua_test_token(t, "disown")), 200);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_will_happen),
        cmocka_unit_test(shuts_everybody_out),
        cmocka_unit_test(works_once),
        cmocka_unit_test(ends_the_links_that_a_thief_may_have),
        cmocka_unit_test(works_from_the_address_before),
        cmocka_unit_test(leaves_a_closed_account_closed),
        cmocka_unit_test(is_undone_when_a_statement_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
