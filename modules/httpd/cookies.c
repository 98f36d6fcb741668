/* cookies.c: applications do not see this module's own cookies: a session's secret is nothing for a
 * backend's log. They leave the headers in fixups; what comes later in the same request is read from here. */
#include "edge.h"

#include <string.h>

/* 1 for "userauth=…", "userauth-device=…", "__Host-userauth=…". */
static int is_own(const char *pair)
{
    static const char secure[] = "__Host-";
    static const char name[] = "userauth";

    if (strncmp(pair, secure, sizeof secure - 1) == 0) {
        pair += sizeof secure - 1;
    }
    return strncmp(pair, name, sizeof name - 1) == 0 &&
           strchr("=-;, ", pair[sizeof name - 1]) != NULL;
}

/* The pairs that are not ours, with what stands between them; "" when none is left. httpd joins two headers by a comma. */
static const char *others(apr_pool_t *pool, const char *header)
{
    static const char between[] = ";, \t";
    char *kept = apr_palloc(pool, strlen(header) + 1);
    char *end = kept;

    while (*header) {
        apr_size_t gap = strspn(header, between);
        apr_size_t length = gap + strcspn(header + gap, ";,");
        const char *from = end > kept ? header : header + gap;

        if (length > gap && !is_own(header + gap)) {
            memcpy(end, from, (apr_size_t)(header + length - from));
            end += header + length - from;
        }
        header += length;
    }
    *end = '\0';
    return kept;
}

int ua_edge_strip_cookies(request_rec *r)
{
    const ua_app_t *app = ua_edge_app(r);
    const char *header = app ? apr_table_get(r->headers_in, "Cookie") : NULL;
    const char *rest = NULL;

    if (!header || app->conf->pass_cookies || !strstr(header, "userauth") || ua_edge_owns(r)) {
        return DECLINED;
    }
    rest = others(r->pool, header);
    ua_edge_keep_cookie(r, header);
    if (*rest) {
        apr_table_setn(r->headers_in, "Cookie", rest);
    }
    else {
        apr_table_unset(r->headers_in, "Cookie");
    }
    return DECLINED;
}
