/* test_dispatch.c: from a request to the feature: paths, methods, access, https; and what is said when
 * the database fails on the way. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* "{css}" in a table below is the stylesheet's path. */
static const char *path_of(ua_test_t *t, const char *text)
{
    return strcmp(text, "{css}") == 0 ? t->app->css : text;
}

static const struct {
    const char *comment;
    ua_method_e method;
    const char *uri;
    int signed_in;
    int status;
    const char *header; /* Location or Allow; "" for neither */
} visits[] = {
    {"the prefix itself", UA_METHOD_GET, "/auth", 0, 303, "/auth/login"},
    {"its slash", UA_METHOD_GET, "/auth/", 0, 308, "/auth"},
    {"one slash at the end", UA_METHOD_GET, "/auth/login/", 0, 308, "/auth/login"},
    {"with a query", UA_METHOD_GET, "/auth/login/?next=%2Fa", 0, 308, "/auth/login?next=%2Fa"},
    {"two slashes", UA_METHOD_GET, "/auth/login//", 0, 404, ""},
    {"two slashes inside", UA_METHOD_GET, "/auth//login", 0, 404, ""},
    {"unknown", UA_METHOD_GET, "/auth/nothing", 0, 404, ""},
    {"unknown with a slash", UA_METHOD_GET, "/auth/nothing/", 0, 404, ""},
    {"a path is told by its case", UA_METHOD_GET, "/auth/Login", 0, 404, ""},
    {"below a page", UA_METHOD_GET, "/auth/login/x", 0, 404, ""},
    {"HEAD", UA_METHOD_HEAD, "/auth/login", 0, 200, ""},
    {"OPTIONS of a form", UA_METHOD_OPTIONS, "/auth/login", 0, 204, "GET, HEAD, POST, OPTIONS"},
    {"OPTIONS of a page", UA_METHOD_OPTIONS, "/auth/health", 0, 204, "GET, HEAD, OPTIONS"},
    {"another method", UA_METHOD_OTHER, "/auth/login", 0, 405, "GET, HEAD, POST, OPTIONS"},
    {"POST of a page", UA_METHOD_POST, "/auth/health", 0, 405, "GET, HEAD, OPTIONS"},
    {"another method of nothing", UA_METHOD_OTHER, "/auth/nothing", 0, 404, ""},
    {"an asset", UA_METHOD_GET, "{css}", 0, 200, ""},
    {"HEAD of an asset", UA_METHOD_HEAD, "{css}", 0, 200, ""},
    {"OPTIONS of an asset", UA_METHOD_OPTIONS, "{css}", 0, 204, "GET, HEAD, OPTIONS"},
    {"another method of an asset", UA_METHOD_OTHER, "{css}", 0, 405, "GET, HEAD, OPTIONS"},
    {"no asset", UA_METHOD_GET, "/auth/assets/userauth.css", 0, 404, ""},
    {"the assets' folder", UA_METHOD_GET, "/auth/assets/", 0, 404, ""},
    {"PATH-01: out of the folder", UA_METHOD_GET, "/auth/assets/../templates/login.html", 0,
     404, ""},
    {"the personal prefix", UA_METHOD_GET, "/dashboard", 0, 303,
     "/auth/login?next=%2Fdashboard"},
    {"an unknown page behind the gate", UA_METHOD_GET, "/dashboard/nothing", 0, 303,
     "/auth/login?next=%2Fdashboard%2Fnothing"},
    {"OPTIONS behind the gate", UA_METHOD_OPTIONS, "/dashboard", 0, 303,
     "/auth/login?next=%2Fdashboard"},
    {"another method behind the gate", UA_METHOD_OTHER, "/dashboard", 0, 303,
     "/auth/login?next=%2Fdashboard"},
    {"signed in", UA_METHOD_GET, "/dashboard", 1, 200, ""},
    {"signed in, its slash", UA_METHOD_GET, "/dashboard/", 1, 308, "/dashboard"},
    {"SMTP-05: signed in, a name", UA_METHOD_GET, "/dashboard/members/a\r\nX: %/?b=c", 1, 308,
     "/dashboard/members/a%0D%0AX%3A%20%25?b=c"},
    {"signed in, an unknown page", UA_METHOD_GET, "/dashboard/nothing", 1, 404, ""},
    {"signed in, OPTIONS", UA_METHOD_OPTIONS, "/dashboard", 1, 204, "GET, HEAD, OPTIONS"},
    {"signed in, another method", UA_METHOD_OTHER, "/dashboard", 1, 405, "GET, HEAD, OPTIONS"},
    {"signed in, the login page", UA_METHOD_GET, "/auth/login", 1, 303, "/dashboard"},
    {"signed in, its next", UA_METHOD_GET, "/auth/login?next=%2Fapp", 1, 303, "/app"},
    {"RED-01: signed in, a foreign next", UA_METHOD_GET, "/auth/login?next=%2F%2Fevil.example",
     1, 303, "/dashboard"},
    {"signed in, the register page", UA_METHOD_HEAD, "/auth/register", 1, 303, "/dashboard"},
    {"signed in, the prefix", UA_METHOD_GET, "/auth", 1, 303, "/auth/login"},
    {"signed in, a token page", UA_METHOD_GET, "/auth/verify?token=x", 1, 400, ""},
    {"signed in, a resend", UA_METHOD_GET, "/auth/resend", 1, 200, ""},
};

static void answers_every_method(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    apr_table_t *guest = t->jar;
    apr_table_t *member = apr_table_make(t->pool, 4);
    int failed = 0;

    (void)state;
    ua_test_member(t, "alice");
    t->jar = member;
    ua_test_login(t, "alice");
    for (size_t i = 0; i < COUNT(visits); i++) {
        const char *uri = path_of(t, visits[i].uri);
        const char *header = NULL;
        int status = 0;

        t->jar = visits[i].signed_in ? member : guest;
        status = ua_test_request(t, visits[i].method, uri, "", NULL);
        header = *ua_test_location(t) ? ua_test_location(t) : ua_test_reply_header(t, "Allow");
        if (status != visits[i].status || strcmp(header, visits[i].header) != 0) {
            print_error("%s: %d \"%s\"\n", visits[i].comment, status, header);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
    ua_test_close(t);
}

static void says_what_is_wrong_in_json(void **state)
{
    static const struct {
        ua_method_e method;
        const char *uri;
        int status;
        const char *code;
    } rows[] = {
        {UA_METHOD_GET, "/auth/nothing", 404, "not_found"},
        {UA_METHOD_OTHER, "/auth/login", 405, "method_not_allowed"},
        {UA_METHOD_GET, "/dashboard/nothing", 401, "login_required"},
        {UA_METHOD_GET, "/auth/assets/x", 404, "not_found"},
    };

    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    t->json = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_status(t, ua_test_request(t, rows[i].method, rows[i].uri, "", NULL),
                      rows[i].status);
        assert_value(t, "code", rows[i].code);
        assert_string_equal(t->res->type, "application/problem+json");
    }
    ua_test_close(t);
}

/* XSS-02: nothing of a bad path or query stands on the page. */
static void echoes_nothing(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/<script>alert(1)</script>?notice=<b>evil"), 404);
    assert_false(ua_test_shows(t, "alert(1)"));
    assert_false(ua_test_shows(t, "evil"));
    assert_status(t, ua_test_get(t, "/auth/login?notice=<b>evil"), 200);
    assert_false(ua_test_shows(t, "evil"));
    assert_non_null(
        strstr(ua_test_reply_header(t, "Content-Security-Policy"), "default-src 'none'"));
    ua_test_close(t);
}

static void serves_assets_to_be_kept(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, t->app->css), 200);
    assert_string_equal(t->res->type, "text/css; charset=utf-8");
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"),
                        "public, max-age=31536000, immutable");
    assert_string_equal(ua_test_reply_header(t, "X-Content-Type-Options"), "nosniff");
    assert_int_equal(t->res->cookies->nelts, 0);
    assert_status(t, ua_test_get(t, t->app->js), 200);
    assert_string_equal(t->res->type, "text/javascript; charset=utf-8");
    ua_test_close(t);
}

/* Contract 4: plain HTTP under an https base URL. */
static void demands_https(void **state)
{
    static const struct {
        ua_method_e method;
        const char *uri;
        int status;
        const char *location;
    } rows[] = {
        {UA_METHOD_GET, "/auth/login?next=%2Fa", 308,
         "https://www.example.com/auth/login?next=%2Fa"},
        {UA_METHOD_HEAD, "/dashboard", 308, "https://www.example.com/dashboard"},
        {UA_METHOD_GET, "/auth/nothing", 308, "https://www.example.com/auth/nothing"},
        {UA_METHOD_POST, "/auth/login", 403, ""},
        {UA_METHOD_OTHER, "/auth/login", 403, ""},
        {UA_METHOD_OPTIONS, "/auth/login", 403, ""},
        {UA_METHOD_GET, "/auth/health", 200, ""},
    };

    ua_test_t *t = ua_test_open("UserAuthBaseURL https://www.example.com", NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_status(t, ua_test_request(t, rows[i].method, rows[i].uri, "", NULL),
                      rows[i].status);
        assert_string_equal(ua_test_location(t), rows[i].location);
        assert_true(rows[i].status == 403 || t->res->cookies->nelts == 0);
    }
    t->https = 1;
    apr_table_clear(t->jar);
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    assert_non_null(strstr(ua_test_reply_header(t, "Set-Cookie"), "__Host-userauth-csrf="));
    assert_non_null(strstr(ua_test_reply_header(t, "Set-Cookie"), "; Secure"));
    ua_test_close(t);
}

/* AUTHZ-03: without the session's table nobody is let in, and nobody is taken for a guest either. */
static void refuses_when_the_session_cannot_be_read(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_null(ua_test_start(t, NULL));
    ua_test_sql(t, "ALTER TABLE session RENAME TO away");
    ua_test_expect(t, "UA0103: /dashboard was refused: session_by_digest");
    assert_status(t, ua_test_get(t, "/dashboard"), 503);
    assert_shows(t, "This is not working at the moment");
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "2");
    assert_non_null(ua_test_cookie(t, "")); /* still there when it works again */
    t->json = 1;
    ua_test_expect(t, "UA0103: /auth/login was refused");
    assert_status(t, ua_test_get(t, "/auth/login"), 503);
    assert_value(t, "code", "storage_unavailable");
    ua_test_forget(t, "");
    assert_status(t, ua_test_get(t, "/auth/login"), 200); /* needs no database */
    ua_test_close(t);
}

static void says_so_when_a_page_cannot_be_shown(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthVerifyOnGet any", NULL);

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    assert_null(ua_test_start(t, "UserAuthVerifyOnGet any", NULL));
    ua_test_sql(t, "ALTER TABLE token RENAME TO away");
    ua_test_expect(t, "UA0101: /auth/verify was refused: token_get");
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 503);
    assert_shows(t, "This is not working at the moment");
    ua_test_expect(t, "UA0101: /auth/verify was refused: token_get");
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  503);
    assert_int_equal(ua_test_logged(t, ua_test_token(t, "verify") + 37), 0); /* PRIV-01 */
    assert_int_equal(ua_test_logged(t, "UA0101"), 2);
    ua_test_close(t);
}

static void begins_with_an_empty_reply(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_res_t res;

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    memset(&res, 0x55, sizeof res);
    ua_res_init(&res, t->req);
    assert_int_equal(res.status, 200);
    assert_int_equal(res.problem, UA_PROBLEM_NONE);
    assert_int_equal(res.links->nelts + res.cookies->nelts, 0);
    assert_true(apr_is_empty_table(res.headers));
    assert_int_equal(json_object_size(res.view), 0);
    assert_null(res.location);
    assert_null(res.raw);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_every_method),
        cmocka_unit_test(says_what_is_wrong_in_json),
        cmocka_unit_test(echoes_nothing),
        cmocka_unit_test(serves_assets_to_be_kept),
        cmocka_unit_test(demands_https),
        cmocka_unit_test(refuses_when_the_session_cannot_be_read),
        cmocka_unit_test(says_so_when_a_page_cannot_be_shown),
        cmocka_unit_test(begins_with_an_empty_reply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
