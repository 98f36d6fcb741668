/* test_page_html.c: what a person is shown: the frame of every page, what was typed, the ways on. */
#include "fixture.h"

#define TYPED "\"><script>alert('x')</script>&amp;"
#define SAFE  "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;"

/* Every page that a stranger reaches with GET. */
static const char *const pages[] = {"/auth/login",           "/auth/register",
                                    "/auth/check-email",     "/auth/verify",
                                    "/auth/resend",          "/auth/disown",
                                    "/auth/logout",          "/auth/nothing",
                                    "/auth/login?next=%2Fa", "/auth/login?notice=verified"};

static int count_of(const char *text, const char *part)
{
    int n = 0;

    for (const char *p = strstr(text, part); p; p = strstr(p + strlen(part), part)) {
        n++;
    }
    return n;
}

/* The addresses behind `attribute` exist: pages, assets, the site's start page. */
static void check_addresses(ua_test_t *t, const char *attribute)
{
    for (const char *p = strstr(t->body, attribute); p; p = strstr(p, attribute)) {
        const char *path = NULL;

        p += strlen(attribute);
        path = apr_pstrmemdup(t->turn, p, strcspn(p, "\"?#"));
        if (*path == '\0' || strcmp(path, "/") == 0 ||
            strncmp(path, "/auth/assets/", strlen("/auth/assets/")) == 0) {
            continue;
        }
        if (!ua_route_find(t->conf, path)) {
            fail_msg("%s leads to \"%s\", which is no page", t->req->uri, path);
        }
    }
}

/* The CSP forbids what stands in the page itself; each form is guarded; each way leads somewhere. */
static void check_page(ua_test_t *t)
{
    print_message("%d %s\n", t->res->status, t->req->uri);
    assert_string_equal(t->res->type, "text/html; charset=utf-8");
    assert_int_equal(strncmp(t->body, "<!DOCTYPE html>\n<html lang=\"en\">", 32), 0);
    assert_int_equal(count_of(t->body, "<script"), count_of(t->body, "<script src=\"/auth/"));
    assert_false(ua_test_shows(t, "<style"));
    assert_false(ua_test_shows(t, " style="));
    assert_false(ua_test_shows(t, " onclick="));
    assert_false(ua_test_shows(t, "javascript:"));
    assert_int_equal(count_of(t->body, "<form"), count_of(t->body, "name=\"csrf\" value=\""));
    assert_int_equal(count_of(t->body, "<form"), count_of(t->body, "<form method=\"post\""));
    assert_int_equal(count_of(t->body, "<h1"), 1);
    assert_false(ua_test_shows(t, "{{"));
    assert_false(ua_test_shows(t, "<title> "));
    assert_false(ua_test_shows(t, "http://")); /* nothing of third parties (PRIV-02) */
    assert_false(ua_test_shows(t, "https://"));
    check_addresses(t, " href=\"");
    check_addresses(t, " action=\"");
    check_addresses(t, " src=\"");
}

/* CSRF, XSS, PRIV-02 */
static void every_page_has_the_frame(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        (void)ua_test_get(t, pages[i]);
        check_page(t);
        assert_shows(t, "· localhost</title>");
        assert_shows(t, t->app->css);
        assert_shows(t, t->app->js);
    }
    ua_test_register(t, "alice");
    (void)ua_test_get(t, "/auth/check-email");
    check_page(t);
    assert_non_null(ua_test_mail(t));
    (void)ua_test_get(t, ua_test_link(t, "disown"));
    check_page(t);
    apr_table_clear(t->jar);
    (void)ua_test_get(t, ua_test_link(t, "verify"));
    check_page(t);
    (void)ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL);
    ua_test_login(t, "alice");
    (void)ua_test_get(t, "/dashboard");
    check_page(t);
    assert_shows(t, "<a href=\"/dashboard\" aria-current=\"page\">");
    (void)ua_test_get(t, "/dashboard/nothing");
    check_page(t);
    ua_test_close(t);
}

/* Contract 2: what was typed stays, except secrets; beside its field stands what is wrong. */
static void what_was_typed_stays(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", TYPED, "email", TYPED,
                               "password", "canary-short", "password_confirm", "canary-other",
                               "display_name", TYPED, NULL),
                  422);
    check_page(t);
    assert_int_equal(count_of(t->body, "value=\"" SAFE "\""), 3); /* XSS-01 */
    assert_false(ua_test_shows(t, "canary"));
    assert_shows(t, "aria-invalid=\"true\"");
    assert_shows(t, "<a href=\"#f-email\">Email: Enter an email address like "
                    "name@example.com.</a>");
    assert_shows(t, "id=\"f-email\"");
    assert_shows(t, "id=\"e-email\"");
    ua_test_close(t);
}

/* Whatever an operator's template shows: a password is not there to be shown. */
static void no_template_can_echo_a_password(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    ua_test_write(t, "own/field.html", "<input name=\"{{name}}\" value=\"{{value}}\">");
    assert_null(ua_test_start(t, "UserAuthTemplates {}/own", NULL));
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice", "email", "x",
                               "password", "canary-one", "password_confirm", "canary-two",
                               NULL),
                  422);
    assert_shows(t, "<input name=\"username\" value=\"alice\">");
    assert_shows(t, "<input name=\"password\" value=\"\">");
    assert_false(ua_test_shows(t, "canary"));
    ua_test_close(t);
}

static void a_checkbox_stays_checked(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(
        t, ua_test_post(t, "/auth/login", "login", "a", "password", "b", "remember", "1", NULL),
        401);
    check_page(t);
    assert_shows(t, "name=\"remember\" value=\"1\" checked");
    assert_shows(t, "value=\"a\"");
    assert_status(t, ua_test_post(t, "/auth/login", "login", "a", "password", "b", NULL), 401);
    assert_false(ua_test_shows(t, " checked"));
    ua_test_close(t);
}

/* Where one wanted to go survives a mistyped password. */
static void next_stays(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/login?next=%2Fa%3Fb%3D%22c"), 200);
    assert_string_equal(ua_test_hidden(t, "next"), "/a?b=&quot;c");
    assert_status(
        t,
        ua_test_post(t, "/auth/login", "login", "a", "password", "b", "next", "/a?b=1", NULL),
        401);
    assert_string_equal(ua_test_hidden(t, "next"), "/a?b=1");
    assert_status(t, ua_test_get(t, "/auth/login?next=https%3A%2F%2Fexample.org"), 200);
    assert_null(ua_test_hidden(t, "next"));
    ua_test_close(t);
}

/* Contract 2: the form again, with a fresh field and what was typed. From elsewhere: nothing of it. */
static void a_stale_form(void **state)
{
    static const struct {
        const char *site;
        int kept;
    } rows[] = {{"same-origin", 1}, {"cross-site", 0}};

    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        ua_test_header(t, "Sec-Fetch-Site", rows[i].site);
        assert_status(t,
                      ua_test_post(t, "/auth/login", "login", "somebody", "password", "canary",
                                   "csrf", "stale", NULL),
                      403);
        check_page(t);
        assert_shows(t, "This page was open for a long time. Please send it again.");
        assert_int_equal(ua_test_shows(t, "value=\"somebody\""), rows[i].kept);
        assert_false(ua_test_shows(t, "canary"));
        assert_true(strlen(ua_test_hidden(t, "csrf")) > 40);
    }
    ua_test_close(t);
}

/* Contract 1: of a fixed list, on the page it leads to. */
static void a_notice(void **state)
{
    static const struct {
        const char *uri;
        const char *shown; /* or NULL */
    } rows[] = {
        {"/auth/login?notice=verified", "Your email address is verified. You can log in now."},
        {"/auth/login?notice=logged-out", "You are logged out."},
        {"/auth/login?notice=logged%2Dout", "You are logged out."},
        {"/auth/login?notice=Call+0900", NULL},
        {"/auth/login?notice=", NULL},
        {"/auth/login?notice=VERIFIED", NULL},
        {"/auth/login", NULL},
        {"/auth/nothing?notice=verified", NULL}, /* a problem is no success */
    };

    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)ua_test_get(t, rows[i].uri);
        assert_int_equal(ua_test_shows(t, "class=\"notice\" role=\"status\""),
                         rows[i].shown != NULL);
        assert_false(ua_test_shows(t, "0900"));
        if (rows[i].shown) {
            assert_shows(t, rows[i].shown);
        }
    }
    assert_status(t, ua_test_post(t, "/auth/login?notice=verified", NULL), 422);
    assert_false(ua_test_shows(t, "class=\"notice\""));
    ua_test_close(t);
}

/* look.md: the page changes by itself while the mail is on its way; without script by a refresh. */
static void check_email_asks_again(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/check-email"), 200);
    assert_false(ua_test_shows(t, "http-equiv=\"refresh\"")); /* a stranger waits for nothing */
    ua_test_register(t, "alice");
    assert_status(t, ua_test_get(t, "/auth/check-email"), 200);
    assert_shows(t, "<meta http-equiv=\"refresh\" content=\"5\">");
    assert_status(t, ua_test_post(t, "/auth/check-email", "email", "x", NULL), 422);
    assert_false(ua_test_shows(t, "http-equiv=\"refresh\"")); /* it would lose what was typed */
    assert_non_null(ua_test_mail(t));
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  303);
    assert_status(t, ua_test_get(t, "/auth/check-email"), 200);
    assert_false(ua_test_shows(t, "http-equiv=\"refresh\""));
    ua_test_close(t);
}

/* A refused submit shows what its GET would have shown: here how the mail fares. */
static void a_refused_submit_keeps_its_page(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    assert_status(t, ua_test_post(t, "/auth/check-email", "email", "nobody at home", NULL),
                  422);
    check_page(t);
    assert_shows(t, "alice@example.org");
    assert_shows(t, "value=\"nobody at home\"");
    ua_test_close(t);
}

/* With the storage gone, the page still has its form, and nothing else is asked of the storage. */
static void without_storage(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_sql(t, "ALTER TABLE account RENAME TO gone");
    ua_test_expect(t, "UA0101: /auth/resend was refused");
    assert_status(t, ua_test_post(t, "/auth/resend", "email", "alice@example.org", NULL), 503);
    check_page(t);
    assert_shows(t, "This is not working at the moment");
    assert_shows(t, "Nothing was changed.");
    assert_shows(t, "value=\"alice@example.org\"");
    assert_false(ua_test_shows(t, "sqlite")); /* the cause is in the log only */
    ua_test_sql(t, "ALTER TABLE gone RENAME TO account");
    ua_test_register(t, "bob");
    ua_test_sql(t, "ALTER TABLE account RENAME TO gone");
    ua_test_expect(t, "UA0101: /auth/check-email was refused");
    assert_status(t, ua_test_post(t, "/auth/check-email", "email", "b@example.org", NULL), 503);
    check_page(t);
    ua_test_close(t);
}

/* Offers as links, of pages that exist, with the problem's words. */
static void a_problem_page(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/verify"), 400);
    check_page(t);
    assert_shows(t, "<h1>Invalid verification link</h1>");
    assert_shows(t, "<a href=\"/auth/resend\">Send a new link</a>");
    assert_status(t, ua_test_get(t, "/auth/disown?token=x"), 400);
    check_page(t);
    assert_shows(t, "<h1>Invalid link</h1>");
    assert_status(t, ua_test_get(t, "/auth/no<b>thing"), 404);
    check_page(t);
    assert_shows(t, "<h1>Page not found</h1>");
    assert_false(ua_test_shows(t, "<b>"));
    ua_test_close(t);
}

/* UserAuthSiteName, UserAuthLogo */
static void the_sites_own_looks(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    ua_test_write(t, "logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
    assert_null(ua_test_start(t, "UserAuthSiteName \"Bread & <Butter>\"",
                              "UserAuthLogo {}/logo.svg", NULL));
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    check_page(t);
    assert_shows(t, "<title>Log in · Bread &amp; &lt;Butter&gt;</title>");
    assert_shows(t, apr_pstrcat(t->turn, "<img src=\"", t->app->logo,
                                "\" alt=\"Bread &amp; &lt;Butter&gt;\">", NULL));
    assert_status(t, ua_test_get(t, t->app->logo), 200);
    assert_string_equal(t->res->type, "image/svg+xml");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_has_the_frame),
        cmocka_unit_test(what_was_typed_stays),
        cmocka_unit_test(no_template_can_echo_a_password),
        cmocka_unit_test(a_checkbox_stays_checked),
        cmocka_unit_test(next_stays),
        cmocka_unit_test(a_stale_form),
        cmocka_unit_test(a_notice),
        cmocka_unit_test(check_email_asks_again),
        cmocka_unit_test(a_refused_submit_keeps_its_page),
        cmocka_unit_test(without_storage),
        cmocka_unit_test(a_problem_page),
        cmocka_unit_test(the_sites_own_looks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
