/* identity.c: what an application behind the gate is told of the person, and nothing that a client
 * says about that. Set in fixups, which also run for sub-requests and internal redirects. */
#include "edge.h"

#include <string.h>

/* 1 for the names by which identity is passed on, "-" and "_" and case alike. */
static int is_identity(const char *name)
{
    static const char *const names[] = {"remote-user", "x-remote-user", NULL};
    static const char *const prefixes[] = {"userauth-", "x-userauth-", "redirect-userauth-",
                                           NULL};
    char plain[32];
    apr_size_t n = 0;

    for (; n < sizeof plain - 1 && name[n]; n++) {
        plain[n] = name[n];
        if (plain[n] == '_') {
            plain[n] = '-';
        }
    }
    plain[n] = '\0';
    for (int i = 0; names[i]; i++) {
        if (strcasecmp(plain, names[i]) == 0) {
            return 1;
        }
    }
    for (int i = 0; prefixes[i]; i++) {
        if (strncasecmp(plain, prefixes[i], strlen(prefixes[i])) == 0) {
            return 1;
        }
    }
    return 0;
}

int ua_edge_scrub(request_rec *r)
{
    const apr_array_header_t *headers = apr_table_elts(r->headers_in);

    for (int i = headers->nelts - 1; ua_edge_app(r) && i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(headers, i, apr_table_entry_t).key;

        if (name && is_identity(name)) {
            apr_table_unset(r->headers_in, name);
            i = headers->nelts;
        }
    }
    return DECLINED;
}

/* The request that the gate let in: this one, or the one it is a part or a redirect of. */
static const request_rec *let_in(const request_rec *r)
{
    while (r && !(r->user && r->ap_auth_type && strcmp(r->ap_auth_type, UA_AUTH_TYPE) == 0)) {
        r = r->main ? r->main : r->prev;
    }
    return r;
}

int ua_edge_identify(request_rec *r)
{
    const request_rec *from = ua_edge_app(r) ? let_in(r) : NULL;
    const ua_req_t *gated = from ? ua_edge_gated(from) : NULL;
    apr_table_t *env = r->subprocess_env;

    if (!gated) {
        return DECLINED;
    }
    if (!r->user) { /* a script outside the gate, reached by a rewrite from inside */
        r->user = apr_pstrdup(r->pool, from->user);
        r->ap_auth_type = apr_pstrdup(r->pool, UA_AUTH_TYPE);
    }
    apr_table_setn(env, "USERAUTH_ID", gated->session->account_id);
    apr_table_setn(env, "USERAUTH_EMAIL", gated->session->email);
    apr_table_setn(env, "USERAUTH_DISPLAY_NAME", gated->session->display_name);
    apr_table_setn(env, "USERAUTH_GROUPS", "");
    apr_table_setn(env, "USERAUTH_SESSION", gated->session->id);
    return DECLINED;
}
