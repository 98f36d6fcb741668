/* logout.c: a person signs out: the session ends and its cookie goes. Also without a session. */
#include "feature.h"
#include "domain/event.h"

static apr_status_t logout_submit(ua_res_t *res, ua_req_t *req)
{
    if (req->bearer == UA_BEARER_BAD) { /* "logged out" would not be true */
        ua_refuse_token(res);
        return APR_SUCCESS;
    }
    UA_CHECK(ua_sign_out(req));
    if (req->session_cookie) {
        ua_set_cookie(res, req, "", "", 0);
    }
    if (req->session) {
        UA_CHECK(ua_event_add(req->ctx, "logout", req->session->account_id, ""));
    }
    apr_table_setn(res->headers, "Clear-Site-Data", "\"cache\"");
    ua_go_notice(res, req, 200, ua_path(req, UA_AREA_PUBLIC, "login"), UA_NOTICE_LOGGED_OUT);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {
    {.path = "logout", .template = "logout.html", .submit = logout_submit}, {0}};

const ua_feature_t ua_feature_logout = {"logout", routes};
