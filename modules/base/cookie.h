/* cookie.h: the Cookie header read, the Set-Cookie header written (RFC 6265bis). */
#ifndef UA_COOKIE_H
#define UA_COOKIE_H

#include "base.h"

/* The value of one cookie; NULL when absent, when it appears twice with different values, or when
 * it holds anything but 1..512 characters of A-Z a-z 0-9 . _ - (ours hold nothing else).
 * Reads the header once, copies the value only. */
const char *ua_cookie_get(apr_pool_t *pool, const char *header, const char *name);

/* The same, for a value of at most `most` characters. */
const char *ua_cookie_get_long(apr_pool_t *pool, const char *header, const char *name,
                               apr_size_t most);

typedef struct ua_cookie_t {
    const char *name;
    const char *value; /* "" deletes */
    apr_int64_t age;   /* seconds; 0: until the browser closes */
    int secure;
} ua_cookie_t;

/* "name=value; Path=/; HttpOnly; SameSite=Lax[; Secure][; Max-Age=n]" */
const char *ua_cookie_text(apr_pool_t *pool, const ua_cookie_t *cookie);

#endif
