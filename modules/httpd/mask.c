/* mask.c: tokens of links and codes reach no log: what httpd logs of a request to our pages says "***" in their place
 * (trap 25). The query as sent is kept for ourselves. */
#include "edge.h"

#include <string.h>

/* 1 when the value of a parameter is a secret. A name that is written with escapes may be one. */
static int is_secret(const char *name, apr_size_t length)
{
    return memchr(name, '%', length) ||
           (length >= 5 && strncasecmp(name + length - 5, "token", 5) == 0) ||
           (length == 4 && strncasecmp(name, "code", 4) == 0);
}

#define ID  36 /* a row's id, then "." or "%2E", */
#define TAG 43 /* and 256 bits in base64url */

/* How many bytes of a text stand before the tag of a token of ours, or 0. */
static apr_size_t before_tag(const char *text)
{
    static const char base64url[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    apr_size_t before = ID;

    if (strspn(text, "0123456789abcdefABCDEF-") != ID) {
        return 0;
    }
    before += text[ID] == '.' ? 1 : strncasecmp(text + ID, "%2e", 3) == 0 ? 3 : 0;
    return before > ID && strspn(text + before, base64url) >= TAG ? before : 0;
}

/* Wherever a token stands in a text, its tag becomes "***"; NULL when there is none. Mangled links hold one, too. */
static char *without_tags(apr_pool_t *pool, const char *text)
{
    char *copy = NULL;

    for (const char *at = strchr(text, '-'); at; at = strchr(at + 1, '-')) {
        apr_size_t before = at - text >= 8 ? before_tag(at - 8) : 0;
        char *tag = NULL;

        if (before > 0) {
            copy = copy ? copy : apr_pstrdup(pool, text);
            tag = copy + (at - text) - 8 + before;
            (void)memmove(tag + 3, tag + TAG, strlen(tag + TAG) + 1);
            (void)memset(tag, '*', 3);
            at = copy + (at - text);
            text = copy;
        }
    }
    return copy;
}

/* "a=1&token=xyz&b=2" with xyz as "***"; NULL when there is no secret. At most four times as long. */
static char *masked(apr_pool_t *pool, const char *args)
{
    char *copy = apr_palloc(pool, 4 * strlen(args) + 1);
    char *to = copy;
    int found = 0;

    while (*args) {
        apr_size_t pair = strcspn(args, "&");
        apr_size_t name = strcspn(args, "=&");
        int secret = name < pair && is_secret(args, name);
        apr_size_t kept = secret ? name + 1 : pair;

        to = (char *)memcpy(to, args, kept) + kept;
        if (secret) {
            to = (char *)memcpy(to, "***", 3) + 3;
        }
        found = found || secret;
        args += pair;
        if (*args) {
            *to++ = *args++;
        }
    }
    *to = '\0';
    return found ? copy : NULL;
}

/* 1 when a path or URL as sent, once decoded and tidied as httpd will do, lies below our prefix. */
static int is_public(apr_pool_t *pool, const ua_app_t *app, const char *sent)
{
    const char *host = *sent == '/' ? NULL : strstr(sent, "://");
    const char *start = host ? strchr(host + 3, '/') : sent;
    char *path = apr_pstrdup(pool, start ? start : "/");

    if (ap_unescape_url(path) != OK) {
        return 1;
    }
    ap_no2slash(path);
    ap_getparents(path);
    return ua_app_owns(app->conf, UA_AREA_PUBLIC, path);
}

/* The parameters' secrets, else the tags that a mangled link holds. */
static char *masked_args(apr_pool_t *pool, const char *args)
{
    char *one = masked(pool, args);
    char *both = without_tags(pool, one ? one : args);

    return both ? both : one;
}

int ua_edge_mask(request_rec *r)
{
    const ua_app_t *app = ua_edge_app(r);
    char *line = app ? without_tags(r->pool, r->the_request) : NULL;
    char *args = NULL;

    if (!app || (!line && !r->args) || !is_public(r->pool, app, r->uri)) {
        return DECLINED;
    }
    args = r->args ? masked_args(r->pool, r->args) : NULL;
    if (args) {
        ua_edge_keep_uri(r);
        r->args = args;
        r->parsed_uri.query = args;
        r->unparsed_uri = apr_pstrcat(r->pool, r->uri, "?", args, NULL);
        r->the_request = apr_pstrcat(r->pool, r->method, " ", r->unparsed_uri,
                                     r->assbackwards ? NULL : " ", r->protocol, NULL);
    }
    line = args ? without_tags(r->pool, r->the_request) : line;
    r->the_request = line ? line : r->the_request;
    return DECLINED;
}

/* "GET /path?args HTTP/1.1" with what is secret in args as "***", where the path is ours. */
static char *masked_line(apr_pool_t *pool, const ua_app_t *app, const char *line)
{
    const char *query = strchr(line, '?');
    const char *path = query ? memchr(line, ' ', (apr_size_t)(query - line)) : NULL;
    const char *args = NULL;

    if (!path ||
        !is_public(pool, app, apr_pstrmemdup(pool, path + 1, (apr_size_t)(query - path - 1)))) {
        return NULL;
    }
    args = masked(pool, apr_pstrmemdup(pool, query + 1, strcspn(query + 1, " ")));
    return args ? apr_pstrcat(pool, apr_pstrmemdup(pool, line, (apr_size_t)(query + 1 - line)),
                              args, query + 1 + strcspn(query + 1, " "), NULL)
                : NULL;
}

int ua_edge_mask_log(request_rec *r)
{
    const ua_app_t *app = ua_edge_app(r);
    char *line = app && r->the_request ? masked_line(r->pool, app, r->the_request) : NULL;

    if (line) {
        r->the_request = line;
        r->args = r->args ? masked(r->pool, r->args) : NULL;
    }
    line = app && r->the_request ? without_tags(r->pool, r->the_request) : NULL;
    r->the_request = line ? line : r->the_request;
    return DECLINED;
}
