/* pwhash.c: libsodium's Argon2id.
 *
 * libsodium's own check of a string calls a password wrong when it had no memory to find out, so the
 * string is taken apart and hashed again here. What cannot be a hash of ours is answered at the price
 * of one that can, so that an account without a password is not told by the time it takes. Called by
 * domain/password.c.
 */
#include "pwhash.h"

#include <sodium.h>
#include <string.h>

#define MEMORY_LEAST 7168
#define MEMORY_MOST  4194304
#define PASSES_LEAST 1
#define PASSES_MOST  10
#define PREFIX       "$argon2id$v=19$m="
#define SALT_TEXT    22 /* base64 characters of 16 bytes */
#define DIGEST_BYTES 32
#define DIGEST_TEXT  43
#define NUMBER_MOST  10000000
#define STORED_LEAST 8 /* KiB: what Argon2 takes at least; a hash may be older than our floor */

apr_status_t ua_pwhash_init(void)
{
    return sodium_init() < 0 ? APR_EGENERAL : APR_SUCCESS;
}

static int params_valid(const ua_pwhash_params_t *params)
{
    return params->memory_kib >= MEMORY_LEAST && params->memory_kib <= MEMORY_MOST &&
           params->passes >= PASSES_LEAST && params->passes <= PASSES_MOST;
}

static size_t memory_bytes(const ua_pwhash_params_t *params)
{
    return (size_t)params->memory_kib * 1024;
}

/* Steps over a fixed text; NULL stays NULL. */
static const char *skip(const char *at, const char *expected)
{
    apr_size_t length = strlen(expected);

    return at != NULL && strncmp(at, expected, length) == 0 ? at + length : NULL;
}

/* Steps over a number without sign or leading zero. */
static const char *number(const char *at, apr_int64_t *out)
{
    apr_int64_t value = 0;

    if (at == NULL || *at < '1' || *at > '9') {
        return NULL;
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (*at - '0');
        if (value > NUMBER_MOST) {
            return NULL;
        }
    }
    *out = value;
    return at;
}

/* Steps over `characters` of base64 that make up exactly `length` bytes. */
static const char *base64(const char *at, apr_size_t characters, unsigned char *out,
                          size_t length)
{
    size_t got = 0;

    if (at == NULL || strnlen(at, characters) != characters ||
        sodium_base642bin(out, length, at, characters, NULL, &got, NULL,
                          sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
        got != length) {
        return NULL;
    }
    return at + characters;
}

typedef struct phc_t {
    ua_pwhash_params_t params;
    unsigned char salt[crypto_pwhash_SALTBYTES];
    unsigned char digest[DIGEST_BYTES];
} phc_t;

/* $argon2id$v=19$m=19456,t=2,p=1$salt$digest, as ua_pwhash() makes it: 1, and its parts. */
static int phc_parse(phc_t *out, const char *hash)
{
    phc_t phc = {{0, 0}, {0}, {0}};
    const char *at = number(skip(hash, PREFIX), &phc.params.memory_kib);

    at = number(skip(at, ",t="), &phc.params.passes);
    at = base64(skip(at, ",p=1$"), SALT_TEXT, phc.salt, sizeof(phc.salt));
    at = base64(skip(at, "$"), DIGEST_TEXT, phc.digest, sizeof(phc.digest));
    if (at == NULL || *at != '\0' || phc.params.memory_kib < STORED_LEAST ||
        phc.params.memory_kib > MEMORY_MOST || phc.params.passes > PASSES_MOST) {
        return 0;
    }
    *out = phc;
    return 1;
}

apr_status_t ua_pwhash(const char **out, apr_pool_t *pool, const char *password,
                       const ua_pwhash_params_t *params)
{
    char text[crypto_pwhash_STRBYTES];

    if (!params_valid(params)) {
        return APR_EINVAL;
    }
    if (crypto_pwhash_str_alg(text, password, strlen(password),
                              (unsigned long long)params->passes, memory_bytes(params),
                              crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return APR_ENOMEM;
    }
    *out = apr_pstrdup(pool, text);
    return APR_SUCCESS;
}

static apr_status_t derive(unsigned char digest[DIGEST_BYTES], const char *password,
                           const unsigned char *salt, const ua_pwhash_params_t *params)
{
    return crypto_pwhash(digest, DIGEST_BYTES, password, strlen(password), salt,
                         (unsigned long long)params->passes, memory_bytes(params),
                         crypto_pwhash_ALG_ARGON2ID13) == 0
               ? APR_SUCCESS
               : APR_ENOMEM;
}

/* Works off what a hash with parameters of before costs less than one of today: memory × passes is the measure of
 * Argon2's time. Else a wrong password would tell accounts of before from names nobody has. */
static apr_status_t work_off(const char *password, const ua_pwhash_params_t *before,
                             const ua_pwhash_params_t *today)
{
    static const unsigned char salt[crypto_pwhash_SALTBYTES];
    unsigned char digest[DIGEST_BYTES];
    apr_int64_t missing =
        today->memory_kib * today->passes - before->memory_kib * before->passes;
    ua_pwhash_params_t rest = *today;
    apr_status_t rv = APR_SUCCESS;

    if (missing < STORED_LEAST) {
        return APR_SUCCESS;
    }
    rest.passes = missing > today->memory_kib ? missing / today->memory_kib : 1;
    rest.memory_kib = missing / rest.passes;
    rv = derive(digest, password, salt, &rest);
    sodium_memzero(digest, sizeof digest);
    return rv;
}

apr_status_t ua_pwhash_verify(apr_pool_t *pool, const char *hash, const char *password,
                              const ua_pwhash_params_t *params)
{
    unsigned char digest[DIGEST_BYTES];
    phc_t phc = {*params, {0}, {0}};
    int known = phc_parse(&phc, hash);
    int same;

    (void)pool;
    if (!known && !params_valid(params)) {
        return APR_EINVAL;
    }
    UA_CHECK(derive(digest, password, phc.salt, &phc.params));
    same = sodium_memcmp(digest, phc.digest, sizeof(digest)) == 0;
    sodium_memzero(digest, sizeof(digest));
    if (known && same) {
        return APR_SUCCESS;
    }
    UA_CHECK(work_off(password, &phc.params, params));
    return APR_EACCES;
}

int ua_pwhash_outdated(const char *hash, const ua_pwhash_params_t *params)
{
    phc_t phc;

    return !phc_parse(&phc, hash) || phc.params.memory_kib != params->memory_kib ||
           phc.params.passes != params->passes;
}
