/* test_jobs_smtp.c: the mail job and a real mail server, test/http/bad_smtp.py.
 *
 * Run from the top of the tree (smtp_servers.h). */
#include "fixture.h"
#include "bad_smtp.h"

#include "app/jobs.h"

#include <pthread.h>

#define MAILS 12

/* A site that sends to the server; so many people registered. */
static ua_test_t *begin(int people)
{
    ua_test_t *t = ua_test_open(
        apr_pstrcat(whole, "UserAuthMail smtp://", bad.address, " a@example.com", NULL),
        "UserAuthMailLimit off", "UserAuthVerifyLifetime 1h", NULL);

    server_mode_set(whole, control, "ok");
    for (int i = 0; i < people; i++) {
        ua_test_register(t, apr_psprintf(t->pool, "alice%d", i));
    }
    return t;
}

static apr_int64_t in_state(ua_test_t *t, int state)
{
    return ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = %d", state);
}

static size_t kept(void)
{
    return server_kept(whole, &bad);
}

static void mails_arrive(void **state)
{
    ua_test_t *t = begin(2);
    size_t before = kept();

    (void)state;
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(kept(), before + 2);
    assert_int_equal(in_state(t, 1), 2);
    assert_int_equal(t->logs->nelts, 0);
    ua_test_close(t);
}

typedef struct child_t {
    pthread_t thread;
    pthread_barrier_t *barrier;
    ua_jobs_t *jobs;
    apr_time_t now;
} child_t;

static void *send_all(void *data)
{
    child_t *child = data;

    pthread_barrier_wait(child->barrier);
    while (ua_jobs_mail(child->jobs, child->now)) {
    }
    return NULL;
}

static void *send_once(void *data)
{
    child_t *child = data;

    (void)ua_jobs_mail(child->jobs, child->now);
    return NULL;
}

/* RACE, MAIL-09: several children at once; each mail goes once. */
static void two_children_never_send_one_row_twice(void **state)
{
    ua_test_t *t = begin(MAILS);
    size_t before = kept();
    pthread_barrier_t barrier;
    child_t children[3];

    (void)state;
    pthread_barrier_init(&barrier, NULL, 3);
    for (int i = 0; i < 3; i++) {
        children[i] = (child_t){.barrier = &barrier, .jobs = t->jobs, .now = t->now};
        if (i > 0) {
            assert_int_equal(ua_jobs_create(&children[i].jobs, t->site, t->app), APR_SUCCESS);
        }
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&children[i].thread, NULL, send_all, &children[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(children[i].thread, NULL);
    }
    pthread_barrier_destroy(&barrier);
    assert_int_equal(in_state(t, 1), MAILS);
    assert_int_equal(ua_test_count(t, "SELECT SUM(attempts) FROM outbox"), MAILS);
    assert_int_equal(kept(), before + MAILS);
    ua_test_close(t);
}

/* MAIL-05: later is later. */
static void a_temporary_refusal(void **state)
{
    static const char *const modes[] = {"banner-421", "rcpt-421", "end-451", "drop-mail"};

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ua_test_t *t = begin(1);
        size_t before = kept();

        print_message("%s\n", modes[i]);
        server_mode_set(whole, control, modes[i]);
        ua_test_expect(t, "UA0201");
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        assert_int_equal(in_state(t, 0), 1);
        assert_int_equal(kept(), before);
        server_mode_set(whole, control, "ok");
        t->now = ua_test_count(t, "SELECT due FROM outbox");
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        assert_int_equal(in_state(t, 1), 1);
        assert_int_equal(kept(), before + 1);
        assert_int_equal(ua_test_logged(t, "UA0202"), 1);
        ua_test_close(t);
    }
}

/* An address that the server refuses for good is that person's matter: the others' mail goes on, and the
 * log does not say by turns that mail fails and works. */
static void a_refused_recipient(void **state)
{
    ua_test_t *t = begin(1);

    (void)state;
    server_mode_set(whole, control, "rcpt-550");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    ua_test_register(t, "carol");
    server_mode_set(whole, control, "rcpt-450"); /* greylisted */
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(in_state(t, 0), 2);
    assert_int_equal(ua_test_logged(t, "UA0205"), 2);
    server_mode_set(whole, control, "ok");
    assert_int_equal(ua_test_logged(t, "UA0201"), 0);
    ua_test_header(t, "Accept", "application/json");
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    assert_value(t, "mail", "ok"); /* ENUM-06: nothing about one recipient */
    assert_int_equal(t->jobs->rest, 0);
    ua_test_register(t, "bob");
    t->now += 1;
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(ua_test_count(t, "SELECT state FROM outbox WHERE username = 'bob'"), 1);
    assert_int_equal(ua_test_logged(t, "UA0202"), 0);
    assert_int_equal(t->cause, 0);
    ua_test_close(t);
}

/* A refused recipient does not end the turn, as a server that fails does. */
static void the_others_are_sent(void **state)
{
    ua_test_t *t = begin(3);

    (void)state;
    server_mode_set(whole, control, "rcpt-550");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(ua_test_count(t, "SELECT MIN(attempts) FROM outbox"), 1);
    assert_int_equal(ua_test_logged(t, "UA0205"), 3);
    server_mode_set(whole, control, "ok");
    ua_test_clock(t, 2);
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(in_state(t, 1), 3);
    ua_test_close(t);
}

static const char *health(ua_test_t *t)
{
    ua_test_header(t, "Accept", "application/json");
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    return ua_test_value(t, "mail");
}

/* A server that takes nobody's mail is seen, however it says so; until it has taken one. */
static void everybody_is_refused(void **state)
{
    static const char *const modes[] = {"rcpt-554", "rcpt-452", "end-550"};

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ua_test_t *t = begin(UA_MANY_REFUSED - 1);
        size_t before = kept();

        print_message("%s\n", modes[i]);
        server_mode_set(whole, control, modes[i]);
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        t->now += apr_time_from_sec(2);
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1); /* again: that is no other mail */
        assert_string_equal(health(t), "ok");
        ua_test_expect(t, "UA0201");
        ua_test_register(t, "bob");
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        assert_string_equal(health(t), "delayed");
        assert_int_equal(ua_test_logged(t, "UA0201"), 1);
        server_mode_set(whole, control, "ok");
        t->now = ua_test_count(t, "SELECT MAX(due) FROM outbox");
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        assert_string_equal(health(t), "ok");
        assert_int_equal(in_state(t, 1), UA_MANY_REFUSED);
        assert_int_equal(kept(), before + UA_MANY_REFUSED);
        assert_int_equal(ua_test_logged(t, "UA0202"), 1);
        ua_test_close(t);
    }
}

/* ENUM-06: what goes to an unknown address fares like a mail, and reaches nobody. */
static void a_mail_to_nobody_fares_alike(void **state)
{
    ua_test_t *t = begin(0);
    size_t before = kept();

    (void)state;
    assert_status(t, ua_test_submit(t, "/auth/forgot", "email", "nobody@example.org", NULL),
                  303);
    server_mode_set(whole, control, "mail-451");
    ua_test_expect(t, "UA0201");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(in_state(t, 0), 1);
    assert_int_equal(ua_test_count(t, "SELECT attempts FROM outbox"), 1);
    assert_int_not_equal(t->cause, 0);
    server_mode_set(whole, control, "ok");
    t->now = ua_test_count(t, "SELECT due FROM outbox WHERE state = 0");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(in_state(t, 1), 1);
    assert_int_equal(ua_test_logged(t, "UA0202"), 1);
    assert_int_equal(kept(), before);
    ua_test_close(t);
}

/* MAIL-07: delivered, but the answer got lost: sent again, with the same links. */
static void a_lost_answer_is_sent_again(void **state)
{
    ua_test_t *t = begin(1);
    size_t before = kept();

    (void)state;
    server_mode_set(whole, control, "drop-end");
    ua_test_expect(t, "UA0201");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(in_state(t, 0), 1);
    server_mode_set(whole, control, "ok");
    t->now = ua_test_count(t, "SELECT due FROM outbox");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(in_state(t, 1), 1);
    assert_int_equal(kept(), before + 2);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token"), 2);
    ua_test_close(t);
}

/* A thread that waits for a silent server with one claimed mail. */
static void begin_to_send(ua_test_t *t, child_t *child)
{
    *child = (child_t){.jobs = t->jobs, .now = t->now};
    server_mode_set(whole, control, "stall-banner");
    assert_int_equal(pthread_create(&child->thread, NULL, send_once, child), 0);
    while (ua_test_count(t, "SELECT lease_until FROM outbox") == 0) {
        apr_sleep(1000); /* until it is claimed */
    }
}

/* Design 8: while a slow server is waited for, nobody needs to wait for the database; and a child that
 * ends gives the mail up without a mark. */
static void a_silent_server(void **state)
{
    ua_test_t *t = begin(1);
    child_t child;

    (void)state;
    begin_to_send(t, &child);
    ua_test_register(t, "bob");
    assert_status(t, ua_test_get(t, "/auth/check-email"), 200);
    ua_jobs_stop(t->jobs);
    pthread_join(child.thread, NULL);
    assert_int_equal(in_state(t, 0), 2);
    assert_int_equal(ua_test_count(t, "SELECT SUM(attempts) FROM outbox"), 0);
    assert_int_equal(t->logs->nelts, 0);
    ua_test_close(t);
}

/* Whose mail another child has taken lets go of it, and blames nobody. */
static void a_taken_mail_is_let_go(void **state)
{
    ua_test_t *t = begin(1);
    child_t child;

    (void)state;
    begin_to_send(t, &child);
    ua_test_sql(t, "UPDATE outbox SET lease = 'rival'");
    pthread_join(child.thread, NULL); /* by itself, long before the server's 30 s */
    assert_string_equal(ua_test_scalar(t, "SELECT lease FROM outbox"), "rival");
    assert_int_equal(in_state(t, 0), 1);
    assert_int_equal(t->cause, 0);
    assert_int_equal(t->logs->nelts, 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mails_arrive),
        cmocka_unit_test(two_children_never_send_one_row_twice),
        cmocka_unit_test(a_temporary_refusal),
        cmocka_unit_test(a_refused_recipient),
        cmocka_unit_test(the_others_are_sent),
        cmocka_unit_test(everybody_is_refused),
        cmocka_unit_test(a_mail_to_nobody_fares_alike),
        cmocka_unit_test(a_lost_answer_is_sent_again),
        cmocka_unit_test(a_silent_server),
        cmocka_unit_test(a_taken_mail_is_let_go),
    };

    return cmocka_run_group_tests(tests, server_start, server_end);
}
