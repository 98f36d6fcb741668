/* jwt_forge.h: access tokens made without the code under test, from any header, claims and signature: OpenSSL signs
 * with the site's own derived key, so that nothing but the fault in question can be why a token is refused.
 */
#ifndef JWT_FORGE_H
#define JWT_FORGE_H

#include "base/crypto.h"
#include "base/jwt.h"
#include "base/jwt_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define SECOND       apr_time_from_sec(1)
#define DAY          apr_time_from_sec(86400)
#define PERIOD       20000 /* a day in 2024 */
#define ISSUER       "https://example.com"
#define AUDIENCE     "https://api.example.com"
#define ACCOUNT      "11111111-1111-4111-8111-111111111111"
#define SESSION      "22222222-2222-4222-9222-222222222222"
#define TOKEN        "33333333-3333-4333-a333-333333333333"
#define GOOD_HEADER  "{\"alg\":\"ES256\",\"kid\":\"G5bGkOB2zc2Ydeqx\",\"typ\":\"at+jwt\"}"
/* 20000 days, noon: iat 1728043200 */
#define NOW (PERIOD * DAY + DAY / 2)

/* A member of the claims as JSON text. */
typedef struct claim_t {
    const char *name, *value;
} claim_t;

static const claim_t good_claims[] = {
    {"iss", "\"" ISSUER "\""},      {"sub", "\"" ACCOUNT "\""}, {"aud", "\"" AUDIENCE "\""},
    {"iat", "1728043200"},          {"nbf", "1728043200"},      {"exp", "1728043500"},
    {"jti", "\"" TOKEN "\""},       {"sid", "\"" SESSION "\""}, {"auth_time", "1728043000"},
    {"amr", "[\"pwd\",\"email\"]"}, {"username", "\"alice\""}};

static const ua_jwt_wanted_t wanted = {ISSUER, AUDIENCE, NOW};
static unsigned char secret[UA_DIGEST_BYTES]; /* 0, 1, 2 … */
static apr_pool_t *pool;
static ua_jwt_keys_t *keys;

static inline int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (unsigned char)i;
    }
    return apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS ||
           ua_crypto_init() != APR_SUCCESS ||
           ua_jwt_keys_create(&keys, pool, secret, DAY) != APR_SUCCESS;
}

static inline int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static inline apr_status_t verify(const char *text)
{
    ua_jwt_t token = {.issuer = "untouched"};
    apr_status_t rv = ua_jwt_verify(&token, pool, keys, text, &wanted);

    assert_true((rv == APR_SUCCESS) == (strcmp(token.issuer, "untouched") != 0));
    return rv;
}

/* Refused by its form alone, before cjose sees it. */
static inline apr_status_t refused_unseen(const char *text)
{
    ua_jwt_parts_t parts = {.kid = "untouched"};

    assert_int_equal(ua_jwt_parse(&parts, pool, text), APR_EACCES);
    assert_string_equal(parts.kid, "untouched");
    return verify(text);
}

static inline const char *base64(const char *text)
{
    return ua_base64url(pool, text, strlen(text));
}

/* The claims with one member of another value (JSON), or without it (NULL). */
static inline const char *claims_with(const char *name, const char *value)
{
    const char *text = "";

    for (size_t i = 0; i < COUNT(good_claims); i++) {
        int other = strcmp(good_claims[i].name, name) == 0;
        const char *put = other ? value : good_claims[i].value;

        if (put) {
            text = apr_pstrcat(pool, text, *text ? "," : "", "\"", good_claims[i].name,
                               "\":", put, NULL);
        }
    }
    return apr_pstrcat(pool, "{", text, "}", NULL);
}

/* The private key of a period, put together here. */
static inline EVP_PKEY *site_key(int period)
{
    unsigned char d[UA_DIGEST_BYTES];
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = NULL;
    BIGNUM *number = NULL;

    assert_int_equal(ua_hmac(d, secret, UA_PARTS("jwt", apr_itoa(pool, period), "0")),
                     APR_SUCCESS);
    number = BN_bin2bn(d, sizeof d, NULL);
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number);
    params = OSSL_PARAM_BLD_to_param(build);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    BN_free(number);
    return key;
}

/* An ECDSA signature of SHA-256 as DER; its length. */
static inline size_t sign_der(unsigned char out[80], EVP_PKEY *key, const char *text)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t length = 80;

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(
        EVP_DigestSign(ctx, out, &length, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(ctx);
    return length;
}

/* The same as r and s of 32 bytes each (RFC 7518 3.4). */
static inline void sign_raw(unsigned char out[64], EVP_PKEY *key, const char *text)
{
    unsigned char der[80];
    const unsigned char *at = der;
    size_t length = sign_der(der, key, text);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)length);

    assert_non_null(signature);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32), 32);
    ECDSA_SIG_free(signature);
}

/* "<text>.<signature>" with the key of a period; text is whatever stands before the last dot. */
static inline const char *forge_text(const char *text, int period)
{
    unsigned char raw[64];
    EVP_PKEY *key = site_key(period);

    sign_raw(raw, key, text);
    EVP_PKEY_free(key);
    return apr_pstrcat(pool, text, ".", ua_base64url(pool, raw, sizeof raw), NULL);
}

static inline const char *forge(const char *header, const char *claims)
{
    return forge_text(apr_pstrcat(pool, base64(header), ".", base64(claims), NULL), PERIOD);
}

/* What the code under test is asked to sign. */
static inline ua_jwt_t a_token(apr_time_t issued)
{
    return (ua_jwt_t){.issuer = ISSUER,
                      .subject = ACCOUNT,
                      .audience = AUDIENCE,
                      .issued = issued,
                      .expires = issued + UA_JWT_LIFE,
                      .id = TOKEN,
                      .session = SESSION,
                      .auth_time = issued - apr_time_from_sec(200),
                      .amr = "pwd email",
                      .username = "alice"};
}

static inline apr_status_t verify_at(ua_jwt_keys_t *site, const char *text, apr_time_t now)
{
    const ua_jwt_wanted_t then = {ISSUER, AUDIENCE, now};
    ua_jwt_t token = {.issuer = "untouched"};
    apr_status_t rv = ua_jwt_verify(&token, pool, site, text, &then);

    assert_true((rv == APR_SUCCESS) == (strcmp(token.issuer, "untouched") != 0));
    return rv;
}

static inline const char *sign_at(ua_jwt_keys_t *site, apr_time_t issued)
{
    const ua_jwt_t token = a_token(issued);
    const char *text = NULL;

    assert_int_equal(ua_jwt_sign(&text, pool, site, &token), APR_SUCCESS);
    return text;
}

static inline ua_jwt_keys_t *site_of(unsigned char first, apr_interval_time_t lifetime)
{
    unsigned char own[UA_DIGEST_BYTES] = {first};
    ua_jwt_keys_t *site = NULL;

    assert_int_equal(ua_jwt_keys_create(&site, pool, own, lifetime), APR_SUCCESS);
    memset(own, 0xAA, sizeof own); /* it was copied */
    return site;
}

static inline const json_t *set_at(ua_jwt_keys_t *site, apr_time_t now)
{
    json_t *set = NULL;

    assert_int_equal(ua_jwt_set(&set, pool, site, now), APR_SUCCESS);
    assert_int_equal(json_object_size(set), 1);
    return json_object_get(set, "keys");
}

static inline const char *text_at(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* One part of a token as text. */
static inline const char *part_text(const char *token, int which)
{
    const char *start = token;
    apr_size_t length = 0;
    apr_size_t bytes = 0;
    char *text = NULL;

    for (; which > 0; which--) {
        start = strchr(start, '.') + 1;
    }
    length = strcspn(start, ".");
    bytes = length * 3 / 4;
    text = apr_pcalloc(pool, bytes + 1);
    assert_int_equal(
        ua_base64url_decode((unsigned char *)text, bytes, apr_pstrmemdup(pool, start, length)),
        APR_SUCCESS);
    return text;
}

#endif
