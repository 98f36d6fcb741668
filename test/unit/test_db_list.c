/* test_db_list.c: the list of connections: lazily made, bounded, emptied after errors.
 *
 * Traps 3, 6, 13 and 16 of apr_dbd and apr_reslist, each named where it would show.
 */
#include "db_world.h"
#include "base/db_conn.h"

#include <apr_thread_proc.h>

static const ua_query_t foreign_keys = {OUTSIDE, "foreign_keys", "PRAGMA foreign_keys"};
static const ua_query_t journal_mode = {ODD, "journal_mode", "PRAGMA journal_mode"};
static const ua_query_t synchronous = {LESS, "synchronous", "PRAGMA synchronous"};
static const ua_query_t busy_timeout = {EMPTY, "busy_timeout", "PRAGMA busy_timeout"};
static const ua_query_t cache_size = {EMPTY, "cache_size", "PRAGMA cache_size"};
static const ua_query_t cache_spill = {EMPTY, "cache_spill", "PRAGMA cache_spill"};

static void test_load(void **state)
{
    world_t *world = *state;
    const char *why = NULL;

    assert_int_equal(ua_db_load(world->pool, "oracle", &why), APR_EINVAL);
    assert_non_null(strstr(why, "use sqlite3, pgsql or mysql"));
    why = NULL;
    if (ua_db_load(world->pool, "mysql", &why) != APR_SUCCESS) {
        assert_non_null(strstr(why, "install the package libaprutil1-dbd-mysql"));
    }
}

static void test_create_refuses(void **state)
{
    static const struct {
        const char *comment;
        ua_dbs_conf_t conf;
    } rows[] = {
        {"no connection", {"sqlite3", "x", 0, 1, NULL}},
        {"no statement", {"sqlite3", "x", 1, 0, NULL}},
        {"no such driver", {"oracle", "x", 1, 1, NULL}},
    };

    ua_dbs_t *dbs = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ua_dbs_create(&dbs, &rows[i].conf), APR_EINVAL);
        assert_null(dbs);
    }
    ua_dbs_destroy(NULL);
}

static int exists(const world_t *world, const char *path)
{
    apr_finfo_t info;

    return apr_stat(&info, path, APR_FINFO_TYPE, world->pool) == APR_SUCCESS;
}

/* trap 13: nothing is opened before the first statement, which may be after a fork. */
static void test_connects_late(void **state)
{
    world_t *world = *state;
    const char *usual = world->path;
    ua_dbs_t *dbs;
    ua_ctx_t ctx;

    world->path = apr_pstrcat(world->pool, world->folder, "/late", NULL);
    dbs = world_list(world, 1);
    ctx = world_context(dbs, world->pool);
    assert_false(exists(world, world->path));
    assert_int_equal(ua_dbs_lease(&ctx), APR_SUCCESS);
    assert_true(exists(world, world->path));
    ua_db_release(&ctx);
    ua_dbs_destroy(dbs);
    assert_int_equal(apr_file_remove(world->path, world->pool), APR_SUCCESS);
    world->path = usual;
}

/* trap 6: the settings are made by select, on every connection. */
static void test_settings(void **state)
{
    world_t *world = *state;
    ua_ctx_t both[2] = {world_context(world->dbs, world->pool),
                        world_context(world->dbs, world->pool)};

    const struct {
        const ua_query_t *query;
        const char *expected;
    } rows[] = {{&foreign_keys, "1"},   {&journal_mode, "wal"}, {&synchronous, "2"},
                {&busy_timeout, "200"}, {&cache_size, "20"},    {&cache_spill, "500"}};

    ua_row_t row = NULL;

    ua_db_release(&world->ctx);
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int j = 0; j < 2; j++) {
            assert_int_equal(ua_db_one(&row, &both[j], rows[i].query, NULL), APR_SUCCESS);
            assert_string_equal(row[0], rows[i].expected);
        }
    }
    assert_ptr_not_equal(both[0].db, both[1].db);
    ua_db_release(&both[0]);
    ua_db_release(&both[1]);
}

static void test_reuse_and_drop(void **state)
{
    world_t *world = *state;
    ua_ctx_t *ctx = &world->ctx;
    const apr_dbd_t *handle;
    const ua_db_t *db;

    assert_int_equal(ua_dbs_lease(ctx), APR_SUCCESS);
    db = ctx->db;
    handle = ctx->db->handle;
    assert_int_equal(ua_dbs_lease(ctx), APR_SUCCESS);
    assert_ptr_equal(ctx->db, db);
    assert_int_equal(apr_reslist_acquired_count(world->dbs->list), 1);
    ua_db_release(ctx);
    assert_int_equal(apr_reslist_acquired_count(world->dbs->list), 0);
    assert_int_equal(ua_dbs_lease(ctx), APR_SUCCESS);
    assert_ptr_equal(ctx->db, db);
    assert_ptr_equal(ctx->db->handle, handle);
    ua_db_drop(ctx->db);
    assert_null(ctx->db->handle);
    ua_db_drop(ctx->db);
    ua_db_release(ctx);
    assert_int_equal(world_insert(ctx, "a", 1), APR_SUCCESS);
    assert_int_equal(world_stored(world), 1);
}

/* A pool that ends gives the connection back; the context then leases anew and does not use one that
 * is somebody else's by now. */
static void test_pool_ends(void **state)
{
    world_t *world = *state;
    ua_ctx_t other = world_context(world->dbs, world->pool);

    assert_int_equal(ua_dbs_lease(&world->ctx), APR_SUCCESS);
    apr_pool_clear(world->ctx.pool);
    assert_int_equal(apr_reslist_acquired_count(world->dbs->list), 0);
    assert_int_equal(ua_dbs_lease(&other), APR_SUCCESS);
    assert_int_equal(ua_dbs_lease(&world->ctx), APR_SUCCESS);
    assert_ptr_not_equal(world->ctx.db, other.db);
    ua_db_release(&other);
    assert_int_equal(apr_reslist_acquired_count(world->dbs->list), 1);
}

static void test_all_in_use(void **state)
{
    world_t *world = *state;
    ua_dbs_t *dbs = world_list(world, 1);
    ua_ctx_t one = world_context(dbs, world->pool);
    ua_ctx_t two = world_context(dbs, world->pool);

    apr_reslist_timeout_set(dbs->list, apr_time_from_msec(1));
    assert_int_equal(ua_dbs_lease(&one), APR_SUCCESS);
    assert_int_equal(ua_dbs_lease(&two), APR_TIMEUP);
    assert_null(two.db);
    assert_non_null(two.failed);
    ua_db_release(&one);
    assert_int_equal(ua_dbs_lease(&two), APR_SUCCESS);
    ua_db_release(&two);
    ua_dbs_destroy(dbs);
}

/* trap 13: mode=rw makes no database. After a failed connect nobody tries for a second. */
static void test_fails_fast(void **state)
{
    world_t *world = *state;
    const char *usual = world->path;
    ua_dbs_t *dbs;
    ua_ctx_t ctx;

    world->path = apr_pstrcat(world->pool, "file:", world->folder, "/none?mode=rw", NULL);
    dbs = world_list(world, 1);
    world->path = usual;
    ctx = world_context(dbs, world->pool);
    assert_int_equal(world_insert(&ctx, "a", 1), APR_EGENERAL);
    assert_string_equal(ctx.failed, "connect: sqlite3: unable to open database file");
    assert_true(world_writer_is_free(world));
    dbs->retry_at = apr_time_now() + apr_time_from_msec(900);
    assert_int_equal(world_insert(&ctx, "a", 1), APR_EGENERAL);
    assert_non_null(strstr(ctx.failed, "not tried again"));
    dbs->retry_at = apr_time_now();
    assert_int_equal(world_insert(&ctx, "a", 1), APR_EGENERAL);
    assert_non_null(strstr(ctx.failed, "unable to open"));
    dbs->retry_at = apr_time_now() + apr_time_from_sec(3600); /* a clock that was set back */
    assert_int_equal(world_insert(&ctx, "a", 1), APR_EGENERAL);
    assert_non_null(strstr(ctx.failed, "unable to open"));
    assert_int_equal(apr_reslist_acquired_count(dbs->list), 0);
    ua_dbs_destroy(dbs);
}

/* trap 16: a lease that is out keeps the list alive instead of aborting the process. */
static void test_destroy_in_use(void **state)
{
    world_t *world = *state;
    ua_dbs_t *dbs = world_list(world, 1);
    ua_ctx_t ctx = world_context(dbs, world->pool);

    assert_int_equal(world_insert(&ctx, "a", 1), APR_SUCCESS);
    ua_dbs_destroy(dbs);
    assert_int_equal(world_insert(&ctx, "b", 1), APR_SUCCESS);
    ua_db_release(&ctx);
    ua_dbs_destroy(dbs);
    assert_int_equal(world_stored(world), 2);
}

typedef struct late_t {
    ua_ctx_t ctx;
    apr_status_t rv;
} late_t;

static void *APR_THREAD_FUNC late_main(apr_thread_t *thread, void *data)
{
    late_t *late = data;

    (void)thread;
    late->rv = ua_dbs_lease(&late->ctx);
    ua_db_release(&late->ctx);
    return NULL;
}

/* trap 16: somebody connecting does not hold the list's lock. Connecting is made to wait here for a
 * transaction of ours; were the lock held, acquired_count() would return only after it gave up. */
static void test_connects_outside_the_lock(void **state)
{
    static const char *const slow_connect[] = {"PRAGMA busy_timeout=0", "BEGIN IMMEDIATE",
                                               "COMMIT", NULL};
    ua_engine_t slow = *ua_engine_find("sqlite3");
    world_t *world = *state;
    late_t late = {{.dbs = world->dbs}, APR_EGENERAL};
    apr_thread_t *thread = NULL;
    apr_status_t ignored;

    assert_int_equal(ua_db_begin(&world->ctx, UA_SERIALIZABLE), APR_SUCCESS);
    slow.connect = slow_connect;
    world->dbs->engine = &slow;
    assert_int_equal(apr_pool_create_unmanaged(&late.ctx.pool), APR_SUCCESS);
    assert_int_equal(apr_thread_create(&thread, NULL, late_main, &late, world->pool),
                     APR_SUCCESS);
    while (apr_reslist_acquired_count(world->dbs->list) < 2) {
        apr_thread_yield();
    }
    ua_db_rollback(&world->ctx);
    assert_int_equal(apr_thread_join(&ignored, thread), APR_SUCCESS);
    apr_pool_destroy(late.ctx.pool);
    assert_int_equal(late.rv, APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_load, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_create_refuses, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_connects_late, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_settings, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_reuse_and_drop, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_pool_ends, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_all_in_use, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_fails_fast, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_destroy_in_use, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_connects_outside_the_lock, world_setup,
                                        world_teardown),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
