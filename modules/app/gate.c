/* gate.c: who may pass: the session of a request's cookie or access token, and what is said to those
 * without one. Used by dispatch for the personal pages and by the edge for every gated location. */
#include "app.h"
#include "base/text.h"
#include "base/url.h"

#include <string.h>

/* Notes are written every five seconds. */
#define LATE apr_time_from_sec(10)

int ua_gate_is_silent(const ua_req_t *req)
{
    return req->route && req->route->silent;
}

/* The cache's, else the database's. */
static apr_status_t read_session(ua_session_t **out, const ua_app_t *app, ua_req_t *req)
{
    ua_session_t *session = NULL;
    ua_session_key_t key;
    apr_status_t rv = APR_NOTFOUND;

    ua_session_key_secret(&key, app->sessions, UA_CREDENTIAL_COOKIE, req->session_cookie);
    rv = ua_session_cache_find(out, app->sessions, req->ctx, &key);
    if (rv != APR_NOTFOUND) {
        return rv;
    }
    UA_CHECK(ua_session_read(&session, req->ctx, req->session_cookie));
    if (!ua_gate_is_silent(req)) {
        ua_session_cache_keep(app->sessions, req->ctx, &key, session, session->expires);
    }
    *out = session;
    return APR_SUCCESS;
}

/* NULL without a live session. */
static apr_status_t cookie_session(ua_session_t **out, const ua_app_t *app, ua_req_t *req)
{
    apr_status_t rv = APR_NOTFOUND;

    req->session_cookie = ua_cookie_get(req->ctx->pool, req->cookie, req->ctx->conf->cookie);
    if (req->session_cookie && strlen(req->session_cookie) == UA_DIGEST_TEXT) {
        rv = read_session(out, app, req);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* A token wins over a cookie that is no credential any more; one that is has to be the same session's. */
static ua_session_t *choose(ua_req_t *req, ua_session_t *by_cookie, ua_session_t *by_token)
{
    if (req->bearer == UA_BEARER_NONE) {
        return by_cookie;
    }
    if (by_token && !by_cookie) {
        req->session_cookie = NULL;
    }
    else if (by_token && strcmp(by_cookie->id, by_token->id) != 0) {
        req->bearer = UA_BEARER_OTHER;
        return NULL;
    }
    return by_token;
}

/* A use is written off the request, a little later; at once when the session would end before that. */
static apr_status_t note_use(const ua_app_t *app, ua_req_t *req)
{
    const ua_session_t *s = req->session;

    ua_touch_note(app->touches, s, req->ctx->now);
    return s->last_used + s->idle - req->ctx->now < LATE && s->last_used < req->ctx->now
               ? ua_session_touch(req->ctx, s->id, req->ctx->now)
               : APR_SUCCESS;
}

apr_status_t ua_gate_session(const ua_app_t *app, ua_req_t *req)
{
    ua_session_t *by_cookie = NULL;
    ua_session_t *by_token = NULL;
    ua_session_t *session = NULL;

    UA_CHECK(cookie_session(&by_cookie, app, req));
    UA_CHECK(ua_bearer_session(&by_token, app, req));
    session = choose(req, by_cookie, by_token);
    req->session = session;
    return session && !ua_gate_is_silent(req) ? note_use(app, req) : APR_SUCCESS;
}

void ua_gate_begin(ua_res_t *res, ua_req_t *req)
{
    ua_res_init(res, req);
    req->wants_json = ua_wants_json(req);
    req->fields = ua_route_fields(req->ctx->conf, req->ctx->pool, NULL);
}

int ua_gate_https(ua_res_t *res, ua_req_t *req)
{
    int reads = req->method == UA_METHOD_GET || req->method == UA_METHOD_HEAD;

    if (!req->ctx->conf->secure || req->https) {
        return 0;
    }
    if (!reads) {
        ua_refuse(res, UA_PROBLEM_FORBIDDEN);
        res->detail = "This site takes forms over https only.";
        return 1;
    }
    res->status = 308;
    res->location = apr_pstrcat(req->ctx->pool, req->ctx->conf->site, req->uri, NULL);
    return 1;
}

/* A browser showing a page, rather than a script or a program (contract 6). */
static int is_navigation(const ua_req_t *req)
{
    if (*req->requested_with ||
        (*req->fetch_mode && strcmp(req->fetch_mode, "navigate") != 0)) {
        return 0;
    }
    return *req->accept == '\0' || strcasestr(req->accept, "text/html") ||
           strstr(req->accept, "*/*");
}

/* What a page of ours said once is not said again. */
static const char *without_notice(const ua_req_t *req, const char *path)
{
    const char *notice = strstr(path, "?notice=");

    return notice && ua_app_owns(req->ctx->conf, UA_AREA_PERSONAL, req->path)
               ? apr_pstrmemdup(req->ctx->pool, path, (apr_size_t)(notice - path))
               : path;
}

/* Where to go after the sign-in: here again, or for a submit the page it came from. */
static const char *return_path(ua_req_t *req)
{
    apr_pool_t *pool = req->ctx->pool;
    int reads = req->method == UA_METHOD_GET || req->method == UA_METHOD_HEAD;
    const char *path =
        reads ? req->uri : ua_referer_path(pool, &req->ctx->conf->base, req->referer);

    path = path ? ua_next_valid(pool, path) : NULL;
    return path ? without_notice(req, path) : req->ctx->conf->dashboard_path;
}

int ua_gate_disagrees(ua_res_t *res, ua_req_t *req)
{
    if (req->bearer != UA_BEARER_OTHER) {
        return 0;
    }
    ua_refuse(res, UA_PROBLEM_BAD_REQUEST);
    res->detail =
        "The cookie and the access token are of different sessions. Send one of them.";
    return 1;
}

void ua_gate_refuse(ua_res_t *res, ua_req_t *req)
{
    apr_pool_t *pool = req->ctx->pool;

    if (req->bearer == UA_BEARER_BAD) {
        ua_refuse_token(res);
        return;
    }
    if (req->wants_json || !is_navigation(req)) {
        ua_refuse(res, UA_PROBLEM_LOGIN_REQUIRED);
        apr_table_setn(res->headers, "WWW-Authenticate", "Bearer");
        ua_offer(res, "login", ua_path(req, UA_AREA_PUBLIC, "login"), "Log in");
        return;
    }
    ua_go(res, 401,
          apr_pstrcat(pool, ua_path(req, UA_AREA_PUBLIC, "login"),
                      "?next=", ua_url_encode(pool, return_path(req)), NULL),
          UA_NOTICE_NONE);
    ua_draft_leave(res, req);
}

void ua_gate_reauth(ua_res_t *res, ua_req_t *req, apr_interval_time_t age)
{
    apr_pool_t *pool = req->ctx->pool;
    const char *path = ua_path(req, UA_AREA_PUBLIC, "reauth");

    ua_refuse(res, UA_PROBLEM_REAUTH_REQUIRED);
    ua_offer(res, "reauth", path, "Enter your password");
    if (!req->wants_json && req->method != UA_METHOD_POST) {
        res->problem = UA_PROBLEM_NONE;
        res->status = 303;
        res->location = apr_pstrcat(pool, path, "?next=", ua_url_encode(pool, req->uri), NULL);
        if (age > 0) {
            res->location = apr_psprintf(pool, "%s&max_age=%" APR_TIME_T_FMT, res->location,
                                         apr_time_sec(age));
        }
    }
}

void ua_gate_step_up(const ua_app_t *app, ua_req_t *req, ua_res_t *res, apr_interval_time_t age)
{
    apr_status_t rv = ua_draw_begin(req->ctx);

    ua_gate_begin(res, req);
    req->wants_json = req->wants_json || !is_navigation(req);
    if (rv == APR_SUCCESS) {
        ua_gate_reauth(res, req, age);
    }
    else {
        ua_refuse(res, UA_PROBLEM_STORAGE_UNAVAILABLE);
    }
    ua_page_finish(app, req, res);
}

static void refuse(const ua_app_t *app, ua_req_t *req, ua_res_t *res, apr_status_t rv)
{
    rv = rv == APR_EACCES ? ua_draw_begin(req->ctx) : rv;
    if (rv != APR_SUCCESS) {
        ua_app_log(app, req->ctx, UA_LOG_ERR,
                   "UA0102: a gated request was refused because the session can't be read", rv);
        ua_refuse(res, UA_PROBLEM_STORAGE_UNAVAILABLE);
        res->retry_after = 1;
    }
    else if (!ua_gate_disagrees(res, req)) {
        ua_gate_refuse(res, req);
    }
}

apr_status_t ua_gate_admit(const ua_app_t *app, ua_req_t *req)
{
    int clear = req->ctx->conf->secure && !req->https;
    apr_status_t rv = clear ? APR_SUCCESS : ua_gate_session(app, req);

    ua_db_release(req->ctx);
    return rv == APR_SUCCESS && !req->session ? APR_EACCES : rv;
}

void ua_gate_deny(const ua_app_t *app, ua_req_t *req, ua_res_t *res, apr_status_t why)
{
    ua_gate_begin(res, req);
    if (!ua_gate_https(res, req)) {
        refuse(app, req, res, why);
    }
    ua_page_finish(app, req, res);
}
