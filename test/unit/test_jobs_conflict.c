/* test_jobs_conflict.c: what another node had its hands on goes in the same turn or the next, not a minute later.
 *
 * Cases: PRIV-05, RACE-07.
 */
#include "fixture.h"
#include "db_faults.h"
#include "rival.h"

static int count(ua_test_t *t, const char *what)
{
    return (int)ua_test_count(t, "SELECT COUNT(*) FROM %s", what);
}

static void turn_with_a_conflict(ua_test_t *t)
{
    faults_add((fault_t){.kinds = FAULT_COMMIT, .rc = RIVAL, .times = 1});
    ua_jobs_sweep(t->jobs, t->now);
    assert_int_equal(faults.failed, 1);
    faults_off();
}

static void accounts(void **state)
{
    ua_test_t *t = rival_site();

    (void)state;
    ua_test_register(t, "alice");
    ua_test_register(t, "bob");
    ua_test_register(t, "carol");
    ua_test_sql(t, "UPDATE account SET created = 1");
    turn_with_a_conflict(t);
    assert_int_equal(count(t, "account"), 1);
    ua_test_clock(t, 5);
    ua_jobs_sweep(t->jobs, t->now);
    assert_int_equal(count(t, "account"), 0);
    assert_int_equal(ua_test_events(t, "\"registration_expired\""), 3);
    ua_test_close(t);
}

static void rows(void **state)
{
    ua_test_t *t = rival_site();

    (void)state;
    ua_test_sql(
        t,
        "INSERT INTO event (id, site, account_id, kind, happened, address, agent, detail) "
        "VALUES ('a', '', '', 'login', 1, '', '', ''), ('b', '', '', 'login', 1, '', '', '')");
    turn_with_a_conflict(t);
    assert_int_equal(count(t, "event"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts),
        cmocka_unit_test(rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
