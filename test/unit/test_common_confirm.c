/* test_common_confirm.c: what confirming an address does to the account's rows, by whichever way. */
#include "domain_site.h"
#include "domain/event.h"
#include "domain/outbox.h"
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

static void queue_mail(ua_ctx_t *ctx, const char *id, ua_mail_kind_e kind, const char *email)
{
    ua_outbox_t mail = {.account_id = id,
                        .kind = kind,
                        .email = email,
                        .username = "mike",
                        .token_id = "",
                        .disown_id = "",
                        .detail = "",
                        .expires = ctx->now + SECONDS(60)};

    assert_int_equal(ua_outbox_add(ctx, &mail), APR_SUCCESS);
}

/* ENUM-04: what was at the address before a correction is none of the account's. Without one everything stays. */
static void leaves_other_addresses(void **state)
{
    (void)state;
    for (int corrected = 0; corrected < 2; corrected++) {
        ua_test_t *t = ua_test_open(NULL);
        ua_ctx_t *ctx = ua_test_context(t);
        const char *id = site_account(ctx, "mike");
        ua_account_t *account = NULL;

        (void)link_to(ctx, id, UA_PURPOSE_VERIFY);
        ua_test_sql(t, "UPDATE token SET email = 'eve@example.org'");
        (void)link_to(ctx, id, UA_PURPOSE_VERIFY);
        queue_mail(ctx, id, UA_MAIL_VERIFY, "mike@example.org");
        queue_mail(ctx, id, UA_MAIL_RESET, "eve@example.org");
        assert_int_equal(ua_event_add(ctx, "registered", id, ""), APR_SUCCESS);
        assert_int_equal(ua_event_add(ctx, "reset_requested", id, ""), APR_SUCCESS);
        assert_int_equal(ua_event_add(ctx, "address_corrected", id, ""), APR_SUCCESS);
        ua_test_sql(t, "UPDATE account SET corrections = %d", corrected);
        assert_int_equal(ua_account_by_id(&account, ctx, id), APR_SUCCESS);
        assert_int_equal(ua_account_confirm(request(ctx), account, account->email),
                         APR_SUCCESS);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token"), 2 - corrected);
        assert_int_equal(
            ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE account_id = '%s'", id),
            3 - corrected); /* with the welcome */
        assert_int_equal(
            ua_test_count(t, "SELECT COUNT(*) FROM event WHERE account_id = '%s'", id),
            4 - corrected); /* with this one */
        ua_test_close(t);
    }
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
        int corrections;
    } rows[] = {{"outbox", "outbox_insert", 0},    {"event", "event_insert", 0},
                {"token", "token_end_purpose", 0}, {"held_name", "held_name", 0},
                {"outbox", "outbox_detach", 1},    {"event", "event_detach", 1},
                {"token", "token_erase_others", 1}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        ua_test_t *t = ua_test_open(NULL);
        ua_ctx_t *ctx = ua_test_context(t);
        ua_account_t *account = NULL;

        assert_int_equal(ua_account_by_id(&account, ctx, site_account(ctx, "mike")),
                         APR_SUCCESS);
        account->corrections = rows[i].corrections;
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
        cmocka_unit_test(leaves_other_addresses),
        site_test(happens_once_and_for_its_address),
        cmocka_unit_test(fails_as_a_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
