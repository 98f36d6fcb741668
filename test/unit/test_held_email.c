/* test_held_email.c: addresses that an account left are kept for it for a while. */
#include "domain_site.h"

#include "domain/held_email.h"

#define KEY "alice@example.org"

static void expect_holder(ua_test_t *t, const char *key, const char *id)
{
    ua_ctx_t *ctx = ua_test_context(t);
    const char *holder = "untouched";
    apr_status_t rv = ua_held_email_holder(&holder, ctx, key);

    assert_int_equal(rv, *id ? APR_SUCCESS : APR_NOTFOUND);
    assert_string_equal(holder, *id ? id : "untouched");
    ua_db_release(ctx);
}

static void keeps_an_address_until_its_time(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    expect_holder(t, KEY, "");
    assert_int_equal(ua_held_email_hold(ctx, KEY, "a", ctx->now + SECONDS(7)), APR_SUCCESS);
    expect_holder(t, KEY, "a");
    expect_holder(t, "alice2@example.org", "");
    ua_test_clock(t, 7);
    expect_holder(t, KEY, "");
    ua_test_clock(t, -1);
    expect_holder(t, KEY, "a");
    ua_db_release(ctx);
}

/* PRIV-05: the table holds a keyed digest. */
static void holds_no_address(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    assert_int_equal(ua_held_email_hold(ctx, KEY, "a", ctx->now + 1), APR_SUCCESS);
    assert_int_equal(
        ua_test_count(t,
                      "SELECT COUNT(*) FROM held_email WHERE digest LIKE '%%alice%%' OR "
                      "digest LIKE '%%example%%' OR length(digest) <> %d",
                      UA_DIGEST_TEXT),
        0);
    ua_db_release(ctx);
}

static void keeps_it_for_the_last(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    assert_int_equal(ua_held_email_hold(ctx, KEY, "a", ctx->now + SECONDS(9)), APR_SUCCESS);
    assert_int_equal(ua_held_email_hold(ctx, KEY, "b", ctx->now + SECONDS(5)), APR_SUCCESS);
    expect_holder(t, KEY, "b");
    ua_test_clock(t, 5);
    expect_holder(t, KEY, "");
    ua_db_release(ctx);
}

static void lets_go(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    assert_int_equal(ua_held_email_release(ctx, KEY), APR_SUCCESS); /* harmless */
    assert_int_equal(ua_held_email_hold(ctx, KEY, "a", ctx->now + SECONDS(9)), APR_SUCCESS);
    assert_int_equal(ua_held_email_hold(ctx, "other", "a", ctx->now + SECONDS(9)), APR_SUCCESS);
    assert_int_equal(ua_held_email_release(ctx, KEY), APR_SUCCESS);
    expect_holder(t, KEY, "");
    expect_holder(t, "other", "a");
    ua_db_release(ctx);
}

static void sweeps_what_is_over(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    assert_int_equal(ua_held_email_hold(ctx, "over", "a", ctx->now - 1), APR_SUCCESS);
    assert_int_equal(ua_held_email_hold(ctx, "on", "a", ctx->now + 1), APR_SUCCESS);
    assert_int_equal(ua_held_email_sweep(&(int){0}, ctx, ctx->now), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM held_email"), 1);
    expect_holder(t, "on", "a");
    ua_db_release(ctx);
}

/* INV-7: an address is not free because the table cannot be read. */
static void fails_with_its_table(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *holder = NULL;

    site_break(t, "held_email");
    assert_failure(ctx, ua_held_email_holder(&holder, ctx, KEY), "held_email_get");
    assert_failure(ctx, ua_held_email_hold(ctx, KEY, "a", 1), "held_email_delete");
    assert_failure(ctx, ua_held_email_release(ctx, KEY), "held_email_delete");
    assert_failure(ctx, ua_held_email_sweep(&(int){0}, ctx, ctx->now), "held_email_old");
    assert_null(holder);
    ua_db_release(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        site_test(keeps_an_address_until_its_time),
        site_test(holds_no_address),
        site_test(keeps_it_for_the_last),
        site_test(lets_go),
        site_test(sweeps_what_is_over),
        site_test(fails_with_its_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
