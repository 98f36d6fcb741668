/* test_members_far.c: the pages of a search behind hundreds that were found by both their names: such a page may
 * be empty and not the last one; it does not say that nobody was found.
 */
#include "places.h"

#define SEARCH "/dashboard/members?q=zz&limit=100"

/* zz001 … zz450, each with a display name that begins alike, and one with nothing but the display name. */
static ua_test_t *site_of_two_names(void)
{
    ua_test_t *t = site_of_alice();

    ua_test_sql(t,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                "451) INSERT INTO account (id, username, username_key, email, email_key, "
                "display_name, display_key, enabled, verified, password_hash, password_set, "
                "failures, device_failures, corrections, address, created, last_sign_in, "
                "previous_sign_in) SELECT 'id' || i, 'zz' || substr(1000 + i, 2), 'zz' || "
                "substr(1000 + i, 2), 'e' || i, 'e' || i, 'Zz ' || i, 'zz ' || i, 1, 5, 'x', "
                "1, 0, 0, 0, '192.0.2.1', 1, 1, 1 FROM n");
    ua_test_sql(t, "UPDATE account SET username = 'bob', username_key = 'bob', display_key = "
                   "'zzz' WHERE username = 'zz451'");
    return t;
}

static void to_the_end(void **state)
{
    static const size_t sizes[] = {100, 100, 100, 100, 50, 0, 1};
    ua_test_t *t = site_of_two_names();
    const char *next = "";

    (void)state;
    t->json = 1;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_string_not_equal(next, "null");
        assert_status(t, ua_test_get(t, apr_pstrcat(t->pool, SEARCH "&after=", next, NULL)),
                      200);
        assert_int_equal(entries(t, "members"), sizes[i]);
        next = apr_pstrdup(t->pool, ua_test_value(t, "next"));
    }
    assert_string_equal(next, "null");
    assert_string_equal(entry_value(t, "members", 0, "username"), "bob");
    ua_test_close(t);
}

/* What the next page's link leads to. */
static void follow(ua_test_t *t)
{
    const char *start = strstr(t->body, "/dashboard/members?q=zz&amp;after=");
    const char *cursor = NULL;

    assert_non_null(start);
    cursor = strstr(start, "after=");
    cursor = apr_pstrmemdup(t->pool, cursor, strcspn(cursor, "&\""));
    assert_status(t, ua_test_get(t, apr_pstrcat(t->pool, SEARCH "&", cursor, NULL)), 200);
}

static void nobody_is_told_nobody(void **state)
{
    ua_test_t *t = site_of_two_names();

    (void)state;
    assert_status(t, ua_test_get(t, SEARCH), 200);
    for (int page = 2; page <= 6; page++) {
        follow(t);
    }
    assert_false(ua_test_shows(t, "/dashboard/members/zz"));
    assert_false(ua_test_shows(t, "Nobody"));
    assert_shows(t, "Next page");
    ua_test_sql(t, "UPDATE account SET hidden = 1 WHERE username = 'bob'");
    follow(t);
    assert_false(ua_test_shows(t, "Nobody"));
    assert_false(ua_test_shows(t, "Next page"));
    assert_shows(t, "First page");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_the_end),
        cmocka_unit_test(nobody_is_told_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
