/* test_jobs_sweep.c: however many rows are old, and whatever table fails, the sweep comes to an end with the others.
 *
 * Cases: PRIV-05. */
#include "fixture.h"
#include "held_clock.h"

static void add_events(ua_test_t *t, int count)
{
    ua_test_sql(
        t,
        "INSERT INTO event (id, site, account_id, kind, happened, address, agent, detail) "
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "SELECT 'e' || i, '', '', 'login', 1, '', '', '' FROM n",
        count);
}

static void add_counters(ua_test_t *t, int count)
{
    ua_test_sql(
        t,
        "INSERT INTO throttle (name, hits, since, until, touched) WITH RECURSIVE n (i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "SELECT 'r' || i, 1, 0, 0, 1 FROM n",
        count);
}

static void add_token(ua_test_t *t)
{
    ua_test_sql(t, "INSERT INTO token (id, account_id, site, purpose, email, state, created, "
                   "expires, ended) VALUES ('t', '', '', 'verify', '', 1, 1, 1, 1)");
}

/* An account that was never confirmed, long ago. */
static void add_account(ua_test_t *t)
{
    ua_test_register(t, "alice");
    ua_test_sql(t, "UPDATE account SET created = 1");
}

static int count(ua_test_t *t, const char *table)
{
    return (int)ua_test_count(t, "SELECT COUNT(*) FROM %s", table);
}

static int old_events(ua_test_t *t)
{
    return (int)ua_test_count(t, "SELECT COUNT(*) FROM event WHERE happened = 1");
}

static int old_counters(ua_test_t *t)
{
    return (int)ua_test_count(t, "SELECT COUNT(*) FROM throttle WHERE touched = 1");
}

static void turn(ua_test_t *t)
{
    ua_jobs_sweep(t->jobs, t->now);
}

/* One connection is enough: none is held between portions. */
static void many_go_in_one_turn(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthDatabaseConnections 1", NULL);

    (void)state;
    add_events(t, 2600);
    add_counters(t, 1000);
    add_token(t);
    turn(t);
    assert_int_equal(old_events(t), 0);
    assert_int_equal(old_counters(t), 0);
    assert_int_equal(count(t, "token"), 0);
    ua_test_close(t);
}

/* What a turn has no time for goes in the next one, 5 s later; each table and the accounts have their part in each. */
static void a_turn_ends_in_time(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    int events = 0;

    (void)state;
    add_account(t);
    add_events(t, 1000);
    add_counters(t, 1000);
    atomic_store(&held_look, apr_time_from_msec(100));
    turn(t);
    events = old_events(t);
    assert_in_range(events, 900, 995);
    assert_in_range(old_counters(t), 900, 998);
    assert_int_equal(count(t, "account"), 0);
    ua_test_clock(t, 1);
    turn(t);
    assert_int_equal(old_events(t), events);
    ua_test_clock(t, 4);
    atomic_store(&held_look, apr_time_from_sec(10));
    turn(t);
    assert_int_equal(old_events(t), events - 1);
    ua_test_clock(t, 5);
    atomic_store(&held_look, 0);
    turn(t);
    assert_int_equal(old_events(t), 0);
    assert_int_equal(old_counters(t), 0);
    add_token(t);
    ua_test_clock(t, 5);
    turn(t); /* nothing was left: none before a minute is over */
    assert_int_equal(count(t, "token"), 1);
    ua_test_clock(t, 55);
    turn(t);
    assert_int_equal(count(t, "token"), 0);
    ua_test_close(t);
}

static void nothing_begins_when_it_ends(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    add_events(t, 10);
    ua_jobs_stop(t->jobs);
    turn(t);
    assert_int_equal(old_events(t), 10);
    ua_test_close(t);
}

/* Said once a turn, whatever fails in it; the others' rows go. */
static void a_table_that_fails_stops_no_other(void **state)
{
    static const char *const failing[] = {"token", "event"};
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    add_account(t);
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
        ua_test_sql(
            t,
            "CREATE TRIGGER %s_stays BEFORE DELETE ON %s WHEN OLD.id IN ('t', 'e7') BEGIN "
            "SELECT RAISE(ABORT, 'no'); END",
            failing[i], failing[i]);
    }
    add_token(t);
    add_events(t, 600);
    add_counters(t, 600);
    ua_test_expect(t, "UA0204: old rows can't be removed: token_sweep");
    turn(t);
    assert_int_equal(ua_test_logged(t, "UA0204"), 1);
    assert_int_equal(old_events(t), 600);
    assert_int_equal(old_counters(t), 0);
    assert_int_equal(count(t, "account"), 0);
    ua_test_sql(t, "DROP TRIGGER token_stays");
    ua_test_expect(t, "UA0204: old rows can't be removed: event_sweep");
    ua_test_clock(t, 60);
    turn(t);
    assert_int_equal(ua_test_logged(t, "UA0204"), 2);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE id = 't'"), 0);
    ua_test_close(t);
}

/* … Nor do accounts that can't be erased. */
static void an_account_that_fails_stops_no_table(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    add_account(t);
    ua_test_sql(t, "CREATE TRIGGER stays BEFORE DELETE ON account BEGIN "
                   "SELECT RAISE(ABORT, 'no'); END");
    add_events(t, 600);
    ua_test_expect(t, "UA0204: old rows can't be removed: account_sweep");
    turn(t);
    assert_int_equal(count(t, "account"), 1);
    assert_int_equal(old_events(t), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_go_in_one_turn),
        cmocka_unit_test(a_turn_ends_in_time),
        cmocka_unit_test(nothing_begins_when_it_ends),
        cmocka_unit_test(a_table_that_fails_stops_no_other),
        cmocka_unit_test(an_account_that_fails_stops_no_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
