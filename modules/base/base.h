/* base.h: the contract of the base layer.
 *
 * What every layer shares: the context of one request or job, and the handful of functions that
 * the host (httpd, a test, the command line) hands in. base/ knows no account, no page and no
 * web server. It never logs: a failure is a status, and ua_fail() says in ctx->failed what failed.
 * Statuses everywhere: APR_SUCCESS, APR_NOTFOUND, APR_EEXIST, APR_EACCES (refused), APR_EINVAL
 * (malformed), APR_TIMEUP and APR_EAGAIN (busy); everything else is a failure of the machine.
 */
#ifndef UA_BASE_H
#define UA_BASE_H

#include <apr_pools.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <apr_time.h>

/* Passes a failure on to the caller. One block only: clang-tidy counts them as nesting. */
#define UA_CHECK(call)                                                                         \
    do {                                                                                       \
        apr_status_t ua_rv_ = (call);                                                          \
        if (ua_rv_ != APR_SUCCESS)                                                             \
            return ua_rv_;                                                                     \
    } while (0)

#define UA_MUST_USE __attribute__((warn_unused_result))

struct ua_conf_t;
struct ua_keys_t;
struct ua_db_t;
struct ua_dbs_t;
struct ua_slots_t;
struct ua_jwt_keys_t;
struct ua_range_t;
struct ua_generations_t;

/* Log levels: the numbers of syslog and of httpd. */
typedef enum {
    UA_LOG_ERR = 3,
    UA_LOG_WARNING = 4,
    UA_LOG_NOTICE = 5,
    UA_LOG_INFO = 6,
    UA_LOG_DEBUG = 7
} ua_level_e;

/* The server's own log and event log. `line` is one line without its line end. */
typedef struct ua_host_t {
    void *baton;
    void (*log)(void *baton, ua_level_e level, const char *line);
    void (*event)(void *baton, const char *line);
} ua_host_t;

/* A source of values that a retry draws again: see crypto.h, ua_draw(). */
typedef struct ua_draw_t {
    unsigned char seed[32];
    apr_uint64_t count;
    apr_uint64_t start; /* where a retry begins again: behind the request's own id */
} ua_draw_t;

/* One request or one job, from start to end. Everything it makes lives in `pool`. */
typedef struct ua_ctx_t {
    apr_pool_t *pool;
    apr_time_t
        now; /* microseconds since 1970; read once, so that a retry writes the same rows */
    const struct ua_conf_t *conf;
    const struct ua_keys_t *keys;
    struct ua_dbs_t *dbs;                 /* where connections come from */
    struct ua_db_t *db;                   /* the connection in use, or NULL */
    struct ua_jwt_keys_t *jwt;            /* keys that sign API tokens */
    struct ua_range_t *range;             /* the look-up of leaked passwords, or NULL */
    volatile apr_uint32_t *mail_cause;    /* ua_app_t's */
    struct ua_slots_t *slots;             /* the bound on concurrent password hashes */
    int slot;                             /* the one held, or -1 */
    struct ua_generations_t *generations; /* all children's, or NULL */
    apr_array_header_t
        *changed; /* const char *: accounts to tell them of, or NULL (generation.h) */
    ua_draw_t draw;
    const char *id;            /* of this request: a UUID, the same on every retry */
    const char *address;       /* of the client, "" for a job */
    const char *agent;         /* its User-Agent, "" without one */
    apr_array_header_t *lines; /* const char *: event lines to write after COMMIT */
    const char
        *failed; /* after a failure: what failed, for the log; holds no value of a person */
    const char *warning; /* what the log should tell although nothing failed, or NULL */
} ua_ctx_t;

/* Says what failed and passes the status on: return ua_fail(ctx, rv, "account_insert"). */
apr_status_t ua_fail(ua_ctx_t *ctx, apr_status_t rv, const char *what);

#endif
