/* bad_smtp_curl.h: curl_smtp.c and bad_smtp.h's server: what one test of theirs begins and ends with. */
#ifndef UA_TEST_BAD_SMTP_CURL_H
#define UA_TEST_BAD_SMTP_CURL_H

#include "bad_smtp.h"

static apr_pool_t *pool; /* one test's */
static ua_smtp_t *smtp;

static int test_open(void **state)
{
    (void)state;
    assert_int_equal(apr_pool_create(&pool, whole), APR_SUCCESS);
    assert_int_equal(ua_smtp_create(&smtp, pool), APR_SUCCESS);
    server_mode_set(pool, control, "ok");
    return 0;
}

static int test_close(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

/* Fails with the row's comment. */
static void check(int good, const char *comment, const char *got)
{
    if (!good) {
        fail_msg("%s: got %s", comment, got);
    }
}

#endif
