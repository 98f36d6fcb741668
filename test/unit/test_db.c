/* test_db.c: statements on SQLite through apr_dbd.
 *
 * Cases: DB-06, DB-07, SQL-05, PRIV-03. Each trap of apr_dbd that db.c avoids is named where it would
 * show. test_db_transaction.c has the transactions.
 */
#include "db_world.h"

static void test_rows(void **state)
{
    world_t *world = *state;
    ua_ctx_t *ctx = &world->ctx;
    apr_array_header_t *rows = NULL;
    ua_row_t row = NULL;
    int changed = -1;

    assert_int_equal(world_insert(ctx, "b", 2), APR_SUCCESS);
    assert_int_equal(world_insert(ctx, "a", 1), APR_SUCCESS);
    assert_int_equal(ua_db_one(&row, ctx, &world_queries[GET], UA_ARGS(ua_s("b"))),
                     APR_SUCCESS);
    assert_string_equal(row[0], "b");
    assert_string_equal(row[1], "v");
    assert_int_equal(ua_row_number(row, 2), 2);
    row = NULL;
    assert_int_equal(ua_db_one(&row, ctx, &world_queries[GET], UA_ARGS(ua_s("c"))),
                     APR_NOTFOUND);
    assert_null(row);
    assert_int_equal(ua_db_all(&rows, ctx, &world_queries[LIST], NULL), APR_SUCCESS);
    assert_int_equal(rows->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(rows, 0, ua_row_t)[0], "a");
    assert_string_equal(APR_ARRAY_IDX(rows, 1, ua_row_t)[0], "b");
    assert_int_equal(ua_db_all(&rows, ctx, &world_queries[LIKE], UA_ARGS(ua_n(1))),
                     APR_SUCCESS);
    assert_int_equal(rows->nelts, 1);
    assert_int_equal(ua_db_exec(ctx, &changed, &world_queries[BUMP], UA_ARGS(ua_n(1))),
                     APR_SUCCESS);
    assert_int_equal(changed, 1);
    assert_int_equal(ua_db_exec(ctx, &changed, &world_queries[BUMP], UA_ARGS(ua_n(99))),
                     APR_SUCCESS);
    assert_int_equal(changed, 0);
}

/* trap 8: NULL is "" here, whatever the driver says. */
static void test_null_is_empty(void **state)
{
    world_t *world = *state;
    ua_row_t row = NULL;

    assert_int_equal(ua_db_one(&row, &world->ctx, &world_queries[EMPTY], NULL), APR_SUCCESS);
    assert_string_equal(row[0], "");
    assert_string_equal(row[1], "");
    assert_int_equal(ua_row_number(row, 2), 7);
    assert_int_equal(ua_db_exec(&world->ctx, NULL, &world_queries[INSERT],
                                UA_ARGS(ua_s("k"), ua_s(NULL), ua_n(0))),
                     APR_SUCCESS);
    assert_int_equal(ua_db_one(&row, &world->ctx, &world_queries[GET], UA_ARGS(ua_s("k"))),
                     APR_SUCCESS);
    assert_string_equal(row[1], "");
}

/* trap 7: numbers are bound as numbers, of 64 bits. */
static void test_numbers(void **state)
{
    static const apr_int64_t numbers[] = {0, -1, 9007199254740993, INT64_MAX, INT64_MIN};
    world_t *world = *state;
    ua_ctx_t *ctx = &world->ctx;
    ua_row_t row = NULL;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        const char *key = apr_psprintf(world->pool, "k%d", (int)i);
        assert_int_equal(world_insert(ctx, key, numbers[i]), APR_SUCCESS);
        assert_int_equal(ua_db_one(&row, ctx, &world_queries[GET], UA_ARGS(ua_s(key))),
                         APR_SUCCESS);
        assert_true(ua_row_number(row, 2) == numbers[i]);
        assert_int_equal(ua_db_one(&row, ctx, &world_queries[TYPES], UA_ARGS(ua_s(key))),
                         APR_SUCCESS);
        assert_string_equal(row[0], "text");
        assert_string_equal(row[1], "integer");
    }
    assert_int_equal(ua_db_one(&row, ctx, &world_queries[LESS], UA_ARGS(ua_n(5))), APR_SUCCESS);
    assert_int_equal(ua_db_one(&row, ctx, &world_queries[LESS], UA_ARGS(ua_n(2))),
                     APR_NOTFOUND);
}

/* trap 11, SQL-05: what stands behind a NUL never reaches the database, so a key with one would meet
 * the row of the shorter key. This is why form.c and json refuse NUL before anything is bound. */
static void test_nul_is_the_end(void **state)
{
    world_t *world = *state;
    ua_row_t row = NULL;

    assert_int_equal(world_insert(&world->ctx, "alice\0evil", 1), APR_SUCCESS);
    assert_int_equal(ua_db_one(&row, &world->ctx, &world_queries[GET], UA_ARGS(ua_s("alice"))),
                     APR_SUCCESS);
    assert_int_not_equal(world_insert(&world->ctx, "alice", 1), APR_SUCCESS);
}

/* apr_dbd itself would read a number as a pointer here. */
static void test_wrong_values(void **state)
{
    static const ua_query_t outside = {QUERIES, "outside", "SELECT 1"};
    static const ua_query_t negative = {-1, "negative", "SELECT 1"};

    const struct {
        const char *comment;
        const ua_query_t *query;
        const ua_arg_t *args;
    } rows[] = {
        {"none", &world_queries[GET], NULL},
        {"too few", &world_queries[INSERT], UA_ARGS(ua_s("k"), ua_s("v"))},
        {"too many", &world_queries[GET], UA_ARGS(ua_s("k"), ua_s("k"))},
        {"a number for a text", &world_queries[GET], UA_ARGS(ua_n(1))},
        {"a text for a number", &world_queries[BUMP], UA_ARGS(ua_s("1"))},
        {"an unknown conversion", &world_queries[ODD], UA_ARGS(ua_n(1))},
        {"a number out of range", &outside, NULL},
        {"a negative number", &negative, NULL},
    };

    world_t *world = *state;
    apr_array_header_t *out = NULL;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ua_db_all(&out, &world->ctx, rows[i].query, rows[i].args), APR_EINVAL);
        assert_null(out);
        assert_int_equal(ua_db_exec(&world->ctx, NULL, rows[i].query, rows[i].args),
                         APR_EINVAL);
        assert_true(world_writer_is_free(world));
        assert_string_equal(world->ctx.failed, rows[i].query->label);
    }
    assert_int_equal(world_insert(&world->ctx, "k", 1), APR_SUCCESS);
}

/* traps 1 and 9, DB-06, DB-07: a failed insert is a failure, and the row count is not touched. */
static void test_duplicate(void **state)
{
    world_t *world = *state;
    int changed = -7;

    assert_int_equal(world_insert(&world->ctx, "k", 1), APR_SUCCESS);
    assert_int_not_equal(ua_db_exec(&world->ctx, &changed, &world_queries[INSERT],
                                    UA_ARGS(ua_s("k"), ua_s("w"), ua_n(2))),
                         APR_SUCCESS);
    assert_int_equal(changed, -7);
    assert_null(world->ctx.db);
    assert_true(world_writer_is_free(world));
    assert_non_null(strstr(world->ctx.failed, "t_insert: sqlite3 error"));
    assert_int_equal(world_insert(&world->ctx, "l", 1), APR_SUCCESS);
    assert_int_equal(world_stored(world), 2);
}

/* trap 12, PRIV-03: the database's text holds an address, ctx->failed does not. */
static void test_error_without_values(void **state)
{
    world_t *world = *state;

    assert_int_not_equal(world_insert(&world->ctx, "raise", 1), APR_SUCCESS);
    assert_non_null(strstr(world->ctx.failed, "t_insert"));
    assert_non_null(strstr(world->ctx.failed, "Key"));
    assert_null(strstr(world->ctx.failed, "mike"));
    assert_null(strstr(world->ctx.failed, "example"));
}

static void test_missing_table(void **state)
{
    world_t *world = *state;
    ua_row_t row = NULL;

    assert_int_equal(ua_db_one(&row, &world->ctx, &world_queries[ABSENT], NULL), APR_EGENERAL);
    assert_null(row);
    assert_null(world->ctx.db);
    assert_int_equal(ua_db_literal(&world->ctx, "late", "CREATE TABLE absent (k TEXT)"),
                     APR_SUCCESS);
    assert_int_equal(ua_db_one(&row, &world->ctx, &world_queries[ABSENT], NULL), APR_NOTFOUND);
}

/* trap 4: after another one's DDL the driver's statements fail for good; ours once at most. */
static void test_schema_changes(void **state)
{
    world_t *world = *state;
    ua_ctx_t other = world_context(world->dbs, world->pool);
    apr_status_t rv;

    assert_int_equal(world_insert(&world->ctx, "a", 1), APR_SUCCESS);
    assert_int_equal(ua_db_literal(&other, "ddl", "ALTER TABLE t ADD COLUMN x TEXT"),
                     APR_SUCCESS);
    ua_db_release(&other);
    rv = world_insert(&world->ctx, "b", 2);
    assert_true(rv == APR_SUCCESS || world->ctx.db == NULL);
    if (rv != APR_SUCCESS) {
        assert_int_equal(world_insert(&world->ctx, "b", 2), APR_SUCCESS);
    }
    assert_int_equal(world_insert(&world->ctx, "c", 3), APR_SUCCESS);
    assert_int_equal(world_stored(world), 3);
}

/* trap 6: what stands behind a statement is no second one. */
static void test_literal(void **state)
{
    world_t *world = *state;

    assert_int_equal(ua_db_literal(&world->ctx, "blank",
                                   "INSERT INTO t (k, v, n) VALUES ('x', '', 1) ;\r\n\t"),
                     APR_SUCCESS);
    assert_true(world_writer_is_free(world));
    assert_int_equal(world_stored(world), 1);
    assert_int_not_equal(ua_db_literal(&world->ctx, "broken", "INSERT INTO"), APR_SUCCESS);
    assert_true(world_writer_is_free(world));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_null_is_empty, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_numbers, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_nul_is_the_end, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_wrong_values, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_duplicate, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_error_without_values, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_missing_table, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_schema_changes, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_literal, world_setup, world_teardown),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
