/* test_gate_faults.c: requests to gated locations while the machine fails at each call: see failing_requests.h.
 *
 * Whoever can't be known is not let in, and not taken for somebody who signed out either. Case: INV-7.
 */
#include "failing_requests.h"

static const char *carried; /* Authorization */

static int by_cookie(ua_test_t *t)
{
    return ua_test_gated(t, UA_METHOD_GET, "/app");
}

static int by_token(ua_test_t *t)
{
    ua_test_header(t, "Authorization", carried);
    return ua_test_gated(t, UA_METHOD_GET, "/app");
}

/* As the edge asks, for a request that nobody is known of yet. */
static int by_password(ua_test_t *t)
{
    apr_status_t rv = APR_SUCCESS;

    (void)ua_test_gated(t, UA_METHOD_GET, "/app");
    t->req->fields = NULL;
    rv = ua_gate_basic_known(t->app, t->req, "alice", UA_TEST_PASSWORD);
    rv = rv == APR_NOTFOUND ? ua_gate_basic(t->app, t->req, t->res, "alice", UA_TEST_PASSWORD)
                            : rv;
    ua_db_release(t->req->ctx);
    assert_int_equal(t->req->ctx->slot, -1);
    return rv == APR_SUCCESS ? 0 : t->res->status;
}

/* Call number `skip` + 1 fails; 1 as long as nobody is let in. */
static int is_kept_out(ua_test_t *t, request_f *request, int kinds, int skip)
{
    kept_t before = keep(t);
    int first = kinds == FAULT_CRYPTO ? calls_before(t) + skip : skip;
    int failed = 0;
    int status = 0;

    faults_off();
    faults_add((fault_t){.kinds = kinds, .skip = first, .times = 1000, .rc = BUSY});
    status = request(t);
    failed = faults.failed;
    faults_off();
    announce(t, &before);
    if (failed) {
        assert_true(status == 503 || (status == 500 && kinds == FAULT_CRYPTO));
        assert_string_equal(jar_text(t), before.jar);
        assert_string_equal(ua_test_rows(t), before.rows);
        return 1;
    }
    assert_int_equal(status, 0);
    assert_string_equal(t->req->session->username, "alice");
    return 0;
}

static void play_gate(ua_test_t *t, request_f *request, int kinds)
{
    int n = 0;

    while (n < MOST_CALLS && is_kept_out(t, request, kinds, n)) {
        n++;
    }
    assert_in_range(n, 1, MOST_CALLS - 1);
}

static void a_cookie_or_password_that_cannot_be_checked(void **state)
{
    static const int kinds[] = {FAULT_ANY, FAULT_CRYPTO};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        ua_test_t *t = tireless_alice(NULL);

        play_gate(t, by_cookie, kinds[i]);
        apr_table_clear(t->jar);
        play_gate(t, by_password, kinds[i]);
        ua_test_close(t);
    }
}

/* Its signature is right; its session can't be read. That of the signature: test_jwt_faults.c. */
static void a_token_whose_session_cannot_be_read(void **state)
{
    ua_test_t *t = tireless_alice(NULL);

    (void)state;
    assert_status(t,
                  ua_test_post_json(t, "/auth/login",
                                    "{\"login\":\"alice\",\"password\":\"" UA_TEST_PASSWORD
                                    "\"}"),
                  200);
    carried = apr_pstrcat(t->pool, "Bearer ", ua_test_value(t, "access_token"), NULL);
    apr_table_clear(t->jar);
    play_gate(t, by_token, FAULT_ANY);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_or_password_that_cannot_be_checked),
        cmocka_unit_test(a_token_whose_session_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
