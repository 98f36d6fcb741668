/* db.h: one database behind apr_dbd: a list of connections, statements, transactions.
 *
 * A connection is leased by the first statement of a context and given back by ua_db_release()
 * (or by the pool's cleanup, which rolls an open transaction back first). Statements are prepared
 * lazily, once per connection. After any error the connection is dropped, never reused
 * (apr_dbd: see the traps in db.c). Knows no table: queries come from domain/queries.h.
 */
#ifndef UA_DB_H
#define UA_DB_H

#include "base.h"
#include "lock.h"

#include <errno.h>

typedef struct ua_dbs_t ua_dbs_t;

/* One statement. `index` is unique and below the list's `queries`; `sql` takes %s and %lld. */
typedef struct ua_query_t {
    int index;
    const char *label; /* for the log: "account_insert" */
    const char *sql;
} ua_query_t;

/* One bound value: text when `text` is not NULL, else the number. */
typedef struct ua_arg_t {
    const char *text;
    apr_int64_t number;
    int end;
} ua_arg_t;

static inline ua_arg_t ua_s(const char *text)
{
    ua_arg_t a = {text ? text : "", 0, 0};
    return a;
}

static inline ua_arg_t ua_n(apr_int64_t number)
{
    ua_arg_t a = {NULL, number, 0};
    return a;
}

/* The values of a statement, in order: UA_ARGS(ua_s(id), ua_n(now)). */
#define UA_ARGS(...) ((const ua_arg_t[]){__VA_ARGS__, {NULL, 0, 1}})

/* One row: texts by column, never NULL. ua_row_number() reads a BIGINT. */
typedef const char *const *ua_row_t;
apr_int64_t ua_row_number(ua_row_t row, int column);

typedef struct ua_dbs_conf_t {
    const char *driver; /* "sqlite3", "pgsql", "mysql" */
    const char *params; /* as apr_dbd_open() wants them */
    int connections;    /* at most so many at once; 1..1000 */
    int queries;        /* statements are numbered below this */
    ua_lock_t *writer;  /* held from BEGIN to COMMIT, or NULL where the engine needs none */
} ua_dbs_conf_t;

/* After a failed connect nobody tries again for so long. */
#define UA_CONNECT_PAUSE apr_time_from_sec(1)

/* Makes an empty list; connects to nothing. Its pool is its own and outlives `pool`'s children
 * only through ua_dbs_destroy(); a process may also simply end with it. */
apr_status_t ua_dbs_create(ua_dbs_t **out, const ua_dbs_conf_t *conf) UA_MUST_USE;
void ua_dbs_destroy(ua_dbs_t *dbs);

/* Loads apr_dbd and the driver once, before any child exists. On failure *why says what to do. */
apr_status_t ua_db_load(apr_pool_t *pool, const char *driver, const char **why) UA_MUST_USE;

/* A server answers within this time, or the connection is ended: longer than a statement may take there. */
#define UA_DB_PATIENCE apr_time_from_sec(15)

/* Ends the connections whose server has not answered for so long, and says how many. From any thread. */
int ua_dbs_rescue(ua_dbs_t *dbs, apr_time_t now);

/* What is wrong with the operator's parameters for that driver, or NULL. */
const char *ua_db_params_refusal(apr_pool_t *pool, const char *driver, const char *params);

/* Runs a statement that returns no rows. *rows, when not NULL, is how many it changed.
 * A duplicate key is a failure like any other: look first, and let the retry see it. */
apr_status_t ua_db_exec(ua_ctx_t *ctx, int *rows, const ua_query_t *query,
                        const ua_arg_t *args) UA_MUST_USE;

/* The first row. APR_NOTFOUND when there is none. The rows are always drained. */
apr_status_t ua_db_one(ua_row_t *out, ua_ctx_t *ctx, const ua_query_t *query,
                       const ua_arg_t *args) UA_MUST_USE;

/* All rows, an array of ua_row_t. Bound it with LIMIT. */
apr_status_t ua_db_all(apr_array_header_t **out, ua_ctx_t *ctx, const ua_query_t *query,
                       const ua_arg_t *args) UA_MUST_USE;

/* One literal statement without values and without a trailing ';' (schema steps only). */
apr_status_t ua_db_literal(ua_ctx_t *ctx, const char *label, const char *sql) UA_MUST_USE;

/* READ COMMITTED is for statements that each say under what condition they change a row; UNHURRIED is the same for
 * those that may take their time: steps of the schema. */
typedef enum { UA_READ_COMMITTED, UA_SERIALIZABLE, UA_UNHURRIED } ua_isolation_e;

/* Two transactions can't both be: try the whole once more. */
#define UA_CONFLICT APR_FROM_OS_ERROR(EDEADLK)

/* BEGIN waits for the writer's lock at most 5 s: APR_TIMEUP is "busy". */
apr_status_t ua_db_begin(ua_ctx_t *ctx, ua_isolation_e isolation) UA_MUST_USE;
apr_status_t ua_db_commit(ua_ctx_t *ctx) UA_MUST_USE;
void ua_db_rollback(ua_ctx_t *ctx);

/* Nonzero where one transaction writes at a time, and so nothing has to be held against others. */
int ua_db_alone(const ua_ctx_t *ctx);

/* Gives the connection back closed: after a change of the schema its statements are stale. */
void ua_db_reset(ua_ctx_t *ctx);

/* Gives the connection back, dropped if anything failed on it. Harmless without one. */
void ua_db_release(ua_ctx_t *ctx);

#endif
