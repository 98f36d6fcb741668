/* dispatch.c: one request to our prefixes, from start to a finished reply.
 *
 * The order is the contract's: whose path, https, session, access, method, body, forgery, fields,
 * limits; only then a feature. So no feature can forget one. */
#include "app.h"
#include "base/text.h"
#include "base/url.h"

#include <string.h>

static void redirect(ua_res_t *res, int status, const char *location)
{
    res->status = status;
    res->location = location;
}

/* A path that only leads elsewhere. */
static void lead(ua_req_t *req, ua_res_t *res, int status, const char *location)
{
    if (req->method == UA_METHOD_GET || req->method == UA_METHOD_HEAD) {
        redirect(res, status, location);
        return;
    }
    apr_table_setn(res->headers, "Allow", "GET, HEAD, OPTIONS");
    if (req->method == UA_METHOD_OPTIONS) {
        res->status = 204;
    }
    else {
        ua_refuse(res, UA_PROBLEM_METHOD_NOT_ALLOWED);
    }
}

/* A path as a URL has it: what stands behind its last slash may be whatever a client sent. */
static const char *encoded(apr_pool_t *pool, const char *path)
{
    const char *last = strrchr(path, '/') + 1;

    return apr_pstrcat(pool, apr_pstrmemdup(pool, path, (apr_size_t)(last - path)),
                       ua_url_encode(pool, last), NULL);
}

/* /auth leads to /auth/login; one slash at the end is redirected away. 1 when answered. */
static int answer_spelling(ua_req_t *req, ua_res_t *res)
{
    apr_pool_t *pool = req->ctx->pool;
    const ua_conf_t *conf = req->ctx->conf;
    apr_size_t length = strlen(req->path);
    const char *query = *req->query ? apr_pstrcat(pool, "?", req->query, NULL) : "";

    if (strcmp(req->path, conf->path) == 0) {
        lead(req, res, 303, ua_path(req, UA_AREA_PUBLIC, "login"));
        return 1;
    }
    if (length > 1 && req->path[length - 1] == '/' && req->path[length - 2] != '/') {
        const char *path = apr_pstrmemdup(pool, req->path, length - 1);

        if (ua_route_find(conf, path) || strcmp(path, conf->path) == 0) {
            redirect(res, 308, apr_pstrcat(pool, encoded(pool, path), query, NULL));
            return 1;
        }
    }
    return 0;
}

/* A file of assets/. 1 when the path lies there. */
static int answer_asset(const ua_app_t *app, ua_req_t *req, ua_res_t *res)
{
    const char *folder = ua_path(req, UA_AREA_PUBLIC, "assets/");
    const ua_asset_t *asset = NULL;

    if (strncmp(req->path, folder, strlen(folder)) != 0) {
        return 0;
    }
    asset = ua_asset_find(app, req->path + strlen(folder));
    if (!asset) {
        ua_refuse(res, UA_PROBLEM_NOT_FOUND);
    }
    else if (req->method == UA_METHOD_OPTIONS) {
        apr_table_setn(res->headers, "Allow", "GET, HEAD, OPTIONS");
        res->status = 204;
    }
    else if (req->method != UA_METHOD_GET && req->method != UA_METHOD_HEAD) {
        apr_table_setn(res->headers, "Allow", "GET, HEAD, OPTIONS");
        ua_refuse(res, UA_PROBLEM_METHOD_NOT_ALLOWED);
    }
    else {
        res->raw = asset->data;
        res->raw_length = asset->length;
        res->type = asset->type;
        apr_table_setn(res->headers, "Cache-Control", "public, max-age=31536000, immutable");
    }
    return 1;
}

static void allow(ua_res_t *res, const ua_route_t *route)
{
    int posts = route->submit != NULL;
    int gets = route->show || route->template;

    apr_table_setn(res->headers, "Allow",
                   gets && posts ? "GET, HEAD, POST, OPTIONS"
                   : gets        ? "GET, HEAD, OPTIONS"
                                 : "POST, OPTIONS");
}

/* OPTIONS, and methods a route does not know. 1 when answered. */
static int answer_method(ua_req_t *req, ua_res_t *res)
{
    const ua_route_t *route = req->route;
    int reads = req->method == UA_METHOD_GET || req->method == UA_METHOD_HEAD;

    if (req->method == UA_METHOD_OPTIONS) {
        allow(res, route);
        res->status = 204;
        return 1;
    }
    if ((reads && (route->show || route->template)) ||
        (req->method == UA_METHOD_POST && route->submit)) {
        return 0;
    }
    allow(res, route);
    ua_refuse(res, UA_PROBLEM_METHOD_NOT_ALLOWED);
    return 1;
}

/* What a stolen session must not do asks for the password first. 1 when answered. */
static int answer_fresh(ua_req_t *req, ua_res_t *res)
{
    if (!req->route || req->route->access != UA_ACCESS_FRESH ||
        ua_session_fresh(req->session, req->ctx)) {
        return 0;
    }
    ua_gate_reauth(res, req, 0);
    return 1;
}

/* Who may: the personal pages only with a session; forms for guests send others on. 1 when answered. */
static int answer_access(ua_req_t *req, ua_res_t *res)
{
    int personal = ua_app_owns(req->ctx->conf, UA_AREA_PERSONAL, req->path);
    int reads = req->method == UA_METHOD_GET || req->method == UA_METHOD_HEAD;

    if (!req->session && (personal || (req->route && req->route->access >= UA_ACCESS_USER))) {
        ua_gate_refuse(res, req);
        return 1;
    }
    if (req->session && reads && req->route && req->route->access == UA_ACCESS_GUEST) {
        redirect(res, 303, req->next ? req->next : req->ctx->conf->dashboard_path);
        return 1;
    }
    return 0;
}

/* Behind the gate only those it lets in are told which methods there are. */
static int is_public(const ua_req_t *req)
{
    return req->route && req->route->area == UA_AREA_PUBLIC;
}

/* 1 when a submit was refused before the feature saw it. */
static int answer_submit(ua_req_t *req, ua_res_t *res)
{
    ua_csrf_e verdict = UA_CSRF_FINE;

    ua_body_read(res, req);
    if (res->problem) {
        return 1;
    }
    verdict = ua_csrf_judge(req);
    if (verdict == UA_CSRF_FOREIGN) {
        apr_table_clear(req->form);
    }
    if (verdict != UA_CSRF_FINE) {
        ua_refuse(res, UA_PROBLEM_CSRF);
        return 1;
    }
    ua_body_judge(res, req);
    return res->problem != UA_PROBLEM_NONE;
}

static void run(const ua_app_t *app, ua_req_t *req, ua_res_t *res)
{
    int acts = req->method == UA_METHOD_POST;

    if (acts && answer_submit(req, res)) {
        return;
    }
    if (req->method == UA_METHOD_GET && req->route->acts_on_get &&
        req->route->acts_on_get(&acts, req) != APR_SUCCESS) {
        acts = 0; /* the page itself will say that the storage is not available */
    }
    if (acts) {
        ua_transact(app, req, res);
    }
    else {
        ua_draft_take(res, req);
        ua_transact_show(app, req, res);
    }
}

static void refuse_storage(const ua_app_t *app, ua_req_t *req, ua_res_t *res, apr_status_t rv)
{
    ua_app_log(app, req->ctx, UA_LOG_ERR,
               apr_psprintf(req->ctx->pool, "UA0103: %s was refused", req->path), rv);
    ua_refuse(res, UA_PROBLEM_STORAGE_UNAVAILABLE);
    res->retry_after = 2;
}

static int is_health(const ua_req_t *req)
{
    return strcmp(req->path, ua_path(req, UA_AREA_PUBLIC, "health")) == 0;
}

/* RFC 8615 and the W3C's "change password" address. 1 when it is asked for. */
static int answer_well_known(ua_req_t *req, ua_res_t *res)
{
    if (strcmp(req->path, UA_WELL_KNOWN) != 0) {
        return 0;
    }
    lead(req, res, 302, ua_path(req, UA_AREA_PERSONAL, "password"));
    return 1;
}

static void answer(const ua_app_t *app, ua_req_t *req, ua_res_t *res)
{
    apr_status_t rv = APR_SUCCESS;

    if ((!is_health(req) && ua_gate_https(res, req)) || answer_asset(app, req, res) ||
        answer_well_known(req, res)) {
        return;
    }
    rv = is_health(req) ? APR_SUCCESS : ua_gate_session(app, req);
    if (rv != APR_SUCCESS) {
        refuse_storage(app, req, res, rv);
        return;
    }
    if (ua_gate_disagrees(res, req) || (is_public(req) && answer_method(req, res)) ||
        answer_access(req, res) || answer_spelling(req, res)) {
        return;
    }
    if (!req->route) {
        ua_refuse(res, UA_PROBLEM_NOT_FOUND);
        return;
    }
    if (!answer_method(req, res) && !answer_fresh(req, res)) {
        run(app, req, res);
    }
}

static void warn(const ua_app_t *app, const ua_ctx_t *ctx)
{
    if (ctx->warning) {
        app->host.log(app->host.baton, UA_LOG_WARNING,
                      apr_pstrcat(ctx->pool, "UA0106: ", ctx->warning, NULL));
    }
}

void ua_app_handle(const ua_app_t *app, ua_req_t *req, ua_res_t *res)
{
    apr_pool_t *pool = req->ctx->pool;
    const char *next = ua_query_get(pool, req->query, "next");
    apr_status_t rv = APR_SUCCESS;

    ua_res_init(res, req);
    req->form = apr_table_make(pool, 8);
    req->errors = apr_table_make(pool, 4);
    req->route = ua_route_find(req->ctx->conf, req->path);
    if (req->route && strchr(req->route->path, '*')) {
        req->param = strrchr(req->path, '/') + 1;
    }
    req->fields = ua_route_fields(req->ctx->conf, pool, req->route);
    req->wants_json = ua_wants_json(req) || (req->route && !req->route->template);
    req->network = ua_address_network(pool, req->ctx->address);
    req->next = next ? ua_next_valid(pool, next) : NULL;
    rv = ua_draw_begin(req->ctx);
    if (rv == APR_SUCCESS) {
        answer(app, req, res);
    }
    else {
        refuse_storage(app, req, res, rv);
    }
    ua_page_finish(app, req, res);
    ua_db_release(req->ctx);
    warn(app, req->ctx);
}
