/* jwt.c: see jwt.h. Keys of every period whose tokens may live, and of the next one are known; a derived key is
 * kept, since deriving costs as much as a signature. */
#include "jwt.h"
#include "crypto.h"
#include "json.h"
#include "jwt_parse.h"

#include <apr_thread_mutex.h>
#include <cjose/header.h>
#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <cjose/util.h>
#include <pthread.h>
#include <string.h>

/* Clocks of nodes may differ by so much. */
#define SKEW apr_time_from_sec(60)
/* The shortest period, and how many of them are known: a token's life and the skew back, this one and the
 * next. */
#define SHORTEST   apr_time_from_sec(60)
#define KEPT       9
#define KID_LENGTH 16

typedef struct signing_key_t {
    apr_int64_t period;
    cjose_jwk_t *jwk; /* NULL: nothing here yet */
    char kid[KID_LENGTH + 1];
} signing_key_t;

struct ua_jwt_keys_t {
    unsigned char secret[UA_DIGEST_BYTES];
    apr_interval_time_t lifetime;
    apr_thread_mutex_t *mutex; /* guards `kept` */
    signing_key_t kept[KEPT];  /* by period modulo KEPT */
};

/* cjose counts the holders of a key in a plain int: two threads at it at once lose a count, and a key in use is
 * freed. Not a member of the keys, since the pool of a request may outlive theirs when a process ends. */
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

static cjose_jwk_t *hold(cjose_jwk_t *jwk)
{
    pthread_mutex_lock(&counting);
    jwk = cjose_jwk_retain(jwk, NULL);
    pthread_mutex_unlock(&counting);
    return jwk;
}

/* Takes NULL, too. */
static apr_status_t release(void *jwk)
{
    pthread_mutex_lock(&counting);
    cjose_jwk_release(jwk);
    pthread_mutex_unlock(&counting);
    return APR_SUCCESS;
}

static apr_status_t release_keys(void *data)
{
    ua_jwt_keys_t *keys = data;

    ua_wipe(keys->secret, sizeof keys->secret);
    for (int i = 0; i < KEPT; i++) {
        (void)release(keys->kept[i].jwk);
    }
    return APR_SUCCESS;
}

apr_status_t ua_jwt_keys_create(ua_jwt_keys_t **out, apr_pool_t *pool,
                                const unsigned char secret[32], apr_interval_time_t lifetime)
{
    ua_jwt_keys_t *keys = NULL;

    if (lifetime < SHORTEST) {
        return APR_EINVAL;
    }
    keys = apr_pcalloc(pool, sizeof *keys);
    memcpy(keys->secret, secret, sizeof keys->secret);
    keys->lifetime = lifetime;
    UA_CHECK(apr_thread_mutex_create(&keys->mutex, APR_THREAD_MUTEX_DEFAULT, pool));
    apr_pool_cleanup_register(pool, keys, release_keys, apr_pool_cleanup_null);
    *out = keys;
    return APR_SUCCESS;
}

/* A private number of P-256: 0 < d < n (SEC 1, 3.2.1), the first of a row of candidates. */
static apr_status_t derive_scalar(unsigned char d[32], const ua_jwt_keys_t *keys,
                                  apr_pool_t *pool, apr_int64_t period)
{
    static const unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                            0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                            0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    static const unsigned char zero[32] = {0};
    const char *number = apr_psprintf(pool, "%" APR_INT64_T_FMT, period);

    for (int i = 0; i < 8; i++) { /* each fails once in 2^32 */
        UA_CHECK(ua_hmac(d, keys->secret, UA_PARTS("jwt", number, apr_itoa(pool, i))));
        if (memcmp(d, order, 32) < 0 && memcmp(d, zero, 32) != 0) {
            return APR_SUCCESS;
        }
    }
    return APR_EGENERAL;
}

/* The public members of a key: kty, crv, x, y. */
static json_t *public_json(apr_pool_t *pool, const cjose_jwk_t *jwk)
{
    char *text = cjose_jwk_to_json(jwk, false, NULL);
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;

    cjose_get_dealloc()(text);
    return ua_json_own(pool, object);
}

/* The beginning of the key's thumbprint (RFC 7638). */
static apr_status_t name_key(signing_key_t *key, apr_pool_t *pool)
{
    const json_t *object = public_json(pool, key->jwk);
    const char *digest = NULL;

    if (!object) {
        return APR_EGENERAL;
    }
    UA_CHECK(ua_digest_text(&digest, pool,
                            apr_pstrcat(pool, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"",
                                        ua_json_get(object, "x"), "\",\"y\":\"",
                                        ua_json_get(object, "y"), "\"}", NULL)));
    apr_cpystrn(key->kid, digest, sizeof key->kid);
    return APR_SUCCESS;
}

static apr_status_t derive(signing_key_t *key, const ua_jwt_keys_t *keys, apr_pool_t *pool,
                           apr_int64_t period)
{
    unsigned char d[32];
    signing_key_t made = {.period = period};
    cjose_jwk_ec_keyspec spec = {.crv = CJOSE_JWK_EC_P_256, .d = d, .dlen = sizeof d};
    apr_status_t rv = derive_scalar(d, keys, pool, period);

    made.jwk = rv == APR_SUCCESS ? cjose_jwk_create_EC_spec(&spec, NULL) : NULL;
    ua_wipe(d, sizeof d);
    if (!made.jwk) {
        return APR_EGENERAL;
    }
    rv = name_key(&made, pool);
    if (rv != APR_SUCCESS || !cjose_jwk_set_kid(made.jwk, made.kid, KID_LENGTH, NULL)) {
        (void)release(made.jwk);
        return APR_EGENERAL;
    }
    (void)release(key->jwk);
    *key = made;
    return APR_SUCCESS;
}

/* The key of a period (not negative), held until the pool goes. */
static apr_status_t key_of(signing_key_t *out, ua_jwt_keys_t *keys, apr_pool_t *pool,
                           apr_int64_t period)
{
    signing_key_t *kept = &keys->kept[period % KEPT];
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(apr_thread_mutex_lock(keys->mutex));
    if (!kept->jwk || kept->period != period) {
        rv = derive(kept, keys, pool, period);
    }
    if (rv == APR_SUCCESS) {
        *out = *kept;
        out->jwk = hold(kept->jwk);
    }
    apr_thread_mutex_unlock(keys->mutex);
    UA_CHECK(rv);
    apr_pool_cleanup_register(pool, out->jwk, release, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

/* The number of the period that a time lies in; of a clock that was never set, the first. */
static apr_int64_t period_of(const ua_jwt_keys_t *keys, apr_time_t time)
{
    return time > 0 ? time / keys->lifetime : 0;
}

json_t *ua_jwt_words(apr_pool_t *pool, const char *words, const char *between)
{
    json_t *list = json_array();
    char *state = NULL;

    for (char *word = apr_strtok(apr_pstrdup(pool, words), between, &state); word;
         word = apr_strtok(NULL, between, &state)) {
        json_array_append_new(list, json_string(word));
    }
    return list;
}

static const char *claims_text(apr_pool_t *pool, const ua_jwt_t *token)
{
    json_t *claims = ua_json_object(pool);

    ua_json_set(claims, "iss", token->issuer);
    ua_json_set(claims, "sub", token->subject);
    ua_json_set(claims, "aud", token->audience);
    ua_json_set_number(claims, "iat", apr_time_sec(token->issued));
    ua_json_set_number(claims, "nbf", apr_time_sec(token->issued));
    ua_json_set_number(claims, "exp", apr_time_sec(token->expires));
    ua_json_set(claims, "jti", token->id);
    ua_json_set(claims, "sid", token->session);
    ua_json_set_number(claims, "auth_time", apr_time_sec(token->auth_time));
    json_object_set_new(claims, "amr", ua_jwt_words(pool, token->amr, " "));
    ua_json_set(claims, "username", token->username);
    return ua_json_text(pool, claims);
}

static apr_status_t release_jws(void *data)
{
    cjose_jws_release(data);
    return APR_SUCCESS;
}

apr_status_t ua_jwt_sign_claims(const char **out, apr_pool_t *pool, ua_jwt_keys_t *keys,
                                const char *type, const char *claims, apr_time_t issued)
{
    json_t *header = ua_json_object(pool);
    const char *text = NULL;
    cjose_jws_t *jws = NULL;
    signing_key_t key;

    UA_CHECK(key_of(&key, keys, pool, period_of(keys, issued)));
    ua_json_set(header, "alg", "ES256");
    ua_json_set(header, "kid", key.kid);
    ua_json_set(header, "typ", type);
    jws = cjose_jws_sign(key.jwk, header, (const uint8_t *)claims, strlen(claims), NULL);
    if (!jws) {
        return APR_EGENERAL;
    }
    apr_pool_cleanup_register(pool, jws, release_jws, apr_pool_cleanup_null);
    if (!cjose_jws_export(jws, &text, NULL)) {
        return APR_EGENERAL;
    }
    *out = apr_pstrdup(pool, text);
    return APR_SUCCESS;
}

apr_status_t ua_jwt_sign(const char **out, apr_pool_t *pool, ua_jwt_keys_t *keys,
                         const ua_jwt_t *token)
{
    const char *claims = claims_text(pool, token);
    const char *text = NULL;
    ua_jwt_t read;

    if (ua_jwt_parse_claims(&read, pool, claims, strlen(claims)) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    UA_CHECK(ua_jwt_sign_claims(&text, pool, keys, "at+jwt", claims, token->issued));
    if (strlen(text) > UA_JWT_LONGEST) {
        return APR_EINVAL;
    }
    *out = text;
    return APR_SUCCESS;
}

/* The first period of which a token can still be alive. */
static apr_int64_t oldest(const ua_jwt_keys_t *keys, apr_time_t now)
{
    return period_of(keys, now - UA_JWT_LIFE - SKEW);
}

/* The key that a token names, of a period whose tokens live, or the next that a node ahead uses. */
static apr_status_t find_key(signing_key_t *out, ua_jwt_keys_t *keys, apr_pool_t *pool,
                             const char *kid, apr_time_t now)
{
    apr_int64_t last = period_of(keys, now + SKEW);

    for (apr_int64_t period = oldest(keys, now); period <= last; period++) {
        UA_CHECK(key_of(out, keys, pool, period));
        if (strcmp(out->kid, kid) == 0) {
            return APR_SUCCESS;
        }
    }
    return APR_EACCES;
}

/* No deny list is keyed by a token's bytes, so that the second form of each ECDSA signature (n - s) does
 * no harm. */
static apr_status_t check_signature(apr_pool_t *pool, const cjose_jwk_t *jwk, const char *text)
{
    cjose_jws_t *jws = cjose_jws_import(text, strlen(text), NULL);

    if (!jws) {
        return APR_EACCES;
    }
    apr_pool_cleanup_register(pool, jws, release_jws, apr_pool_cleanup_null);
    return cjose_jws_verify(jws, jwk, NULL) ? APR_SUCCESS : APR_EACCES;
}

/* Not-before is the issue: the claims were refused otherwise. */
static int holds(const ua_jwt_t *token, const ua_jwt_wanted_t *wanted)
{
    return strcmp(token->issuer, wanted->issuer) == 0 &&
           strcmp(token->audience, wanted->audience) == 0 && wanted->now < token->expires &&
           token->issued <= wanted->now + SKEW;
}

/* The signature comes last, being a hundred times as dear as the rest. It covers the text that was read:
 * canonical base64url has one reading. */
apr_status_t ua_jwt_verify(ua_jwt_t *out, apr_pool_t *pool, ua_jwt_keys_t *keys,
                           const char *text, const ua_jwt_wanted_t *wanted)
{
    ua_jwt_parts_t parts;
    signing_key_t key;
    ua_jwt_t token;

    UA_CHECK(ua_jwt_parse(&parts, pool, text));
    UA_CHECK(ua_jwt_parse_claims(&token, pool, parts.payload, parts.length));
    if (!holds(&token, wanted)) {
        return APR_EACCES;
    }
    UA_CHECK(find_key(&key, keys, pool, parts.kid, wanted->now));
    UA_CHECK(check_signature(pool, key.jwk, text));
    *out = token;
    return APR_SUCCESS;
}

apr_status_t ua_jwt_set(json_t **out, apr_pool_t *pool, ua_jwt_keys_t *keys, apr_time_t now)
{
    json_t *set = ua_json_object(pool);
    json_t *list = json_array();

    json_object_set_new(set, "keys", list);
    for (apr_int64_t i = oldest(keys, now); i <= period_of(keys, now) + 1; i++) {
        signing_key_t key;
        json_t *object = NULL;

        UA_CHECK(key_of(&key, keys, pool, i));
        object = public_json(pool, key.jwk);
        if (!object) {
            return APR_EGENERAL;
        }
        ua_json_set(object, "kid", key.kid);
        ua_json_set(object, "alg", "ES256");
        ua_json_set(object, "use", "sig");
        json_array_append(list, object);
    }
    *out = set;
    return APR_SUCCESS;
}
