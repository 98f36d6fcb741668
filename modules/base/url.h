/* url.h: the base URL, return paths, and percent-encoding. Built by hand: the rules of contract 1
 * for `next` are stricter than any parser's. */
#ifndef UA_URL_H
#define UA_URL_H

#include "base.h"

#define UA_NEXT_BYTES 2048

typedef struct ua_base_url_t {
    const char *text;   /* "https://www.example.com", no slash at the end: links begin so */
    const char *scheme; /* "http" or "https" */
    const char *host;   /* lower case; an IPv6 address keeps its brackets */
    int port;           /* the scheme's own when none is written */
    int localhost;      /* localhost, *.localhost, 127.0.0.0/8 or [::1] */
} ua_base_url_t;

/* `scheme://host[:port]` and an optional single "/" at the end. APR_EINVAL with *why (one sentence)
 * for a path, query, fragment, user name, other scheme, bad host or port, or http:// elsewhere than
 * on localhost. */
apr_status_t ua_base_url_parse(ua_base_url_t *out, apr_pool_t *pool, const char *text,
                               const char **why) UA_MUST_USE;

/* 1 when an Origin header (RFC 6454, "scheme://host[:port]") is the base URL's. Under an http base
 * URL on localhost, `localhost`, `127.0.0.1` and `[::1]` of its port are one origin. */
int ua_origin_is_own(apr_pool_t *pool, const ua_base_url_t *base, const char *origin);

/* The local path and query of an absolute URL of the same origin (a Referer), else NULL. */
const char *ua_referer_path(apr_pool_t *pool, const ua_base_url_t *base, const char *referer);

/* `next` when it is a local path (one leading "/", then neither "/" nor "\"; no "\", no control,
 * none of these percent-encoded - also not doubly - in a place where a browser or a proxy could
 * read them; <= UA_NEXT_BYTES; no "//" at the start after removing dot segments), else NULL. */
const char *ua_next_valid(apr_pool_t *pool, const char *next);

/* Percent-encodes all but RFC 3986's unreserved characters. */
const char *ua_url_encode(apr_pool_t *pool, const char *text);

/* The first value of `name` in a query string, decoded strictly; NULL when absent or malformed. */
const char *ua_query_get(apr_pool_t *pool, const char *query, const char *name);

#endif
