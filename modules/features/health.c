/* health.c: whether this site can serve people: for load balancers and `make run`. No secrets. */
#include "feature.h"
#include "domain/outbox.h"

static apr_status_t health_show(ua_res_t *res, ua_req_t *req)
{
    apr_int64_t waiting = 0;
    apr_status_t rv = ua_outbox_waiting(&waiting, req->ctx);

    res->status = rv == APR_SUCCESS ? 200 : 503;
    ua_json_set(res->view, "status", rv == APR_SUCCESS ? "ok" : "unavailable");
    ua_json_set(res->view, "database", rv == APR_SUCCESS ? "ok" : "unavailable");
    if (rv == APR_SUCCESS) {
        ua_json_set(res->view, "mail", waiting > 0 ? "delayed" : "ok");
        ua_json_set_number(res->view, "mails_delayed", waiting);
    }
    else {
        res->retry_after = 1;
    }
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "health", .show = health_show}, {0}};

const ua_feature_t ua_feature_health = {"health", routes};
