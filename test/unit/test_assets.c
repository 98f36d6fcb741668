/* test_assets.c: stylesheet, script and logo: the operator's or the module's own, under names that hold
 * their digest. */
#include "fixture.h"

#include "base/builtin.h"

#define KIB256 ((size_t)256 * 1024)

/* The file that a URL path of this site serves. */
static const ua_asset_t *asset_at(ua_test_t *t, const char *path)
{
    assert_non_null(path);
    assert_int_equal(strncmp(path, "/auth/assets/", 13), 0);
    return ua_asset_find(t->app, path + 13);
}

static int is_text(const ua_asset_t *asset, const char *text)
{
    return asset->length == strlen(text) && memcmp(asset->data, text, asset->length) == 0;
}

static void the_built_in_ones(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const ua_builtin_t *css = ua_builtin_find("templates/assets/userauth.css");
    const ua_builtin_t *js = ua_builtin_find("templates/assets/userauth.js");

    (void)state;
    assert_string_equal(asset_at(t, t->app->css)->type, "text/css; charset=utf-8");
    assert_string_equal(asset_at(t, t->app->js)->type, "text/javascript; charset=utf-8");
    assert_int_equal(asset_at(t, t->app->css)->length, css->length);
    assert_memory_equal(asset_at(t, t->app->css)->data, css->data, css->length);
    assert_memory_equal(asset_at(t, t->app->js)->data, js->data, js->length);
    assert_null(t->app->logo);
    assert_int_equal(t->app->assets->nelts, 2);
    assert_status(t, ua_test_get(t, t->app->css), 200);
    assert_int_equal(t->res->raw_length, css->length);
    assert_string_equal(t->res->type, "text/css; charset=utf-8");
    assert_status(t, ua_test_head(t, t->app->js), 200);
    ua_test_close(t);
}

/* "userauth.<12 characters>.css": another content has another name, so that caches never err. */
static void names_hold_the_digest(void **state)
{
    ua_test_t *t = ua_test_begin();
    const char *first = NULL;
    const char *second = NULL;

    (void)state;
    ua_test_write(t, "own/userauth.css", "body{color:red}");
    assert_null(ua_test_start(t, "UserAuthTemplates {}/own", NULL));
    first = apr_pstrdup(t->pool, t->app->css);
    assert_int_equal(strlen(first), strlen("/auth/assets/userauth.123456789012.css"));
    ua_test_write(t, "own/userauth.css", "body{color:blue}");
    assert_null(ua_test_start(t, "UserAuthTemplates {}/own", NULL));
    second = apr_pstrdup(t->pool, t->app->css);
    assert_string_not_equal(first, second);
    assert_status(t, ua_test_get(t, first), 404);
    assert_status(t, ua_test_get(t, second), 200);
    ua_test_write(t, "own/userauth.css", "body{color:red}");
    assert_null(ua_test_start(t, "UserAuthTemplates {}/own", NULL));
    assert_string_equal(t->app->css, first); /* the same on every node */
    ua_test_close(t);
}

/* File by file; at the top of the folder or in its assets/. */
static void an_operators_file_replaces_ours(void **state)
{
    static const struct {
        const char *file;
        int css;
        int js;
    } rows[] = {
        {"own/userauth.css", 1, 0}, {"own/assets/userauth.css", 1, 0},
        {"own/userauth.js", 0, 1},  {"own/assets/userauth.js", 0, 1},
        {"own/other.css", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = ua_test_begin();

        ua_test_write(t, rows[i].file, "mine");
        assert_null(ua_test_start(t, "UserAuthTemplates {}/own", NULL));
        assert_int_equal(is_text(asset_at(t, t->app->css), "mine"), rows[i].css);
        assert_int_equal(is_text(asset_at(t, t->app->js), "mine"), rows[i].js);
        assert_int_equal(t->app->assets->nelts, 2);
        assert_status(t, ua_test_get(t, "/auth/login"), 200);
        assert_shows(t, t->app->css);
        ua_test_close(t);
    }
}

static void an_accent_is_appended(void **state)
{
    ua_test_t *t = ua_test_begin();
    const char *plain = NULL;

    (void)state;
    assert_null(ua_test_start(t, NULL));
    plain = apr_pstrdup(t->pool, t->app->css);
    assert_null(ua_test_start(t, "UserAuthAccent #0b57d0", NULL));
    assert_string_not_equal(t->app->css, plain);
    assert_status(t, ua_test_get(t, t->app->css), 200);
    assert_true(t->res->raw_length > 30);
    assert_string_equal(t->body + t->res->raw_length - strlen("\n:root{--accent:#0b57d0}\n"),
                        "\n:root{--accent:#0b57d0}\n");
    ua_test_write(t, "own/userauth.css", "a{}");
    assert_null(ua_test_start(t, "UserAuthTemplates {}/own", "UserAuthAccent #ffffff", NULL));
    assert_true(is_text(asset_at(t, t->app->css), "a{}\n:root{--accent:#ffffff}\n"));
    ua_test_close(t);
}

static void logos(void **state)
{
    static const struct {
        const char *file;
        const char *type; /* NULL: refused */
    } rows[] = {
        {"logo.svg", "image/svg+xml"},
        {"my.logo.png", "image/png"},
        {"a.jpg", "image/jpeg"},
        {"a.webp", "image/webp"},
        {"a.html", NULL},
        {"a.gif", NULL},
        {"a", NULL},
        {"dir.svg/a", NULL},
        {"a.", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = ua_test_begin();
        const char *err = NULL;

        print_message("%s\n", rows[i].file);
        ua_test_write(t, rows[i].file, "an image");
        err = ua_test_start(t, apr_pstrcat(t->pool, "UserAuthLogo {}/", rows[i].file, NULL),
                            NULL);
        if (rows[i].type) {
            assert_null(err);
            assert_string_equal(asset_at(t, t->app->logo)->type, rows[i].type);
            assert_status(t, ua_test_get(t, t->app->logo), 200);
            assert_string_equal(t->body, "an image");
        }
        else {
            assert_non_null(err);
            assert_non_null(strstr(err, "UserAuthLogo"));
            assert_non_null(strstr(err, "svg, png, jpg or webp"));
            assert_int_equal(t->row, UA_D_logo);
        }
        ua_test_close(t);
    }
}

/* CFG: what cannot be read, or is too big to be kept in memory, refuses the start. */
static void unreadable_files(void **state)
{
    ua_test_t *t = ua_test_begin();
    char *big = apr_pcalloc(t->pool, KIB256 + 2);
    const char *err = NULL;

    (void)state;
    memset(big, 'x', KIB256);
    ua_test_write(t, "big.png", big);
    assert_null(ua_test_start(t, "UserAuthLogo {}/big.png", NULL)); /* just fits */
    big[KIB256] = 'x';
    ua_test_write(t, "big.png", big);
    err = ua_test_start(t, "UserAuthLogo {}/big.png", NULL);
    assert_non_null(err);
    assert_non_null(strstr(err, "UserAuthLogo"));
    assert_non_null(strstr(err, "256 KiB"));
    err = ua_test_start(t, "UserAuthLogo {}/none.png", NULL);
    assert_non_null(err);
    assert_non_null(strstr(err, "/none.png"));
    ua_test_write(t, "own/userauth.css", big);
    err = ua_test_start(t, "UserAuthTemplates {}/own", NULL);
    assert_non_null(err);
    assert_non_null(strstr(err, "/own/userauth.css"));
    assert_non_null(strstr(err, "256 KiB"));
    assert_int_equal(t->row, UA_D_templates);
    ua_test_close(t);
}

/* Only what was loaded is served: no path is ever built from a request. */
static void other_names(void **state)
{
    static const char *const names[] = {"/auth/assets/",
                                        "/auth/assets",
                                        "/auth/assets/userauth.css",
                                        "/auth/assets/../assets/userauth.css",
                                        "/auth/assets//etc/passwd",
                                        "/auth/assets/../../../../etc/passwd",
                                        "/auth/assets/userauth.000000000000.css"};
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_status(t, ua_test_get(t, names[i]), 404);
    }
    assert_status(t, ua_test_request(t, UA_METHOD_POST, t->app->css, "", ""), 405);
    assert_string_equal(ua_test_reply_header(t, "Allow"), "GET, HEAD, OPTIONS");
    assert_status(t, ua_test_request(t, UA_METHOD_OPTIONS, t->app->css, "", ""), 204);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_ones),
        cmocka_unit_test(names_hold_the_digest),
        cmocka_unit_test(an_operators_file_replaces_ours),
        cmocka_unit_test(an_accent_is_appended),
        cmocka_unit_test(logos),
        cmocka_unit_test(unreadable_files),
        cmocka_unit_test(other_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
