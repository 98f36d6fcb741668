/* test_common_tokens.c: the API tokens of a session as a program gets them (contract 5). */
#include "api_client.h"
#include "base/jwt.h"

/* What an access token says. */
static ua_jwt_t read_token(ua_test_t *t, const char *text, const char *audience)
{
    ua_ctx_t *ctx = ua_test_context(t);
    const ua_jwt_wanted_t wanted = {t->conf->site, audience, t->now};
    ua_jwt_t token = {0};

    assert_int_equal(ua_jwt_verify(&token, t->pool, ctx->jwt, text, &wanted), APR_SUCCESS);
    return token;
}

/* The members of a sign-in in JSON, and no other. */
static void what_a_sign_in_returns(void **state)
{
    static const char *const members[] = {"message",    "token_type",    "access_token",
                                          "expires_in", "refresh_token", "user"};
    ua_test_t *t = ua_test_open(NULL);
    json_t *answer = NULL;

    (void)state;
    ua_test_member(t, "alice");
    assert_status(t,
                  ua_test_post_json(t, "/auth/login",
                                    "{\"login\":\"alice\",\"password\":\"" UA_TEST_PASSWORD
                                    "\"}"),
                  200);
    answer = ua_json_own(t->turn, json_loads(t->body, 0, NULL));
    assert_int_equal(json_object_size(answer), COUNT(members));
    for (size_t i = 0; i < COUNT(members); i++) {
        assert_non_null(json_object_get(answer, members[i]));
    }
    assert_value(t, "message", "You are logged in.");
    assert_value(t, "token_type", "Bearer");
    assert_value(t, "expires_in", "300");
    assert_value(t, "user.username", "alice");
    assert_int_equal(strlen(ua_test_value(t, "refresh_token")), UA_DIGEST_TEXT);
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"), "no-store");
    assert_non_null(ua_test_set_cookie(t, "")); /* one session */
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 1);
    ua_test_close(t);
}

static void what_an_access_token_says(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    ua_jwt_t token = read_token(t, api.access, t->conf->site);

    (void)state;
    assert_string_equal(token.issuer, "http://localhost:8080");
    assert_string_equal(token.subject, ua_test_scalar(t, "SELECT id FROM account"));
    assert_string_equal(token.audience, "http://localhost:8080");
    assert_string_equal(token.session, api.session_id);
    assert_string_equal(token.username, "alice");
    assert_string_equal(token.amr, "pwd");
    assert_true(ua_uuid_valid(token.id));
    assert_int_equal(token.issued, t->now);
    assert_int_equal(token.auth_time, t->now);
    assert_int_equal(token.expires, t->now + apr_time_from_sec(300));
    ua_test_close(t);
}

/* Later tokens tell when the password was given, not when they were made. */
static void each_token_is_another(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    ua_jwt_t first = read_token(t, api.access, t->conf->site);
    ua_jwt_t second;

    (void)state;
    ua_test_clock(t, 299);
    assert_status(t, api_renew(t, api.refresh), 200);
    second = read_token(t, api_kept(t, "access_token"), t->conf->site);
    assert_string_not_equal(first.id, second.id);
    assert_string_equal(first.session, second.session);
    assert_int_equal(second.issued, t->now);
    assert_int_equal(second.auth_time, first.auth_time);
    ua_test_close(t);
}

/* JWT-07 */
static void for_the_audience_that_was_configured(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, "UserAuthTokenAudience https://api.example.com");
    const ua_jwt_wanted_t wanted = {t->conf->site, t->conf->site, t->now};
    ua_jwt_t token = read_token(t, api.access, "https://api.example.com");

    (void)state;
    assert_string_equal(token.audience, "https://api.example.com");
    assert_int_equal(
        ua_jwt_verify(&token, t->pool, ua_test_context(t)->jwt, api.access, &wanted),
        APR_EACCES);
    ua_test_close(t);
}

static void none_for_a_browser(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_string_equal(t->body, "");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM refresh"), 0);
    assert_int_equal(ua_test_count(t, "SELECT refresh_until FROM session"), 0);
    ua_test_close(t);
}

/* No half of a sign-in is left when a token can't be written. */
static void not_without_its_row(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_sql(t, "CREATE TRIGGER broken BEFORE INSERT ON refresh BEGIN SELECT RAISE(ABORT, "
                   "'disk on fire'); END");
    assert_null(ua_test_start(t, NULL));
    ua_test_expect(t, "UA0101: /auth/login was refused");
    assert_status(t,
                  ua_test_post_json(t, "/auth/login",
                                    "{\"login\":\"alice\",\"password\":\"" UA_TEST_PASSWORD
                                    "\"}"),
                  503);
    assert_false(ua_test_shows(t, "access_token"));
    assert_null(ua_test_set_cookie(t, ""));
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_sign_in_returns),
        cmocka_unit_test(what_an_access_token_says),
        cmocka_unit_test(each_token_is_another),
        cmocka_unit_test(for_the_audience_that_was_configured),
        cmocka_unit_test(none_for_a_browser),
        cmocka_unit_test(not_without_its_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
