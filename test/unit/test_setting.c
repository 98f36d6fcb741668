/* test_setting.c: facts about the database, by name. */
#include "domain_site.h"
#include "domain/setting.h"

static void set_and_read(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *value = "untouched";

    assert_int_equal(ua_setting_get(&value, ctx, "a"), APR_NOTFOUND);
    assert_string_equal(value, "untouched");
    assert_int_equal(ua_setting_put(ctx, "a", "it's \"one\"; -- %s"), APR_SUCCESS);
    assert_int_equal(ua_setting_put(ctx, "b", ""), APR_SUCCESS);
    assert_int_equal(ua_setting_get(&value, ctx, "a"), APR_SUCCESS);
    assert_string_equal(value, "it's \"one\"; -- %s");
    assert_int_equal(ua_setting_get(&value, ctx, "b"), APR_SUCCESS);
    assert_string_equal(value, "");
    assert_int_equal(ua_setting_get(&value, ctx, "A"), APR_NOTFOUND);

    for (int i = 0; i < 2; i++) { /* trap 10: the second changes nothing */
        assert_int_equal(ua_setting_put(ctx, "a", "two"), APR_SUCCESS);
    }
    assert_string_equal(ua_test_scalar(t, "SELECT value FROM setting WHERE name = 'a'"), "two");
    assert_string_equal(ua_test_scalar(t, "SELECT value FROM setting WHERE name = 'b'"), "");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM setting WHERE name IN ('a', 'b')"),
                     2);
}

static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *value = "untouched";

    site_break(t, "setting");
    assert_failure(ctx, ua_setting_get(&value, ctx, "a"), "setting_get");
    assert_failure(ctx, ua_setting_put(ctx, "a", "one"), "setting_update");
    assert_string_equal(value, "untouched");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {site_test(set_and_read), site_test(failures)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
