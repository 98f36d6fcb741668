/* jwt.h: access tokens (RFC 9068) signed with ES256, and the keys that sign them. With its kin the only
 * user of cjose.
 *
 * Signing keys are derived from the site's secret and the number of the period `now` lies in: nothing is
 * stored, and nodes with the same key file and key lifetime agree. Times are in microseconds; claims carry whole
 * seconds. Clocks of nodes may differ by 60 s.
 */
#ifndef UA_JWT_H
#define UA_JWT_H

#include "base.h"
#include <jansson.h>

/* How long an access token works. */
#define UA_JWT_LIFE apr_time_from_sec(300)

/* One per process and site; may be used by several threads at once. */
typedef struct ua_jwt_keys_t ua_jwt_keys_t;

/* `pool` is the process's; `secret` is copied; `lifetime` is how long a key signs. APR_EINVAL for less than a
 * minute; else a failure of the machine. */
apr_status_t ua_jwt_keys_create(ua_jwt_keys_t **out, apr_pool_t *pool,
                                const unsigned char secret[32],
                                apr_interval_time_t lifetime) UA_MUST_USE;

/* No text is NULL; subject, id and session are UUIDs; a word of `amr` that is not UTF-8 is left out. */
typedef struct ua_jwt_t {
    const char *issuer, *subject, *audience;
    apr_time_t issued, expires;
    const char *id;      /* jti */
    const char *session; /* sid */
    apr_time_t auth_time;
    const char *amr; /* blank-separated words; an array in the claims */
    const char *username;
} ua_jwt_t;

/* A token signed with the key of the period of `issued`, in the pool. APR_EINVAL for one that ua_jwt_verify
 * would never accept: a text missing or not UTF-8, a life of none or over UA_JWT_LIFE, over 2048 characters;
 * else a failure of the machine. */
apr_status_t ua_jwt_sign(const char **out, apr_pool_t *pool, ua_jwt_keys_t *keys,
                         const ua_jwt_t *token) UA_MUST_USE;

/* How long a statement about a request's person holds. */
#define UA_JWT_PERSON_LIFE apr_time_from_sec(60)

/* The person of one request, for a backend: no text is NULL; those after `auth_time` may be empty, then they are
 * left out. */
typedef struct ua_jwt_person_t {
    const char *issuer, *subject, *audience;
    apr_time_t issued; /* holds for UA_JWT_PERSON_LIFE from then */
    const char *id;    /* jti */
    const char *username;
    apr_time_t auth_time;
    const char *session; /* sid */
    const char *email;
    const char *name;
    const char *groups; /* names separated by commas; an array in the claims */
} ua_jwt_person_t;

/* A token with header typ "JWT", which no gate takes for an access token (RFC 8725, 3.11). Texts that are not
 * UTF-8 are left out. APR_SUCCESS or a failure of the machine. */
apr_status_t ua_jwt_sign_person(const char **out, apr_pool_t *pool, ua_jwt_keys_t *keys,
                                const ua_jwt_person_t *person) UA_MUST_USE;

/* Whose tokens are good, for whom, and when. */
typedef struct ua_jwt_wanted_t {
    const char *issuer, *audience;
    apr_time_t now;
} ua_jwt_wanted_t;

/* APR_SUCCESS; APR_EACCES for every kind of bad token; else a failure of the machine.
 * A token works while issued - 60 s <= now < expires. Who may use it is not known here: the session it
 * names may have ended. */
apr_status_t ua_jwt_verify(ua_jwt_t *out, apr_pool_t *pool, ua_jwt_keys_t *keys,
                           const char *text, const ua_jwt_wanted_t *wanted) UA_MUST_USE;

/* {"keys":[...]} (RFC 7517) as of `now`, owned by the pool: keys of which a token can be alive, the present one
 * and the next. APR_SUCCESS or a failure of the machine. */
apr_status_t ua_jwt_set(json_t **out, apr_pool_t *pool, ua_jwt_keys_t *keys,
                        apr_time_t now) UA_MUST_USE;

#endif
