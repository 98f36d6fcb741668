/* test_curl_smtp_text.c: one cause has one sentence. What libcurl itself says is met in the other test_curl_smtp*.c. */
#include "base/curl_smtp_text.h"

#include <curl/curl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static apr_pool_t *pool;

static int pool_open(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int pool_close(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static void test_url(void **state)
{
    static const struct {
        const char *url;
        const char *helo;
        const char *expected;
    } rows[] = {
        {"smtp://mx.example", "www.example.com", "smtp://mx.example/www.example.com"},
        {"smtps://mx.example:465//", "www.example.com",
         "smtps://mx.example:465/www.example.com"},
        {"smtp://mx.example", "192.0.2.1", "smtp://mx.example/[192.0.2.1]"},
        {"smtp://mx.example", "[2001:db8::1]", "smtp://mx.example/[IPv6:2001:db8::1]"},
        {"smtp://mx.example", "evil\r\nMAIL", "smtp://mx.example/"},
        {"smtp://mx.example", "a%0d", "smtp://mx.example/"},
        {"smtp://mx.example", NULL, "smtp://mx.example/"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(ua_smtp_url(pool, rows[i].url, rows[i].helo), rows[i].expected);
    }
}

/* As libcurl decodes it, the address is the same again. */
static void test_mail_command(void **state)
{
    static const char *const addresses[] = {"accounts@example.com", "100%25+x=y@example.com"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *command = ua_smtp_mail_command(pool, addresses[i]);
        char *decoded = curl_easy_unescape(NULL, command, 0, NULL);

        assert_string_equal(decoded, apr_pstrcat(pool, "MAIL FROM:<", addresses[i], ">", NULL));
        curl_free(decoded);
    }
}

static void test_words(void **state)
{
    static const struct {
        CURLcode code;
        long reply;
        const char *error;
        const char *expected;
    } rows[] = {
        {CURLE_SEND_ERROR, 452, "MAIL failed: 452", "MAIL failed: 452 (reply 452)"},
        {CURLE_WEIRD_SERVER_REPLY, 452, "Command failed: 452", "MAIL failed: 452 (reply 452)"},
        {CURLE_SEND_ERROR, 250, "errno 32",
         "the mail server closed the connection (reply 250)"},
        {CURLE_RECV_ERROR, 0, "errno 104", "the mail server closed the connection"},
        {CURLE_WEIRD_SERVER_REPLY, 552, "", "the mail server refused the message (reply 552)"},
        {CURLE_COULDNT_CONNECT, 0, "after 2 ms", "Couldn't connect to server"},
        {CURLE_OPERATION_TIMEDOUT, 0, "after 10001 ms", "Timeout was reached"},
        {CURLE_LOGIN_DENIED, 535, "Login denied", "Login denied (reply 535)"},
        {CURLE_ABORTED_BY_CALLBACK, 0, "Callback aborted",
         "stopped before the mail server took the message"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(
            ua_smtp_words(pool, (int)rows[i].code, rows[i].reply, rows[i].error),
            rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url),
        cmocka_unit_test(test_mail_command),
        cmocka_unit_test(test_words),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, pool_open, pool_close);
}
