/* test_touch.c: when a session was last used, written beside the requests. */
#include "fixture.h"

#define MOST 1024 /* sessions noted at once */

/* A session as a request has read it. */
static ua_session_t session_of(const char *id, apr_time_t last_used)
{
    ua_session_t session = {.id = id, .last_used = last_used, .idle = apr_time_from_sec(3600)};

    return session;
}

static void flush(ua_test_t *t)
{
    ua_ctx_t *ctx = ua_test_context(t);

    ua_touch_flush(t->app->touches, ctx);
    ua_db_release(ctx);
}

static apr_time_t last_used(ua_test_t *t, const char *id)
{
    return ua_test_count(t, "SELECT last_used FROM session WHERE id = '%s'", id);
}

/* A row that nothing but its last use matters of. */
static void add_session(ua_test_t *t, const char *id, apr_time_t used, apr_time_t ended)
{
    ua_test_sql(t,
                "INSERT INTO session (id, digest, account_id, site, created, last_used, idle, "
                "expires, auth_time, amr, address, agent, ended) SELECT '%s', '%s', id, '', 0, "
                "%" APR_TIME_T_FMT ", 0, 0, 0, '', '', '', %" APR_TIME_T_FMT " FROM account",
                id, id, used, ended);
}

static ua_test_t *begin(void)
{
    ua_test_t *t = ua_test_open(NULL);

    ua_test_register(t, "alice");
    return t;
}

/* A session that ends after few seconds without use has to be noted sooner, and not at every request. */
static void a_short_idle_time(void **state)
{
    ua_test_t *t = begin();
    ua_session_t session = session_of("short", t->now - apr_time_from_sec(1));

    (void)state;
    add_session(t, "short", session.last_used, 0);
    session.idle = apr_time_from_sec(4);
    ua_touch_note(t->app->touches, &session, t->now - 1);
    flush(t);
    assert_int_equal(last_used(t, "short"), t->now - apr_time_from_sec(1));
    ua_touch_note(t->app->touches, &session, t->now);
    flush(t);
    assert_int_equal(last_used(t, "short"), t->now);
    ua_test_close(t);
}

/* Design 10: at most once a minute, off the request. */
static void a_use_is_written_once_a_minute(void **state)
{
    static const struct {
        apr_interval_time_t since; /* the last written use */
        int written;
    } rows[] = {
        {0, 0},
        {apr_time_from_sec(60) - 1, 0},
        {apr_time_from_sec(60), 1},
        {apr_time_from_sec(3000), 1},
        {-apr_time_from_sec(3000), 0}, /* CLK-01: a clock that went back */
    };

    ua_test_t *t = begin();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *id = apr_psprintf(t->pool, "row%d", (int)i);
        apr_time_t before = t->now - rows[i].since;
        ua_session_t session = session_of(id, before);

        add_session(t, id, before, 0);
        ua_touch_note(t->app->touches, &session, t->now);
        assert_int_equal(last_used(t, id), before); /* the request itself writes nothing */
        flush(t);
        assert_int_equal(last_used(t, id), rows[i].written ? t->now : before);
    }
    ua_test_close(t);
}

static void the_latest_use_counts(void **state)
{
    ua_test_t *t = begin();
    ua_session_t session = session_of("one", t->now - apr_time_from_sec(600));

    (void)state;
    add_session(t, "one", session.last_used, 0);
    for (int i = 0; i < 3; i++) {
        ua_touch_note(t->app->touches, &session, t->now + i);
    }
    flush(t);
    assert_int_equal(last_used(t, "one"), t->now + 2);
    ua_test_sql(t, "UPDATE session SET last_used = 1");
    flush(t); /* taken once */
    assert_int_equal(last_used(t, "one"), 1);
    ua_test_close(t);
}

/* Another process may have written a later use; an ended session is not revived. */
static void nothing_goes_back(void **state)
{
    ua_test_t *t = begin();
    ua_session_t later = session_of("later", t->now - apr_time_from_sec(600));
    ua_session_t ended = session_of("ended", t->now - apr_time_from_sec(600));
    ua_session_t gone = session_of("gone", 0);

    (void)state;
    add_session(t, "later", t->now + 5, 0);
    add_session(t, "ended", 7, 8);
    ua_touch_note(t->app->touches, &later, t->now);
    ua_touch_note(t->app->touches, &ended, t->now);
    ua_touch_note(t->app->touches, &gone, t->now);
    flush(t);
    assert_int_equal(last_used(t, "later"), t->now + 5);
    assert_int_equal(last_used(t, "ended"), 7);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 2);
    ua_test_close(t);
}

/* Over the bound a session is left out, not written over another's note. */
static void the_list_is_bounded(void **state)
{
    ua_test_t *t = begin();
    ua_session_t first = session_of("first", 0);
    ua_session_t last = session_of("last", 0);

    (void)state;
    add_session(t, "first", 0, 0);
    add_session(t, "last", 0, 0);
    add_session(t, "other1023", 0, 0);
    ua_touch_note(t->app->touches, &first, t->now);
    for (int i = 1; i < MOST; i++) {
        ua_session_t other = session_of(apr_psprintf(t->pool, "other%d", i), 0);

        ua_touch_note(t->app->touches, &other, t->now);
    }
    ua_touch_note(t->app->touches, &last, t->now);
    ua_touch_note(t->app->touches, &first, t->now + 1);
    flush(t);
    assert_int_equal(last_used(t, "first"), t->now + 1);
    assert_int_equal(last_used(t, "other1023"), t->now); /* the last that fits */
    assert_int_equal(last_used(t, "last"), 0);
    ua_touch_note(t->app->touches, &last, t->now); /* its next request notes it again */
    flush(t);
    assert_int_equal(last_used(t, "last"), t->now);
    ua_test_close(t);
}

/* A whole UUID fits, and only what is longer than one could be is cut. */
static void an_id_is_kept_whole(void **state)
{
    static const char id[] = "01234567-89ab-4cde-8f01-23456789abcd";
    ua_test_t *t = begin();
    ua_session_t session = session_of(id, 0);

    (void)state;
    assert_int_equal(strlen(id), UA_UUID_TEXT);
    add_session(t, id, 0, 0);
    ua_touch_note(t->app->touches, &session, t->now);
    flush(t);
    assert_int_equal(last_used(t, id), t->now);
    ua_test_close(t);
}

/* SESS: a person at work stays signed in: the job writes what requests noted. */
static void a_session_in_use_does_not_end(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    for (int minutes = 0; minutes < 150; minutes += 50) { /* idle ends after 60 */
        ua_test_clock(t, (apr_int64_t)50 * 60);
        assert_status(t, ua_test_get(t, "/dashboard"), 200);
        ua_jobs_sweep(t->jobs, t->now);
    }
    ua_test_clock(t, (apr_int64_t)60 * 60);
    assert_status(t, ua_test_get(t, "/dashboard"), 303);
    ua_test_close(t);
}

/* CLK-01: nor after a clock was set back by more than that: the job goes on by the new one. */
static void a_session_in_use_after_a_clock_went_back(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_jobs_sweep(t->jobs, t->now);
    ua_test_clock(t, -(apr_int64_t)25 * 3600);
    ua_test_login(t, "alice");
    for (int minutes = 0; minutes < 150; minutes += 50) {
        ua_test_clock(t, (apr_int64_t)50 * 60);
        assert_status(t, ua_test_get(t, "/dashboard"), 200);
        ua_jobs_sweep(t->jobs, t->now);
    }
    ua_test_close(t);
}

static void a_broken_database_costs_the_note_only(void **state)
{
    ua_test_t *t = begin();
    ua_session_t session = session_of("one", 0);

    (void)state;
    add_session(t, "one", 0, 0);
    ua_touch_note(t->app->touches, &session, t->now);
    ua_test_sql(t, "ALTER TABLE session RENAME TO gone");
    flush(t);
    ua_test_sql(t, "ALTER TABLE gone RENAME TO session");
    ua_touch_note(t->app->touches, &session, t->now);
    flush(t);
    assert_int_equal(last_used(t, "one"), t->now);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_use_is_written_once_a_minute),
        cmocka_unit_test(a_short_idle_time),
        cmocka_unit_test(the_latest_use_counts),
        cmocka_unit_test(nothing_goes_back),
        cmocka_unit_test(the_list_is_bounded),
        cmocka_unit_test(an_id_is_kept_whole),
        cmocka_unit_test(a_session_in_use_does_not_end),
        cmocka_unit_test(a_session_in_use_after_a_clock_went_back),
        cmocka_unit_test(a_broken_database_costs_the_note_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
