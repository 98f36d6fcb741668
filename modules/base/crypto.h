/* crypto.h: random, digests, keyed digests, text forms of bytes. The only file that includes OpenSSL.
 *
 * No length or key choice is left to the caller: SHA-256, HMAC-SHA-256, base64url (RFC 4648 5)
 * without padding, UUID version 4 (RFC 9562).
 */
#ifndef UA_CRYPTO_H
#define UA_CRYPTO_H

#include "base.h"

#define UA_DIGEST_BYTES 32
#define UA_DIGEST_TEXT  43 /* base64url characters of 32 bytes */
#define UA_UUID_TEXT    36

/* Fetches the digests once (a fetch costs three times the digest). Call before threads exist. */
apr_status_t ua_crypto_init(void) UA_MUST_USE;

/* `length` bytes of the system's generator. */
apr_status_t ua_random(unsigned char *out, apr_size_t length) UA_MUST_USE;

/* Seeds ctx->draw. From then on the draws of this context are a function of the seed and their
 * number, so that ua_draw_rewind() makes a retry draw the same values. */
apr_status_t ua_draw_init(ua_ctx_t *ctx) UA_MUST_USE;

/* The same, and draws the context's own id first; nothing when it has one. */
apr_status_t ua_draw_begin(ua_ctx_t *ctx) UA_MUST_USE;
void ua_draw_rewind(ua_ctx_t *ctx);

/* 1..32 bytes. */
apr_status_t ua_draw(ua_ctx_t *ctx, unsigned char *out, apr_size_t length) UA_MUST_USE;

/* A new UUIDv4 in lower-case text, in ctx->pool. */
apr_status_t ua_draw_uuid(const char **out, ua_ctx_t *ctx) UA_MUST_USE;

/* 1 for a lower-case UUIDv4 of exactly 36 characters. */
int ua_uuid_valid(const char *text);

apr_status_t ua_sha256(unsigned char out[UA_DIGEST_BYTES], const void *data,
                       apr_size_t length) UA_MUST_USE;

/* SHA-256 of a text, as base64url: what the database holds of a cookie. */
apr_status_t ua_digest_text(const char **out, apr_pool_t *pool, const char *text) UA_MUST_USE;

/* HMAC-SHA-256 over a NULL-ended list of texts, each preceded by its length, so that no two lists
 * give the same bytes. */
apr_status_t ua_hmac(unsigned char out[UA_DIGEST_BYTES],
                     const unsigned char key[UA_DIGEST_BYTES],
                     const char *const *parts) UA_MUST_USE;

/* The same as base64url. */
apr_status_t ua_hmac_text(const char **out, apr_pool_t *pool,
                          const unsigned char key[UA_DIGEST_BYTES],
                          const char *const *parts) UA_MUST_USE;

/* A list for the two above: UA_PARTS("verify", id, address). */
#define UA_PARTS(...) ((const char *const[]){__VA_ARGS__, NULL})

const char *ua_base64url(apr_pool_t *pool, const void *data, apr_size_t length);

/* Decodes exactly `length` bytes. APR_EINVAL for anything but the canonical form: padding, other
 * characters, another length, unused bits that are not zero. */
apr_status_t ua_base64url_decode(unsigned char *out, apr_size_t length,
                                 const char *text) UA_MUST_USE;

/* Compares in constant time. */
int ua_equal(const void *a, const void *b, apr_size_t length);
int ua_equal_text(const char *a, const char *b);

void ua_wipe(void *data, apr_size_t length);

#endif
