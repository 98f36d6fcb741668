/* db_conn.h: what db.c, db_list.c and db_error.c share; nobody else includes it, tests excepted.
 *
 * A holder (ua_db_t) is the resource of the list. It is made empty, connects when it is first
 * leased and is emptied again by ua_db_drop() after any error, so that a sick connection is never
 * used twice. While leased, a holder belongs to one context and so to one thread.
 */
#ifndef UA_DB_CONN_H
#define UA_DB_CONN_H

#include "db.h"

#include <apr_dbd.h>
#include <apr_reslist.h>

typedef struct ua_db_t ua_db_t;

/* What differs between engines. Nothing else in base/ may assume one. */
typedef struct ua_engine_t {
    const char *driver;
    const char *begin;          /* starts a transaction that may write */
    const char *limit_name;     /* a parameter that bounds connecting, or NULL */
    const char *limit;          /* added unless the operator gave one */
    int busy;                   /* the driver's number for "another one writes", or 0 */
    const char *const *connect; /* run on each new connection; NULL-ended */
} ua_engine_t;

/* A prepared statement and the kinds of its values: 's' or 'n' each. */
typedef struct ua_prepared_t {
    apr_dbd_prepared_t *statement;
    const char *kinds;
} ua_prepared_t;

struct ua_dbs_t {
    apr_pool_t *pool;
    ua_dbs_conf_t conf;
    const ua_engine_t *engine;
    const apr_dbd_driver_t *driver;
    apr_reslist_t *list;
    _Atomic apr_time_t retry_at; /* nobody connects before */
};

struct ua_db_t {
    ua_dbs_t *dbs;
    apr_pool_t *pool;    /* all of one connection; cleared when it is dropped */
    apr_pool_t *prepare; /* statements: a child of `pool`, so that they go before the handle */
    apr_dbd_t *handle;   /* NULL: not connected */
    ua_prepared_t *prepared; /* by ua_query_t.index */
    apr_pool_t *owner;       /* the pool whose cleanup gives it back */
    const ua_ctx_t *ctx;     /* who leases it; compared, never followed */
    int open;                /* between BEGIN and its end */
    int writing;             /* holds the writer's lock */
};

/* "sn" for "... %s ... %lld": what apr_dbd will read behind the pointers it is given. NULL for any
 * other conversion; %% is a plain percent sign. */
const char *ua_db_kinds(apr_pool_t *pool, const char *sql);

/* Pointers to the values as apr_dbd wants them, or NULL when they do not fit the statement. */
const void **ua_db_bound(apr_pool_t *pool, const char *kinds, const ua_arg_t *args);

/* The parameters with the engine's bound on connecting, as a word or, behind a URI, as its query. */
const char *ua_dbs_params(apr_pool_t *pool, const ua_engine_t *engine, const char *params);

/* Makes ctx->db a connected holder; keeps the one the context has. APR_TIMEUP: all are in use. */
apr_status_t ua_dbs_lease(ua_ctx_t *ctx) UA_MUST_USE;

/* Closes the connection, which undoes an open transaction. The holder stays leased. */
void ua_db_drop(ua_db_t *db);

/* Leaves the writer's lock, if held. */
void ua_db_unlock(ua_db_t *db);

/* Ends the lease; undoes an open transaction first. */
void ua_dbs_give_back(ua_db_t *db);

/* A driver's error text without the values of people: one line, up to the first quote, bracket or
 * line end (PRIV-03). */
const char *ua_db_error_text(apr_pool_t *pool, const char *text);

/* The same for a failed connect, where what follows a quoted name is the cause: quoted parts become
 * "..." (a malformed parameter is quoted, and may be a password). */
const char *ua_db_connect_text(apr_pool_t *pool, const char *text);

#endif
