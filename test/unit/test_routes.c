/* test_routes.c: which row answers a path, and the contract's table of pages. */
#include "fixture.h"

/* Contract 1: what each page of this stage takes. */
static const struct {
    const char *path;
    ua_area_e area;
    ua_access_e access;
    int gets;
    int posts;
} pages[] = {
    {"/auth/register", UA_AREA_PUBLIC, UA_ACCESS_GUEST, 1, 1},
    {"/auth/check-email", UA_AREA_PUBLIC, UA_ACCESS_ANY, 1, 1},
    {"/auth/verify", UA_AREA_PUBLIC, UA_ACCESS_ANY, 1, 1},
    {"/auth/resend", UA_AREA_PUBLIC, UA_ACCESS_ANY, 1, 1},
    {"/auth/disown", UA_AREA_PUBLIC, UA_ACCESS_ANY, 1, 1},
    {"/auth/login", UA_AREA_PUBLIC, UA_ACCESS_GUEST, 1, 1},
    {"/auth/logout", UA_AREA_PUBLIC, UA_ACCESS_ANY, 1, 1},
    {"/auth/health", UA_AREA_PUBLIC, UA_ACCESS_ANY, 1, 0},
    {"/dashboard", UA_AREA_PERSONAL, UA_ACCESS_USER, 1, 0},
};

static void every_page_has_its_row(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        const ua_route_t *route = ua_route_find(t->conf, pages[i].path);

        if (!route) {
            fail_msg("%s has no row", pages[i].path);
        }
        assert_int_equal(route->area, pages[i].area);
        assert_int_equal(route->access, pages[i].access);
        assert_int_equal(route->show || route->template, pages[i].gets);
        assert_int_equal(route->submit != NULL, pages[i].posts);
    }
    ua_test_close(t);
}

static void other_paths_have_none(void **state)
{
    static const char *const paths[] = {
        "/",
        "",
        "/auth",
        "/auth/",
        "/auth//login",
        "/auth/login/",
        "/auth/login/x",
        "/auth/Login",
        "/auth/logi",
        "/auth/loginx",
        "/authlogin",
        "/AUTH/login",
        "/xauth/login",
        "/auth/dashboard",
        "/login",
        "/dashboard/",
        "/dashboard//",
        "/dashboard/login",
        "/dashboardx",
        "/dashboard/dashboard",
        "/auth/../dashboard",
        "/auth/.",
    };
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (ua_route_find(t->conf, paths[i])) {
            fail_msg("\"%s\" has a row", paths[i]);
        }
    }
    ua_test_close(t);
}

/* A whole segment, not the beginning of another word. */
static void what_lies_below_a_prefix(void **state)
{
    static const struct {
        const char *path;
        int public;
        int personal;
    } rows[] = {
        {"/auth", 1, 0},
        {"/auth/", 1, 0},
        {"/auth/x/y", 1, 0},
        {"/authority", 0, 0},
        {"/aut", 0, 0},
        {"/", 0, 0},
        {"", 0, 0},
        {"/Auth", 0, 0},
        {"/x/auth", 0, 0},
        {"/dashboard", 0, 1},
        {"/dashboard/x", 0, 1},
        {"/dashboards", 0, 0},
        {"/auth?x", 0, 0},
        {"/dashboard/auth", 0, 1},
        {"/auth/dashboard", 1, 0},
        {"auth/login", 0, 0},
        {"//auth/login", 0, 0},
    };

    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].path);
        assert_int_equal(ua_app_owns(t->conf, UA_AREA_PUBLIC, rows[i].path), rows[i].public);
        assert_int_equal(ua_app_owns(t->conf, UA_AREA_PERSONAL, rows[i].path),
                         rows[i].personal);
    }
    ua_test_close(t);
}

/* The prefixes are the administrator's; the old ones are then nobody's. */
static void prefixes_can_be_chosen(void **state)
{
    ua_test_t *t =
        ua_test_open("UserAuthPath /account/in", "UserAuthDashboardPath /account/me", NULL);

    (void)state;
    assert_non_null(ua_route_find(t->conf, "/account/in/login"));
    assert_non_null(ua_route_find(t->conf, "/account/me"));
    assert_null(ua_route_find(t->conf, "/account/in"));
    assert_null(ua_route_find(t->conf, "/account"));
    assert_null(ua_route_find(t->conf, "/auth/login"));
    assert_null(ua_route_find(t->conf, "/dashboard"));
    assert_status(t, ua_test_get(t, "/account/me"), 303);
    assert_string_equal(ua_test_location(t), "/account/in/login?next=%2Faccount%2Fme");
    assert_status(t, ua_test_get(t, "/account/in"), 303);
    assert_string_equal(ua_test_location(t), "/account/in/login");
    assert_status(t, ua_test_get(t, "/account/in/login"), 200);
    assert_shows(t, "action=\"/account/in/login\"");
    assert_shows(t, "href=\"/account/in/register\"");
    assert_false(ua_test_shows(t, "\"/auth"));
    ua_test_close(t);
}

typedef struct visit_t {
    ua_test_t *t;
    int rows;
    int found; /* by their own path */
} visit_t;

static void visit_one(void *baton, const ua_route_t *route)
{
    visit_t *visit = baton;
    const char *prefix = route->area == UA_AREA_PUBLIC ? "/auth" : "/dashboard";
    const char *path =
        apr_pstrcat(visit->t->pool, prefix, *route->path ? "/" : "", route->path, NULL);

    visit->rows++;
    visit->found += ua_route_find(visit->t->conf, path) == route;
    assert_true(route->show || route->template || route->submit);
    assert_in_range(route->limited, 0, UA_RATES);
    for (const ua_field_t *f = route->fields; f && f->name; f++) {
        assert_non_null(f->label);
        assert_non_null(strstr("text email password checkbox hidden flag", f->type));
    }
    if (route->area == UA_AREA_PERSONAL) { /* whoever forgets it is gated all the same */
        assert_true(route->access >= UA_ACCESS_USER);
    }
}

/* No two rows of one path: the second would never be reached, or the first. */
static void every_row_is_reachable(void **state)
{
    visit_t visit = {ua_test_open(NULL), 0, 0};

    (void)state;
    ua_routes_each(visit_one, &visit);
    assert_int_equal(visit.found, visit.rows);
    assert_true(visit.rows >= (int)(sizeof pages / sizeof *pages));
    ua_test_close(visit.t);
}

static void is_loaded(const char *const *names, const char *template)
{
    while (*names && strcmp(*names, template) != 0) {
        names++;
    }
    if (!*names) {
        fail_msg("%s is not loaded at start", template);
    }
}

static void check_template(void *baton, const ua_route_t *route)
{
    ua_test_t *t = baton;

    if (route->template) {
        is_loaded(ua_page_templates(t->pool), route->template);
    }
}

/* A page whose template nobody loads would be found out by the first visitor. */
static void every_template_is_loaded_at_start(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_routes_each(check_template, t);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_has_its_row),
        cmocka_unit_test(other_paths_have_none),
        cmocka_unit_test(what_lies_below_a_prefix),
        cmocka_unit_test(prefixes_can_be_chosen),
        cmocka_unit_test(every_row_is_reachable),
        cmocka_unit_test(every_template_is_loaded_at_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
