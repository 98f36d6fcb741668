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
           strchr("=-; ", pair[sizeof name - 1]) != NULL;
}

/* The pairs that are not ours; "" when none is left. */
static const char *others(apr_pool_t *pool, const char *header)
{
    char *kept = apr_palloc(pool, strlen(header) * 2 + 1); /* a ";" may become "; " */
    char *end = kept;

    while (*header) {
        const char *pair = header + strspn(header, "; \t");
        apr_size_t length = strcspn(pair, ";");

        if (length > 0 && !is_own(pair)) {
            end = end > kept ? apr_cpystrn(end, "; ", 3) : end;
            memcpy(end, pair, length);
            end += length;
        }
        header = pair + length;
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
