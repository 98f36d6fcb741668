/* jwt_parse.h: shared by jwt*.c only: the strict reading of a token's text before any key is used, and the
 * signature of any claims. */
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

/* jwt.c: signs claims, a JSON text, with the key of the period of `issued`. APR_SUCCESS or a failure of the
 * machine. */
apr_status_t ua_jwt_sign_claims(const char **out, apr_pool_t *pool, ua_jwt_keys_t *keys,
                                const char *type, const char *claims,
                                apr_time_t issued) UA_MUST_USE;

/* jwt.c: a list of the words between those signs; the caller owns it. */
json_t *ua_jwt_words(apr_pool_t *pool, const char *words, const char *between);

#endif
