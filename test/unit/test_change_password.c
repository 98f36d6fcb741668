/* test_change_password.c: another password with the present one: everything issued before ends, and this
 * browser goes on with a new session. */
#include "passwords.h"

#include "api_client.h"

#define PAGE  "/dashboard/password"
#define DONE  "/dashboard?notice=password-changed"
#define MONTH 2592000

static ua_test_t *site(const char *line)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", line, NULL);

    join(t, "alice");
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_clock(t, 1);
    return t;
}

static void changes_the_password(void **state)
{
    ua_test_t *t = site(NULL);
    const char *mail = NULL;

    (void)state;
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_shows(t, "<h1>Change your password</h1>");
    assert_shows(t, "name=\"username\" value=\"alice\" autocomplete=\"username\" readonly");
    assert_shows(t, "autocomplete=\"current-password\"");
    assert_shows(t, "autocomplete=\"new-password\"");
    assert_status(t, change(t, UA_TEST_PASSWORD, NEW_PASSWORD), 303);
    assert_string_equal(ua_test_location(t), DONE);
    assert_status(t, ua_test_get(t, DONE), 200);
    assert_shows(t, "Your password is changed.");
    mail = letter(t, ALICE); /* before a sign-in sends another one */
    assert_false(opens(t, "alice", UA_TEST_PASSWORD));
    assert_true(opens(t, "alice", NEW_PASSWORD));
    assert_int_equal(ua_test_events(t, "password_changed"), 1);
    assert_non_null(strstr(mail, "Subject: Your password on localhost was changed\r\n"));
    assert_int_equal(notices(t), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM old_password"), 1);
    assert_status(t, ua_test_post(t, "/auth/disown", "token", ua_test_token(t, "disown"), NULL),
                  403); /* a browser's form needs its field */
    apr_table_clear(t->jar);
    assert_status(t, ua_test_post(t, "/auth/disown", "token", ua_test_token(t, "disown"), NULL),
                  200);
    assert_false(opens(t, "alice", NEW_PASSWORD));
    ua_test_close(t);
}

/* SESS-02: another id and secret; SESS-06, INV-5: the old ones, here and elsewhere, are dead. */
static void replaces_every_session(void **state)
{
    ua_test_t *t = site(NULL);
    const char *id = ua_test_scalar(t, "SELECT id FROM session");
    const char *old = apr_pstrdup(t->pool, ua_test_cookie(t, ""));
    apr_table_t *here = t->jar;
    apr_table_t *there = NULL;

    (void)state;
    t->jar = apr_table_make(t->pool, 4);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    there = t->jar;
    t->jar = here;
    assert_status(t, change(t, UA_TEST_PASSWORD, NEW_PASSWORD), 303);
    assert_true(is_signed_in(t));
    assert_string_not_equal(ua_test_cookie(t, ""), old);
    assert_string_not_equal(ua_test_scalar(t, "SELECT id FROM session WHERE ended = 0"), id);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 1);
    t->jar = there;
    assert_false(is_signed_in(t));
    ua_test_header(t, "Cookie", apr_pstrcat(t->pool, "userauth=", old, NULL));
    assert_status(t, ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

/* A program gets new tokens, by cookie or access token alike; the old ones end. */
static void answers_a_program(void **state)
{
    static const char body[] =
        "{\"current_password\":\"" UA_TEST_PASSWORD "\",\"password\":\"" NEW_PASSWORD "\"}";

    (void)state;
    for (int cookie = 0; cookie < 2; cookie++) {
        api_t api;
        ua_test_t *t = api_open(&api, NULL);
        const char *access = NULL;

        t->json = 1;
        ua_test_clock(t, 1);
        if (cookie) {
            ua_test_header(t, "Cookie", apr_pstrcat(t->pool, "userauth=", api.cookie, NULL));
        }
        else {
            api_carry(t, api.access, NULL);
        }
        assert_status(t, ua_test_post_json(t, PAGE, body), 200);
        assert_value(t, "message", "Your password is changed.");
        assert_value(t, "user.username", "alice");
        assert_value(t, "token_type", "Bearer");
        access = api_kept(t, "access_token");
        assert_string_not_equal(api_kept(t, "refresh_token"), "");
        assert_non_null(ua_test_cookie(t, ""));
        assert_true(is_signed_in(t));
        apr_table_clear(t->jar);
        assert_int_equal(api_gated(t, access), 0);
        assert_int_equal(api_gated(t, api.access), 401);
        assert_no_good(t, api_renew(t, api.refresh));
        ua_test_close(t);
    }
}

/* The browser is remembered as long as it was. */
static void keeps_remember(void **state)
{
    ua_test_t *t = site(NULL);

    (void)state;
    assert_status(t, change(t, UA_TEST_PASSWORD, NEW_PASSWORD), 303);
    assert_int_equal(ua_test_set_cookie(t, "")->age, 0);
    apr_table_clear(t->jar);
    assert_status(t,
                  ua_test_post(t, "/auth/login", "login", "alice", "password", NEW_PASSWORD,
                               "remember", "1", NULL),
                  303);
    assert_status(t, change(t, NEW_PASSWORD, UA_TEST_PASSWORD), 303);
    assert_int_equal(ua_test_set_cookie(t, "")->age, MONTH);
    ua_test_clock(t, MONTH - 1);
    assert_true(is_signed_in(t));
    ua_test_close(t);
}

/* Counted like a failed sign-in: five, and there is a wait. */
static void wants_the_present_password(void **state)
{
    ua_test_t *t = site(NULL);
    const char *hash = ua_test_scalar(t, "SELECT password_hash FROM account");

    (void)state;
    ua_test_forget(t, "device");
    for (int i = 1; i <= 5; i++) {
        assert_status(t, change(t, "wrong-password-1", NEW_PASSWORD), 422);
        assert_shows(t, "This is not your password.");
        assert_false(ua_test_shows(t, "wrong-password-1"));
        assert_false(ua_test_shows(t, NEW_PASSWORD));
        assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), i);
    }
    assert_status(t, change(t, UA_TEST_PASSWORD, NEW_PASSWORD), 429);
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "30");
    assert_string_equal(ua_test_scalar(t, "SELECT password_hash FROM account"), hash);
    assert_true(is_signed_in(t)); /* a wait ends nothing */
    ua_test_clock(t, 30);
    assert_status(t, change(t, UA_TEST_PASSWORD, NEW_PASSWORD), 303);
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 0);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM throttle WHERE name LIKE 'login%%'"), 0);
    ua_test_close(t);
}

/* Both fields are judged before anything is verified or counted. */
static void judges_the_new_password(void **state)
{
    static const struct {
        const char *present, *password, *code, *field, *text;
    } rows[] = {
        {UA_TEST_PASSWORD, "", "invalid_fields", "password", "Enter a password."},
        {"", NEW_PASSWORD, "invalid_fields", "current_password", "Enter a password."},
        {UA_TEST_PASSWORD, "short", "weak_password", "password", "Use at least 8 characters."},
        {UA_TEST_PASSWORD, "alice@example.org", "weak_password", "password",
         "This password is too easy to guess. Use a few words that don't belong together."},
        {UA_TEST_PASSWORD, UA_TEST_PASSWORD, "invalid_fields", "password",
         "This is the password you have now. Choose another one."},
        {"u\xcc\x88-not-my-present-one", "\xc3\xbc-not-my-present-one", "invalid_fields",
         "password", "This is the password you have now. Choose another one."},
    };

    ua_test_t *t = site(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ua_test_header(t, "Accept", "application/json");
        assert_status(t, change(t, rows[i].present, rows[i].password), 422);
        assert_value(t, "code", rows[i].code);
        assert_value(t, apr_pstrcat(t->pool, "errors.", rows[i].field, NULL), rows[i].text);
        assert_int_equal(*ua_test_value(t, "suggestion") != '\0',
                         strcmp(rows[i].code, "weak_password") == 0);
    }
    assert_status(t, change(t, UA_TEST_PASSWORD, "short"), 422);
    assert_shows(t, "Here is one that works");
    assert_int_equal(ua_test_count(t, "SELECT failures + device_failures FROM account"), 0);
    assert_true(opens(t, "alice", UA_TEST_PASSWORD));
    ua_test_close(t);
}

/* SESS-08: a change of address under way ends; a link that undoes one stays. */
static void ends_a_change_of_address(void **state)
{
    ua_test_t *t = site(NULL);
    const char *undo_token = NULL;
    const char *pending = NULL;

    (void)state;
    move_to(t, "alice2@example.org");
    undo_token = apr_pstrdup(t->pool, undo_link(t, ALICE));
    ask(t, "thief@example.org");
    assert_non_null(letter(t, "thief@example.org"));
    pending = apr_pstrdup(t->pool, ua_test_token(t, "email"));
    ua_test_clock(t, 1);
    assert_status(t, change(t, UA_TEST_PASSWORD, NEW_PASSWORD), 303);
    assert_status(t, ua_test_submit(t, "/auth/email", "token", pending, NULL), 400);
    assert_string_equal(address_of(t, "alice"), "alice2@example.org");
    apr_table_clear(t->jar);
    assert_status(t, undo(t, undo_token, UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

/* Another request changed the password between the look at it and the writing: this one was wrong. */
static void loses_a_race(void **state)
{
    ua_test_t *t = site(NULL);

    (void)state;
    ua_test_sql(t, "CREATE TRIGGER rival BEFORE UPDATE OF password_set ON account BEGIN SELECT "
                   "RAISE(IGNORE); END");
    assert_status(t, change(t, UA_TEST_PASSWORD, NEW_PASSWORD), 422);
    assert_shows(t, "This is not your password.");
    assert_int_equal(notices(t), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM old_password"), 0);
    assert_int_equal(ua_test_count(t, "SELECT device_failures FROM account"), 1);
    ua_test_close(t);
}

static void is_for_who_is_signed_in(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    assert_status(t, ua_test_get(t, PAGE), 303);
    assert_string_equal(ua_test_location(t), "/auth/login?next=%2Fdashboard%2Fpassword");
    t->json = 1;
    assert_status(t,
                  ua_test_post(t, PAGE, "current_password", UA_TEST_PASSWORD, "password",
                               NEW_PASSWORD, NULL),
                  401);
    assert_true(opens(t, "alice", UA_TEST_PASSWORD));
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_the_password),       cmocka_unit_test(replaces_every_session),
        cmocka_unit_test(answers_a_program),          cmocka_unit_test(keeps_remember),
        cmocka_unit_test(wants_the_present_password), cmocka_unit_test(judges_the_new_password),
        cmocka_unit_test(ends_a_change_of_address),   cmocka_unit_test(loses_a_race),
        cmocka_unit_test(is_for_who_is_signed_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
