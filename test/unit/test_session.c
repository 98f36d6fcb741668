/* test_session.c: where a person is signed in: cookies, limits, ends.
 *
 * Cases: SESS-01, SESS-03, SESS-05, INV-5, INV-6, CLK-01.
 */
#include "domain_site.h"
#include "base/unicode.h"
#include "domain/session.h"

#define HOUR SECONDS(3600)
#define DAY  (24 * HOUR)

static const char *session_start(ua_ctx_t *ctx, const char *account_id)
{
    const char *cookie = NULL;
    apr_int64_t age = -1;

    assert_int_equal(ua_session_start(&cookie, &age, ctx, account_id, 0), APR_SUCCESS);
    assert_int_equal(age, 0);
    return cookie;
}

static ua_session_t *session_of(ua_ctx_t *ctx, const char *cookie)
{
    ua_session_t *session = NULL;

    assert_int_equal(ua_session_read(&session, ctx, cookie), APR_SUCCESS);
    return session;
}

static int is_live(ua_ctx_t *ctx, const char *cookie)
{
    ua_session_t *session = NULL;
    apr_status_t rv = ua_session_read(&session, ctx, cookie);

    assert_true(rv == APR_NOTFOUND || rv == APR_SUCCESS);
    assert_int_equal(rv == APR_SUCCESS, session != NULL);
    return session != NULL;
}

static void started(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *cookie = NULL;
    ua_session_t *session = NULL;

    ua_test_sql(t, "UPDATE account SET display_name = 'Mike', last_sign_in = 7, "
                   "previous_sign_in = 5");
    cookie = session_start(ctx, mike);
    session = session_of(ctx, cookie);
    assert_int_equal(strlen(cookie), UA_DIGEST_TEXT); /* 256 bits */
    assert_true(ua_uuid_valid(session->id));
    assert_string_equal(session->account_id, mike);
    assert_string_equal(session->username, "mike");
    assert_string_equal(session->email, "mike@example.org");
    assert_string_equal(session->display_name, "Mike");
    assert_int_equal(session->created, t->now);
    assert_int_equal(session->last_used, t->now);
    assert_int_equal(session->auth_time, t->now);
    assert_int_equal(session->last_sign_in, 7);
    assert_int_equal(session->previous_sign_in, 5);
    assert_string_equal(
        ua_test_scalar(t, "SELECT site || ' ' || amr || ' ' || address || ' ' || "
                          "agent FROM session"),
        apr_pstrcat(t->pool, t->conf->site, " pwd " UA_TEST_ADDRESS, " unit test", NULL));
    /* SESS-01: each start is another secret and another id. */
    assert_string_not_equal(session_start(ctx, mike), cookie);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(DISTINCT id) FROM session"), 2);
}

/* INV-6: neither the row's digest nor its id opens anything. */
static void held_as_a_digest(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *cookie = session_start(ctx, site_member(ctx, "mike"));
    const char *digest = NULL;

    assert_null(strstr(ua_test_rows(t), cookie));
    assert_int_equal(ua_digest_text(&digest, t->pool, cookie), APR_SUCCESS);
    assert_string_equal(ua_test_scalar(t, "SELECT digest FROM session"), digest);
    assert_int_equal(is_live(ctx, digest), 0);
    assert_int_equal(is_live(ctx, session_of(ctx, cookie)->id), 0);
    assert_int_equal(is_live(ctx, ""), 0);
    assert_int_equal(is_live(ctx, apr_pstrcat(t->pool, cookie, "=", NULL)), 0);
    assert_int_equal(is_live(ctx, "' OR '1'='1"), 0);
}

/* In use from its start on, without an hour's pause. */
static void use_until(ua_ctx_t *ctx, const char *id, apr_time_t end)
{
    for (apr_time_t at = ctx->now; at < end; at += HOUR / 2) {
        assert_int_equal(ua_session_touch(ctx, id, at), APR_SUCCESS);
    }
    assert_int_equal(ua_session_touch(ctx, id, end), APR_SUCCESS);
}

/* SESS-05: refused exactly at the limit; use moves the idle one and never the absolute one. */
static void limits(void **state)
{
    static const struct {
        const char *comment;
        int remember;
        apr_time_t used, at;
        int live;
    } cases[] = {
        {"at once", 0, 0, 0, 1},
        {"idle, the last microsecond", 0, 0, HOUR - 1, 1},
        {"idle an hour", 0, 0, HOUR, 0},
        {"used meanwhile", 0, HOUR - 1, HOUR, 1},
        {"idle since", 0, HOUR - 1, 2 * HOUR - 1, 0},
        {"used to the end, the last microsecond", 0, DAY - 1, DAY - 1, 1},
        {"used to the end", 0, DAY - 1, DAY, 0},
        {"a use behind the end does not revive", 0, 2 * DAY, 2 * DAY, 0},
        {"remembered, the last microsecond", 1, 0, 30 * DAY - 1, 1},
        {"remembered", 1, 0, 30 * DAY, 0},
        {"remembered, used to the end", 1, 30 * DAY - 1, 30 * DAY, 0},
        {"CLK-01: the clock went back", 0, 0, -HOUR, 1},
    };

    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *cookie = NULL;
        apr_int64_t age = -1;

        ctx->now = t->now;
        assert_int_equal(ua_session_start(&cookie, &age, ctx, mike, cases[i].remember),
                         APR_SUCCESS);
        assert_int_equal(age, cases[i].remember ? 30 * 24 * 3600 : 0);
        use_until(ctx, session_of(ctx, cookie)->id, t->now + cases[i].used);
        ctx->now = t->now + cases[i].at;
        if (is_live(ctx, cookie) != cases[i].live) {
            fail_msg("%s", cases[i].comment);
        }
    }
}

/* Contract 5: the cookie obeys its own limits: its session's API tokens don't bring it back. */
static void an_idle_cookie_stays_ended(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *cookie = session_start(ctx, site_member(ctx, "mike"));
    const char *id = session_of(ctx, cookie)->id;

    assert_int_equal(ua_session_touch(ctx, id, t->now + HOUR), APR_SUCCESS);
    ctx->now = t->now + HOUR;
    assert_int_equal(is_live(ctx, cookie), 0);
    assert_int_equal(ua_test_count(t, "SELECT expires FROM session"), t->now + HOUR);
    assert_int_equal(ua_session_touch(ctx, id, t->now + 2 * HOUR), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT expires FROM session"), t->now + HOUR);
    assert_int_equal(ua_test_count(t, "SELECT last_used FROM session"), t->now + 2 * HOUR);
}

/* A later job with an older use changes nothing, and no use changes what has ended. */
static void touched(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *cookie = session_start(ctx, site_member(ctx, "mike"));
    const char *id = session_of(ctx, cookie)->id;

    assert_int_equal(ua_session_touch(ctx, id, t->now + 5), APR_SUCCESS);
    assert_int_equal(ua_session_touch(ctx, id, t->now + 3), APR_SUCCESS);
    assert_int_equal(session_of(ctx, cookie)->last_used, t->now + 5);
    assert_int_equal(ua_session_touch(ctx, "nothing", t->now + 9), APR_SUCCESS);
    assert_int_equal(ua_session_end(ctx, cookie), APR_SUCCESS);
    assert_int_equal(ua_session_touch(ctx, id, t->now + 9), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT last_used FROM session"), t->now + 5);
}

/* SESS-03: an ended session stays ended, and the others live on. */
static void ended(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *cookie = session_start(ctx, mike);
    const char *other = session_start(ctx, mike);

    assert_int_equal(ua_session_end(ctx, cookie), APR_SUCCESS);
    assert_int_equal(is_live(ctx, cookie), 0);
    assert_int_equal(is_live(ctx, other), 1);
    ctx->now++;
    assert_int_equal(ua_session_end(ctx, cookie), APR_SUCCESS);
    assert_int_equal(ua_session_end(ctx, "unknown"), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT MAX(ended) FROM session"), t->now);
    assert_int_equal(is_live(ctx, other), 1);
}

/* Only an account that may sign in has live sessions. */
static void of_its_account(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = session_start(ctx, site_member(ctx, "mike"));
    const char *eve = session_start(ctx, site_member(ctx, "eve"));
    const char *cookie = "untouched";
    apr_int64_t age = -1;

    ua_test_sql(t, "UPDATE account SET enabled = 0 WHERE username = 'mike'");
    assert_int_equal(is_live(ctx, mike), 0);
    assert_int_equal(is_live(ctx, eve), 1);
    ua_test_sql(t, "UPDATE account SET enabled = 2 WHERE username = 'mike'");
    assert_int_equal(is_live(ctx, mike), 0);
    assert_failure(ctx, ua_session_start(&cookie, &age, ctx, "no such account", 0),
                   "session_insert");
    assert_string_equal(cookie, "untouched");
    assert_int_equal(age, -1);
}

/* Contract 4: at most so many an account; the oldest ends, and nobody else's. */
static void over_the_limit(void **state)
{
    static const int live[] = {1, 1, 2, 3, 3, 3};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = NULL;
    const char *cookies[6];
    const char *mike = NULL;
    const char *eve = NULL;

    assert_null(ua_test_start(t, "UserAuthSessionLimit 3", NULL));
    ctx = ua_test_context(t);
    mike = site_member(ctx, "mike");
    eve = session_start(ctx, site_member(ctx, "eve"));
    for (int i = 0; i < 6; i++) {
        ctx->now++;
        cookies[i] = session_start(ctx, mike);
        if (i == 1) { /* by an act: does not count */
            assert_int_equal(ua_session_end(ctx, cookies[1]), APR_SUCCESS);
        }
        assert_int_equal(ua_test_count(t,
                                       "SELECT COUNT(*) FROM session WHERE ended = 0 AND "
                                       "account_id = '%s'",
                                       mike),
                         live[i]);
    }
    for (int i = 0; i < 6; i++) {
        assert_int_equal(is_live(ctx, cookies[i]), i >= 3);
    }
    assert_int_equal(is_live(ctx, eve), 1);
}

/* The one that just began is never the one that ends. */
static void the_new_one_lives(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = NULL;
    const char *mike = NULL;

    assert_null(ua_test_start(t, "UserAuthSessionLimit 1", NULL));
    ctx = ua_test_context(t);
    mike = site_member(ctx, "mike");
    for (int i = 0; i < 20;
         i++) { /* within a microsecond, or in another order than they came */
        assert_int_equal(is_live(ctx, session_start(ctx, mike)), 1);
        ctx->now -= i % 2;
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 1);
}

/* What ended by itself, by either limit, is no session any more and takes no live one's place. */
static void expired_ones_do_not_count(void **state)
{
    static const char *const lines[][2] = {
        {"UserAuthSessionIdle 1h", "UserAuthSessionLifetime 60d"},
        {"UserAuthSessionIdle 60d", "UserAuthSessionLifetime 24h"},
    };
    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(lines); i++) {
        const char *cookie = NULL;
        const char *phone = NULL;
        const char *mike = NULL;
        ua_ctx_t *ctx = NULL;
        apr_int64_t age = 0;

        assert_null(ua_test_start(t, "UserAuthSessionLimit 3", lines[i][0], lines[i][1], NULL));
        ctx = ua_test_context(t);
        mike = site_member(ctx, i ? "mike" : "mary");
        assert_int_equal(ua_session_start(&phone, &age, ctx, mike, 1), APR_SUCCESS);
        for (int day = 0; day < 5; day++) {
            cookie = session_start(ctx, mike);
            ctx->now += DAY;
            assert_int_equal(is_live(ctx, cookie), 0);
        }
        assert_int_equal(is_live(ctx, phone), 1);
    }
}

static void swept(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");

    (void)session_start(ctx, mike); /* to its end: now + a day */
    assert_int_equal(ua_session_end(ctx, session_start(ctx, mike)), APR_SUCCESS);
    assert_int_equal(ua_session_sweep(&(int){0}, ctx, t->now), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 2);
    assert_int_equal(ua_session_sweep(&(int){0}, ctx, t->now + 1), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 1);
    assert_int_equal(ua_session_sweep(&(int){0}, ctx, t->now + DAY), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 1);
    assert_int_equal(ua_session_sweep(&(int){0}, ctx, t->now + DAY + 1), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 0);
}

static void long_agents(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *agent = "x";

    for (int i = 0; i < 500; i++) {
        agent = apr_pstrcat(t->pool, agent, "\xE2\x9C\x93", NULL);
    }
    ctx->agent = agent + 1;
    for (int i = 0; i < 2; i++) {
        ctx->agent -= i;
        (void)session_start(ctx, site_member(ctx, i ? "mike" : "eve"));
        agent = ua_test_scalar(t, "SELECT agent FROM session ORDER BY rowid DESC");
        assert_true(*agent != '\0' && strlen(agent) <= 255);
        assert_true(ua_utf8_valid(agent, strlen(agent)));
    }
}

/* INV-7: a session that cannot be read is a failure, not a missing one. */
static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *cookie = "untouched";
    apr_int64_t age = -1;
    ua_session_t *session = NULL;

    site_break(t, "session");
    assert_failure(ctx, ua_session_start(&cookie, &age, ctx, mike, 1), "session_insert");
    assert_string_equal(cookie, "untouched");
    assert_int_equal(age, -1);
    assert_failure(ctx, ua_session_read(&session, ctx, "a"), "session_by_digest");
    assert_null(session);
    assert_failure(ctx, ua_session_end(ctx, "a"), "session_owner");
    assert_failure(ctx, ua_session_touch(ctx, "a", t->now), "session_touch");
    assert_failure(ctx, ua_session_sweep(&(int){0}, ctx, t->now), "session_old");
}

/* The session of a locked account that can't be ended is not read, either. */
static void a_lock_that_cannot_be_written(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *cookie = NULL;
    apr_int64_t age = 0;
    ua_session_t *session = NULL;

    assert_int_equal(ua_session_start(&cookie, &age, ctx, mike, 0), APR_SUCCESS);
    ua_test_elsewhere(t, "UPDATE account SET enabled = 0");
    ua_test_elsewhere(t,
                      "CREATE TRIGGER kept BEFORE UPDATE ON session BEGIN SELECT RAISE(FAIL, "
                      "'kept'); END");
    assert_failure(ctx, ua_session_read(&session, ctx, cookie), "session_end_id");
    assert_null(session);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(started),
        site_test(held_as_a_digest),
        site_test(limits),
        site_test(an_idle_cookie_stays_ended),
        site_test(touched),
        site_test(ended),
        site_test(of_its_account),
        site_test(over_the_limit),
        site_test(the_new_one_lives),
        site_test(expired_ones_do_not_count),
        site_test(swept),
        site_test(long_agents),
        site_test(failures),
        site_test(a_lock_that_cannot_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
