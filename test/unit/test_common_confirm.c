/* test_common_confirm.c: what confirming an address does to the account's rows, by whichever way. */
#include "domain_site.h"
#include "domain/event.h"
#include "domain/username.h"

static ua_req_t *request(ua_ctx_t *ctx)
{
    ua_req_t *req = apr_pcalloc(ctx->pool, sizeof *req);

    req->ctx = ctx;
    return req;
}

static const char *link_to(ua_ctx_t *ctx, const char *id, const char *purpose)
{
    ua_token_t token = {.account_id = id, .purpose = purpose, .email = "mike@example.org"};
    const char *token_id = NULL;

    assert_int_equal(ua_token_issue(&token_id, ctx, &token, SECONDS(60)), APR_SUCCESS);
    return token_id;
}

static apr_int64_t state_of(ua_test_t *t, const char *token_id)
{
    return ua_test_count(t, "SELECT state FROM token WHERE id = '%s'", token_id);
}

/* INV-2 is the caller's; here: everything at once, one event, one mail. */
static void enables_the_account(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *id = site_account(ctx, "mike");
    const char *verify = link_to(ctx, id, UA_PURPOSE_VERIFY);
    const char *disown = link_to(ctx, id, UA_PURPOSE_DISOWN);
    const char *reset = link_to(ctx, id, UA_PURPOSE_RESET);
    const char *holder = NULL;
    ua_account_t *account = NULL;

    assert_int_equal(ua_account_by_id(&account, ctx, id), APR_SUCCESS);
    assert_int_equal(ua_account_confirm(request(ctx), account, "mike@example.org"),
                     APR_SUCCESS);
    assert_string_equal(ua_test_scalar(t, "SELECT enabled || '|' || verified FROM account"),
                        apr_psprintf(t->pool, "1|%" APR_INT64_T_FMT, (apr_int64_t)t->now));
    assert_int_equal(state_of(t, verify), UA_ENDED_SIBLING);
    assert_int_equal(state_of(t, disown), UA_ENDED_CHANGE);
    assert_int_equal(state_of(t, reset), UA_ENDED_OPEN);
    assert_int_equal(ua_username_holder(&holder, ctx, "mike"), APR_SUCCESS);
    assert_string_equal(holder, id);
    assert_string_equal(ua_test_scalar(t, "SELECT group_concat(kind) FROM event"), "verified");
    assert_string_equal(
        ua_test_scalar(t, "SELECT kind || ' ' || email || ' ' || state FROM outbox"),
        "welcome mike@example.org 0");
}

/* The address was corrected meanwhile, or another request was first: nothing happens twice. */
static void happens_once_and_for_its_address(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t *account = NULL;

    assert_int_equal(ua_account_by_id(&account, ctx, site_account(ctx, "mike")), APR_SUCCESS);
    assert_int_equal(ua_account_confirm(request(ctx), account, "other@example.org"),
                     APR_NOTFOUND);
    assert_int_equal(ua_account_confirm(request(ctx), account, ""), APR_NOTFOUND);
    assert_int_equal(ua_test_count(t, "SELECT enabled FROM account"), 0);
    assert_int_equal(ua_account_confirm(request(ctx), account, account->email), APR_SUCCESS);
    assert_int_equal(ua_account_confirm(request(ctx), account, account->email), APR_NOTFOUND);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox"), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event"), 1);
}

static void fails_as_a_whole(void **state)
{
    static const struct {
        const char *table, *label;
    } rows[] = {{"outbox", "outbox_insert"},
                {"event", "event_insert"},
                {"token", "token_end_purpose"},
                {"held_name", "held_name"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        ua_test_t *t = ua_test_open(NULL);
        ua_ctx_t *ctx = ua_test_context(t);
        ua_account_t *account = NULL;

        assert_int_equal(ua_account_by_id(&account, ctx, site_account(ctx, "mike")),
                         APR_SUCCESS);
        site_break(t, rows[i].table);
        assert_failure(ctx, ua_account_confirm(request(ctx), account, account->email),
                       rows[i].label);
        ua_db_release(ctx);
        ua_test_close(t);
    }
    (void)state;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(enables_the_account),
        site_test(happens_once_and_for_its_address),
        cmocka_unit_test(fails_as_a_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
