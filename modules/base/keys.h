/* keys.h: the secrets of a site, in a file that nodes share a copy of.
 *
 * The file holds one line "userauth-key-1 <43 characters of base64url>": 256 random bits, from
 * which a key for each purpose is derived. Read by the parent at start, never by a child.
 */
#ifndef UA_KEYS_H
#define UA_KEYS_H

#include "base.h"
#include "crypto.h"

typedef struct ua_keys_t {
    unsigned char token[UA_DIGEST_BYTES];    /* tags of links in mails */
    unsigned char csrf[UA_DIGEST_BYTES];     /* the hidden field */
    unsigned char cookie[UA_DIGEST_BYTES];   /* signed cookies */
    unsigned char throttle[UA_DIGEST_BYTES]; /* names of counters */
    unsigned char refresh[UA_DIGEST_BYTES];  /* successors of refresh tokens */
    unsigned char
        jwt[UA_DIGEST_BYTES]; /* from which the signing keys of API tokens are derived */
    const char *fingerprint;  /* base64url; safe to store and show */
} ua_keys_t;

/* Reads and checks the file. APR_SUCCESS; APR_ENOENT when there is none; else APR_EINVAL and *why
 * is one sentence with the remedy: a symbolic link, not a plain file, readable by group or world,
 * owned by neither root nor the user running this, weak (all bytes alike, a sample) or malformed. */
apr_status_t ua_keys_read(ua_keys_t **out, apr_pool_t *pool, const char *path,
                          const char **why) UA_MUST_USE;

/* Writes a new file, mode 0600, complete or not at all; then reads it. Same results; APR_EEXIST if
 * another process made it meanwhile. */
apr_status_t ua_keys_create(ua_keys_t **out, apr_pool_t *pool, const char *path,
                            const char **why) UA_MUST_USE;

/* Derives the purposes from 32 bytes. Only for the two above and for tests. */
apr_status_t ua_keys_derive(ua_keys_t **out, apr_pool_t *pool,
                            const unsigned char secret[32]) UA_MUST_USE;

#endif
