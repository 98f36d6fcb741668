/* test_common_basic.c: what a password sent with every request writes: nothing while all is well.
 *
 * Cases: BF (a failure counts, a success forgets it), and the newer hash of a right password.
 */
#include "fixture.h"

static apr_status_t sign(ua_test_t *t, const char *password)
{
    (void)ua_test_gated(t, UA_METHOD_GET, "/app"); /* a fresh request, of nobody */
    return ua_gate_basic(t->app, t->req, t->res, "alice", password);
}

static ua_test_t *begin(void)
{
    ua_test_t *t = ua_test_open("UserAuthSessionCacheTTL 0", NULL);

    ua_test_member(t, "alice");
    return t;
}

static void what_is_right_writes_nothing(void **state)
{
    ua_test_t *t = begin();
    const char *before = ua_test_rows(t);

    (void)state;
    assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
    assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

static void a_failure_counts_and_a_success_forgets_it(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    for (int i = 1; i < 4; i++) {
        assert_int_equal(sign(t, "not-the-password-at-all"), APR_EACCES);
        assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), i);
        assert_int_equal(
            ua_test_count(t, "SELECT COUNT(*) FROM event WHERE kind = 'login_failed'"), i);
    }
    assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 0);
    for (int i = 0; i < 4; i++) { /* the wait's own count is forgotten, too */
        assert_int_equal(sign(t, "not-the-password-at-all"), APR_EACCES);
        assert_status(t, t->res->status, 401);
    }
    ua_test_close(t);
}

/* BF: a client that polls does not lift the waits that somebody else's guesses make, time and again. */
static void a_success_forgets_once_an_hour(void **state)
{
    static const struct {
        int later; /* seconds */
        int failures;
    } rows[] = {{0, 1}, {1800, 3}, {1801, 1}, {60, 3}};

    ua_test_t *t = begin();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ua_test_clock(t, rows[i].later);
        assert_int_equal(sign(t, "not-the-password-at-all"), APR_EACCES);
        assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
        assert_int_equal(sign(t, "not-the-password-at-all"), APR_EACCES);
        assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
        assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), rows[i].failures);
    }
    ua_test_close(t);
}

static void the_hash_is_kept_up_to_date(void **state)
{
    ua_test_t *t = begin();
    const char *before = ua_test_scalar(t, "SELECT password_hash FROM account");

    (void)state;
    assert_null(ua_test_start(t, "UserAuthSessionCacheTTL 0",
                              "UserAuthPasswordHash m=8192,t=5,p=1", NULL));
    assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
    assert_string_not_equal(ua_test_scalar(t, "SELECT password_hash FROM account"), before);
    before = ua_test_rows(t);
    assert_int_equal(sign(t, UA_TEST_PASSWORD), APR_SUCCESS);
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_writes_nothing),
        cmocka_unit_test(a_failure_counts_and_a_success_forgets_it),
        cmocka_unit_test(a_success_forgets_once_an_hour),
        cmocka_unit_test(the_hash_is_kept_up_to_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
