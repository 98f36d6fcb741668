/* dashboard.c: the first page of a signed-in person. */
#include "feature.h"
#include "base/text.h"

static apr_status_t dashboard_show(ua_res_t *res, ua_req_t *req)
{
    const ua_session_t *session = req->session;
    apr_pool_t *pool = req->ctx->pool;
    apr_time_t last = session->previous_sign_in;

    ua_json_set(res->view, "username", session->username);
    ua_json_set(res->view, "email", session->email);
    ua_json_set(res->view, "display_name", session->display_name);
    if (last > 0 && req->wants_json) {
        ua_json_set(res->view, "last_sign_in", ua_time_rfc3339(pool, last));
    }
    else if (last > 0) {
        json_t *when = ua_json_object(pool);

        ua_json_set(when, "iso", ua_time_rfc3339(pool, last));
        ua_json_set(when, "words", ua_time_words(pool, last));
        json_object_set(res->view, "last_sign_in", when);
    }
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "",
                                     .area = UA_AREA_PERSONAL,
                                     .access = UA_ACCESS_USER,
                                     .template = "dashboard.html",
                                     .nav = "Dashboard",
                                     .show = dashboard_show},
                                    {0}};

const ua_feature_t ua_feature_dashboard = {"dashboard", routes};
