/* test_jwt.c: tokens there and back, the keys that sign them, and what changes when a period ends.
 *
 * The derived keys are pinned with Python's cryptography: nodes of two versions have to agree (UPG-04).
 * Cases: JWT-05, JWT-16, CLK-02, UPG-04.
 */
#include "jwt_forge.h"

static const json_t *named_key(const json_t *set, const char *token)
{
    const char *header = part_text(token, 0);
    size_t i = 0;
    json_t *key = NULL;

    json_array_foreach(set, i, key)
    {
        if (strstr(header, text_at(key, "kid"))) {
            return key;
        }
    }
    return NULL;
}

static int lists(const json_t *set, const char *token)
{
    return named_key(set, token) != NULL;
}

/* The key that a token names, from its x and y; NULL when it is not shown. */
static EVP_PKEY *shown_key(const json_t *set, const char *token)
{
    const json_t *jwk = named_key(set, token);
    unsigned char point[65] = {4}; /* uncompressed (SEC 1, 2.3.3) */
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    char group[] = "P-256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end()};

    if (jwk) {
        assert_int_equal(ua_base64url_decode(point + 1, 32, text_at(jwk, "x")), APR_SUCCESS);
        assert_int_equal(ua_base64url_decode(point + 33, 32, text_at(jwk, "y")), APR_SUCCESS);
        assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
        assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* What any server does that knows the keys shown at /auth/jwks.json and nothing of this code: 1 when the key that
 * the token names is among them and signed it. OpenSSL checks. */
static int believed_elsewhere(const json_t *set, const char *token)
{
    const char *dot = strrchr(token, '.');
    unsigned char raw[64];
    unsigned char der[80];
    unsigned char *end = der;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    EVP_PKEY *key = shown_key(set, token);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int good = 0;

    assert_int_equal(ua_base64url_decode(raw, sizeof raw, dot + 1), APR_SUCCESS);
    ECDSA_SIG_set0(signature, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
    i2d_ECDSA_SIG(signature, &end);
    good = key && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
           EVP_DigestVerify(ctx, der, (size_t)(end - der), (const unsigned char *)token,
                            (size_t)(dot - token)) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    ECDSA_SIG_free(signature);
    return good;
}

/* JWT-16: no address and no name but the user name. */
static void what_a_token_says(void **state)
{
    const char *text = sign_at(keys, NOW + 999999);

    (void)state;
    assert_string_equal(part_text(text, 0), GOOD_HEADER);
    assert_string_equal(part_text(text, 1), claims_with("", NULL));
    assert_int_equal(strlen(strrchr(text, '.') + 1), 86);
}

static void there_and_back(void **state)
{
    ua_jwt_t token;

    (void)state;
    assert_int_equal(ua_jwt_verify(&token, pool, keys, sign_at(keys, NOW), &wanted),
                     APR_SUCCESS);
    assert_string_equal(token.issuer, ISSUER);
    assert_string_equal(token.subject, ACCOUNT);
    assert_string_equal(token.audience, AUDIENCE);
    assert_string_equal(token.id, TOKEN);
    assert_string_equal(token.session, SESSION);
    assert_string_equal(token.amr, "pwd email");
    assert_string_equal(token.username, "alice");
    assert_true(token.issued == NOW && token.expires == NOW + UA_JWT_LIFE);
    assert_true(token.auth_time == NOW - 200 * SECOND);
}

/* What verification would never accept is not signed. */
static void tokens_not_signed(void **state)
{
    ua_jwt_t bad[] = {a_token(NOW), a_token(NOW), a_token(NOW), a_token(NOW), a_token(NOW),
                      a_token(NOW), a_token(NOW), a_token(NOW), a_token(NOW), a_token(NOW),
                      a_token(NOW), a_token(0),   a_token(-NOW)};
    char *name = apr_pcalloc(pool, 2001);
    const char *out = "untouched";

    (void)state;
    memset(name, 'a', 2000);
    bad[0].expires += SECOND;
    bad[1].expires = bad[1].issued;
    bad[2].subject = "alice";
    bad[3].session = "";
    bad[4].id = "1";
    bad[5].username = "\xff";
    bad[6].auth_time = 0;
    bad[7].username = name;
    bad[8].issuer = "";
    bad[9].audience = "";
    bad[10].username = "";
    for (size_t i = 0; i < COUNT(bad); i++) {
        print_message("row %d\n", (int)i);
        assert_int_equal(ua_jwt_sign(&out, pool, keys, &bad[i]), APR_EINVAL);
        assert_string_equal(out, "untouched");
    }
}

static void tokens_of_odd_words(void **state)
{
    static const char *const words[][2] = {
        {"", ""}, {"pwd", "pwd"}, {" pwd  otp ", "pwd otp"}, {"a b c", "a b c"}};

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        ua_jwt_t token = a_token(NOW);
        const char *text = NULL;

        token.amr = words[i][0];
        assert_int_equal(ua_jwt_sign(&text, pool, keys, &token), APR_SUCCESS);
        assert_int_equal(ua_jwt_verify(&token, pool, keys, text, &wanted), APR_SUCCESS);
        assert_string_equal(token.amr, words[i][1]);
    }
}

/* Periods whose x, y or private number begin with a zero byte are among them. */
static void keys_are_pinned(void **state)
{
    static const struct {
        int period;
        const char *kid, *x, *y;
    } rows[] = {
        {0, "bSXWfWMPuY7ABU4P", "SSU0u9xLgd4Zp6SmVGEzBfUGUKi5bn4eH0-QCH1lXnM",
         "UuzBrL-2eSDjUZJC0A1enh4fKtO_sm4HSDh5yDNq0tQ"},
        {1, "R1zI9Ns4N9q-4GaJ", "vPrdH2ahY4tBcWmDNi6ZFE8iGakGDViyjXJOQkbmH4A",
         "POCWKR1eeoHueH4GgYPg-868rNiZM0r-dabkRRuwS0I"},
        {20000, "G5bGkOB2zc2Ydeqx", "mv9P5baDT9dW3-rL30HTeTRWbpDg9g3mNhp1jw_Ol7E",
         "zDpyCrp1DTbAM-80Z7C-JrHf-RC8h5vMNxg_poaKp2s"},
        {20009, "jc1u8q0qjw2Akigp", "ZbO0PcWxYylq-BCIk2FhfVbivXO3hRvD_55xFDKd4lE",
         "RVjgCokqgkCuLybZgcm41HXHcnaHimZL6SCstDRQF4A"},
        {20112, "6VAn4AXBnaRrf2SC", "ALxH7IjT24C6AObSlm95w_d4U3iiEotm5OeQgDsqUB0",
         "_yxMLM7hyN61LpDzodWZ0eTDqDITKAwIvqQbbGUsxdo"},
        {20482, "SU3uTl4N9FV2Ro3i", "T_vQ6owZfaBE19EiED4Zm7Ogy1PpfY5MRr9cIcpluEc",
         "AEVrK8rK_2gvRqEs3LNsyN9Ffch-n354UHy16F73twI"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const json_t *key = json_array_get(set_at(keys, rows[i].period * DAY + DAY / 2), 0);

        print_message("period %d\n", rows[i].period);
        assert_int_equal(json_object_size(key), 7); /* no "d" */
        assert_string_equal(text_at(key, "kty"), "EC");
        assert_string_equal(text_at(key, "crv"), "P-256");
        assert_string_equal(text_at(key, "alg"), "ES256");
        assert_string_equal(text_at(key, "use"), "sig");
        assert_string_equal(text_at(key, "kid"), rows[i].kid);
        assert_string_equal(text_at(key, "x"), rows[i].x);
        assert_string_equal(text_at(key, "y"), rows[i].y);
    }
}

/* A key verifies while its last token lives; it is shown as long, and before it signs. */
static void a_period_ends(void **state)
{
    static const int lives[] = {60, 61, 300, 359, 360, 361, 420, 86400, 2592000};

    (void)state;
    for (size_t i = 0; i < COUNT(lives); i++) {
        apr_interval_time_t life = lives[i] * SECOND;
        ua_jwt_keys_t *site = site_of(1, life);
        apr_time_t end = (NOW / life + 1) * life;
        const char *last = sign_at(site, end - SECOND);
        const char *next = sign_at(site, end);

        print_message("periods of %d s\n", lives[i]);
        assert_string_not_equal(part_text(last, 0), part_text(next, 0));
        for (int s = 0; s < 299; s += 13) {
            assert_int_equal(verify_at(site, last, end + s * SECOND), APR_SUCCESS);
            assert_true(lists(set_at(site, end + s * SECOND), last));
        }
        assert_int_equal(verify_at(site, last, end + 299 * SECOND - 1), APR_SUCCESS);
        assert_int_equal(verify_at(site, last, end + 299 * SECOND), APR_EACCES);
        assert_true(lists(set_at(site, end + 360 * SECOND - 1), last));
        assert_false(lists(set_at(site, end + 360 * SECOND), last));
        assert_true(lists(set_at(site, end - life), next));
        assert_false(lists(set_at(site, end - life - 1), next));
    }
}

/* One token, from before its key signs until after it expired: here, and where only the keys shown are known. */
static void follow(ua_jwt_keys_t *site, apr_interval_time_t life, apr_time_t issued)
{
    static const int ages[] = {0, 1, 60, 299};
    const char *text = sign_at(site, issued);

    assert_true(believed_elsewhere(set_at(site, issued - life), text)); /* announced */
    for (size_t i = 0; i < COUNT(ages); i++) {
        apr_time_t now = issued + ages[i] * SECOND;

        assert_int_equal(verify_at(site, text, now), APR_SUCCESS);
        assert_true(believed_elsewhere(set_at(site, now), text));
    }
    assert_int_equal(verify_at(site, text, issued + UA_JWT_LIFE - 1), APR_SUCCESS);
    assert_int_equal(verify_at(site, text, issued + UA_JWT_LIFE), APR_EACCES);
    assert_false(lists(set_at(site, issued + life + 360 * SECOND), text));
    assert_int_equal(
        json_array_size(set_at(site, issued)), /* of the last 360 s, and the next */
        issued / life - (issued - 360 * SECOND) / life + 2);
}

/* Forward over five periods and past the number of keys that are kept, then back to the first. */
static void over_several_periods(void **state)
{
    static const int lives[] = {60, 420, 2592000};
    static const int periods[] = {0, 1, 2, 3, 4, 9, 18, 0};

    (void)state;
    for (size_t i = 0; i < COUNT(lives); i++) {
        apr_interval_time_t life = lives[i] * SECOND;
        ua_jwt_keys_t *site = site_of(7, life);
        const apr_time_t at[] = {0, SECOND, 59 * SECOND, life / 2 / SECOND * SECOND,
                                 life - SECOND};

        for (size_t j = 0; j < COUNT(periods) * COUNT(at); j++) {
            apr_time_t start = (NOW / life + periods[j / COUNT(at)]) * life;

            follow(site, life, start + at[j % COUNT(at)]);
        }
    }
}

/* A number that begins with a zero byte keeps its 32 bytes (RFC 7518 3.4): each does once in 256 signatures. */
static void numbers_that_begin_with_zero(void **state)
{
    int seen = 0;

    (void)state;
    for (int i = 0; i < 20000 && seen != 3; i++) {
        const char *text = sign_at(keys, NOW);
        unsigned char raw[64];

        assert_int_equal(ua_base64url_decode(raw, sizeof raw, strrchr(text, '.') + 1),
                         APR_SUCCESS);
        seen |= (raw[0] == 0 ? 1 : 0) | (raw[32] == 0 ? 2 : 0);
        assert_int_equal(verify(text), APR_SUCCESS);
        assert_true(raw[0] != 0 || believed_elsewhere(set_at(keys, NOW), text));
        assert_true(raw[32] != 0 || believed_elsewhere(set_at(keys, NOW), text));
    }
    assert_int_equal(seen, 3);
}

static void how_many_keys_are_shown(void **state)
{
    ua_jwt_keys_t *days = site_of(2, DAY);
    ua_jwt_keys_t *minutes = site_of(2, 60 * SECOND);
    apr_time_t start = PERIOD * DAY;

    (void)state;
    assert_int_equal(json_array_size(set_at(days, start)), 3);
    assert_int_equal(json_array_size(set_at(days, start + 360 * SECOND - 1)), 3);
    assert_int_equal(json_array_size(set_at(days, start + 360 * SECOND)), 2);
    assert_int_equal(json_array_size(set_at(days, start + DAY - 1)), 2);
    assert_int_equal(json_array_size(set_at(minutes, start)), 8);
    assert_int_equal(json_array_size(set_at(minutes, start + 59 * SECOND)), 8);
}

/* CLK-02: a node whose clock is a minute ahead is already in the next period. */
static void a_node_ahead(void **state)
{
    ua_jwt_keys_t *here = site_of(3, DAY);
    ua_jwt_keys_t *there = site_of(3, DAY);
    apr_time_t start = (PERIOD + 1) * DAY;
    const char *text = sign_at(there, start);

    (void)state;
    assert_int_equal(verify_at(here, text, start - 60 * SECOND - 1), APR_EACCES);
    assert_int_equal(verify_at(here, text, start - 60 * SECOND), APR_SUCCESS);
    assert_int_equal(verify_at(here, text, start), APR_SUCCESS);
}

/* A clock that was never set reads 1970. */
static void the_first_minutes_of_all(void **state)
{
    ua_jwt_keys_t *site = site_of(6, 60 * SECOND);
    const ua_jwt_t token = a_token(500 * SECOND);
    const char *text = sign_at(site, token.issued);

    (void)state;
    assert_int_equal(json_array_size(set_at(site, 0)), 2);
    assert_int_equal(json_array_size(set_at(site, 5 * SECOND)), 2);
    assert_int_equal(json_array_size(set_at(site, -5 * SECOND)), 2);
    assert_int_equal(verify_at(site, text, 500 * SECOND), APR_SUCCESS);
    assert_int_equal(verify_at(site, text, 5 * SECOND), APR_EACCES);
    assert_int_equal(verify_at(site, text, -5 * SECOND), APR_EACCES);
}

static void lives_of_keys_too_short(void **state)
{
    static const apr_interval_time_t lives[] = {0, -1, 1, 60 * SECOND - 1};
    ua_jwt_keys_t *site = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(lives); i++) {
        assert_int_equal(ua_jwt_keys_create(&site, pool, secret, lives[i]), APR_EINVAL);
        assert_null(site);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_token_says),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(tokens_not_signed),
        cmocka_unit_test(tokens_of_odd_words),
        cmocka_unit_test(keys_are_pinned),
        cmocka_unit_test(a_period_ends),
        cmocka_unit_test(over_several_periods),
        cmocka_unit_test(numbers_that_begin_with_zero),
        cmocka_unit_test(how_many_keys_are_shown),
        cmocka_unit_test(a_node_ahead),
        cmocka_unit_test(the_first_minutes_of_all),
        cmocka_unit_test(lives_of_keys_too_short),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
