/* test_page.c: the headers of every reply, and the texts of problems and notices. */
#include "fixture.h"

#include "app/page.h"

#define CSP                                                                                    \
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src "    \
    "'self'; base-uri 'none'; frame-ancestors 'none'"
#define FORM "application/x-www-form-urlencoded"

/* A request of each kind that is answered without an account. */
typedef struct asked_t {
    ua_method_e method;
    const char *uri;
    const char *type;
    const char *body;
    const char *accept;
    const char *fetch_site;
    int status;
} asked_t;

static const asked_t asked[] = {
    {UA_METHOD_GET, "/auth/login", "", NULL, "", "", 200},
    {UA_METHOD_HEAD, "/auth/login", "", NULL, "", "", 200},
    {UA_METHOD_GET, "/auth/health", "", NULL, "", "", 200},
    {UA_METHOD_OPTIONS, "/auth/login", "", NULL, "", "", 204},
    {UA_METHOD_GET, "/auth", "", NULL, "", "", 303},
    {UA_METHOD_GET, "/dashboard", "", NULL, "", "", 303},
    {UA_METHOD_GET, "/auth/login/", "", NULL, "", "", 308},
    {UA_METHOD_GET, "/auth/verify?token=x", "", NULL, "", "", 400},
    {UA_METHOD_POST, "/auth/login", FORM, "a=1&a=2", "", "", 400},
    {UA_METHOD_POST, "/auth/login", "application/json", "[]", "", "", 400},
    {UA_METHOD_GET, "/dashboard", "", NULL, "application/json", "", 401},
    {UA_METHOD_POST, "/auth/login", FORM, "login=nobody&password=wrong", "", "", 401},
    {UA_METHOD_POST, "/auth/login", FORM, "", "", "cross-site", 403},
    {UA_METHOD_POST, "/auth/login", FORM, "", "", "same-origin", 403},
    {UA_METHOD_GET, "/auth/nothing", "", NULL, "", "", 404},
    {UA_METHOD_GET, "/auth/nothing", "", NULL, "application/json", "", 404},
    {UA_METHOD_GET, "/auth/assets/none.css", "", NULL, "", "", 404},
    {UA_METHOD_OTHER, "/auth/login", "", NULL, "", "", 405},
    {UA_METHOD_POST, "/auth/health", FORM, "", "", "", 405},
    {UA_METHOD_POST, "/auth/login", "text/plain", "x", "", "", 415},
    {UA_METHOD_POST, "/auth/login", FORM, "", "", "", 422},
    {UA_METHOD_POST, "/auth/login", "application/json", "{}", "", "", 422},
};

static int ask(ua_test_t *t, const asked_t *row)
{
    if (*row->accept) {
        ua_test_header(t, "Accept", row->accept);
    }
    if (*row->fetch_site) {
        ua_test_header(t, "Sec-Fetch-Site", row->fetch_site);
    }
    return ua_test_request(t, row->method, row->uri, row->type, row->body);
}

/* HDR, XSS-04, CLICK: on every status, JSON and redirects included. */
static void assert_headers(ua_test_t *t)
{
    assert_string_equal(ua_test_reply_header(t, "Content-Security-Policy"), CSP);
    assert_string_equal(ua_test_reply_header(t, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(ua_test_reply_header(t, "X-Frame-Options"), "DENY");
    assert_string_equal(ua_test_reply_header(t, "Cross-Origin-Opener-Policy"), "same-origin");
    assert_string_equal(ua_test_reply_header(t, "Referrer-Policy"),
                        strstr(t->req->query, "token=") ? "no-referrer" : "same-origin");
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"), "no-store");
    assert_string_equal(ua_test_reply_header(t, "Strict-Transport-Security"), "");
}

static void every_status_has_the_headers(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        print_message("%d %s\n", asked[i].status, asked[i].uri);
        assert_status(t, ask(t, &asked[i]), asked[i].status);
        assert_headers(t);
    }
    ua_test_close(t);
}

/* 503 with and without a page of its own, and 429. */
static void trouble_has_the_headers(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit token 1/1h", NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/verify?token=bad"), 400);
    assert_status(t, ua_test_get(t, "/auth/verify?token=bad"), 429);
    assert_headers(t);
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "3600");
    ua_test_sql(t, "ALTER TABLE session RENAME TO gone");
    ua_test_header(t, "Cookie", "userauth=0123456789012345678901234567890123456789012");
    ua_test_expect(t, "UA0103: /auth/login was refused");
    assert_status(t, ua_test_get(t, "/auth/login"), 503);
    assert_headers(t);
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "2");
    ua_test_close(t);
}

/* TOK, PRIV-02: while the page's own URL holds a token, nobody is told where one came from. */
static void a_token_in_the_url_is_not_referred(void **state)
{
    static const struct {
        const char *uri;
        const char *policy;
    } rows[] = {
        {"/auth/verify?token=x", "no-referrer"},
        {"/auth/verify?a=1&token=x", "no-referrer"},
        {"/auth/verify?token=", "no-referrer"},
        {"/auth/verify?token=a%zz", "no-referrer"}, /* malformed, but it may hold most of one */
        {"/auth/verify?a=%zz&token=x", "no-referrer"},
        {"/auth/verify?%74oken=x", "no-referrer"},
        {"/auth/disown?token=x", "no-referrer"},
        {"/auth/login?token=x", "no-referrer"}, /* a link gone wrong */
        {"/auth/nothing?token=x", "no-referrer"},
        {"/auth/verify/?token=x", "no-referrer"},
        {"/auth/verify", "same-origin"},
        {"/auth/login?next=%2F", "same-origin"},
        {"/auth/login?tokens=x", "same-origin"},
    };

    ua_test_t *t = ua_test_open(NULL);
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)ua_test_get(t, rows[i].uri);
        if (strcmp(ua_test_reply_header(t, "Referrer-Policy"), rows[i].policy) != 0) {
            print_error("%s: %s\n", rows[i].uri, ua_test_reply_header(t, "Referrer-Policy"));
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    ua_test_close(t);
}

/* Contract 4: under https, never for a localhost base URL, and not over plain HTTP (RFC 6797 7.2). */
static void strict_transport_security(void **state)
{
    static const struct {
        const char *line;
        const char *uri;
        int https;
        const char *header;
    } rows[] = {
        {"UserAuthBaseURL https://www.example.com", "/auth/login", 1, "max-age=31536000"},
        {"UserAuthBaseURL https://www.example.com", "/auth/nothing", 1, "max-age=31536000"},
        {"UserAuthBaseURL https://www.example.com", "/auth/login", 0, ""},
        {"UserAuthBaseURL https://www.example.com", "/auth/health", 0, ""},
        {"UserAuthBaseURL https://localhost:8443", "/auth/login", 1, ""},
        {"UserAuthBaseURL https://a.localhost", "/auth/login", 1, ""},
        {"UserAuthBaseURL http://localhost:8080", "/auth/login", 0, ""},
        {"UserAuthBaseURL http://localhost:8080", "/auth/login", 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = ua_test_open(rows[i].line, NULL);

        t->https = rows[i].https;
        (void)ua_test_get(t, rows[i].uri);
        assert_string_equal(ua_test_reply_header(t, "Strict-Transport-Security"),
                            rows[i].header);
        ua_test_close(t);
    }
}

static void an_asset_may_be_kept(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, t->app->css), 200);
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"),
                        "public, max-age=31536000, immutable");
    assert_string_equal(ua_test_reply_header(t, "Set-Cookie"), ""); /* caches keep it for all */
    assert_string_equal(ua_test_reply_header(t, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(ua_test_reply_header(t, "Content-Security-Policy"), CSP);
    ua_test_close(t);
}

static int each_cookie(void *baton, const char *name, const char *text)
{
    const char *prefix = baton;

    (void)name;
    assert_int_equal(strncmp(text, prefix, strlen(prefix)), 0);
    assert_non_null(strstr(text, "; Path=/"));
    assert_non_null(strstr(text, "; HttpOnly"));
    assert_non_null(strstr(text, "; SameSite=Lax"));
    assert_int_equal(strstr(text, "; Secure") != NULL, *prefix == '_');
    assert_null(strstr(text, "Domain"));
    return 1;
}

/* SESS, contract 4: each cookie in a header of its own, with all its attributes. */
static void cookies_are_guarded(void **state)
{
    static const struct {
        const char *line;
        const char *prefix;
    } rows[] = {{"UserAuthBaseURL https://www.example.com", "__Host-userauth"},
                {"UserAuthBaseURL http://localhost:8080", "userauth"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = ua_test_open(rows[i].line, NULL);
        char prefix[32];

        apr_cpystrn(prefix, rows[i].prefix, sizeof prefix);
        t->https = t->conf->secure;
        ua_test_member(t, "alice");
        ua_test_login(t, "alice");
        assert_int_equal(t->res->cookies->nelts, 2); /* session and device */
        apr_table_do(each_cookie, prefix, t->res->headers, "Set-Cookie", NULL);
        ua_test_close(t);
    }
}

/* Contract 1: from a fixed list, never free text. */
static void notices(void **state)
{
    static const struct {
        const char *code;
        const char *text;
    } rows[] = {
        {"verified", "Your email address is verified. You can log in now."},
        {"logged-out", "You are logged out."},
        {"registered", "Check your email. We sent you a link to confirm your address."},
        {"", NULL},
        {"none", NULL},
        {"Verified", NULL},
        {"verified ", NULL},
        {"Your password was stolen", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = ua_page_notice_of_code(rows[i].code);

        if (!rows[i].text) {
            assert_null(text);
        }
        else {
            assert_string_equal(text, rows[i].text);
        }
    }
}

/* A page that cannot be shown is the machine's failure: said plainly, logged once. */
static void a_page_without_its_template(void **state)
{
    static const ua_route_t route = {.path = "probe", .template = "absent.html"};
    ua_test_t *t = ua_test_open(NULL);
    ua_req_t *req = NULL;

    (void)state;
    (void)ua_test_get(t, "/auth/login");
    req = t->req;
    req->route = &route;
    ua_res_init(t->res, req);
    ua_test_expect(t, "UA0104: absent.html can't be shown");
    ua_page_finish(t->app, req, t->res);
    assert_int_equal(t->res->status, 500);
    assert_string_equal(t->res->type, "text/plain; charset=utf-8");
    assert_string_equal(t->res->raw, "Internal error\n");
    assert_headers(t);
    ua_test_close(t);
}

/* What a program is told to open exists; the same holds for pages (test_page_html.c). */
static void offers_lead_somewhere(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_link_t here = {"resend", "/auth/resend", "Send a new link"};
    ua_link_t nowhere = {"x", "/auth/nowhere", "Nowhere"};
    ua_link_t away = {"x", "https://www.example.org/", "Away"};

    (void)state;
    (void)ua_test_get(t, "/auth/login");
    assert_int_equal(ua_page_offers(t->req, &here), 1);
    assert_int_equal(ua_page_offers(t->req, &nowhere), 0);
    assert_int_equal(ua_page_offers(t->req, &away), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_the_headers),
        cmocka_unit_test(trouble_has_the_headers),
        cmocka_unit_test(a_token_in_the_url_is_not_referred),
        cmocka_unit_test(strict_transport_security),
        cmocka_unit_test(an_asset_may_be_kept),
        cmocka_unit_test(cookies_are_guarded),
        cmocka_unit_test(notices),
        cmocka_unit_test(a_page_without_its_template),
        cmocka_unit_test(offers_lead_somewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
