/* basic.c: AuthType Basic with AuthBasicProvider userauth: mod_auth_basic reads the header and asks us.
 * What it has no status for, a wait or a busy server, is answered once it is done. */
#include "edge.h"

#include <http_request.h>
#include <mod_auth.h>

static authn_status check_password(request_rec *r, const char *user, const char *password)
{
    const ua_app_t *app = ua_edge_app(r);
    ua_req_t *req = app ? ua_edge_credentials(r, app) : NULL;
    ua_res_t *res = NULL;

    if (!req) {
        return AUTH_GENERAL_ERROR;
    }
    if (ua_gate_basic_known(app, req, user, password) != APR_SUCCESS) {
        res = apr_pcalloc(r->pool, sizeof *res);
    }
    if (!res ||
        ua_gate_basic(app, ua_edge_request(r, app), res, user, password) == APR_SUCCESS) {
        r->user = ua_edge_user(r, app->conf, req->session);
        return AUTH_GRANTED;
    }
    if (res->problem != UA_PROBLEM_INVALID_CREDENTIALS) {
        ua_edge_refused(r, res);
    }
    return AUTH_DENIED;
}

void ua_edge_basic_register(apr_pool_t *pool)
{
    static const authn_provider provider = {check_password, NULL};

    ap_register_auth_provider(pool, AUTHN_PROVIDER_GROUP, "userauth", AUTHN_PROVIDER_VERSION,
                              &provider, AP_AUTH_INTERNAL_PER_CONF);
}

/* What the other modules say of this request: the first that does not decline. */
static int ask_others(request_rec *r)
{
    const apr_array_header_t *hooks = ap_hook_get_check_user_id();
    int status = DECLINED;

    for (int i = 0; i < hooks->nelts && status == DECLINED; i++) {
        const ap_LINK_check_user_id_t *hook = &APR_ARRAY_IDX(hooks, i, ap_LINK_check_user_id_t);

        if (hook->pFunc != ua_edge_check_authn) {
            status = hook->pFunc(r);
        }
    }
    return status;
}

int ua_edge_check_basic(request_rec *r)
{
    int status = ask_others(r);
    const ua_res_t *res = ua_edge_refusal(r);

    if (status == HTTP_UNAUTHORIZED && res) {
        apr_table_unset(r->err_headers_out, "WWW-Authenticate");
        (void)ua_edge_reply(r, res);
        return DONE;
    }
    return status;
}
