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

apr_status_t ua_token_forget(ua_ctx_t *ctx, const char *account_id, const char *kept)
{
    return ua_db_exec(ctx, NULL, UA_Q(token_forget), UA_ARGS(ua_s(account_id), ua_s(kept)));
}

apr_status_t ua_token_sweep(ua_ctx_t *ctx, apr_time_t then)
{
    return ua_db_exec(ctx, NULL, UA_Q(token_sweep), UA_ARGS(ua_n(then)));
}
