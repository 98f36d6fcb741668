/* test_outbox.c: mails that wait: claimed with a lease, tried again, done.
 *
 * Cases: MAIL-03, MAIL-09, MAIL-11.
 */
#include "domain_site.h"
#include "domain/outbox.h"

#define EMAIL "mike@example.org"

static const ua_outbox_t verify_mail = {.account_id = "acc",
                                        .kind = UA_MAIL_VERIFY,
                                        .email = EMAIL,
                                        .username = "mike",
                                        .token_id = "tok",
                                        .disown_id = "dis",
                                        .expires = UA_TEST_START + SECONDS(3600)};

/* Queues a mail; its row's id. */
static const char *queued(ua_test_t *t, ua_ctx_t *ctx, const ua_outbox_t *mail)
{
    assert_int_equal(ua_outbox_add(ctx, mail), APR_SUCCESS);
    return ua_test_scalar(t, "SELECT id FROM outbox ORDER BY rowid DESC");
}

static int due(ua_ctx_t *ctx)
{
    apr_array_header_t *rows = NULL;

    assert_int_equal(ua_outbox_due(&rows, ctx, 100, 0), APR_SUCCESS);
    return rows->nelts;
}

static ua_outbox_t *claimed(ua_ctx_t *ctx, const char *id)
{
    ua_outbox_t *mail = NULL;

    assert_int_equal(ua_outbox_claim(&mail, ctx, id), APR_SUCCESS);
    return mail;
}

static ua_sending_e fares(ua_ctx_t *ctx)
{
    ua_sending_e state = UA_SENDING_UNKNOWN;

    assert_int_equal(ua_outbox_state(&state, ctx, "acc", UA_MAIL_VERIFY, EMAIL), APR_SUCCESS);
    return state;
}

static void queued_and_claimed(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *id = queued(t, ctx, &verify_mail);
    ua_outbox_t *mail = NULL;

    assert_int_equal(due(ctx), 1);
    ctx->now--;
    assert_int_equal(due(ctx), 0);
    assert_int_equal(ua_outbox_claim(&mail, ctx, id), APR_NOTFOUND);
    ctx->now++;
    mail = claimed(ctx, id);
    assert_string_equal(mail->id, id);
    assert_string_equal(mail->account_id, "acc");
    assert_int_equal(mail->kind, UA_MAIL_VERIFY);
    assert_string_equal(mail->email, EMAIL);
    assert_string_equal(mail->username, "mike");
    assert_string_equal(mail->token_id, "tok");
    assert_string_equal(mail->disown_id, "dis");
    assert_int_equal(mail->attempts, 0);
    assert_int_equal(mail->created, t->now);
    assert_int_equal(mail->expires, verify_mail.expires);
    assert_true(ua_uuid_valid(mail->lease));
}

/* MAIL-09: a killed sender's row is free when its lease ends, and what it says later is void. */
static void leases(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *id = queued(t, ctx, &verify_mail);
    ua_outbox_t *first = claimed(ctx, id);
    ua_outbox_t *second = NULL;

    assert_int_equal(due(ctx), 0);
    ctx->now = t->now + UA_LEASE - 1;
    assert_int_equal(ua_outbox_claim(&second, ctx, id), APR_NOTFOUND);
    assert_int_equal(ua_outbox_renew(ctx, first), APR_SUCCESS);
    ctx->now = t->now + 2 * UA_LEASE - 2;
    assert_int_equal(due(ctx), 0);
    assert_int_equal(ua_outbox_claim(&second, ctx, id), APR_NOTFOUND);
    assert_null(second);
    ctx->now++;
    assert_int_equal(due(ctx), 1);
    second = claimed(ctx, id);
    assert_string_not_equal(first->lease, second->lease);
    assert_int_equal(ua_outbox_renew(ctx, first), APR_NOTFOUND);
    assert_int_equal(ua_outbox_sent(ctx, first), APR_NOTFOUND);
    assert_int_equal(ua_outbox_later(ctx, first, ctx->now), APR_NOTFOUND);
    assert_int_equal(ua_outbox_drop(ctx, first), APR_NOTFOUND);
    assert_int_equal(fares(ctx), UA_SENDING_QUEUED);
    assert_int_equal(ua_outbox_sent(ctx, second), APR_SUCCESS);
    assert_int_equal(ua_outbox_sent(ctx, second), APR_NOTFOUND);
    assert_int_equal(ua_outbox_renew(ctx, second), APR_NOTFOUND);
    assert_int_equal(fares(ctx), UA_SENDING_SENT);
    assert_int_equal(due(ctx), 0);
    assert_int_equal(ua_test_count(t, "SELECT sent FROM outbox"), ctx->now);
}

/* Given back at once, and no try. */
static void released(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *id = queued(t, ctx, &verify_mail);
    ua_outbox_t *first = claimed(ctx, id);

    assert_int_equal(ua_outbox_release(ctx, first), APR_SUCCESS);
    assert_int_equal(ua_outbox_release(ctx, first), APR_NOTFOUND);
    assert_int_equal(due(ctx), 1);
    assert_int_equal(claimed(ctx, id)->attempts, 0);
}

/* MAIL-03: not before its time, and counted. */
static void tried_again(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *id = queued(t, ctx, &verify_mail);

    for (int i = 1; i <= 3; i++) {
        ua_outbox_t *mail = claimed(ctx, id);

        assert_int_equal(mail->attempts, i - 1);
        assert_int_equal(ua_outbox_later(ctx, mail, ctx->now + SECONDS(10)), APR_SUCCESS);
        assert_int_equal(ua_outbox_later(ctx, mail, ctx->now), APR_NOTFOUND);
        assert_int_equal(fares(ctx), UA_SENDING_DELAYED);
        ctx->now += SECONDS(10) - 1;
        assert_int_equal(due(ctx), 0);
        assert_int_equal(ua_outbox_claim(&mail, ctx, id), APR_NOTFOUND);
        ctx->now++;
        assert_int_equal(due(ctx), 1);
    }
    assert_int_equal(ua_outbox_drop(ctx, claimed(ctx, id)), APR_SUCCESS);
    assert_int_equal(due(ctx), 0);
    (void)queued(t, ctx, &verify_mail);
    assert_int_equal(fares(ctx), UA_SENDING_QUEUED);
    t->cause = 2; /* other mails fail: this one's turn is no sooner */
    assert_int_equal(fares(ctx), UA_SENDING_DELAYED);
    t->cause = UA_CAUSE_COUNT | 2; /* some were refused, for all we know by their own fault */
    assert_int_equal(fares(ctx), UA_SENDING_QUEUED);
    t->cause = 0;
    ua_test_sql(t, "DELETE FROM outbox WHERE state = 0");
    assert_int_equal(ua_outbox_sent(ctx, &(ua_outbox_t){.id = id, .lease = ""}), APR_NOTFOUND);
}

/* MAIL-11: the oldest first, at most as many as asked for, and of this site alone. */
static void due_in_order(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *rows = NULL;
    const char *ids[4];

    for (int i = 3; i >= 0; i--) {
        ctx->now = t->now + i;
        ids[i] = queued(t, ctx, &verify_mail);
    }
    ctx->now = t->now + 3;
    assert_int_equal(ua_outbox_due(&rows, ctx, 3, 0), APR_SUCCESS);
    assert_int_equal(rows->nelts, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(APR_ARRAY_IDX(rows, i, ua_row_t)[0], ids[i]);
    }
    ua_test_sql(t, "UPDATE outbox SET site = 'http://elsewhere' WHERE id = '%s'", ids[0]);
    ua_test_sql(t, "UPDATE outbox SET attempts = 1");
    assert_int_equal(due(ctx), 3);
}

/* The ids that are due, as the letters they begin with. */
static const char *letters(ua_ctx_t *ctx, int most, int again)
{
    apr_array_header_t *rows = NULL;
    char *word = apr_pcalloc(ctx->pool, 100);

    assert_int_equal(ua_outbox_due(&rows, ctx, most, again), APR_SUCCESS);
    assert_in_range(rows->nelts, 0, most);
    for (int i = 0; i < rows->nelts; i++) {
        word[i] = APR_ARRAY_IDX(rows, i, ua_row_t)[0][0];
    }
    return word;
}

/* Mails that no server takes are the oldest that are due, and as many as you like: a new one waits for one of them at
 * most, and so do they for new ones. */
static void old_and_new_by_turns(void **state)
{
    static const struct {
        int most, again;
        const char *expected;
    } rows[] = {
        {1, 0, "n"},      {1, 1, "a"},       {2, 0, "na"},      {2, 1, "an"},
        {3, 0, "nao"},    {3, 1, "anb"},     {4, 0, "naob"},    {5, 0, "naobp"},
        {6, 0, "naobpc"}, {7, 1, "anbocpd"}, {8, 0, "naobpcd"}, {9, 1, "anbocpd"},
    };

    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    for (const char *letter = "abcdnop"; *letter; letter++) {
        ua_test_sql(t, "UPDATE outbox SET id = '%c' WHERE id = '%s'", *letter,
                    queued(t, ctx, &verify_mail));
        ua_test_sql(t, "UPDATE outbox SET attempts = 9 WHERE id < 'e'");
        ctx->now++;
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(letters(ctx, rows[i].most, rows[i].again), rows[i].expected);
    }
    ua_test_sql(t, "UPDATE outbox SET lease_until = %" APR_TIME_T_FMT " WHERE id = 'n'",
                ctx->now + 1);
    assert_string_equal(letters(ctx, 2, 0), "oa");
    ua_test_sql(t, "UPDATE outbox SET site = 'http://elsewhere' WHERE id = 'o'");
    assert_string_equal(letters(ctx, 2, 0), "pa");
    ua_test_sql(t, "UPDATE outbox SET state = 1 WHERE id = 'p'");
    assert_string_equal(letters(ctx, 2, 0), "ab"); /* none is new */
    ua_test_sql(t, "UPDATE outbox SET attempts = 0");
    assert_string_equal(letters(ctx, 2, 1), "ab"); /* all are */
}

/* For an unknown address: written and claimed alike. A later version's kind is another matter. */
static void for_nobody(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_outbox_t nobody = verify_mail;
    ua_outbox_t *mail = NULL;

    nobody.kind = UA_MAIL_NOBODY;
    mail = claimed(ctx, queued(t, ctx, &nobody));
    assert_int_equal(mail->kind, UA_MAIL_NOBODY);
    assert_int_equal(fares(ctx), UA_SENDING_UNKNOWN);
    mail = claimed(ctx, queued(t, ctx, &verify_mail));
    ua_test_sql(t, "UPDATE outbox SET kind = 'newer', lease_until = 0");
    assert_int_equal(claimed(ctx, mail->id)->kind, UA_MAIL_UNKNOWN);
}

/* Given up for one account and kind: also the one that is being sent; what was sent stays so. */
static void all_dropped(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_outbox_t other = verify_mail;
    ua_outbox_t confirmed = verify_mail;
    ua_outbox_t *sending = NULL;

    other.account_id = "other";
    confirmed.kind = UA_MAIL_CONFIRMED;
    assert_int_equal(ua_outbox_sent(ctx, claimed(ctx, queued(t, ctx, &verify_mail))),
                     APR_SUCCESS);
    sending = claimed(ctx, queued(t, ctx, &verify_mail));
    (void)queued(t, ctx, &verify_mail);
    (void)queued(t, ctx, &other);
    (void)queued(t, ctx, &confirmed);
    assert_int_equal(ua_outbox_drop_all(ctx, "acc", UA_MAIL_VERIFY), APR_SUCCESS);
    assert_int_equal(due(ctx), 2);
    assert_int_equal(ua_outbox_renew(ctx, sending), APR_NOTFOUND);
    assert_int_equal(ua_outbox_later(ctx, sending, ctx->now), APR_NOTFOUND);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = 1"), 1);
}

/* What is told of is the last mail of this account, kind and address. */
static void the_last_fares(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_outbox_t other[3] = {verify_mail, verify_mail, verify_mail};

    assert_int_equal(fares(ctx), UA_SENDING_UNKNOWN);
    assert_int_equal(ua_outbox_sent(ctx, claimed(ctx, queued(t, ctx, &verify_mail))),
                     APR_SUCCESS);
    ctx->now++;
    other[0].account_id = "other";
    other[1].kind = UA_MAIL_CONFIRMED;
    other[2].email = "Mike@example.org";
    for (size_t i = 0; i < COUNT(other); i++) {
        (void)queued(t, ctx, &other[i]);
    }
    assert_int_equal(fares(ctx), UA_SENDING_SENT);
    (void)queued(t, ctx, &verify_mail);
    assert_int_equal(fares(ctx), UA_SENDING_QUEUED);
}

static void swept(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    assert_int_equal(ua_outbox_sent(ctx, claimed(ctx, queued(t, ctx, &verify_mail))),
                     APR_SUCCESS);
    assert_int_equal(ua_outbox_drop(ctx, claimed(ctx, queued(t, ctx, &verify_mail))),
                     APR_SUCCESS);
    (void)queued(t, ctx, &verify_mail);
    assert_int_equal(ua_outbox_sweep(&(int){0}, ctx, t->now), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox"), 3);
    assert_int_equal(ua_outbox_sweep(&(int){0}, ctx, t->now + 1), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox"), 1);
    assert_int_equal(due(ctx), 1); /* what still waits stays */
    ua_test_sql(t, "UPDATE outbox SET site = 'https://former.example'");
    assert_int_equal(ua_outbox_sweep(&(int){0}, ctx, verify_mail.expires), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox"), 1);
    assert_int_equal(ua_outbox_sweep(&(int){0}, ctx, verify_mail.expires + 1), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox"), 0);
}

static int claim(ua_ctx_t *ctx, void *id)
{
    ua_outbox_t *mail = NULL;

    return ua_outbox_claim(&mail, ctx, id) == APR_SUCCESS;
}

/* Of all children that see a mail due at the same moment, exactly one sends it. */
static void one_winner(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    for (int round = 0; round < 20; round++) {
        char *id = apr_pstrdup(t->pool, queued(t, ctx, &verify_mail));

        assert_int_equal(site_race(t, claim, id), 1);
    }
}

static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_outbox_t mail = {.id = "a", .lease = "b"};
    ua_outbox_t *read = NULL;
    apr_array_header_t *rows = NULL;
    ua_sending_e sending = UA_SENDING_SENT;
    apr_int64_t count = -1;

    site_break(t, "outbox");
    assert_failure(ctx, ua_outbox_add(ctx, &verify_mail), "outbox_insert");
    assert_failure(ctx, ua_outbox_due(&rows, ctx, 9, 0), "outbox_due");
    assert_failure(ctx, ua_outbox_claim(&read, ctx, "a"), "outbox_claim");
    assert_failure(ctx, ua_outbox_renew(ctx, &mail), "outbox_renew");
    assert_failure(ctx, ua_outbox_sent(ctx, &mail), "outbox_sent");
    assert_failure(ctx, ua_outbox_later(ctx, &mail, t->now), "outbox_later");
    assert_failure(ctx, ua_outbox_drop(ctx, &mail), "outbox_drop");
    assert_failure(ctx, ua_outbox_drop_all(ctx, "a", UA_MAIL_VERIFY), "outbox_drop_account");
    assert_failure(ctx, ua_outbox_state(&sending, ctx, "a", UA_MAIL_VERIFY, EMAIL),
                   "outbox_latest");
    assert_failure(ctx, ua_outbox_sweep(&(int){0}, ctx, t->now), "outbox_old");
    assert_true(!rows && !read && sending == UA_SENDING_SENT && count == -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(queued_and_claimed), site_test(leases),
        site_test(released),           site_test(tried_again),
        site_test(due_in_order),       site_test(old_and_new_by_turns),
        site_test(for_nobody),         site_test(all_dropped),
        site_test(the_last_fares),     site_test(swept),
        site_test(one_winner),         site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
