/* jwt.c: fuzzes access tokens (base/jwt*.c): JWT-17. The first byte of the input says how the rest is used:
 * T a token; P a token of which no signature is asked; C claims (JSON) that the site's own key signs; E changes to
 * a good token: place, place, byte, … The oracle is a second verification by OpenSSL with the keys that the site
 * publishes, and a second reading of the claims: what is accepted was signed by the site, says what it is taken
 * for, and can be signed again as the same. No changed token is accepted.
 */
#include "fuzz.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/jwt_parse.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#define ISSUER   "https://example.com"
#define AUDIENCE "https://api.example.com"
#define DAY      apr_time_from_sec(86400)
#define NOW      (20000 * DAY + DAY / 2) /* iat 1728043200 in the corpus */

static const ua_jwt_t ours = {.issuer = ISSUER,
                              .subject = "11111111-1111-4111-8111-111111111111",
                              .audience = AUDIENCE,
                              .issued = NOW,
                              .expires = NOW + UA_JWT_LIFE,
                              .id = "33333333-3333-4333-a333-333333333333",
                              .session = "22222222-2222-4222-9222-222222222222",
                              .auth_time = NOW - apr_time_from_sec(200),
                              .amr = "pwd email",
                              .username = "alice"};
static const ua_jwt_wanted_t wanted = {ISSUER, AUDIENCE, NOW};
static ua_jwt_keys_t *keys;
static const char *good; /* ours, signed */

/* The key's secret is 0, 1, 2 …, as in the unit tests. */
static void prepare(void)
{
    unsigned char secret[UA_DIGEST_BYTES];
    apr_pool_t *forever = NULL;

    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (unsigned char)i;
    }
    FUZZ_CHECK(apr_pool_create(&forever, NULL) == APR_SUCCESS &&
                   ua_crypto_init() == APR_SUCCESS &&
                   ua_jwt_keys_create(&keys, forever, secret, DAY) == APR_SUCCESS &&
                   ua_jwt_sign(&good, forever, keys, &ours) == APR_SUCCESS,
               "no keys");
}

/* ---- the second verification ---- */

static apr_size_t decode(apr_pool_t *pool, unsigned char **out, const char *text,
                         apr_size_t length)
{
    apr_size_t bytes = length * 3 / 4;

    *out = apr_pcalloc(pool, bytes + 1);
    FUZZ_CHECK(ua_base64url_decode(*out, bytes, apr_pstrmemdup(pool, text, length)) ==
                   APR_SUCCESS,
               "accepted, but no base64url: %s", text);
    FUZZ_CHECK(strncmp(ua_base64url(pool, *out, bytes), text, length) == 0,
               "accepted in another form than its own: %s", text);
    return bytes;
}

/* A published key as OpenSSL's. */
static EVP_PKEY *public_key(apr_pool_t *pool, const json_t *jwk)
{
    unsigned char point[65] = {4};
    unsigned char *number = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    for (int i = 0; i < 2; i++) {
        const char *text = ua_json_get(jwk, i == 0 ? "x" : "y");

        FUZZ_CHECK(decode(pool, &number, text, strlen(text)) == 32, "a key of another length");
        memcpy(point + 1 + (ptrdiff_t)(32 * i), number, 32);
    }
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
    params = OSSL_PARAM_BLD_to_param(build);
    FUZZ_CHECK(EVP_PKEY_fromdata_init(ctx) == 1 &&
                   EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1,
               "no public key");
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* 1 when r and s are this key's signature of the text. */
static int is_signed(const unsigned char raw[64], EVP_PKEY *key, const char *text,
                     size_t length)
{
    unsigned char der[80];
    unsigned char *end = der;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int right = 0;

    ECDSA_SIG_set0(signature, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
    (void)i2d_ECDSA_SIG(signature, &end);
    right = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
            EVP_DigestVerify(ctx, der, (size_t)(end - der), (const unsigned char *)text,
                             length) == 1;
    EVP_MD_CTX_free(ctx);
    ECDSA_SIG_free(signature);
    return right;
}

/* The header names a published key, which signed what stands before the last dot. */
static void check_signature(apr_pool_t *pool, const char *token)
{
    const char *last = strrchr(token, '.');
    unsigned char *raw = NULL;
    unsigned char *text = NULL;
    apr_size_t length = decode(pool, &text, token, strcspn(token, "."));
    const json_t *header = ua_json_own(pool, json_loadb((char *)text, length, 0, NULL));
    json_t *set = NULL;
    json_t *jwk = NULL;
    size_t i = 0;
    int right = 0;

    FUZZ_CHECK(decode(pool, &raw, last + 1, strlen(last + 1)) == 64,
               "a signature of another length");
    FUZZ_CHECK(fuzz_same(ua_json_get(header, "alg"), "ES256") &&
                   fuzz_same(ua_json_get(header, "typ"), "at+jwt"),
               "accepted with the header %s", (char *)text);
    FUZZ_CHECK(ua_jwt_set(&set, pool, keys, NOW) == APR_SUCCESS, "no keys");
    json_array_foreach(json_object_get(set, "keys"), i, jwk)
    {
        if (fuzz_same(ua_json_get(jwk, "kid"), ua_json_get(header, "kid"))) {
            EVP_PKEY *key = public_key(pool, jwk);

            right += is_signed(raw, key, token, (size_t)(last - token));
            EVP_PKEY_free(key);
        }
    }
    FUZZ_CHECK(right == 1, "accepted with a signature that is none: %s", token);
}

/* ---- the second reading ---- */

static const char *text_of(const json_t *claims, const char *name)
{
    const char *text = json_string_value(json_object_get(claims, name));

    return text ? text : "";
}

/* RFC 9562 5.4, in lower case. */
static int is_uuid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";

    for (size_t i = 0; i < sizeof form; i++) {
        const char *allowed = form[i] == 'x'   ? "0123456789abcdef"
                              : form[i] == 'y' ? "89ab"
                                               : NULL;

        if (allowed ? !text[i] || !strchr(allowed, text[i]) : text[i] != form[i]) {
            return 0;
        }
    }
    return 1;
}

static json_int_t seconds_of(const json_t *claims, const char *name)
{
    const json_t *value = json_object_get(claims, name);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* The words of `amr` with a blank after each; NULL when it is no list of texts. */
static const char *words_of(apr_pool_t *pool, const json_t *claims)
{
    const json_t *list = json_object_get(claims, "amr");
    const char *words = "";
    size_t i = 0;
    json_t *word = NULL;

    json_array_foreach(list, i, word)
    {
        if (!json_is_string(word)) {
            return NULL;
        }
        words = apr_pstrcat(pool, words, json_string_value(word), " ", NULL);
    }
    return json_is_array(list) ? words : NULL;
}

/* 1 for claims of any token of any site's that has ours of a life. */
static int is_whole(apr_pool_t *pool, const json_t *claims)
{
    json_int_t issued = seconds_of(claims, "iat");
    json_int_t expires = seconds_of(claims, "exp");
    json_int_t signed_in = seconds_of(claims, "auth_time");

    return issued > 0 && issued < 1LL << 40 && expires < 1LL << 40 && expires > issued &&
           expires <= issued + 300 && seconds_of(claims, "nbf") == issued && signed_in > 0 &&
           signed_in < 1LL << 40 && *text_of(claims, "iss") && *text_of(claims, "aud") &&
           *text_of(claims, "username") && words_of(pool, claims) &&
           is_uuid(text_of(claims, "sub")) && is_uuid(text_of(claims, "jti")) &&
           is_uuid(text_of(claims, "sid"));
}

static int holds_now(const json_t *claims)
{
    return fuzz_same(text_of(claims, "iss"), ISSUER) &&
           fuzz_same(text_of(claims, "aud"), AUDIENCE) &&
           seconds_of(claims, "exp") > apr_time_sec(NOW) &&
           seconds_of(claims, "iat") <= apr_time_sec(NOW) + 60;
}

static void check_claims(apr_pool_t *pool, const ua_jwt_t *token, const json_t *claims)
{
    const char *words = words_of(pool, claims);

    FUZZ_CHECK(is_whole(pool, claims), "accepted without all claims");
    FUZZ_CHECK(fuzz_same(token->issuer, text_of(claims, "iss")) &&
                   fuzz_same(token->subject, text_of(claims, "sub")) &&
                   fuzz_same(token->audience, text_of(claims, "aud")) &&
                   fuzz_same(token->id, text_of(claims, "jti")) &&
                   fuzz_same(token->session, text_of(claims, "sid")) &&
                   fuzz_same(token->username, text_of(claims, "username")),
               "a text of the claims is read as another");
    FUZZ_CHECK(token->issued == apr_time_from_sec(seconds_of(claims, "iat")) &&
                   token->expires == apr_time_from_sec(seconds_of(claims, "exp")) &&
                   token->auth_time == apr_time_from_sec(seconds_of(claims, "auth_time")),
               "a time of the claims is read as another");
    FUZZ_CHECK(fuzz_same(*words ? apr_pstrcat(pool, token->amr, " ", NULL) : token->amr, words),
               "amr is read as \"%s\"", token->amr);
}

static const json_t *claims_of(apr_pool_t *pool, const char *payload, apr_size_t length)
{
    return ua_json_own(pool, json_loadb(payload, length, JSON_REJECT_DUPLICATES, NULL));
}

/* The characters of a text in JSON as ours is written, where "<" takes six. */
static size_t written(const char *text)
{
    size_t length = 0;

    for (; *text; text++) {
        length += *text == '<' ? 6 : 1;
    }
    return length;
}

/* Signed again, all of it is found again. Blanks in a word of `amr` divide it: ours have none. */
static void check_again(apr_pool_t *pool, const ua_jwt_t *token)
{
    const char *text = NULL;
    ua_jwt_parts_t parts = {0};
    const json_t *claims = NULL;
    ua_jwt_t again = *token;

    if (ua_jwt_sign(&text, pool, keys, token) != APR_SUCCESS) {
        FUZZ_CHECK(written(token->username) + written(token->amr) > 300,
                   "can't be signed again");
        return;
    }
    FUZZ_CHECK(ua_jwt_parse(&parts, pool, text) == APR_SUCCESS, "ours is refused: %s", text);
    claims = claims_of(pool, parts.payload, parts.length);
    again.amr = words_of(pool, claims);
    again.amr = *again.amr ? apr_pstrmemdup(pool, again.amr, strlen(again.amr) - 1) : "";
    check_claims(pool, &again, claims);
}

/* ---- the four uses ---- */

static void use_token(apr_pool_t *pool, const char *text, int may_hold)
{
    ua_jwt_t token = {.issuer = "untouched"};
    ua_jwt_parts_t parts = {0};
    apr_status_t rv = ua_jwt_verify(&token, pool, keys, text, &wanted);

    FUZZ_CHECK(rv == APR_SUCCESS || rv == APR_EACCES, "status %d", rv);
    FUZZ_CHECK((rv == APR_SUCCESS) != fuzz_same(token.issuer, "untouched"), "a half answer");
    if (rv != APR_SUCCESS) {
        return;
    }
    FUZZ_CHECK(may_hold, "accepted: %s", text);
    FUZZ_CHECK(ua_jwt_parse(&parts, pool, text) == APR_SUCCESS, "accepted in no form: %s",
               text);
    check_signature(pool, text);
    check_claims(pool, &token, claims_of(pool, parts.payload, parts.length));
    FUZZ_CHECK(holds_now(claims_of(pool, parts.payload, parts.length)),
               "accepted, and does not hold");
    check_again(pool, &token);
}

static void use_parts(apr_pool_t *pool, const char *text)
{
    ua_jwt_parts_t parts = {0};
    ua_jwt_t token = {0};
    const json_t *claims = NULL;

    if (ua_jwt_parse(&parts, pool, text) != APR_SUCCESS) {
        return;
    }
    claims = claims_of(pool, parts.payload, parts.length);
    FUZZ_CHECK(strncmp(ua_base64url(pool, parts.payload, parts.length), strchr(text, '.') + 1,
                       strcspn(strchr(text, '.') + 1, ".")) == 0,
               "another payload than that of %s", text);
    if (ua_jwt_parse_claims(&token, pool, parts.payload, parts.length) == APR_SUCCESS) {
        check_claims(pool, &token, claims);
        check_again(pool, &token);
        return;
    }
    FUZZ_CHECK(!claims || !is_whole(pool, claims), "refused: %s", parts.payload);
}

static void use_claims(apr_pool_t *pool, const char *text)
{
    const json_t *claims = claims_of(pool, text, strlen(text));
    int hold = claims && is_whole(pool, claims) && holds_now(claims);
    const char *token = NULL;
    ua_jwt_t read = {0};

    FUZZ_CHECK(ua_jwt_sign_claims(&token, pool, keys, "at+jwt", text, NOW) == APR_SUCCESS,
               "can't be signed: %s", text);
    FUZZ_CHECK(!hold || strlen(token) > UA_JWT_LONGEST ||
                   ua_jwt_verify(&read, pool, keys, token, &wanted) == APR_SUCCESS,
               "refused: %s", text);
    use_token(pool, token, hold);
    if (hold) { /* as a statement for a backend: RFC 8725 3.11 */
        FUZZ_CHECK(ua_jwt_sign_claims(&token, pool, keys, "JWT", text, NOW) == APR_SUCCESS,
                   "can't be signed: %s", text);
        use_token(pool, token, 0);
    }
}

static void use_changes(apr_pool_t *pool, fuzz_input_t *input)
{
    char *text = apr_pstrdup(pool, good);
    size_t length = strlen(text);

    while (input->left >= 3) {
        size_t place = (fuzz_byte(input) << 8 | fuzz_byte(input)) % (length + 1);

        if (place == length) {
            break; /* the change is no change */
        }
        text[place] = (char)fuzz_byte(input);
    }
    use_token(pool, text, fuzz_same(text, good));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};

    if (!keys) {
        prepare();
    }
    switch (fuzz_byte(&input)) {
    case 'T': use_token(pool, fuzz_rest(&input, pool), 1); break;
    case 'P': use_parts(pool, fuzz_rest(&input, pool)); break;
    case 'C': use_claims(pool, fuzz_rest(&input, pool)); break;
    case 'E': use_changes(pool, &input); break;
    default: break;
    }
    return 0;
}
