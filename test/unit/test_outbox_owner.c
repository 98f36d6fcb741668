/* test_outbox_owner.c: the mails of one account: for its owner's export, when it ends, and how the mail of
 * one moment fares. */
#include "domain_site.h"
#include "domain/outbox.h"

static void queue(ua_ctx_t *ctx, const char *account_id, ua_mail_kind_e kind)
{
    ua_outbox_t mail = {.account_id = account_id,
                        .kind = kind,
                        .email = "mike@example.org",
                        .username = "mike",
                        .token_id = "",
                        .disown_id = "",
                        .detail = "{\"address\":\"192.0.2.7\"}",
                        .expires = ctx->now + SECONDS(3600)};

    assert_int_equal(ua_outbox_add(ctx, &mail), APR_SUCCESS);
}

static void send_all(ua_ctx_t *ctx)
{
    apr_array_header_t *rows = NULL;

    assert_int_equal(ua_outbox_due(&rows, ctx, 100, 0), APR_SUCCESS);
    for (int i = 0; i < rows->nelts; i++) {
        ua_outbox_t *mail = NULL;

        assert_int_equal(ua_outbox_claim(&mail, ctx, APR_ARRAY_IDX(rows, i, ua_row_t)[0]),
                         APR_SUCCESS);
        assert_string_equal(mail->detail, "{\"address\":\"192.0.2.7\"}");
        assert_int_equal(ua_outbox_sent(ctx, mail), APR_SUCCESS);
    }
}

static void listed(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *list = NULL;
    const ua_outbox_entry_t *entries = NULL;

    queue(ctx, "acc", UA_MAIL_VERIFY);
    queue(ctx, "other", UA_MAIL_VERIFY);
    ctx->now += SECONDS(5);
    send_all(ctx);
    ctx->now += SECONDS(5);
    queue(ctx, "acc", UA_MAIL_WELCOME);
    assert_int_equal(ua_outbox_list(&list, ctx, "acc"), APR_SUCCESS);
    assert_int_equal(list->nelts, 2);
    entries = (const ua_outbox_entry_t *)(void *)list->elts;
    assert_string_equal(entries[0].kind, "welcome"); /* newest first */
    assert_int_equal(entries[0].sent, 0);
    assert_string_equal(entries[1].kind, "verify");
    assert_string_equal(entries[1].email, "mike@example.org");
    assert_int_equal(entries[1].created, t->now);
    assert_int_equal(entries[1].sent, t->now + SECONDS(5));
    assert_int_equal(ua_outbox_list(&list, ctx, "nobody"), APR_SUCCESS);
    assert_int_equal(list->nelts, 0);
}

static void ended_with_their_account(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    queue(ctx, "acc", UA_MAIL_VERIFY);
    send_all(ctx);
    queue(ctx, "acc", UA_MAIL_RESET);
    queue(ctx, "acc", UA_MAIL_LOCKED);
    queue(ctx, "other", UA_MAIL_RESET);
    assert_int_equal(ua_outbox_drop_account(ctx, "acc"), APR_SUCCESS);
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(kind || state) FROM (SELECT kind, state FROM "
                          "outbox WHERE account_id = 'acc' ORDER BY kind)"),
        "locked2,reset2,verify1");
    assert_int_equal(ua_test_count(t, "SELECT state FROM outbox WHERE account_id = 'other'"),
                     0);
    assert_int_equal(ua_outbox_forget(ctx, "acc"), APR_SUCCESS);
    assert_int_equal(ua_test_count(t,
                                   "SELECT COUNT(*) FROM outbox WHERE account_id = 'acc' AND "
                                   "(email || username || detail) <> ''"),
                     0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE detail <> ''"), 1);
}

/* What went to another address is nobody's, and is sent all the same. */
static void detached(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    queue(ctx, "acc", UA_MAIL_VERIFY);
    queue(ctx, "acc", UA_MAIL_TAKEN);
    queue(ctx, "other", UA_MAIL_TAKEN);
    ua_test_sql(t, "UPDATE outbox SET email = 'eve@example.org' WHERE kind = 'taken'");
    assert_int_equal(ua_outbox_detach(ctx, "acc", "mike@example.org"), APR_SUCCESS);
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(line) FROM (SELECT kind || account_id || "
                          "username || state AS line FROM outbox ORDER BY line)"),
        "taken0,takenothermike0,verifyaccmike0");
}

/* The last of the three kinds, of this account. */
static void what_is_to_be_confirmed(void **state)
{
    static const ua_mail_kind_e kinds[] = {UA_MAIL_VERIFY, UA_MAIL_TAKEN, UA_MAIL_NOBODY};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_sending_e found = UA_SENDING_SENT;

    assert_int_equal(ua_outbox_confirming(&found, ctx, "acc", "mike@example.org"), APR_SUCCESS);
    assert_int_equal(found, UA_SENDING_UNKNOWN);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        ctx->now++;
        queue(ctx, "acc", kinds[i]);
        ctx->now++;
        queue(ctx, "acc", UA_MAIL_CONFIRMED);
        queue(ctx, "other", UA_MAIL_VERIFY);
        ua_test_sql(t, "UPDATE outbox SET attempts = 1 WHERE account_id = 'other'");
        assert_int_equal(ua_outbox_confirming(&found, ctx, "acc", "mike@example.org"),
                         APR_SUCCESS);
        assert_int_equal(found, UA_SENDING_QUEUED);
        send_all(ctx);
        assert_int_equal(ua_outbox_confirming(&found, ctx, "acc", "mike@example.org"),
                         APR_SUCCESS);
        assert_int_equal(found, UA_SENDING_SENT);
    }
}

/* Every kind has a name of its own, which a row keeps. */
static void kinds(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    for (int i = 0; i < UA_MAILS; i++) {
        queue(ctx, "acc", (ua_mail_kind_e)i);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = '%s'",
                                       ua_mail_kinds[i].name),
                         1);
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = 0"), UA_MAILS);
}

static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *list = NULL;
    ua_sending_e found = UA_SENDING_SENT;

    site_break(t, "outbox");
    assert_failure(ctx, ua_outbox_list(&list, ctx, "a"), "outbox_list");
    assert_failure(ctx, ua_outbox_drop_account(ctx, "a"), "outbox_drop_owner");
    assert_failure(ctx, ua_outbox_forget(ctx, "a"), "outbox_forget");
    assert_failure(ctx, ua_outbox_detach(ctx, "a", "b"), "outbox_detach");
    assert_failure(ctx, ua_outbox_confirming(&found, ctx, "a", "b"), "outbox_confirming");
    assert_true(!list && found == UA_SENDING_SENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(listed),   site_test(ended_with_their_account),
        site_test(detached), site_test(what_is_to_be_confirmed),
        site_test(kinds),    site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
