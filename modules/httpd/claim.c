/* claim.c: the two prefixes are ours, whatever else is mapped there: before mod_proxy, mod_rewrite
 * and mod_alias translate the path, and before a folder or .htaccess of that name is looked at. */
#include "edge.h"

#include <http_log.h>
#include <http_request.h>
#include <string.h>

APLOG_USE_MODULE(userauth);

static int owns(const request_rec *r, ua_area_e area)
{
    const ua_app_t *app = ua_edge_app(r);

    return app && r->uri && ua_app_owns(app->conf, area, r->uri);
}

int ua_edge_owns(const request_rec *r)
{
    return owns(r, UA_AREA_PUBLIC) || owns(r, UA_AREA_PERSONAL);
}

int ua_edge_translate(request_rec *r)
{
    if (!ua_edge_owns(r)) {
        return DECLINED;
    }
    r->filename = apr_pstrcat(r->pool, UA_HANDLER ":", r->uri, NULL);
    r->handler = UA_HANDLER; /* mod_dir's FallbackResource takes what has none */
    return OK;
}

/* httpd's core answers TRACE right after this, before any gate: a site of ours has no use for it. */
int ua_edge_map_to_storage(request_rec *r)
{
    if (ua_edge_owns(r)) {
        return OK;
    }
    return r->method_number == M_TRACE && ua_edge_app(r) ? HTTP_METHOD_NOT_ALLOWED : DECLINED;
}

int ua_edge_open_public(request_rec *r)
{
    return owns(r, UA_AREA_PUBLIC) ? OK : DECLINED;
}

int ua_edge_set_handler(request_rec *r)
{
    ua_edge_end_index(r);
    if (ua_edge_owns(r)) {
        r->handler = UA_HANDLER;
    }
    return DECLINED;
}

int ua_edge_handle(request_rec *r)
{
    const ua_app_t *app = ua_edge_app(r);
    ua_req_t *req = NULL;
    ua_res_t res;

    if (!r->handler || strcmp(r->handler, UA_HANDLER) != 0) {
        return DECLINED;
    }
    if (!app) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "UA0111: SetHandler userauth, but this virtual host has no "
                      "UserAuthBaseURL: add one to it");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    req = ua_edge_owns(r) ? ua_edge_request(r, app) : NULL;
    if (!req) {
        return HTTP_NOT_FOUND;
    }
    if (req->method == UA_METHOD_POST) {
        ua_edge_body(r, req);
    }
    ua_app_handle(app, req, &res);
    return ua_edge_reply(r, &res);
}
