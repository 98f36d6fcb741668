/* test_base.c: what base.h promises beyond types: UA_CHECK, ua_fail(), the numbers of levels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

#include <syslog.h>

static int calls;

static apr_status_t call(apr_status_t rv)
{
    calls++;
    return rv;
}

static apr_status_t three_calls(apr_status_t second)
{
    UA_CHECK(call(APR_SUCCESS));
    UA_CHECK(call(second));
    return call(APR_SUCCESS);
}

/* A failure goes to the caller as it is, at once, and nothing is called twice. */
static void check_passes_on(void **state)
{
    static const struct {
        const char *comment;
        apr_status_t second;
        int calls;
    } cases[] = {
        {"all is well", APR_SUCCESS, 3},
        {"there is none", APR_NOTFOUND, 2},
        {"refused", APR_EACCES, 2},
        {"the machine failed", APR_EGENERAL, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        calls = 0;
        if (three_calls(cases[i].second) != cases[i].second || calls != cases[i].calls) {
            fail_msg("%s: %d calls", cases[i].comment, calls);
        }
    }
}

static void fail_names_what(void **state)
{
    ua_ctx_t ctx = {.failed = NULL};

    (void)state;
    assert_int_equal(ua_fail(&ctx, APR_TIMEUP, "hash slot"), APR_TIMEUP);
    assert_string_equal(ctx.failed, "hash slot");
    assert_int_equal(ua_fail(&ctx, APR_EGENERAL, "account_insert"), APR_EGENERAL);
    assert_string_equal(ctx.failed, "account_insert");
}

/* The edge passes a level on to httpd as it is. */
static void levels_are_syslogs(void **state)
{
    (void)state;
    assert_int_equal(UA_LOG_ERR, LOG_ERR);
    assert_int_equal(UA_LOG_WARNING, LOG_WARNING);
    assert_int_equal(UA_LOG_NOTICE, LOG_NOTICE);
    assert_int_equal(UA_LOG_INFO, LOG_INFO);
    assert_int_equal(UA_LOG_DEBUG, LOG_DEBUG);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_passes_on),
        cmocka_unit_test(fail_names_what),
        cmocka_unit_test(levels_are_syslogs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
