/* test_db_engine.c: what is added to an operator's parameters, what is refused in them, and what errors mean.
 *
 * Traps 9, 10 and 15 of apr_dbd; cases DB-09, DB-17.
 */
#include "base/db_conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define PG_MORE      " tcp_user_timeout=10000 keepalives_idle=30 application_name=mod_userauth"

static apr_pool_t *pool;

/* Connecting is bounded where the driver can: a dead host is not waited for by the system's rules. */
static void what_is_added(void **state)
{
    static const struct {
        const char *driver;
        const char *params;
        const char *expected;
    } rows[] = {
        {"sqlite3", "/a/b", "/a/b"},
        {"pgsql", "host=db dbname=u", "host=db dbname=u connect_timeout=3" PG_MORE},
        {"pgsql", "host=db connect_timeout = 9", "host=db connect_timeout = 9" PG_MORE},
        {"pgsql", "host=db password=connect_timeout",
         "host=db password=connect_timeout connect_timeout=3" PG_MORE},
        {"pgsql", "postgresql://db/u",
         "postgresql://db/u?connect_timeout=3&tcp_user_timeout=10000&keepalives_idle=30&"
         "application_name=mod_userauth"},
        {"pgsql", "postgresql://db/u?application_name=x",
         "postgresql://db/u?application_name=x&connect_timeout=3&tcp_user_timeout=10000&"
         "keepalives_idle=30"},
        {"mysql", "host=db", "host=db flags=CLIENT_FOUND_ROWS reconnect=0"},
        {"mysql", "host=db,reconnect=0", "host=db,reconnect=0 flags=CLIENT_FOUND_ROWS"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(ua_dbs_params(pool, ua_engine_find(rows[i].driver), rows[i].params),
                            rows[i].expected);
    }
}

/* DB-09: without these a transaction is lost silently, or an update of one row counts as none. */
static void what_is_refused(void **state)
{
    static const struct {
        const char *driver;
        const char *params;
        const char *text; /* of the refusal, or NULL */
    } rows[] = {
        {"mysql", "host=db user=u", NULL},
        {"mysql", "host=db reconnect=0 flags=CLIENT_FOUND_ROWS", NULL},
        {"mysql", "host=db reconnect=1", "reconnect has to be 0"},
        {"mysql", "reconnect=01", "reconnect has to be 0"},
        {"mysql", "host=db flags=CLIENT_COMPRESS", "flags has to be CLIENT_FOUND_ROWS"},
        {"mysql", "host=db flags=CLIENT_FOUND_ROWS_X", "flags has to be CLIENT_FOUND_ROWS"},
        {"pgsql", "host=db connect_timeout=60", NULL},
        {"oracle", "x", NULL},
    };

    const char *why = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        why = ua_db_params_refusal(pool, rows[i].driver, rows[i].params);
        assert_true(rows[i].text ? why && strstr(why, rows[i].text) : !why);
    }
}

/* DB-17: a conflict is tried again, a lock that stays is somebody at work, anything else is a failure. */
static void what_errors_mean(void **state)
{
    static const struct {
        const char *driver;
        int rc;
        const char *text;
        apr_status_t expected;
    } rows[] = {
        {"sqlite3", 5, "database is locked", APR_TIMEUP},
        {"sqlite3", 1, "UNIQUE constraint failed", APR_EGENERAL},
        {"pgsql", 7, "ERROR:  40001: could not serialize access", UA_CONFLICT},
        {"pgsql", 7, "ERROR:  40P01: deadlock detected", UA_CONFLICT},
        {"pgsql", 7, "FEHLER:  40P01: Verklemmung entdeckt", UA_CONFLICT},
        {"pgsql", 7, "ERROR:  23505: duplicate key value violates unique constraint",
         UA_CONFLICT},
        {"pgsql", 7, "ERROR:  23502: null value\nDETAIL:  Failing row contains (40001, 55P03).",
         APR_EGENERAL},
        {"pgsql", 7, "ERROR:  55P03: canceling statement due to lock timeout", APR_TIMEUP},
        {"pgsql", 7, "ERROR:  57014: canceling statement due to statement timeout", APR_TIMEUP},
        {"pgsql", 7, "", APR_EGENERAL},
        {"mysql", 1213, "Deadlock found", UA_CONFLICT},
        {"mysql", 1020, "Record has changed", UA_CONFLICT},
        {"mysql", 1205, "Lock wait timeout exceeded", APR_TIMEUP},
        {"mysql", 1969, "Query execution was interrupted (max_statement_time exceeded)",
         APR_TIMEUP},
        {"mysql", 1062, "Duplicate entry", UA_CONFLICT},
        {"mysql", 1064, "You have an error in your SQL syntax", APR_EGENERAL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ua_engine_find(rows[i].driver)->judge(rows[i].rc, rows[i].text),
                         rows[i].expected);
    }
}

static int pool_make(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) == APR_SUCCESS ? 0 : -1;
}

static int pool_drop(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_added, pool_make, pool_drop),
        cmocka_unit_test_setup_teardown(what_is_refused, pool_make, pool_drop),
        cmocka_unit_test_setup_teardown(what_errors_mean, pool_make, pool_drop),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
