/* session.c: see session.h. */
#include "session.h"
#include "base/generation.h"
#include "base/unicode.h"

/* The longest part of a User-Agent that is kept, in bytes. */
#define AGENT_BYTES 255
/* The column of SESSION_COLUMNS that says whether the account may be used. */
#define ENABLED 15

/* Ends what is over the limit beside the new one, oldest first. */
static apr_status_t end_oldest(ua_ctx_t *ctx, const char *account_id, const char *new_id)
{
    apr_array_header_t *rows = NULL;

    UA_CHECK(ua_db_all(&rows, ctx, UA_Q(session_list),
                       UA_ARGS(ua_s(account_id), ua_n(ctx->now), ua_n(ctx->now), ua_n(ctx->now),
                               ua_s(new_id))));
    for (apr_int64_t i = ctx->conf->session_limit - 1; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);

        UA_CHECK(
            ua_db_exec(ctx, NULL, UA_Q(session_end_id), UA_ARGS(ua_n(ctx->now), ua_s(row[0]))));
        ua_generation_change(ctx, account_id);
    }
    return APR_SUCCESS;
}

/* A new secret as the cookie's text, and what the row holds of it. */
static apr_status_t draw_secret(const char **cookie, const char **digest, ua_ctx_t *ctx)
{
    unsigned char secret[UA_DIGEST_BYTES];

    UA_CHECK(ua_draw(ctx, secret, sizeof secret));
    *cookie = ua_base64url(ctx->pool, secret, sizeof secret);
    ua_wipe(secret, sizeof secret);
    return ua_digest_text(digest, ctx->pool, *cookie);
}

apr_status_t ua_session_start(const char **cookie, apr_int64_t *age, ua_ctx_t *ctx,
                              const char *account_id, int remember)
{
    const ua_conf_t *conf = ctx->conf;
    apr_interval_time_t idle = remember ? conf->remember_lifetime : conf->session_idle;
    apr_interval_time_t life = remember ? conf->remember_lifetime : conf->session_lifetime;
    const char *text = NULL;
    const char *digest = NULL;
    const char *id = NULL;

    UA_CHECK(ua_draw_uuid(&id, ctx));
    UA_CHECK(draw_secret(&text, &digest, ctx));
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

static ua_session_t *session_of(ua_ctx_t *ctx, ua_row_t row)
{
    ua_session_t *s = apr_pcalloc(ctx->pool, sizeof *s);

    s->id = row[0];
    s->created = ua_row_number(row, 1);
    s->last_used = ua_row_number(row, 2);
    s->idle = ua_row_number(row, 3);
    s->expires = ua_row_number(row, 4);
    s->auth_time = ua_row_number(row, 5);
    s->refresh_until = ua_row_number(row, 6);
    s->amr = row[7];
    s->account_id = row[8];
    s->username = row[9];
    s->email = row[10];
    s->display_name = row[11];
    s->last_sign_in = ua_row_number(row, 12);
    s->previous_sign_in = ua_row_number(row, 13);
    s->groups = row[14];
    return s;
}

/* An administrator's lock ends what it meets: nothing of before it lives again when it is lifted. */
static apr_status_t found(ua_session_t **out, ua_ctx_t *ctx, ua_row_t row)
{
    ua_session_t *s = session_of(ctx, row);

    if (ua_row_number(row, ENABLED) == 0) {
        ua_generation_change(ctx, s->account_id);
        UA_CHECK(
            ua_db_exec(ctx, NULL, UA_Q(session_end_id), UA_ARGS(ua_n(ctx->now), ua_s(s->id))));
        return APR_NOTFOUND;
    }
    *out = s;
    return APR_SUCCESS;
}

static int is_cookie_live(const ua_session_t *s, const ua_ctx_t *ctx)
{
    return ctx->now < s->last_used + s->idle && ctx->now < s->expires;
}

apr_status_t ua_session_read(ua_session_t **out, ua_ctx_t *ctx, const char *cookie)
{
    const char *digest = NULL;
    ua_row_t row = NULL;
    ua_session_t *s = NULL;

    UA_CHECK(ua_digest_text(&digest, ctx->pool, cookie));
    UA_CHECK(ua_db_one(&row, ctx, UA_Q(session_by_digest), UA_ARGS(ua_s(digest))));
    UA_CHECK(found(&s, ctx, row));
    if (!is_cookie_live(s, ctx)) {
        return APR_NOTFOUND;
    }
    *out = s;
    return APR_SUCCESS;
}

apr_status_t ua_session_by_id(ua_session_t **out, ua_ctx_t *ctx, const char *id)
{
    ua_row_t row = NULL;
    ua_session_t *s = NULL;

    UA_CHECK(ua_db_one(&row, ctx, UA_Q(session_by_id), UA_ARGS(ua_s(id))));
    UA_CHECK(found(&s, ctx, row));
    if (!is_cookie_live(s, ctx) && ctx->now >= s->refresh_until) {
        return APR_NOTFOUND;
    }
    *out = s;
    return APR_SUCCESS;
}

apr_status_t ua_session_owner(const char **account_id, ua_ctx_t *ctx, const char *cookie)
{
    const char *digest = NULL;
    ua_row_t row = NULL;

    UA_CHECK(ua_digest_text(&digest, ctx->pool, cookie));
    UA_CHECK(ua_db_one(&row, ctx, UA_Q(session_owner), UA_ARGS(ua_s(digest))));
    *account_id = row[0];
    return APR_SUCCESS;
}

int ua_session_fresh(const ua_session_t *session, const ua_ctx_t *ctx)
{
    return ctx->now < session->auth_time + ctx->conf->fresh_time;
}

apr_status_t ua_session_renew(const char **cookie, apr_int64_t *age, ua_ctx_t *ctx,
                              const ua_session_t *session, const char *old_cookie)
{
    const char *text = NULL;
    const char *digest = NULL;
    const char *old_digest = NULL;
    int remembered = session->idle > ctx->conf->session_idle;
    int rows = 0;

    UA_CHECK(ua_digest_text(&old_digest, ctx->pool, old_cookie));
    UA_CHECK(draw_secret(&text, &digest, ctx));
    UA_CHECK(ua_db_exec(
        ctx, &rows, UA_Q(session_renew),
        UA_ARGS(ua_s(digest), ua_n(session->auth_time), ua_s(session->id), ua_s(old_digest))));
    if (rows != 1) {
        return APR_NOTFOUND;
    }
    ua_generation_change(ctx, session->account_id);
    *cookie = text;
    *age = remembered ? apr_time_sec(session->expires - ctx->now) : 0;
    return APR_SUCCESS;
}

apr_status_t ua_session_freshen(ua_ctx_t *ctx, const ua_session_t *session)
{
    ua_generation_change(ctx, session->account_id);
    return ua_db_exec(ctx, NULL, UA_Q(session_freshen),
                      UA_ARGS(ua_n(ctx->now), ua_s(session->id)));
}

apr_status_t ua_session_places(apr_array_header_t **out, ua_ctx_t *ctx, const char *account_id)
{
    apr_array_header_t *rows = NULL;
    apr_array_header_t *places = NULL;

    UA_CHECK(
        ua_db_all(&rows, ctx, UA_Q(session_places),
                  UA_ARGS(ua_s(account_id), ua_n(ctx->now), ua_n(ctx->now), ua_n(ctx->now))));
    places = apr_array_make(ctx->pool, rows->nelts, sizeof(ua_place_t));
    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);
        ua_place_t place = {row[0], row[1], row[2], ua_row_number(row, 3),
                            ua_row_number(row, 4)};

        APR_ARRAY_PUSH(places, ua_place_t) = place;
    }
    *out = places;
    return APR_SUCCESS;
}

apr_status_t ua_session_history(apr_array_header_t **rows, ua_ctx_t *ctx,
                                const char *account_id)
{
    return ua_db_all(rows, ctx, UA_Q(session_history), UA_ARGS(ua_s(account_id)));
}

apr_status_t ua_session_end_own(ua_ctx_t *ctx, const char *account_id, const char *id)
{
    int rows = 0;

    ua_generation_change(ctx, account_id);
    UA_CHECK(ua_db_exec(ctx, &rows, UA_Q(session_end_own),
                        UA_ARGS(ua_n(ctx->now), ua_s(id), ua_s(account_id))));
    return rows == 1 ? APR_SUCCESS : APR_NOTFOUND;
}

apr_status_t ua_session_end_all(ua_ctx_t *ctx, const char *account_id, const char *kept)
{
    ua_generation_change(ctx, account_id);
    return ua_db_exec(ctx, NULL, UA_Q(session_end_account),
                      UA_ARGS(ua_n(ctx->now), ua_s(account_id), ua_s(kept)));
}

apr_status_t ua_session_end(ua_ctx_t *ctx, const char *cookie)
{
    const char *digest = NULL;
    const char *account_id = NULL;
    apr_status_t rv = ua_session_owner(&account_id, ctx, cookie);

    if (rv == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    ua_generation_change(ctx, account_id);
    UA_CHECK(ua_digest_text(&digest, ctx->pool, cookie));
    return ua_db_exec(ctx, NULL, UA_Q(session_end_digest),
                      UA_ARGS(ua_n(ctx->now), ua_s(digest)));
}

apr_status_t ua_session_touch(ua_ctx_t *ctx, const char *id, apr_time_t used)
{
    return ua_db_exec(ctx, NULL, UA_Q(session_touch),
                      UA_ARGS(ua_n(used), ua_n(used), ua_s(id), ua_n(used)));
}

apr_status_t ua_session_sweep(int *more, ua_ctx_t *ctx, apr_time_t then)
{
    return ua_sweep(more, ctx, UA_Q(session_old), UA_Q(session_sweep),
                    UA_ARGS(ua_n(then), ua_n(then), ua_n(then)));
}
