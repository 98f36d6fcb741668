/* identity.c: what an application behind the gate is told of the person, and nothing that a client
 * says about that. Set in fixups, which also run for sub-requests and internal redirects. */
#include "edge.h"

#include <apr_lib.h>
#include <http_core.h>
#include <string.h>
#include <util_filter.h>

#define TRAILERS "userauth-trailers"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* The start of a name, with "-" for every sign between its words: at most `length` bytes, the end included. */
static void spell(char *plain, apr_size_t length, const char *name)
{
    apr_size_t n = 0;

    for (; n < length - 1 && name[n]; n++) {
        plain[n] = (char)(apr_isalnum(name[n]) ? name[n] : '-');
    }
    plain[n] = '\0';
}

/* 1 for the names by which identity is passed on, whatever stands between their words, and for those that
 * other modules take for their own (mod_session's, and the proxy of "httpoxy", CVE-2016-5387). */
static int is_identity(const ua_conf_t *conf, const char *name)
{
    const char *const names[] = {"remote-user", "x-remote-user", "session", "proxy",
                                 conf->pass_user_header};
    const char *const prefixes[] = {"userauth-", "x-userauth-", "redirect-userauth-",
                                    conf->pass_prefix};
    char plain[UA_HEADER_NAME + 2] = "";

    for (apr_size_t i = 0; i < COUNT(names) + COUNT(prefixes); i++) {
        const char *own = i < COUNT(names) ? names[i] : prefixes[i - COUNT(names)];
        apr_size_t length = i < COUNT(names) ? sizeof plain : strlen(own);

        if (apr_tolower(*name) != apr_tolower(*own)) { /* most: this runs for every header */
            continue;
        }
        if (!*plain) {
            spell(plain, sizeof plain, name);
        }
        if (strncasecmp(plain, own, length) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Removes the entries whose names are `prefix` and an identity's. */
static void scrub(const ua_conf_t *conf, apr_table_t *table, const char *prefix)
{
    const apr_array_header_t *entries = apr_table_elts(table);
    apr_size_t length = strlen(prefix);

    for (int i = entries->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(entries, i, apr_table_entry_t).key;

        if (name && strncmp(name, prefix, length) == 0 && is_identity(conf, name + length)) {
            apr_table_unset(table, name);
            i = entries->nelts;
        }
    }
}

int ua_edge_scrub(request_rec *r)
{
    const ua_app_t *app = ua_edge_app(r);

    if (app) {
        scrub(app->conf, r->headers_in, "");
    }
    return DECLINED;
}

/* A script outside the gate, reached by a rewrite from inside, is told the name too. */
static void name_person(request_rec *r)
{
    const request_rec *from = r;

    while (from && !from->user) {
        from = from->main ? from->main : from->prev;
    }
    if (from && from != r) {
        r->user = apr_pstrdup(r->pool, from->user);
        r->ap_auth_type = apr_pstrdup(r->pool, from->ap_auth_type);
    }
}

/* Those of mod_proxy's ap_get_token(). */
#define SEPARATORS ",; \t"

/* What "Connection" names mod_proxy takes away: no client takes away who it is (RFC 9110, 7.6.1). */
static void keep_headers(request_rec *r, const ua_conf_t *conf)
{
    const char *list = apr_table_get(r->headers_in, "Connection");
    const char *kept = NULL;
    char *last = NULL;

    if (!list) {
        return;
    }
    for (char *name = apr_strtok(apr_pstrdup(r->pool, list), SEPARATORS, &last); name;
         name = apr_strtok(NULL, SEPARATORS, &last)) {
        if (!is_identity(conf, name)) {
            kept = kept ? apr_pstrcat(r->pool, kept, ", ", name, NULL) : name;
        }
    }
    if (kept) {
        apr_table_setn(r->headers_in, "Connection", kept);
    }
    else {
        apr_table_unset(r->headers_in, "Connection");
    }
}

static int is_told(const apr_table_t *env)
{
    const apr_array_header_t *entries = apr_table_elts(env);

    for (int i = 0; i < entries->nelts; i++) {
        const char *name = APR_ARRAY_IDX(entries, i, apr_table_entry_t).key;

        if (name && strncasecmp(name, "USERAUTH_", 9) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Names that begin alike cost a table most, so each is looked for only where one of them is there before. */
static void tell_environment(request_rec *r, const ua_session_t *session)
{
    void (*tell)(apr_table_t *, const char *, const char *) =
        is_told(r->subprocess_env) ? apr_table_setn : apr_table_addn;

    tell(r->subprocess_env, "USERAUTH_ID", session->account_id);
    tell(r->subprocess_env, "USERAUTH_EMAIL", session->email);
    tell(r->subprocess_env, "USERAUTH_DISPLAY_NAME", session->display_name);
    tell(r->subprocess_env, "USERAUTH_GROUPS", session->groups);
    tell(r->subprocess_env, "USERAUTH_SESSION", session->id);
}

/* A header holds ASCII alone: as RFC 3986 encodes a segment of a path, or base64url. */
static const char *encode(request_rec *r, const ua_conf_t *conf, const char *value)
{
    return conf->pass_encoding == UA_ENCODING_PERCENT
               ? ap_escape_path_segment(r->pool, value)
               : ua_base64url(r->pool, value, strlen(value));
}

static void tell_header(request_rec *r, const ua_conf_t *conf, const char *name,
                        const char *value)
{
    apr_table_setn(r->headers_in, apr_pstrcat(r->pool, conf->pass_prefix, name, NULL),
                   encode(r, conf, value));
}

static void tell_headers(request_rec *r, const ua_conf_t *conf, const ua_session_t *session)
{
    keep_headers(r, conf);
    apr_table_setn(r->headers_in, conf->pass_user_header, encode(r, conf, r->user));
    tell_header(r, conf, "Id", session->account_id);
    tell_header(r, conf, "Email", session->email);
    tell_header(r, conf, "Display-Name", session->display_name);
    tell_header(r, conf, "Groups", session->groups);
    tell_header(r, conf, "Session", session->id);
}

/* Without a token a backend lets nobody in: the request goes on, and the log says why. */
static void tell_token(request_rec *r, const ua_app_t *app, const ua_req_t *gated)
{
    const char *token = NULL;
    apr_status_t rv = ua_gate_token(&token, app, gated->ctx, gated->session);

    if (rv != APR_SUCCESS) {
        ua_app_log(app, gated->ctx, UA_LOG_ERR, "UA0109: a request has no X-Userauth-Token",
                   rv);
        return;
    }
    keep_headers(r, app->conf);
    apr_table_setn(r->headers_in, apr_pstrcat(r->pool, app->conf->pass_prefix, "Token", NULL),
                   token);
}

static void tell(request_rec *r, const ua_app_t *app, const ua_req_t *gated)
{
    if (app->conf->pass_as == UA_PASS_HEADERS || app->conf->pass_as == UA_PASS_BOTH) {
        tell_headers(r, app->conf, gated->session);
    }
    if (app->conf->pass_token) {
        tell_token(r, app, gated);
    }
}

/* A body has been read to its end, and its trailers may be among the headers now. */
static apr_status_t see_trailers(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode,
                                 apr_read_type_e block, apr_off_t bytes)
{
    request_rec *r = f->r;
    const ua_app_t *app = ua_edge_app(r);
    const ua_req_t *gated = app ? ua_edge_gated(r) : NULL;
    apr_status_t rv = ap_get_brigade(f->next, bb, mode, block, bytes);

    if (rv == APR_SUCCESS && app && !APR_BRIGADE_EMPTY(bb) &&
        APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb))) {
        scrub(app->conf, r->headers_in, "");
        if (gated) {
            tell(r, app, gated);
        }
        ap_remove_input_filter(f);
    }
    return rv;
}

void ua_edge_identity_register(void)
{
    ap_register_input_filter(TRAILERS, see_trailers, NULL, AP_FTYPE_CONTENT_SET);
}

static int merges_trailers(const request_rec *r)
{
    const core_server_config *core = ap_get_core_module_config(r->server->module_config);

    return core->merge_trailers == AP_MERGE_TRAILERS_ENABLE;
}

/* Applications see what stands among the headers once they have read the body. */
static void refuse_trailers(request_rec *r, const ua_app_t *app)
{
    if (r->main || r->prev) {
        scrub(app->conf, r->headers_in, "");
        scrub(app->conf, r->subprocess_env, "HTTP_");
    }
    else {
        ap_add_input_filter(TRAILERS, NULL, r, r->connection);
    }
}

/* Another gate let this part in: what the whole request was told of its person is not for it. */
static void forget(request_rec *r, const ua_app_t *app)
{
    static const char *const variables[] = {"USERAUTH_ID", "USERAUTH_EMAIL",
                                            "USERAUTH_DISPLAY_NAME", "USERAUTH_GROUPS",
                                            "USERAUTH_SESSION"};

    r->headers_in = apr_table_copy(r->pool, r->headers_in);
    scrub(app->conf, r->headers_in, "");
    scrub(app->conf, r->subprocess_env,
          "HTTP_"); /* mod_include has made variables of the headers */
    for (apr_size_t i = 0; i < COUNT(variables); i++) {
        apr_table_unset(r->subprocess_env, variables[i]);
    }
}

static int was_told(const request_rec *r)
{
    const request_rec *from = r->main ? r->main : r->prev;

    return from && ua_edge_gated(from);
}

int ua_edge_identify(request_rec *r)
{
    const ua_app_t *app = ua_edge_app(r);
    const ua_req_t *gated = app ? ua_edge_gated(r) : NULL;

    if (app && merges_trailers(r)) {
        refuse_trailers(r, app);
    }
    if (!gated) {
        if (app && was_told(r)) {
            forget(r, app);
        }
        return DECLINED;
    }
    name_person(r);
    ua_edge_let_in(r, gated); /* and its parts */
    if (app->conf->pass_as == UA_PASS_ENVIRONMENT || app->conf->pass_as == UA_PASS_BOTH) {
        tell_environment(r, gated->session);
    }
    tell(r, app, gated);
    return DECLINED;
}
