/* test_device.c: browsers known from before. */
#include "domain_site.h"
#include "domain/device.h"

static int known(ua_ctx_t *ctx, const char *cookie, const char *account_id)
{
    int answer = -1;

    assert_int_equal(ua_device_known(&answer, ctx, cookie, account_id), APR_SUCCESS);
    return answer;
}

/* Known to the account it was given to, and to no other. */
static void known_to_its_account(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *eve = site_member(ctx, "eve");
    const char *cookie = NULL;
    const char *second = NULL;

    assert_int_equal(ua_device_start(&cookie, ctx, mike), APR_SUCCESS);
    assert_int_equal(ua_device_start(&second, ctx, mike), APR_SUCCESS);
    assert_string_not_equal(cookie, second);
    assert_int_equal(strlen(cookie), UA_DIGEST_TEXT); /* 256 bits */
    assert_int_equal(known(ctx, cookie, mike), 1);
    assert_int_equal(known(ctx, second, mike), 1);
    assert_int_equal(known(ctx, cookie, eve), 0);
    assert_int_equal(known(ctx, cookie, ""), 0);
    assert_int_equal(known(ctx, NULL, mike), 0);
    assert_int_equal(known(ctx, "", mike), 0);
    assert_int_equal(known(ctx, apr_pstrcat(t->pool, cookie, "=", NULL), mike), 0);
    assert_int_equal(known(ctx, mike, mike), 0);
}

/* INV-6: the table holds a digest, which is no cookie. */
static void held_as_a_digest(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *cookie = NULL;
    const char *digest = NULL;

    assert_int_equal(ua_device_start(&cookie, ctx, mike), APR_SUCCESS);
    assert_null(strstr(ua_test_rows(t), cookie));
    assert_int_equal(ua_digest_text(&digest, t->pool, cookie), APR_SUCCESS);
    assert_string_equal(ua_test_scalar(t, "SELECT digest FROM device"), digest);
    assert_string_equal(ua_test_scalar(t, "SELECT site FROM device"), t->conf->site);
    assert_int_equal(known(ctx, digest, mike), 0);
}

static void forgotten(void **state)
{
    static const apr_int64_t age = (apr_int64_t)400 * 24 * 3600; /* contract 4: 400 d */
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *cookie = NULL;

    assert_int_equal(UA_DEVICE_AGE, age);
    assert_int_equal(ua_device_start(&cookie, ctx, mike), APR_SUCCESS);
    ctx->now = t->now + SECONDS(age) - 1;
    assert_int_equal(known(ctx, cookie, mike), 1);
    ctx->now++;
    assert_int_equal(known(ctx, cookie, mike), 0);
    assert_int_equal(ua_device_sweep(&(int){0}, ctx, ctx->now), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM device"), 1);
    assert_int_equal(ua_device_sweep(&(int){0}, ctx, ctx->now + 1), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM device"), 0);
}

/* One account's, all at once. */
static void forgotten_by_one_account(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *nora = site_member(ctx, "nora");
    const char *his = NULL;
    const char *hers = NULL;

    assert_int_equal(ua_device_start(&his, ctx, mike), APR_SUCCESS);
    assert_int_equal(ua_device_start(&hers, ctx, nora), APR_SUCCESS);
    assert_int_equal(ua_device_forget(ctx, mike), APR_SUCCESS);
    assert_int_equal(known(ctx, his, mike), 0);
    assert_int_equal(known(ctx, hers, nora), 1);
}

/* For its owner's own list: of each since when and until when, and nothing that makes its cookie. */
static void listed(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *cookie = NULL;
    apr_array_header_t *rows = NULL;

    assert_int_equal(ua_device_start(&cookie, ctx, site_member(ctx, "eve")), APR_SUCCESS);
    assert_int_equal(ua_device_list(&rows, ctx, mike), APR_SUCCESS);
    assert_int_equal(rows->nelts, 0);
    ctx->now += SECONDS(60);
    assert_int_equal(ua_device_start(&cookie, ctx, mike), APR_SUCCESS);
    ctx->now -= SECONDS(30);
    assert_int_equal(ua_device_start(&cookie, ctx, mike), APR_SUCCESS);
    assert_int_equal(ua_device_list(&rows, ctx, mike), APR_SUCCESS);
    assert_int_equal(rows->nelts, 2);
    for (int i = 0; i < 2; i++) { /* oldest first */
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);
        apr_time_t created = t->now + SECONDS(30) * (i + 1);

        assert_int_equal(ua_row_number(row, 0), created);
        assert_int_equal(ua_row_number(row, 1), created + SECONDS(UA_DEVICE_AGE));
    }
}

/* INV-7: a browser that cannot be looked up is neither known nor unknown. */
static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *cookie = "untouched";
    apr_array_header_t *rows = NULL;
    int answer = -1;

    assert_failure(ctx, ua_device_start(&cookie, ctx, "no such account"), "device_insert");
    site_break(t, "device");
    assert_failure(ctx, ua_device_start(&cookie, ctx, "a"), "device_insert");
    assert_failure(ctx, ua_device_known(&answer, ctx, "cookie", "a"), "device_get");
    assert_failure(ctx, ua_device_sweep(&(int){0}, ctx, t->now), "device_old");
    assert_failure(ctx, ua_device_forget(ctx, "a"), "device_forget");
    assert_failure(ctx, ua_device_list(&rows, ctx, "a"), "device_list");
    assert_null(rows);
    assert_string_equal(cookie, "untouched");
    assert_int_equal(answer, -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(known_to_its_account),     site_test(held_as_a_digest), site_test(forgotten),
        site_test(forgotten_by_one_account), site_test(listed),           site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
