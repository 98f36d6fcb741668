/* password.h: which passwords are good, and hashing them within the server's bound.
 *
 * A password is normalised (NFC) before it is judged, hashed or compared, and nothing else about
 * it is changed. ua_password_enter() takes one of the few hash slots of all children; the caller
 * leaves it once a failure is committed, and at once when there is none.
 */
#ifndef UA_PASSWORD_H
#define UA_PASSWORD_H

#include "domain.h"

#define UA_PASSWORD_MOST  256  /* code points */
#define UA_PASSWORD_BYTES 1024 /* before and after normalisation */

/* NULL when the length is possible for any password, else the sentence for the person. */
const char *ua_password_length_refusal(const char *password);

/* Normalised form, in ctx->pool. */
apr_status_t ua_password_normal(const char **out, ua_ctx_t *ctx,
                                const char *password) UA_MUST_USE;

/* NULL when a normalised password may be set, else why not and what to do. `words` (NULL-ended) are
 * the person's own: name, address, display name. `score` (may be NULL) becomes zxcvbn's, 0..4
 * (base/strength.h), or 0 when its length is impossible. */
const char *ua_password_refusal(int *score, ua_ctx_t *ctx, const char *password,
                                const char *const *words);

/* Some random words that ua_password_refusal() accepts. */
apr_status_t ua_password_suggest(const char **out, ua_ctx_t *ctx) UA_MUST_USE;

/* Outside a transaction only: gives the database connection back. APR_SUCCESS; APR_EAGAIN or
 * APR_TIMEUP when too many wait. Harmless when a slot is held already. */
apr_status_t ua_password_enter(ua_ctx_t *ctx) UA_MUST_USE;
void ua_password_leave(ua_ctx_t *ctx);

/* Hashes, in a slot of its own when none is held. */
apr_status_t ua_password_hash(const char **out, ua_ctx_t *ctx,
                              const char *password) UA_MUST_USE;

/* APR_SUCCESS right, APR_EACCES wrong. `hash` "" (nobody's) costs the same and is never right. */
apr_status_t ua_password_verify(ua_ctx_t *ctx, const char *hash,
                                const char *password) UA_MUST_USE;

#endif
