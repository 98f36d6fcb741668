/* bad_smtp.h: one test/http/bad_smtp.py for a whole program, with its set-up and tear-down for cmocka.
 *
 * Run from the top of the tree (smtp_servers.h).
 */
#ifndef UA_TEST_BAD_SMTP_H
#define UA_TEST_BAD_SMTP_H

#include "smtp_servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static apr_pool_t *whole;   /* the program's */
static const char *folder;  /* of everything written */
static const char *control; /* holds the server's mode */
static server_t bad;

static int server_start(void **state)
{
    (void)state;
    (void)apr_initialize();
    assert_int_equal(apr_pool_create(&whole, NULL), APR_SUCCESS);
    assert_int_equal(ua_smtp_global_init(), APR_SUCCESS);
    folder = server_folder_make(whole);
    control = apr_pstrcat(whole, folder, "/control", NULL);
    server_launch(&bad, whole,
                  (const char *[]){"test/http/bad_smtp.py",
                                   apr_pstrcat(whole, folder, "/bad", NULL), "--control",
                                   control, "--certificates",
                                   apr_pstrcat(whole, folder, "/tls", NULL), NULL});
    server_await(&bad, whole);
    return 0;
}

static int server_end(void **state)
{
    (void)state;
    server_stop(&bad);
    server_folder_remove(whole, folder);
    apr_pool_destroy(whole);
    return 0;
}

#endif
