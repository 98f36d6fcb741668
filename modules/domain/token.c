/* token.c: see token.h. */
#include "token.h"

#include <string.h>

apr_status_t ua_token_issue(const char **id, ua_ctx_t *ctx, const ua_token_t *token,
                            apr_interval_time_t lifetime)
{
    const char *new_id = NULL;

    UA_CHECK(ua_draw_uuid(&new_id, ctx));
    UA_CHECK(ua_db_exec(ctx, NULL, UA_Q(token_insert),
                        UA_ARGS(ua_s(new_id), ua_s(token->account_id), ua_s(ctx->conf->site),
                                ua_s(token->purpose), ua_s(token->email), ua_n(ctx->now),
                                ua_n(ctx->now + lifetime))));
    *id = new_id;
    return APR_SUCCESS;
}

apr_status_t ua_token_text(const char **out, apr_pool_t *pool, const ua_keys_t *keys,
                           const ua_token_t *token)
{
    const char *tag = NULL;

    UA_CHECK(
        ua_hmac_text(&tag, pool, keys->token,
                     UA_PARTS(token->purpose, token->id, token->account_id, token->email)));
    *out = apr_pstrcat(pool, token->id, ".", tag, NULL);
    return APR_SUCCESS;
}

apr_status_t ua_token_code(const char **out, apr_pool_t *pool, const ua_keys_t *keys,
                           const ua_token_t *token)
{
    unsigned char tag[UA_DIGEST_BYTES];
    apr_uint64_t number = 0;

    UA_CHECK(ua_hmac(tag, keys->token,
                     UA_PARTS("code", token->id, token->account_id, token->email)));
    for (int i = 0; i < 8; i++) { /* 64 bits: the remainder is even enough */
        number = number << 8 | tag[i];
    }
    *out = apr_psprintf(pool, "%08" APR_UINT64_T_FMT, number % 100000000U);
    return APR_SUCCESS;
}

static ua_token_e judge(apr_int64_t state, apr_time_t expires, apr_time_t now)
{
    if (state == UA_ENDED_USED || state == UA_ENDED_SIBLING) {
        return UA_TOKEN_USED;
    }
    if (state != UA_ENDED_OPEN) {
        return UA_TOKEN_INVALID;
    }
    return now < expires ? UA_TOKEN_GOOD : UA_TOKEN_EXPIRED;
}

/* The id in front of the dot, or NULL when the text has not the form of a token. */
static const char *id_of(apr_pool_t *pool, const char *text)
{
    const char *id = NULL;

    if (!text || strlen(text) != UA_UUID_TEXT + 1 + UA_DIGEST_TEXT ||
        text[UA_UUID_TEXT] != '.') {
        return NULL;
    }
    id = apr_pstrmemdup(pool, text, UA_UUID_TEXT);
    return ua_uuid_valid(id) ? id : NULL;
}

static apr_status_t read_row(ua_token_t *token, ua_ctx_t *ctx, const char *text)
{
    const char *expected = NULL;
    ua_token_t found = *token;
    ua_row_t row = NULL;
    apr_status_t rv =
        ua_db_one(&row, ctx, UA_Q(token_get), UA_ARGS(ua_s(token->id), ua_s(token->purpose)));

    if (rv == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    found.account_id = row[0];
    found.email = row[1];
    UA_CHECK(ua_token_text(&expected, ctx->pool, ctx->keys, &found));
    if (ua_equal_text(expected, text)) {
        found.standing = judge(ua_row_number(row, 2), ua_row_number(row, 3), ctx->now);
        found.expires = ua_row_number(row, 3);
        *token = found;
    }
    return APR_SUCCESS;
}

apr_status_t ua_token_read(ua_token_t **out, ua_ctx_t *ctx, const char *purpose,
                           const char *text)
{
    ua_token_t *token = apr_pcalloc(ctx->pool, sizeof *token);

    token->purpose = purpose;
    token->id = id_of(ctx->pool, text);
    token->account_id = token->email = "";
    token->standing = UA_TOKEN_INVALID;
    if (token->id) {
        UA_CHECK(read_row(token, ctx, text));
    }
    *out = token;
    return APR_SUCCESS;
}

apr_status_t ua_token_use(ua_ctx_t *ctx, const ua_token_t *token)
{
    int rows = 0;

    UA_CHECK(ua_db_exec(ctx, &rows, UA_Q(token_use),
                        UA_ARGS(ua_n(ctx->now), ua_s(token->id), ua_n(ctx->now))));
    return rows == 1 ? APR_SUCCESS : APR_NOTFOUND;
}

apr_status_t ua_token_end(ua_ctx_t *ctx, const char *account_id, const char *purpose,
                          ua_ended_e why)
{
    return ua_db_exec(ctx, NULL, UA_Q(token_end_purpose),
                      UA_ARGS(ua_n(why), ua_n(ctx->now), ua_s(account_id), ua_s(purpose)));
}

apr_status_t ua_token_end_all(ua_ctx_t *ctx, const char *account_id, const char *kept,
                              ua_ended_e why)
{
    return ua_db_exec(ctx, NULL, UA_Q(token_end_account),
                      UA_ARGS(ua_n(why), ua_n(ctx->now), ua_s(account_id), ua_s(kept)));
}

apr_status_t ua_token_list(apr_array_header_t **out, ua_ctx_t *ctx, const char *account_id,
                           const char *purpose)
{
    apr_array_header_t *rows = NULL;
    apr_array_header_t *tokens = NULL;

    UA_CHECK(ua_db_all(&rows, ctx, UA_Q(token_latest),
                       UA_ARGS(ua_s(account_id), ua_s(purpose), ua_n(ctx->now))));
    tokens = apr_array_make(ctx->pool, rows->nelts, sizeof(ua_token_t));
    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);
        ua_token_t token = {row[0],       account_id, purpose, row[1], ua_row_number(row, 2),
                            UA_TOKEN_GOOD};

        APR_ARRAY_PUSH(tokens, ua_token_t) = token;
    }
    *out = tokens;
    return APR_SUCCESS;
}

apr_status_t ua_token_history(apr_array_header_t **rows, ua_ctx_t *ctx, const char *account_id)
{
    return ua_db_all(rows, ctx, UA_Q(token_history), UA_ARGS(ua_s(account_id)));
}

apr_status_t ua_token_erase(ua_ctx_t *ctx, const char *account_id)
{
    return ua_db_exec(ctx, NULL, UA_Q(token_erase), UA_ARGS(ua_s(account_id)));
}

apr_status_t ua_token_erase_others(ua_ctx_t *ctx, const char *account_id, const char *email)
{
    return ua_db_exec(ctx, NULL, UA_Q(token_erase_others),
                      UA_ARGS(ua_s(account_id), ua_s(email)));
}

apr_interval_time_t ua_token_lifetime(const ua_conf_t *conf, const char *purpose)
{
    const struct {
        const char *purpose;
        apr_interval_time_t lifetime;
    } rows[] = {{UA_PURPOSE_VERIFY, conf->verify_lifetime},
                {UA_PURPOSE_EMAIL, conf->verify_lifetime},
                {UA_PURPOSE_RESET, conf->reset_lifetime},
                {UA_PURPOSE_UNDO, conf->undo_lifetime},
                {UA_PURPOSE_RESTORE, conf->restore_lifetime}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(purpose, rows[i].purpose) == 0) {
            return rows[i].lifetime;
        }
    }
    return conf->disown_lifetime;
}

apr_status_t ua_token_forget(ua_ctx_t *ctx, const char *account_id, const char *kept)
{
    return ua_db_exec(ctx, NULL, UA_Q(token_forget), UA_ARGS(ua_s(account_id), ua_s(kept)));
}

apr_status_t ua_token_sweep(int *more, ua_ctx_t *ctx, apr_time_t then)
{
    return ua_sweep(more, ctx, UA_Q(token_old), UA_Q(token_sweep), UA_ARGS(ua_n(then)));
}
