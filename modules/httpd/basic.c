/* basic.c: AuthType Basic with AuthBasicProvider userauth: mod_auth_basic reads the header and asks us.
 * What it has no status for, a wait or a busy server, is answered once it is done. */
#include "edge.h"

#include <apr_base64.h>
#include <http_request.h>
#include <mod_auth.h>
#include <string.h>

/* mod_auth_basic takes a NUL for the end: what stands behind it would count for nothing. */
static int holds_nul(const request_rec *r)
{
    const char *name = r->proxyreq == PROXYREQ_PROXY ? "Proxy-Authorization" : "Authorization";
    const char *header = apr_table_get(r->headers_in, name);
    const char *text = header ? strpbrk(header, " \t") : NULL;
    unsigned char *plain = NULL;

    if (!text) {
        return 0;
    }
    text += strspn(text, " \t");
    plain = apr_palloc(r->pool, (apr_size_t)apr_base64_decode_len(text) + 1);
    return memchr(plain, 0, (apr_size_t)apr_base64_decode_binary(plain, text)) != NULL;
}

/* Tried once for the request that the client sent, whatever parts of it ask. */
static apr_status_t check(const ua_app_t *app, request_rec *origin, const char *user,
                          const char *password)
{
    ua_req_t *req = ua_edge_basic_request(origin, app);
    const char *credentials = NULL;
    const char *denied = ua_edge_denied(origin);
    ua_res_t *res = NULL;

    if (holds_nul(origin)) {
        ua_edge_refused(origin, "", NULL);
        return APR_EACCES;
    }
    if (ua_gate_basic_known(app, req, user, password) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    credentials = apr_pstrcat(origin->pool, user, ":", password, NULL);
    if (denied && strcmp(denied, credentials) == 0) {
        return APR_EACCES;
    }
    res = apr_pcalloc(origin->pool, sizeof *res);
    if (ua_gate_basic(app, req, res, user, password) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    ua_edge_refused(origin, credentials,
                    res->problem == UA_PROBLEM_INVALID_CREDENTIALS ? NULL : res);
    return APR_EACCES;
}

static authn_status check_password(request_rec *r, const char *user, const char *password)
{
    const ua_app_t *app = ua_edge_app(r);
    request_rec *origin = ua_edge_origin(r);
    const ua_req_t *req = NULL;

    if (!app) {
        return AUTH_GENERAL_ERROR;
    }
    if (check(app, origin, user, password) != APR_SUCCESS) {
        return AUTH_DENIED;
    }
    req = ua_edge_basic_request(origin, app);
    ua_edge_let_in(r, req);
    r->user = ua_edge_user(r, app->conf, req->session);
    return AUTH_GRANTED;
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
    request_rec *origin = ua_edge_origin(r);
    const ua_res_t *res = ua_edge_refusal(origin);

    if (status == HTTP_UNAUTHORIZED && ua_edge_denied(origin)) {
        r->user =
            NULL; /* mod_auth_basic leaves the name that was claimed, for what answers the 401 */
        r->ap_auth_type = NULL;
    }
    if (status == HTTP_UNAUTHORIZED && res && r == origin) {
        apr_table_unset(r->err_headers_out, "WWW-Authenticate");
        (void)ua_edge_reply(r, res);
        return DONE;
    }
    return status;
}
