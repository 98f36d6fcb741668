/* test_throttle_faults.c: counters while the database or OpenSSL fails.
 *
 * A limit that can't be counted lets nobody through: it is a failure, not room for one more. Case: INV-7.
 */
#include "failing_calls.h"
#include "domain/throttle.h"

static const ua_rate_t hourly = {3, SECONDS(3600)};

static apr_status_t name_it(ua_ctx_t *ctx, void *data)
{
    const char *name = "untouched";
    apr_status_t rv = ua_throttle_name(&name, ctx, "login", data);

    assert_int_equal(strcmp(name, "untouched") == 0, rv != APR_SUCCESS);
    return rv;
}

static apr_status_t take(ua_ctx_t *ctx, void *data)
{
    apr_interval_time_t wait = -1;
    apr_status_t rv = ua_throttle_take(&wait, ctx, data, &hourly);

    assert_int_equal(wait, rv == APR_SUCCESS ? 0 : -1);
    return rv;
}

/* The first failure makes a row, the fifth a wait. */
static apr_status_t count_failure(ua_ctx_t *ctx, void *data)
{
    apr_interval_time_t wait = -1;
    apr_status_t rv = ua_wait_failed(&wait, ctx, data);

    assert_int_equal(wait == -1, rv != APR_SUCCESS);
    return rv;
}

static apr_status_t ask_room(ua_ctx_t *ctx, void *data)
{
    apr_interval_time_t wait = -1;
    apr_int64_t room = -1;
    apr_status_t rv = ua_throttle_room(&room, &wait, ctx, data, &hourly);

    assert_int_equal(room, rv == APR_SUCCESS ? hourly.count : -1);
    assert_int_equal(wait, rv == APR_SUCCESS ? 0 : -1);
    return rv;
}

static apr_status_t add(ua_ctx_t *ctx, void *data)
{
    return ua_throttle_add(ctx, data, &hourly, 2);
}

static void counted(ua_test_t *t, const char *name, int hits, apr_time_t since)
{
    ua_test_sql(t, "DELETE FROM throttle");
    ua_test_sql(t,
                "INSERT INTO throttle VALUES ('%s', %d, %" APR_TIME_T_FMT
                ", 0, %" APR_TIME_T_FMT ")",
                name, hits, since, since);
}

static void what_fails_is_said(void **state)
{
    static char name[] = "login:x";
    ua_test_t *t = *state;

    each_call_fails(t, name_it, name);
    each_call_fails(t, take, name);
    each_call_fails(t, count_failure, name);
    each_call_fails(t, ask_room, name);
    each_call_fails(t, add, name);
    counted(t, name, 1, t->now - hourly.duration);
    each_call_fails(t, take, name);
    counted(t, name, 1, t->now);
    each_call_fails(t, take, name);
    counted(t, name, 4, t->now);
    each_call_fails(t, count_failure, name);
    assert_int_equal(ua_test_count(t, "SELECT hits FROM throttle"), 4); /* all rolled back */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(what_fails_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
