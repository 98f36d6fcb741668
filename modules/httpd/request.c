/* request.c: a request_rec in neutral form. The body is read here, bounded before it is read. */
#include "edge.h"
#include "base/cookie.h"
#include "base/form.h"
#include "base/url.h"

#include <http_core.h>
#include <http_protocol.h>
#include <string.h>

/* Of a body that is too long, over HTTP/2. A read that nothing comes for ends at httpd's Timeout. */
#define DROP_BYTES (1024 * 1024)
#define DROP_FOR   apr_time_from_sec(10)

/* What this module keeps for one request_rec. */
typedef struct kept_t {
    ua_req_t *req;
    ua_req_t *basic;   /* the same request with a name and password, whoever its cookie is of */
    const char *query; /* as sent, before it was masked */
    const char *uri;
    const char *cookie;        /* as sent, before ours were taken out of it */
    int has_headers;           /* read already: all but the credentials */
    int has_body;              /* likewise */
    int awaits_index;          /* mod_dir may be looking for the file that answers */
    apr_interval_time_t stale; /* a Require line wants the password within this time, or 0 */
    const ua_req_t *by;        /* whose session let it in, or NULL */
    const char *denied;        /* Basic credentials that were wrong or not tried */
    const ua_res_t *refusal;   /* of these, or NULL */
} kept_t;

static kept_t *kept(request_rec *r)
{
    kept_t *k = ap_get_module_config(r->request_config, &userauth_module);

    if (!k) {
        k = apr_pcalloc(r->pool, sizeof *k);
        ap_set_module_config(r->request_config, &userauth_module, k);
    }
    return k;
}

/* The request it is a part or a redirect of, or NULL. */
static const request_rec *origin_of(const request_rec *r)
{
    return r->main ? r->main : r->prev;
}

static const char *header(const request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_in, name);

    return value ? value : "";
}

/* Path and query as sent, also when the request line held a whole URL, or a rewrite led elsewhere. */
static const char *uri_of(const request_rec *r)
{
    const char *uri = NULL;
    const char *host = NULL;
    const char *path = NULL;

    while (r->prev) {
        r = r->prev;
    }
    uri = r->unparsed_uri;
    host = *uri == '/' ? NULL : strstr(uri, "://");
    path = host ? strchr(host + 3, '/') : uri;
    return path && *path == '/' ? path
                                : ap_escape_uri(r->pool, r->uri); /* "http:/a" is a path, too */
}

int ua_edge_await_index(request_rec *r)
{
    if (ua_edge_app(r)) {
        kept(r)->awaits_index = 1;
    }
    return DECLINED;
}

void ua_edge_end_index(request_rec *r)
{
    if (ua_edge_app(r)) {
        kept(r)->awaits_index = 0;
    }
}

int ua_edge_is_index(request_rec *part)
{
    return part->main && part->finfo.filetype != APR_NOFILE && kept(part->main)->awaits_index;
}

void ua_edge_keep_cookie(request_rec *r, const char *header)
{
    kept(r)->cookie = header;
}

void ua_edge_keep_uri(request_rec *r)
{
    kept_t *k = kept(r);

    k->query = r->args;
    k->uri = uri_of(r);
}

/* The header as sent: of this request, or of the one it is a part or a redirect of. */
static const char *cookie_of(const request_rec *r)
{
    for (const request_rec *from = r; from; from = origin_of(from)) {
        const kept_t *k = ap_get_module_config(from->request_config, &userauth_module);

        if (k && k->cookie) {
            return k->cookie;
        }
    }
    return header(r, "Cookie");
}

int ua_edge_has_cookie(const request_rec *r, const ua_app_t *app)
{
    return ua_cookie_get(r->pool, cookie_of(r), app->conf->cookie) != NULL;
}

static ua_method_e method_of(const request_rec *r)
{
    switch (r->method_number) {
    case M_GET: return r->header_only ? UA_METHOD_HEAD : UA_METHOD_GET;
    case M_POST: return UA_METHOD_POST;
    case M_OPTIONS: return UA_METHOD_OPTIONS;
    default: return UA_METHOD_OTHER;
    }
}

static int is_https(const request_rec *r)
{
    const char *https = apr_table_get(r->subprocess_env, "HTTPS");

    return strcmp(ap_http_scheme(r), "https") == 0 ||
           (https && ap_cstr_casecmp(https, "on") == 0);
}

static void copy_headers(ua_req_t *req, const request_rec *r)
{
    const char *purpose = header(r, "Sec-Purpose");

    req->ctx->agent = header(r, "User-Agent");
    req->accept = header(r, "Accept");
    req->content_type = header(r, "Content-Type");
    req->origin = header(r, "Origin");
    req->referer = header(r, "Referer");
    req->fetch_site = header(r, "Sec-Fetch-Site");
    req->fetch_mode = header(r, "Sec-Fetch-Mode");
    req->fetch_dest = header(r, "Sec-Fetch-Dest");
    req->fetch_user = header(r, "Sec-Fetch-User");
    req->purpose = *purpose ? purpose : header(r, "Purpose");
    req->requested_with = header(r, "X-Requested-With");
}

ua_req_t *ua_edge_request(request_rec *r, const ua_app_t *app)
{
    ua_req_t *req = ua_edge_credentials(r, app);
    kept_t *k = kept(r);

    if (!k->has_headers) {
        copy_headers(req, r);
        k->has_headers = 1;
    }
    return req;
}

ua_req_t *ua_edge_credentials(request_rec *r, const ua_app_t *app)
{
    kept_t *k = kept(r);
    ua_req_t *req = k->req;
    ua_ctx_t *ctx = NULL;

    if (req) {
        return req;
    }
    ctx = ua_app_look(app, r->pool, r->request_time);
    ctx->address = r->useragent_ip ? r->useragent_ip : "";
    req = apr_pcalloc(r->pool, sizeof *req);
    req->ctx = ctx;
    req->method = method_of(r);
    req->path = r->uri;
    req->query = k->query ? k->query : r->args ? r->args : "";
    req->uri = k->uri ? k->uri : uri_of(r);
    req->https = is_https(r);
    req->body = "";
    req->cookie = cookie_of(r);
    req->authorization = header(r, "Authorization");
    k->req = req;
    return req;
}

ua_req_t *ua_edge_request_ahead(request_rec *whole, const ua_app_t *app)
{
    return apr_pmemdup(whole->pool, ua_edge_request(whole, app), sizeof(ua_req_t));
}

ua_req_t *ua_edge_basic_request(request_rec *r, const ua_app_t *app)
{
    kept_t *k = kept(r);

    if (!k->basic) {
        k->basic = apr_pmemdup(r->pool, ua_edge_request(r, app), sizeof *k->basic);
        k->basic->session = NULL;
        k->basic->session_cookie = NULL;
        k->basic->bearer = UA_BEARER_NONE;
    }
    return k->basic;
}

void ua_edge_stale(request_rec *r, apr_interval_time_t age)
{
    kept(r)->stale = age;
}

apr_interval_time_t ua_edge_stale_age(request_rec *r)
{
    return kept(r)->stale;
}

request_rec *ua_edge_origin(request_rec *r)
{
    while (r->main || r->prev) {
        r = r->main ? r->main : r->prev;
    }
    return r;
}

void ua_edge_refused(request_rec *r, const char *credentials, const ua_res_t *res)
{
    kept(r)->denied = credentials;
    kept(r)->refusal = res;
}

const char *ua_edge_denied(request_rec *r)
{
    return kept(r)->denied;
}

const ua_res_t *ua_edge_refusal(request_rec *r)
{
    return kept(r)->refusal;
}

void ua_edge_let_in(request_rec *r, const ua_req_t *by)
{
    kept(r)->by = by;
}

/* httpd hands r->user on to parts and redirects of a request; another name is another module's word. */
const ua_req_t *ua_edge_gated(const request_rec *r)
{
    for (; r; r = origin_of(r)) {
        const kept_t *k = ap_get_module_config(r->request_config, &userauth_module);
        const request_rec *from = origin_of(r);

        if (k && k->by) {
            return k->by;
        }
        if (r->user && !(from && from->user == r->user)) {
            return NULL;
        }
    }
    return NULL;
}

/* What came of a body, and the bytes there is room for before its NUL. */
typedef struct body_t {
    char *data;
    apr_size_t length;
    apr_size_t room;
} body_t;

/* A filter may make more of a body than was declared: mod_deflate's unpacks it. */
static void make_room(body_t *body, apr_pool_t *pool)
{
    char *data = apr_palloc(pool, UA_BODY_BYTES + 1);

    body->data = memcpy(data, body->data, body->length);
    body->room = UA_BODY_BYTES;
}

/* Appends what a brigade holds. APR_ENOSPC when it does not fit. */
static apr_status_t take(apr_bucket_brigade *bb, body_t *body, int *eos)
{
    for (apr_bucket *b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb);
         b = APR_BUCKET_NEXT(b)) {
        const char *data = NULL;
        apr_size_t n = 0;

        if (APR_BUCKET_IS_EOS(b)) {
            *eos = 1;
            return APR_SUCCESS;
        }
        if (APR_BUCKET_IS_METADATA(b)) {
            continue;
        }
        UA_CHECK(apr_bucket_read(b, &data, &n, APR_BLOCK_READ));
        if (n > UA_BODY_BYTES - body->length) {
            return APR_ENOSPC;
        }
        if (n > body->room - body->length) {
            make_room(body, bb->p);
        }
        memcpy(body->data + body->length, data, n);
        body->length += n;
    }
    return APR_SUCCESS;
}

static apr_status_t read_all(request_rec *r, body_t *body)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int eos = 0;

    while (!eos) {
        UA_CHECK(ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ,
                                UA_BODY_BYTES));
        UA_CHECK(take(bb, body, &eos));
        apr_brigade_cleanup(bb);
    }
    return APR_SUCCESS;
}

/* Over HTTP/2 an answer ahead of the body's end resets the stream, and browsers show an error of theirs in its place
 * (RFC 9113, 8.1): the rest of a body that is too long is read and dropped, up to a bound. */
static void drop_rest(request_rec *r)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_time_t until = apr_time_now() + DROP_FOR;
    apr_off_t left = r->proto_num >= HTTP_VERSION(2, 0) ? DROP_BYTES : 0;

    while (left > 0 && apr_time_now() < until &&
           ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ,
                          UA_BODY_BYTES) == APR_SUCCESS) {
        apr_off_t length = 0;

        (void)apr_brigade_length(bb, 1, &length);
        left -= length;
        if (APR_BRIGADE_EMPTY(bb) || APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb))) {
            return;
        }
        apr_brigade_cleanup(bb);
    }
}

void ua_edge_body(request_rec *r, ua_req_t *req)
{
    const char *declared = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t length = 0;
    body_t body = {NULL, 0, UA_BODY_BYTES};
    apr_status_t rv = APR_SUCCESS;

    if (kept(r)->has_body) {
        return;
    }
    kept(r)->has_body = 1;
    if (declared && (!ap_parse_strict_length(&length, declared) || length > UA_BODY_BYTES)) {
        rv = APR_ENOSPC;
    }
    else if (declared || apr_table_get(r->headers_in, "Transfer-Encoding")) {
        body.room = declared ? (apr_size_t)length : body.room;
        body.data = apr_palloc(r->pool, body.room + 1);
        rv = read_all(r, &body);
        body.data[body.length] = '\0';
        req->body = body.data;
        req->length = body.length;
    }
    if (rv == APR_ENOSPC) {
        drop_rest(r);
    }
    if (rv != APR_SUCCESS) { /* what was not read is never taken for the next request */
        r->connection->keepalive = AP_CONN_CLOSE;
        req->body_status = rv == APR_ENOSPC ? APR_ENOSPC : APR_EINVAL;
    }
    /* It may end minutes behind the request's first line, while limits and links run on. */
    req->ctx->now = apr_time_now();
}
