/* test_openapi.c: the API's description: every route is in it, and what it says follows the rows. A
 * validator and a live server judge it in test/http/test_openapi.py. */
#include "fixture.h"
#include "features/openapi.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static json_t *document(ua_test_t *t)
{
    assert_status(t, ua_test_get(t, "/auth/openapi.json"), 200);
    return ua_json_own(t->pool, json_loads(t->body, 0, NULL));
}

/* The member at "a|b|c"; NULL without it. */
static const json_t *at(ua_test_t *t, const json_t *value, const char *path)
{
    char *state = NULL;

    for (char *name = apr_strtok(apr_pstrdup(t->pool, path), "|", &state); value && name;
         name = apr_strtok(NULL, "|", &state)) {
        value = json_object_get(value, name);
    }
    return value;
}

typedef struct look_t {
    ua_test_t *t;
    const json_t *paths;
    int routes;
} look_t;

static void look_at(void *baton, const ua_route_t *route)
{
    look_t *look = baton;
    const char *prefix = route->area == UA_AREA_PUBLIC ? "/auth" : "/dashboard";
    const char *path =
        *route->path ? apr_pstrcat(look->t->pool, prefix, "/", route->path, NULL) : prefix;
    const char *star = strchr(path, '*');
    const json_t *item = NULL;

    if (star) {
        path = apr_pstrcat(look->t->pool,
                           apr_pstrmemdup(look->t->pool, path, (apr_size_t)(star - path)),
                           "{username}", NULL);
    }
    item = json_object_get(look->paths, path);
    if (!item || (json_object_get(item, "get") != NULL) != (route->show || route->template) ||
        (json_object_get(item, "post") != NULL) != (route->submit != NULL)) {
        fail_msg("openapi.def lacks a row for %s", path);
    }
    look->routes++;
}

static void every_route_is_described(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    look_t look = {t, json_object_get(document(t), "paths"), 0};

    (void)state;
    ua_routes_each(look_at, &look);
    assert_int_equal(json_object_size(look.paths), look.routes);
    ua_test_close(t);
}

static void how_it_is_served(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, "/auth/openapi.json"), 200);
    assert_string_equal(t->res->type, "application/json");
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"), "public, max-age=300");
    assert_value(t, "openapi", "3.1.0");
    assert_status(t, ua_test_post(t, "/auth/openapi.json", NULL), 405);
    ua_test_close(t);
}

/* Names of the site stand where it has them. */
static void follows_the_configuration(void **state)
{
    ua_test_t *t =
        ua_test_open("UserAuthBaseURL https://www.example.com", "UserAuthPath /account",
                     "UserAuthDashboardPath /me", "UserAuthSiteName \"My \\\"Site\\\"\"", NULL);
    const json_t *all = NULL;

    (void)state;
    t->https = 1;
    assert_status(t, ua_test_get(t, "/account/openapi.json"), 200);
    all = ua_json_own(t->pool, json_loads(t->body, 0, NULL));
    assert_string_equal(json_string_value(at(t, all, "info|title")), "My \"Site\"");
    assert_string_equal(ua_json_get(json_array_get(json_object_get(all, "servers"), 0), "url"),
                        "https://www.example.com");
    assert_string_equal(json_string_value(at(t, all, "components|securitySchemes|cookie|name")),
                        "__Host-userauth");
    assert_non_null(at(t, all, "paths|/account/login|post"));
    assert_non_null(at(t, all, "paths|/me|get"));
    assert_null(at(t, all, "paths|/auth/login"));
    ua_test_close(t);
}

static void what_follows_from_a_row(void **state)
{
    static const struct {
        const char *path;
        int there;
    } cases[] = {
        {"/auth/register|post|responses|201", 1},
        {"/auth/register|post|responses|200", 0},
        {"/auth/register|post|responses|303", 1},
        {"/auth/register|post|responses|409", 1},
        {"/auth/register|post|responses|422", 1},
        {"/auth/register|post|responses|401", 0},
        {"/auth/register|get|responses|422", 0},
        {"/auth/resend|post|responses|202", 1},
        {"/auth/token|post|responses|200", 1},
        {"/auth/token|post|responses|303", 0}, /* no page */
        {"/auth/token|get", 0},
        {"/auth/token|post|requestBody|content|application/x-www-form-urlencoded", 1},
        {"/auth/token|post|requestBody|content|application/json", 1},
        {"/auth/logout|post|requestBody", 0},
        {"/auth/jwks.json|get|responses|401", 0},
        {"/dashboard|get|responses|401", 1},
        {"/dashboard|get|responses|200|content|text/html", 1},
        {"/auth/jwks.json|get|responses|200|content|text/html", 0},
        {"/auth/health|get|responses|503|content|application/json", 1},
    };

    ua_test_t *t = ua_test_open(NULL);
    const json_t *paths = json_object_get(document(t), "paths");

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if ((at(t, paths, cases[i].path) != NULL) != cases[i].there) {
            fail_msg("%s", cases[i].path);
        }
    }
    assert_int_equal(json_array_size(at(t, paths, "/dashboard|get|security")), 2);
    assert_int_equal(json_array_size(at(t, paths, "/auth/login|get|security")), 3);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_described),
        cmocka_unit_test(how_it_is_served),
        cmocka_unit_test(follows_the_configuration),
        cmocka_unit_test(what_follows_from_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
