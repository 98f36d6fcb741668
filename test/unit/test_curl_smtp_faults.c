/* test_curl_smtp_faults.c: curl_smtp.c and a misbehaving server, test/http/bad_smtp.py.
 *
 * Run from the top of the tree (smtp_servers.h).
 */
#include "bad_smtp_curl.h"

typedef struct fault_t {
    const char *mode;
    ua_smtp_tls_e tls;
    apr_status_t rv;
    const char *words;
    size_t kept;
} fault_t;

static void fault_meet(const fault_t *fault)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, fault->tls);
    size_t before = server_kept(pool, &bad);
    const char *why;

    assert_int_equal(ua_smtp_create(&smtp, pool), APR_SUCCESS);
    server_mode_set(pool, control, fault->mode);
    check(hello_send(smtp, pool, &conf, &why) == fault->rv, fault->mode, why);
    check(*why && strstr(why, fault->words) && !strchr(why, '@'), fault->mode, why);
    assert_int_equal(server_kept(pool, &bad), before + fault->kept);
    server_mode_set(pool, control, "ok");
    hello_sent(smtp, pool, &conf);
    assert_int_equal(server_kept(pool, &bad), before + fault->kept + 1);
}

/* MAIL-05, MAIL-07, MAIL-08: each fault, and the same connection's owner heals with the server. */
static void test_faults(void **state)
{
    static const fault_t rows[] = {
        {"refuse", UA_SMTP_PLAIN, APR_EGENERAL, "", 0},
        {"banner-421", UA_SMTP_PLAIN, APR_EGENERAL, "(reply 421)", 0},
        {"banner-554", UA_SMTP_PLAIN, APR_EGENERAL, "(reply 554)", 0},
        {"ehlo-421", UA_SMTP_PLAIN, APR_EGENERAL, "(reply 421)", 0},
        {"mail-421", UA_SMTP_PLAIN, APR_EGENERAL, "(reply 421)", 0},
        {"mail-550", UA_SMTP_PLAIN, APR_EGENERAL, "(reply 550)", 0},
        {"rcpt-421", UA_SMTP_PLAIN, APR_INCOMPLETE, "(reply 421)", 0},
        {"rcpt-450", UA_SMTP_PLAIN, APR_EBUSY, "(reply 450)", 0},
        {"rcpt-451", UA_SMTP_PLAIN, APR_EBUSY, "(reply 451)", 0},
        {"rcpt-452", UA_SMTP_PLAIN, APR_EBUSY, "(reply 452)", 0},
        {"rcpt-454", UA_SMTP_PLAIN, APR_EBUSY, "(reply 454)", 0},
        {"rcpt-471", UA_SMTP_PLAIN, APR_EBUSY, "(reply 471)", 0},
        {"rcpt-501", UA_SMTP_PLAIN, APR_EACCES, "(reply 501)", 0},
        {"rcpt-504", UA_SMTP_PLAIN, APR_EACCES, "(reply 504)", 0},
        {"rcpt-530", UA_SMTP_PLAIN, APR_EACCES, "(reply 530)", 0},
        {"rcpt-550", UA_SMTP_PLAIN, APR_EACCES, "(reply 550)", 0},
        {"rcpt-551", UA_SMTP_PLAIN, APR_EACCES, "(reply 551)", 0},
        {"rcpt-552", UA_SMTP_PLAIN, APR_EACCES, "(reply 552)", 0},
        {"rcpt-553", UA_SMTP_PLAIN, APR_EACCES, "(reply 553)", 0},
        {"rcpt-554", UA_SMTP_PLAIN, APR_EACCES, "(reply 554)", 0},
        {"rcpt-555", UA_SMTP_PLAIN, APR_EACCES, "(reply 555)", 0},
        {"rcpt-556", UA_SMTP_PLAIN, APR_EACCES, "(reply 556)", 0},
        {"data-451", UA_SMTP_PLAIN, APR_INCOMPLETE, "(reply 451)", 0},
        {"data-554", UA_SMTP_PLAIN, APR_INCOMPLETE, "(reply 554)", 0},
        {"end-421", UA_SMTP_PLAIN, APR_INCOMPLETE, "(reply 421)", 0},
        {"end-451", UA_SMTP_PLAIN, APR_INCOMPLETE, "(reply 451)", 0},
        {"end-452", UA_SMTP_PLAIN, APR_INCOMPLETE, "(reply 452)", 0},
        {"end-550", UA_SMTP_PLAIN, APR_EACCES, "(reply 550)", 0},
        {"end-552", UA_SMTP_PLAIN, APR_EACCES, "(reply 552)", 0},
        {"end-554", UA_SMTP_PLAIN, APR_EACCES, "(reply 554)", 0},
        {"end-571", UA_SMTP_PLAIN, APR_EACCES, "(reply 571)", 0},
        {"drop-ehlo", UA_SMTP_PLAIN, APR_EGENERAL, "", 0},
        {"drop-mail", UA_SMTP_PLAIN, APR_EGENERAL, "", 0},
        {"drop-data", UA_SMTP_PLAIN, APR_INCOMPLETE, "", 0},
        {"drop-middle", UA_SMTP_PLAIN, APR_INCOMPLETE, "", 0},
        {"drop-end", UA_SMTP_PLAIN, APR_INCOMPLETE, "", 1}, /* delivered, and we cannot know */
        {"no-starttls", UA_SMTP_TLS, APR_EGENERAL, "STARTTLS", 0},
        {"starttls-454", UA_SMTP_TLS, APR_EGENERAL, "(reply 454)", 0},
        {"drop-starttls", UA_SMTP_TLS, APR_EGENERAL, "", 0},
        {"wrong-certificate", UA_SMTP_TLS, APR_EGENERAL, "certificate", 0},
        {"expired-certificate", UA_SMTP_TLS, APR_EGENERAL, "certificate", 0},
        {"old-tls", UA_SMTP_TLS, APR_EGENERAL, "", 0},
        {"old-tls", UA_SMTP_UNVERIFIED, APR_EGENERAL, "", 0},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fault_meet(&rows[i]);
    }
}

/* A server that has given up the kept connection meanwhile gets the message on a new one. */
static void test_kept_connection_is_stale(void **state)
{
    static const char *const modes[] = {"drop-reuse", "reuse-421"};
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, UA_SMTP_PLAIN);
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        size_t before = server_kept(pool, &bad);
        json_int_t connection;

        server_mode_set(pool, control, modes[i]);
        assert_int_equal(ua_smtp_create(&smtp, pool), APR_SUCCESS);
        hello_sent(smtp, pool, &conf);
        connection = envelope_connection(server_last(pool, &bad));
        hello_sent(smtp, pool, &conf);
        assert_int_equal(server_kept(pool, &bad), before + 2);
        assert_int_equal(envelope_connection(server_last(pool, &bad)), connection + 1);
    }
}

/* What the new connection meets is not taken for the recipient that the old one ended at. */
static void test_new_connection_is_refused(void **state)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, UA_SMTP_PLAIN);
    const char *why;

    (void)state;
    hello_sent(smtp, pool, &conf);
    server_mode_set(pool, control, "spent");
    assert_int_equal(hello_send(smtp, pool, &conf, &why), APR_EGENERAL);
    assert_non_null(strstr(why, "(reply 554)"));
}

/* But a message that may have been delivered is never sent twice by one call. */
static void test_no_second_try_after_data(void **state)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, UA_SMTP_PLAIN);
    size_t before = server_kept(pool, &bad);
    const char *why;

    (void)state;
    hello_sent(smtp, pool, &conf);
    server_mode_set(pool, control, "drop-end");
    assert_int_equal(hello_send(smtp, pool, &conf, &why), APR_INCOMPLETE);
    assert_int_equal(server_kept(pool, &bad), before + 2);
}

/* Nor is anything kept after a failure: a late answer would be taken for the next message's. */
static void test_new_connection_after_a_failure(void **state)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, UA_SMTP_PLAIN);
    json_int_t connection;
    const char *why;

    (void)state;
    hello_sent(smtp, pool, &conf);
    connection = envelope_connection(server_last(pool, &bad));
    server_mode_set(pool, control, "end-452");
    assert_int_equal(hello_send(smtp, pool, &conf, &why), APR_INCOMPLETE);
    server_mode_set(pool, control, "ok");
    hello_sent(smtp, pool, &conf);
    assert_int_equal(envelope_connection(server_last(pool, &bad)), connection + 1);
}

static int ask(void *baton)
{
    int *left = baton;

    return --*left <= 0;
}

/* MAIL-04: whoever sends is asked while nothing moves, and can leave. */
static void test_given_up(void **state)
{
    static const struct {
        const char *mode;
        apr_status_t rv;
    } rows[] = {{"silent", APR_EGENERAL},       {"slow-banner", APR_EGENERAL},
                {"stall-ehlo", APR_EGENERAL},   {"stall-rcpt", APR_INCOMPLETE},
                {"stall-data", APR_INCOMPLETE}, {"stall-middle", APR_INCOMPLETE},
                {"stall-end", APR_INCOMPLETE}};

    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, UA_SMTP_PLAIN);
    size_t before = server_kept(pool, &bad);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ua_smtp_job_t job = job_of(HELLO);
        const char *why = "";
        int left = 2; /* at once, and again while nothing moves */

        server_mode_set(pool, control, rows[i].mode);
        job.alive = ask;
        job.baton = &left;
        assert_int_equal(ua_smtp_send(smtp, pool, &conf, &job, &why), rows[i].rv);
        assert_non_null(strstr(why, "stopped before the mail server took the message"));
        assert_true(left <= 0);
    }
    assert_int_equal(server_kept(pool, &bad), before);
    server_mode_set(pool, control, "ok");
    hello_sent(smtp, pool, &conf);
}

static void test_asked_and_sent(void **state)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, UA_SMTP_PLAIN);
    ua_smtp_job_t job = job_of(HELLO);
    int left = 1000000;

    (void)state;
    job.alive = ask;
    job.baton = &left;
    assert_int_equal(ua_smtp_send(smtp, pool, &conf, &job, &(const char *){""}), APR_SUCCESS);
    assert_true(left < 1000000);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, test_open, test_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_faults),
        EACH(test_kept_connection_is_stale),
        EACH(test_new_connection_is_refused),
        EACH(test_no_second_try_after_data),
        EACH(test_new_connection_after_a_failure),
        EACH(test_given_up),
        EACH(test_asked_and_sent),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, server_start, server_end);
}
