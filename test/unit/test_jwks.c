/* test_jwks.c: the public keys, and access tokens over a change of keys (RFC 7517). */
#include "api_client.h"

/* How many keys are shown. */
static int keys_shown(ua_test_t *t)
{
    assert_status(t, ua_test_get(t, "/auth/jwks.json"), 200);
    return (int)json_array_size(
        json_object_get(ua_json_own(t->turn, json_loads(t->body, 0, NULL)), "keys"));
}

/* The `kid` of a token, from its first part. */
static const char *kid_of(ua_test_t *t, const char *token)
{
    apr_size_t length = (apr_size_t)(strchr(token, '.') - token);
    const char *part = apr_pstrmemdup(t->pool, token, length);
    apr_size_t size = length * 3 / 4;
    unsigned char *text = apr_pcalloc(t->pool, size + 1);

    assert_int_equal(ua_base64url_decode(text, size, part), APR_SUCCESS);
    return apr_pstrdup(
        t->pool,
        ua_json_get(ua_json_own(t->turn, json_loads((const char *)text, 0, NULL)), "kid"));
}

static int is_shown(ua_test_t *t, const char *kid)
{
    assert_status(t, ua_test_get(t, "/auth/jwks.json"), 200);
    return ua_test_shows(t, apr_pstrcat(t->pool, "\"kid\":\"", kid, "\"", NULL));
}

static void what_is_shown(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const json_t *key = NULL;

    (void)state;
    assert_true(keys_shown(t) > 0);
    assert_string_equal(t->res->type, "application/json");
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"), "public, max-age=300");
    assert_int_equal(t->res->cookies->nelts, 0);
    key = json_array_get(
        json_object_get(ua_json_own(t->turn, json_loads(t->body, 0, NULL)), "keys"), 0);
    assert_int_equal(json_object_size(key), 7); /* and no "d" */
    assert_string_equal(ua_json_get(key, "kty"), "EC");
    assert_string_equal(ua_json_get(key, "crv"), "P-256");
    assert_string_equal(ua_json_get(key, "alg"), "ES256");
    assert_string_equal(ua_json_get(key, "use"), "sig");
    assert_int_equal(strlen(ua_json_get(key, "x")), UA_DIGEST_TEXT);
    assert_int_equal(strlen(ua_json_get(key, "y")), UA_DIGEST_TEXT);
    assert_true(*ua_json_get(key, "kid") != '\0');
    ua_test_close(t);
}

static void how_it_may_be_asked_for(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_header(t, "Accept", "application/jwk-set+json");
    assert_status(t, ua_test_get(t, "/auth/jwks.json"), 200);
    assert_string_equal(t->res->type, "application/jwk-set+json");
    assert_string_equal(ua_test_reply_header(t, "Vary"), "Accept");
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, "/auth/jwks.json"), 200);
    assert_string_equal(t->res->type, "application/json");
    assert_status(t, ua_test_head(t, "/auth/jwks.json"), 200);
    assert_status(t, ua_test_post(t, "/auth/jwks.json", NULL), 405);
    assert_string_equal(ua_test_reply_header(t, "Allow"), "GET, HEAD, OPTIONS");
    ua_test_close(t);
}

/* Sites without a common key file have no common keys. */
static void each_site_has_its_own(void **state)
{
    ua_test_t *a = ua_test_open(NULL);
    ua_test_t *b = ua_test_open(NULL);
    const char *keys = NULL;

    (void)state;
    (void)keys_shown(a);
    keys = apr_pstrdup(a->pool, a->body);
    (void)keys_shown(b);
    assert_string_not_equal(keys, b->body);
    assert_null(ua_test_start(a, NULL)); /* but the same after a restart */
    (void)keys_shown(a);
    assert_string_equal(keys, a->body);
    ua_test_close(a);
    ua_test_close(b);
}

/* A key verifies until the last token that it signed has expired, and goes then. */
static void rotation(void **state)
{
    static const char *const lines[] = {"UserAuthTokenKeyLifetime 60",
                                        "UserAuthTokenKeyLifetime 7m",
                                        "UserAuthTokenKeyLifetime 1d"};
    static const apr_int64_t lives[] = {60, 420, 86400};

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        api_t api;
        ua_test_t *t = api_open(&api, lines[i]);
        apr_int64_t left = lives[i] - apr_time_sec(t->now) % lives[i];
        const char *old = NULL;

        print_message("%s\n", lines[i]);
        ua_test_clock(t, left - 1); /* the last second of a key */
        api = api_login(t, "alice");
        old = kid_of(t, api.access);
        for (int second = 0; second < 300; second += 23) {
            assert_int_equal(api_gated(t, api.access), 0);
            assert_true(is_shown(t, old));
            ua_test_clock(t, 23);
        }
        ua_test_clock(t, 300 - 14 * 23 - 1);
        assert_int_equal(api_gated(t, api.access), 0);
        ua_test_clock(t, 1);
        assert_int_equal(api_gated(t, api.access), 401);
        assert_status(t, api_renew(t, api.refresh), 200);
        assert_string_not_equal(kid_of(t, api_kept(t, "access_token")), old);
        ua_test_clock(t, 61);
        assert_int_equal(is_shown(t, old), 0);
        ua_test_close(t);
    }
}

/* A client that keeps the set for its five minutes knows the next key before it signs. */
static void the_next_key_is_shown_in_time(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthTokenKeyLifetime 1d", NULL);
    const char *set = NULL;
    api_t api;

    (void)state;
    ua_test_member(t, "alice");
    ua_test_clock(t, 86400 - apr_time_sec(t->now) % 86400 - 300);
    (void)keys_shown(t);
    set = apr_pstrdup(t->pool, t->body);
    ua_test_clock(t, 300);
    api = api_login(t, "alice");
    assert_non_null(strstr(set, kid_of(t, api.access)));
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shown),
        cmocka_unit_test(how_it_may_be_asked_for),
        cmocka_unit_test(each_site_has_its_own),
        cmocka_unit_test(rotation),
        cmocka_unit_test(the_next_key_is_shown_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
