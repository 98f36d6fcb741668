/* authn.c: AuthType UserAuth: who sends this request, by the session's cookie, or where to sign in.
 * Runs for every gated location: files, CGI, proxies, the personal pages. */
#include "edge.h"

#include <http_core.h>
#include <http_log.h>
#include <http_request.h>

APLOG_USE_MODULE(userauth);

char *ua_edge_user(request_rec *r, const ua_conf_t *conf, const ua_session_t *session)
{
    const char *user = conf->remote_user == UA_REMOTE_ID      ? session->account_id
                       : conf->remote_user == UA_REMOTE_EMAIL ? session->email
                                                              : session->username;

    return apr_pstrdup(r->pool, user);
}

/* A sub-request or an internal redirect belongs to the person of the request it came from. */
static const ua_session_t *session_of(request_rec *r, const ua_app_t *app, ua_req_t *req,
                                      ua_res_t *res)
{
    const ua_req_t *gated = ua_edge_gated(r);

    if (gated && gated->ctx->conf == app->conf) {
        return gated->session;
    }
    if (req->method == UA_METHOD_POST && ua_app_owns(app->conf, UA_AREA_PERSONAL, req->path)) {
        ua_edge_body(r, req); /* a form of ours is kept until its person has signed in again */
    }
    return ua_gate_check(app, req, res) == APR_SUCCESS ? req->session : NULL;
}

int ua_edge_check_authn(request_rec *r)
{
    const char *type = ap_auth_type(r);
    const ua_app_t *app = ua_edge_app(r);
    const ua_session_t *session = NULL;
    ua_req_t *req = NULL;
    ua_res_t res;

    if (type && app && ap_cstr_casecmp(type, "Basic") == 0) {
        return ua_edge_check_basic(r);
    }
    if (!type || ap_cstr_casecmp(type, UA_AUTH_TYPE) != 0) {
        return DECLINED;
    }
    req = app ? ua_edge_request(r, app) : NULL;
    if (!req) {
        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, 0, r,
            "UA0105: AuthType UserAuth, but this virtual host has no UserAuthBaseURL");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    session = session_of(r, app, req, &res);
    if (session) {
        r->user = ua_edge_user(r, app->conf, session);
        r->ap_auth_type = apr_pstrdup(r->pool, UA_AUTH_TYPE);
        return OK;
    }
    if (r->main) { /* a part of another page: the page goes on without it */
        return HTTP_UNAUTHORIZED;
    }
    (void)ua_edge_reply(r, &res);
    return DONE;
}
