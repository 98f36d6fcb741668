/* test_close.c: a person closes the account: what ends at once, what stays, and what a thief gains: nothing.
 *
 * Cases: AUTHZ-01, AUTHZ-03, BF-01, RACE-10.
 */
#include "moves.h"

#define CLOSE  "/dashboard/close"
#define CLOSED "/auth/login?notice=closed"
#define WRONG  "not-the-password-92"

/* Closes the account of whom the jar belongs to. */
static int close_it(ua_test_t *t, const char *password)
{
    return ua_test_submit(t, CLOSE, "current_password", password, NULL);
}

static const char *state_of(ua_test_t *t, const char *username)
{
    return ua_test_scalar(t,
                          "SELECT enabled || '|' || (closed > 0) FROM account WHERE username "
                          "= '%s'",
                          username);
}

static void shows_what_is_lost(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *before = ua_test_rows(t);

    (void)state;
    assert_status(t, ua_test_get(t, CLOSE), 200);
    assert_shows(t, "<h1>Close your account</h1>");
    assert_shows(t, "<strong>alice</strong> is shut at once");
    assert_shows(t, "For 7 days you can bring it back");
    assert_shows(t, "href=\"/dashboard/export\"");
    assert_shows(t, "name=\"current_password\" autocomplete=\"current-password\"");
    assert_shows(t, "value=\"alice\" autocomplete=\"username\" readonly");
    assert_shows(t, "<button class=\"danger\">Close my account</button>");
    assert_string_equal(ua_test_rows(t), before);
    t->json = 1;
    assert_status(t, ua_test_get(t, CLOSE), 200);
    assert_string_equal(t->body, "{\"fields\":[{\"name\":\"current_password\",\"label\":\"Your "
                                 "password\",\"type\":\"password\",\"required\":true}]}");
    ua_test_close(t);
}

static void closes(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *cookie = ua_test_cookie(t, "");

    (void)state;
    assert_status(t, close_it(t, UA_TEST_PASSWORD), 303);
    assert_string_equal(ua_test_location(t), CLOSED);
    assert_string_equal(ua_test_reply_header(t, "Clear-Site-Data"), "\"cache\"");
    assert_null(ua_test_cookie(t, ""));
    assert_string_equal(state_of(t, "alice"), "0|1");
    assert_int_equal(ua_test_count(t, "SELECT closed FROM account"), t->now);
    assert_int_equal(ua_test_events(t, "\"closed\""), 1);
    assert_status(t, ua_test_get(t, CLOSED), 200);
    assert_shows(t, "Your account is closed. The email we sent you says how long");
    apr_table_set(t->jar, "userauth", cookie); /* a replay */
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

/* The mail: what happened, until when, and the link. */
static void tells_the_owner(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    ua_test_clock(t, 1);
    assert_status(t, close_it(t, UA_TEST_PASSWORD), 303);
    assert_non_null(letter(t, ALICE));
    assert_non_null(strstr(t->mail, "\r\nSubject: Your account on localhost is closed\r\n"));
    assert_non_null(strstr(t->mail, "Hello alice,\r\n\r\n"
                                    "Your account on localhost is closed. Nobody can\r\n"
                                    "log in to it, and members no longer see it. After\r\n"
                                    "7 days everything stored about you is deleted:\r\n"
                                    "on 28 November 2026 at 08:30 UTC.\r\n"));
    assert_int_equal(strlen(ua_test_token(t, "restore")), 36 + 1 + 43);
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    t->json = 1;
    assert_status(t, ua_test_post_json(t, CLOSE, "{\"current_password\":\"" WRONG "\"}"), 422);
    assert_value(t, "code", "invalid_fields");
    assert_value(t, "errors.current_password", "This is not your password.");
    assert_status(t, ua_test_post_json(t, CLOSE, "{\"current_password\":\"\"}"), 422);
    assert_status(
        t, ua_test_post_json(t, CLOSE, "{\"current_password\":\"" UA_TEST_PASSWORD "\"}"), 200);
    assert_string_equal(t->body, "{\"message\":\"Your account is closed. The email we sent you "
                                 "says how long you can bring it back.\"}");
    assert_status(
        t, ua_test_post_json(t, CLOSE, "{\"current_password\":\"" UA_TEST_PASSWORD "\"}"), 401);
    assert_value(t, "code", "login_required");
    ua_test_close(t);
}

/* BF-01: also a person at an open screen has to know the password, and guesses are counted. */
static void needs_the_password(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    assert_status(t, close_it(t, ""), 422);
    assert_shows(t, "Enter a password.");
    for (int i = 0; i < 5; i++) {
        assert_status(t, close_it(t, WRONG), 422);
        assert_shows(t, "This is not your password.");
        assert_false(ua_test_shows(t, WRONG));
    }
    assert_status(t, close_it(t, UA_TEST_PASSWORD), 429);
    assert_string_equal(state_of(t, "alice"), "1|0");
    ua_test_clock(t, 30);
    assert_status(t, close_it(t, UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

/* One without an account, closed or not, is answered the same; the name and the address are not free. */
static void is_unknown_but_held(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *body = NULL;

    (void)state;
    assert_status(t, close_it(t, UA_TEST_PASSWORD), 303);
    apr_table_clear(t->jar);
    t->json = 1;
    assert_status(t, log_in(t, "nobody@example.org", UA_TEST_PASSWORD), 401);
    body = apr_pstrdup(t->pool, t->body);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 401);
    assert_string_equal(t->body, body);
    assert_status(t, log_in(t, ALICE, UA_TEST_PASSWORD), 401);
    assert_string_equal(t->body, body);
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "Alice", "email", ALICE,
                               "password", UA_TEST_PASSWORD, NULL),
                  409);
    assert_value(t, "errors.username", "Username already in use");
    assert_value(t, "errors.email", "Email already in use");
    ua_test_close(t);
}

/* All sessions and their API tokens, all links but those that undo a change of the address. */
static void ends_what_opens_it(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *refresh = NULL;
    const char *reset = NULL;
    const char *undo_token = NULL;

    (void)state;
    move_to(t, "new@example.org");
    undo_token = undo_link(t, ALICE);
    t->json = 1;
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 200);
    refresh = apr_pstrdup(t->pool, ua_test_value(t, "refresh_token"));
    ua_test_clock(t, 1);
    t->json = 0;
    assert_status(t, ua_test_submit(t, "/auth/forgot", "email", "new@example.org", NULL), 303);
    assert_non_null(letter(t, "new@example.org"));
    reset = ua_test_token(t, "reset");
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    assert_status(t, close_it(t, UA_TEST_PASSWORD), 303);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 0);
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(purpose) FROM (SELECT purpose FROM token WHERE "
                          "state = 0 ORDER BY purpose)"),
        "restore,undo");
    assert_int_equal(ua_test_count(t, "SELECT state FROM token WHERE id = '%.36s'", reset),
                     UA_ENDED_CHANGE);
    apr_table_clear(t->jar);
    t->json = 1;
    assert_status(t, ua_test_post(t, "/auth/token", "refresh_token", refresh, NULL), 401);
    assert_status(t,
                  ua_test_post(t, "/auth/reset", "token", reset, "password",
                               "quartz-meadow-lantern-58", NULL),
                  400);
    assert_status(t, undo(t, undo_token, UA_TEST_PASSWORD), 200); /* a thief closed it */
    assert_string_equal(state_of(t, "alice"), "1|0");
    ua_test_close(t);
}

/* Of the mails that wait those go out that tell what happened; links that are dead do not. */
static void mails_that_wait(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    ask(t, "new@example.org");
    assert_status(t, ua_test_submit(t, "/auth/forgot", "email", ALICE, NULL), 303);
    ua_test_sql(t, "UPDATE outbox SET state = 0, due = 0, sent = 0, kind = 'email-changed' "
                   "WHERE kind = 'welcome'");
    assert_status(t, close_it(t, UA_TEST_PASSWORD), 303);
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(kind) FROM (SELECT kind FROM outbox WHERE state "
                          "= 0 ORDER BY kind)"),
        "closed,email-changed");
    ua_test_close(t);
}

/* Members see it no more. */
static void is_not_listed(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    assert_status(t, close_it(t, UA_TEST_PASSWORD), 303);
    join(t, "bob");
    assert_status(t, log_in(t, "bob", UA_TEST_PASSWORD), 303);
    assert_status(t, ua_test_get(t, "/dashboard/members/alice"), 404);
    t->json = 1;
    assert_status(t, ua_test_get(t, "/dashboard/members"), 200);
    assert_null(strstr(t->body, "alice"));
    assert_non_null(strstr(t->body, "bob"));
    ua_test_close(t);
}

/* AUTHZ-01: the own one only. */
static void leaves_others_alone(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    join(t, "bob");
    assert_status(t, log_in(t, "bob", UA_TEST_PASSWORD), 303);
    assert_status(t,
                  ua_test_submit(t, CLOSE "?username=alice", "current_password",
                                 UA_TEST_PASSWORD, "username", "alice", "id",
                                 ua_test_scalar(t, "SELECT id FROM account WHERE username = "
                                                   "'alice'"),
                                 NULL),
                  303);
    assert_string_equal(state_of(t, "alice"), "1|0");
    assert_string_equal(state_of(t, "bob"), "0|1");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session s JOIN account a ON a.id = "
                                      "s.account_id WHERE s.ended = 0 AND a.username = "
                                      "'alice'"),
                     1);
    ua_test_close(t);
}

/* RACE-10: of two who close it at once one does, and the other is no failure of the machine. */
static void closed_meanwhile(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *before = NULL;

    (void)state;
    assert_status(t, ua_test_get(t, CLOSE), 200);
    apr_table_setn(t->req->form, "current_password", UA_TEST_PASSWORD);
    ua_res_init(t->res, t->req);
    assert_int_equal(t->req->route->check(t->res, t->req), APR_SUCCESS);
    ua_password_leave(t->req->ctx);
    ua_db_release(t->req->ctx);
    ua_test_sql(t, "UPDATE account SET enabled = 0, closed = 7");
    before = ua_test_rows(t);
    assert_int_equal(ua_db_begin(t->req->ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(t->req->route->submit(t->res, t->req), APR_SUCCESS);
    assert_int_equal(ua_db_commit(t->req->ctx), APR_SUCCESS);
    ua_db_release(t->req->ctx);
    assert_int_equal(t->res->status, 401);
    assert_int_equal(t->res->problem, UA_PROBLEM_LOGIN_REQUIRED);
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

/* AUTHZ-03 */
static void for_the_signed_in_only(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    apr_table_clear(t->jar);
    assert_status(t, ua_test_get(t, CLOSE), 303);
    assert_status(
        t, ua_test_post_json(t, CLOSE, "{\"current_password\":\"" UA_TEST_PASSWORD "\"}"), 401);
    assert_string_equal(state_of(t, "alice"), "1|0");
    ua_test_close(t);
}

static void all_or_nothing(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    ua_test_sql(t, "ALTER TABLE outbox RENAME TO away");
    ua_test_expect(t, "UA0101");
    assert_status(t, close_it(t, UA_TEST_PASSWORD), 503);
    assert_string_equal(state_of(t, "alice"), "1|0");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended > 0"), 0);
    ua_test_sql(t, "ALTER TABLE away RENAME TO outbox");
    assert_status(t, close_it(t, UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_is_lost), cmocka_unit_test(closes),
        cmocka_unit_test(tells_the_owner),    cmocka_unit_test(answers_a_program),
        cmocka_unit_test(needs_the_password), cmocka_unit_test(is_unknown_but_held),
        cmocka_unit_test(ends_what_opens_it), cmocka_unit_test(mails_that_wait),
        cmocka_unit_test(is_not_listed),      cmocka_unit_test(leaves_others_alone),
        cmocka_unit_test(closed_meanwhile),   cmocka_unit_test(for_the_signed_in_only),
        cmocka_unit_test(all_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
