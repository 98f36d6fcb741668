/* test_member.c: the list of members: who is in it, its search, its pages.
 *
 * Cases: ENUM-11, SQL-01, SQL-02.
 */
#include "domain_site.h"
#include "base/text.h"
#include "domain/member.h"

/* A confirmed account with a display name; its id. */
static const char *add(ua_ctx_t *ctx, const char *username, const char *display_name)
{
    ua_account_t account = {
        .username = username, .display_name = display_name, .password_hash = "hash"};

    assert_int_equal(ua_draw_uuid(&account.id, ctx), APR_SUCCESS);
    account.email = apr_pstrcat(ctx->pool, ua_lower(ctx->pool, username), "@example.org", NULL);
    account.address = ctx->address;
    account.created = ctx->now;
    assert_int_equal(ua_account_insert(ctx, &account, account.email), APR_SUCCESS);
    assert_int_equal(ua_account_verify(ctx, account.id, account.email), APR_SUCCESS);
    return account.id;
}

/* The usernames found, with a blank behind each. `after`: "", "username key" or "username key/display key". */
static const char *names(ua_ctx_t *ctx, const char *prefix, const char *after, int most)
{
    const char *slash = strchr(after, '/');
    ua_member_t last = {.username_key = after, .display_key = slash ? slash + 1 : NULL};
    const ua_member_t *next = NULL;
    apr_array_header_t *list = NULL;
    const char *text = "";

    if (slash) {
        last.username_key = apr_pstrmemdup(ctx->pool, after, (apr_size_t)(slash - after));
    }
    assert_int_equal(ua_member_list(&list, &next, ctx, prefix, *after ? &last : NULL, most),
                     APR_SUCCESS);
    for (int i = 0; i < list->nelts; i++) {
        text = apr_pstrcat(ctx->pool, text, APR_ARRAY_IDX(list, i, ua_member_t).username, " ",
                           NULL);
    }
    return text;
}

static void tells_each(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const ua_member_t *next = NULL;
    apr_array_header_t *list = NULL;
    const ua_member_t *member = NULL;

    ctx->now -= SECONDS(3600);
    (void)add(ctx, "Anna.B", "Anna B\xC3\xA9la");
    ctx->now += SECONDS(3600);
    assert_int_equal(ua_member_list(&list, &next, ctx, "", NULL, 10), APR_SUCCESS);
    assert_int_equal(list->nelts, 1);
    member = &APR_ARRAY_IDX(list, 0, ua_member_t);
    assert_string_equal(member->username, "Anna.B");
    assert_string_equal(member->display_name, "Anna B\xC3\xA9la");
    assert_string_equal(member->username_key, "anna.b");
    assert_int_equal(member->since, t->now - SECONDS(3600));
    ua_db_release(ctx);
}

/* ENUM-11: hidden, unconfirmed, closed and shut out ones are not there, whatever is searched for. */
static void only_who_is_to_be_seen(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *closed = add(ctx, "mclosed", "");

    (void)add(ctx, "mshown", "");
    (void)add(ctx, "mhidden", "");
    (void)add(ctx, "mlocked", "");
    (void)site_account(ctx, "mnew");
    assert_int_equal(ua_account_close(ctx, closed), APR_SUCCESS);
    ua_test_sql(t, "UPDATE account SET hidden = 1 WHERE username = 'mhidden'");
    ua_test_sql(t, "UPDATE account SET enabled = 0 WHERE username = 'mlocked'");
    assert_string_equal(names(ctx, "", "", 10), "mshown ");
    assert_string_equal(names(ctx, "m", "", 10), "mshown ");
    assert_string_equal(names(ctx, "mhidden", "", 10), "");
    assert_int_equal(ua_account_restore(ctx, closed), APR_SUCCESS);
    assert_string_equal(names(ctx, "", "", 10), "mclosed mshown ");
    ua_db_release(ctx);
}

static void in_pages(void **state)
{
    static const char *const people[] = {"d4", "a1", "C3", "b2", "e5"};
    ua_ctx_t *ctx = ua_test_context(*state);

    for (size_t i = 0; i < COUNT(people); i++) {
        (void)add(ctx, apr_pstrcat(ctx->pool, people[i], "x", NULL), "x");
    }
    assert_string_equal(names(ctx, "", "", 2), "a1x b2x ");
    assert_string_equal(names(ctx, "", "b2x", 2), "C3x d4x ");
    assert_string_equal(names(ctx, "", "d4x", 2), "e5x ");
    assert_string_equal(names(ctx, "", "e5x", 2), "");
    assert_string_equal(names(ctx, "", "c", 1), "C3x "); /* of somebody who left */
    assert_string_equal(names(ctx, "X", "", 2), "a1x b2x ");
    assert_string_equal(names(ctx, "X", "b2x/x", 9), "C3x d4x e5x ");
    ua_db_release(ctx);
}

/* Usernames first, then display names; who has both is there once. */
static void in_pages_of_both_names(void **state)
{
    ua_ctx_t *ctx = ua_test_context(*state);

    (void)add(ctx, "max2", "Max B");
    (void)add(ctx, "max1", "Anna");
    (void)add(ctx, "b2", "Max A");
    (void)add(ctx, "c3", "MAX A");
    (void)add(ctx, "a1", "max c");
    (void)add(ctx, "d4", "Ma");
    assert_string_equal(names(ctx, "max", "", 10), "max1 max2 b2 c3 a1 ");
    assert_string_equal(names(ctx, "max", "", 3), "max1 max2 b2 ");
    assert_string_equal(names(ctx, "max", "b2/max a", 3), "c3 a1 ");
    assert_string_equal(names(ctx, "max", "max1", 2), "max2 b2 ");
    assert_string_equal(names(ctx, "max", "max2", 2), "b2 c3 ");
    assert_string_equal(names(ctx, "max", "a1/max c", 2), "");
    assert_string_equal(names(ctx, "max a", "", 1), "b2 ");
    assert_string_equal(names(ctx, "max", "zz/a", 2), "b2 c3 "); /* of another search */
    assert_string_equal(names(ctx, "max", "a/ma", 2), "b2 c3 ");
    (void)add(ctx, "e5", "Zed");
    assert_string_equal(names(ctx, "max", "a/zed", 2), "");
    assert_string_equal(names(ctx, "max", "zz", 2), "b2 c3 ");
    ua_db_release(ctx);
}

/* By the beginning of either name, without regard to case. */
static void searched(void **state)
{
    static const struct {
        const char *prefix, *found;
    } cases[] = {
        {"an", "anna Anton zoe "},
        {"AN", "anna Anton zoe "},
        {"anna", "anna "},
        {"annab", ""},
        {"nn", ""}, /* no middle of a name */
        {"Anna S", "anna "},
        {"STRASSE", "karl "}, /* full folding */
        {"stra\xC3\x9F", "karl "},
        {"\xC3\xA9mil", "zoe2 "}, /* accents count, case does not */
        {"\xC3\x89MIL", "zoe2 "},
        {"e\xCC\x81mil", "zoe2 "}, /* decomposed */
        {"emil", ""},
        {"\xE6\x9D\x8E", "li "},
        {"z", "zoe zoe2 "},
    };

    ua_ctx_t *ctx = ua_test_context(*state);

    (void)add(ctx, "anna", "Anna Schmidt");
    (void)add(ctx, "Anton", "");
    (void)add(ctx, "karl",
              "Stra\xC3\x9F"
              "e");
    (void)add(ctx, "zoe", "ANGELA");
    (void)add(ctx, "zoe2", "\xC3\x89mile");
    (void)add(ctx, "li", "\xE6\x9D\x8E\xE5\x9B\x9B");
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].prefix);
        assert_string_equal(names(ctx, cases[i].prefix, "", 10), cases[i].found);
    }
    ua_db_release(ctx);
}

/* SQL-02, SQL-01: what is a wildcard or more elsewhere is a letter here. */
static void no_wildcards(void **state)
{
    static const char *const signs[] = {
        "%",  "_",   "\\", "[",  "]",           "*",  "?",
        "^",  "'",   "\"", "%%", "' OR '1'='1", "[a", "'; DROP TABLE account; --",
        "%s", "{x}'"};
    ua_ctx_t *ctx = ua_test_context(*state);

    (void)add(ctx, "first", "plain");
    (void)add(ctx, "a_b", "no wildcard");
    (void)add(ctx, "axb", "none either");
    for (size_t i = 0; i < COUNT(signs); i++) {
        const char *username = apr_psprintf(ctx->pool, "sign%d", (int)i);

        assert_string_equal(names(ctx, signs[i], "", 10), "");
        (void)add(ctx, username, apr_pstrcat(ctx->pool, signs[i], " y", NULL));
        assert_non_null(strstr(names(ctx, signs[i], "", 40), username));
        assert_null(strstr(names(ctx, signs[i], "", 40), "first"));
        assert_null(strstr(names(ctx, signs[i], "", 40), "axb"));
    }
    assert_string_equal(names(ctx, "a_", "", 10), "a_b ");
    assert_string_equal(names(ctx, "", "zzz' OR '1'='1", 10), "");
    ua_db_release(ctx);
}

/* Nothing sorts behind a prefix's last: the highest code points that a name may hold. */
static void to_the_last_letter(void **state)
{
    ua_ctx_t *ctx = ua_test_context(*state);

    (void)add(ctx, "tall", "x\xF0\xAF\xA8\x9D");
    (void)add(ctx, "other", "y");
    assert_string_equal(names(ctx, "x", "", 10), "tall ");
    assert_string_equal(names(ctx, "x\xF0\xAF\xA8\x9D", "", 10), "tall ");
    ua_db_release(ctx);
}

/* INV-7 */
static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const ua_member_t *next = NULL;
    apr_array_header_t *list = NULL;

    site_break(t, "account");
    assert_failure(ctx, ua_member_list(&list, &next, ctx, "", NULL, 10), "member_by_username");
    assert_failure(ctx, ua_member_list(&list, &next, ctx, "a", NULL, 10), "member_by_username");
    assert_null(list);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(tells_each),         site_test(only_who_is_to_be_seen),
        site_test(in_pages),           site_test(in_pages_of_both_names),
        site_test(searched),           site_test(no_wildcards),
        site_test(to_the_last_letter), site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
