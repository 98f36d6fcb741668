/* jwt_parse.h: the strict reading of a token's text, before any key is used: for jwt.c. */
#ifndef UA_JWT_PARSE_H
#define UA_JWT_PARSE_H

#include "jwt.h"

/* Characters of the longest token. */
#define UA_JWT_LONGEST 2048

/* What a token says before anybody believes it, in the pool. */
typedef struct ua_jwt_parts_t {
    const char *kid;
    const char *payload; /* `length` bytes and a NUL */
    apr_size_t length;
} ua_jwt_parts_t;

/* The parts of a token that are canonical base64url, with a header of exactly our members alg, kid and typ.
 * APR_EACCES otherwise. */
apr_status_t ua_jwt_parse(ua_jwt_parts_t *out, apr_pool_t *pool, const char *text) UA_MUST_USE;

/* The claims of a payload: each there, of its type and not absurd. Whether they hold now is not asked.
 * APR_EACCES otherwise. */
apr_status_t ua_jwt_parse_claims(ua_jwt_t *out, apr_pool_t *pool, const char *payload,
                                 apr_size_t length) UA_MUST_USE;

#endif
