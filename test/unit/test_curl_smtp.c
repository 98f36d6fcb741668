/* test_curl_smtp.c: messages to a real server, test/http/smtp_server.py (aiosmtpd).
 *
 * Run from the top of the tree (smtp_servers.h). test_curl_smtp_faults.c has the misbehaving server.
 */
#include "base/curl_smtp.h"

#include "smtp_servers.h"

#include <apr_network_io.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static apr_pool_t *whole;  /* the program's */
static apr_pool_t *pool;   /* one test's */
static const char *folder; /* of everything written */
static server_t plain, starttls, smtps;
static ua_smtp_t *smtp;

static const char *below(const char *name)
{
    return apr_psprintf(whole, "%s/%s", folder, name);
}

#define GOOD "test/http/smtp_server.py"

static int servers_start(void **state)
{
    (void)state;
    assert_int_equal(apr_pool_create(&whole, NULL), APR_SUCCESS);
    assert_int_equal(ua_smtp_global_init(), APR_SUCCESS);
    folder = server_folder_make(whole);
    server_launch(&plain, whole, (const char *[]){GOOD, below("plain"), NULL});
    server_launch(&starttls, whole,
                  (const char *[]){GOOD, below("starttls"), "--tls", "starttls",
                                   "--certificates", below("tls"), "--auth", "alice:secret",
                                   NULL});
    server_launch(&smtps, whole,
                  (const char *[]){GOOD, below("smtps"), "--tls", "smtps", "--certificates",
                                   below("tls"), NULL});
    server_await(&plain, whole);
    server_await(&starttls, whole);
    server_await(&smtps, whole);
    return 0;
}

static int servers_stop(void **state)
{
    (void)state;
    server_stop(&plain);
    server_stop(&starttls);
    server_stop(&smtps);
    server_folder_remove(whole, folder);
    apr_pool_destroy(whole);
    return 0;
}

static int test_open(void **state)
{
    (void)state;
    assert_int_equal(apr_pool_create(&pool, whole), APR_SUCCESS);
    assert_int_equal(ua_smtp_create(&smtp, pool), APR_SUCCESS);
    return 0;
}

static int test_close(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static void test_envelope_and_one_connection(void **state)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &plain, UA_SMTP_PLAIN);
    const json_t *first;
    const json_t *second;

    (void)state;
    hello_sent(smtp, pool, &conf);
    first = server_last(pool, &plain);
    hello_sent(smtp, pool, &conf);
    second = server_last(pool, &plain);
    assert_string_equal(envelope_text(second, "from"), FROM);
    assert_int_equal(json_array_size(json_object_get(second, "rcpts")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(second, "rcpts"), 0)),
                        TO);
    assert_string_equal(envelope_text(second, "tls"), "");
    assert_string_equal(envelope_text(second, "helo"), "www.example.com");
    assert_string_not_equal(envelope_text(first, "file"), envelope_text(second, "file"));
    assert_int_equal(envelope_connection(first), envelope_connection(second));
    assert_int_equal(apr_pool_create(&pool, pool), APR_SUCCESS);
    assert_int_equal(ua_smtp_create(&smtp, pool), APR_SUCCESS);
    hello_sent(smtp, pool, &conf);
    assert_int_not_equal(envelope_connection(server_last(pool, &plain)),
                         envelope_connection(second));
    pool = apr_pool_parent_get(pool);
}

static void test_helo(void **state)
{
    static const struct {
        const char *helo;
        const char *said; /* NULL: this machine's name, whatever it is */
    } rows[] = {
        {"www.example.com", "www.example.com"},
        {"127.0.0.1", "[127.0.0.1]"},
        {"[::1]", "[IPv6:::1]"},
        {"evil\r\nMAIL FROM:<x>", NULL},
        {"evil%0d%0aMAIL", NULL},
        {NULL, NULL},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ua_smtp_conf_t conf = server_conf(pool, "smtp://", &plain, UA_SMTP_PLAIN);
        const char *said;

        assert_int_equal(ua_smtp_create(&smtp, pool), APR_SUCCESS);
        conf.url = i % 2 ? conf.url : apr_pstrcat(pool, conf.url, "/", NULL);
        conf.helo = rows[i].helo;
        hello_sent(smtp, pool, &conf);
        said = envelope_text(server_last(pool, &plain), "helo");
        assert_null(strstr(said, "evil"));
        if (rows[i].said) {
            assert_string_equal(said, rows[i].said);
        }
    }
}

/* SMTP-03: a dot at every place libcurl's buffers can end. */
static void test_message_arrives_whole(void **state)
{
    static const char *const pieces[] = {"\r\n.\r\n", "..\r\n",    ".x\r\n",    "\r\n\r\n",
                                         ".",         "abc.\r\n.", ".\r\n.\r\n"};
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &plain, UA_SMTP_PLAIN);
    char *message = apr_palloc(pool, 200000);
    const char *path;
    ua_smtp_job_t job;
    char *to = apr_cpystrn(message, "Subject: dots\r\n\r\n.\r\n", 100);
    unsigned i;

    (void)state;
    for (i = 0; to - message < 190000; i++) {
        to = apr_cpystrn(to, pieces[(i * i + i / 7) % 7], 100);
        to = i % 97 == 0 ? apr_cpystrn(to, "\r\n\r\n", 100) : to;
    }
    (void)apr_cpystrn(to, "\r\n.\r\n", 100);
    job = job_of(message);
    assert_int_equal(ua_smtp_send(smtp, pool, &conf, &job, &(const char *){""}), APR_SUCCESS);
    path = apr_pstrcat(pool, plain.folder, "/",
                       envelope_text(server_last(pool, &plain), "file"), NULL);
    assert_string_equal(server_file(pool, path), message);
}

/* SMTP-01, trap 30: not even connected. */
static void test_address_injection(void **state)
{
    static const char *const evil[] = {
        "a@b.c>\r\nRCPT TO:<evil@x",
        "a@b.c\n",
        "a@b.c\r",
        "a@b.c\xE2\x80\xA8",
        "a@b.c\xC2\x85",
        "<a@b.c> NOTIFY=SUCCESS",
        "a@b.c x=y",
        "a@b.c>",
        "<a@b.c",
        "",
        "alice",
        "a@b@c.d",
        "a@b.c,d@e.f",
        "a@b\xC3\xBC.example",
    };
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &plain, UA_SMTP_PLAIN);
    size_t before = server_kept(pool, &plain);
    json_int_t connection;
    size_t i;

    (void)state;
    hello_sent(smtp, pool, &conf);
    connection = envelope_connection(server_last(pool, &plain));
    for (i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
        ua_smtp_job_t to = job_of(HELLO);
        ua_smtp_job_t from = job_of(HELLO);
        const char *why = "";
        ua_smtp_t *other;

        assert_int_equal(ua_smtp_create(&other, pool), APR_SUCCESS);
        to.to = evil[i];
        from.from = evil[i];
        assert_int_equal(ua_smtp_send(other, pool, &conf, &to, &why), APR_EINVAL);
        assert_string_equal(why, "an address is not acceptable");
        assert_true(!*evil[i] || ua_smtp_send(other, pool, &conf, &from, &why) == APR_EINVAL);
    }
    assert_int_equal(server_kept(pool, &plain), before + 1);
    assert_int_equal(ua_smtp_create(&smtp, pool), APR_SUCCESS);
    hello_sent(smtp, pool, &conf);
    assert_int_equal(envelope_connection(server_last(pool, &plain)), connection + 1);
}

static void test_starttls_and_login(void **state)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &starttls, UA_SMTP_TLS);
    json_int_t connection;

    (void)state;
    conf.user = "alice";
    conf.password = "secret";
    hello_sent(smtp, pool, &conf);
    connection = envelope_connection(server_last(pool, &starttls));
    hello_sent(smtp, pool, &conf);
    assert_int_equal(envelope_connection(server_last(pool, &starttls)), connection);
    assert_string_equal(envelope_text(server_last(pool, &starttls), "tls"), "TLSv1.3");
    assert_string_equal(envelope_text(server_last(pool, &starttls), "user"), "alice");
    conf.tls = UA_SMTP_UNVERIFIED;
    conf.ca_file = NULL;
    hello_sent(smtp, pool, &conf);
    assert_string_equal(envelope_text(server_last(pool, &starttls), "tls"), "TLSv1.3");
}

static void test_smtps(void **state)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtps://", &smtps, UA_SMTP_TLS);

    (void)state;
    hello_sent(smtp, pool, &conf);
    assert_string_equal(envelope_text(server_last(pool, &smtps), "tls"), "TLSv1.3");
}

/* Fails with the row's comment. */
static void check(int good, const char *comment, const char *got)
{
    if (!good) {
        fail_msg("%s: got %s", comment, got);
    }
}

/* MAIL-08 and a wrong password: nothing is sent, and the log's words hold no secret. */
static void test_not_trusted(void **state)
{
    const struct {
        const char *scheme;
        const server_t *server;
        ua_smtp_tls_e tls;
        int known_ca;
        const char *password;
        const char *words;
    } rows[] = {
        {"smtp://", &starttls, UA_SMTP_TLS, 0, "secret", "certificate"},
        {"smtps://", &smtps, UA_SMTP_TLS, 0, NULL, "certificate"},
        {"smtps://", &smtps, UA_SMTP_PLAIN, 0, NULL, "certificate"},
        {"smtp://", &starttls, UA_SMTP_TLS, 1, "wrong-word", "(reply 535)"},
        {"smtp://", &starttls, UA_SMTP_PLAIN, 1, NULL, "(reply 530)"},
        {"smtp://", &plain, UA_SMTP_TLS, 1, NULL, "STARTTLS"},
        {"smtp://", &plain, UA_SMTP_UNVERIFIED, 1, NULL, "STARTTLS"},
        {"http://", &plain, UA_SMTP_PLAIN, 1, NULL, "not supported"},
        {"file://", &plain, UA_SMTP_PLAIN, 1, NULL, ""},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ua_smtp_conf_t conf = server_conf(pool, rows[i].scheme, rows[i].server, rows[i].tls);
        size_t before = server_kept(pool, rows[i].server);
        const char *why;

        conf.ca_file = rows[i].known_ca ? conf.ca_file : NULL;
        conf.user = rows[i].password ? "alice" : NULL;
        conf.password = rows[i].password;
        assert_int_equal(hello_send(smtp, pool, &conf, &why), APR_EGENERAL);
        check(strstr(why, rows[i].words) && !strstr(why, "wrong-word") && !strchr(why, '@'),
              rows[i].words, why);
        assert_int_equal(server_kept(pool, rows[i].server), before);
    }
}

/* MAIL-03's half here. The port is bound by us and listened at by nobody. */
static void test_nobody_listens(void **state)
{
    ua_smtp_conf_t conf = {.tls = UA_SMTP_PLAIN, .helo = "www.example.com"};
    apr_sockaddr_t *address;
    apr_socket_t *listener;
    const char *why;

    (void)state;
    assert_int_equal(apr_sockaddr_info_get(&address, "127.0.0.1", APR_INET, 0, 0, pool),
                     APR_SUCCESS);
    assert_int_equal(apr_socket_create(&listener, APR_INET, SOCK_STREAM, 0, pool), APR_SUCCESS);
    assert_int_equal(apr_socket_bind(listener, address), APR_SUCCESS);
    assert_int_equal(apr_socket_addr_get(&address, APR_LOCAL, listener), APR_SUCCESS);
    conf.url = apr_psprintf(pool, "smtp://127.0.0.1:%d", address->port);
    assert_int_equal(hello_send(smtp, pool, &conf, &why), APR_EGENERAL);
    assert_non_null(strstr(why, "connect"));
    conf.url = "smtp://nowhere.invalid:25";
    assert_int_equal(hello_send(smtp, pool, &conf, &why), APR_EGENERAL);
    assert_non_null(strstr(why, "resolve"));
}

static void test_no_proxy_of_the_environment(void **state)
{
    ua_smtp_conf_t conf = server_conf(pool, "smtp://", &plain, UA_SMTP_PLAIN);

    (void)state;
    assert_int_equal(setenv("all_proxy", "http://127.0.0.1:1", 1), 0);
    hello_sent(smtp, pool, &conf);
    assert_int_equal(unsetenv("all_proxy"), 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, test_open, test_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_envelope_and_one_connection),
        EACH(test_helo),
        EACH(test_message_arrives_whole),
        EACH(test_address_injection),
        EACH(test_starttls_and_login),
        EACH(test_smtps),
        EACH(test_not_trusted),
        EACH(test_nobody_listens),
        EACH(test_no_proxy_of_the_environment),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, servers_start, servers_stop);
}
