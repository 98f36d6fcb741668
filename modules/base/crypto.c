/* crypto.c: OpenSSL's EVP, with algorithms fetched once and contexts reused by each thread.
 *
 * A fetched digest with a reused context costs a third of EVP_Digest() with a name (traps 34).
 * Contexts hang on a thread's key, so that a thread that ends frees its own; the key itself goes
 * when the module is unloaded, since httpd loads it anew at each restart. Knows no pool but for text.
 */
#include "crypto.h"

#include <apr_crypto.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#define LENGTH_BYTES 8
#define UUID_BYTES   16

typedef struct contexts_t {
    EVP_MD_CTX *digest;
    EVP_MAC_CTX *mac;
} contexts_t;

static EVP_MD *sha256;
static EVP_MAC *hmac;
static pthread_key_t contexts_key;
static int contexts_ready;

static void contexts_free(void *data)
{
    contexts_t *contexts = data;

    EVP_MD_CTX_free(contexts->digest);
    EVP_MAC_CTX_free(contexts->mac);
    OPENSSL_free(contexts);
}

/* Without this each restart of httpd would use up one of the process's 1024 keys. The algorithms
 * stay: OpenSSL may be gone already, and counts them for the next fetch. */
__attribute__((destructor)) static void crypto_unload(void)
{
    if (contexts_ready) {
        contexts_ready = 0;
        (void)pthread_key_delete(contexts_key);
    }
}

apr_status_t ua_crypto_init(void)
{
    if (sha256 == NULL) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    }
    if (hmac == NULL) {
        hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    }
    if (!contexts_ready) {
        contexts_ready = pthread_key_create(&contexts_key, contexts_free) == 0;
    }
    return sha256 != NULL && hmac != NULL && contexts_ready ? APR_SUCCESS : APR_EGENERAL;
}

/* Once for each context: naming the digest at each start costs a third more. */
static int mac_choose(EVP_MAC_CTX *mac)
{
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end()};

    return mac != NULL && EVP_MAC_CTX_set_params(mac, params) == 1;
}

static contexts_t *contexts_make(void)
{
    contexts_t *made = OPENSSL_zalloc(sizeof(*made));

    if (made == NULL) {
        return NULL;
    }
    made->digest = EVP_MD_CTX_new();
    made->mac = EVP_MAC_CTX_new(hmac);
    if (made->digest == NULL || !mac_choose(made->mac) ||
        pthread_setspecific(contexts_key, made) != 0) {
        contexts_free(made);
        return NULL;
    }
    return made;
}

/* This thread's contexts; NULL without ua_crypto_init() or memory. */
static contexts_t *contexts_get(void)
{
    contexts_t *contexts;

    if (!contexts_ready) {
        return NULL;
    }
    contexts = pthread_getspecific(contexts_key);
    return contexts ? contexts : contexts_make();
}

apr_status_t ua_random(unsigned char *out, apr_size_t length)
{
    if (length > INT_MAX) {
        return APR_EINVAL;
    }
    return RAND_bytes(out, (int)length) == 1 ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t ua_sha256(unsigned char out[UA_DIGEST_BYTES], const void *data, apr_size_t length)
{
    contexts_t *contexts = contexts_get();
    unsigned char digest[UA_DIGEST_BYTES];

    if (contexts == NULL || EVP_DigestInit_ex2(contexts->digest, sha256, NULL) != 1 ||
        EVP_DigestUpdate(contexts->digest, data, length) != 1 ||
        EVP_DigestFinal_ex(contexts->digest, digest, NULL) != 1) {
        return APR_EGENERAL;
    }
    memcpy(out, digest, sizeof(digest));
    return APR_SUCCESS;
}

apr_status_t ua_digest_text(const char **out, apr_pool_t *pool, const char *text)
{
    unsigned char digest[UA_DIGEST_BYTES];

    UA_CHECK(ua_sha256(digest, text, strlen(text)));
    *out = ua_base64url(pool, digest, sizeof(digest));
    return APR_SUCCESS;
}

/* Eight bytes, the highest first, then the text: no two lists of texts give the same bytes. */
static int mac_part(EVP_MAC_CTX *mac, const char *part)
{
    unsigned char prefix[LENGTH_BYTES];
    apr_size_t length = strlen(part);

    for (int i = 0; i < LENGTH_BYTES; i++) {
        prefix[i] = (unsigned char)(length >> (8 * (LENGTH_BYTES - 1 - i)));
    }
    return EVP_MAC_update(mac, prefix, sizeof(prefix)) == 1 &&
           EVP_MAC_update(mac, (const unsigned char *)part, length) == 1;
}

apr_status_t ua_hmac(unsigned char out[UA_DIGEST_BYTES],
                     const unsigned char key[UA_DIGEST_BYTES], const char *const *parts)
{
    contexts_t *contexts = contexts_get();
    unsigned char digest[UA_DIGEST_BYTES];
    size_t length = 0;
    int good = contexts != NULL && EVP_MAC_init(contexts->mac, key, UA_DIGEST_BYTES, NULL) == 1;

    for (; good && *parts != NULL; parts++) {
        good = mac_part(contexts->mac, *parts);
    }
    if (!good || EVP_MAC_final(contexts->mac, digest, &length, sizeof(digest)) != 1 ||
        length != sizeof(digest)) {
        return APR_EGENERAL;
    }
    memcpy(out, digest, sizeof(digest));
    return APR_SUCCESS;
}

apr_status_t ua_hmac_text(const char **out, apr_pool_t *pool,
                          const unsigned char key[UA_DIGEST_BYTES], const char *const *parts)
{
    unsigned char digest[UA_DIGEST_BYTES];

    UA_CHECK(ua_hmac(digest, key, parts));
    *out = ua_base64url(pool, digest, sizeof(digest));
    return APR_SUCCESS;
}

apr_status_t ua_draw_init(ua_ctx_t *ctx)
{
    UA_CHECK(ua_random(ctx->draw.seed, sizeof(ctx->draw.seed)));
    ctx->draw.count = ctx->draw.start = 0;
    return APR_SUCCESS;
}

void ua_draw_rewind(ua_ctx_t *ctx)
{
    ctx->draw.count = ctx->draw.start;
}

/* A seed of zeros is one that nobody drew: two contexts would draw the same "random" values. */
apr_status_t ua_draw(ua_ctx_t *ctx, unsigned char *out, apr_size_t length)
{
    static const unsigned char unseeded[sizeof(ctx->draw.seed)];
    unsigned char digest[UA_DIGEST_BYTES];
    char number[32];

    if (length < 1 || length > sizeof(digest) ||
        ua_equal(ctx->draw.seed, unseeded, sizeof(unseeded))) {
        return APR_EINVAL;
    }
    (void)apr_snprintf(number, sizeof(number), "%" APR_UINT64_T_FMT, ctx->draw.count);
    UA_CHECK(ua_hmac(digest, ctx->draw.seed, UA_PARTS("draw", number)));
    ctx->draw.count++;
    memcpy(out, digest, length);
    ua_wipe(digest, sizeof(digest));
    return APR_SUCCESS;
}

/* RFC 9562 5.4: version 4 in the high half of byte 6, variant 10 in the high bits of byte 8. */
apr_status_t ua_draw_uuid(const char **out, ua_ctx_t *ctx)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[UUID_BYTES];
    char *text;
    char *at;

    UA_CHECK(ua_draw(ctx, bytes, sizeof(bytes)));
    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
    text = at = apr_pcalloc(ctx->pool, UA_UUID_TEXT + 1);
    for (int i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *at++ = '-';
        }
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 0x0F];
    }
    *out = text;
    return APR_SUCCESS;
}

apr_status_t ua_draw_begin(ua_ctx_t *ctx)
{
    if (ctx->id) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_draw_init(ctx));
    UA_CHECK(ua_draw_uuid(&ctx->id, ctx));
    ctx->draw.start = ctx->draw.count;
    return APR_SUCCESS;
}

int ua_uuid_valid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";

    for (int i = 0; i < UA_UUID_TEXT; i++) {
        const char *allowed = shape[i] == 'x' ? "0123456789abcdef" : "89ab";
        int exact = shape[i] == '-' || shape[i] == '4';
        if (text[i] == '\0' ||
            (exact ? text[i] != shape[i] : strchr(allowed, text[i]) == NULL)) {
            return 0;
        }
    }
    return text[UA_UUID_TEXT] == '\0';
}

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const char *ua_base64url(apr_pool_t *pool, const void *data, apr_size_t length)
{
    const unsigned char *bytes = data;
    char *text = apr_pcalloc(pool, (length * 4 + 2) / 3 + 1);
    char *at = text;
    unsigned int held = 0;
    unsigned int bits = 0;

    for (apr_size_t i = 0; i < length; i++) {
        held = ((held & 0x3F) << 8) | bytes[i];
        for (bits += 8; bits >= 6; bits -= 6) {
            *at++ = base64_alphabet[(held >> (bits - 6)) & 0x3F];
        }
    }
    if (bits > 0) {
        *at = base64_alphabet[(held << (6 - bits)) & 0x3F];
    }
    return text;
}

/* Of a character that is known to be one of the alphabet. */
static unsigned int base64_value(char c)
{
    const char *found = strchr(base64_alphabet, c);

    return found ? (unsigned int)(found - base64_alphabet) : 0;
}

/* 1 when `text` is what ua_base64url() makes of some `length` bytes: as many characters as these
 * need, all of the alphabet, and the bits of the last one that belong to no byte are zero. */
static int base64_canonical(const char *text, apr_size_t length)
{
    apr_size_t characters = (length * 4 + 2) / 3;
    unsigned int unused = (unsigned int)(characters * 6 - length * 8);

    if (strlen(text) != characters || strspn(text, base64_alphabet) != characters) {
        return 0;
    }
    return characters == 0 || (base64_value(text[characters - 1]) & ((1U << unused) - 1)) == 0;
}

apr_status_t ua_base64url_decode(unsigned char *out, apr_size_t length, const char *text)
{
    unsigned int held = 0;
    unsigned int bits = 0;

    if (!base64_canonical(text, length)) {
        return APR_EINVAL;
    }
    for (; *text != '\0'; text++) {
        held = ((held & 0xFF) << 6) | base64_value(*text);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (unsigned char)(held >> bits);
        }
    }
    return APR_SUCCESS;
}

int ua_equal(const void *a, const void *b, apr_size_t length)
{
    return apr_crypto_equals(a, b, length);
}

/* The length of a secret is no secret. */
int ua_equal_text(const char *a, const char *b)
{
    apr_size_t length = strlen(a);

    return length == strlen(b) && apr_crypto_equals(a, b, length);
}

void ua_wipe(void *data, apr_size_t length)
{
    (void)apr_crypto_memzero(data, length);
}
