/* test_old_password.c: passwords that were replaced, for an undo. */
#include "domain_site.h"
#include "domain/old_password.h"

#define DAY SECONDS((apr_int64_t)24 * 3600)

/* The hashes of an account that ended after `then`, comma-separated. */
static const char *hashes(ua_ctx_t *ctx, const char *account_id, apr_time_t then)
{
    apr_array_header_t *rows = NULL;
    const char *text = "";

    assert_int_equal(ua_old_password_list(&rows, ctx, account_id, then), APR_SUCCESS);
    for (int i = 0; i < rows->nelts; i++) {
        text = apr_pstrcat(ctx->pool, text, i ? "," : "", APR_ARRAY_IDX(rows, i, ua_row_t)[0],
                           NULL);
    }
    return text;
}

static void add(ua_ctx_t *ctx, const char *account_id, const char *hash)
{
    assert_int_equal(ua_old_password_add(ctx, account_id, hash), APR_SUCCESS);
}

/* The oldest first, each account's own, and only those that ended after a time. */
static void remembered(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *eve = site_member(ctx, "eve");

    assert_string_equal(hashes(ctx, mike, 0), "");
    add(ctx, mike, "one");
    ctx->now = t->now + DAY;
    add(ctx, eve, "hers");
    add(ctx, mike, "two");
    assert_string_equal(hashes(ctx, mike, 0), "one,two");
    assert_string_equal(hashes(ctx, eve, 0), "hers");
    assert_string_equal(hashes(ctx, "", 0), "");
    assert_string_equal(hashes(ctx, mike, t->now - 1), "one,two");
    assert_string_equal(hashes(ctx, mike, t->now), "two");
    assert_string_equal(hashes(ctx, mike, t->now + DAY), "");
}

/* A thief who changes the password again and again pushes the owner's out of no list. */
static void bounded(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");

    add(ctx, mike, "owner");
    for (int i = 0; i < 20; i++) {
        ctx->now += SECONDS(1);
        add(ctx, mike, apr_psprintf(t->pool, "thief%d", i));
    }
    assert_string_equal(hashes(ctx, mike, 0),
                        "owner,thief0,thief1,thief2,thief3,thief4,thief5,thief6,thief7,thief8");
}

static void forgotten(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");

    add(ctx, mike, "one");
    assert_int_equal(ua_old_password_sweep(&(int){0}, ctx, ctx->now), APR_SUCCESS);
    assert_string_equal(hashes(ctx, mike, 0), "one");
    assert_int_equal(ua_old_password_sweep(&(int){0}, ctx, ctx->now + 1), APR_SUCCESS);
    assert_string_equal(hashes(ctx, mike, 0), "");
}

/* It goes with its account. */
static void erased(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");

    add(ctx, mike, "one");
    assert_int_equal(ua_account_close(ctx, mike), APR_SUCCESS);
    assert_int_equal(ua_account_erase(ctx, mike), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM old_password"), 0);
}

/* INV-7: a list that can't be read is not an empty one. */
static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *rows = NULL;

    assert_failure(ctx, ua_old_password_add(ctx, "no such account", "hash"),
                   "old_password_insert");
    site_break(t, "old_password");
    assert_failure(ctx, ua_old_password_add(ctx, "a", "hash"), "old_password_insert");
    assert_failure(ctx, ua_old_password_list(&rows, ctx, "a", 0), "old_password_list");
    assert_failure(ctx, ua_old_password_sweep(&(int){0}, ctx, t->now), "old_password_old");
    assert_null(rows);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(remembered), site_test(bounded),  site_test(forgotten),
        site_test(erased),     site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
