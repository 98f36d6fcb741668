/* test_bearer.c: access tokens at the gate and on our own pages: whose request it is, and what is said
 * to those that are no good (contract 5, RFC 6750).
 *
 * Cases: JWT-01, JWT-08, JWT-09, JWT-12, JWT-15, APA-05, INV-7.
 */
#include "api_client.h"

#define FORM "application/x-www-form-urlencoded"

/* Passes with this header: 0, or the reply's status. */
static int gated_by(ua_test_t *t, const char *header)
{
    ua_test_header(t, "Authorization", header);
    return ua_test_gated(t, UA_METHOD_GET, "/app");
}

static void passes_the_gate(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    assert_int_equal(api_gated(t, api.access), 0);
    assert_int_equal(t->req->bearer, UA_BEARER_GOOD);
    assert_string_equal(t->req->session->username, "alice");
    assert_string_equal(t->req->session->id, api.session_id);
    assert_null(t->req->session_cookie);
    api_carry(t, api.access, NULL);
    assert_int_equal(ua_test_gated(t, UA_METHOD_POST, "/app"), 0);
    api_carry(t, api.access, NULL);
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    ua_test_clock(t, 299);
    assert_int_equal(api_gated(t, api.access), 0);
    ua_test_clock(t, 1);
    assert_no_good(t, api_gated(t, api.access));
    ua_test_close(t);
}

/* RFC 9110 11.1: the scheme in any case, then one blank or more. */
static void how_it_is_written(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    static const struct {
        const char *before, *behind;
        int status;
    } cases[] = {
        {"Bearer ", "", 0},          {"bearer ", "", 0},
        {"BEARER ", "", 0},          {"Bearer    ", "", 0},
        {"Bearer ", " ", 401},       {"Bearer\t", "", 401},
        {"Bearer ", "=", 401}, /* JWT-12 */
        {"Bearer ", ".", 401},       {"Bearer .", "", 401},
        {"Bearer ", " x", 401},      {"Bearer ", ",Bearer x", 401},
        {"Bearer \"", "\"", 401},    {"Bearer ,", "", 401},
        {"Bearer Bearer ", "", 401}, {"Bearer =", "", 401},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s…%s\n", cases[i].before, cases[i].behind);
        assert_int_equal(gated_by(t, apr_pstrcat(t->pool, cases[i].before, api.access,
                                                 cases[i].behind, NULL)),
                         cases[i].status);
    }
    assert_no_good(t, gated_by(t, "Bearer"));
    assert_no_good(t, gated_by(t, "Bearer "));
    ua_test_close(t);
}

/* APA-05: what is no Bearer says nothing, beside a cookie or without. */
static void other_schemes_are_ignored(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    const char *headers[] = {"Basic YWxpY2U6eA==", "Bearers x", "BearerX", "Beare",
                             "Digest a=b",         " Bearer x", "DPoP x",  NULL};

    (void)state;
    headers[7] = api.access;
    for (size_t i = 0; i < COUNT(headers); i++) {
        assert_int_equal(gated_by(t, headers[i]), 303);
        assert_int_equal(t->req->bearer, UA_BEARER_NONE);
        ua_test_header(t, "Cookie", apr_pstrcat(t->pool, "userauth=", api.cookie, NULL));
        assert_int_equal(gated_by(t, headers[i]), 0);
    }
    ua_test_close(t);
}

/* JWT-08 and forgeries; for a navigation too, and even beside a good cookie. */
static void what_opens_nothing(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    char *tampered = apr_pstrdup(t->pool, api.access);
    const char *dot = strchr(api.access, '.');
    const char *wrong[] = {
        tampered,
        api.refresh,
        api.cookie,
        api.session_id,
        "x",
        "..",
        apr_pstrcat(t->pool, "eyJhbGciOiJub25lIn0", dot, NULL),
        apr_pstrmemdup(t->pool, api.access,
                       (apr_size_t)(strrchr(api.access, '.') - api.access)),
        apr_pstrmemdup(t->pool, api.access,
                       (apr_size_t)(strrchr(api.access, '.') - api.access + 1)),
        ua_test_token(t, "verify"),
    };

    (void)state;
    tampered[dot - api.access + 20] ^= 1;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        print_message("%.60s\n", wrong[i]);
        assert_no_good(t, api_gated(t, wrong[i]));
        assert_int_equal(t->req->bearer, UA_BEARER_BAD);
        ua_test_browser(t);
        api_carry(t, wrong[i], api.cookie);
        assert_no_good(t, ua_test_gated(t, UA_METHOD_GET, "/app"));
        assert_string_equal(ua_test_location(t), "");
        assert_null(t->req->session);
        api_carry(t, wrong[i], api.cookie);
        assert_no_good(t, ua_test_get(t, "/dashboard"));
    }
    ua_test_close(t);
}

/* A page that anybody may see is shown, as to a stranger. */
static void beside_what_needs_no_session(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    api_carry(t, "x", api.cookie);
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    api_carry(t, "x", NULL);
    assert_status(t, ua_test_get(t, "/auth/jwks.json"), 200);
    api_carry(t, "x", NULL);
    assert_status(
        t, ua_test_post(t, "/auth/login", "login", "alice", "password", UA_TEST_PASSWORD, NULL),
        303);
    ua_test_close(t);
}

/* JWT-15: contract 5, "fine if they agree, else 400". */
static void beside_a_cookie(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);
    api_t other = api_login(t, "alice");

    (void)state;
    api_carry(t, api.access, api.cookie);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    assert_string_equal(t->req->session_cookie, api.cookie);
    assert_int_equal(t->req->bearer, UA_BEARER_GOOD);
    t->json = 1;
    api_carry(t, api.access, other.cookie);
    assert_status(t, ua_test_gated(t, UA_METHOD_GET, "/app"), 400);
    assert_value(t, "code", "bad_request");
    assert_null(t->req->session);
    api_carry(t, api.access, other.cookie);
    assert_status(t, ua_test_get(t, "/dashboard"), 400);
    api_carry(t, api.access, other.cookie);
    assert_status(t, ua_test_post_json(t, "/auth/logout", "{}"), 400);
    ua_test_sql(t, "UPDATE session SET ended = 1 WHERE id = '%s'", other.session_id);
    api_carry(t, api.access, other.cookie); /* not a credential any more */
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    api_carry(t, api.access, "nonsense");
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_test_close(t);
}

static void not_from_the_query_or_a_form(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    assert_int_equal(
        ua_test_gated(t, UA_METHOD_GET,
                      apr_pstrcat(t->pool, "/app?access_token=", api.access, NULL)),
        303);
    assert_status(
        t, ua_test_get(t, apr_pstrcat(t->pool, "/dashboard?access_token=", api.access, NULL)),
        303);
    ua_test_close(t);
}

/* JWT-09: refused at once, whatever the token says. */
static void ends_with_its_session(void **state)
{
    static const char *const ends[] = {
        "UPDATE session SET ended = 1",
        "DELETE FROM session",
        "UPDATE account SET enabled = 0",
        "UPDATE session SET expires = 1, refresh_until = 1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        api_t api;
        ua_test_t *t = api_open(&api, NULL);

        assert_int_equal(api_gated(t, api.access), 0);
        ua_test_sql(t, "%s", ends[i]);
        assert_no_good(t, api_gated(t, api.access));
        ua_test_close(t);
    }
}

static void is_of_one_account(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    ua_test_member(t, "bob");
    ua_test_sql(t, "UPDATE session SET account_id = (SELECT id FROM account WHERE username = "
                   "'bob')");
    assert_no_good(t, api_gated(t, api.access));
    ua_test_close(t);
}

/* Contract 4: no browser's, so no field. */
static void a_form_needs_no_field(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    api_carry(t, api.access, api.cookie); /* a cookie may be a browser's */
    assert_status(t, ua_test_request(t, UA_METHOD_POST, "/auth/logout", FORM, ""), 403);
    ua_test_header(t, "Sec-Fetch-Site", "cross-site");
    api_carry(t, api.access, NULL);
    assert_status(t, ua_test_request(t, UA_METHOD_POST, "/auth/logout", FORM, ""), 403);
    api_carry(t, api.access, NULL);
    assert_status(t, ua_test_request(t, UA_METHOD_POST, "/auth/logout", FORM, ""), 303);
    assert_no_good(t, api_gated(t, api.access));
    ua_test_close(t);
}

/* Contract 5: "logout ends both". */
static void signs_out(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    api_carry(t, "x", api.cookie);
    assert_no_good(t, ua_test_post_json(t, "/auth/logout", "{}")); /* it ended nothing */
    assert_int_equal(api_gated(t, api.access), 0);
    api_carry(t, api.access, NULL);
    assert_status(t, ua_test_post_json(t, "/auth/logout", "{}"), 200);
    assert_no_good(t, api_gated(t, api.access));
    assert_no_good(t, api_renew(t, api.refresh));
    apr_table_set(t->jar, "userauth", api.cookie);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    assert_int_equal(ua_test_events(t, "\"event\":\"logout\""), 1);
    apr_table_clear(t->jar);
    api = api_login(t, "alice");
    apr_table_set(t->jar, "userauth", api.cookie);
    assert_status(t, ua_test_post_json(t, "/auth/logout", "{}"), 200);
    assert_null(ua_test_cookie(t, ""));
    assert_no_good(t, api_gated(t, api.access));
    ua_test_close(t);
}

static void notes_the_last_use(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    ua_test_clock(t, 240);
    assert_int_equal(api_gated(t, api.access), 0);
    ua_jobs_sweep(t->jobs, t->now);
    assert_int_equal(ua_test_count(t, "SELECT last_used FROM session"), t->now);
    ua_test_close(t);
}

/* INV-7 */
static void refuses_when_the_session_cannot_be_read(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    assert_null(ua_test_start(t, NULL));
    ua_test_sql(t, "ALTER TABLE session RENAME TO away");
    ua_test_expect(t, "UA0102: a gated request was refused");
    ua_test_expect(t, "UA0103: /dashboard was refused");
    assert_int_equal(api_gated(t, api.access), 503);
    assert_null(t->req->session);
    api_carry(t, api.access, NULL);
    assert_status(t, ua_test_get(t, "/dashboard"), 503);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_the_gate),
        cmocka_unit_test(how_it_is_written),
        cmocka_unit_test(other_schemes_are_ignored),
        cmocka_unit_test(what_opens_nothing),
        cmocka_unit_test(beside_what_needs_no_session),
        cmocka_unit_test(beside_a_cookie),
        cmocka_unit_test(not_from_the_query_or_a_form),
        cmocka_unit_test(ends_with_its_session),
        cmocka_unit_test(is_of_one_account),
        cmocka_unit_test(a_form_needs_no_field),
        cmocka_unit_test(signs_out),
        cmocka_unit_test(notes_the_last_use),
        cmocka_unit_test(refuses_when_the_session_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
