/* test_common_limit.c: a route's limit per client address: which outcomes count, for whom, how long. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static ua_req_t *request(ua_test_t *t, ua_res_t *res, const char *uri)
{
    assert_status(t, ua_test_get(t, uri), 200);
    ua_res_init(res, t->req);
    return t->req;
}

/* One outcome that counts, or not; the status of the transaction. */
static apr_status_t take(ua_test_t *t, const char *uri, int counted, ua_problem_e problem)
{
    ua_res_t res;
    ua_req_t *req = request(t, &res, uri);
    apr_status_t rv = APR_SUCCESS;

    req->counted = counted;
    if (problem) {
        ua_refuse(&res, problem);
    }
    assert_int_equal(ua_db_begin(req->ctx, UA_SERIALIZABLE), APR_SUCCESS);
    rv = ua_limit_take(&res, req);
    if (rv == APR_EAGAIN) {
        assert_int_equal(res.problem, UA_PROBLEM_RATE_LIMITED);
        assert_true(res.retry_after > 0);
    }
    else {
        assert_int_equal(res.problem, problem);
    }
    assert_int_equal(ua_db_commit(req->ctx), APR_SUCCESS);
    ua_db_release(req->ctx);
    return rv;
}

/* Seconds to wait, 0: none. */
static apr_int64_t peek(ua_test_t *t, const char *uri)
{
    ua_res_t res;
    ua_req_t *req = request(t, &res, uri);

    assert_int_equal(ua_limit_peek(&res, req), APR_SUCCESS);
    ua_db_release(req->ctx);
    assert_int_equal(res.status, res.retry_after ? 429 : 200);
    return res.retry_after;
}

static void counts_up_to_the_limit(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit register 2/10m", NULL);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(take(t, "/auth/register", 0, UA_PROBLEM_NONE), APR_SUCCESS);
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM throttle"), 0);
    assert_int_equal(take(t, "/auth/register", 1, UA_PROBLEM_NONE), APR_SUCCESS);
    assert_int_equal(peek(t, "/auth/register"), 0);
    ua_test_clock(t, 100);
    assert_int_equal(take(t, "/auth/register", 1, UA_PROBLEM_EMAIL_IN_USE), APR_SUCCESS);
    assert_int_equal(peek(t, "/auth/register"), 500);
    ua_test_clock(t, 499);
    assert_int_equal(peek(t, "/auth/register"), 1);
    ua_test_clock(t, 1);
    assert_int_equal(peek(t, "/auth/register"), 0);
    ua_test_close(t);
}

/* INV-10: reaching a limit is one event, with the client's address; the refusals after it are none. */
static void tells_when_it_is_reached(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit login 3/5m", NULL);

    (void)state;
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < 6; i++) {
            const char *login = apr_psprintf(t->pool, "nobody%d%d", round, i);

            assert_status(
                t, ua_test_post(t, "/auth/login", "login", login, "password", "wrong-1", NULL),
                i < 3 ? 401 : 429);
            assert_int_equal(ua_test_events(t, "\"event\":\"rate_limited\""),
                             i < 2 ? round - 1 : round);
        }
        ua_test_clock(t, 300);
    }
    assert_string_equal(ua_test_scalar(t,
                                       "SELECT address || ' ' || detail || ' ' || account_id "
                                       "FROM event WHERE kind = 'rate_limited'"),
                        UA_TEST_ADDRESS " login ");
    for (int i = 0; i < 35; i++) { /* a GET counts, too */
        assert_status(t, ua_test_get(t, "/auth/verify?token=guess"), i < 30 ? 400 : 429);
    }
    assert_int_equal(ua_test_events(t, "\"detail\":\"token\""), 1);
    ua_test_close(t);
}

/* Under parallel requests: a success too many may not stand, a refusal may. */
static void lets_no_success_stand_over_it(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit login 1/5m", NULL);

    (void)state;
    assert_int_equal(take(t, "/auth/login", 1, UA_PROBLEM_INVALID_CREDENTIALS), APR_SUCCESS);
    assert_int_equal(take(t, "/auth/login", 1, UA_PROBLEM_NONE), APR_EAGAIN);
    assert_int_equal(take(t, "/auth/login", 1, UA_PROBLEM_INVALID_CREDENTIALS), APR_SUCCESS);
    assert_int_equal(take(t, "/auth/login", 0, UA_PROBLEM_NONE), APR_SUCCESS);
    ua_test_close(t);
}

static void counts_each_kind_and_network_apart(void **state)
{
    static const struct {
        const char *comment;
        const char *address, *uri;
        int limited;
    } rows[] = {
        {"the one that was counted", "2001:db8:1:2::1", "/auth/login", 1},
        {"BF-10: its network", "2001:db8:1:2:ffff::1", "/auth/login", 1},
        {"another network", "2001:db8:1:3::1", "/auth/login", 0},
        {"another kind", "2001:db8:1:2::1", "/auth/register", 0},
        {"a v4 address", "192.0.2.7", "/auth/login", 0},
    };

    ua_test_t *t =
        ua_test_open("UserAuthRateLimit login 1/5m", "UserAuthRateLimit register 1/5m", NULL);

    (void)state;
    t->address = "2001:db8:1:2::1";
    assert_int_equal(take(t, "/auth/login", 1, UA_PROBLEM_INVALID_CREDENTIALS), APR_SUCCESS);
    for (size_t i = 0; i < COUNT(rows); i++) {
        t->address = rows[i].address;
        if ((peek(t, rows[i].uri) > 0) != rows[i].limited) {
            fail_msg("%s", rows[i].comment);
        }
    }
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM throttle WHERE name LIKE '%%2001%%'"), 0);
    ua_test_close(t);
}

static void can_be_turned_off(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit login off", NULL);

    (void)state;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(take(t, "/auth/login", 1, UA_PROBLEM_INVALID_CREDENTIALS),
                         APR_SUCCESS);
    }
    assert_int_equal(peek(t, "/auth/login"), 0);
    assert_int_equal(take(t, "/auth/logout", 1, UA_PROBLEM_NONE), APR_SUCCESS); /* has none */
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM throttle"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_up_to_the_limit),
        cmocka_unit_test(tells_when_it_is_reached),
        cmocka_unit_test(lets_no_success_stand_over_it),
        cmocka_unit_test(counts_each_kind_and_network_apart),
        cmocka_unit_test(can_be_turned_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
