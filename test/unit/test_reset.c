/* test_reset.c: a new password by mail: what it has to be, what it proves, lifts and ends. The links
 * themselves are judged in test_reset_link.c. */
#include "passwords.h"

#include "api_client.h"

static void sets_a_new_password(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *mail = NULL;

    (void)state;
    join(t, "alice");
    ua_test_clock(t, 60);
    (void)reset_link(t, ALICE);
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, ua_test_link(t, "reset")), 303);
    assert_string_equal(ua_test_location(t), "/auth/reset");
    assert_non_null(ua_test_cookie(t, "link-reset"));
    ua_test_clock(t, 1);
    assert_status(t, ua_test_submit(t, "/auth/reset", "password", NEW_PASSWORD, NULL), 303);
    assert_string_equal(ua_test_location(t), CHANGED);
    assert_null(ua_test_cookie(t, "link-reset"));
    assert_null(ua_test_cookie(t, "")); /* the person logs in */
    assert_status(t, ua_test_get(t, ua_test_location(t)), 200);
    assert_shows(t, "Your password is changed.");
    assert_false(opens(t, "alice", UA_TEST_PASSWORD));
    assert_true(opens(t, "alice", NEW_PASSWORD));
    assert_int_equal(ua_test_events(t, "password_reset"), 1);
    assert_int_equal(notices(t), 1); /* RACE-02: one notice */
    mail = letter(t, ALICE);
    assert_non_null(strstr(mail, "Subject: Your password on localhost was changed\r\n"));
    assert_non_null(strstr(mail, "From: Unknown device, " UA_TEST_ADDRESS));
    assert_non_null(strstr(mail, "/auth/disown?token="));
    assert_null(strstr(mail, NEW_PASSWORD));
    ua_test_close(t);
}

static void shows_its_form(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *before = NULL;
    const char *link = NULL;

    (void)state;
    join(t, "alice");
    ua_test_clock(t, 60);
    (void)reset_link(t, ALICE);
    link = apr_pstrdup(t->pool, ua_test_link(t, "reset"));
    before = ua_test_rows(t);
    for (int i = 0; i < 3; i++) { /* TOK-11 */
        assert_status(t, ua_test_get(t, link), 200);
        assert_shows(t, "<h1>Set a new password</h1>");
        assert_shows(t, "name=\"username\" value=\"alice\" autocomplete=\"username\" readonly");
        assert_shows(t, "autocomplete=\"new-password\"");
        assert_string_equal(ua_test_hidden(t, "token"), strchr(link, '=') + 1);
        assert_status(t, ua_test_head(t, link), 200);
        assert_status(t, ua_test_request(t, UA_METHOD_OPTIONS, link, "", NULL), 204);
    }
    t->json = 1;
    assert_status(t, ua_test_get(t, link), 200);
    assert_string_equal(t->body, "{\"fields\":[{\"name\":\"token\",\"label\":\"Link\",\"type\":"
                                 "\"hidden\",\"required\":false},{\"name\":\"password\","
                                 "\"label\":\"New password\",\"type\":\"password\","
                                 "\"required\":true}]}");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);
    const char *token = NULL;

    (void)state;
    join(t, "alice");
    t->json = 1;
    token = reset_link(t, ALICE);
    assert_status(t, reset(t, token, NEW_PASSWORD), 200);
    assert_string_equal(t->body, "{\"message\":\"Your password is changed.\"}");
    assert_int_equal(t->res->cookies->nelts, 0);
    ua_test_close(t);
}

/* Refused without using the link up: own words, known ones, short ones. */
static void judges_the_password_first(void **state)
{
    static const struct {
        const char *password, *code, *text;
    } rows[] = {
        {"", "invalid_fields", "Enter a password."},
        {"short", "weak_password", "Use at least 8 characters."},
        {"alicewonder", "weak_password",
         "This password is too easy to guess. Use a few words that don't belong together."},
        {"alicewonder@example.org", "weak_password",
         "This password is too easy to guess. Use a few words that don't belong together."},
        {"green-otter-lamp-4711", "weak_password",
         "This password is on a list of known passwords. Choose another one."},
    };

    ua_test_t *t = ua_test_begin();
    const char *token = NULL;

    (void)state;
    ua_test_write(t, "blocked", "green-otter-lamp-4711\n");
    assert_null(ua_test_start(t, "UserAuthPasswordBlocklist {}/blocked",
                              "UserAuthMailLimit off", NULL));
    join(t, "alicewonder");
    token = reset_link(t, "alicewonder@example.org");
    for (size_t i = 0; i < COUNT(rows); i++) {
        t->json = 1;
        assert_status(t, reset(t, token, rows[i].password), 422);
        assert_value(t, "code", rows[i].code);
        assert_value(t, "errors.password", rows[i].text);
        assert_int_equal(*ua_test_value(t, "suggestion") != '\0', i > 0);
        t->json = 0;
        assert_status(t, reset(t, token, rows[i].password), 422);
        assert_string_equal(ua_test_hidden(t, "token"), token);
        assert_shows(t, "value=\"alicewonder\"");
        assert_int_equal(ua_test_shows(t, "Here is one that works"), i > 0);
    }
    assert_status(t, reset(t, token, NEW_PASSWORD), 303);
    ua_test_close(t);
}

/* What the person told in the operator's fields is known to who knows the person. */
static void judges_by_the_operators_fields(void **state)
{
    static const char city[] = "Schnarrenberg-Ulm";
    ua_test_t *t =
        ua_test_open("UserAuthProfileField city City", "UserAuthMailLimit off", NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_status(t, ua_test_submit(t, "/dashboard/profile", "city", city, NULL), 303);
    apr_table_clear(t->jar);
    assert_status(t, reset(t, reset_link(t, "alice@example.org"), city), 422);
    ua_test_close(t);
}

/* UNI-06: composed and decomposed letters are the same password. */
static void normalises_the_password(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    (void)state;
    join(t, "alice");
    assert_status(t, reset(t, reset_link(t, ALICE), "zu\xcc\x88rich-otters-paint-7"), 303);
    assert_true(opens(t, "alice", "z\xc3\xbcrich-otters-paint-7"));
    assert_true(opens(t, "alice", "zu\xcc\x88rich-otters-paint-7"));
    assert_false(opens(t, "alice", "zurich-otters-paint-7"));
    ua_test_close(t);
}

/* SESS-06, INV-5: nothing that was issued before opens anything. */
static void ends_every_session(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, "UserAuthMailLimit off");
    apr_table_t *browser = NULL;

    (void)state;
    ua_test_login(t, "alice");
    browser = t->jar;
    t->jar = apr_table_make(t->pool, 4);
    assert_int_equal(api_gated(t, api.access), 0);
    assert_status(t, reset(t, reset_link(t, ALICE), NEW_PASSWORD), 303);
    assert_int_equal(api_gated(t, api.access), 401);
    assert_no_good(t, api_renew(t, api.refresh));
    t->jar = browser;
    assert_false(is_signed_in(t));
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 0);
    ua_test_close(t);
}

/* TOK-06: the link acts on whom it was sent to; somebody else's session does not matter, nor does a name. */
static void acts_on_its_account_alone(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);
    const char *token = NULL;
    const char *bob = NULL;

    (void)state;
    join(t, "alice");
    join(t, "bob");
    token = reset_link(t, ALICE);
    assert_status(t, log_in(t, "bob", UA_TEST_PASSWORD), 303);
    bob = ua_test_scalar(t, "SELECT password_hash FROM account WHERE username = 'bob'");
    assert_status(t,
                  ua_test_submit(t, "/auth/reset", "token", token, "password", NEW_PASSWORD,
                                 "username", "bob", "user", "bob", NULL),
                  303);
    assert_true(is_signed_in(t));
    assert_string_equal(
        ua_test_scalar(t, "SELECT password_hash FROM account WHERE username = 'bob'"), bob);
    assert_true(opens(t, "alice", NEW_PASSWORD));
    ua_test_close(t);
}

/* TOK-16: waits under each name, those of a known browser, and the disabled password. */
static void lifts_every_wait(void **state)
{
    static const char *const names[] = {"alice", ALICE};
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", "UserAuthLockDisable 12", NULL);

    (void)state;
    join(t, "alice");
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303); /* leaves a device cookie */
    ua_test_forget(t, "");
    for (int i = 0; i < 5; i++) {
        assert_false(ua_test_post(t, "/auth/login", "login", "alice", "password", "wrong-1",
                                  NULL) == 303);
        assert_false(opens(t, names[0], "wrong-1"));
        assert_false(opens(t, names[1], "wrong-1"));
    }
    assert_status(
        t, ua_test_post(t, "/auth/login", "login", ALICE, "password", UA_TEST_PASSWORD, NULL),
        429);
    ua_test_sql(t, "UPDATE account SET failures = 12"); /* more than the limit */
    assert_false(opens(t, "alice", UA_TEST_PASSWORD));
    assert_status(t, reset(t, reset_link(t, ALICE), NEW_PASSWORD), 303);
    assert_string_equal(
        ua_test_scalar(t, "SELECT failures || device_failures || password_off FROM account"),
        "000");
    assert_true(opens(t, names[0], NEW_PASSWORD));
    assert_true(opens(t, names[1], NEW_PASSWORD));
    assert_status(
        t, ua_test_post(t, "/auth/login", "login", "alice", "password", NEW_PASSWORD, NULL),
        303);
    assert_int_equal(notices(t), 1);
    ua_test_close(t);
}

/* "This wasn't me" switches the password off until this. */
static void switches_the_password_on(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    (void)state;
    join(t, "alice");
    assert_status(t, reset(t, reset_link(t, ALICE), NEW_PASSWORD), 303);
    assert_non_null(letter(t, ALICE));
    assert_status(t, ua_test_post(t, "/auth/disown", "token", ua_test_token(t, "disown"), NULL),
                  200);
    assert_false(opens(t, "alice", NEW_PASSWORD));
    ua_test_clock(t, 1);
    assert_status(t, reset(t, reset_link(t, ALICE), UA_TEST_PASSWORD), 303);
    assert_true(opens(t, "alice", UA_TEST_PASSWORD));
    ua_test_close(t);
}

/* TOK-17, SESS-07: somebody registered with an address that is not his; its owner resets the password. */
static void proves_the_address(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off",
                                "UserAuthProfileField city \"City\" public", NULL);
    const char *verify = NULL;
    const char *disown = NULL;

    (void)state;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email", ALICE,
                               "password", UA_TEST_PASSWORD, "display_name", "Mallory", "city",
                               "Malta", NULL),
                  303);
    assert_non_null(letter(t, ALICE));
    verify = apr_pstrdup(t->pool, ua_test_token(t, "verify"));
    disown = apr_pstrdup(t->pool, ua_test_token(t, "disown"));
    apr_table_clear(t->jar);
    assert_status(t, reset(t, reset_link(t, ALICE), NEW_PASSWORD), 303);
    assert_string_equal(ua_test_scalar(t, "SELECT enabled || '|' || (verified > 0) || '|' || "
                                          "display_name FROM account"),
                        "1|1|");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM profile_field"), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM held_name"), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM old_password"), 0);
    assert_false(opens(t, "alice", UA_TEST_PASSWORD));
    assert_true(opens(t, "alice", NEW_PASSWORD));
    assert_status(t, ua_test_post(t, "/auth/verify", "token", verify, NULL), 410);
    assert_status(t, ua_test_post(t, "/auth/disown", "token", disown, NULL), 400);
    assert_int_equal(ua_test_events(t, "\"verified\""), 1);
    assert_int_equal(notices(t), 1);
    ua_test_close(t);
}

/* SESS-08: a change of address that a thief began comes to nothing; a link that undoes one stays. */
static void ends_a_change_of_address(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *undo_token = NULL;
    const char *pending = NULL;

    (void)state;
    move_to(t, "alice2@example.org");
    undo_token = apr_pstrdup(t->pool, undo_link(t, ALICE));
    ask(t, "thief@example.org");
    assert_non_null(letter(t, "thief@example.org"));
    pending = apr_pstrdup(t->pool, ua_test_token(t, "email"));
    ask(t, "thief2@example.org"); /* its mail did not leave yet */
    apr_table_clear(t->jar);
    ua_test_clock(t, 1);
    assert_status(t, forgot(t, "alice2@example.org"), 303);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'email' AND state = 0"), 1);
    ua_test_sql(t, "UPDATE outbox SET due = due + 1000000000 WHERE kind = 'email'");
    assert_non_null(letter(t, "alice2@example.org"));
    assert_status(t, reset(t, ua_test_token(t, "reset"), NEW_PASSWORD), 303);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'email' AND state = 0"), 0);
    assert_status(t, ua_test_post(t, "/auth/email", "token", pending, NULL), 400);
    assert_string_equal(address_of(t, "alice"), "alice2@example.org");
    assert_status(t, undo(t, undo_token, UA_TEST_PASSWORD), 303);
    assert_string_equal(address_of(t, "alice"), ALICE);
    ua_test_close(t);
}

/* Whom an administrator let in by hand (enabled = 1 in the table): a link proves the address, or shuts
 * everybody out, as for who confirmed it. */
static void of_who_was_let_in_by_hand(void **state)
{
    static const char *const purposes[] = {"reset", "verify", "disown"};

    (void)state;
    for (size_t i = 0; i < COUNT(purposes); i++) {
        ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);
        const char *uri = apr_pstrcat(t->pool, "/auth/", purposes[i], NULL);
        const char *token = NULL;

        ua_test_register(t, "alice");
        assert_non_null(ua_test_mail(t));
        apr_table_clear(t->jar);
        ua_test_sql(t, "UPDATE account SET enabled = 1");
        token = i == 0 ? reset_link(t, ALICE) : ua_test_token(t, purposes[i]);
        t->json = 1;
        assert_status(t, ua_test_post(t, uri, "token", token, "password", NEW_PASSWORD, NULL),
                      200);
        t->json = 0;
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE enabled = 1"), 1);
        assert_int_equal(opens(t, "alice", UA_TEST_PASSWORD), i == 1);
        assert_int_equal(opens(t, "alice", NEW_PASSWORD), i == 0);
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_a_new_password),
        cmocka_unit_test(shows_its_form),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(judges_the_password_first),
        cmocka_unit_test(judges_by_the_operators_fields),
        cmocka_unit_test(normalises_the_password),
        cmocka_unit_test(ends_every_session),
        cmocka_unit_test(acts_on_its_account_alone),
        cmocka_unit_test(lifts_every_wait),
        cmocka_unit_test(switches_the_password_on),
        cmocka_unit_test(proves_the_address),
        cmocka_unit_test(ends_a_change_of_address),
        cmocka_unit_test(of_who_was_let_in_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
