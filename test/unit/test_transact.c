/* test_transact.c: check and submit in one transaction, tried again, within the route's limit. A
 * database that fails is in test_transact_faults.c. */
#include "transact_script.h"

static void a_success_is_committed(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    assert_int_equal(play(t), 200);
    assert_int_equal(script.tries, 1);
    assert_done(t);
    ua_test_close(t);
}

/* DB-17: the second try draws the same values, and starts from nothing. */
static void a_failed_try_is_made_again(void **state)
{
    static const struct {
        apr_status_t first, second;
        int tries;
        const char *comment;
    } rows[] = {
        {APR_EGENERAL, APR_SUCCESS, 2, "the second one works"},
        {APR_EGENERAL, APR_EGENERAL, 3, "the third one works"},
        {APR_EEXIST, APR_SUCCESS, 2, "any status of the machine's"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = begin();

        print_message("%s\n", rows[i].comment);
        script.submit[0] = rows[i].first;
        script.submit[1] = rows[i].second;
        script.counts = 1;
        assert_int_equal(play(t), 200);
        assert_int_equal(script.checks, 1); /* hashed once */
        assert_int_equal(script.tries, rows[i].tries);
        assert_string_equal(script.drawn[0], script.drawn[rows[i].tries - 1]);
        assert_int_equal(ua_test_count(t, "SELECT hits FROM throttle"), 1);
        assert_done(t);
        ua_test_close(t);
    }
}

/* INV-7: three failures are an answer, and one line in the log. */
static void a_machine_that_stays_broken_is_said(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    script.submit[0] = script.submit[1] = script.submit[2] = APR_EGENERAL;
    ua_test_expect(t, "UA0101: /auth/probe was refused: scripted (");
    assert_int_equal(play(t), 503);
    assert_int_equal(script.tries, TRIES);
    assert_undone(t, UA_PROBLEM_STORAGE_UNAVAILABLE, 2);
    ua_test_close(t);
}

/* DB-01: who is busy is told so at once; three waits would take three times as long. */
static void busy_is_not_broken(void **state)
{
    static const apr_status_t statuses[] = {APR_TIMEUP, APR_EAGAIN, APR_ENOMEM};

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        ua_test_t *t = begin();

        script.submit[0] = statuses[i];
        ua_test_expect(t, "UA0101: /auth/probe was refused: scripted (");
        assert_int_equal(play(t), 503);
        assert_int_equal(script.tries, 1);
        assert_undone(t, UA_PROBLEM_BUSY, 5);
        ua_test_close(t);
    }
}

/* BF-13: no memory for a hash. */
static void a_check_that_fails_submits_nothing(void **state)
{
    static const struct {
        apr_status_t status;
        ua_problem_e problem;
        apr_int64_t retry_after;
    } rows[] = {
        {APR_EGENERAL, UA_PROBLEM_STORAGE_UNAVAILABLE, 2},
        {APR_ENOMEM, UA_PROBLEM_BUSY, 5},
        {APR_EAGAIN, UA_PROBLEM_BUSY, 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = begin();

        script.check = rows[i].status;
        ua_test_expect(t, "UA0101: /auth/probe was refused");
        assert_int_equal(play(t), 503);
        assert_int_equal(script.tries, 0);
        assert_undone(t, rows[i].problem, rows[i].retry_after);
        ua_test_close(t);
    }
}

static void a_check_that_refuses_submits_nothing(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    script.refuses = UA_PROBLEM_ACCOUNT_LOCKED;
    assert_int_equal(play(t), 429);
    assert_int_equal(script.tries, 0);
    assert_int_equal(happened(t), 0);
    ua_test_close(t);
}

/* INV-5: who signed everybody out while a thief's request waited for its hash is not robbed afterwards. */
static void an_ended_session_submits_nothing(void **state)
{
    static const ua_route_t personal = {
        .path = "probe", .access = UA_ACCESS_USER, .check = check, .submit = submit};

    ua_session_t session = {0};

    (void)state;
    for (int ends = 0; ends < 2; ends++) {
        ua_test_t *t = begin();

        ua_test_member(t, "alice");
        ua_test_login(t, "alice");
        session.id = ua_test_scalar(t, "SELECT id FROM session");
        prepare(t);
        t->req->route = &personal;
        t->req->session = &session;
        t->req->wants_json = 1;
        script.ends = ends ? t : NULL;
        ua_transact(t->app, t->req, t->res);
        ua_db_release(t->req->ctx);
        assert_int_equal(t->res->status, ends ? 401 : 200);
        assert_int_equal(t->res->problem, ends ? UA_PROBLEM_LOGIN_REQUIRED : UA_PROBLEM_NONE);
        assert_int_equal(apr_table_get(t->res->headers, "WWW-Authenticate") != NULL, ends);
        assert_int_equal(script.tries, ends ? 0 : 1);
        assert_int_equal(happened(t), ends ? 0 : 1);
        ua_test_close(t);
    }
}

static void over_the_limit_nothing_is_tried(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    script.counts = 1;
    assert_int_equal(play(t), 200);
    assert_int_equal(play(t), 429);
    assert_int_equal(script.checks, 0); /* no hash either */
    assert_int_equal(t->res->problem, UA_PROBLEM_RATE_LIMITED);
    assert_int_equal(t->res->retry_after, 3600);
    assert_string_equal(t->res->detail, "Please try again in 1 hour.");
    ua_test_clock(t, 3599);
    assert_int_equal(play(t), 429);
    assert_int_equal(t->res->retry_after, 1);
    ua_test_clock(t, 1);
    assert_int_equal(play(t), 200);
    ua_test_close(t);
}

static void what_does_not_count_is_not_limited(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    assert_int_equal(play(t), 200);
    assert_int_equal(play(t), 200);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM throttle"), 0);
    ua_test_close(t);
}

/* Many at once all see room for one more; what came too late may not stand. */
static void a_success_over_the_limit_is_undone(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    script.counts = script.fills = 1;
    assert_int_equal(play(t), 429);
    assert_int_equal(script.tries, 1);
    assert_int_equal(t->res->problem, UA_PROBLEM_RATE_LIMITED);
    assert_int_equal(t->res->retry_after, 3600);
    assert_int_equal(t->res->cookies->nelts, 0);
    assert_int_equal(happened(t), 0);
    assert_int_equal(t->events->nelts, 0);
    assert_int_equal(ua_test_count(t, "SELECT hits FROM throttle"), 1);
    ua_test_close(t);
}

static void a_refusal_over_the_limit_stands(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    script.counts = script.fills = 1;
    script.problem = UA_PROBLEM_EMAIL_IN_USE;
    assert_int_equal(play(t), 409);
    assert_int_equal(t->res->problem, UA_PROBLEM_EMAIL_IN_USE);
    assert_int_equal(happened(t), 1);
    assert_int_equal(ua_test_events(t, "\"event\":\"probe\""), 1);
    ua_test_close(t);
}

/* The line is written when the row is there for everybody, not before. */
static void note_when(void *baton, const char *line)
{
    ua_test_t *t = baton;

    APR_ARRAY_PUSH(t->events, const char *) = apr_pstrdup(t->pool, line);
    assert_int_equal(happened(t), 1);
}

static void lines_come_after_the_commit(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    t->app->host.event = note_when;
    script.submit[0] = APR_EGENERAL;
    assert_int_equal(play(t), 200);
    assert_done(t);
    assert_true(strstr(APR_ARRAY_IDX(t->events, 0, const char *), t->req->ctx->id) != NULL);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_success_is_committed),
        cmocka_unit_test(a_failed_try_is_made_again),
        cmocka_unit_test(a_machine_that_stays_broken_is_said),
        cmocka_unit_test(busy_is_not_broken),
        cmocka_unit_test(a_check_that_fails_submits_nothing),
        cmocka_unit_test(a_check_that_refuses_submits_nothing),
        cmocka_unit_test(an_ended_session_submits_nothing),
        cmocka_unit_test(over_the_limit_nothing_is_tried),
        cmocka_unit_test(what_does_not_count_is_not_limited),
        cmocka_unit_test(a_success_over_the_limit_is_undone),
        cmocka_unit_test(a_refusal_over_the_limit_stands),
        cmocka_unit_test(lines_come_after_the_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
