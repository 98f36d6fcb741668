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
#include <apr_thread_mutex.h>

typedef struct ua_db_t ua_db_t;

/* A connection parameter that is added unless the operator gave one; a `fixed` one may not be another. */
typedef struct ua_param_t {
    const char *name;
    const char *value;
    int fixed;
} ua_param_t;

/* What differs between engines. Nothing else in base/ may assume one. */
typedef struct ua_engine_t {
    const char *driver;
    const char *const *begin[3]; /* by ua_isolation_e; NULL-ended */
    /* What an error is: APR_TIMEUP, UA_CONFLICT, else APR_EGENERAL. */
    apr_status_t (*judge)(int rc, const char *text);
    int (*opened)(void *connection); /* the native one, just made: its socket, or -1 */
    const char *const *connect;      /* run on each new connection; NULL-ended */
    const ua_param_t *params;        /* ended by one without a name */
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
    apr_thread_mutex_t *mutex;   /* of all below, and of every holder's socket */
    ua_db_t **holders;
    int made;
};

struct ua_db_t {
    ua_dbs_t *dbs;
    apr_pool_t *pool;    /* all of one connection; cleared when it is dropped */
    apr_pool_t *prepare; /* statements: a child of `pool`, so that they go before the handle */
    apr_dbd_t *handle;   /* NULL: not connected */
    ua_prepared_t *prepared;     /* by ua_query_t.index */
    apr_pool_t *owner;           /* the pool whose cleanup gives it back */
    const ua_ctx_t *_Atomic ctx; /* who leases it; only compared */
    int open;                    /* between BEGIN and its end */
    int broken;                  /* a statement of the open transaction failed */
    int writing;                 /* holds the writer's lock */
    int socket;                  /* of the connection, or -1 */
    _Atomic apr_time_t asked;    /* when a call began that has not come back, or 0 */
};

/* "sn" for "... %s ... %lld": what apr_dbd will read behind the pointers it is given. NULL for any
 * other conversion; %% is a plain percent sign. */
const char *ua_db_kinds(apr_pool_t *pool, const char *sql);

/* Pointers to the values as apr_dbd wants them, or NULL when they do not fit the statement. */
const void **ua_db_bound(apr_pool_t *pool, const char *kinds, const ua_arg_t *args);

/* NULL for a driver that is not known. */
const ua_engine_t *ua_engine_find(const char *driver);

/* The parameters with the engine's own, as words or, behind a URI, in its query. */
const char *ua_dbs_params(apr_pool_t *pool, const ua_engine_t *engine, const char *params);

/* Makes ctx->db a connected holder; keeps the one the context has. APR_TIMEUP: all are in use. */
apr_status_t ua_dbs_lease(ua_ctx_t *ctx) UA_MUST_USE;

/* Closes the connection, which undoes an open transaction. The holder stays leased. */
void ua_db_drop(ua_db_t *db);

/* db_stuck.c: a holder is made and ended; it has this socket from now on; a call to its server begins and is over. */
apr_status_t ua_db_watch(ua_db_t *db);
void ua_db_unwatch(ua_db_t *db);
void ua_db_socket(ua_db_t *db, int socket);
void ua_db_asks(ua_db_t *db);
void ua_db_heard(ua_db_t *db);

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
