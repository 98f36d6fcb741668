/* outbox.c: see outbox.h. */
#include "outbox.h"

#include <apr_atomic.h>
#include <string.h>

const ua_mail_kind_t ua_mail_kinds[UA_MAILS] = {
#define UA_MAIL(constant, name, purpose, disown) {name, purpose, disown},
#include "mails.def"
#undef UA_MAIL
    {"nobody", "", 0}, {"unknown", "", 0}};

/* The column `state`. */
enum { WAITING = 0, SENT = 1, DROPPED = 2 };

apr_status_t ua_outbox_add(ua_ctx_t *ctx, const ua_outbox_t *mail)
{
    const char *id = NULL;

    UA_CHECK(ua_draw_uuid(&id, ctx));
    return ua_db_exec(ctx, NULL, UA_Q(outbox_insert),
                      UA_ARGS(ua_s(id), ua_s(ctx->conf->site), ua_s(mail->account_id),
                              ua_s(ua_mail_kinds[mail->kind].name), ua_s(mail->email),
                              ua_s(mail->username), ua_s(mail->token_id), ua_s(mail->disown_id),
                              ua_s(mail->detail), ua_n(WAITING), ua_n(ctx->now), ua_n(ctx->now),
                              ua_n(mail->expires)));
}

static int is_untried(ua_row_t row)
{
    return ua_row_number(row, 1) == 0;
}

int ua_outbox_is_new(const ua_ctx_t *ctx, ua_row_t row)
{
    return is_untried(row) && ua_row_number(row, 2) > ctx->now;
}

/* Those of the rows that were tried before, or the others. */
static apr_array_header_t *pick(apr_pool_t *pool, const apr_array_header_t *rows, int tried)
{
    apr_array_header_t *picked = apr_array_make(pool, rows->nelts, sizeof(ua_row_t));

    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);

        if (is_untried(row) != tried) {
            APR_ARRAY_PUSH(picked, ua_row_t) = row;
        }
    }
    return picked;
}

static apr_array_header_t *by_turns(apr_pool_t *pool, const apr_array_header_t *first,
                                    const apr_array_header_t *second, int most)
{
    apr_array_header_t *rows = apr_array_make(pool, most, sizeof(ua_row_t));

    for (int i = 0; i < most && rows->nelts < most; i++) {
        if (i < first->nelts) {
            APR_ARRAY_PUSH(rows, ua_row_t) = APR_ARRAY_IDX(first, i, ua_row_t);
        }
        if (i < second->nelts && rows->nelts < most) {
            APR_ARRAY_PUSH(rows, ua_row_t) = APR_ARRAY_IDX(second, i, ua_row_t);
        }
    }
    return rows;
}

apr_status_t ua_outbox_due(apr_array_header_t **rows, ua_ctx_t *ctx, int most, int again)
{
    const ua_arg_t *args =
        UA_ARGS(ua_s(ctx->conf->site), ua_n(ctx->now), ua_n(ctx->now), ua_n(most));
    apr_array_header_t *oldest = NULL;
    apr_array_header_t *untried = NULL;
    const apr_array_header_t *tried = NULL;

    UA_CHECK(ua_db_all(&oldest, ctx, UA_Q(outbox_due), args));
    tried = pick(ctx->pool, oldest, 1);
    if (tried->nelts > 0 && oldest->nelts == most) {
        /* New ones may wait behind them. */
        UA_CHECK(ua_db_all(&untried, ctx, UA_Q(outbox_untried), args));
    }
    else {
        untried = pick(ctx->pool, oldest, 0);
    }
    *rows = by_turns(ctx->pool, again ? tried : untried, again ? untried : tried, most);
    return APR_SUCCESS;
}

apr_status_t ua_outbox_unpaid(apr_array_header_t **rows, ua_ctx_t *ctx, int most)
{
    return ua_db_all(rows, ctx, UA_Q(outbox_unpaid),
                     UA_ARGS(ua_s(ctx->conf->site), ua_n(ctx->now), ua_n(ctx->now),
                             ua_n(ctx->now), ua_n(most)));
}

/* UNKNOWN has no template: the row waits for a child of its version. */
static ua_mail_kind_e kind_of(const char *name)
{
    int i = 0;

    while (i < UA_MAIL_UNKNOWN && strcmp(ua_mail_kinds[i].name, name) != 0) {
        i++;
    }
    return (ua_mail_kind_e)i;
}

static apr_status_t read_claimed(ua_outbox_t **out, ua_ctx_t *ctx, const char *id,
                                 const char *lease)
{
    ua_row_t row = NULL;
    ua_outbox_t *mail = NULL;

    UA_CHECK(ua_db_one(&row, ctx, UA_Q(outbox_get), UA_ARGS(ua_s(id), ua_s(lease))));
    mail = apr_pcalloc(ctx->pool, sizeof *mail);
    mail->id = id;
    mail->lease = lease;
    mail->account_id = row[0];
    mail->kind = kind_of(row[1]);
    mail->email = row[2];
    mail->username = row[3];
    mail->token_id = row[4];
    mail->disown_id = row[5];
    mail->attempts = ua_row_number(row, 6);
    mail->created = ua_row_number(row, 7);
    mail->expires = ua_row_number(row, 8);
    mail->detail = row[9];
    *out = mail;
    return APR_SUCCESS;
}

/* One row has to change; none means that the claim is another's. */
static apr_status_t change(ua_ctx_t *ctx, const ua_query_t *query, const ua_arg_t *args)
{
    int rows = 0;

    UA_CHECK(ua_db_exec(ctx, &rows, query, args));
    return rows == 1 ? APR_SUCCESS : APR_NOTFOUND;
}

apr_status_t ua_outbox_claim(ua_outbox_t **out, ua_ctx_t *ctx, const char *id)
{
    const char *lease = NULL;

    UA_CHECK(ua_draw_uuid(&lease, ctx));
    UA_CHECK(change(ctx, UA_Q(outbox_claim),
                    UA_ARGS(ua_s(lease), ua_n(ctx->now + UA_LEASE), ua_s(id), ua_n(ctx->now),
                            ua_n(ctx->now))));
    return read_claimed(out, ctx, id, lease);
}

apr_status_t ua_outbox_renew(ua_ctx_t *ctx, const ua_outbox_t *mail)
{
    return change(ctx, UA_Q(outbox_renew),
                  UA_ARGS(ua_n(ctx->now + UA_LEASE), ua_s(mail->id), ua_s(mail->lease)));
}

apr_status_t ua_outbox_release(ua_ctx_t *ctx, const ua_outbox_t *mail)
{
    return change(ctx, UA_Q(outbox_release), UA_ARGS(ua_s(mail->id), ua_s(mail->lease)));
}

apr_status_t ua_outbox_sent(ua_ctx_t *ctx, const ua_outbox_t *mail)
{
    return change(ctx, UA_Q(outbox_sent),
                  UA_ARGS(ua_n(ctx->now), ua_s(mail->id), ua_s(mail->lease)));
}

apr_status_t ua_outbox_later(ua_ctx_t *ctx, const ua_outbox_t *mail, apr_time_t due)
{
    return change(ctx, UA_Q(outbox_later),
                  UA_ARGS(ua_n(due), ua_s(mail->id), ua_s(mail->lease)));
}

apr_status_t ua_outbox_drop(ua_ctx_t *ctx, const ua_outbox_t *mail)
{
    return change(ctx, UA_Q(outbox_drop), UA_ARGS(ua_s(mail->id), ua_s(mail->lease)));
}

apr_status_t ua_outbox_drop_all(ua_ctx_t *ctx, const char *account_id, ua_mail_kind_e kind)
{
    return ua_db_exec(ctx, NULL, UA_Q(outbox_drop_account),
                      UA_ARGS(ua_s(account_id), ua_s(ua_mail_kinds[kind].name)));
}

apr_status_t ua_outbox_drop_account(ua_ctx_t *ctx, const char *account_id)
{
    return ua_db_exec(ctx, NULL, UA_Q(outbox_drop_owner), UA_ARGS(ua_s(account_id)));
}

apr_status_t ua_outbox_list(apr_array_header_t **out, ua_ctx_t *ctx, const char *account_id)
{
    apr_array_header_t *rows = NULL;
    apr_array_header_t *list = NULL;

    UA_CHECK(ua_db_all(&rows, ctx, UA_Q(outbox_list), UA_ARGS(ua_s(account_id))));
    list = apr_array_make(ctx->pool, rows->nelts, sizeof(ua_outbox_entry_t));
    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);
        ua_outbox_entry_t entry = {
            row[0], row[1], row[4], row[5], ua_row_number(row, 2), ua_row_number(row, 3)};

        APR_ARRAY_PUSH(list, ua_outbox_entry_t) = entry;
    }
    *out = list;
    return APR_SUCCESS;
}

apr_status_t ua_outbox_forget(ua_ctx_t *ctx, const char *account_id)
{
    return ua_db_exec(ctx, NULL, UA_Q(outbox_forget), UA_ARGS(ua_s(account_id)));
}

apr_status_t ua_outbox_detach(ua_ctx_t *ctx, const char *account_id, const char *email)
{
    return ua_db_exec(ctx, NULL, UA_Q(outbox_detach), UA_ARGS(ua_s(account_id), ua_s(email)));
}

int ua_outbox_fails(const ua_ctx_t *ctx)
{
    apr_uint32_t cause = ctx->mail_cause ? apr_atomic_read32(ctx->mail_cause) : 0;

    return cause != 0 && !(cause & UA_CAUSE_COUNT);
}

static apr_status_t read_state(ua_sending_e *out, ua_ctx_t *ctx, const ua_query_t *query,
                               const ua_arg_t *args)
{
    ua_row_t row = NULL;
    apr_status_t rv = ua_db_one(&row, ctx, query, args);

    if (rv == APR_NOTFOUND) {
        *out = UA_SENDING_UNKNOWN;
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    if (ua_row_number(row, 0) == WAITING) {
        /* Its turn comes no sooner than that of those that failed. */
        *out = ua_row_number(row, 1) > 0 || ua_outbox_fails(ctx) ? UA_SENDING_DELAYED
                                                                 : UA_SENDING_QUEUED;
    }
    else {
        *out = ua_row_number(row, 0) == SENT ? UA_SENDING_SENT : UA_SENDING_UNKNOWN;
    }
    return APR_SUCCESS;
}

apr_status_t ua_outbox_state(ua_sending_e *out, ua_ctx_t *ctx, const char *account_id,
                             ua_mail_kind_e kind, const char *email)
{
    return read_state(out, ctx, UA_Q(outbox_latest),
                      UA_ARGS(ua_s(account_id), ua_s(ua_mail_kinds[kind].name), ua_s(email)));
}

apr_status_t ua_outbox_confirming(ua_sending_e *out, ua_ctx_t *ctx, const char *account_id,
                                  const char *email)
{
    return read_state(out, ctx, UA_Q(outbox_confirming),
                      UA_ARGS(ua_s(account_id), ua_s(email),
                              ua_s(ua_mail_kinds[UA_MAIL_VERIFY].name),
                              ua_s(ua_mail_kinds[UA_MAIL_TAKEN].name),
                              ua_s(ua_mail_kinds[UA_MAIL_NOBODY].name)));
}

/* A mail that still waits when its links are long over is of a base URL that is no site's any more. */
apr_status_t ua_outbox_sweep(int *more, ua_ctx_t *ctx, apr_time_t then)
{
    return ua_sweep(more, ctx, UA_Q(outbox_old), UA_Q(outbox_sweep),
                    UA_ARGS(ua_n(then), ua_n(then)));
}
