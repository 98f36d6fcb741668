/* test_sweep.c: old rows go a portion at a time, however many there are and however slow the disk is. */
#include "domain/event.h"
#include "domain_site.h"
#include "db_faults.h"
#include "held_clock.h"

#define PORTION 500

/* So many events that happened at one time. */
static void add(ua_test_t *t, int count)
{
    ua_test_sql(
        t,
        "INSERT INTO event (id, site, account_id, kind, happened, address, agent, detail) "
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "SELECT 'e' || i, '', '', 'login', 1, '', '', '' FROM n",
        count);
}

/* How many are left after one call, which says *more. */
static int left(int *more, ua_test_t *t)
{
    ua_ctx_t *ctx = ua_test_context(t);

    *more = -1;
    assert_int_equal(ua_event_sweep(more, ctx, t->now), APR_SUCCESS);
    ua_db_release(ctx);
    return (int)ua_test_count(t, "SELECT COUNT(*) FROM event");
}

static void a_portion_at_a_time(void **state)
{
    static const struct {
        int rows, calls;
    } cases[] = {{0, 1},       {1, 1},           {PORTION - 1, 1},
                 {PORTION, 2}, {PORTION + 1, 2}, {3 * PORTION + 7, 4}};

    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        int rest = cases[i].rows;

        if (rest > 0) {
            add(t, rest);
        }
        for (int calls = 1; calls <= cases[i].calls; calls++) {
            int more = -1;

            rest = rest > PORTION ? rest - PORTION : 0;
            assert_int_equal(left(&more, t), rest);
            assert_int_equal(more, calls < cases[i].calls);
        }
    }
}

/* Others wait for the writer's lock half a second at most; something goes all the same. */
static void a_slow_disk_ends_it_early(void **state)
{
    ua_test_t *t = *state;
    int more = -1;
    int rest = 0;

    add(t, 100);
    atomic_store(&held_look, apr_time_from_msec(100));
    rest = left(&more, t);
    assert_in_range(rest, 94, 96);
    assert_int_equal(more, 1);
    atomic_store(&held_look, apr_time_from_sec(3600));
    assert_int_equal(left(&more, t), rest - 1);
    assert_int_equal(more, 1);
    atomic_store(&held_look, 0);
    assert_int_equal(left(&more, t), 0);
    assert_int_equal(more, 0);
}

/* What is used again after it was listed is not removed. */
static void what_is_no_longer_old_stays(void **state)
{
    ua_test_t *t = *state;
    int more = -1;

    add(t, 10);
    ua_test_sql(
        t,
        "CREATE TRIGGER young AFTER DELETE ON event WHEN OLD.id = 'e3' BEGIN UPDATE event "
        "SET happened = %" APR_TIME_T_FMT " WHERE id = 'e4'; END",
        t->now);
    assert_int_equal(left(&more, t), 1);
    assert_int_equal(more, 0);
    assert_string_equal(ua_test_scalar(t, "SELECT id FROM event"), "e4");
}

/* All of a portion or nothing, at each call of the database that may fail. */
static void a_failure(void **state)
{
    static const fault_t rules[] = {{.kinds = FAULT_SELECT, .times = 2},
                                    {.kinds = FAULT_BEGIN, .times = 1},
                                    {.kinds = FAULT_WRITE, .times = 1, .skip = 4},
                                    {.kinds = FAULT_COMMIT, .times = 1}};
    ua_test_t *t = *state;
    int more = 7;

    add(t, 10);
    for (size_t i = 0; i < COUNT(rules); i++) {
        ua_ctx_t *ctx = ua_test_context(t);

        faults_add(rules[i]);
        assert_int_equal(ua_event_sweep(&more, ctx, t->now), APR_EGENERAL);
        faults_off();
        assert_int_equal(more, 7);
        ua_db_rollback(ctx);
        ua_db_release(ctx);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event"), 10);
    }
    assert_int_equal(left(&more, t), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(a_portion_at_a_time),
        site_test(a_slow_disk_ends_it_early),
        site_test(what_is_no_longer_old_stays),
        site_test(a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
