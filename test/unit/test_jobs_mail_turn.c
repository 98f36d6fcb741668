/* test_jobs_mail_turn.c: one bad row holds up no other mail, and one silent server no other site. */
#include "fixture.h"
#include "db_faults.h"
#include "held_clock.h"

#include "app/jobs.h"

#define SECOND apr_time_from_sec(1)

static apr_int64_t in_state(ua_test_t *t, int state)
{
    return ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = %d", state);
}

/* alice's mail, first in line, is for whoever has this address; four more wait behind it, all claimed at once. */
static ua_test_t *begin(const char *address)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    ua_test_register(t, "alice");
    ua_test_sql(t, "UPDATE outbox SET kind = 'taken', email = '%s'", address);
    ua_test_clock(t, 1);
    for (int i = 0; i < 4; i++) {
        ua_test_register(t, apr_psprintf(t->pool, "person%d", i));
    }
    t->jobs->batch = 16;
    return t;
}

/* An address that is none any more is nobody's. */
static void an_address_that_is_none(void **state)
{
    ua_test_t *t = begin("postmaster");

    (void)state;
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(in_state(t, 1), 5);
    assert_int_equal(t->logs->nelts, 0);
    ua_test_close(t);
}

/* A row that meets an error is put off like one that failed; those behind it are free at once. */
static void a_row_that_meets_an_error(void **state)
{
    ua_test_t *t = begin("alice@example.org");

    (void)state;
    ua_test_expect(t, "UA0203: the outbox can't be read: account_by_email");
    faults_add((fault_t){
        .kinds = FAULT_SELECT, .skip = 3 + 5 + 1, .times = 2}); /* due, due, room, get, spent */
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    faults_off();
    assert_int_equal(in_state(t, 0), 5);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE lease <> ''"), 0);
    assert_int_equal(ua_test_count(t, "SELECT attempts FROM outbox WHERE kind = 'taken'"), 1);
    assert_int_equal(ua_test_count(t, "SELECT SUM(attempts) FROM outbox"), 1);
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(in_state(t, 1), 4);
    t->now = ua_test_count(t, "SELECT due FROM outbox WHERE state = 0");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(in_state(t, 1), 5);
    ua_test_close(t);
}

/* A mail that has left is marked so, be it at the second attempt: it does not leave again. */
static void a_mail_that_left_is_not_put_off(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_expect(t, "UA0203: the outbox can't be read: outbox_sent");
    faults_add((fault_t){.kinds = FAULT_WRITE,
                         .skip = 4,
                         .times = 2}); /* held, begun, claim, spent; sent, twice */
    assert_non_null(ua_test_mail(t));
    faults_off();
    assert_int_equal(in_state(t, 1), 1);
    ua_test_clock(t, 3600);
    assert_null(ua_test_mail(t));
    ua_test_close(t);
}

/* A mail given up beside an error is told of, once. */
static void a_mail_given_up_after_an_error(void **state)
{
    ua_test_t *t = begin("alice@example.org");

    (void)state;
    ua_test_sql(t, "UPDATE outbox SET expires = %" APR_TIME_T_FMT " WHERE kind = 'taken'",
                t->now + SECOND);
    ua_test_expect(t, "UA0203");
    faults_add((fault_t){.kinds = FAULT_SELECT, .skip = 3 + 5 + 1, .times = 2});
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    faults_off();
    assert_int_equal(in_state(t, 2), 1);
    assert_int_equal(ua_test_events(t, "mail_dropped"), 1);
    ua_test_close(t);
}

/* The first failure of the server ends the turn: who waits behind this site waits for one time-out. */
static void a_dead_server_is_tried_once_a_turn(void **state)
{
    ua_test_t *t = begin("alice@example.org");
    apr_time_t rest = 0;

    (void)state;
    t->conf->mail_kind = UA_MAIL_SMTP;
    t->conf->mail_tls_mode = UA_SMTP_PLAIN;
    t->conf->mail_target = "smtp://nowhere.invalid";
    ua_test_expect(t, "UA0201");
    for (int tries = 1; tries <= 4; tries++) {
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        assert_int_equal(ua_test_count(t, "SELECT SUM(attempts) FROM outbox"), tries);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE lease <> ''"), 0);
        rest = t->jobs->rest;
        assert_in_range(rest - t->now, SECOND, SECOND + SECOND / 4);
        assert_int_equal(ua_jobs_mail(t->jobs, rest - 1), 0);
        assert_int_equal(ua_test_count(t, "SELECT SUM(attempts) FROM outbox"), tries);
        t->now = rest;
    }
    t->conf->mail_kind = UA_MAIL_FOLDER;
    t->conf->mail_target = apr_pstrcat(t->pool, t->folder, "/mail", NULL);
    ua_test_clock(t, 2);
    while (ua_jobs_mail(t->jobs, t->now)) {
    }
    assert_int_equal(in_state(t, 1), 5);
    ua_test_close(t);
}

/* While one mail is tried at a time: a new one is next but one at most, however many are older, and so are these. */
static void a_new_mail_passes_the_failing_ones(void **state)
{
    ua_test_t *t = begin("alice@example.org");

    (void)state;
    ua_test_sql(t, "UPDATE outbox SET attempts = 5");
    ua_test_register(t, "bob");
    ua_test_register(t, "carol");
    t->jobs->batch = 1;
    t->conf->mail_target = apr_pstrcat(t->pool, t->folder, "/absent", NULL);
    ua_test_expect(t, "UA0201");
    for (int turn = 1; turn <= 4; turn++) {
        t->jobs->rest = 0;
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        assert_int_equal(ua_test_count(t, "SELECT SUM(attempts) FROM outbox WHERE username IN "
                                          "('bob', 'carol')"),
                         (turn + 1) / 2);
        assert_int_equal(ua_test_count(t, "SELECT SUM(attempts) FROM outbox"), 25 + turn);
    }
    ua_test_close(t);
}

/* However long it has been dead: a new mail waits 10 s at most; nor does a clock that is set back make it longer. */
static void a_site_rests_for_seconds(void **state)
{
    ua_test_t *t = begin("alice@example.org");

    (void)state;
    ua_test_sql(t, "UPDATE outbox SET attempts = 12");
    t->conf->mail_target = apr_pstrcat(t->pool, t->folder, "/absent", NULL);
    ua_test_expect(t, "UA0201");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(t->jobs->rest, t->now + 10 * SECOND);
    assert_int_equal(ua_jobs_mail(t->jobs, t->jobs->rest), 1);
    ua_test_sql(t, "UPDATE outbox SET due = 0");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1); /* 20 s before its end */
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_that_is_none),
        cmocka_unit_test(a_row_that_meets_an_error),
        cmocka_unit_test(a_mail_that_left_is_not_put_off),
        cmocka_unit_test(a_mail_given_up_after_an_error),
        cmocka_unit_test(a_dead_server_is_tried_once_a_turn),
        cmocka_unit_test(a_new_mail_passes_the_failing_ones),
        cmocka_unit_test(a_site_rests_for_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
