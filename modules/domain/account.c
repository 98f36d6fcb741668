/* account.c: see account.h. */
#include "account.h"
#include "base/generation.h"
#include "base/text.h"
#include "base/unicode.h"

#include <string.h>

static ua_account_t *account_of(ua_ctx_t *ctx, ua_row_t row)
{
    ua_account_t *a = apr_pcalloc(ctx->pool, sizeof *a);

    a->id = row[0];
    a->username = row[1];
    a->email = row[2];
    a->display_name = row[3];
    a->enabled = ua_row_number(row, 4) == 1;
    a->password_hash = row[5];
    a->password_set = ua_row_number(row, 6);
    a->failures = ua_row_number(row, 7);
    a->device_failures = ua_row_number(row, 8);
    a->corrections = ua_row_number(row, 9);
    a->address = row[10];
    a->created = ua_row_number(row, 11);
    a->verified = ua_row_number(row, 12);
    a->last_sign_in = ua_row_number(row, 13);
    a->previous_sign_in = ua_row_number(row, 14);
    a->hidden = ua_row_number(row, 15) == 1;
    a->show_email = ua_row_number(row, 16) == 1;
    a->password_off = ua_row_number(row, 17) == 1;
    a->closed = ua_row_number(row, 18);
    a->groups = row[19];
    return a;
}

static apr_status_t read_one(ua_account_t **out, ua_ctx_t *ctx, const ua_query_t *query,
                             const char *value)
{
    ua_row_t row = NULL;

    UA_CHECK(ua_db_one(&row, ctx, query, UA_ARGS(ua_s(value))));
    *out = account_of(ctx, row);
    return APR_SUCCESS;
}

/* One row has to change; none is APR_NOTFOUND. */
static apr_status_t change_one(ua_ctx_t *ctx, const ua_query_t *query, const ua_arg_t *args)
{
    int rows = 0;

    UA_CHECK(ua_db_exec(ctx, &rows, query, args));
    return rows == 1 ? APR_SUCCESS : APR_NOTFOUND;
}

/* The same for what the account's sessions show, or what they may. */
static apr_status_t change_known(ua_ctx_t *ctx, const char *id, const ua_query_t *query,
                                 const ua_arg_t *args)
{
    ua_generation_change(ctx, id);
    return change_one(ctx, query, args);
}

apr_status_t ua_account_hold(ua_ctx_t *ctx, const char *id)
{
    return ua_db_alone(ctx) ? APR_SUCCESS
                            : ua_db_exec(ctx, NULL, UA_Q(account_hold), UA_ARGS(ua_s(id)));
}

apr_status_t ua_account_by_id(ua_account_t **out, ua_ctx_t *ctx, const char *id)
{
    return read_one(out, ctx, UA_Q(account_by_id), id);
}

/* Reads one row for every address, its own or a neighbour's, so that an unknown one takes as long as a known one
 * (ENUM-05: without it 20 µs tell them apart). */
apr_status_t ua_account_by_email(ua_account_t **out, ua_ctx_t *ctx, const char *email_key)
{
    ua_row_t row = NULL;
    ua_account_t *account = NULL;

    UA_CHECK(ua_db_one(&row, ctx, UA_Q(account_by_email), UA_ARGS(ua_s(email_key))));
    account = account_of(ctx, row + 1);
    if (strcmp(row[0], email_key) != 0) {
        return APR_NOTFOUND;
    }
    *out = account;
    return APR_SUCCESS;
}

apr_status_t ua_account_by_username(ua_account_t **out, ua_ctx_t *ctx, const char *username_key)
{
    /* Nobody has such a name, and PostgreSQL ends a statement that holds it with an error. */
    if (!ua_utf8_valid(username_key, strlen(username_key))) {
        return APR_NOTFOUND;
    }
    return read_one(out, ctx, UA_Q(account_by_username), username_key);
}

apr_status_t ua_account_insert(ua_ctx_t *ctx, const ua_account_t *account,
                               const char *email_key)
{
    const char *display_key = NULL;

    UA_CHECK(ua_utf8_fold(&display_key, ctx->pool,
                          account->display_name ? account->display_name : ""));
    return ua_db_exec(ctx, NULL, UA_Q(account_insert),
                      UA_ARGS(ua_s(account->id), ua_s(account->username),
                              ua_s(ua_lower(ctx->pool, account->username)),
                              ua_s(account->email), ua_s(email_key),
                              ua_s(account->display_name), ua_s(display_key),
                              ua_s(account->password_hash), ua_n(account->created),
                              ua_s(account->address), ua_n(account->created)));
}

apr_status_t ua_account_verify(ua_ctx_t *ctx, const char *id, const char *email)
{
    return change_one(ctx, UA_Q(account_verify),
                      UA_ARGS(ua_n(ctx->now), ua_s(id), ua_s(email)));
}

apr_status_t ua_account_correct(ua_ctx_t *ctx, const char *id, const char *email,
                                const char *email_key)
{
    return change_one(ctx, UA_Q(account_correct),
                      UA_ARGS(ua_s(email), ua_s(email_key), ua_s(id), ua_n(UA_CORRECTIONS)));
}

apr_status_t ua_account_failed(ua_ctx_t *ctx, const char *id, int known_device)
{
    ua_generation_change(ctx, id); /* a password that is remembered is tried again */
    return ua_db_exec(ctx, NULL,
                      known_device ? UA_Q(account_device_failure) : UA_Q(account_failure),
                      UA_ARGS(ua_s(id)));
}

apr_status_t ua_account_signed_in(ua_ctx_t *ctx, const ua_account_t *account)
{
    return change_known(
        ctx, account->id, UA_Q(account_signed_in),
        UA_ARGS(ua_n(ctx->now), ua_s(account->id), ua_n(account->password_set)));
}

apr_status_t ua_account_rehash(ua_ctx_t *ctx, const ua_account_t *account, const char *hash)
{
    return ua_db_exec(ctx, NULL, UA_Q(account_rehash),
                      UA_ARGS(ua_s(hash), ua_s(account->id), ua_s(account->password_hash)));
}

apr_status_t ua_account_set_password(ua_ctx_t *ctx, const ua_account_t *account,
                                     const char *hash)
{
    return change_known(
        ctx, account->id, UA_Q(account_set_password),
        UA_ARGS(ua_s(hash), ua_n(ctx->now), ua_s(account->id), ua_n(account->password_set)));
}

apr_status_t ua_account_password_off(ua_ctx_t *ctx, const char *id)
{
    ua_generation_change(ctx, id);
    return ua_db_exec(ctx, NULL, UA_Q(account_password_off), UA_ARGS(ua_s(id)));
}

apr_status_t ua_account_clear_failures(ua_ctx_t *ctx, const char *id)
{
    return ua_db_exec(ctx, NULL, UA_Q(account_clear_failures), UA_ARGS(ua_s(id)));
}

apr_status_t ua_account_set_profile(ua_ctx_t *ctx, const ua_account_t *account)
{
    const char *display_key = NULL;

    UA_CHECK(ua_utf8_fold(&display_key, ctx->pool,
                          account->display_name ? account->display_name : ""));
    return change_known(
        ctx, account->id, UA_Q(account_set_profile),
        UA_ARGS(ua_s(account->username), ua_s(ua_lower(ctx->pool, account->username)),
                ua_s(account->display_name), ua_s(display_key), ua_n(account->hidden),
                ua_n(account->show_email), ua_s(account->id)));
}

apr_status_t ua_account_set_email(ua_ctx_t *ctx, const ua_account_t *account, const char *email,
                                  const char *email_key)
{
    return change_known(
        ctx, account->id, UA_Q(account_set_email),
        UA_ARGS(ua_s(email), ua_s(email_key), ua_s(account->id), ua_s(account->email)));
}

apr_status_t ua_account_strip(ua_ctx_t *ctx, const char *id)
{
    ua_generation_change(ctx, id);
    return ua_db_exec(ctx, NULL, UA_Q(account_strip), UA_ARGS(ua_s(id)));
}

apr_status_t ua_account_close(ua_ctx_t *ctx, const char *id)
{
    return change_known(ctx, id, UA_Q(account_close), UA_ARGS(ua_n(ctx->now), ua_s(id)));
}

apr_status_t ua_account_restore(ua_ctx_t *ctx, const char *id)
{
    return change_one(ctx, UA_Q(account_restore), UA_ARGS(ua_s(id)));
}

apr_status_t ua_account_closed_before(apr_array_header_t **rows, ua_ctx_t *ctx, apr_time_t then,
                                      int most)
{
    return ua_db_all(rows, ctx, UA_Q(account_closed_before),
                     UA_ARGS(ua_n(then), ua_s(UA_PURPOSE_UNDO), ua_n(ctx->now), ua_n(most)));
}

apr_status_t ua_account_erase(ua_ctx_t *ctx, const char *id)
{
    return change_known(ctx, id, UA_Q(account_erase), UA_ARGS(ua_s(id)));
}

apr_status_t ua_account_remove(ua_ctx_t *ctx, const char *id, const char *email)
{
    return change_one(ctx, UA_Q(account_remove_unverified), UA_ARGS(ua_s(id), ua_s(email)));
}

apr_status_t ua_account_count(apr_int64_t *out, ua_ctx_t *ctx)
{
    ua_row_t row = NULL;

    UA_CHECK(ua_db_one(&row, ctx, UA_Q(account_count), NULL));
    *out = ua_row_number(row, 0);
    return APR_SUCCESS;
}

apr_status_t ua_account_unverified_before(apr_array_header_t **rows, ua_ctx_t *ctx,
                                          apr_time_t then, int most)
{
    return ua_db_all(rows, ctx, UA_Q(account_unverified_before),
                     UA_ARGS(ua_n(then), ua_n(most)));
}

apr_status_t ua_account_sweep(ua_ctx_t *ctx, const char *id)
{
    return change_one(ctx, UA_Q(account_sweep), UA_ARGS(ua_s(id)));
}
