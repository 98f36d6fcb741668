/* test_throttle.c: rates and waits, by steps of the clock.
 *
 * Cases: BF-01, BF-11, CLK-01, RACE-09, MAIL-01.
 */
#include "domain_site.h"
#include "domain/throttle.h"

#define NAME   "login:x"
#define ROUNDS 50

static apr_int64_t hits(ua_test_t *t)
{
    return ua_test_count(t, "SELECT COALESCE(MAX(hits), 0) FROM throttle");
}

/* A name tells nobody what is counted, and no two kinds or values share one. */
static void names(void **state)
{
    static const char *const pairs[][2] = {
        {"login", "192.0.2.7"}, {"mail", "192.0.2.7"},  {"login", "192.0.2.8"},
        {"login", ""},          {"logi", "n192.0.2.7"}, {"login1", "92.0.2.7"},
    };
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *all[COUNT(pairs)];
    const char *again = NULL;

    for (size_t i = 0; i < COUNT(pairs); i++) {
        assert_int_equal(ua_throttle_name(&all[i], ctx, pairs[i][0], pairs[i][1]), APR_SUCCESS);
        assert_int_equal(strlen(all[i]), strlen(pairs[i][0]) + 1 + UA_DIGEST_TEXT);
        assert_int_equal(strncmp(all[i], pairs[i][0], strlen(pairs[i][0])), 0);
        assert_true(pairs[i][1][0] == '\0' || !strstr(all[i], pairs[i][1]));
        for (size_t n = 0; n < i; n++) {
            assert_string_not_equal(strchr(all[i], ':'), strchr(all[n], ':'));
        }
    }
    assert_int_equal(ua_throttle_name(&again, ctx, "login", "192.0.2.7"), APR_SUCCESS);
    assert_string_equal(again, all[0]);
}

/* A window begins with the first and ends for all at once; what is refused is not counted. */
static void rate(void **state)
{
    static const struct {
        const char *comment;
        int at;   /* seconds after the first */
        int wait; /* seconds */
        apr_int64_t hits;
    } steps[] = {
        {"the first", 0, 0, 1},
        {"the second", 0, 0, 2},
        {"the last that fits", 20, 0, 3},
        {"one too many", 20, 40, 3},
        {"refused ones do not count", 50, 10, 3},
        {"the last second", 59, 1, 3},
        {"a new window", 60, 0, 1},
        {"inside it", 61, 0, 2},
        {"and full again", 119, 0, 3},
        {"until a minute after its first", 119, 1, 3},
        {"a new one after a pause", 500, 0, 1},
        {"CLK-01: the clock went back", 100, 0, 1},
        {"and counts on from there", 101, 0, 2},
    };

    static const ua_rate_t three = {3, SECONDS(60)};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    for (size_t i = 0; i < COUNT(steps); i++) {
        apr_interval_time_t peeked = -1;
        apr_interval_time_t wait = -1;
        apr_int64_t before = hits(t);

        ctx->now = t->now + SECONDS(steps[i].at);
        assert_int_equal(ua_throttle_peek(&peeked, ctx, NAME, &three), APR_SUCCESS);
        assert_int_equal(hits(t), before);
        assert_int_equal(ua_throttle_take(&wait, ctx, NAME, &three), APR_SUCCESS);
        if (wait != SECONDS(steps[i].wait) || peeked != wait || hits(t) != steps[i].hits) {
            fail_msg("%s: %d s, %d hits", steps[i].comment, (int)apr_time_sec(wait),
                     (int)hits(t));
        }
    }
}

/* Room is what is left; more than that may be counted, and a new window has all of it. */
static void room(void **state)
{
    static const ua_rate_t ten = {10, SECONDS(60)};

    static const struct {
        int at;
        apr_int64_t add, room;
        int wait;
    } steps[] = {{0, 4, 6, 0},  {1, 5, 1, 0},    {2, 3, 0, 58},
                 {59, 0, 0, 1}, {60, 10, 0, 60}, {120, 0, 10, 0}};

    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_interval_time_t wait = -1;
    apr_int64_t left = -1;

    assert_int_equal(ua_throttle_room(&left, &wait, ctx, NAME, &ten), APR_SUCCESS);
    assert_int_equal(left, 10);
    for (size_t i = 0; i < COUNT(steps); i++) {
        ctx->now = t->now + SECONDS(steps[i].at);
        if (steps[i].add > 0) {
            assert_int_equal(ua_throttle_add(ctx, NAME, &ten, steps[i].add), APR_SUCCESS);
        }
        assert_int_equal(ua_throttle_room(&left, &wait, ctx, NAME, &ten), APR_SUCCESS);
        assert_int_equal(left, steps[i].room);
        assert_int_equal(wait, SECONDS(steps[i].wait));
    }
}

static void windows_end_exactly(void **state)
{
    static const ua_rate_t one = {1, SECONDS(60)};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_interval_time_t wait = -1;

    assert_int_equal(ua_throttle_take(&wait, ctx, NAME, &one), APR_SUCCESS);
    ctx->now += SECONDS(60) - 1;
    assert_int_equal(ua_throttle_take(&wait, ctx, NAME, &one), APR_SUCCESS);
    assert_int_equal(wait, 1);
    ctx->now += 1;
    assert_int_equal(ua_throttle_take(&wait, ctx, NAME, &one), APR_SUCCESS);
    assert_int_equal(wait, 0);
}

static void off_is_off(void **state)
{
    static const ua_rate_t off = {0, 0};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    for (int i = 0; i < 100; i++) {
        apr_interval_time_t wait = -1;

        assert_int_equal(ua_throttle_peek(&wait, ctx, NAME, &off), APR_SUCCESS);
        assert_int_equal(wait, 0);
        assert_int_equal(ua_throttle_take(&wait, ctx, NAME, &off), APR_SUCCESS);
        assert_int_equal(wait, 0);
    }
}

static void names_are_apart(void **state)
{
    static const ua_rate_t one = {1, SECONDS(60)};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_interval_time_t wait = -1;

    assert_int_equal(ua_throttle_take(&wait, ctx, "login:a", &one), APR_SUCCESS);
    assert_int_equal(ua_throttle_take(&wait, ctx, "login:b", &one), APR_SUCCESS);
    assert_int_equal(wait, 0);
    assert_int_equal(ua_throttle_clear(ctx, "login:a"), APR_SUCCESS);
    assert_int_equal(ua_throttle_take(&wait, ctx, "login:a", &one), APR_SUCCESS);
    assert_int_equal(wait, 0);
    assert_int_equal(ua_throttle_take(&wait, ctx, "login:b", &one), APR_SUCCESS);
    assert_int_equal(wait, SECONDS(60));
    assert_int_equal(ua_throttle_clear(ctx, "login:none"), APR_SUCCESS);
}

/* BF-01: from the fifth failure 30 s, doubling to an hour. */
static void waits_double(void **state)
{
    static const int seconds[] = {0,   0,   0,   0,    30,   60,   120,
                                  240, 480, 960, 1920, 3600, 3600, 3600};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_interval_time_t wait = -1;
    apr_int64_t failures = -1;

    assert_int_equal(ua_wait_peek(&wait, &failures, ctx, NAME), APR_SUCCESS);
    assert_int_equal(wait, 0);
    assert_int_equal(failures, 0);
    for (size_t i = 0; i < COUNT(seconds); i++) {
        assert_int_equal(ua_wait_failed(&wait, ctx, NAME), APR_SUCCESS);
        assert_int_equal(wait, SECONDS(seconds[i]));
        assert_int_equal(ua_wait_peek(&wait, &failures, ctx, NAME), APR_SUCCESS);
        assert_int_equal(wait, SECONDS(seconds[i]));
        assert_int_equal(failures, i + 1);
        if (seconds[i] > 0) {
            ctx->now += SECONDS(seconds[i]) - 1;
            assert_int_equal(ua_wait_peek(&wait, &failures, ctx, NAME), APR_SUCCESS);
            assert_int_equal(wait, 1);
            ctx->now += 1;
        }
        assert_int_equal(ua_wait_peek(&wait, &failures, ctx, NAME), APR_SUCCESS);
        assert_int_equal(wait, 0);
        assert_int_equal(failures, i + 1);
    }
    ua_test_sql(t, "UPDATE throttle SET hits = 9000000000000000000");
    assert_int_equal(ua_wait_failed(&wait, ctx, NAME), APR_SUCCESS);
    assert_int_equal(wait, SECONDS(3600));
}

/* BF-11: the wait is in the database; another child and a later start feel it. */
static void waits_last(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_interval_time_t wait = -1;
    apr_int64_t failures = -1;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(ua_wait_failed(&wait, ctx, NAME), APR_SUCCESS);
    }
    assert_null(ua_test_start(t, NULL));
    ctx = ua_test_context(t);
    assert_int_equal(ua_wait_peek(&wait, &failures, ctx, NAME), APR_SUCCESS);
    assert_int_equal(wait, SECONDS(30));
    assert_int_equal(failures, 5);
    assert_int_equal(ua_throttle_clear(ctx, NAME), APR_SUCCESS);
    assert_int_equal(ua_wait_peek(&wait, &failures, ctx, NAME), APR_SUCCESS);
    assert_int_equal(wait, 0);
    assert_int_equal(failures, 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ua_wait_failed(&wait, ctx, NAME), APR_SUCCESS);
        assert_int_equal(wait, 0);
    }
}

/* CLK-01: a clock that went back makes no wait longer than the longest, nor ends one at once. */
static void a_wait_after_the_clock_went_back(void **state)
{
    ua_ctx_t *ctx = ua_test_context(*state);
    apr_interval_time_t wait = 0;
    apr_int64_t failures = 0;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(ua_wait_failed(&wait, ctx, NAME), APR_SUCCESS);
    }
    ctx->now -= SECONDS(90000);
    for (int left = 3600; left >= 0; left -= 1200) {
        assert_int_equal(ua_wait_peek(&wait, &failures, ctx, NAME), APR_SUCCESS);
        assert_int_equal(wait, SECONDS(left));
        assert_int_equal(failures, 5);
        ctx->now += SECONDS(1200);
    }
}

static void waits_as_told(void **state)
{
    static const struct {
        const char *after, *wait;
        int seconds[4];
    } cases[] = {
        {"UserAuthLockAfter 1", "UserAuthLockWait 1s", {1, 2, 4, 8}},
        {"UserAuthLockAfter 2", "UserAuthLockWait 50m", {0, 3000, 3600, 3600}},
        {"UserAuthLockAfter 3", "UserAuthLockWait 1h", {0, 0, 3600, 3600}},
    };

    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        ua_ctx_t *ctx = NULL;

        assert_null(ua_test_start(t, cases[i].after, cases[i].wait, NULL));
        ctx = ua_test_context(t);
        assert_int_equal(ua_throttle_clear(ctx, NAME), APR_SUCCESS);
        for (size_t n = 0; n < 4; n++) {
            apr_interval_time_t wait = -1;

            assert_int_equal(ua_wait_failed(&wait, ctx, NAME), APR_SUCCESS);
            assert_int_equal(wait, SECONDS(cases[i].seconds[n]));
        }
    }
}

/* Goes when untouched since then and nobody waits for it any more. */
static void swept(void **state)
{
    static const struct {
        const char *comment;
        int touched, until, goes; /* seconds from now; swept: what is older than 100 s */
    } cases[] = {
        {"untouched", -101, 0, 1},
        {"just young enough", -100, 0, 0},
        {"untouched, and its wait is over", -101, -1, 1},
        {"untouched, but still a wait", -101, 1, 0},
        {"in use", -1, 0, 0},
    };

    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    for (size_t i = 0; i < COUNT(cases); i++) {
        ua_test_sql(t, "DELETE FROM throttle");
        ua_test_sql(
            t,
            "INSERT INTO throttle (name, hits, since, until, touched) VALUES ('x', 1, 0, "
            "%" APR_INT64_T_FMT ", %" APR_INT64_T_FMT ")",
            cases[i].until ? t->now + SECONDS(cases[i].until) : 0,
            t->now + SECONDS(cases[i].touched));
        assert_int_equal(ua_throttle_sweep(&(int){0}, ctx, t->now - SECONDS(100)), APR_SUCCESS);
        if (ua_test_count(t, "SELECT COUNT(*) FROM throttle") != !cases[i].goes) {
            fail_msg("%s", cases[i].comment);
        }
    }
}

typedef struct limit_t {
    const char *name;
    ua_rate_t rate;
} limit_t;

static int take_inside(ua_ctx_t *ctx, void *data)
{
    const limit_t *limit = data;
    apr_interval_time_t wait = -1;

    if (ua_db_begin(ctx, UA_SERIALIZABLE) != APR_SUCCESS ||
        ua_throttle_take(&wait, ctx, limit->name, &limit->rate) != APR_SUCCESS) {
        return -1000;
    }
    return ua_db_commit(ctx) == APR_SUCCESS ? wait == 0 : -1000;
}

/* RACE-09, MAIL-01: of all who ask at the same moment, exactly as many as the rate says. */
static void strict_under_rivals(void **state)
{
    ua_test_t *t = *state;

    for (int round = 0; round < ROUNDS; round++) {
        limit_t limit = {apr_psprintf(t->pool, "mail:%d", round),
                         {round % 2 ? 1 : 5, SECONDS(60)}};

        assert_int_equal(site_race(t, take_inside, &limit), limit.rate.count);
        assert_int_equal(
            ua_test_count(t, "SELECT hits FROM throttle WHERE name = '%s'", limit.name),
            limit.rate.count);
    }
}

static void failures(void **state)
{
    static const ua_rate_t one = {1, SECONDS(60)};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_interval_time_t wait = -1;
    apr_int64_t count = -1;

    site_break(t, "throttle");
    assert_failure(ctx, ua_throttle_peek(&wait, ctx, NAME, &one), "throttle_get");
    assert_failure(ctx, ua_throttle_take(&wait, ctx, NAME, &one), "throttle_get");
    assert_failure(ctx, ua_throttle_hold(ctx, NAME), "throttle_hold");
    assert_failure(ctx, ua_wait_peek(&wait, &count, ctx, NAME), "throttle_get");
    assert_failure(ctx, ua_wait_failed(&wait, ctx, NAME), "throttle_get");
    assert_failure(ctx, ua_throttle_clear(ctx, NAME), "throttle_clear");
    assert_failure(ctx, ua_throttle_sweep(&(int){0}, ctx, t->now), "throttle_old");
    assert_int_equal(wait, -1);
    assert_int_equal(count, -1);
}

/* A wait that can't be cut is none that is over. */
static void a_wait_that_cannot_be_written(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_interval_time_t wait = -1;
    apr_int64_t count = -1;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(ua_wait_failed(&wait, ctx, NAME), APR_SUCCESS);
    }
    ua_test_elsewhere(t,
                      "CREATE TRIGGER kept BEFORE UPDATE ON throttle BEGIN SELECT RAISE(FAIL, "
                      "'kept'); END");
    ctx->now -= SECONDS(90000);
    wait = -1;
    assert_failure(ctx, ua_wait_peek(&wait, &count, ctx, NAME), "throttle_wait");
    assert_int_equal(wait, -1);
    assert_int_equal(count, -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(names),
        site_test(rate),
        site_test(room),
        site_test(windows_end_exactly),
        site_test(off_is_off),
        site_test(names_are_apart),
        site_test(waits_double),
        site_test(waits_last),
        site_test(a_wait_after_the_clock_went_back),
        site_test(a_wait_that_cannot_be_written),
        site_test(waits_as_told),
        site_test(swept),
        site_test(strict_under_rivals),
        site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
