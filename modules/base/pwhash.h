/* pwhash.h: Argon2id hashes of passwords as PHC strings. The only file that includes libsodium.
 *
 * The caller bounds how many run at once (19 MiB each by default) and has normalised the password.
 */
#ifndef UA_PWHASH_H
#define UA_PWHASH_H

#include "base.h"

typedef struct ua_pwhash_params_t {
    apr_int64_t memory_kib; /* 7168..4194304: OWASP's floor and libsodium's ceiling */
    apr_int64_t passes;     /* 1..10 */
} ua_pwhash_params_t;

/* Once, before threads. */
apr_status_t ua_pwhash_init(void) UA_MUST_USE;

/* APR_SUCCESS, or APR_ENOMEM when the memory for the hash cannot be had. */
apr_status_t ua_pwhash(const char **out, apr_pool_t *pool, const char *password,
                       const ua_pwhash_params_t *params) UA_MUST_USE;

/* APR_SUCCESS when the password is right, APR_EACCES when it is wrong, APR_ENOMEM when this could
 * not be found out. A wrong password costs what a hash at `params` costs, also where the hash is cheaper, empty or
 * malformed. */
apr_status_t ua_pwhash_verify(apr_pool_t *pool, const char *hash, const char *password,
                              const ua_pwhash_params_t *params) UA_MUST_USE;

/* 1 when the hash was made with other parameters than these. */
int ua_pwhash_outdated(const char *hash, const ua_pwhash_params_t *params);

#endif
