/* authn.c: AuthType UserAuth: who sends this request, by the session's cookie, or where to sign in.
 * Runs for every gated location: files, CGI, proxies, the personal pages. */
#include "edge.h"

#include <http_core.h>
#include <http_log.h>
#include <http_request.h>
#include <string.h>

APLOG_USE_MODULE(userauth);

char *ua_edge_user(request_rec *r, const ua_conf_t *conf, const ua_session_t *session)
{
    const char *user = conf->remote_user == UA_REMOTE_ID      ? session->account_id
                       : conf->remote_user == UA_REMOTE_EMAIL ? session->email
                                                              : session->username;

    return apr_pstrdup(r->pool, user);
}

/* A sub-request or an internal redirect belongs to the person of the request it came from. */
static apr_status_t admit(const ua_req_t **by, request_rec *r, const ua_app_t *app)
{
    const ua_req_t *gated = ua_edge_gated(r);
    ua_req_t *req = ua_edge_credentials(r, app);

    if (gated && gated->ctx->conf == app->conf) {
        *by = gated;
        return APR_SUCCESS;
    }
    UA_CHECK(ua_gate_admit(app, req));
    *by = req;
    return APR_SUCCESS;
}

/* The file that answers for a folder: the whole request is refused. */
static int deny_index(request_rec *r, const ua_app_t *app, apr_status_t why)
{
    ua_res_t res;

    ua_gate_deny(app, ua_edge_request_ahead(r->main, app), &res, why);
    return ua_edge_reply_ahead(r, &res);
}

static int deny(request_rec *r, const ua_app_t *app, apr_status_t why)
{
    ua_req_t *req = NULL;
    ua_res_t res;

    if (ua_edge_is_index(r)) {
        return deny_index(r, app, why);
    }
    if (r->main) { /* a part of another page: the page goes on without it */
        return HTTP_UNAUTHORIZED;
    }
    req = ua_edge_request(r, app);
    if (req->method == UA_METHOD_POST && ua_app_owns(app->conf, UA_AREA_PERSONAL, req->path)) {
        ua_edge_body(r, req); /* a form of ours is kept until its person has signed in again */
    }
    ua_gate_deny(app, req, &res, why);
    (void)ua_edge_reply(r, &res);
    return DONE;
}

int ua_edge_check_authn(request_rec *r)
{
    const char *type = ap_auth_type(r);
    const ua_app_t *app = ua_edge_app(r);
    const ua_req_t *by = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (type && app && ap_cstr_casecmp(type, "Basic") == 0) {
        return ua_edge_check_basic(r);
    }
    if (!type ||
        (strcmp(type, UA_AUTH_TYPE) != 0 && ap_cstr_casecmp(type, UA_AUTH_TYPE) != 0)) {
        return DECLINED;
    }
    if (!app) {
        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, 0, r,
            "UA0105: AuthType UserAuth, but this virtual host has no UserAuthBaseURL: "
            "add one to it");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    rv = admit(&by, r, app);
    if (rv != APR_SUCCESS) {
        return deny(r, app, rv);
    }
    ua_edge_let_in(r, by);
    ua_edge_keep_from_caches(r, by);
    r->user = ua_edge_user(r, app->conf, by->session);
    r->ap_auth_type = apr_pstrdup(r->pool, UA_AUTH_TYPE);
    return OK;
}
