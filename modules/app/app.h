/* app.h: the contract of the app layer: one site, from start to end, and one request likewise.
 *
 * The edge (modules/httpd, a test, the command line) makes a ua_app_t for each site at start, gives
 * every process its connections, and hands in requests. Nothing here knows a web server.
 */
#ifndef UA_APP_H
#define UA_APP_H

#include "base/template.h"
#include "features/feature.h"

/* One file of the public prefix's assets/, served from memory. */
typedef struct ua_asset_t {
    const char *name; /* "userauth.1a2b3c4d5e6f.css" */
    const char *type;
    const char *data;
    apr_size_t length;
} ua_asset_t;

/* One site. Immutable once the process serves. */
typedef struct ua_app_t {
    const ua_conf_t *conf;
    const ua_keys_t *keys;
    const ua_templates_t *templates;
    const apr_array_header_t *assets; /* ua_asset_t */
    const char *css, *js, *logo;      /* URL paths of assets; logo may be NULL */
    ua_host_t host;
    struct ua_slots_t *slots; /* the server's bound on hashes, or NULL */
    /* Shared by all children: why mails fail, as it was logged, or how many were refused (jobs_cause.c). */
    volatile apr_uint32_t *mail_cause;
    struct ua_jwt_keys_t *jwt;    /* this process's keys of API tokens */
    struct ua_range_t *range;     /* this process's look-up of leaked passwords, or NULL */
    ua_dbs_t *dbs;                /* this process's connections */
    struct ua_touches_t *touches; /* this process's sessions in use */
    struct ua_generations_t
        *generations; /* shared by all children; NULL: nothing is remembered */
    struct ua_session_cache_t *sessions; /* what this process remembers of sessions, or NULL */
} ua_app_t;

/* settings.c: resolves and checks what the directives say. Reads files named by directives, writes
 * nothing. NULL, or what is wrong and what to do; *row is then the directive's index, or -1. */
const char *ua_settings_resolve(ua_conf_t *conf, apr_pool_t *pool, int *row);

/* app.c: loads templates and assets, reads the keys if they exist. No side effect: this much is done
 * for a configuration test too. NULL, or what is wrong. */
const char *ua_app_create(ua_app_t **out, apr_pool_t *pool, ua_conf_t *conf,
                          const ua_host_t *host, int *row);

/* app.c: makes what is missing (folders are the administrator's): key file and database; brings the
 * schema up to date; checks that keys and database belong together. Needs app->dbs. *away: the database can't be
 * used now, and nothing else is known to be wrong. */
const char *ua_app_prepare(ua_app_t *app, apr_pool_t *pool, int *row, int *away);

/* app.c: in each process: what belongs to it alone. Needs app->keys; `pool` is the process's. */
apr_status_t ua_app_enter(ua_app_t *app, apr_pool_t *pool) UA_MUST_USE;

/* app.c: a context that reads: it has no id, and draws nothing, before ua_draw_begin(). */
ua_ctx_t *ua_app_look(const ua_app_t *app, apr_pool_t *pool, apr_time_t now);

/* app.c: a context for one request or job of this site. */
apr_status_t ua_app_context(ua_ctx_t **out, const ua_app_t *app, apr_pool_t *pool,
                            apr_time_t now) UA_MUST_USE;

/* app.c: writes "UA<number>: <text>" with what failed in ctx. The one place where errors are logged. */
void ua_app_log(const ua_app_t *app, const ua_ctx_t *ctx, ua_level_e level, const char *text,
                apr_status_t rv);

/* assets.c */
const char *ua_assets_load(ua_app_t *app, apr_pool_t *pool, int *row);
const ua_asset_t *ua_asset_find(const ua_app_t *app, const char *name);

/* schema.c: the newest step that this module knows for that driver. */
apr_int64_t ua_schema_newest(apr_pool_t *pool, const char *driver);

/* schema.c: runs the numbered steps of schema/<driver>/ that this database has not seen. APR_EINVAL
 * when it has seen newer ones. */
apr_status_t ua_schema_migrate(ua_ctx_t *ctx, const char *driver,
                               apr_int64_t *newest) UA_MUST_USE;

/* schema.c: whether all tables are there, also when every step has run: they may have been lost since. */
apr_status_t ua_schema_check(ua_ctx_t *ctx) UA_MUST_USE;

/* negotiate.c: what a request wants and sends (contract 1, "Formats"). */
int ua_wants_json(const ua_req_t *req);
int ua_is_json(const char *content_type);
int ua_is_form(const char *content_type);

/* dispatch.c: one request to our prefixes, from start to a finished reply. */
void ua_app_handle(const ua_app_t *app, ua_req_t *req, ua_res_t *res);

/* 1 when the path lies below the public or the personal prefix. */
int ua_app_owns(const ua_conf_t *conf, ua_area_e area, const char *path);

/* routes.c: an address of our own outside both prefixes, and the one that the W3C has browsers ask first: only where it
 * is 404 does Chromium go to the other. */
#define UA_WELL_KNOWN "/.well-known/change-password"
#define UA_NOT_KNOWN                                                                           \
    "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"

/* routes.c: the fields of a route's form, ended by a NULL name; never NULL. */
const ua_field_t *ua_route_fields(const ua_conf_t *conf, apr_pool_t *pool,
                                  const ua_route_t *route);

/* routes.c: the row for a path, or NULL. ua_routes_each() calls back for every row. */
const ua_route_t *ua_route_find(const ua_conf_t *conf, const char *path);
typedef void ua_route_visit_f(void *baton, const ua_route_t *route);
void ua_routes_each(ua_route_visit_f *visit, void *baton);

/* gate.c: one request to any gated location: APR_SUCCESS with req->session; APR_EACCES, or what failed, for
 * ua_gate_deny(). Of the request's headers only `cookie` and `authorization` have to be there: most requests end
 * here, and pay for no more. */
apr_status_t ua_gate_admit(const ua_app_t *app, ua_req_t *req) UA_MUST_USE;
/* The finished reply to who is not admitted. */
void ua_gate_deny(const ua_app_t *app, ua_req_t *req, ua_res_t *res, apr_status_t why);
/* Reads the session of the request's cookie or access token into req; no session is no error, and a bad
 * token is none either: req->bearer tells. */
apr_status_t ua_gate_session(const ua_app_t *app, ua_req_t *req) UA_MUST_USE;
/* 1 for routes whose requests are no use of the session. */
int ua_gate_is_silent(const ua_req_t *req);
/* An empty reply to a request whose path is not ours. */
void ua_gate_begin(ua_res_t *res, ua_req_t *req);
/* Asks for a sign-in: a redirect for a navigation, else 401. */
void ua_gate_refuse(ua_res_t *res, ua_req_t *req);
/* The password is wanted again, within `age` (0: UserAuthFreshTime): a page leads to where it is given, else
 * 403. */
void ua_gate_reauth(ua_res_t *res, ua_req_t *req, apr_interval_time_t age);
/* The same for a gated location: a finished reply. */
void ua_gate_step_up(const ua_app_t *app, ua_req_t *req, ua_res_t *res,
                     apr_interval_time_t age);
/* gate_basic.c: the same for name and password: first whether they were right a moment ago (else APR_NOTFOUND), then
 * for any request, answered in res. The session in req has no id. */
apr_status_t ua_gate_basic_known(const ua_app_t *app, ua_req_t *req, const char *user,
                                 const char *password) UA_MUST_USE;
apr_status_t ua_gate_basic(const ua_app_t *app, ua_req_t *req, ua_res_t *res, const char *user,
                           const char *password) UA_MUST_USE;
/* gate_token.c: a signed statement for backends of whose session this is (ua_jwt_sign_person()). */
apr_status_t ua_gate_token(const char **out, const ua_app_t *app, ua_ctx_t *ctx,
                           const ua_session_t *session) UA_MUST_USE;
/* Plain HTTP under an https base URL: 1 and a reply, else 0. */
int ua_gate_https(ua_res_t *res, ua_req_t *req);
/* Cookie and access token of different sessions: 1 and a reply, else 0. */
int ua_gate_disagrees(ua_res_t *res, ua_req_t *req);

/* bearer.c: the session of the access token; sets req->bearer. *out stays as it is without a good one. */
apr_status_t ua_bearer_session(ua_session_t **out, const ua_app_t *app,
                               ua_req_t *req) UA_MUST_USE;

/* session_cache.c: sessions that this process read a moment ago, by the credential that named them. */
typedef enum {
    UA_CREDENTIAL_COOKIE,
    UA_CREDENTIAL_TOKEN,
    UA_CREDENTIAL_BASIC,
    UA_CREDENTIAL_PASSWORD
} ua_credential_e;

/* A credential's place in the cache, and what has to stay as it is while its session is read. */
typedef struct ua_session_key_t {
    apr_uint64_t digest[2];
    apr_uint32_t kind; /* ua_credential_e */
    apr_uint32_t epoch;
} ua_session_key_t;

typedef struct ua_session_cache_t ua_session_cache_t;
struct ua_generations_t;

/* Sessions are believed for `ttl` microseconds. */
apr_status_t ua_session_cache_create(ua_session_cache_t **out, apr_pool_t *pool,
                                     const struct ua_generations_t *generations,
                                     apr_interval_time_t ttl) UA_MUST_USE;
/* The key of a secret that names its session, and of a password for a name. `cache` may be NULL. */
void ua_session_key_secret(ua_session_key_t *key, const ua_session_cache_t *cache,
                           ua_credential_e kind, const char *secret);
void ua_session_key_password(ua_session_key_t *key, const ua_session_cache_t *cache,
                             ua_credential_e kind, const char *name, const char *password);
/* APR_NOTFOUND: read it from the database, then let the key be kept. Another password forgets the name's.
 * `cache` may be NULL. */
apr_status_t ua_session_cache_find(ua_session_t **out, const ua_session_cache_t *cache,
                                   ua_ctx_t *ctx, const ua_session_key_t *key) UA_MUST_USE;
/* Remembers a session whose use is noted now, for `ttl` (a password: for longer) but not beyond `until`; not
 * at all when an account changed since the key was made. */
void ua_session_cache_keep(const ua_session_cache_t *cache, const ua_ctx_t *ctx,
                           const ua_session_key_t *key, const ua_session_t *session,
                           apr_time_t until);

/* csrf.c */
typedef enum { UA_CSRF_FINE, UA_CSRF_FOREIGN, UA_CSRF_STALE } ua_csrf_e;

ua_csrf_e ua_csrf_judge(ua_req_t *req);
/* The hidden field's value; sets the pre-session cookie when the browser has none. */
apr_status_t ua_csrf_field(const char **out, ua_res_t *res, ua_req_t *req) UA_MUST_USE;

/* draft.c: a form sent to a personal page after its session had ended waits in a cookie, without
 * secrets: nothing when there is none. Gives the connection back. */
void ua_draft_leave(ua_res_t *res, ua_req_t *req);
/* The page it was sent to shows it to the same person again, once. */
void ua_draft_take(ua_res_t *res, ua_req_t *req);

/* body.c: the form of a POST. Answers with a refusal in res, or nothing. */
void ua_body_read(ua_res_t *res, ua_req_t *req);
/* Judges every field of the route. */
void ua_body_judge(ua_res_t *res, ua_req_t *req);

/* transact.c: the route's check and submit in one transaction, retried. */
void ua_transact(const ua_app_t *app, ua_req_t *req, ua_res_t *res);
/* The same for a GET: show, and count what a bad link costs. */
void ua_transact_show(const ua_app_t *app, ua_req_t *req, ua_res_t *res);

/* page.c: the body, as JSON or HTML, and the headers every reply has. */
void ua_page_finish(const ua_app_t *app, ua_req_t *req, ua_res_t *res);
/* Names of all page templates, NULL-ended. */
const char *const *ua_page_templates(apr_pool_t *pool);

/* mailer.c: one claimed mail as a message. */
struct ua_mail_t;
struct ua_outbox_t;
apr_status_t ua_mailer_write(struct ua_mail_t *out, const ua_app_t *app, ua_ctx_t *ctx,
                             const struct ua_outbox_t *row) UA_MUST_USE;

/* jobs.c: what runs beside requests. */
typedef struct ua_jobs_t ua_jobs_t;
/* Needs app->mail_cause. */
apr_status_t ua_jobs_create(ua_jobs_t **out, apr_pool_t *pool, const ua_app_t *app) UA_MUST_USE;
/* From another thread, when the process ends: what is running comes to an end within a second. A mail
 * on its way is given up without a mark; another process takes it when its lease ends. */
void ua_jobs_stop(ua_jobs_t *jobs);
/* Sends the mails that are due; 1 when there was one. */
int ua_jobs_mail(ua_jobs_t *jobs, apr_time_t now);
/* Writes last uses; sweeps once a minute, for 2 s or so: what is left goes in the next turn. */
void ua_jobs_sweep(ua_jobs_t *jobs, apr_time_t now);
/* Ends what a database server has not answered for UA_DB_PATIENCE: to be called where nobody waits for one. */
void ua_jobs_mind(ua_jobs_t *jobs, apr_time_t now);

/* erase.c: erases accounts that were closed and not restored, or never confirmed, in time; some at a time: *more when
 * the next call may find others. */
apr_status_t ua_erase_due(int *more, const ua_app_t *app, ua_ctx_t *ctx) UA_MUST_USE;

/* touch.c: sessions in use, written by ua_jobs_sweep() rather than by the request. */
typedef struct ua_touches_t ua_touches_t;
apr_status_t ua_touches_create(ua_touches_t **out, apr_pool_t *pool) UA_MUST_USE;
void ua_touch_note(ua_touches_t *touches, const ua_session_t *session, apr_time_t now);
void ua_touch_flush(ua_touches_t *touches, ua_ctx_t *ctx);

#endif
