/* test_gate.c: who passes to a gated location, for how long, and what the others are told. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOUR         ((apr_int64_t)3600)

static ua_test_t *signed_in(const char *line)
{
    ua_test_t *t = ua_test_open(line, NULL);

    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    return t;
}

static void lets_the_signed_in_pass(void **state)
{
    ua_test_t *t = signed_in(NULL);

    (void)state;
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app/page"), 0);
    assert_string_equal(t->req->session->username, "alice");
    assert_string_equal(t->req->session->email, "alice@example.org");
    assert_string_equal(t->req->session->account_id,
                        ua_test_scalar(t, "SELECT id FROM account"));
    assert_string_equal(t->body, "");
    assert_int_equal(ua_test_gated(t, UA_METHOD_POST, "/app/page"), 0);
    assert_int_equal(ua_test_gated(t, UA_METHOD_OTHER, "/app/page"), 0); /* APA-02 */
    ua_test_close(t);
}

/* COOK-01, COOK-05, JWT-08: whatever else stands in the cookie. */
static void believes_no_other_cookie(void **state)
{
    ua_test_t *t = signed_in(NULL);
    const char *good = apr_pstrdup(t->pool, ua_test_cookie(t, ""));
    char *altered = apr_pstrdup(t->pool, good);
    const char *cookies[] = {
        "",
        "userauth=",
        apr_pstrcat(t->pool, "userauth=", altered, NULL),
        apr_pstrcat(t->pool, "userauth=", good, "A", NULL),
        apr_pstrcat(t->pool, "xuserauth=", good, NULL),
        apr_pstrcat(t->pool, "userauth-device=", good, NULL),
        apr_pstrcat(t->pool, "__Host-userauth=", good, NULL),
        apr_pstrcat(t->pool, "userauth=", good, "; userauth=x", NULL),
        apr_pstrcat(t->pool, "userauth=", ua_test_scalar(t, "SELECT digest FROM session"),
                    NULL),
        apr_pstrcat(t->pool, "userauth=", ua_test_scalar(t, "SELECT id FROM session"), NULL),
        apr_pstrcat(t->pool, "userauth=", ua_test_cookie(t, "device"), NULL),
    };

    (void)state;
    altered = strchr(strstr(cookies[2], "="), 0) - 5;
    *altered = *altered == 'a' ? 'b' : 'a';
    for (size_t i = 0; i < COUNT(cookies); i++) {
        ua_test_header(t, "Cookie", cookies[i]);
        if (ua_test_gated(t, UA_METHOD_GET, "/app") != 303) {
            fail_msg("let in with %s", cookies[i]);
        }
        assert_null(t->req->session);
    }
    ua_test_header(t, "Cookie", apr_pstrcat(t->pool, "a=b; userauth=", good, "; c=d", NULL));
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_test_close(t);
}

/* SESS-05: an hour without use; the moment itself is too late. */
static void ends_after_an_hour_of_idleness(void **state)
{
    ua_test_t *t = signed_in(NULL);

    (void)state;
    ua_test_clock(t, HOUR - 1);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_jobs_sweep(t->jobs, t->now); /* the use is noted */
    ua_test_clock(t, HOUR - 1);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_jobs_sweep(t->jobs, t->now);
    ua_test_clock(t, HOUR);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

/* SESS-05: activity never passes the absolute limit. */
static void ends_after_a_day_in_any_case(void **state)
{
    ua_test_t *t = signed_in(NULL);

    (void)state;
    for (int i = 0; i < 47; i++) {
        ua_test_clock(t, HOUR / 2);
        assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
        ua_jobs_sweep(t->jobs, t->now);
    }
    ua_test_clock(t, HOUR / 2 - 1);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_jobs_sweep(t->jobs, t->now);
    ua_test_clock(t, 1);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

static void remembers_for_thirty_days(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    assert_status(t,
                  ua_test_submit(t, "/auth/login", "login", "alice", "password",
                                 UA_TEST_PASSWORD, "remember", "1", NULL),
                  303);
    ua_test_clock(t, 30 * 24 * HOUR - 1);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_jobs_sweep(t->jobs, t->now);
    ua_test_clock(t, 1);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

/* Contract 6: a navigation is led to the login page, anything else gets 401. */
static const struct {
    const char *comment;
    const char *name, *value;
    int status;
} askers[] = {
    {"a browser", "Accept", "text/html,application/xhtml+xml,*/*;q=0.8", 303},
    {"a browser, in capitals", "Accept", "TEXT/HTML", 303},
    {"anything will do", "Accept", "*/*", 303},
    {"no wish", "Accept", "", 303},
    {"a program", "Accept", "application/json", 401},
    {"an image", "Accept", "image/png", 401},
    {"a script's own mark", "X-Requested-With", "XMLHttpRequest", 401},
    {"a script", "Sec-Fetch-Mode", "cors", 401},
    {"a script of the same site", "Sec-Fetch-Mode", "same-origin", 401},
    {"an image of a page", "Sec-Fetch-Mode", "no-cors", 401},
    {"a browser's own word", "Sec-Fetch-Mode", "navigate", 303},
};

static void leads_navigations_to_the_login_page(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(askers); i++) {
        int status = 0;

        ua_test_header(t, askers[i].name, askers[i].value);
        status = ua_test_gated(t, UA_METHOD_GET, "/app");
        if (status != askers[i].status) {
            fail_msg("%s: %d", askers[i].comment, status);
        }
        if (status == 303) {
            assert_string_equal(ua_test_location(t), "/auth/login?next=%2Fapp");
        }
        else {
            assert_string_equal(ua_test_reply_header(t, "WWW-Authenticate"), "Bearer");
            assert_true(*t->body != '\0');
        }
    }
    t->json = 1;
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 401);
    assert_value(t, "code", "login_required");
    assert_value(t, "links.login", "/auth/login");
    ua_test_close(t);
}

static const struct {
    const char *comment;
    ua_method_e method;
    const char *uri, *referer;
    const char *next;
} returns[] = {
    {"where the person wanted to go", UA_METHOD_GET, "/app/page?x=1&y=a%20b", "",
     "%2Fapp%2Fpage%3Fx%3D1%26y%3Da%2520b"},
    {"HEAD too", UA_METHOD_HEAD, "/app", "", "%2Fapp"},
    {"a submit: the page it came from", UA_METHOD_POST, "/app/save",
     "http://localhost:8080/app/form?id=1", "%2Fapp%2Fform%3Fid%3D1"},
    {"a submit of nowhere", UA_METHOD_POST, "/app/save", "", "%2Fdashboard"},
    {"a submit of elsewhere", UA_METHOD_POST, "/app/save", "http://evil.example/app",
     "%2Fdashboard"},
    {"OPTIONS is no page", UA_METHOD_OPTIONS, "/app", "", "%2Fdashboard"},
    {"RED-01: a path that looks like a host", UA_METHOD_GET, "//evil.example/", "",
     "%2Fdashboard"},
    {"RED-01: a backslash", UA_METHOD_GET, "/%5cevil.example/", "", "%2Fdashboard"},
};

static void remembers_where_to_go_on(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(returns); i++) {
        const char *location = apr_pstrcat(t->pool, "/auth/login?next=", returns[i].next, NULL);

        ua_test_header(t, "Referer", returns[i].referer);
        assert_int_equal(ua_test_gated(t, returns[i].method, returns[i].uri), 303);
        if (strcmp(ua_test_location(t), location) != 0) {
            fail_msg("%s: %s", returns[i].comment, ua_test_location(t));
        }
    }
    ua_test_close(t);
}

static void demands_https(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthBaseURL https://www.example.com", NULL);

    (void)state;
    t->https = 1;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    t->https = 0;
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app?x=1"), 308);
    assert_string_equal(ua_test_location(t), "https://www.example.com/app?x=1");
    assert_null(t->req->session); /* the cookie is not even looked at */
    assert_int_equal(ua_test_gated(t, UA_METHOD_POST, "/app"), 403);
    assert_string_equal(ua_test_location(t), "");
    ua_test_close(t);
}

/* Require userauth-fresh: a page leads to where the password is given, a program is told. */
static void asks_for_the_password_again(void **state)
{
    ua_test_t *t = signed_in(NULL);

    (void)state;
    for (int json = 0; json < 2; json++) {
        ua_test_header(t, "Accept", json ? "application/json" : "text/html");
        assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app?x=1"), 0);
        t->req->fields = NULL; /* as the edge hands it in */
        ua_gate_step_up(t->app, t->req, t->res, apr_time_from_sec(600));
        assert_int_equal(t->res->status, json ? 403 : 303);
        assert_int_equal(t->res->problem, json ? UA_PROBLEM_REAUTH_REQUIRED : UA_PROBLEM_NONE);
        assert_string_equal(json ? "" : t->res->location,
                            json ? "" : "/auth/reauth?next=%2Fapp%3Fx%3D1&max_age=600");
    }
    assert_non_null(strstr(t->res->raw, "reauth_required"));
    ua_test_close(t);
}

/* Never let in without knowing who it is. */
static void refuses_when_the_session_cannot_be_read(void **state)
{
    ua_test_t *t = signed_in(NULL);

    (void)state;
    assert_null(ua_test_start(t, NULL));
    ua_test_sql(t, "ALTER TABLE session RENAME TO away");
    ua_test_expect(t, "UA0102: a gated request was refused");
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 503);
    assert_true(*ua_test_reply_header(t, "Retry-After") != '\0');
    assert_shows(t, "This is not working at the moment");
    assert_null(t->req->session);
    ua_test_close(t);
}

/* UPG-02, trap 4: another process's migration, VACUUM or ANALYZE throws nobody out. */
static void survives_a_schema_change(void **state)
{
    ua_test_t *t = signed_in(NULL);

    (void)state;
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_test_sql(t, "CREATE INDEX another ON account (created)");
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_the_signed_in_pass),
        cmocka_unit_test(believes_no_other_cookie),
        cmocka_unit_test(ends_after_an_hour_of_idleness),
        cmocka_unit_test(ends_after_a_day_in_any_case),
        cmocka_unit_test(remembers_for_thirty_days),
        cmocka_unit_test(leads_navigations_to_the_login_page),
        cmocka_unit_test(remembers_where_to_go_on),
        cmocka_unit_test(demands_https),
        cmocka_unit_test(asks_for_the_password_again),
        cmocka_unit_test(refuses_when_the_session_cannot_be_read),
        cmocka_unit_test(survives_a_schema_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
