/* test_assets_own.c: the operator's own looks: stylesheet and script, accent, logo; and that a changed
 * file has a changed name, because browsers keep it for a year. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define OWN          "UserAuthTemplates {}/own"

static void names_hold_the_digest(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *plain = apr_pstrdup(t->pool, t->app->css);
    const char *script = apr_pstrdup(t->pool, t->app->js);

    (void)state;
    assert_null(ua_test_start(t, NULL));
    assert_string_equal(t->app->css, plain);
    assert_null(ua_test_start(t, "UserAuthAccent #0b57d0", NULL));
    assert_string_not_equal(t->app->css, plain);
    assert_string_equal(t->app->js, script);
    assert_status(t, ua_test_get(t, plain), 404); /* that one is gone */
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    assert_shows(t, apr_pstrcat(t->pool, "href=\"", t->app->css, "\"", NULL));
    assert_shows(t, apr_pstrcat(t->pool, "src=\"", t->app->js, "\"", NULL));
    ua_test_close(t);
}

static void adds_the_accent(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthAccent #0b57d0", NULL);

    (void)state;
    assert_status(t, ua_test_get(t, t->app->css), 200);
    assert_shows(t, "--accent:#0b57d0");
    assert_true(strlen(t->body) > 1000); /* behind the built-in rules */
    ua_test_close(t);
}

static void refuses_what_is_no_colour(void **state)
{
    static const char *const colours[] = {"red",
                                          "#fff",
                                          "#0b57d",
                                          "#0b57d00",
                                          "#0b57dg",
                                          "0b57d0#",
                                          "#0b57d0;}body{display:none"};

    (void)state;
    for (size_t i = 0; i < COUNT(colours); i++) {
        ua_test_t *t = ua_test_begin();
        const char *err =
            ua_test_start(t, apr_pstrcat(t->pool, "UserAuthAccent ", colours[i], NULL), NULL);

        assert_non_null(err);
        assert_non_null(strstr(err, "UserAuthAccent is a colour such as #0b57d0"));
        assert_int_equal(t->row, UA_D_accent);
        ua_test_close(t);
    }
}

static void takes_the_operators_stylesheet(void **state)
{
    static const char *const names[] = {"own/userauth.css", "own/assets/userauth.css"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        ua_test_t *t = ua_test_begin();

        ua_test_write(t, names[i], "body { color: teal }");
        assert_null(ua_test_start(t, OWN, "UserAuthAccent #0b57d0", NULL));
        assert_status(t, ua_test_get(t, t->app->css), 200);
        assert_string_equal(t->body, "body { color: teal }\n:root{--accent:#0b57d0}\n");
        assert_string_equal(t->res->type, "text/css; charset=utf-8");
        assert_status(t, ua_test_get(t, t->app->js), 200); /* built in */
        assert_true(*t->body != '\0');
        ua_test_close(t);
    }
}

static const struct {
    const char *name, *type;
} logos[] = {
    {"logo.svg", "image/svg+xml"},
    {"our.logo.png", "image/png"},
    {"x.jpg", "image/jpeg"},
    {"x.webp", "image/webp"},
};

static void shows_the_logo(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    for (size_t i = 0; i < COUNT(logos); i++) {
        ua_test_write(t, logos[i].name, "picture");
        assert_null(ua_test_start(
            t, apr_pstrcat(t->pool, "UserAuthLogo {}/", logos[i].name, NULL), NULL));
        assert_status(t, ua_test_get(t, "/auth/login"), 200);
        assert_shows(t,
                     apr_psprintf(t->pool, "<img src=\"%s\" alt=\"localhost\"", t->app->logo));
        assert_status(t, ua_test_get(t, t->app->logo), 200);
        assert_string_equal(t->res->type, logos[i].type);
        assert_string_equal(t->body, "picture");
        assert_null(strstr(t->app->logo, t->folder)); /* no path of the server */
    }
    ua_test_close(t);
}

static void shows_the_name_without_a_logo(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthSiteName Example", NULL);

    (void)state;
    assert_null(t->app->logo);
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    assert_shows(t, "<a class=\"brand\" href=\"/\">Example</a>");
    ua_test_close(t);
}

static void refuses_logos_it_cannot_show(void **state)
{
    ua_test_t *t = ua_test_begin();
    char *large = memset(apr_pcalloc(t->pool, 256 * 1024 + 2), 'x', 256 * 1024 + 1);
    const char *names[] = {"absent.svg", "logo.gif", "logo", "large.png"};

    (void)state;
    ua_test_write(t, "logo.gif", "picture");
    ua_test_write(t, "logo", "picture");
    ua_test_write(t, "large.png", large);
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *err =
            ua_test_start(t, apr_pstrcat(t->pool, "UserAuthLogo {}/", names[i], NULL), NULL);

        if (!err || strncmp(err, "UserAuthLogo: ", 14) != 0 || t->row != UA_D_logo) {
            fail_msg("%s: %s", names[i], err ? err : "(started)");
        }
    }
    large[256 * 1024] = '\0'; /* exactly 256 KiB will do */
    ua_test_write(t, "large.png", large);
    assert_null(ua_test_start(t, "UserAuthLogo {}/large.png", NULL));
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_hold_the_digest),
        cmocka_unit_test(adds_the_accent),
        cmocka_unit_test(refuses_what_is_no_colour),
        cmocka_unit_test(takes_the_operators_stylesheet),
        cmocka_unit_test(shows_the_logo),
        cmocka_unit_test(shows_the_name_without_a_logo),
        cmocka_unit_test(refuses_logos_it_cannot_show),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
