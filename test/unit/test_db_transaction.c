/* test_db_transaction.c: transactions of db.c on SQLite through apr_dbd.
 *
 * Cases: DB-02 to DB-05, DB-08. Each trap of apr_dbd that db.c avoids is named where it would show.
 */
#include "db_world.h"

#include <apr_thread_proc.h>

static void test_commit_and_rollback(void **state)
{
    world_t *world = *state;
    ua_ctx_t *ctx = &world->ctx;

    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_false(world_writer_is_free(world));
    assert_int_equal(world_insert(ctx, "a", 1), APR_SUCCESS);
    assert_false(world_writer_is_free(world)); /* trap 3: from BEGIN to its end */
    assert_int_equal(world_stored(world), 0);
    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_EINVAL);
    assert_int_equal(ua_db_commit(ctx), APR_SUCCESS);
    assert_true(world_writer_is_free(world));
    assert_int_equal(world_stored(world), 1);
    assert_int_equal(ua_db_commit(ctx), APR_EINVAL);

    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(world_insert(ctx, "b", 1), APR_SUCCESS);
    ua_db_rollback(ctx);
    assert_true(world_writer_is_free(world));
    ua_db_rollback(ctx);
    assert_int_equal(world_stored(world), 1);

    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(world_insert(ctx, "c", 1), APR_SUCCESS);
    ua_db_release(ctx);
    ua_db_release(ctx);
    assert_true(world_writer_is_free(world));
    assert_int_equal(world_stored(world), 1);
}

/* trap 1, DB-04: who leaves early leaves nothing behind, also when the pool is all that ends. */
static void test_early_leave(void **state)
{
    world_t *world = *state;

    assert_int_equal(ua_db_begin(&world->ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(world_insert(&world->ctx, "a", 1), APR_SUCCESS);
    apr_pool_clear(world->ctx.pool);
    assert_true(world_writer_is_free(world));
    assert_int_equal(world_stored(world), 0);
    assert_int_equal(world_insert(&world->ctx, "b", 1),
                     APR_SUCCESS); /* the same context, a new lease */
    assert_int_equal(world_stored(world), 1);
}

/* trap 1, DB-05: what follows a failed statement is refused, COMMIT too, and not run on its own. */
static void test_failure_inside(void **state)
{
    world_t *world = *state;
    ua_ctx_t *ctx = &world->ctx;
    ua_row_t row = NULL;

    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(world_insert(ctx, "a", 1), APR_SUCCESS);
    assert_int_not_equal(world_insert(ctx, "a", 1), APR_SUCCESS);
    assert_true(world_writer_is_free(world));
    assert_int_not_equal(world_insert(ctx, "b", 1), APR_SUCCESS);
    assert_int_equal(ua_db_one(&row, ctx, &world_queries[HIGH], NULL), APR_EGENERAL);
    assert_int_not_equal(ua_db_literal(ctx, "x", "DELETE FROM t"), APR_SUCCESS);
    assert_int_equal(ua_db_commit(ctx), APR_EGENERAL);
    assert_non_null(strstr(ctx->failed, "UNIQUE")); /* the cause, not the refusals after it */
    assert_int_equal(world_stored(world), 0);
    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(world_insert(ctx, "a", 1), APR_SUCCESS);
    assert_int_equal(ua_db_commit(ctx), APR_SUCCESS);
    assert_int_equal(world_stored(world), 1);
}

/* trap 5, DB-03: a COMMIT that fails leaves no handle inside the transaction. The deferred reference
 * is judged at COMMIT; SQLite keeps the transaction open after it. */
static void test_commit_fails(void **state)
{
    world_t *world = *state;
    ua_ctx_t *ctx = &world->ctx;

    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(world_insert(ctx, "a", 1), APR_SUCCESS);
    assert_int_equal(ua_db_exec(ctx, NULL, &world_queries[CHILD], UA_ARGS(ua_s("nobody"))),
                     APR_SUCCESS);
    assert_int_equal(ua_db_commit(ctx), APR_EGENERAL);
    assert_null(ctx->db);
    assert_true(world_writer_is_free(world));
    assert_int_equal(world_stored(world), 0);
    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(world_insert(ctx, "b", 1), APR_SUCCESS);
    assert_int_equal(ua_db_commit(ctx), APR_SUCCESS);
    assert_int_equal(world_stored(world), 1);
}

/* trap 1, DB-02: a writer outside our lock, such as another program. BEGIN says busy, and nothing
 * is leased that could write on its own. */
static void test_begin_is_busy(void **state)
{
    world_t *world = *state;
    ua_dbs_t *others;
    ua_ctx_t other;
    ua_row_t row = NULL;
    ua_lock_t *writer = world->writer;

    world->writer = NULL;
    others = world_list(world, 1);
    world->writer = writer;
    other = world_context(others, world->pool);
    assert_int_equal(ua_db_begin(&other, UA_SERIALIZABLE), APR_SUCCESS);
    /* Leaves only the driver's own 17 tries, of 0.1 s, on this connection. */
    assert_int_equal(ua_db_one(&row, &world->ctx,
                               &(const ua_query_t){OUTSIDE, "no_wait", "PRAGMA busy_timeout=0"},
                               NULL),
                     APR_SUCCESS);
    assert_int_equal(ua_db_begin(&world->ctx, UA_SERIALIZABLE), APR_TIMEUP);
    assert_null(world->ctx.db);
    assert_true(world_writer_is_free(world));
    ua_db_release(&other);
    ua_dbs_destroy(others);
    assert_int_equal(ua_db_begin(&world->ctx, UA_SERIALIZABLE), APR_SUCCESS);
}

/* trap 2, DB-08: a connection gone bad between two requests. BEGIN fails once and heals. */
static void test_begin_on_a_bad_connection(void **state)
{
    world_t *world = *state;

    assert_int_equal(ua_db_literal(&world->ctx, "spoil", "BEGIN"), APR_SUCCESS);
    assert_int_equal(ua_db_begin(&world->ctx, UA_SERIALIZABLE), APR_EGENERAL);
    assert_null(world->ctx.db);
    assert_int_equal(ua_db_begin(&world->ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(world_insert(&world->ctx, "a", 1), APR_SUCCESS);
    assert_int_equal(ua_db_commit(&world->ctx), APR_SUCCESS);
    assert_int_equal(world_stored(world), 1);
}

#define WRITERS 6
#define ROUNDS  20

typedef struct run_t {
    world_t *world;
    apr_pool_t *pool;
    apr_status_t rv;
    int reads_before;
} run_t;

static apr_status_t read_high(ua_row_t *row, ua_ctx_t *ctx)
{
    return ua_db_one(row, ctx, &world_queries[HIGH], NULL);
}

/* A transaction that depends on what it reads, with a read before it or without. */
static apr_status_t add_one(ua_ctx_t *ctx, int reads_before)
{
    ua_row_t row = NULL;

    UA_CHECK(reads_before ? read_high(&row, ctx) : APR_SUCCESS);
    UA_CHECK(ua_db_begin(ctx, UA_SERIALIZABLE));
    UA_CHECK(read_high(&row, ctx));
    UA_CHECK(ua_db_exec(ctx, NULL, &world_queries[BUMP], UA_ARGS(ua_n(ua_row_number(row, 0)))));
    return ua_db_commit(ctx);
}

static void *APR_THREAD_FUNC writer_main(apr_thread_t *thread, void *data)
{
    run_t *run = data;

    (void)thread;
    for (int i = 0; i < ROUNDS && run->rv == APR_SUCCESS; i++) {
        ua_ctx_t ctx = {.dbs = run->world->dbs, .pool = run->pool};
        run->rv = add_one(&ctx, run->reads_before);
        ua_db_release(&ctx);
        apr_pool_clear(run->pool);
    }
    return NULL;
}

/* trap 3: more threads than connections. Did those who wait to write keep a connection from an earlier
 * read, the one whose turn it is could not get one, and the wait would end in APR_TIMEUP. */
static void test_many_writers(void **state)
{
    world_t *world = *state;
    apr_thread_t *threads[WRITERS];
    run_t runs[WRITERS];
    ua_row_t row = NULL;
    apr_status_t ignored;

    assert_int_equal(world_insert(&world->ctx, "a", 0), APR_SUCCESS);
    ua_db_release(&world->ctx);
    for (int i = 0; i < WRITERS; i++) {
        runs[i] = (run_t){world, NULL, APR_SUCCESS, i % 2};
        assert_int_equal(apr_pool_create_unmanaged(&runs[i].pool), APR_SUCCESS);
        assert_int_equal(
            apr_thread_create(&threads[i], NULL, writer_main, &runs[i], world->pool),
            APR_SUCCESS);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(apr_thread_join(&ignored, threads[i]), APR_SUCCESS);
        apr_pool_destroy(runs[i].pool);
        assert_int_equal(runs[i].rv, APR_SUCCESS);
    }
    assert_int_equal(ua_db_one(&row, &world->ctx, &world_queries[HIGH], NULL), APR_SUCCESS);
    assert_int_equal(ua_row_number(row, 0), WRITERS * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commit_and_rollback, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_early_leave, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_failure_inside, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_commit_fails, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_begin_is_busy, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_begin_on_a_bad_connection, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_many_writers, world_setup, world_teardown),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
