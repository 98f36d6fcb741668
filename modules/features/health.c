/* health.c: whether this site can serve people: for load balancers and `make run`. No secrets: a
 * number of waiting mails would tell who asks for one whether its address is known. */
#include "feature.h"
#include "domain/outbox.h"
#include "domain/setting.h"

static apr_status_t health_show(ua_res_t *res, ua_req_t *req)
{
    const char *ignored = NULL;
    apr_status_t rv = ua_setting_get(&ignored, req->ctx, "health"); /* which is not there */

    rv = rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    res->status = rv == APR_SUCCESS ? 200 : 503;
    ua_json_set(res->view, "status", rv == APR_SUCCESS ? "ok" : "unavailable");
    ua_json_set(res->view, "database", rv == APR_SUCCESS ? "ok" : "unavailable");
    if (rv == APR_SUCCESS) {
        ua_json_set(res->view, "mail", ua_outbox_fails(req->ctx) ? "delayed" : "ok");
    }
    else {
        res->retry_after = 1;
    }
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "health", .show = health_show}, {0}};

const ua_feature_t ua_feature_health = {"health", routes};
