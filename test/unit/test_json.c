/* test_json.c: jansson values that end with their pool (LeakSanitizer watches). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include <string.h>

static void same(const char *comment, const char *got, const char *expected)
{
    if (strcmp(got, expected) != 0) {
        fail_msg("%s: got %s", comment, got);
    }
}

static void text_of(void **state)
{
    static const struct {
        const char *comment, *source, *expected;
    } cases[] = {
        {"compact", "{ \"a\" : [ 1, 2.5 ], \"b\" : null }", "{\"a\":[1,2.5],\"b\":null}"},
        {"order of insertion", "{\"z\":1,\"a\":2,\"m\":3}", "{\"z\":1,\"a\":2,\"m\":3}"},
        {"empty", "{}", "{}"},
        {"a bare text", "\"x\"", "\"x\""},
        {"UTF-8 as it is", "\"\\u00fc\"", "\"\xC3\xBC\""},
        {"XSS-04: no tag", "[\"<!--#echo -->\",\"a<\",{\"<\":\"<<\"}]",
         "[\"\\u003c!--#echo -->\",\"a\\u003c\",{\"\\u003c\":\"\\u003c\\u003c\"}]"},
        {"quotes, backslash, controls", "\"\\\"\\\\\\n\\u0001\"", "\"\\\"\\\\\\n\\u0001\""},
    };

    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *value = ua_json_own(pool, json_loads(cases[i].source, JSON_DECODE_ANY, NULL));

        assert_non_null(value);
        same(cases[i].comment, ua_json_text(pool, value), cases[i].expected);
    }
    assert_string_equal(ua_json_text(pool, NULL), "");
    apr_pool_destroy(pool);
}

static void set_and_get(void **state)
{
    json_t *object;
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    object = ua_json_object(pool);
    ua_json_set(object, "text", "x");
    ua_json_set(object, "none", NULL);
    ua_json_set(object, "bad", "\xC3");
    ua_json_set_number(object, "number", -9007199254740993);
    ua_json_set_flag(object, "on", 2);
    ua_json_set_flag(object, "off", 0);
    ua_json_set(object, "text", "y");
    assert_string_equal(
        ua_json_text(pool, object),
        "{\"text\":\"y\",\"number\":-9007199254740993,\"on\":true,\"off\":false}");
    assert_string_equal(ua_json_get(object, "text"), "y");
    assert_string_equal(ua_json_get(object, "number"), "");
    assert_string_equal(ua_json_get(object, "none"), "");
    assert_string_equal(ua_json_get(NULL, "text"), "");
    apr_pool_destroy(pool);
}

/* Owned by a pool is: dropped exactly once, with the pool. */
static void life(void **state)
{
    json_t *value = json_object();
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    json_incref(value);
    assert_ptr_equal(ua_json_own(pool, value), value);
    assert_int_equal(value->refcount, 2);
    apr_pool_destroy(pool);
    assert_int_equal(value->refcount, 1);
    json_decref(value);
    apr_pool_create(&pool, NULL);
    assert_null(ua_json_own(pool, NULL));
    apr_pool_destroy(pool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of),
        cmocka_unit_test(set_and_get),
        cmocka_unit_test(life),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
