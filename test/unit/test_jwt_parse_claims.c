/* test_jwt_parse_claims.c: claims of other types and values, and texts that are not canonical base64url: all
 * refused, each with a signature that would be good.
 *
 * Cases: JWT-07, JWT-12, CLK-02.
 */
#include "jwt_forge.h"

static const char *good_claims_text(void)
{
    return claims_with("", NULL);
}

/* Every claim: missing, null, of another type. */
static void claims_missing_or_of_another_type(void **state)
{
    static const char *const texts[] = {NULL, "null", "1", "true", "{}", "[]", "\"\"", "[1]"};
    static const char *const times[] = {
        NULL,          "null",          "\"1728043200\"",      "1728043200.0",
        "1.7280432e9", "true",          "[1728043200]",        "0",
        "-1728043200", "1099511627776", "18446744073709551616"};
    static const char *const lists[] = {NULL, "null", "\"pwd\"", "[1]", "[\"pwd\",null]", "{}"};

    (void)state;
    for (size_t i = 0; i < COUNT(good_claims); i++) {
        const char *name = good_claims[i].name;
        int is_list = good_claims[i].value[0] == '[';
        int is_text = good_claims[i].value[0] == '"';
        const char *const *values = is_list ? lists : is_text ? texts : times;
        size_t n = is_list ? COUNT(lists) : is_text ? COUNT(texts) : COUNT(times);

        for (size_t j = 0; j < n; j++) {
            print_message("%s: %s\n", name, values[j] ? values[j] : "missing");
            assert_int_equal(verify(forge(GOOD_HEADER, claims_with(name, values[j]))),
                             APR_EACCES);
        }
    }
    /* no words are fine */
    assert_int_equal(verify(forge(GOOD_HEADER, claims_with("amr", "[]"))), APR_SUCCESS);
}

/* JWT-07 */
static void other_issuers_and_audiences(void **state)
{
    static const claim_t rows[] = {{"iss", "\"https://example.org\""},
                                   {"iss", "\"https://example.com/\""},
                                   {"iss", "\"https://example.co\""},
                                   {"iss", "\"https://example.com.evil.org\""},
                                   {"iss", "\"https://EXAMPLE.com\""},
                                   {"iss", "\"http://example.com\""},
                                   {"iss", "\"https://example.com \""},
                                   {"iss", "\"https://example.com\\u0000\""},
                                   {"iss", "[\"https://example.com\"]"},
                                   {"iss", "\"" AUDIENCE "\""},
                                   {"aud", "\"https://api.example.com/\""},
                                   {"aud", "\"https://api.example.co\""},
                                   {"aud", "\"https://api.example.com.evil.org\""},
                                   {"aud", "\"HTTPS://api.example.com\""},
                                   {"aud", "[\"https://api.example.com\"]"},
                                   {"aud", "[\"https://api.example.com\",\"https://b\"]"},
                                   {"aud", "\"*\""},
                                   {"aud", "\"" ISSUER "\""}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s: %s\n", rows[i].name, rows[i].value);
        assert_int_equal(verify(forge(GOOD_HEADER, claims_with(rows[i].name, rows[i].value))),
                         APR_EACCES);
    }
}

static void ids_that_are_none(void **state)
{
    static const char *const names[] = {"sub", "sid", "jti"};
    static const char *const values[] = {"\"alice\"",
                                         "\"11111111-1111-4111-8111-11111111111\"",
                                         "\"11111111-1111-4111-8111-1111111111111\"",
                                         "\"11111111-1111-4111-8111-11111111111A\"",
                                         "\"11111111-1111-1111-8111-111111111111\"",
                                         "\"11111111111141118111111111111111\"",
                                         "\"' OR 1=1 --\""};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        for (size_t j = 0; j < COUNT(values); j++) {
            assert_int_equal(verify(forge(GOOD_HEADER, claims_with(names[i], values[j]))),
                             APR_EACCES);
        }
    }
}

/* The times of a token against NOW = 1728043200 (CLK-02). */
static void times_of_a_token(void **state)
{
    static const struct {
        const char *issued, *not_before, *expires;
        apr_status_t rv;
    } rows[] = {
        {"1728043200", "1728043200", "1728043500", APR_SUCCESS},
        {"1728042901", "1728042901", "1728043201", APR_SUCCESS},
        {"1728042900", "1728042900", "1728043200", APR_EACCES}, /* expired this second */
        {"1728042899", "1728042899", "1728043199", APR_EACCES},
        {"1728043260", "1728043260", "1728043560", APR_SUCCESS}, /* a clock a minute ahead */
        {"1728043261", "1728043261", "1728043561", APR_EACCES},
        {"1728043200", "1728043200", "1728043501", APR_EACCES}, /* too long a life */
        {"1728043200", "1728043200", "1728043200", APR_EACCES},
        {"1728043230", "1728043230", "1728043229", APR_EACCES},
        {"1728043100", "1728043261", "1728043300", APR_EACCES},
        {"1728043100", "1728043101", "1728043300", APR_EACCES},
        {"1728043200", "1728043200", "1728043201", APR_SUCCESS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *claims = apr_psprintf(
            pool,
            "{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"%s\",\"sid\":\"%s\",\"jti\":\"%s\","
            "\"username\":\"a\",\"amr\":[],\"auth_time\":1,\"iat\":%s,\"nbf\":%s,\"exp\":%s}",
            ISSUER, AUDIENCE, ACCOUNT, SESSION, TOKEN, rows[i].issued, rows[i].not_before,
            rows[i].expires);

        print_message("row %d\n", (int)i);
        assert_int_equal(verify(forge(GOOD_HEADER, claims)), rows[i].rv);
    }
}

/* JWT-12 */
static void claims_that_are_no_object(void **state)
{
    static const char *const claims[] = {"[]", "\"x\"", "null", "1",    "{}",
                                         "{",  "\xff",  " ",    "{} {}"};
    const char *good = good_claims_text();
    char *open = apr_pstrdup(pool, good);

    (void)state;
    for (size_t i = 0; i < COUNT(claims); i++) {
        assert_int_equal(verify(forge(GOOD_HEADER, claims[i])), APR_EACCES);
    }
    open[strlen(open) - 1] = '\0';
    for (size_t i = 0; i < COUNT(good_claims); i++) { /* each twice: the same, and another */
        const char *twice = apr_pstrcat(pool, open, ",\"", good_claims[i].name, "\":", NULL);

        assert_int_equal(
            verify(
                forge(GOOD_HEADER, apr_pstrcat(pool, twice, good_claims[i].value, "}", NULL))),
            APR_EACCES);
        assert_int_equal(verify(forge(GOOD_HEADER, apr_pstrcat(pool, twice, "null}", NULL))),
                         APR_EACCES);
    }
    assert_int_equal(verify(forge(GOOD_HEADER, apr_pstrcat(pool, good, "x", NULL))),
                     APR_EACCES);
    assert_int_equal(
        verify(forge_text(apr_pstrcat(pool, base64(GOOD_HEADER), ".",
                                      ua_base64url(pool, good, strlen(good) + 1), NULL),
                          PERIOD)),
        APR_EACCES); /* a zero byte at the end */
}

/* The last character of `text` with its lowest, unused bit set. */
static const char *with_unused_bits(const char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *copy = apr_pstrdup(pool, text);
    char *last = copy + strlen(copy) - 1;

    *last = strchr(alphabet, *last)[1];
    return copy;
}

/* So long that a single character is left over: six bits are no byte. */
static const char *of_no_length(const char *text)
{
    while (strlen(text) % 4 != 1) {
        text = apr_pstrcat(pool, text, "A", NULL);
    }
    return text;
}

/* JWT-12: the signature covers the text as it stands, so only its form can be at fault. */
static void parts_that_are_not_canonical(void **state)
{
    /* both of a length that leaves unused bits */
    const char *header = base64(GOOD_HEADER " ");
    const char *claims = base64(claims_with("username", "\"\xc3\xbf>>>???~~~\""));
    const char *good = NULL;

    (void)state;
    if (strlen(claims) % 4 == 0) {
        claims = base64(claims_with("username", "\"\xc3\xbf>>>???~~~a\""));
    }
    assert_true(strlen(header) % 4 != 0 && strlen(claims) % 4 != 0);
    good = forge_text(apr_pstrcat(pool, header, ".", claims, NULL), PERIOD);
    assert_int_equal(verify(good), APR_SUCCESS);
    assert_true(strpbrk(claims, "-_") != NULL);
    {
        char *plain = apr_pstrdup(pool, claims);
        const char *const rows[][2] = {{header, plain},
                                       {header, apr_pstrcat(pool, claims, "=", NULL)},
                                       {header, apr_pstrcat(pool, claims, "==", NULL)},
                                       {apr_pstrcat(pool, header, "=", NULL), claims},
                                       {apr_pstrcat(pool, header, "==", NULL), claims},
                                       {apr_pstrcat(pool, " ", header, NULL), claims},
                                       {apr_pstrcat(pool, header, " ", NULL), claims},
                                       {apr_pstrcat(pool, header, "\n", NULL), claims},
                                       {header, apr_pstrcat(pool, "\t", claims, NULL)},
                                       {header, apr_pstrcat(pool, claims, "\r\n", NULL)},
                                       {header, apr_pstrcat(pool, claims, "\x80", NULL)},
                                       {header, of_no_length(claims)},
                                       {with_unused_bits(header), claims},
                                       {header, with_unused_bits(claims)},
                                       {header, ""},
                                       {"", claims},
                                       {"", ""},
                                       {"A", claims},
                                       {header, "A"}};

        for (char *at = plain; *at; at++) {
            *at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
        }
        for (size_t i = 0; i < COUNT(rows); i++) {
            print_message("row %d\n", (int)i);
            assert_int_equal(refused_unseen(forge_text(
                                 apr_pstrcat(pool, rows[i][0], ".", rows[i][1], NULL), PERIOD)),
                             APR_EACCES);
        }
    }
}

/* JWT-12: around a good token, and its signature. */
static void texts_that_are_not_three_parts(void **state)
{
    const char *good = forge(GOOD_HEADER, good_claims_text());
    const char *dot = strrchr(good, '.');
    const char *const texts[] = {"",
                                 ".",
                                 "..",
                                 "...",
                                 "....",
                                 "a",
                                 "a.b",
                                 "a.b.c",
                                 "a.b.c.d.e",
                                 apr_pstrcat(pool, ".", good, NULL),
                                 apr_pstrcat(pool, good, ".", NULL),
                                 apr_pstrcat(pool, good, "..", NULL),
                                 apr_pstrcat(pool, good, ".AA", NULL),
                                 apr_pstrcat(pool, good, dot, NULL),
                                 apr_pstrcat(pool, good, "=", NULL),
                                 apr_pstrcat(pool, good, "==", NULL),
                                 apr_pstrcat(pool, good, "\n", NULL),
                                 apr_pstrcat(pool, good, " ", NULL),
                                 apr_pstrcat(pool, " ", good, NULL),
                                 apr_pstrcat(pool, good, "A", NULL),
                                 apr_pstrcat(pool, good, "AA", NULL),
                                 with_unused_bits(good)};

    (void)state;
    assert_int_equal(verify(good), APR_SUCCESS);
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(refused_unseen(texts[i]), APR_EACCES);
    }
}

/* 2048 characters and not one more. */
static void length_of_a_token(void **state)
{
    char *name = apr_pcalloc(pool, 2048);
    apr_size_t longest = 0;

    (void)state;
    name[0] = '"';
    for (apr_size_t n = 900; n < 1300; n++) {
        const char *text = NULL;

        memset(name + 1, 'a', n);
        memcpy(name + 1 + n, "\"", 2);
        text = forge(GOOD_HEADER, claims_with("username", name));
        assert_int_equal(verify(text), strlen(text) <= 2048 ? APR_SUCCESS : APR_EACCES);
        longest = strlen(text);
        if (longest > 2052) {
            return;
        }
        n += longest < 2000 ? 20 : 0;
    }
    fail_msg("never as long as that: %lu", (unsigned long)longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_missing_or_of_another_type),
        cmocka_unit_test(other_issuers_and_audiences),
        cmocka_unit_test(ids_that_are_none),
        cmocka_unit_test(times_of_a_token),
        cmocka_unit_test(claims_that_are_no_object),
        cmocka_unit_test(parts_that_are_not_canonical),
        cmocka_unit_test(texts_that_are_not_three_parts),
        cmocka_unit_test(length_of_a_token),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
