/* dashboard.c: the first page of a signed-in person. */
#include "feature.h"

static apr_status_t dashboard_show(ua_res_t *res, ua_req_t *req)
{
    const ua_session_t *session = req->session;

    ua_json_set(res->view, "username", session->username);
    ua_json_set(res->view, "email", session->email);
    ua_json_set(res->view, "display_name", session->display_name);
    if (session->previous_sign_in > 0) {
        ua_view_time(res->view, req, "last_sign_in", session->previous_sign_in);
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
