/* test_transact_conflict.c: a transaction that met another one is tried until it is through, within bounds.
 *
 * Cases: RACE-07, INV-7.
 */
#include "fixture.h"
#include "db_faults.h"
#include "rival.h"

static void until_it_is_through(void **state)
{
    static const int kinds[] = {FAULT_WRITE, FAULT_COMMIT};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ua_test_t *t = rival_site();

        faults_add((fault_t){.kinds = kinds[i], .rc = RIVAL, .times = 40});
        ua_test_register(t, "alice");
        assert_int_equal(faults.failed, 40);
        faults_off();
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 1);
        assert_int_equal(
            ua_test_count(t, "SELECT COUNT(*) FROM event WHERE kind = 'registered'"), 1);
        ua_test_close(t);
    }
}

static void not_for_ever(void **state)
{
    ua_test_t *t = rival_site();

    (void)state;
    faults_add((fault_t){.kinds = FAULT_COMMIT, .rc = RIVAL, .times = 1000});
    ua_test_expect(t, "UA0101");
    ua_test_post(t, "/auth/register", "username", "alice", "email", "alice@example.org",
                 "password", UA_TEST_PASSWORD, NULL);
    assert_in_range(faults.failed, 50, 200);
    faults_off();
    assert_int_equal(t->res->status, 503);
    assert_int_equal(t->res->problem, UA_PROBLEM_BUSY);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(until_it_is_through),
        cmocka_unit_test(not_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
