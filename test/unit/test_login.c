/* test_login.c: signing in: who may, by which names, what the answers say and what they do not. Waits
 * and limits are in test_login_wait.c. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static int try(ua_test_t *t, const char *login, const char *password)
{
    return ua_test_post(t, "/auth/login", "login", login, "password", password, NULL);
}

static void starts_a_session(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *rows = NULL;

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_string_equal(ua_test_location(t), "/dashboard");
    assert_int_equal(ua_test_set_cookie(t, "")->age, 0); /* until the browser closes */
    assert_int_equal(ua_test_set_cookie(t, "device")->age, 400 * 24 * 3600);
    rows = ua_test_rows(t);
    assert_null(strstr(rows, ua_test_cookie(t, ""))); /* digests only */
    assert_null(strstr(rows, ua_test_cookie(t, "device")));
    assert_string_equal(
        ua_test_scalar(t,
                       "SELECT (idle / 1000000) || '|' || ((expires - created) / 1000000) || "
                       "'|' || amr || '|' || address || '|' || agent FROM session"),
        "3600|86400|pwd|192.0.2.7|unit test");
    assert_string_equal(ua_test_scalar(t, "SELECT last_sign_in FROM account"),
                        ua_test_scalar(t, "SELECT auth_time FROM session"));
    assert_string_equal(ua_test_scalar(t, "SELECT detail FROM event WHERE kind = 'login'"),
                        "new_device");
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    assert_status(t,
                  ua_test_post_json(t, "/auth/login",
                                    "{\"login\":\"alice\",\"password\":\"" UA_TEST_PASSWORD
                                    "\",\"remember\":true}"),
                  200);
    assert_value(t, "message", "You are logged in.");
    assert_value(t, "user.username", "alice");
    assert_value(t, "user.email_verified", "true");
    assert_int_equal(ua_test_set_cookie(t, "")->age, 30 * 24 * 3600);
    assert_string_equal(ua_test_scalar(t, "SELECT idle / 1000000 FROM session"), "2592000");
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *field, *value;
    int status;
} names[] = {
    {"username", "login", "alice", 303},
    {"username in another case, blanks around", "login", "  ALICE ", 303},
    {"address", "login", "alice@example.org", 303},
    {"address in another case", "login", "Alice@EXAMPLE.org", 303},
    {"accepted name: email", "email", "alice@example.org", 303},
    {"accepted name: username", "username", "alice", 303},
    {"UNI-01: dotless i is another letter", "login",
     "al\xc4\xb1"
     "ce",
     401},
    {"UNI-01: Kelvin sign", "login", "alice@example.or\xe2\x84\xaa", 401},
    {"SQL-01", "login", "alice' OR '1'='1", 401},
    {"a pattern is no name", "login", "al%", 401},
};

static void knows_a_person_by_name_and_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    for (size_t i = 0; i < COUNT(names); i++) {
        int status = ua_test_post(t, "/auth/login", names[i].field, names[i].value, "password",
                                  UA_TEST_PASSWORD, NULL);

        if (status != names[i].status) {
            fail_msg("%s: %d %s", names[i].comment, status, t->body);
        }
        apr_table_clear(t->jar);
    }
    ua_test_close(t);
}

/* UNI-06 */
static void takes_a_password_in_either_normal_form(void **state)
{
    static const char composed[] = "gr\xc3\xbc\xc3\x9f-dich-weite-92";
    static const char decomposed[] = "gru\xcc\x88\xc3\x9f-dich-weite-92";
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email",
                               "alice@example.org", "password", decomposed, NULL),
                  303);
    assert_non_null(ua_test_mail(t));
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  303);
    assert_status(t, try(t, "alice", composed), 303);
    apr_table_clear(t->jar);
    assert_status(t, try(t, "alice", decomposed), 303);
    apr_table_clear(t->jar);
    assert_status(t, try(t, "alice", "gruss-dich-weite-92"), 401);
    assert_status(t, try(t, "alice", apr_pstrcat(t->pool, composed, " ", NULL)), 401);
    ua_test_close(t);
}

static void asks_for_both_fields(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *before = ua_test_rows(t);

    (void)state;
    t->json = 1;
    assert_status(t, try(t, " ", ""), 422);
    assert_value(t, "code", "invalid_fields");
    assert_value(t, "errors.login", "Enter your email address or username.");
    assert_value(t, "errors.password", "Enter a password.");
    assert_value(t, "suggestion", "");
    t->json = 0;
    assert_status(t, try(t, "", ""), 422);
    assert_shows(t, "Enter your email address or username.");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

/* The body without what differs by its nature: the forgery field, and the name that was typed. */
static const char *plain_body(ua_test_t *t, const char *login)
{
    char *body = apr_pstrdup(t->pool, t->body);
    char *at = NULL;

    while ((at = strstr(body, login)) != NULL) {
        memset(at, '?', 1);
        memmove(at + 1, at + strlen(login), strlen(at + strlen(login)) + 1);
    }
    for (at = strstr(body, "name=\"csrf\" value=\""); at;
         at = strstr(at + 1, "name=\"csrf\" value=\"")) {
        memset(at + strlen("name=\"csrf\" value=\""), '#', 86);
    }
    return body;
}

static const char *plain_headers(ua_test_t *t)
{
    const apr_array_header_t *entries = apr_table_elts(t->res->headers);
    const char *text = "";

    for (int i = 0; i < entries->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);

        text = apr_pstrcat(t->pool, text, e->key, ": ",
                           strncmp(e->val, "userauth-csrf=", 14) == 0 ? "(csrf)" : e->val, "\n",
                           NULL);
    }
    return text;
}

/* ENUM-01: a wrong password is answered alike, byte by byte, whoever is meant. */
static void tells_nobody_who_is_a_member(void **state)
{
    static const char *const logins[] = {"alice",   "nobody1",           "carol",
                                         "removed", "alice@example.org", "nobody@example.org"};
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "removed");
    ua_test_sql(t, "DELETE FROM account");
    ua_test_member(t, "alice");
    ua_test_register(t, "carol"); /* not verified */
    for (t->json = 0; t->json < 2; t->json++) {
        const char *body = NULL;
        const char *headers = NULL;

        for (size_t i = 0; i < COUNT(logins); i++) {
            apr_table_clear(t->jar);
            assert_status(t, try(t, logins[i], "wrong-password-1"), 401);
            if (!body) {
                body = plain_body(t, logins[i]);
                headers = plain_headers(t);
            }
            assert_string_equal(plain_body(t, logins[i]), body);
            assert_string_equal(plain_headers(t), headers);
        }
    }
    assert_shows(t, "\"title\":\"Invalid email or password\"");
    assert_shows(t, "\"code\":\"invalid_credentials\"");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event WHERE kind = 'login_failed'"),
                     12);
    ua_test_close(t);
}

/* RACE-11, SESS-12, AUTHZ-03: who is not verified hears so only after the right password. */
static void lets_nobody_in_before_the_address_is_confirmed(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "carol");
    for (t->json = 0; t->json < 2; t->json++) {
        assert_status(t, try(t, "carol", UA_TEST_PASSWORD), 403);
        assert_shows(t, "Please verify your email address first");
        assert_shows(t, "/auth/resend");
        assert_null(ua_test_cookie(t, ""));
        assert_null(ua_test_cookie(t, "device"));
    }
    assert_value(t, "code", "email_not_verified");
    assert_value(t, "links.resend", "/auth/resend");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM device"), 0);
    assert_int_equal(ua_test_count(t, "SELECT last_sign_in FROM account"), 0);
    t->json = 0;
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    ua_test_close(t);
}

/* ENUM-01: who was shut out is told no more than a stranger. */
static void tells_the_shut_out_nothing(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *stranger = NULL;

    (void)state;
    ua_test_member(t, "alice");
    ua_test_sql(t, "UPDATE account SET enabled = 0");
    t->json = 1;
    assert_status(t, try(t, "nobody1", UA_TEST_PASSWORD), 401);
    stranger = apr_pstrdup(t->pool, t->body);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 401);
    assert_string_equal(t->body, stranger);
    ua_test_close(t);
}

/* SESS-01, SESS-02 */
static void makes_a_new_session_each_time(void **state)
{
    static const char planted[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    ua_test_t *t = ua_test_open(NULL);
    const char *first = NULL;

    (void)state;
    ua_test_member(t, "alice");
    apr_table_set(t->jar, "userauth", planted);
    ua_test_login(t, "alice");
    first = apr_pstrdup(t->pool, ua_test_cookie(t, ""));
    assert_string_not_equal(first, planted);
    ua_test_login(t, "alice"); /* signed in already: the session is replaced */
    assert_string_not_equal(ua_test_cookie(t, ""), first);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 1);
    apr_table_set(t->jar, "userauth", first);
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    apr_table_set(t->jar, "userauth", planted);
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    ua_test_close(t);
}

static void ends_the_oldest_session_over_the_limit(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthSessionLimit 2", NULL);
    const char *first = NULL;

    (void)state;
    ua_test_member(t, "alice");
    for (int i = 0; i < 3; i++) {
        apr_table_clear(t->jar);
        ua_test_login(t, "alice");
        first = first ? first : apr_pstrdup(t->pool, ua_test_cookie(t, ""));
        ua_test_clock(t, 1);
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 2);
    apr_table_set(t->jar, "userauth", first);
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *next, *location;
} ways[] = {
    {"RED-01: a local path", "/app/page?x=1", "/app/page?x=1"},
    {"RED-01: none", "", "/dashboard"},
    {"RED-01: another site", "https://evil.example/", "/dashboard"},
    {"RED-01: no scheme", "//evil.example/", "/dashboard"},
    {"RED-01: a backslash", "/\\evil.example/", "/dashboard"},
    {"RED-01: an encoded slash", "/%2fevil.example/", "/dashboard"},
    {"RED-01: a tab", "/\t/evil.example/", "/dashboard"},
    {"RED-01: dot segments", "/.//evil.example/", "/dashboard"},
    {"RED-01: a script", "javascript:alert(1)", "/dashboard"},
    {"SMTP-05: a line end", "/x\r\nSet-Cookie: a=b", "/dashboard"},
};

static void goes_on_to_local_pages_only(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    for (size_t i = 0; i < COUNT(ways); i++) {
        apr_table_clear(t->jar);
        assert_status(t,
                      ua_test_post(t, "/auth/login", "login", "alice", "password",
                                   UA_TEST_PASSWORD, "next", ways[i].next, NULL),
                      303);
        if (strcmp(ua_test_location(t), ways[i].location) != 0) {
            fail_msg("%s: %s", ways[i].comment, ua_test_location(t));
        }
    }
    apr_table_clear(t->jar);
    assert_status(t,
                  ua_test_post(t, "/auth/login?next=/app", "login", "alice", "password",
                               UA_TEST_PASSWORD, NULL),
                  303);
    assert_string_equal(ua_test_location(t), "/app"); /* the query's, when the body has none */
    apr_table_clear(t->jar);
    assert_status(t,
                  ua_test_post(t, "/auth/login?next=/app", "login", "alice", "password",
                               UA_TEST_PASSWORD, "next", "/other", NULL),
                  303);
    assert_string_equal(ua_test_location(t), "/other");
    ua_test_close(t);
}

/* DB-14: no session without its row. */
static void signs_nobody_in_when_a_statement_fails(void **state)
{
    static const char *const tables[] = {"session", "device", "event"};
    ua_test_t *t = ua_test_open(NULL);
    const char *before = NULL;

    (void)state;
    ua_test_member(t, "alice");
    before = ua_test_rows(t);
    t->json = 1;
    for (size_t i = 0; i < COUNT(tables); i++) {
        ua_test_sql(t,
                    "CREATE TRIGGER broken BEFORE INSERT ON %s BEGIN SELECT "
                    "RAISE(ABORT, 'disk on fire'); END",
                    tables[i]);
        ua_test_expect(t, "UA0101: /auth/login was refused");
        assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 503);
        assert_value(t, "code", "storage_unavailable");
        assert_null(ua_test_cookie(t, ""));
        assert_string_equal(ua_test_rows(t), before);
        ua_test_sql(t, "DROP TRIGGER broken");
    }
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 200);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_a_session),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(knows_a_person_by_name_and_address),
        cmocka_unit_test(takes_a_password_in_either_normal_form),
        cmocka_unit_test(asks_for_both_fields),
        cmocka_unit_test(tells_nobody_who_is_a_member),
        cmocka_unit_test(lets_nobody_in_before_the_address_is_confirmed),
        cmocka_unit_test(tells_the_shut_out_nothing),
        cmocka_unit_test(makes_a_new_session_each_time),
        cmocka_unit_test(ends_the_oldest_session_over_the_limit),
        cmocka_unit_test(goes_on_to_local_pages_only),
        cmocka_unit_test(signs_nobody_in_when_a_statement_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
