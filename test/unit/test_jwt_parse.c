/* test_jwt_parse.c: every bad form of a token is refused, each with a signature that would be good.
 *
 * Cases: JWT-01, JWT-02, JWT-04, JWT-05, JWT-07, JWT-12.
 */
#include "jwt_forge.h"

#include <openssl/hmac.h>

#define P256_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

static const char *good_claims_text(void)
{
    return claims_with("", NULL);
}

/* Without this no other test here would mean anything. */
static void forged_as_it_should_be(void **state)
{
    (void)state;
    assert_int_equal(verify(forge(GOOD_HEADER, good_claims_text())), APR_SUCCESS);
    /* the order of members and blanks are free */
    assert_int_equal(verify(forge("{ \"typ\":\"at+jwt\", \"kid\":\"G5bGkOB2zc2Ydeqx\", "
                                  "\"alg\":\"ES256\" }",
                                  good_claims_text())),
                     APR_SUCCESS);
}

/* JWT-01 */
static void other_algorithms(void **state)
{
    static const char *const values[] = {
        "\"none\"",  "\"None\"",  "\"NONE\"",  "\"nOnE\"",   "\"\"",        "null",
        "1",         "[]",        "\"es256\"", "\"ES256 \"", "\"ES384\"",   "\"HS256\"",
        "\"HS512\"", "\"RS256\"", "\"PS256\"", "\"EdDSA\"",  "[\"ES256\"]", "\"ES256K\""};

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        const char *header =
            apr_pstrcat(pool, "{\"alg\":", values[i],
                        ",\"kid\":\"G5bGkOB2zc2Ydeqx\",\"typ\":\"at+jwt\"}", NULL);
        const char *text =
            apr_pstrcat(pool, base64(header), ".", base64(good_claims_text()), NULL);

        print_message("alg %s\n", values[i]);
        assert_int_equal(refused_unseen(forge_text(text, PERIOD)), APR_EACCES);
        assert_int_equal(refused_unseen(text), APR_EACCES);
        assert_int_equal(refused_unseen(apr_pstrcat(pool, text, ".", NULL)), APR_EACCES);
    }
}

/* JWT-01: the right algorithm, and no signature. */
static void signature_removed(void **state)
{
    const char *text =
        apr_pstrcat(pool, base64(GOOD_HEADER), ".", base64(good_claims_text()), NULL);

    (void)state;
    assert_int_equal(refused_unseen(text), APR_EACCES);
    assert_int_equal(refused_unseen(apr_pstrcat(pool, text, ".", NULL)), APR_EACCES);
    assert_int_equal(refused_unseen(apr_pstrcat(pool, text, ".AA", NULL)), APR_EACCES);
}

/* The public key as DER (RFC 5480): a fixed beginning, x, y. */
static void public_der(unsigned char out[91], const json_t *jwk)
{
    static const unsigned char start[27] = {
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
        0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

    memcpy(out, start, sizeof start);
    assert_int_equal(
        ua_base64url_decode(out + 27, 32, json_string_value(json_object_get(jwk, "x"))),
        APR_SUCCESS);
    assert_int_equal(
        ua_base64url_decode(out + 59, 32, json_string_value(json_object_get(jwk, "y"))),
        APR_SUCCESS);
}

static const char *public_pem(const unsigned char der[91])
{
    unsigned char text[128];
    int length = EVP_EncodeBlock(text, der, 91);

    return apr_psprintf(pool,
                        "-----BEGIN PUBLIC KEY-----\n%.64s\n%.*s\n-----END PUBLIC KEY-----\n",
                        (const char *)text, length - 64, (const char *)text + 64);
}

/* A token with a keyed digest for a signature, and whatever `alg` says. */
static void try_secret(const void *key, size_t length, const char *alg)
{
    unsigned char mac[64];
    unsigned int size = 0;
    const char *header = apr_psprintf(
        pool, "{\"alg\":\"%s\",\"kid\":\"G5bGkOB2zc2Ydeqx\",\"typ\":\"at+jwt\"}", alg);
    const char *text = apr_pstrcat(pool, base64(header), ".", base64(good_claims_text()), NULL);
    const EVP_MD *digest = strcmp(alg, "HS512") == 0 ? EVP_sha512() : EVP_sha256();

    assert_non_null(
        HMAC(digest, key, (int)length, (const unsigned char *)text, strlen(text), mac, &size));
    assert_int_equal(verify(apr_pstrcat(pool, text, ".", ua_base64url(pool, mac, size), NULL)),
                     APR_EACCES);
    memcpy(mac + 32, mac, size == 32 ? 32 : 0); /* as long as a signature of ours */
    assert_int_equal(verify(apr_pstrcat(pool, text, ".", ua_base64url(pool, mac, 64), NULL)),
                     APR_EACCES);
}

/* JWT-02 */
static void public_key_as_a_secret(void **state)
{
    static const char *const algs[] = {"HS256", "HS512", "ES256"};
    unsigned char der[91];
    json_t *set = NULL;
    const json_t *jwk = NULL;
    char *text = NULL;

    (void)state;
    assert_int_equal(ua_jwt_set(&set, pool, keys, NOW), APR_SUCCESS);
    jwk = json_array_get(json_object_get(set, "keys"), 0);
    assert_string_equal(json_string_value(json_object_get(jwk, "kid")), "G5bGkOB2zc2Ydeqx");
    public_der(der, jwk);
    text = json_dumps(jwk, JSON_COMPACT);
    for (size_t i = 0; i < COUNT(algs); i++) {
        const char *pem = public_pem(der);

        try_secret(der, sizeof der, algs[i]);
        try_secret(der + 26, 65, algs[i]);
        try_secret(der + 27, 64, algs[i]); /* x and y alone */
        try_secret(pem, strlen(pem), algs[i]);
        try_secret(pem, strlen(pem) - 1, algs[i]);
        try_secret(text, strlen(text), algs[i]);
        try_secret("G5bGkOB2zc2Ydeqx", 16, algs[i]);
        try_secret("", 0, algs[i]);
    }
    free(text);
}

/* JWT-04: none of these is looked at, let alone fetched. */
static void headers_with_more(void **state)
{
    static const char jwk[] = "{\"kty\":\"EC\",\"crv\":\"P-256\","
                              "\"x\":\"mv9P5baDT9dW3-rL30HTeTRWbpDg9g3mNhp1jw_Ol7E\","
                              "\"y\":\"zDpyCrp1DTbAM-80Z7C-JrHf-RC8h5vMNxg_poaKp2s\"}";
    static const claim_t more[] = {{"jwk", jwk},
                                   {"jku", "\"http://127.0.0.1:9/jwks.json\""},
                                   {"x5u", "\"http://127.0.0.1:9/cert.pem\""},
                                   {"x5c", "[\"MA==\"]"},
                                   {"x5t", "\"AA\""},
                                   {"crit", "[\"b64\"]"},
                                   {"crit", "[]"},
                                   {"b64", "false"},
                                   {"b64", "true"},
                                   {"zip", "\"DEF\""},
                                   {"cty", "\"JWT\""},
                                   {"enc", "\"A128GCM\""},
                                   {"epk", jwk},
                                   {"", "1"}};

    (void)state;
    for (size_t i = 0; i < COUNT(more); i++) {
        print_message("%s %s\n", more[i].name, more[i].value);
        assert_int_equal(
            refused_unseen(forge(apr_pstrcat(pool,
                                             "{\"alg\":\"ES256\",\"kid\":\"G5bGkOB2zc2Ydeqx\","
                                             "\"typ\":\"at+jwt\",\"",
                                             more[i].name, "\":", more[i].value, "}", NULL),
                                 good_claims_text())),
            APR_EACCES);
    }
}

/* JWT-04, JWT-12 */
static void headers_otherwise(void **state)
{
#define KID "\"kid\":\"G5bGkOB2zc2Ydeqx\""
    static const char *const headers[] = {
        "{\"alg\":\"ES256\"," KID ",\"typ\":\"JWT\"}",
        "{\"alg\":\"ES256\"," KID ",\"typ\":\"AT+JWT\"}",
        "{\"alg\":\"ES256\"," KID ",\"typ\":\"application/at+jwt\"}",
        "{\"alg\":\"ES256\"," KID ",\"typ\":\"\"}",
        "{\"alg\":\"ES256\"," KID ",\"typ\":null}",
        "{\"alg\":\"ES256\"," KID "}",
        "{\"alg\":\"ES256\"," KID ",\"Typ\":\"at+jwt\"}",
        "{\"typ\":\"at+jwt\"," KID "}",
        "{\"typ\":\"at+jwt\"," KID ",\"ALG\":\"ES256\"}",
        "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\"}",
        "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":1}",
        "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":[\"G5bGkOB2zc2Ydeqx\"]}",
        "{\"alg\":\"none\",\"alg\":\"ES256\"," KID ",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"ES256\",\"alg\":\"ES256\"," KID ",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"ES256\",\"kid\":\"x\"," KID ",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"ES256\"," KID ",\"typ\":\"JWT\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"ES256\"," KID ",\"typ\":\"at+jwt\"} x",
        "{\"alg\":\"ES256\"," KID ",\"typ\":\"at+jwt\"",
        "{\"alg\":\"ES256\"," KID ",\"typ\":\"at+jwt\\u0000\"}",
        "{\"alg\":\"ES256\"," KID ",\"typ\":\"at+jwt\",}",
        "[\"ES256\",\"G5bGkOB2zc2Ydeqx\",\"at+jwt\"]",
        "\"ES256\"",
        "null",
        "{}",
        "\xff"};
#undef KID

    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++) {
        print_message("%s\n", headers[i]);
        assert_int_equal(refused_unseen(forge(headers[i], good_claims_text())), APR_EACCES);
    }
}

/* JWT-04, SQL-01: names of keys that are none, or of keys long gone. */
static void keys_that_nobody_has(void **state)
{
    static const char *const kids[] = {"G5bGkOB2zc2Ydeq",
                                       "G5bGkOB2zc2Ydeqx0",
                                       "g5bGkOB2zc2Ydeqx",
                                       "G",
                                       "' OR 1=1 --",
                                       "../../dev/null",
                                       "R1zI9Ns4N9q-4GaJ",
                                       "0",
                                       "x;y"};

    (void)state;
    for (size_t i = 0; i < COUNT(kids); i++) {
        print_message("%s\n", kids[i]);
        assert_int_equal(
            verify(forge(apr_psprintf(pool,
                                      "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
                                      kids[i]),
                         good_claims_text())),
            APR_EACCES);
    }
}

static const char *with_signature(const char *text, const unsigned char *bytes, size_t length)
{
    return apr_pstrcat(pool, text, ".", ua_base64url(pool, bytes, length), NULL);
}

/* JWT-05: numbers that no signature has, "psychic" ones among them. */
static void numbers_out_of_range(void **state)
{
    static const unsigned char zero[32] = {0};
    unsigned char n[33];
    unsigned char all[32];
    unsigned char good[64];
    const char *text =
        apr_pstrcat(pool, base64(GOOD_HEADER), ".", base64(good_claims_text()), NULL);
    EVP_PKEY *key = site_key(PERIOD);
    BIGNUM *order = NULL;

    (void)state;
    assert_int_equal(BN_hex2bn(&order, P256_ORDER), 64);
    BN_bn2binpad(order, n, 32);
    BN_free(order);
    memset(all, 0xff, sizeof all);
    sign_raw(good, key, text);
    EVP_PKEY_free(key);
    assert_int_equal(verify(with_signature(text, good, 64)), APR_SUCCESS);
    {
        const unsigned char *const pairs[][2] = {
            {zero, zero},   {good, zero}, {zero, good + 32}, {n, n},    {good, n},
            {n, good + 32}, {all, all},   {good + 32, good}, {zero, n}, {good, good}};

        for (size_t i = 0; i < COUNT(pairs); i++) {
            unsigned char bad[64];

            memcpy(bad, pairs[i][0], 32);
            memcpy(bad + 32, pairs[i][1], 32);
            assert_int_equal(verify(with_signature(text, bad, 64)), APR_EACCES);
        }
    }
}

/* JWT-05: another form or length, and the other s, which does no harm. */
static void signatures_of_other_forms(void **state)
{
    unsigned char der[80];
    unsigned char raw[65];
    const char *text =
        apr_pstrcat(pool, base64(GOOD_HEADER), ".", base64(good_claims_text()), NULL);
    EVP_PKEY *key = site_key(PERIOD);
    size_t length = sign_der(der, key, text);
    BIGNUM *order = NULL;
    BIGNUM *s = NULL;

    (void)state;
    sign_raw(raw, key, text);
    EVP_PKEY_free(key);
    raw[64] = 0;
    assert_int_equal(verify(with_signature(text, der, length)), APR_EACCES);
    assert_int_equal(verify(with_signature(text, der, 64)), APR_EACCES);
    for (size_t size = 1; size <= sizeof raw; size++) {
        assert_int_equal(verify(with_signature(text, raw, size)),
                         size == 64 ? APR_SUCCESS : APR_EACCES);
    }
    assert_int_equal(BN_hex2bn(&order, P256_ORDER), 64);
    s = BN_bin2bn(raw + 32, 32, NULL);
    BN_sub(s, order, s);
    BN_bn2binpad(s, raw + 32, 32);
    BN_free(s);
    BN_free(order);
    assert_int_equal(verify(with_signature(text, raw, 64)), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forged_as_it_should_be),    cmocka_unit_test(other_algorithms),
        cmocka_unit_test(signature_removed),         cmocka_unit_test(public_key_as_a_secret),
        cmocka_unit_test(headers_with_more),         cmocka_unit_test(headers_otherwise),
        cmocka_unit_test(keys_that_nobody_has),      cmocka_unit_test(numbers_out_of_range),
        cmocka_unit_test(signatures_of_other_forms),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
