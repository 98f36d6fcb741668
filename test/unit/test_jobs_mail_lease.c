/* test_jobs_mail_lease.c: a lease is counted from when the row is claimed or renewed, whatever was waited for before.
 *
 * The statements stand for what takes its time: the test turns the clock while one runs. */
#include "fixture.h"
#include "held_clock.h"

#include "app/jobs.h"

#include <apr_dbd.h>
#include <dlfcn.h>

#define SECOND apr_time_from_sec(1)

/* What the next BEGIN and the next writing statement take; what looks on at each of the latter. */
static apr_interval_time_t begin_takes, write_takes;
static void (*looks_on)(void);

static apr_interval_time_t taken(apr_interval_time_t *once)
{
    apr_interval_time_t time = *once;

    *once = 0;
    return time;
}

/* Makes `real` the library's function: C has no cast from an object to a function. */
#define FIND_REAL(real, name)                                                                  \
    do {                                                                                       \
        void *found_ = dlsym(RTLD_NEXT, name);                                                 \
        memcpy(&(real), &found_, sizeof(real));                                                \
    } while (0)

int apr_dbd_query(const apr_dbd_driver_t *driver, apr_dbd_t *handle, int *rows,
                  const char *statement)
{
    int (*real)(const apr_dbd_driver_t *, apr_dbd_t *, int *, const char *) = NULL;

    FIND_REAL(real, "apr_dbd_query");
    if (strncmp(statement, "BEGIN", 5) == 0) {
        clock_turn(taken(&begin_takes));
    }
    return real(driver, handle, rows, statement);
}

int apr_dbd_pbquery(const apr_dbd_driver_t *driver, apr_pool_t *pool, apr_dbd_t *handle,
                    int *rows, apr_dbd_prepared_t *statement, const void **args)
{
    int (*real)(const apr_dbd_driver_t *, apr_pool_t *, apr_dbd_t *, int *,
                apr_dbd_prepared_t *, const void **) = NULL;

    FIND_REAL(real, "apr_dbd_pbquery");
    if (looks_on) {
        looks_on();
    }
    clock_turn(taken(&write_takes));
    return real(driver, pool, handle, rows, statement, args);
}

static ua_test_t *t;
static ua_jobs_t *other;
static int found; /* by the other child */

/* Called from the log between sending and marking the first mail: another child looks for work. */
static void rival(void *baton, ua_level_e level, const char *line)
{
    (void)baton;
    (void)level;
    (void)line;
    found = ua_jobs_mail(other, t->now + 4 * SECOND);
}

static void begin(void)
{
    t = ua_test_open("UserAuthMailLimit off", NULL);
    assert_int_equal(ua_jobs_create(&other, t->site, t->app), APR_SUCCESS);
    ua_test_register(t, "alice");
    t->cause = 2; /* so that the first mail is spoken of */
}

/* A child that waits 4 s for the writer's lock has its lease for 3 s from then on. */
static void a_lease_begins_after_the_wait(void **state)
{
    (void)state;
    begin();
    t->app->host.log = rival;
    found = -1;
    begin_takes = 4 * SECOND;
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(found, 0);
    assert_int_equal(ua_test_count(t, "SELECT attempts FROM outbox WHERE state = 1"), 1);
    assert_int_equal(ua_test_count(t, "SELECT sent FROM outbox"), t->now + 4 * SECOND);
    ua_test_close(t);
}

static apr_time_t lease; /* of the mail that still waits */

static void look_at_lease(void)
{
    looks_on = NULL;
    lease = ua_test_count(t, "SELECT MAX(lease_until) FROM outbox WHERE state = 0");
    looks_on = look_at_lease;
}

/* The marking of the first mail is going to take 4 s. */
static void slow_down(void *baton, ua_level_e level, const char *line)
{
    (void)baton;
    (void)level;
    (void)line;
    write_takes = 4 * SECOND;
}

/* The second row of a batch is renewed with a lease from now on, not from when the first was sent. */
static void each_row_looks_at_the_clock(void **state)
{
    (void)state;
    begin();
    ua_test_register(t, "bob");
    t->jobs->batch = 2;
    t->app->host.log = slow_down;
    looks_on = look_at_lease; /* the last time when the second mail is about to be marked */
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    looks_on = NULL;
    assert_int_equal(lease, t->now + 7 * SECOND);
    assert_int_equal(ua_test_count(t, "SELECT MAX(sent) FROM outbox"), t->now + 4 * SECOND);
    ua_test_close(t);
}

static void slow_down_twice(void);

static void skip_one(void)
{
    looks_on = slow_down_twice;
}

/* The renewal that finds the second mail lost is going to take as long. */
static void slow_down_twice(void)
{
    looks_on = look_at_lease;
    write_takes = 4 * SECOND;
}

static void slow_down_and_again(void *baton, ua_level_e level, const char *line)
{
    slow_down(baton, level, line);
    looks_on = skip_one;
}

/* A row that is another's by now is left to it, and the next one's lease is from then on. */
static void a_lost_row_costs_the_next_nothing(void **state)
{
    (void)state;
    begin();
    ua_test_register(t, "bob");
    ua_test_register(t, "carol");
    t->jobs->batch = 3;
    ua_test_sql(
        t,
        "CREATE TRIGGER takes AFTER UPDATE ON outbox WHEN new.username = 'alice' AND "
        "new.state = 1 BEGIN UPDATE outbox SET lease = 'rival', lease_until = %" APR_TIME_T_FMT
        " WHERE username = 'bob'; END",
        t->now + 5 * SECOND);
    t->app->host.log = slow_down_and_again;
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    looks_on = NULL;
    assert_int_equal(lease, t->now + 11 * SECOND);
    assert_int_equal(ua_test_count(t, "SELECT sent FROM outbox WHERE username = 'carol'"),
                     t->now + 8 * SECOND);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_begins_after_the_wait),
        cmocka_unit_test(each_row_looks_at_the_clock),
        cmocka_unit_test(a_lost_row_costs_the_next_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
