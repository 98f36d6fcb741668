/* test_common_fresh.c: the password given again within a session: verified, counted, and the session
 * fresh from then on, whatever names it: a cookie, an access token, or both. */
#include "api_client.h"

/* One request of alice's session, as far as a feature sees it. */
static ua_req_t *request(ua_test_t *t, ua_res_t *res, const char *password)
{
    ua_req_t *req = apr_pcalloc(t->turn, sizeof *req);

    req->ctx = ua_test_context(t);
    req->cookie = apr_pstrcat(t->turn, "userauth=", ua_test_cookie(t, ""), NULL);
    req->authorization = req->query = req->path = "";
    req->form = apr_table_make(t->turn, 4);
    req->errors = apr_table_make(t->turn, 4);
    req->fields = ua_route_fields(t->conf, t->turn, NULL);
    apr_table_setn(req->form, "password", password);
    ua_res_init(res, req);
    assert_int_equal(ua_gate_session(t->app, req), APR_SUCCESS);
    assert_non_null(req->session);
    return req;
}

/* `check` and `submit` of a feature that wants the password. */
static ua_try_t *give(ua_res_t *res, ua_req_t *req)
{
    ua_try_t *attempt = NULL;

    assert_int_equal(ua_fresh_verify(&attempt, res, req, "password"), APR_SUCCESS);
    if (!res->problem) {
        assert_int_equal(ua_db_begin(req->ctx, UA_SERIALIZABLE), APR_SUCCESS);
        assert_int_equal(ua_fresh_settle(res, req, attempt, "password"), APR_SUCCESS);
        assert_int_equal(ua_db_commit(req->ctx), APR_SUCCESS);
    }
    ua_db_release(req->ctx);
    return attempt;
}

static ua_test_t *signed_in(void)
{
    ua_test_t *t = ua_test_open("UserAuthFreshTime 15m", NULL);

    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    ua_test_clock(t, 15 * 60);
    return t;
}

static int is_fresh(ua_test_t *t)
{
    return ua_test_count(t, "SELECT auth_time FROM session") == t->now;
}

static void the_right_one(void **state)
{
    ua_test_t *t = signed_in();
    const char *old = ua_test_cookie(t, "");
    const char *given = NULL;
    ua_res_t res;
    ua_req_t *req = NULL;

    (void)state;
    ua_test_sql(t, "UPDATE account SET failures = 2, device_failures = 3");
    req = request(t, &res, UA_TEST_PASSWORD);
    assert_int_equal(ua_session_fresh(req->session, req->ctx), 0);
    assert_int_equal(give(&res, req)->right, 1);
    assert_int_equal(res.problem, UA_PROBLEM_NONE);
    assert_true(is_fresh(t));
    assert_int_equal(ua_test_count(t, "SELECT failures + device_failures FROM account"), 0);
    given = APR_ARRAY_IDX(res.cookies, 0, ua_cookie_t).value; /* SESS-02 */
    assert_string_not_equal(given, old);
    apr_table_set(t->jar, "userauth", given);
    req = request(t, &res, "");
    assert_int_equal(ua_session_fresh(req->session, req->ctx), 1);
    ua_db_release(req->ctx);
    ua_test_close(t);
}

static void a_wrong_one(void **state)
{
    ua_test_t *t = signed_in();
    ua_res_t res;
    ua_req_t *req = NULL;

    (void)state;
    for (int i = 0; i < 5; i++) {
        req = request(t, &res, "not-the-password");
        assert_int_equal(give(&res, req)->right, 0);
        assert_int_equal(res.status, 422);
        assert_string_equal(apr_table_get(req->errors, "password"),
                            "This is not your password.");
        assert_int_equal(res.cookies->nelts, 0);
    }
    req = request(t, &res, UA_TEST_PASSWORD);
    (void)give(&res, req); /* a wait, in which nothing is hashed or counted */
    assert_int_equal(res.status, 429);
    assert_int_equal(res.retry_after, 30);
    assert_false(is_fresh(t));
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event WHERE kind = 'login_failed'"),
                     5);
    ua_test_close(t);
}

/* Another request was first: its cookie stands, and this one sets none. */
static void two_at_once(void **state)
{
    ua_test_t *t = signed_in();
    ua_res_t first;
    ua_res_t second;
    ua_req_t *one = request(t, &first, UA_TEST_PASSWORD);
    ua_req_t *two = request(t, &second, UA_TEST_PASSWORD);

    (void)state;
    (void)give(&first, one);
    (void)give(&second, two);
    assert_int_equal(first.cookies->nelts, 1);
    assert_int_equal(second.cookies->nelts, 0);
    assert_int_equal(second.problem, UA_PROBLEM_NONE);
    assert_true(is_fresh(t));
    ua_test_close(t);
}

/* A program that holds no cookie gives the password as well; what ended meanwhile stays ended. */
static void by_access_token(void **state)
{
    api_t api;
    ua_test_t *t = api_open(&api, NULL);

    (void)state;
    ua_test_clock(t, 15 * 60);
    assert_status(t, api_renew(t, api.refresh), 200);
    api.access = api_kept(t, "access_token");
    assert_false(is_fresh(t));
    api_carry(t, api.access, NULL);
    assert_status(
        t, ua_test_post_json(t, "/auth/reauth", "{\"password\":\"" UA_TEST_PASSWORD "\"}"),
        200);
    assert_int_equal(t->res->cookies->nelts, 0);
    assert_true(is_fresh(t));
    ua_test_clock(t, 60);
    api_carry(t, api.access, api.cookie); /* both: the cookie is renewed */
    assert_status(
        t, ua_test_post_json(t, "/auth/reauth", "{\"password\":\"" UA_TEST_PASSWORD "\"}"),
        200);
    assert_non_null(ua_test_set_cookie(t, ""));
    assert_true(is_fresh(t));
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_one),
        cmocka_unit_test(a_wrong_one),
        cmocka_unit_test(two_at_once),
        cmocka_unit_test(by_access_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
