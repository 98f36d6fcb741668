/* test_jobs_mail.c: mails leave, are tried again, are given up, and what is logged of it.
 *
 * A mail server that nobody runs stands for one that fails, a folder for one that works; test_jobs_smtp.c has a real one.
 */
#include "fixture.h"
#include "held_clock.h"

#include "app/jobs.h"

#include <apr_network_io.h>

#define SECOND  apr_time_from_sec(1)
#define LONGEST apr_time_from_sec(300)

/* smtp://127.0.0.1:<port> where nobody listens: bound once, so that it was free, and closed. */
static const char *dead_server(ua_test_t *t)
{
    apr_sockaddr_t *address = NULL;
    apr_socket_t *socket = NULL;

    assert_int_equal(apr_sockaddr_info_get(&address, "127.0.0.1", APR_INET, 0, 0, t->pool),
                     APR_SUCCESS);
    assert_int_equal(apr_socket_create(&socket, APR_INET, SOCK_STREAM, APR_PROTO_TCP, t->pool),
                     APR_SUCCESS);
    assert_int_equal(apr_socket_bind(socket, address), APR_SUCCESS);
    assert_int_equal(apr_socket_addr_get(&address, APR_LOCAL, socket), APR_SUCCESS);
    assert_int_equal(apr_socket_close(socket), APR_SUCCESS);
    return apr_psprintf(t->pool, "smtp://127.0.0.1:%d", (int)address->port);
}

static void use_server(ua_test_t *t, const char *url)
{
    t->conf->mail_kind = UA_MAIL_SMTP;
    t->conf->mail_tls_mode = UA_SMTP_PLAIN;
    t->conf->mail_target = url;
}

static void use_folder(ua_test_t *t, const char *name)
{
    t->conf->mail_kind = UA_MAIL_FOLDER;
    t->conf->mail_target = apr_pstrcat(t->pool, t->folder, "/", name, NULL);
}

static apr_int64_t of_mail(ua_test_t *t, const char *column)
{
    return ua_test_count(t, "SELECT %s FROM outbox", column);
}

/* MAIL-03: 1 s, 2 s, 4 s … 5 min, each up to a quarter longer, until the link ends; then an event. */
static void a_failing_mail_is_tried_until_its_link_ends(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthVerifyLifetime 20m", NULL);
    apr_interval_time_t delay = SECOND;
    apr_time_t end = t->now + 20 * 60 * SECOND;
    int tries = 0;

    (void)state;
    use_server(t, dead_server(t));
    ua_test_expect(t, "UA0201: mail can't be sent and will be tried again: ");
    ua_test_register(t, "alice");
    while (of_mail(t, "state") == 0) {
        apr_interval_time_t wait = 0;

        assert_int_equal(of_mail(t, "attempts"), tries);
        assert_int_equal(ua_jobs_mail(t->jobs, t->now - 1), 0);
        assert_int_equal(of_mail(t, "attempts"), tries); /* not before it is due */
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        tries++;
        if (of_mail(t, "state") != 0) {
            break;
        }
        wait = of_mail(t, "due") - t->now;
        assert_in_range(wait, delay, delay + delay / 4);
        t->now = of_mail(t, "due");
        delay = 2 * delay < LONGEST ? 2 * delay : LONGEST;
    }
    assert_in_range(tries, 9, 13);
    assert_true(t->now <= end);
    assert_true(t->now + LONGEST + LONGEST / 4 >= end); /* not given up early */
    assert_int_equal(of_mail(t, "state"), 2);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event WHERE kind = 'mail_dropped' "
                                      "AND detail = 'verify' AND account_id = (SELECT id FROM "
                                      "account)"),
                     1);
    assert_int_equal(ua_test_events(t, "\"event\":\"mail_dropped\""), 1); /* INV-10 */
    ua_test_clock(t, 7200);
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 0);
    ua_test_close(t);
}

/* Many that failed together do not come again together. */
static void tries_are_spread(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    apr_int64_t spread = 0;

    (void)state;
    use_server(t, dead_server(t));
    ua_test_expect(t, "UA0201");
    for (int i = 0; i < 8; i++) {
        ua_test_register(t, apr_psprintf(t->pool, "alice%d", i));
    }
    ua_test_sql(t, "UPDATE outbox SET attempts = 12");
    for (int i = 0; i < 8; i++) {
        t->jobs->rest = 0;
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    }
    assert_int_equal(ua_test_count(t, "SELECT MIN(attempts) FROM outbox"), 13);
    spread = ua_test_count(t, "SELECT MAX(due) - MIN(due) FROM outbox");
    assert_true(spread > 5 * SECOND); /* of 75; alike by chance once in 10^8 */
    ua_test_close(t);
}

/* One line for a cause, another for the next cause, one when all is well again. */
static void a_cause_is_logged_once(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);
    const char *dead = dead_server(t);

    (void)state;
    ua_test_register(t, "alice");
    use_server(t, dead);
    ua_test_expect(t, "UA0201: mail can't be sent and will be tried again: ");
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        t->now = of_mail(t, "due");
    }
    assert_int_equal(ua_test_logged(t, "UA0201"), 1);
    assert_int_equal(ua_test_logged(t, "alice"), 0); /* PRIV-03 */
    use_folder(t, "none");
    ua_test_expect(t, "/none: ");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        t->now = of_mail(t, "due");
    }
    assert_int_equal(ua_test_logged(t, "UA0201"), 2);
    use_server(t, dead); /* the first one again is news again */
    ua_test_expect(t, "UA0201");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    t->now = of_mail(t, "due");
    use_folder(t, "mail");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(ua_test_logged(t, "5 UA0202: mail is sent again"), 1);
    ua_test_register(t, "bob");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    assert_int_equal(ua_test_logged(t, "UA0202"), 1);
    ua_test_close(t);
}

/* The word about the cause is shared: another child that meets the same one says nothing. */
static void children_share_the_cause(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);
    ua_jobs_t *other = NULL;

    (void)state;
    assert_int_equal(ua_jobs_create(&other, t->site, t->app), APR_SUCCESS);
    use_server(t, dead_server(t));
    ua_test_expect(t, "UA0201");
    ua_test_register(t, "alice");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
    t->now = of_mail(t, "due");
    assert_int_equal(ua_jobs_mail(other, t->now), 1);
    t->now = of_mail(t, "due");
    use_folder(t, "mail");
    assert_int_equal(ua_jobs_mail(other, t->now), 1);
    assert_int_equal(ua_test_logged(t, "UA02"), 2);
    ua_test_close(t);
}

static void a_sent_mail_is_done(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 0);
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    assert_int_equal(of_mail(t, "state"), 1);
    assert_int_equal(of_mail(t, "attempts"), 1);
    assert_int_equal(of_mail(t, "sent"), t->now);
    assert_string_equal(ua_test_scalar(t, "SELECT lease FROM outbox"), "");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 0);
    ua_test_clock(t, 3600);
    assert_null(ua_test_mail(t));
    assert_int_equal(t->logs->nelts, 0); /* nothing to say */
    ua_test_close(t);
}

/* MAIL-11: what expired while nobody sent is not sent any more, and holds nobody up. */
static void an_expired_mail_is_given_up(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", "UserAuthVerifyLifetime 1h", NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_clock(t, 3600);
    ua_test_register(t, "bob");
    assert_non_null(ua_test_mail(t));
    assert_non_null(strstr(t->mail, "To: bob@example.org\r\n"));
    assert_int_equal(ua_test_count(t, "SELECT state FROM outbox WHERE username = 'alice'"), 2);
    assert_int_equal(ua_test_count(t, "SELECT state FROM outbox WHERE username = 'bob'"), 1);
    assert_int_equal(ua_test_events(t, "\"event\":\"mail_dropped\""), 1);
    assert_int_equal(ua_test_logged(t, "will be tried again"), 0); /* it will not */
    ua_test_close(t);
}

/* A rival that takes the row while its mail is on the way: called from the log, which is written
 * between sending and marking. */
static void steal(void *baton, ua_level_e level, const char *line)
{
    ua_test_t *t = baton;

    (void)line;
    assert_true(level <= UA_LOG_NOTICE);
    ua_test_sql(t, "UPDATE outbox SET lease = 'rival', lease_until = %" APR_TIME_T_FMT,
                t->now + apr_time_from_sec(3));
}

static void say_nothing(void *baton, ua_level_e level, const char *line)
{
    (void)baton;
    (void)level;
    (void)line;
}

/* MAIL-09: whose lease is lost marks nothing; the new holder decides. */
static void a_lost_lease_marks_nothing(void **state)
{
    enum { FAILS, WORKS, EXPIRED };

    (void)state;
    for (int outcome = FAILS; outcome <= EXPIRED; outcome++) {
        ua_test_t *t = ua_test_open(NULL);

        ua_test_register(t, "alice");
        t->app->host.log = steal;
        if (outcome == WORKS) {
            t->cause = 1; /* so that it is said: mail is sent again */
        }
        else {
            use_server(t, dead_server(t));
        }
        if (outcome == EXPIRED) {
            ua_test_sql(t, "UPDATE outbox SET expires = %" APR_TIME_T_FMT, t->now + 1);
        }
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        assert_string_equal(ua_test_scalar(t, "SELECT lease FROM outbox"), "rival");
        assert_int_equal(of_mail(t, "state"), 0);
        assert_int_equal(of_mail(t, "attempts"), 0);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event WHERE kind = "
                                          "'mail_dropped'"),
                         0);
        assert_int_equal(ua_test_events(t, "mail_dropped"), 0);
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 0); /* leased */
        t->app->host.log = say_nothing;
        use_folder(t, "mail");
        ua_test_clock(t, 3); /* the rival was killed: its lease ends */
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 1);
        assert_int_equal(of_mail(t, "state"), outcome == EXPIRED ? 2 : 1);
        ua_test_close(t);
    }
}

/* Design 8: a job takes its own site's rows only: it could not make the other's links. */
static void another_sites_mail_is_left_alone(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_sql(t, "UPDATE outbox SET site = 'https://other.example'");
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 0);
    assert_int_equal(of_mail(t, "state"), 0);
    ua_test_close(t);
}

/* An outbox that cannot be read is said once a minute, and tried again in each turn. */
static void a_broken_outbox(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_sql(t, "ALTER TABLE outbox RENAME TO gone");
    for (int i = 0; i < 3; i++) {
        ua_test_expect(t, "UA0203: the outbox can't be read: outbox_due");
    }
    for (int second = 0; second < 61; second++) {
        assert_int_equal(ua_jobs_mail(t->jobs, t->now), 0);
        ua_test_clock(t, 1);
    }
    assert_int_equal(ua_test_logged(t, "UA0203"), 2);
    ua_test_clock(t, -10); /* the clock was set back */
    assert_int_equal(ua_jobs_mail(t->jobs, t->now), 0);
    assert_int_equal(ua_test_logged(t, "UA0203"), 3);
    ua_test_sql(t, "ALTER TABLE gone RENAME TO outbox");
    assert_non_null(ua_test_mail(t));
    ua_test_close(t);
}

/* A stopped child begins no mail, and loses none. */
static void a_stopped_job_sends_nothing(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_jobs_t *other = NULL;

    (void)state;
    assert_int_equal(ua_jobs_create(&other, t->site, t->app), APR_SUCCESS);
    ua_test_register(t, "alice");
    ua_jobs_stop(other);
    (void)ua_jobs_mail(other, t->now);
    assert_int_equal(of_mail(t, "state"), 0);
    assert_int_equal(of_mail(t, "attempts"), 0);
    assert_non_null(ua_test_mail(t));
    ua_test_close(t);
}

/* The mail of a registration, so many times. */
static void many(ua_test_t *t, int count)
{
    ua_test_register(t, "alice");
    ua_test_sql(
        t,
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "INSERT INTO outbox (id, site, account_id, kind, email, username, token_id, disown_id, "
        "detail, state, attempts, due, lease, lease_until, created, expires, sent) SELECT "
        "substr(o.id, 1, 32) || 'x' || n.i, o.site, o.account_id, "
        "o.kind, o.email, o.username, o.token_id, o.disown_id, o.detail, o.state, "
        "o.attempts, o.due, o.lease, o.lease_until, o.created, o.expires, o.sent "
        "FROM outbox o, n",
        98 + count);
}

static ua_jobs_t *to_stop;

/* As if the child began to end while its first mail is on the way. */
static void stop(void *baton, ua_level_e level, const char *line)
{
    (void)baton;
    (void)level;
    (void)line;
    ua_jobs_stop(to_stop);
}

/* Several are claimed at once while that goes fast; each is sent once. */
static void many_mails(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    int turns = 0;

    (void)state;
    many(t, 40);
    for (; ua_jobs_mail(t->jobs, t->now); turns++) {
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = 1"), 40);
    assert_int_equal(ua_test_count(t, "SELECT SUM(attempts) FROM outbox"), 40);
    assert_in_range(turns, 2, 3); /* of 16 mails or more */
    ua_test_close(t);
}

/* A child that ends lets go what it has claimed and not begun: others send it at once, as a first try. */
static void a_stopped_job_lets_go(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_int_equal(ua_jobs_create(&to_stop, t->site, t->app), APR_SUCCESS);
    many(t, 6);
    to_stop->batch = 4;
    t->cause = 1; /* so that the first mail is spoken of */
    t->app->host.log = stop;
    assert_int_equal(ua_jobs_mail(to_stop, t->now), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = 1"), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE lease <> ''"), 0);
    while (ua_jobs_mail(t->jobs, t->now)) {
    }
    assert_int_equal(ua_test_count(t, "SELECT SUM(attempts) FROM outbox WHERE state = 1"), 6);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failing_mail_is_tried_until_its_link_ends),
        cmocka_unit_test(tries_are_spread),
        cmocka_unit_test(a_cause_is_logged_once),
        cmocka_unit_test(children_share_the_cause),
        cmocka_unit_test(a_sent_mail_is_done),
        cmocka_unit_test(an_expired_mail_is_given_up),
        cmocka_unit_test(a_lost_lease_marks_nothing),
        cmocka_unit_test(another_sites_mail_is_left_alone),
        cmocka_unit_test(a_broken_outbox),
        cmocka_unit_test(a_stopped_job_sends_nothing),
        cmocka_unit_test(many_mails),
        cmocka_unit_test(a_stopped_job_lets_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
