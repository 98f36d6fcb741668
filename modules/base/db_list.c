/* db_list.c: the connections of one database, in an apr_reslist of holders.
 *
 * Traps: the list's constructor runs under the list's lock, and a resource still out when the list
 * is destroyed aborts the process (16). So the constructor makes an empty holder, connecting happens
 * in the caller's thread, and the list's pool hangs on no other pool, not even on APR's own root,
 * which apr_terminate() destroys while threads may still run. Called by db.c.
 */
#include "db_conn.h"

#include <string.h>

#define LEASE_WAIT apr_time_from_sec(5)

static int loaded;

apr_status_t ua_db_load(apr_pool_t *pool, const char *driver, const char **why)
{
    const apr_dbd_driver_t *found = NULL;
    apr_status_t rv;

    if (ua_engine_find(driver) == NULL) {
        *why = apr_psprintf(
            pool, "There is no database driver \"%s\": use sqlite3, pgsql or mysql.", driver);
        return APR_EINVAL;
    }
    rv = apr_dbd_init(pool);
    if (rv == APR_SUCCESS) {
        rv = apr_dbd_get_driver(pool, driver, &found);
    }
    if (rv != APR_SUCCESS) {
        *why = apr_psprintf(pool,
                            "The database driver \"%s\" cannot be loaded: install the package "
                            "libaprutil1-dbd-%s.",
                            driver, driver);
        return rv;
    }
    loaded = 1;
    return APR_SUCCESS;
}

/* Both run under the list's lock: no connecting here. */
static apr_status_t holder_make(void **out, void *params, apr_pool_t *pool)
{
    ua_db_t *db = apr_pcalloc(pool, sizeof(*db));

    db->dbs = params;
    db->socket = -1;
    UA_CHECK(apr_pool_create_unmanaged(&db->pool));
    *out = db;
    return ua_db_watch(db);
}

static apr_status_t holder_end(void *resource, void *params, apr_pool_t *pool)
{
    ua_db_t *db = resource;

    (void)params;
    (void)pool;
    ua_db_drop(db);
    ua_db_unwatch(db);
    apr_pool_destroy(db->pool);
    return APR_SUCCESS;
}

apr_status_t ua_dbs_create(ua_dbs_t **out, const ua_dbs_conf_t *conf)
{
    const ua_engine_t *engine = ua_engine_find(conf->driver);
    apr_pool_t *pool = NULL;
    ua_dbs_t *dbs;
    apr_status_t rv;

    if (!loaded || engine == NULL || conf->connections < 1 || conf->queries < 1) {
        return APR_EINVAL;
    }
    UA_CHECK(apr_pool_create_unmanaged(&pool));
    dbs = apr_pcalloc(pool, sizeof(*dbs));
    dbs->pool = pool;
    dbs->conf = *conf;
    dbs->conf.driver = engine->driver;
    dbs->conf.params = ua_dbs_params(pool, engine, conf->params);
    dbs->engine = engine;
    dbs->holders = apr_pcalloc(pool, (apr_size_t)conf->connections * sizeof(void *));
    rv = apr_thread_mutex_create(&dbs->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_dbd_get_driver(pool, engine->driver, &dbs->driver);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_reslist_create(&dbs->list, 0, conf->connections, conf->connections, 0,
                                holder_make, holder_end, dbs, pool);
    }
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return rv;
    }
    apr_reslist_timeout_set(dbs->list, LEASE_WAIT);
    *out = dbs;
    return APR_SUCCESS;
}

void ua_dbs_destroy(ua_dbs_t *dbs)
{
    /* A thread that still works keeps the list alive until the process ends (16). */
    if (dbs == NULL || apr_reslist_acquired_count(dbs->list) > 0) {
        return;
    }
    apr_pool_destroy(dbs->pool);
}

static apr_status_t handle_close(void *data)
{
    ua_db_t *db = data;

    return apr_dbd_close(db->dbs->driver, db->handle);
}

/* By select, since a PRAGMA through apr_dbd_query reports a failure although it worked (6); with
 * random access, so that the driver reads all rows at once. Engines return NULL for no rows. */
static int run_on_connect(ua_db_t *db, const char *sql)
{
    apr_dbd_results_t *results = NULL;
    int rc = 0;

    ua_db_asks(db);
    rc = apr_dbd_select(db->dbs->driver, db->prepare, db->handle, &results, sql, 1);
    ua_db_heard(db);
    return rc;
}

static apr_status_t connect_prepare(ua_ctx_t *ctx, ua_db_t *db)
{
    UA_CHECK(apr_pool_create(&db->prepare, db->pool));
    for (const char *const *sql = db->dbs->engine->connect; *sql != NULL; sql++) {
        int rc = run_on_connect(db, *sql);
        if (rc != 0) {
            const char *text = apr_dbd_error(db->dbs->driver, db->handle, rc);
            ctx->failed =
                apr_psprintf(ctx->pool, "connect: %s error %d: %s", db->dbs->conf.driver, rc,
                             ua_db_error_text(ctx->pool, text));
            return APR_EGENERAL;
        }
    }
    db->prepared =
        apr_pcalloc(db->pool, (apr_size_t)db->dbs->conf.queries * sizeof(*db->prepared));
    return APR_SUCCESS;
}

static apr_status_t connect_open(ua_ctx_t *ctx, ua_db_t *db)
{
    const ua_dbs_t *dbs = db->dbs;
    const char *text = NULL;
    apr_dbd_t *handle = NULL;
    apr_status_t rv = apr_dbd_open_ex(dbs->driver, db->pool, dbs->conf.params, &handle, &text);

    if (rv != APR_SUCCESS) {
        ctx->failed = apr_psprintf(ctx->pool, "connect: %s: %s", dbs->conf.driver,
                                   ua_db_connect_text(ctx->pool, text));
        return rv;
    }
    db->handle = handle;
    ua_db_socket(db, dbs->engine->opened(apr_dbd_native_handle(dbs->driver, handle)));
    apr_pool_cleanup_register(db->pool, db, handle_close, apr_pool_cleanup_null);
    return connect_prepare(ctx, db);
}

/* One failed connect tells all for a second: with a database that is down, nobody waits in turn. */
static apr_status_t holder_connect(ua_ctx_t *ctx, ua_db_t *db)
{
    apr_time_t until = db->dbs->retry_at;
    apr_time_t now = apr_time_now();
    apr_status_t rv;

    if (now < until && until - now <= UA_CONNECT_PAUSE) {
        return ua_fail(ctx, APR_EGENERAL,
                       "connect: not tried again within a second of a failure");
    }
    rv = connect_open(ctx, db);
    if (rv != APR_SUCCESS) {
        ua_db_drop(db);
        db->dbs->retry_at = apr_time_now() + UA_CONNECT_PAUSE;
    }
    return rv;
}

static apr_status_t lease_end(void *data)
{
    ua_dbs_give_back(data);
    return APR_SUCCESS;
}

apr_status_t ua_dbs_lease(ua_ctx_t *ctx)
{
    void *resource = NULL;
    ua_db_t *db = ctx->db;
    apr_status_t rv;

    /* A holder that the pool's cleanup gave back is no longer ours. */
    if (db != NULL && db->ctx == ctx) {
        return APR_SUCCESS;
    }
    ctx->db = NULL;
    rv = apr_reslist_acquire(ctx->dbs->list, &resource);
    if (rv != APR_SUCCESS) {
        return ua_fail(ctx, rv, "connect: all connections are in use");
    }
    db = resource;
    db->ctx = ctx;
    db->broken = 0;
    db->owner = ctx->pool;
    apr_pool_cleanup_register(db->owner, db, lease_end, apr_pool_cleanup_null);
    if (db->handle == NULL) {
        rv = holder_connect(ctx, db);
    }
    if (rv != APR_SUCCESS) {
        ua_dbs_give_back(db);
        return rv;
    }
    ctx->db = db;
    return APR_SUCCESS;
}

void ua_db_unlock(ua_db_t *db)
{
    if (db->writing) {
        db->writing = 0;
        ua_lock_leave(db->dbs->conf.writer);
    }
}

void ua_db_drop(ua_db_t *db)
{
    if (db->handle != NULL) {
        ua_db_socket(db, -1);
        apr_pool_destroy(db->prepare);
        apr_pool_cleanup_run(db->pool, db, handle_close);
    }
    db->handle = NULL;
    db->prepare = NULL;
    db->prepared = NULL;
    apr_pool_clear(db->pool);
}

/* Plain ROLLBACK: a transaction left open would be committed by apr_dbd's own cleanup (1). */
static void undo(ua_db_t *db)
{
    int rows = 0;

    ua_db_asks(db);
    if (db->handle != NULL &&
        apr_dbd_query(db->dbs->driver, db->handle, &rows, "ROLLBACK") != 0) {
        ua_db_drop(db);
    }
    ua_db_heard(db);
    db->open = 0;
}

void ua_dbs_give_back(ua_db_t *db)
{
    ua_dbs_t *dbs = db->dbs;

    if (db->open) {
        undo(db);
    }
    ua_db_unlock(db);
    apr_pool_cleanup_kill(db->owner, db, lease_end);
    db->owner = NULL;
    db->ctx = NULL;
    (void)apr_reslist_release(dbs->list, db);
}
