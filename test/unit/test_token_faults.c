/* test_token_faults.c: links and codes while the database or OpenSSL fails.
 *
 * A link that can't be read is a failure, never an invalid or a good one. Case: INV-7.
 */
#include "failing_calls.h"
#include "domain/token.h"

static apr_status_t issue(ua_ctx_t *ctx, void *data)
{
    const ua_token_t token = {
        .account_id = data, .purpose = UA_PURPOSE_VERIFY, .email = "mike@example.org"};
    const char *id = "untouched";
    apr_status_t rv = ua_token_issue(&id, ctx, &token, SECONDS(60));

    assert_int_equal(rv == APR_SUCCESS, ua_uuid_valid(id));
    assert_true(rv == APR_SUCCESS || strcmp(id, "untouched") == 0);
    return rv;
}

static apr_status_t write_code(ua_ctx_t *ctx, void *data)
{
    const char *code = "untouched";
    apr_status_t rv = ua_token_code(&code, ctx->pool, ctx->keys, data);

    assert_int_equal(rv == APR_SUCCESS, strlen(code) == 8);
    assert_true(rv == APR_SUCCESS || strcmp(code, "untouched") == 0);
    return rv;
}

static apr_status_t read_link(ua_ctx_t *ctx, void *data)
{
    ua_token_t *found = NULL;
    apr_status_t rv = ua_token_read(&found, ctx, UA_PURPOSE_VERIFY, data);

    assert_int_equal(rv == APR_SUCCESS, found != NULL);
    assert_true(rv != APR_SUCCESS || found->standing == UA_TOKEN_GOOD);
    return rv;
}

static apr_status_t use(ua_ctx_t *ctx, void *data)
{
    return ua_token_use(ctx, data);
}

static void what_fails_is_said(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = apr_pstrdup(t->pool, site_account(ctx, "mike"));
    ua_token_t token = {
        .account_id = mike, .purpose = UA_PURPOSE_VERIFY, .email = "mike@example.org"};
    const char *link = NULL;

    assert_int_equal(ua_token_issue(&token.id, ctx, &token, SECONDS(60)), APR_SUCCESS);
    assert_int_equal(ua_token_text(&link, t->pool, ctx->keys, &token), APR_SUCCESS);
    ua_db_release(ctx);
    each_call_fails(t, issue, apr_pstrdup(t->pool, mike));
    each_call_fails(t, write_code, &token);
    each_call_fails(t, use, &token);
    each_call_fails(t, read_link, apr_pstrdup(t->pool, link));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(what_fails_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
