/* test_page_json.c: what a program is answered: views, forms, problems (contract 1 and 2, RFC 9457). */
#include "fixture.h"

/* Contract 2, the whole table: code, status and literal title of each problem. */
static const struct {
    ua_problem_e problem;
    const char *code;
    int status;
    const char *title; /* NULL: free */
} problems[] = {
    {UA_PROBLEM_INVALID_FIELDS, "invalid_fields", 422, NULL},
    {UA_PROBLEM_WEAK_PASSWORD, "weak_password", 422, NULL},
    {UA_PROBLEM_EMAIL_IN_USE, "email_in_use", 409, "Email already in use"},
    {UA_PROBLEM_USERNAME_TAKEN, "username_taken", 409, "Username already in use"},
    {UA_PROBLEM_INVALID_CREDENTIALS, "invalid_credentials", 401, "Invalid email or password"},
    {UA_PROBLEM_EMAIL_NOT_VERIFIED, "email_not_verified", 403,
     "Please verify your email address first"},
    {UA_PROBLEM_TOKEN_INVALID, "token_invalid", 400, "Invalid link"},
    {UA_PROBLEM_TOKEN_EXPIRED, "token_expired", 410, "Link has expired"},
    {UA_PROBLEM_TOKEN_USED, "token_used", 410, "Link has already been used"},
    {UA_PROBLEM_RATE_LIMITED, "rate_limited", 429, NULL},
    {UA_PROBLEM_ACCOUNT_LOCKED, "account_locked", 429, NULL},
    {UA_PROBLEM_CSRF, "csrf", 403, "This page was open for a long time. Please send it again."},
    {UA_PROBLEM_LOGIN_REQUIRED, "login_required", 401, NULL},
    {UA_PROBLEM_REAUTH_REQUIRED, "reauth_required", 403, NULL},
    {UA_PROBLEM_BUSY, "busy", 503, NULL},
    {UA_PROBLEM_STORAGE_UNAVAILABLE, "storage_unavailable", 503, NULL},
    {UA_PROBLEM_PAYLOAD_TOO_LARGE, "payload_too_large", 413, NULL},
    {UA_PROBLEM_UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415, NULL},
    {UA_PROBLEM_BAD_REQUEST, "bad_request", 400, NULL},
    {UA_PROBLEM_NOT_FOUND, "not_found", 404, NULL},
    {UA_PROBLEM_METHOD_NOT_ALLOWED, "method_not_allowed", 405, NULL},
    {UA_PROBLEM_FORBIDDEN, "forbidden", 403, NULL},
};

static ua_test_t *begin(void)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    t->json = 1;
    return t;
}

/* The members of the answer, or of one of its objects, in their order. */
static const char *members(ua_test_t *t, const char *path)
{
    const char *text = *path ? ua_test_value(t, path) : t->body;
    json_t *object = ua_json_own(t->turn, json_loads(text, 0, NULL));
    const char *all = "";
    const char *name = NULL;
    json_t *value = NULL;

    assert_true(json_is_object(object));
    json_object_foreach(object, name, value)
    {
        all = apr_pstrcat(t->turn, all, *all ? " " : "", name, NULL);
    }
    return all;
}

static void each_problem(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    assert_int_equal(sizeof problems / sizeof *problems, UA_PROBLEMS - 1);
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        assert_status(t, ua_test_get(t, "/auth/login"), 200);
        ua_res_init(t->res, t->req);
        ua_refuse(t->res, problems[i].problem);
        ua_page_finish(t->app, t->req, t->res);
        t->body = t->res->raw;
        assert_int_equal(t->res->status, problems[i].status);
        assert_string_equal(t->res->type, "application/problem+json");
        assert_string_equal(members(t, ""), "title status detail code");
        assert_value(t, "code", problems[i].code);
        assert_value(t, "status", apr_itoa(t->turn, problems[i].status));
        assert_true(strlen(ua_test_value(t, "detail")) > 10);
        assert_true(strlen(ua_test_value(t, "title")) > 5);
        if (problems[i].title) {
            assert_value(t, "title", problems[i].title);
        }
    }
    ua_test_close(t);
}

static void a_form_with_errors(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    assert_status(t,
                  ua_test_post_json(t, "/auth/register",
                                    "{\"password\":\"short\",\"email\":\"x\",\"other\":\"y\","
                                    "\"password_confirm\":\"canary\"}"),
                  422);
    assert_string_equal(t->res->type, "application/problem+json");
    assert_string_equal(members(t, ""), "title status detail code errors suggestion");
    assert_string_equal(members(t, "errors"), "username email password password_confirm");
    assert_value(t, "errors.email", "Enter an email address like name@example.com.");
    assert_true(strlen(ua_test_value(t, "suggestion")) >= 20);
    assert_false(ua_test_shows(t, "short")); /* no password is echoed */
    assert_false(ua_test_shows(t, "canary"));
    ua_test_close(t);
}

/* The one offered does pass. */
static void the_suggestion_works(void **state)
{
    ua_test_t *t = begin();
    const char *body = NULL;

    (void)state;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email",
                               "alice@example.org", "password", "password", NULL),
                  422);
    assert_value(t, "code", "weak_password");
    assert_string_equal(members(t, "errors"), "password");
    body = apr_pstrdup(t->pool, ua_test_value(t, "suggestion"));
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email",
                               "alice@example.org", "password", body, NULL),
                  201);
    assert_false(ua_test_shows(t, body));
    ua_test_close(t);
}

/* Both taken names in `errors`; only such offers as lead somewhere. */
static void taken_names_and_offers(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    ua_test_register(t, "alice");
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "Alice", "email",
                               "ALICE@example.org", "password", UA_TEST_PASSWORD, NULL),
                  409);
    assert_value(t, "code", "email_in_use");
    assert_value(t, "title", "Email already in use");
    assert_string_equal(members(t, "errors"), "username email");
    assert_value(t, "errors.username", "Username already in use");
    assert_value(t, "errors.email", "Email already in use");
    assert_value(t, "links.resend", "/auth/resend");
    assert_value(t, "links.login", "/auth/login");
    if (!ua_route_find(t->conf, "/auth/forgot")) {
        assert_value(t, "links.reset", "");
    }
    ua_test_close(t);
}

/* Contract 1: every success has the text of its notice as `message`. */
static void successes_have_a_message(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email",
                               "alice@example.org", "password", UA_TEST_PASSWORD, NULL),
                  201);
    assert_string_equal(members(t, ""), "mail user message");
    assert_string_equal(members(t, "user"), "id username email email_verified display_name");
    assert_value(t, "mail", "queued");
    assert_value(t, "user.email_verified", "false");
    assert_value(t, "message", "Check your email. We sent you a link to confirm your address.");
    assert_string_equal(ua_test_location(t), ""); /* no redirect beside an answer */
    assert_status(t, ua_test_post(t, "/auth/resend", "email", "alice@example.org", NULL), 202);
    assert_string_equal(members(t, ""), "message");
    assert_status(t, ua_test_post(t, "/auth/check-email", "email", "al@example.org", NULL),
                  200);
    assert_string_equal(members(t, ""), "mail email message");
    assert_status(t, ua_test_post(t, "/auth/check-email", "email", "al@example.org", NULL),
                  200);
    assert_value(t, "email", "al@example.org"); /* nothing to correct */
    assert_non_null(ua_test_mail(t));
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  200);
    assert_string_equal(
        t->body, "{\"message\":\"Your email address is verified. You can log in now.\"}");
    assert_status(
        t, ua_test_post(t, "/auth/login", "login", "alice", "password", UA_TEST_PASSWORD, NULL),
        200);
    assert_string_equal(members(t, ""),
                        "token_type access_token expires_in refresh_token user message");
    assert_value(t, "user.email_verified", "true");
    assert_string_equal(t->res->type, "application/json");
    assert_status(t, ua_test_post_json(t, "/auth/logout", "{}"), 200);
    assert_string_equal(t->body, "{\"message\":\"You are logged out.\"}");
    ua_test_close(t);
}

static void a_removed_registration(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    assert_status(t, ua_test_post(t, "/auth/disown", "token", ua_test_token(t, "disown"), NULL),
                  200);
    assert_string_equal(t->body, "{\"message\":\"The registration is removed.\"}");
    ua_test_close(t);
}

/* Contract 1: GET of a form in JSON is {"fields":[…]}. */
static void a_form_described(void **state)
{
    static const struct {
        const char *uri;
        const char *json;
    } rows[] = {
        {"/auth/resend",
         "{\"fields\":[{\"name\":\"email\",\"label\":\"Email\",\"type\":\"email\","
         "\"required\":true}]}"},
        {"/auth/logout", "{\"fields\":[]}"},
        {"/auth/login",
         "{\"fields\":[{\"name\":\"login\",\"label\":\"Email or username\",\"type\":\"text\","
         "\"required\":true},{\"name\":\"password\",\"label\":\"Password\",\"type\":"
         "\"password\",\"required\":true},{\"name\":\"remember\",\"label\":\"Keep me logged in "
         "on this device\",\"type\":\"checkbox\",\"required\":false},{\"name\":\"next\","
         "\"label\":\"Next\",\"type\":\"hidden\",\"required\":false}]}"},
    };

    ua_test_t *t = begin();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_status(t, ua_test_get(t, rows[i].uri), 200);
        assert_string_equal(t->body, rows[i].json);
        assert_string_equal(t->res->type, "application/json");
    }
    assert_status(t, ua_test_get(t, "/auth/login?next=/x&notice=verified"), 200);
    assert_string_equal(t->body, rows[2].json); /* a notice is for pages */
    ua_test_close(t);
}

/* A good link is described, a bad one is a problem. */
static void a_link(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    ua_test_register(t, "alice");
    apr_table_clear(t->jar);
    assert_non_null(ua_test_mail(t));
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 200);
    assert_string_equal(members(t, ""), "fields");
    assert_false(ua_test_shows(t, ua_test_token(t, "verify")));
    assert_status(t, ua_test_get(t, "/auth/verify"), 400);
    assert_string_equal(members(t, ""), "title status detail code links");
    assert_value(t, "code", "token_invalid");
    assert_value(t, "title", "Invalid verification link");
    assert_value(t, "links.resend", "/auth/resend");
    assert_value(t, "links.register", "/auth/register");
    assert_status(t, ua_test_get(t, "/auth/disown"), 400);
    assert_value(t, "title", "Invalid link");
    ua_test_close(t);
}

/* Redirects that are no success stay redirects. */
static void redirects_stay(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    assert_status(t, ua_test_get(t, "/auth"), 303);
    assert_string_equal(ua_test_location(t), "/auth/login");
    assert_string_equal(t->body, "");
    assert_status(t, ua_test_get(t, "/auth/login/?next=%2Fx"), 308);
    assert_string_equal(ua_test_location(t), "/auth/login?next=%2Fx");
    ua_test_member(t, "alice");
    t->json = 0;
    ua_test_login(t, "alice");
    t->json = 1;
    assert_status(t, ua_test_get(t, "/auth/login?next=%2Fx"), 303);
    assert_string_equal(ua_test_location(t), "/x");
    ua_test_close(t);
}

/* XSS-04: what a person typed is JSON's text, whatever it looks like. */
static void text_is_escaped(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email",
                               "alice@example.org", "password", UA_TEST_PASSWORD,
                               "display_name", "</script>\"\\\xc3\xa9", NULL),
                  201);
    assert_value(t, "user.display_name", "</script>\"\\\xc3\xa9");
    ua_test_close(t);
}

/* The only page without a template speaks JSON to everybody. */
static void health_is_json(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    assert_string_equal(t->res->type, "application/json");
    assert_value(t, "status", "ok");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_problem),
        cmocka_unit_test(a_form_with_errors),
        cmocka_unit_test(the_suggestion_works),
        cmocka_unit_test(taken_names_and_offers),
        cmocka_unit_test(successes_have_a_message),
        cmocka_unit_test(a_removed_registration),
        cmocka_unit_test(a_form_described),
        cmocka_unit_test(a_link),
        cmocka_unit_test(redirects_stay),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(health_is_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
