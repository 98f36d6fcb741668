/* test_common_basic_hash.c: a right password whose hash is out of date, while its failures are not forgotten yet.
 *
 * Case: BF. The rest of it is test_common_basic.c.
 */
#include "fixture.h"

#define WRONG    "not-the-password-at-all"
#define UNCACHED "UserAuthSessionCacheTTL 0"

static apr_status_t sign(ua_test_t *t, const char *password)
{
    (void)ua_test_gated(t, UA_METHOD_GET, "/app"); /* a fresh request, of nobody */
    return ua_gate_basic(t->app, t->req, t->res, "alice", password);
}

/* Within the hour after failures were forgotten: the newer hash is kept, and newer failures stay counted. */
static void the_hash_is_renewed_and_the_failures_stay(void **state)
{
    ua_test_t *t = ua_test_open(UNCACHED, NULL);
    const char *before = NULL;

    (void)state;
    ua_test_member(t, "alice");
    assert_int_equal(sign(t, WRONG), APR_EACCES);
    assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
    assert_int_equal(sign(t, WRONG), APR_EACCES);
    assert_int_equal(sign(t, WRONG), APR_EACCES);
    before = ua_test_scalar(t, "SELECT password_hash FROM account");
    assert_null(ua_test_start(t, UNCACHED, "UserAuthPasswordHash m=8192,t=5,p=1", NULL));
    assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
    assert_string_not_equal(ua_test_scalar(t, "SELECT password_hash FROM account"), before);
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 2);
    before = ua_test_rows(t);
    assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
    assert_string_equal(ua_test_rows(t), before);
    ua_test_clock(t, 3600);
    assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_renewed_and_the_failures_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
