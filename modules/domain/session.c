/* session.c: see session.h. */
#include "session.h"
#include "base/unicode.h"

/* The longest part of a User-Agent that is kept, in bytes. */
#define AGENT_BYTES 255

/* Ends what is over the limit beside the new one, oldest first. */
static apr_status_t end_oldest(ua_ctx_t *ctx, const char *account_id, const char *new_id)
{
    apr_array_header_t *rows = NULL;

    UA_CHECK(
        ua_db_all(&rows, ctx, UA_Q(session_list),
                  UA_ARGS(ua_s(account_id), ua_n(ctx->now), ua_n(ctx->now), ua_s(new_id))));
    for (apr_int64_t i = ctx->conf->session_limit - 1; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);

        UA_CHECK(
            ua_db_exec(ctx, NULL, UA_Q(session_end_id), UA_ARGS(ua_n(ctx->now), ua_s(row[0]))));
    }
    return APR_SUCCESS;
}

apr_status_t ua_session_start(const char **cookie, apr_int64_t *age, ua_ctx_t *ctx,
                              const char *account_id, int remember)
{
    const ua_conf_t *conf = ctx->conf;
    apr_interval_time_t idle = remember ? conf->remember_lifetime : conf->session_idle;
    apr_interval_time_t life = remember ? conf->remember_lifetime : conf->session_lifetime;
    unsigned char secret[UA_DIGEST_BYTES];
    const char *text = NULL;
    const char *digest = NULL;
    const char *id = NULL;

    UA_CHECK(ua_draw_uuid(&id, ctx));
    UA_CHECK(ua_draw(ctx, secret, sizeof secret));
    text = ua_base64url(ctx->pool, secret, sizeof secret);
    ua_wipe(secret, sizeof secret);
    UA_CHECK(ua_digest_text(&digest, ctx->pool, text));
    UA_CHECK(ua_db_exec(
        ctx, NULL, UA_Q(session_insert),
        UA_ARGS(ua_s(id), ua_s(digest), ua_s(account_id), ua_s(conf->site), ua_n(ctx->now),
                ua_n(ctx->now), ua_n(idle), ua_n(ctx->now + life), ua_n(ctx->now), ua_s("pwd"),
                ua_s(ctx->address), ua_s(ua_utf8_cut(ctx->pool, ctx->agent, AGENT_BYTES)))));
    UA_CHECK(end_oldest(ctx, account_id, id));
    *cookie = text;
    *age = remember ? apr_time_sec(life) : 0;
    return APR_SUCCESS;
}

apr_status_t ua_session_read(ua_session_t **out, ua_ctx_t *ctx, const char *cookie)
{
    const char *digest = NULL;
    ua_row_t row = NULL;
    ua_session_t *s = NULL;

    UA_CHECK(ua_digest_text(&digest, ctx->pool, cookie));
    UA_CHECK(ua_db_one(&row, ctx, UA_Q(session_by_digest), UA_ARGS(ua_s(digest))));
    if (ctx->now >= ua_row_number(row, 2) + ua_row_number(row, 3) ||
        ctx->now >= ua_row_number(row, 4)) {
        return APR_NOTFOUND;
    }
    s = apr_pcalloc(ctx->pool, sizeof *s);
    s->id = row[0];
    s->created = ua_row_number(row, 1);
    s->last_used = ua_row_number(row, 2);
    s->idle = ua_row_number(row, 3);
    s->auth_time = ua_row_number(row, 5);
    s->account_id = row[6];
    s->username = row[7];
    s->email = row[8];
    s->display_name = row[9];
    s->last_sign_in = ua_row_number(row, 10);
    s->previous_sign_in = ua_row_number(row, 11);
    *out = s;
    return APR_SUCCESS;
}

apr_status_t ua_session_end(ua_ctx_t *ctx, const char *cookie)
{
    const char *digest = NULL;

    UA_CHECK(ua_digest_text(&digest, ctx->pool, cookie));
    return ua_db_exec(ctx, NULL, UA_Q(session_end_digest),
                      UA_ARGS(ua_n(ctx->now), ua_s(digest)));
}

apr_status_t ua_session_touch(ua_ctx_t *ctx, const char *id, apr_time_t used)
{
    return ua_db_exec(ctx, NULL, UA_Q(session_touch),
                      UA_ARGS(ua_n(used), ua_s(id), ua_n(used)));
}

apr_status_t ua_session_sweep(ua_ctx_t *ctx, apr_time_t then)
{
    return ua_db_exec(ctx, NULL, UA_Q(session_sweep), UA_ARGS(ua_n(then), ua_n(then)));
}
