/* test_jobs_budget.c: the mails of a site within a time are bounded; what is beyond waits, and is told of once.
 *
 * Cases: MAIL-02.
 */
#include "fixture.h"
#include "db_faults.h"

#include "app/jobs.h"

#include <sys/param.h>

#define SECOND apr_time_from_sec(1)

static apr_int64_t sent(ua_test_t *t)
{
    return ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = 1");
}

static void turn(ua_test_t *t)
{
    t->now = MAX(t->now, t->jobs->rest);
    (void)ua_jobs_mail(t->jobs, t->now);
    (void)ua_jobs_mail(t->jobs, t->now);
}

/* Seven mails, one second between them. */
static ua_test_t *begin(const char *line)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit register off", line, NULL);

    for (int i = 0; i < 7; i++) {
        ua_test_register(t, apr_psprintf(t->pool, "person%d", i));
        ua_test_clock(t, 1);
    }
    return t;
}

/* However many are claimed at once: the oldest go, the newest wait, nothing is lost. */
static void what_is_beyond_waits(void **state)
{
    (void)state;
    for (int batch = 1; batch <= 16; batch *= 4) {
        ua_test_t *t = begin("UserAuthMailBudget 3/60s");
        apr_time_t begun = t->now;

        ua_test_expect(t, "UA0207: further mails wait: UserAuthMailBudget 3/60s is reached");
        ua_test_expect(t, "UA0207");
        t->jobs->batch = batch;
        turn(t);
        assert_int_equal(sent(t), 3);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = 1 AND "
                                          "username IN ('person0', 'person1', 'person2')"),
                         3);
        assert_int_equal(ua_test_events(t, "mail_budget"), 1);
        while (t->jobs->rest < begun + 59 * SECOND) {
            turn(t);
            assert_in_range(t->jobs->rest - t->now, SECOND / 2, 11 * SECOND);
        }
        assert_int_equal(sent(t), 3);
        assert_int_equal(ua_test_count(t, "SELECT SUM(attempts) FROM outbox WHERE state = 0"),
                         0);
        t->now = begun + 61 * SECOND;
        turn(t);
        assert_int_equal(sent(t), 6);
        assert_int_equal(ua_test_events(t, "mail_budget"), 2);
        ua_test_clock(t, 61);
        turn(t);
        assert_int_equal(sent(t), 7);
        assert_int_equal(ua_test_events(t, "mail_budget"), 2);
        ua_test_close(t);
    }
}

/* A mail that was tried counts no more: it goes on while new ones wait. */
static void a_second_try_is_within(void **state)
{
    ua_test_t *t = begin("UserAuthMailBudget 3/60s");

    (void)state;
    ua_test_expect(t, "UA0207");
    turn(t);
    ua_test_sql(t, "UPDATE outbox SET attempts = 1 WHERE username = 'person6'");
    turn(t);
    turn(t);
    assert_int_equal(sent(t), 4);
    assert_int_equal(ua_test_count(t, "SELECT state FROM outbox WHERE username = 'person6'"),
                     1);
    ua_test_close(t);
}

static void without_a_bound(void **state)
{
    ua_test_t *t = begin("UserAuthMailBudget off");

    (void)state;
    turn(t);
    assert_int_equal(sent(t), 7);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM throttle WHERE name LIKE 'mail-budget%%'"), 0);
    ua_test_close(t);
}

/* Two nodes that begin to count at the same moment: the later one's claim is undone and made once more. */
static void two_begin_at_once(void **state)
{
    ua_test_t *t = begin("UserAuthMailBudget 3/60s");

    (void)state;
    ua_test_expect(t, "UA0207");
    t->jobs->batch = 4;
    faults_add(
        (fault_t){.kinds = FAULT_WRITE, .skip = 1, .times = 1}); /* its row is there by now */
    turn(t);
    assert_int_equal(faults.failed, 1);
    faults_off();
    assert_int_equal(sent(t), 3);
    assert_int_equal(
        ua_test_count(t, "SELECT hits FROM throttle WHERE name LIKE 'mail-budget%%'"), 3);
    assert_int_equal(ua_test_events(t, "mail_budget"), 1);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_beyond_waits),
        cmocka_unit_test(a_second_try_is_within),
        cmocka_unit_test(without_a_bound),
        cmocka_unit_test(two_begin_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
