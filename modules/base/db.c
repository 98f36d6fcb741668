/* db.c: statements and transactions on a leased connection. db_list.c owns the connections.
 *
 * Traps of apr_dbd met here: its transactions commit what was never ended and may crash on a dead
 * backend, so BEGIN, COMMIT and ROLLBACK are plain statements (1, 2); a statement that failed once
 * may fail for good, so a connection does not survive an error (4, 5); numbers are bound typed (7);
 * a return code is read before a row count (1); a NULL column may come back as NULL (8).
 */
#include "db_conn.h"
#include "generation.h"

#include <string.h>

#define WRITER_WAIT apr_time_from_sec(5)
#define ENDS        " \t\r\n;"

/* The driver of a leased connection. */
static const apr_dbd_driver_t *driver_of(const ua_ctx_t *ctx)
{
    return ctx->db->dbs->driver;
}

apr_int64_t ua_row_number(ua_row_t row, int column)
{
    return apr_atoi64(row[column]);
}

void ua_db_release(ua_ctx_t *ctx)
{
    ua_db_t *db = ctx->db;

    ua_generation_publish(ctx);
    ctx->db = NULL;
    if (db != NULL && db->ctx == ctx) {
        ua_dbs_give_back(db);
    }
}

/* 1 while the context is between BEGIN and its end, healthy or not. */
static int in_transaction(const ua_ctx_t *ctx)
{
    return ctx->db != NULL && ctx->db->ctx == ctx && ctx->db->open;
}

/* Drops the connection, but for a conflict, which harms none. Inside a transaction the holder stays with the context,
 * so that what follows is refused instead of being committed on its own by a fresh connection. */
static apr_status_t failed(ua_ctx_t *ctx, const char *label, int rc)
{
    ua_db_t *db = ctx->db;
    const char *text = apr_dbd_error(driver_of(ctx), db->handle, rc);
    apr_status_t what = db->dbs->engine->judge(rc, text ? text : "");

    ctx->failed = apr_psprintf(ctx->pool, "%s: %s error %d: %s", label, db->dbs->conf.driver,
                               rc, ua_db_error_text(ctx->pool, text));
    db->broken = 1;
    if (what != UA_CONFLICT || !db->open) {
        ua_db_drop(db);
    }
    ua_db_unlock(db);
    if (!db->open) {
        ua_db_release(ctx);
    }
    return what == APR_SUCCESS ? APR_EGENERAL : what; /* a failure, whatever an engine says */
}

/* A connection to run something on. In a transaction that failed, ctx->failed keeps the cause. */
static apr_status_t ready(ua_ctx_t *ctx)
{
    if (in_transaction(ctx) && ctx->db->broken) {
        return APR_EGENERAL;
    }
    return ua_dbs_lease(ctx);
}

/* The same for something that writes: with the writer's lock, where the engine has one. Nobody waits
 * for that lock with a connection in hand: its owner may need one, and so do those who read. */
static apr_status_t ready_to_write(ua_ctx_t *ctx)
{
    ua_lock_t *writer = ctx->dbs->conf.writer;
    apr_status_t rv;

    if (writer == NULL || in_transaction(ctx)) {
        return ready(ctx);
    }
    ua_db_release(ctx);
    rv = ua_lock_enter(writer, WRITER_WAIT);
    if (rv != APR_SUCCESS) {
        return ua_fail(ctx, rv, "another one writes to the database");
    }
    rv = ua_dbs_lease(ctx);
    if (rv != APR_SUCCESS) {
        ua_lock_leave(writer);
        return rv;
    }
    ctx->db->writing = 1;
    return APR_SUCCESS;
}

/* A single statement has ended; a transaction keeps the lock until its own end. */
static void written(const ua_ctx_t *ctx)
{
    if (!ctx->db->open) {
        ua_db_unlock(ctx->db);
    }
}

static apr_status_t prepare(ua_prepared_t *out, ua_ctx_t *ctx, const ua_query_t *query)
{
    ua_db_t *db = ctx->db;
    ua_prepared_t made = {NULL, ua_db_kinds(db->prepare, query->sql)};
    int rc;

    if (made.kinds == NULL) {
        return ua_fail(ctx, APR_EINVAL, query->label);
    }
    ua_db_asks(db);
    rc = apr_dbd_prepare(driver_of(ctx), db->prepare, db->handle, query->sql,
                         apr_psprintf(db->prepare, "ua%d", query->index), &made.statement);
    ua_db_heard(db);
    if (rc != 0) {
        return failed(ctx, query->label, rc);
    }
    *out = db->prepared[query->index] = made;
    return APR_SUCCESS;
}

/* The statement as this connection has it, prepared at its first use. */
static apr_status_t prepared_get(ua_prepared_t *out, ua_ctx_t *ctx, const ua_query_t *query)
{
    const ua_db_t *db = ctx->db;

    if (query->index < 0 || query->index >= db->dbs->conf.queries) {
        return ua_fail(ctx, APR_EINVAL, query->label);
    }
    if (db->prepared[query->index].kinds == NULL) {
        return prepare(out, ctx, query);
    }
    *out = db->prepared[query->index];
    return APR_SUCCESS;
}

/* A statement with pointers to its values. */
typedef struct call_t {
    apr_dbd_prepared_t *statement;
    const void **values;
} call_t;

/* A mistake of the caller is APR_EINVAL and harms no connection. */
static apr_status_t call_make(call_t *out, ua_ctx_t *ctx, const ua_query_t *query,
                              const ua_arg_t *args)
{
    static const ua_arg_t none[] = {{NULL, 0, 1}};
    ua_prepared_t prepared = {NULL, ""};
    const void **values;

    UA_CHECK(prepared_get(&prepared, ctx, query));
    values = ua_db_bound(ctx->pool, prepared.kinds, args ? args : none);
    if (values == NULL) {
        return ua_fail(ctx, APR_EINVAL, query->label);
    }
    *out = (call_t){prepared.statement, values};
    return APR_SUCCESS;
}

static apr_status_t execute(int *rows, ua_ctx_t *ctx, const ua_query_t *query,
                            const ua_arg_t *args)
{
    call_t call = {NULL, NULL};
    int changed = 0;
    int rc;

    UA_CHECK(call_make(&call, ctx, query, args));
    ua_db_asks(ctx->db);
    rc = apr_dbd_pbquery(driver_of(ctx), ctx->pool, ctx->db->handle, &changed, call.statement,
                         call.values);
    ua_db_heard(ctx->db);
    if (rc != 0) {
        return failed(ctx, query->label, rc);
    }
    if (rows != NULL) {
        *rows = changed;
    }
    return APR_SUCCESS;
}

static apr_status_t write_one(int *ran, int *rows, ua_ctx_t *ctx, const ua_query_t *query,
                              const ua_arg_t *args)
{
    apr_status_t rv;

    UA_CHECK(ready_to_write(ctx));
    *ran = 1;
    rv = execute(rows, ctx, query, args);
    if (ctx->db != NULL) {
        written(ctx);
    }
    return rv;
}

/* Alone, a statement is tried once more, as a read is: see ua_db_all(). Those that run outside a
 * transaction are conditional, so that a second time does no harm. */
apr_status_t ua_db_exec(ua_ctx_t *ctx, int *rows, const ua_query_t *query, const ua_arg_t *args)
{
    int alone = !in_transaction(ctx);
    int ran = 0;
    apr_status_t rv = write_one(&ran, rows, ctx, query, args);

    if ((rv == APR_EGENERAL || rv == UA_CONFLICT) && alone && ran) {
        rv = write_one(&ran, rows, ctx, query, args);
    }
    return rv;
}

/* The columns are counted with a row at hand: before the first one PostgreSQL says 0 (7). */
static ua_row_t row_copy(const ua_ctx_t *ctx, apr_dbd_results_t *results, apr_dbd_row_t *row)
{
    int columns = apr_dbd_num_cols(driver_of(ctx), results);
    const char **copy;

    if (columns < 0) {
        columns = 0;
    }
    copy = apr_pcalloc(ctx->pool, ((apr_size_t)columns + 1) * sizeof(*copy));
    for (int i = 0; i < columns; i++) {
        const char *text = apr_dbd_get_entry(driver_of(ctx), row, i);
        copy[i] = text ? apr_pstrdup(ctx->pool, text) : "";
    }
    return copy;
}

/* Rows by number, from 1: the one way that all drivers know for results read at once. */
static int rows_copy(apr_array_header_t *rows, const ua_ctx_t *ctx, apr_pool_t *pool,
                     apr_dbd_results_t *results)
{
    apr_dbd_row_t *row = NULL;
    int rc = results ? 0 : -1;

    for (int number = 1; rc == 0; number++) {
        rc = apr_dbd_get_row(driver_of(ctx), pool, results, &row, number);
        if (rc == 0) {
            APR_ARRAY_PUSH(rows, ua_row_t) = row_copy(ctx, results, row);
        }
    }
    return rc == -1 ? 0 : rc;
}

/* Results read at once ("random"): otherwise PostgreSQL's driver takes a failed select for an empty
 * one, and sleeps 100 ms on every empty one. They live in a pool of their own, gone with them. */
static apr_status_t select_rows(apr_array_header_t *rows, ua_ctx_t *ctx, apr_pool_t *pool,
                                const ua_query_t *query, const ua_arg_t *args)
{
    apr_dbd_results_t *results = NULL;
    call_t call = {NULL, NULL};
    int rc;

    UA_CHECK(call_make(&call, ctx, query, args));
    ua_db_asks(ctx->db);
    rc = apr_dbd_pbselect(driver_of(ctx), pool, ctx->db->handle, &results, call.statement, 1,
                          call.values);
    ua_db_heard(ctx->db);
    if (rc == 0) {
        rc = rows_copy(rows, ctx, pool, results);
    }
    return rc == 0 ? APR_SUCCESS : failed(ctx, query->label, rc);
}

static apr_status_t read_all(int *ran, apr_array_header_t **out, ua_ctx_t *ctx,
                             const ua_query_t *query, const ua_arg_t *args)
{
    apr_array_header_t *rows;
    apr_pool_t *pool = NULL;
    apr_status_t rv;

    UA_CHECK(ready(ctx));
    *ran = 1;
    rows = apr_array_make(ctx->pool, 4, sizeof(ua_row_t));
    UA_CHECK(apr_pool_create(&pool, ctx->pool));
    rv = select_rows(rows, ctx, pool, query, args);
    apr_pool_destroy(pool);
    if (rv == APR_SUCCESS) {
        *out = rows;
    }
    return rv;
}

/* A read outside a transaction is tried once more: after a change of the schema by another process
 * each connection fails once (4). */
apr_status_t ua_db_all(apr_array_header_t **out, ua_ctx_t *ctx, const ua_query_t *query,
                       const ua_arg_t *args)
{
    int alone = !in_transaction(ctx);
    int ran = 0;
    apr_status_t rv = read_all(&ran, out, ctx, query, args);

    if ((rv == APR_EGENERAL || rv == UA_CONFLICT) && alone && ran) {
        rv = read_all(&ran, out, ctx, query, args);
    }
    return rv;
}

apr_status_t ua_db_one(ua_row_t *out, ua_ctx_t *ctx, const ua_query_t *query,
                       const ua_arg_t *args)
{
    apr_array_header_t *rows = NULL;

    UA_CHECK(ua_db_all(&rows, ctx, query, args));
    if (rows->nelts == 0) {
        return APR_NOTFOUND;
    }
    *out = APR_ARRAY_IDX(rows, 0, ua_row_t);
    return APR_SUCCESS;
}

/* Runs one statement. What may stand behind it, a ';' with blanks, SQLite's driver would take for a
 * second, empty one and report as an error (6). */
static apr_status_t plain(ua_ctx_t *ctx, const char *label, const char *sql)
{
    apr_size_t length = strlen(sql);
    int rows = 0;
    int rc;

    while (length > 0 && strchr(ENDS, sql[length - 1]) != NULL) {
        length--;
    }
    ua_db_asks(ctx->db);
    rc = apr_dbd_query(driver_of(ctx), ctx->db->handle, &rows,
                       apr_pstrmemdup(ctx->pool, sql, length));
    ua_db_heard(ctx->db);
    return rc == 0 ? APR_SUCCESS : failed(ctx, label, rc);
}

apr_status_t ua_db_literal(ua_ctx_t *ctx, const char *label, const char *sql)
{
    UA_CHECK(ready_to_write(ctx));
    UA_CHECK(plain(ctx, label, sql));
    written(ctx);
    return APR_SUCCESS;
}

apr_status_t ua_db_begin(ua_ctx_t *ctx, ua_isolation_e isolation)
{
    const char *const *sql = NULL;

    if (in_transaction(ctx)) {
        return ua_fail(ctx, APR_EINVAL, "begin: a transaction is open already");
    }
    UA_CHECK(ready_to_write(ctx));
    for (sql = ctx->db->dbs->engine->begin[isolation]; *sql; sql++) {
        UA_CHECK(plain(ctx, "begin", *sql));
    }
    ctx->db->open = 1;
    ctx->db->broken = 0;
    return APR_SUCCESS;
}

apr_status_t ua_db_commit(ua_ctx_t *ctx)
{
    ua_db_t *db = ctx->db;
    apr_status_t rv = APR_SUCCESS;

    if (!in_transaction(ctx)) {
        return ua_fail(ctx, APR_EINVAL, "commit: no transaction is open");
    }
    if (db->broken) {
        ua_db_release(ctx);
        return APR_EGENERAL;
    }
    db->open = 0; /* a failed COMMIT drops the connection (5) */
    rv = plain(ctx, "commit", "COMMIT");
    ua_generation_publish(ctx);
    UA_CHECK(rv);
    ua_db_unlock(db);
    return APR_SUCCESS;
}

void ua_db_reset(ua_ctx_t *ctx)
{
    if (ctx->db != NULL && ctx->db->ctx == ctx && !ctx->db->open) {
        ua_db_drop(ctx->db);
    }
    ua_db_release(ctx);
}

int ua_db_alone(const ua_ctx_t *ctx)
{
    return ctx->dbs->conf.writer != NULL;
}

void ua_db_rollback(ua_ctx_t *ctx)
{
    if (in_transaction(ctx)) {
        ua_db_release(ctx);
    }
}
