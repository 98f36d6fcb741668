/* db_world.h: a folder, a database and a list of connections for the tests of db*.c.
 *
 * Every test has its own world, made by world_setup() and removed by world_teardown(). The
 * statements here are numbered as the list wants them.
 */
#ifndef DB_WORLD_H
#define DB_WORLD_H

#include "base/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

enum {
    INSERT,
    GET,
    LIST,
    TYPES,
    BUMP,
    EMPTY,
    LIKE,
    ABSENT,
    LESS,
    CHILD,
    ODD,
    HIGH,
    OUTSIDE,
    QUERIES
};

static const ua_query_t world_queries[] = {
    {INSERT, "t_insert", "INSERT INTO t (k, v, n) VALUES (%s, %s, %lld)"},
    {GET, "t_get", "SELECT k, v, n FROM t WHERE k = %s"},
    {LIST, "t_list", "SELECT k, n FROM t ORDER BY k LIMIT 100"},
    {TYPES, "t_types", "SELECT typeof(v), typeof(n), length(v) FROM t WHERE k = %s"},
    {BUMP, "t_bump", "UPDATE t SET n = n + 1 WHERE n = %lld"},
    {EMPTY, "t_empty", "SELECT NULL, '', 7"},
    {LIKE, "t_like", "SELECT k FROM t WHERE k LIKE 'a%%' AND n = %lld"},
    {ABSENT, "t_absent", "SELECT k FROM absent"},
    {LESS, "t_less", "SELECT 1 WHERE 7 < 5 + %lld"},
    {CHILD, "c_insert", "INSERT INTO c (k) VALUES (%s)"},
    {ODD, "t_odd", "SELECT %d"},
    {HIGH, "t_high", "SELECT MAX(n) FROM t"},
    {OUTSIDE, "t_outside", "SELECT 1"},
};

typedef struct world_t {
    apr_pool_t *pool;
    char folder[64];
    const char *path;
    ua_lock_t *writer;
    ua_dbs_t *dbs;
    ua_ctx_t ctx;
} world_t;

static const char *const world_tables[] = {
    "CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL, n BIGINT NOT NULL)",
    "CREATE TABLE c (k TEXT NOT NULL REFERENCES t (k) DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TRIGGER r BEFORE INSERT ON t WHEN NEW.k = 'raise' BEGIN "
    "SELECT RAISE(ABORT, 'Key (email)=(mike@example.org) already exists'); END",
};

static inline ua_dbs_t *world_list(const world_t *world, int connections)
{
    ua_dbs_conf_t conf = {"sqlite3", world->path, connections, QUERIES, world->writer};
    ua_dbs_t *dbs = NULL;

    assert_int_equal(ua_dbs_create(&dbs, &conf), APR_SUCCESS);
    return dbs;
}

static inline ua_ctx_t world_context(ua_dbs_t *dbs, apr_pool_t *parent)
{
    ua_ctx_t ctx = {.dbs = dbs};

    assert_int_equal(apr_pool_create(&ctx.pool, parent), APR_SUCCESS);
    return ctx;
}

static inline int world_setup(void **state)
{
    world_t *world = calloc(1, sizeof(*world));
    const char *why = NULL;

    assert_non_null(world);
    assert_int_equal(apr_pool_create(&world->pool, NULL), APR_SUCCESS);
    apr_cpystrn(world->folder, "/tmp/ua-test-db-XXXXXX", sizeof(world->folder));
    assert_non_null(mkdtemp(world->folder));
    world->path = apr_pstrcat(world->pool, world->folder, "/db", NULL);
    assert_int_equal(ua_db_load(world->pool, "sqlite3", &why), APR_SUCCESS);
    assert_int_equal(ua_lock_init(&world->writer, aligned_alloc(64, ua_lock_size())),
                     APR_SUCCESS);
    world->dbs = world_list(world, 2);
    world->ctx = world_context(world->dbs, world->pool);
    for (size_t i = 0; i < COUNT(world_tables); i++) {
        assert_int_equal(ua_db_literal(&world->ctx, "setup", world_tables[i]), APR_SUCCESS);
    }
    *state = world;
    return 0;
}

static inline int world_teardown(void **state)
{
    static const char *const names[] = {"/db", "/db-wal", "/db-shm"};
    world_t *world = *state;

    ua_db_release(&world->ctx);
    ua_dbs_destroy(world->dbs);
    for (size_t i = 0; i < COUNT(names); i++) {
        (void)apr_file_remove(apr_pstrcat(world->pool, world->folder, names[i], NULL),
                              world->pool);
    }
    assert_int_equal(apr_dir_remove(world->folder, world->pool), APR_SUCCESS);
    apr_pool_destroy(world->pool);
    free(world->writer);
    free(world);
    return 0;
}

static inline apr_status_t world_insert(ua_ctx_t *ctx, const char *key, apr_int64_t number)
{
    return ua_db_exec(ctx, NULL, &world_queries[INSERT],
                      UA_ARGS(ua_s(key), ua_s("v"), ua_n(number)));
}

/* How many rows another context sees. */
static inline int world_stored(world_t *world)
{
    ua_ctx_t ctx = world_context(world->dbs, world->pool);
    apr_array_header_t *rows = NULL;
    int count;

    assert_int_equal(ua_db_all(&rows, &ctx, &world_queries[LIST], NULL), APR_SUCCESS);
    count = rows->nelts;
    ua_db_release(&ctx);
    apr_pool_destroy(ctx.pool);
    return count;
}

static inline int world_writer_is_free(world_t *world)
{
    if (ua_lock_enter(world->writer, 0) != APR_SUCCESS) {
        return 0;
    }
    ua_lock_leave(world->writer);
    return 1;
}

#endif
