/* test_register.c: registration: success, each refusal, and that a refusal changes nothing. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void makes_an_account_that_can_do_nothing_yet(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t,
                  ua_test_submit(t, "/auth/register", "username", "Alice", "email",
                                 "Alice@Example.ORG", "password", UA_TEST_PASSWORD,
                                 "display_name", "  Alice A.  ", NULL),
                  303);
    assert_string_equal(ua_test_location(t), "/auth/check-email");
    assert_string_equal(ua_test_scalar(t, "SELECT username || '|' || username_key || '|' || "
                                          "email_key || '|' || display_name || '|' || enabled "
                                          "|| '|' || address FROM account"),
                        "Alice|alice|alice@example.org|Alice A.|0|192.0.2.7");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE password_hash LIKE "
                                      "'$argon2id$v=19$m=7168,t=1,p=1$%%'"),
                     1);
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(purpose) FROM (SELECT purpose FROM token "
                          "WHERE state = 0 ORDER BY purpose)"),
        "disown,verify");
    assert_string_equal(ua_test_scalar(t, "SELECT kind || state FROM outbox"), "verify0");
    assert_string_equal(ua_test_scalar(t, "SELECT kind FROM event"), "registered");
    assert_string_equal(ua_test_scalar(t, "SELECT id FROM event"), t->req->ctx->id);
    assert_int_equal(ua_test_events(t, "\"event\":\"registered\""), 1);
    assert_null(ua_test_cookie(t, "")); /* no session */
    assert_int_equal(ua_test_set_cookie(t, "registration")->age, 7 * 24 * 3600);
    ua_test_close(t);
}

static void answers_a_program_with_201(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t,
                  ua_test_post_json(t, "/auth/register",
                                    "{\"username\":\"bob\",\"email\":\"bob@example.org\","
                                    "\"password\":\"" UA_TEST_PASSWORD "\"}"),
                  201);
    assert_string_equal(t->res->type, "application/json");
    assert_value(t, "mail", "queued");
    assert_value(t, "user.username", "bob");
    assert_value(t, "user.email", "bob@example.org");
    assert_value(t, "user.email_verified", "false");
    assert_value(t, "user.display_name", "");
    assert_value(t, "user.id", ua_test_scalar(t, "SELECT id FROM account"));
    assert_value(t, "message", "Check your email. We sent you a link to confirm your address.");
    assert_false(ua_test_shows(t, "password"));
    ua_test_close(t);
}

typedef struct refusal_t {
    const char *comment;
    const char *field, *value; /* instead of the good one; NULL leaves the field out */
    const char *text;
    const char *code;
} refusal_t;

static const refusal_t refusals[] = {
    {"no username", "username", "", "Choose a username.", "invalid_fields"},
    {"username of blanks", "username", "   ", "Choose a username.", "invalid_fields"},
    {"username too short", "username", "ab", "Use 3 to 32 characters.", "invalid_fields"},
    {"33 characters", "username", "abcdefghijklmnopqrstuvwxyz0123456",
     "Use 3 to 32 characters.", "invalid_fields"},
    {"a blank inside", "username", "al ice",
     "Use only letters A to Z, digits, dots, hyphens and underscores.", "invalid_fields"},
    {"UNI-02: look-alike letters", "username", "\xe1\xb4\xae\xe1\xb4\xb5g",
     "Use only letters A to Z, digits, dots, hyphens and underscores.", "invalid_fields"},
    {"first a dot", "username", ".alice", "Begin with a letter or a digit.", "invalid_fields"},
    {"reserved", "username", "Admin", "This username is reserved. Choose another one.",
     "invalid_fields"},
    {"reserved here", "username", "Boss", "This username is reserved. Choose another one.",
     "invalid_fields"},
    {"no address", "email", "", "Enter your email address.", "invalid_fields"},
    {"address without a host", "email", "alice",
     "Enter an email address like name@example.com.", "invalid_fields"},
    {"SMTP-01: a second recipient", "email", "a@b.example>\r\nRCPT TO:<evil@x.example",
     "Enter an email address like name@example.com.", "invalid_fields"},
    {"no password", "password", "", "Enter a password.", "invalid_fields"},
    {"password too short", "password", "q7#Zr9x", "Use at least 8 characters.",
     "weak_password"},
    {"BF-15: too common", "password", "password1",
     "This password is too easy to guess. Use a few words that don't belong together.",
     "weak_password"},
    {"BF-15: on the list", "password", "Correct-Horse-Battery-9",
     "This password is on a list of known passwords. Choose another one.", "weak_password"},
    {"confirmation differs", "password_confirm", "purple-monkey-dishwasher-93",
     "The two passwords are not the same.", "invalid_fields"},
    {"confirmation left empty", "password_confirm", "", "The two passwords are not the same.",
     "invalid_fields"},
    {"display name too long", "display_name",
     "0123456789012345678901234567890123456789012345678901234567890123x",
     "Use at most 64 characters.", "invalid_fields"},
    {"invisible characters", "display_name",
     "Ali\xe2\x80\xae"
     "ce",
     "Leave out invisible characters.", "invalid_fields"},
};

static const char *value_of(const refusal_t *r, const char *field, const char *good)
{
    return strcmp(r->field, field) == 0 ? r->value : good;
}

static int post(ua_test_t *t, const refusal_t *r)
{
    return ua_test_post(
        t, "/auth/register", "username", value_of(r, "username", "alice"), "email",
        value_of(r, "email", "alice@example.org"), "password",
        value_of(r, "password", UA_TEST_PASSWORD), "password_confirm",
        value_of(r, "password_confirm", value_of(r, "password", UA_TEST_PASSWORD)),
        "display_name", value_of(r, "display_name", "Alice"), NULL);
}

static void refuses_fields(void **state)
{
    ua_test_t *t = ua_test_begin();
    const char *before = NULL;

    (void)state;
    ua_test_write(t, "common.txt", "letmein\ncorrect-horse-battery-9\n");
    assert_null(ua_test_start(t, "UserAuthPasswordBlocklist {}/common.txt",
                              "UserAuthUsernameReserved boss chief", NULL));
    before = ua_test_rows(t);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const refusal_t *r = &refusals[i];
        const char *path = apr_pstrcat(t->pool, "errors.", r->field, NULL);

        t->json = 0;
        if (post(t, r) != 422 || (!strchr(r->text, '\'') && !ua_test_shows(t, r->text))) {
            fail_msg("%s: %d %s", r->comment, t->res->status, t->body);
        }
        assert_shows(t, "<title>Register");
        t->json = 1;
        assert_status(t, post(t, r), 422);
        assert_value(t, path, r->text);
        assert_value(t, "code", r->code);
        assert_value(t, "status", "422");
        assert_string_equal(t->res->type, "application/problem+json");
    }
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

static void suggests_a_password_that_passes(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *suggestion = NULL;

    (void)state;
    t->json = 1;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email",
                               "alice@example.org", "password", "alice123", NULL),
                  422);
    assert_value(t, "code", "weak_password");
    assert_value(t, "title", "Please choose a stronger password");
    suggestion = apr_pstrdup(t->pool, ua_test_value(t, "suggestion"));
    assert_true(strlen(suggestion) > 15);
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email",
                               "alice@example.org", "password", suggestion, NULL),
                  201);
    ua_test_close(t);
}

static void lists_all_field_errors_before_taken_names(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    t->json = 1;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email",
                               "alice@example.org", "password", "short", "display_name",
                               "a\xe2\x80\x8b", NULL),
                  422);
    assert_value(t, "code", "invalid_fields");
    assert_value(t, "errors.password", "Use at least 8 characters.");
    assert_value(t, "errors.display_name", "Leave out invisible characters.");
    assert_value(t, "errors.email", "");
    assert_value(t, "errors.username", "");
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *username, *email;
    const char *code;
    const char *email_error, *username_error;
} taken[] = {
    {"both", "alice", "alice@example.org", "email_in_use", "Email already in use",
     "Username already in use"},
    {"RACE-03, INV-3: the address in another case", "alice2", "ALICE@EXAMPLE.ORG",
     "email_in_use", "Email already in use", ""},
    {"RACE-03, INV-3: the name in another case", "ALICE", "other@example.org", "username_taken",
     "", "Username already in use"},
    {"UNI-04: the address's domain in its other form", "alice2", "bo@xn--bcher-kva.example",
     "email_in_use", "Email already in use", ""},
};

static void refuses_taken_names(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *before = NULL;

    (void)state;
    ua_test_register(t, "alice");
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "bo1", "email",
                               "bo@b\xc3\xbc"
                               "cher.example",
                               "password", UA_TEST_PASSWORD, NULL),
                  303);
    before = ua_test_rows(t);
    t->json = 1;
    for (size_t i = 0; i < COUNT(taken); i++) {
        assert_status(t,
                      ua_test_post(t, "/auth/register", "username", taken[i].username, "email",
                                   taken[i].email, "password", "another-Good-passphrase-7",
                                   NULL),
                      409);
        assert_value(t, "code", taken[i].code);
        assert_value(t, "title",
                     *taken[i].email_error ? "Email already in use"
                                           : "Username already in use");
        assert_value(t, "errors.email", taken[i].email_error);
        assert_value(t, "errors.username", taken[i].username_error);
        assert_value(t, "links.resend", *taken[i].email_error ? "/auth/resend" : "");
    }
    assert_string_equal(ua_test_rows(t), before); /* the stored password too */
    ua_test_close(t);
}

static void keeps_what_was_typed_but_secrets(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    assert_status(t,
                  ua_test_submit(t, "/auth/register", "username", "\"><b>x", "email",
                                 "alice@example.org", "password", UA_TEST_PASSWORD,
                                 "password_confirm", UA_TEST_PASSWORD, NULL),
                  422);
    assert_shows(t, "value=\"&quot;&gt;&lt;b&gt;x\""); /* XSS-01 */
    assert_shows(t, "value=\"alice@example.org\"");
    assert_false(ua_test_shows(t, UA_TEST_PASSWORD));
    assert_status(t,
                  ua_test_submit(t, "/auth/register", "username", "alice", "email",
                                 "alice@example.org", "password", UA_TEST_PASSWORD, NULL),
                  409);
    assert_shows(t, "Email already in use");
    assert_shows(t, "Username already in use");
    assert_shows(t, "href=\"/auth/resend\"");
    assert_false(ua_test_shows(t, UA_TEST_PASSWORD));
    ua_test_close(t);
}

/* AUTHZ-02 */
static void ignores_fields_it_does_not_know(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "eve", "email",
                               "eve@example.org", "password", UA_TEST_PASSWORD, "enabled", "1",
                               "verified", "1", "id", "1", "role", "admin", "failures", "9",
                               NULL),
                  303);
    assert_string_equal(ua_test_scalar(t, "SELECT enabled || '|' || verified || '|' || "
                                          "failures || '|' || length(id) FROM account"),
                        "0|0|0|36");
    ua_test_close(t);
}

/* A name that was ever verified stays its account's, though the account is gone. */
static void never_gives_a_held_name_away(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_sql(t, "DELETE FROM account");
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "Alice", "email",
                               "mallory@example.org", "password", UA_TEST_PASSWORD, NULL),
                  409);
    assert_shows(t, "Username already in use");
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM held_name WHERE digest LIKE '%%alice%%'"), 0);
    ua_test_close(t);
}

/* 20 in an hour from one client address: 201 and 409 count, 422 does not. */
static void limits_registrations_of_one_address(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit register 3/1h", NULL);

    (void)state;
    t->json = 1;
    ua_test_register(t, "alice");
    assert_status(t, ua_test_post(t, "/auth/register", "username", "x", NULL), 422);
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email",
                               "alice@example.org", "password", UA_TEST_PASSWORD, NULL),
                  409);
    ua_test_register(t, "bob");
    ua_test_clock(t, 3599);
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "carol", "email",
                               "carol@example.org", "password", UA_TEST_PASSWORD, NULL),
                  429);
    assert_value(t, "code", "rate_limited");
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "1");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 2);
    t->address = "192.0.2.8";
    ua_test_register(t, "carol");
    t->address = UA_TEST_ADDRESS;
    ua_test_clock(t, 1);
    ua_test_register(t, "dave");
    ua_test_close(t);
}

/* DB-14: whatever statement fails, the person is told, the log says it once, and no row is left. */
static void leaves_nothing_behind_when_a_statement_fails(void **state)
{
    static const char *const tables[] = {"account", "token", "outbox", "throttle", "event"};
    ua_test_t *t = ua_test_open(NULL);
    const char *before = ua_test_rows(t);

    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        ua_test_sql(t,
                    "CREATE TRIGGER broken BEFORE INSERT ON %s BEGIN SELECT "
                    "RAISE(ABORT, 'disk on fire'); END",
                    tables[i]);
        ua_test_expect(t, "UA0101: /auth/register was refused");
        t->json = i % 2 == 0;
        assert_status(t,
                      ua_test_post(t, "/auth/register", "username", "alice", "email",
                                   "alice@example.org", "password", UA_TEST_PASSWORD, NULL),
                      503);
        assert_shows(t, "This is not working at the moment");
        assert_string_equal(ua_test_reply_header(t, "Retry-After"), "2");
        assert_int_equal(ua_test_logged(t, "UA0101"), (int)i + 1);
        assert_string_equal(ua_test_rows(t), before);
        assert_int_equal(t->events->nelts, 0);
        assert_null(ua_test_cookie(t, "registration"));
        ua_test_sql(t, "DROP TRIGGER broken");
    }
    t->json = 0;
    ua_test_register(t, "alice"); /* and then it works */
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_an_account_that_can_do_nothing_yet),
        cmocka_unit_test(answers_a_program_with_201),
        cmocka_unit_test(refuses_fields),
        cmocka_unit_test(suggests_a_password_that_passes),
        cmocka_unit_test(lists_all_field_errors_before_taken_names),
        cmocka_unit_test(refuses_taken_names),
        cmocka_unit_test(keeps_what_was_typed_but_secrets),
        cmocka_unit_test(ignores_fields_it_does_not_know),
        cmocka_unit_test(never_gives_a_held_name_away),
        cmocka_unit_test(limits_registrations_of_one_address),
        cmocka_unit_test(leaves_nothing_behind_when_a_statement_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
