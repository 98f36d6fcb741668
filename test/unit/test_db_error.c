/* test_db_error.c: what is left of a database's error text.
 *
 * Case: PRIV-03. The texts are those of SQLite, PostgreSQL and MariaDB.
 */
#include "base/db_conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

typedef struct row_t {
    const char *text;
    const char *expected;
    const char *comment;
} row_t;

static const row_t statements[] = {
    {"UNIQUE constraint failed: account.email", "UNIQUE constraint failed: account.email",
     "SQLite names columns only"},
    {"ERROR:  duplicate key value violates unique constraint \"account_email_key\"\n"
     "DETAIL:  Key (email)=(mike@example.org) already exists.\n",
     "ERROR:  duplicate key value violates unique constraint", "PostgreSQL, PRIV-03"},
    {"Key (email)=(mike@example.org) already exists", "Key", "the detail alone"},
    {"Duplicate entry 'mike@example.org' for key 'email'", "Duplicate entry", "MariaDB"},
    {"Duplicate entry 'O'Brien' for key 'k'", "Duplicate entry", "a quote inside the value"},
    {"value `x`", "value", "a backquote"},
    {"row [1]", "row", "a square bracket"},
    {"row {1}", "row", "a curly bracket"},
    {"first\nsecond", "first", "one line"},
    {"first\rsecond", "first", "one line, by a carriage return"},
    {"near \"x\": syntax error", "near", "SQLite quotes a piece of the statement"},
    {"\"mike\"", "no text", "nothing before the value"},
    {"", "no text", "empty"},
    {NULL, "no text", "none"},
};

static const row_t connects[] = {
    {"connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs it "
     "running?",
     "connection to server at \"...\", port 1 failed: Connection refused", "the cause stays"},
    {"FATAL:  password authentication failed for user \"web\"",
     "FATAL:  password authentication failed for user \"...\"", "quoted at the end"},
    {"missing \"=\" after \"s3cret\" in connection info string",
     "missing \"...\" after \"...\" in connection info string", "a piece of a password"},
    {"unterminated \"s3cret", "unterminated \"...\"", "an open quote hides the rest"},
    {"unable to open database file", "unable to open database file", "SQLite"},
    {"", "no text", "empty"},
    {NULL, "no text", "none"},
};

static void check(const row_t *rows, size_t count,
                  const char *(*strip)(apr_pool_t *, const char *))
{
    apr_pool_t *pool = NULL;

    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(strip(pool, rows[i].text), rows[i].expected);
    }
    apr_pool_destroy(pool);
}

static void test_statements(void **state)
{
    (void)state;
    check(statements, COUNT(statements), ua_db_error_text);
}

static void test_connects(void **state)
{
    (void)state;
    check(connects, COUNT(connects), ua_db_connect_text);
}

static void test_bounded(void **state)
{
    char text[5000];
    apr_pool_t *pool = NULL;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    assert_int_equal(strlen(ua_db_error_text(pool, text)), 200);
    assert_int_equal(strlen(ua_db_connect_text(pool, text)), 200);
    apr_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_connects),
        cmocka_unit_test(test_bounded),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
