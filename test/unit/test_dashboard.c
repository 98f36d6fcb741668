/* test_dashboard.c: the first page of a signed-in person, and that nobody else sees it. */
#include "fixture.h"

static void greets_the_person(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_shows(t, "<h1>Hello, alice</h1>");
    assert_shows(t, "alice@example.org");
    assert_shows(t, "This is your first time here.");
    assert_shows(t, "action=\"/auth/logout\"");
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"), "no-store");
    ua_test_close(t);
}

/* Every personal page that is not another one's (a member's, for one) is a tile. */
static void leads_everywhere(void **state)
{
    static const struct {
        const char *path, *text;
    } tiles[] = {{"profile", "Profile"},
                 {"members", "Members"},
                 {"password", "Change your password"},
                 {"sessions", "Where you are signed in"},
                 {"activity", "Recent activity"},
                 {"export", "Download your data"},
                 {"close", "Close your account"}};

    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        const char *path = apr_pstrcat(t->pool, "/dashboard/", tiles[i].path, NULL);

        assert_status(t, ua_test_get(t, "/dashboard"), 200);
        assert_shows(
            t, apr_pstrcat(t->pool, "<a href=\"", path, "\">", tiles[i].text, "</a>", NULL));
        assert_status(t, ua_test_get(t, path), 200);
    }
    ua_test_close(t);
}

static void tells_the_sign_in_before_this_one(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    t->json = 1;
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_value(t, "last_sign_in", "");
    t->json = 0;
    ua_test_clock(t, 3600);
    ua_test_login(t, "alice");
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_shows(t, "<time datetime=\"2026-11-21T08:30:00Z\"");
    assert_shows(t, "21 November 2026 at 08:30 UTC");
    t->json = 1;
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_value(t, "last_sign_in", "2026-11-21T08:30:00Z");
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    t->json = 1;
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_value(t, "username", "alice");
    assert_value(t, "email", "alice@example.org");
    assert_value(t, "display_name", "");
    ua_test_close(t);
}

/* XSS-01 */
static void escapes_what_the_person_typed(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_sql(t, "UPDATE account SET display_name = '<script>alert(1)</script>'");
    ua_test_login(t, "alice");
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_shows(t, "&lt;script&gt;alert(1)&lt;/script&gt;");
    assert_false(ua_test_shows(t, "<script>alert"));
    t->json = 1;
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_value(t, "display_name", "<script>alert(1)</script>");
    assert_string_equal(t->res->type, "application/json"); /* XSS-04 */
    assert_string_equal(ua_test_reply_header(t, "X-Content-Type-Options"), "nosniff");
    ua_test_close(t);
}

static void is_for_the_signed_in_only(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    assert_string_equal(ua_test_location(t), "/auth/login?next=%2Fdashboard");
    t->json = 1;
    assert_status(t, ua_test_get(t, "/dashboard"), 401);
    assert_value(t, "code", "login_required");
    ua_test_close(t);
}

/* AUTHZ-03: an account that may not sign in any more has no session either. */
static void is_closed_to_a_disabled_account(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    ua_test_sql(t, "UPDATE account SET enabled = 0");
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greets_the_person),
        cmocka_unit_test(leads_everywhere),
        cmocka_unit_test(tells_the_sign_in_before_this_one),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(escapes_what_the_person_typed),
        cmocka_unit_test(is_for_the_signed_in_only),
        cmocka_unit_test(is_closed_to_a_disabled_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
