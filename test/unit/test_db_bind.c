/* test_db_bind.c: what apr_dbd is pointed to fits the statement, or nothing is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <apr_general.h>
#include <cmocka.h>
#include <string.h>

#include "base/db_conn.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void kinds(void **state)
{
    static const struct {
        const char *sql, *expected, *comment;
    } rows[] = {
        {"SELECT 1", "", "no value"},
        {"a = %s AND b = %lld", "sn", "both kinds, in order"},
        {"a LIKE 'x%%' AND b = %s", "s", "a plain percent sign"},
        {"a = %d", NULL, "a number of another size"},
        {"a = %", NULL, "cut off"},
        {"a = %ll", NULL, "cut off in the middle"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *found = ua_db_kinds(*state, rows[i].sql);

        if (!found || !rows[i].expected) {
            assert_ptr_equal(found, rows[i].expected);
        }
        else {
            assert_string_equal(found, rows[i].expected);
        }
    }
}

static void fits(void **state)
{
    const ua_arg_t *args = UA_ARGS(ua_s("text"), ua_n(7));
    const void **values = ua_db_bound(*state, "sn", args);

    assert_non_null(values);
    assert_string_equal(values[0], "text");
    assert_int_equal(*(const apr_int64_t *)values[1], 7);
}

static void does_not_fit(void **state)
{
    const ua_arg_t *args = UA_ARGS(ua_s("text"), ua_n(7));

    assert_null(ua_db_bound(*state, "s", args));   /* one too many */
    assert_null(ua_db_bound(*state, "snn", args)); /* one too few */
    assert_null(ua_db_bound(*state, "ns", args));  /* the wrong kinds */
}

static int make_pool(void **state)
{
    apr_pool_t *pool = NULL;

    (void)apr_initialize();
    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    *state = pool;
    return 0;
}

static int end_pool(void **state)
{
    apr_pool_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kinds, make_pool, end_pool),
        cmocka_unit_test_setup_teardown(fits, make_pool, end_pool),
        cmocka_unit_test_setup_teardown(does_not_fit, make_pool, end_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
