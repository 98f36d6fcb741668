/* test_jwt.c: tokens there and back, the keys that sign them, and what changes when a period ends.
 *
 * The derived keys are pinned with Python's cryptography: nodes of two versions have to agree (UPG-04).
 * Cases: JWT-01, JWT-05, JWT-16, CLK-02.
 */
#include "jwt_forge.h"

#define SECOND apr_time_from_sec(1)

static apr_status_t verify_at(ua_jwt_keys_t *site, const char *text, apr_time_t now)
{
    const ua_jwt_wanted_t then = {ISSUER, AUDIENCE, now};
    ua_jwt_t token = {.issuer = "untouched"};
    apr_status_t rv = ua_jwt_verify(&token, pool, site, text, &then);

    assert_true((rv == APR_SUCCESS) == (strcmp(token.issuer, "untouched") != 0));
    return rv;
}

static const char *sign_at(ua_jwt_keys_t *site, apr_time_t issued)
{
    const ua_jwt_t token = a_token(issued);
    const char *text = NULL;

    assert_int_equal(ua_jwt_sign(&text, pool, site, &token), APR_SUCCESS);
    return text;
}

static ua_jwt_keys_t *site_of(unsigned char first, apr_interval_time_t lifetime)
{
    unsigned char own[UA_DIGEST_BYTES] = {first};
    ua_jwt_keys_t *site = NULL;

    assert_int_equal(ua_jwt_keys_create(&site, pool, own, lifetime), APR_SUCCESS);
    memset(own, 0xAA, sizeof own); /* it was copied */
    return site;
}

static const json_t *set_at(ua_jwt_keys_t *site, apr_time_t now)
{
    json_t *set = NULL;

    assert_int_equal(ua_jwt_set(&set, pool, site, now), APR_SUCCESS);
    assert_int_equal(json_object_size(set), 1);
    return json_object_get(set, "keys");
}

static const char *text_at(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* One part of a token as text. */
static const char *part_text(const char *token, int which)
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

static int lists(const json_t *set, const char *token)
{
    const char *header = part_text(token, 0);
    size_t i = 0;
    json_t *key = NULL;

    json_array_foreach(set, i, key)
    {
        if (strstr(header, text_at(key, "kid"))) {
            return 1;
        }
    }
    return 0;
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
                      a_token(NOW), a_token(NOW), a_token(NOW), a_token(0),   a_token(-NOW)};
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
    static const int lives[] = {60, 61, 300, 359, 360, 361, 86400};

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

/* That key is no good before, whatever the token says about its times. */
static void the_next_key_too_early(void **state)
{
    apr_time_t start = (PERIOD + 1) * DAY;
    const json_t *next = json_array_get(set_at(keys, start + DAY / 2), 0);
    const char *header = apr_psprintf(
        pool, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", text_at(next, "kid"));
    const char *claims = part_text(sign_at(keys, start - 70 * SECOND), 1);
    const char *text =
        forge_text(apr_pstrcat(pool, base64(header), ".", base64(claims), NULL), PERIOD + 1);

    (void)state;
    assert_int_equal(verify_at(keys, text, start - 60 * SECOND - 1), APR_EACCES);
    assert_int_equal(verify_at(keys, text, start - 60 * SECOND), APR_SUCCESS);
}

/* The key of another period is no good for it, though the token's own times are. */
static void keys_before_and_after_their_time(void **state)
{
    static const struct {
        const char *kid;
        int period;
    } rows[] = {
        {"kbhxxMledfUE4vR1", 658}, {"R1zI9Ns4N9q-4GaJ", 1}, {"jc1u8q0qjw2Akigp", 20009}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *header = apr_psprintf(
            pool, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", rows[i].kid);
        const char *text =
            apr_pstrcat(pool, base64(header), ".", base64(claims_with("", NULL)), NULL);

        assert_int_equal(verify(forge_text(text, rows[i].period)), APR_EACCES);
        /* nor with the name of the right one */
        assert_int_equal(verify(forge_text(apr_pstrcat(pool, base64(GOOD_HEADER), ".",
                                                       base64(claims_with("", NULL)), NULL),
                                           rows[i].period)),
                         APR_EACCES);
    }
}

/* Two sites with unlike key files: neither knows the other's keys, even with the name changed. */
static void another_site(void **state)
{
    ua_jwt_keys_t *one = site_of(4, DAY);
    ua_jwt_keys_t *two = site_of(5, DAY);
    const char *mine = sign_at(one, NOW);
    const char *theirs = sign_at(two, NOW);
    const char *mixed = apr_pstrcat(pool, apr_pstrmemdup(pool, theirs, strcspn(theirs, ".")),
                                    strchr(mine, '.'), NULL);

    (void)state;
    assert_int_equal(verify_at(one, mine, NOW), APR_SUCCESS);
    assert_int_equal(verify_at(two, theirs, NOW), APR_SUCCESS);
    assert_int_equal(verify_at(one, theirs, NOW), APR_EACCES);
    assert_int_equal(verify_at(two, mine, NOW), APR_EACCES);
    assert_int_equal(verify_at(two, mixed, NOW), APR_EACCES);
    assert_int_equal(verify_at(site_of(4, DAY), mine, NOW), APR_SUCCESS); /* another node */
}

/* JWT-05: each character once, as its neighbour, as another letter, as a dot. */
static void every_character_changed(void **state)
{
    const char *good = sign_at(keys, NOW);
    char *text = apr_pstrdup(pool, good);

    (void)state;
    assert_int_equal(verify(text), APR_SUCCESS);
    for (char *at = text; *at; at++) {
        const char was = *at;
        const char changed[] = {(char)(was ^ 1), was == 'Q' ? 'g' : 'Q',
                                was == '.' ? 'A' : '.'};

        for (size_t i = 0; i < COUNT(changed); i++) {
            *at = changed[i];
            assert_int_equal(verify(text), APR_EACCES);
        }
        *at = was;
    }
    for (apr_size_t length = 0; length < strlen(good); length += 3) {
        assert_int_equal(verify(apr_pstrmemdup(pool, good, length)), APR_EACCES);
    }
    assert_int_equal(verify(text), APR_SUCCESS);
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
        cmocka_unit_test(how_many_keys_are_shown),
        cmocka_unit_test(a_node_ahead),
        cmocka_unit_test(the_next_key_too_early),
        cmocka_unit_test(keys_before_and_after_their_time),
        cmocka_unit_test(another_site),
        cmocka_unit_test(every_character_changed),
        cmocka_unit_test(the_first_minutes_of_all),
        cmocka_unit_test(lives_of_keys_too_short),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
