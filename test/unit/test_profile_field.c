/* test_profile_field.c: the rows of the operator's own fields. */
#include "domain_site.h"

#include "domain/profile_field.h"

static void expect_list(ua_ctx_t *ctx, const char *id, const char *expected)
{
    apr_array_header_t *rows = NULL;
    const char *all = "";

    assert_int_equal(ua_profile_field_list(&rows, ctx, id), APR_SUCCESS);
    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);

        all = apr_pstrcat(ctx->pool, all, row[0], "=", row[1], ";", NULL);
    }
    assert_string_equal(all, expected);
}

static void sets_and_lists(void **state)
{
    ua_ctx_t *ctx = ua_test_context(*state);
    const char *alice = site_member(ctx, "alice");
    const char *bob = site_member(ctx, "bob");

    expect_list(ctx, alice, "");
    assert_int_equal(ua_profile_field_set(ctx, alice, "town", "Ulm"), APR_SUCCESS);
    assert_int_equal(ua_profile_field_set(ctx, alice, "phone", "'; DROP TABLE account; --"),
                     APR_SUCCESS);
    assert_int_equal(ua_profile_field_set(ctx, bob, "town", "K\xc3\xb6ln"), APR_SUCCESS);
    expect_list(ctx, alice, "phone='; DROP TABLE account; --;town=Ulm;");
    assert_int_equal(ua_profile_field_set(ctx, alice, "town", "Bonn"), APR_SUCCESS);
    assert_int_equal(ua_profile_field_set(ctx, alice, "phone", ""), APR_SUCCESS);
    assert_int_equal(ua_profile_field_set(ctx, alice, "absent", ""), APR_SUCCESS);
    expect_list(ctx, alice, "town=Bonn;");
    expect_list(ctx, bob, "town=K\xc3\xb6ln;");
    ua_db_release(ctx);
}

static void clears_one_account(void **state)
{
    ua_ctx_t *ctx = ua_test_context(*state);
    const char *alice = site_member(ctx, "alice");
    const char *bob = site_member(ctx, "bob");

    assert_int_equal(ua_profile_field_set(ctx, alice, "a", "1"), APR_SUCCESS);
    assert_int_equal(ua_profile_field_set(ctx, alice, "b", "2"), APR_SUCCESS);
    assert_int_equal(ua_profile_field_set(ctx, bob, "a", "3"), APR_SUCCESS);
    assert_int_equal(ua_profile_field_clear(ctx, alice), APR_SUCCESS);
    expect_list(ctx, alice, "");
    expect_list(ctx, bob, "a=3;");
    ua_db_release(ctx);
}

/* PRIV-05: nothing stays of an account that is erased. */
static void goes_with_its_account(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *alice = site_member(ctx, "alice");

    assert_int_equal(ua_profile_field_set(ctx, alice, "a", "1"), APR_SUCCESS);
    assert_int_equal(ua_account_close(ctx, alice), APR_SUCCESS);
    assert_int_equal(ua_account_erase(ctx, alice), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM profile_field"), 0);
    ua_db_release(ctx);
}

static void fails_with_its_table(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *rows = NULL;

    site_break(t, "profile_field");
    assert_failure(ctx, ua_profile_field_list(&rows, ctx, "a"), "profile_field_list");
    assert_failure(ctx, ua_profile_field_set(ctx, "a", "n", "v"), "profile_field_delete");
    assert_failure(ctx, ua_profile_field_clear(ctx, "a"), "profile_field_clear");
    assert_null(rows);
    ua_db_release(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        site_test(sets_and_lists),
        site_test(clears_one_account),
        site_test(goes_with_its_account),
        site_test(fails_with_its_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
