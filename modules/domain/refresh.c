/* refresh.c: see refresh.h. */
#include "refresh.h"

#include <string.h>

#define GRACE apr_time_from_sec(10)

typedef struct refresh_t {
    const char *digest;
    const char *session_id;
    apr_time_t used;
    const char *successor; /* its digest, "" while unused */
    apr_time_t until;      /* of the session's tokens */
    apr_time_t expires;
    apr_time_t ended;
} refresh_t;

static apr_status_t insert(ua_ctx_t *ctx, const char *digest, const char *session_id)
{
    return ua_db_exec(ctx, NULL, UA_Q(refresh_insert),
                      UA_ARGS(ua_s(digest), ua_s(session_id), ua_n(ctx->now)));
}

static apr_time_t idle_end(const ua_ctx_t *ctx, apr_time_t expires)
{
    apr_time_t idle = ctx->now + ctx->conf->refresh_idle;

    return idle < expires ? idle : expires;
}

apr_status_t ua_refresh_start(const char **secret, ua_ctx_t *ctx, const char *session_id)
{
    unsigned char bytes[UA_DIGEST_BYTES];
    apr_time_t expires = ctx->now + ctx->conf->refresh_lifetime;
    const char *text = NULL;
    const char *digest = NULL;

    UA_CHECK(ua_draw(ctx, bytes, sizeof bytes));
    text = ua_base64url(ctx->pool, bytes, sizeof bytes);
    ua_wipe(bytes, sizeof bytes);
    UA_CHECK(ua_digest_text(&digest, ctx->pool, text));
    UA_CHECK(
        ua_db_exec(ctx, NULL, UA_Q(session_refreshable),
                   UA_ARGS(ua_n(idle_end(ctx, expires)), ua_n(expires), ua_s(session_id))));
    UA_CHECK(insert(ctx, digest, session_id));
    *secret = text;
    return APR_SUCCESS;
}

static apr_status_t find(refresh_t *out, ua_ctx_t *ctx, const char *digest)
{
    ua_row_t row = NULL;

    UA_CHECK(ua_db_one(&row, ctx, UA_Q(refresh_get), UA_ARGS(ua_s(digest))));
    out->digest = digest;
    out->session_id = row[0];
    out->used = ua_row_number(row, 2);
    out->successor = row[3];
    out->until = ua_row_number(row, 4);
    out->expires = ua_row_number(row, 5);
    out->ended = ua_row_number(row, 6);
    return APR_SUCCESS;
}

/* The first use. APR_NOTFOUND when another request was first. */
static apr_status_t replace(ua_ctx_t *ctx, const refresh_t *old, const char *successor)
{
    int rows = 0;

    UA_CHECK(ua_db_exec(ctx, &rows, UA_Q(refresh_use),
                        UA_ARGS(ua_n(ctx->now), ua_s(successor), ua_s(old->digest))));
    if (rows != 1) {
        return APR_NOTFOUND;
    }
    UA_CHECK(insert(ctx, successor, old->session_id));
    return ua_db_exec(ctx, NULL, UA_Q(session_refreshed),
                      UA_ARGS(ua_n(idle_end(ctx, old->expires)), ua_s(old->session_id)));
}

/* A use that was not the first: APR_SUCCESS while another answer with the same successor is harmless,
 * else APR_EACCES. */
static apr_status_t judge_reuse(ua_ctx_t *ctx, const char *digest, const char *successor)
{
    refresh_t old = {0};
    refresh_t next = {0};
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(find(&old, ctx, digest)); /* as the first use left it */
    if (ctx->now >= old.used + GRACE || strcmp(old.successor, successor) != 0) {
        return APR_EACCES;
    }
    rv = find(&next, ctx, successor);
    if (rv == APR_NOTFOUND || (rv == APR_SUCCESS && next.used > 0)) {
        return APR_EACCES;
    }
    return rv;
}

apr_status_t ua_refresh_use(const char **session_id, const char **successor, ua_ctx_t *ctx,
                            const char *secret)
{
    refresh_t old = {0};
    const char *digest = NULL;
    const char *next = NULL;
    const char *next_digest = NULL;
    apr_status_t rv = APR_NOTFOUND;

    UA_CHECK(ua_digest_text(&digest, ctx->pool, secret));
    UA_CHECK(find(&old, ctx, digest));
    if (old.ended > 0 || ctx->now >= old.until) {
        return APR_NOTFOUND;
    }
    UA_CHECK(ua_hmac_text(&next, ctx->pool, ctx->keys->refresh, UA_PARTS("refresh", secret)));
    UA_CHECK(ua_digest_text(&next_digest, ctx->pool, next));
    if (old.used == 0) {
        rv = replace(ctx, &old, next_digest);
    }
    if (rv == APR_NOTFOUND) {
        rv = judge_reuse(ctx, digest, next_digest);
    }
    if (rv == APR_SUCCESS) {
        *successor = next;
    }
    if (rv == APR_SUCCESS || rv == APR_EACCES) {
        *session_id = old.session_id;
    }
    return rv;
}
