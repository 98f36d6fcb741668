/* test_curl_smtp_nobody.c: without a message, curl_smtp.c meets what a message's first half meets; test/http/bad_smtp.py.
 *
 * Run from the top of the tree (smtp_servers.h).
 */
#include "bad_smtp_curl.h"

/* What comes of a mail to nobody; *why is "untouched" when it was left alone. */
static apr_status_t ask(const ua_smtp_conf_t *conf, const char **why)
{
    ua_smtp_job_t job = {.from = FROM};

    *why = "untouched";
    return ua_smtp_send(smtp, pool, conf, &job, why);
}

/* ENUM-06: until the sender is taken, in the same words as a mail: neither health nor the log tells them apart. */
static void test_fails_as_a_mail_does(void **state)
{
    static const struct {
        const char *mode;
        ua_smtp_tls_e tls;
    } rows[] = {
        {"refuse", UA_SMTP_PLAIN},          {"banner-421", UA_SMTP_PLAIN},
        {"banner-554", UA_SMTP_PLAIN},      {"ehlo-421", UA_SMTP_PLAIN},
        {"drop-ehlo", UA_SMTP_PLAIN},       {"mail-421", UA_SMTP_PLAIN},
        {"mail-450", UA_SMTP_PLAIN},        {"mail-451", UA_SMTP_PLAIN},
        {"mail-452", UA_SMTP_PLAIN},        {"mail-550", UA_SMTP_PLAIN},
        {"mail-553", UA_SMTP_PLAIN},        {"drop-mail", UA_SMTP_PLAIN},
        {"no-starttls", UA_SMTP_TLS},       {"starttls-454", UA_SMTP_TLS},
        {"wrong-certificate", UA_SMTP_TLS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, rows[i].tls);
        const char *mail;
        const char *nobody;

        server_mode_set(pool, control, rows[i].mode);
        assert_int_equal(hello_send(smtp, pool, &conf, &mail), APR_EGENERAL);
        check(ask(&conf, &nobody) == APR_EGENERAL, rows[i].mode, nobody);
        check(strcmp(mail, nobody) == 0, mail, nobody);
    }
}

/* What only a recipient or a text meets is not met; and nothing is sent. */
static void test_ends_before_the_recipient(void **state)
{
    static const char *const modes[] = {"ok",       "noop-421", "rcpt-452", "rcpt-550",
                                        "data-451", "end-452",  "drop-data"};
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, UA_SMTP_PLAIN);
    size_t before = server_kept(pool, &bad);

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const char *why;

        server_mode_set(pool, control, modes[i]);
        check(ask(&conf, &why) == APR_SUCCESS, modes[i], why);
        assert_string_equal(why, "untouched");
    }
    assert_int_equal(server_kept(pool, &bad), before);
}

/* The connection is kept for the next message, and the sender of nothing is forgotten. */
static void test_keeps_the_connection(void **state)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, UA_SMTP_PLAIN);
    json_int_t connection;
    const char *why;

    (void)state;
    server_mode_set(pool, control, "rset-421");
    assert_int_equal(ask(&conf, &why), APR_SUCCESS); /* RSET says nothing of mails … */
    server_mode_set(pool, control, "ok");
    hello_sent(smtp, pool, &conf);
    connection = envelope_connection(server_last(pool, &bad));
    server_mode_set(pool, control, "rset-500");
    assert_int_equal(ask(&conf, &why), APR_SUCCESS);
    server_mode_set(pool, control, "ok");
    hello_sent(smtp, pool, &conf); /* … but without it the connection is of no use */
    assert_int_equal(envelope_connection(server_last(pool, &bad)), connection + 1);
    assert_int_equal(ask(&conf, &why), APR_SUCCESS);
    hello_sent(smtp, pool, &conf);
    assert_int_equal(envelope_connection(server_last(pool, &bad)), connection + 1);
    assert_string_equal(envelope_text(server_last(pool, &bad), "from"), FROM);
}

/* A kept connection that the server has given up by now is as little news as before a message. */
static void test_kept_connection_is_stale(void **state)
{
    static const char *const modes[] = {"drop-reuse", "reuse-421"};
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, UA_SMTP_PLAIN);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *why;

        server_mode_set(pool, control, modes[i]);
        hello_sent(smtp, pool, &conf);
        check(ask(&conf, &why) == APR_SUCCESS, modes[i], why);
    }
}

static void test_bad_sender(void **state)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &bad, UA_SMTP_PLAIN);
    ua_smtp_job_t job = {.from = "a@b.c>\r\nRCPT TO:<evil@x"};
    const char *why = "";

    (void)state;
    assert_int_equal(ua_smtp_send(smtp, pool, &conf, &job, &why), APR_EINVAL);
    assert_string_equal(why, "an address is not acceptable");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, test_open, test_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_fails_as_a_mail_does), EACH(test_ends_before_the_recipient),
        EACH(test_keeps_the_connection), EACH(test_kept_connection_is_stale),
        EACH(test_bad_sender),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, server_start, server_end);
}
