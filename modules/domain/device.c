/* device.c: see device.h. */
#include "device.h"

#include <string.h>

apr_status_t ua_device_start(const char **cookie, ua_ctx_t *ctx, const char *account_id)
{
    unsigned char secret[UA_DIGEST_BYTES];
    const char *text = NULL;
    const char *digest = NULL;

    UA_CHECK(ua_draw(ctx, secret, sizeof secret));
    text = ua_base64url(ctx->pool, secret, sizeof secret);
    ua_wipe(secret, sizeof secret);
    UA_CHECK(ua_digest_text(&digest, ctx->pool, text));
    UA_CHECK(
        ua_db_exec(ctx, NULL, UA_Q(device_insert),
                   UA_ARGS(ua_s(digest), ua_s(account_id), ua_s(ctx->conf->site),
                           ua_n(ctx->now), ua_n(ctx->now + apr_time_from_sec(UA_DEVICE_AGE)))));
    *cookie = text;
    return APR_SUCCESS;
}

apr_status_t ua_device_known(int *known, ua_ctx_t *ctx, const char *cookie,
                             const char *account_id)
{
    const char *digest = NULL;
    ua_row_t row = NULL;
    apr_status_t rv = APR_NOTFOUND;

    if (cookie) {
        UA_CHECK(ua_digest_text(&digest, ctx->pool, cookie));
        rv = ua_db_one(&row, ctx, UA_Q(device_get), UA_ARGS(ua_s(digest), ua_n(ctx->now)));
    }
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        return rv;
    }
    *known = rv == APR_SUCCESS && strcmp(row[0], account_id) == 0;
    return APR_SUCCESS;
}

apr_status_t ua_device_list(apr_array_header_t **rows, ua_ctx_t *ctx, const char *account_id)
{
    return ua_db_all(rows, ctx, UA_Q(device_list), UA_ARGS(ua_s(account_id)));
}

apr_status_t ua_device_forget(ua_ctx_t *ctx, const char *account_id)
{
    return ua_db_exec(ctx, NULL, UA_Q(device_forget), UA_ARGS(ua_s(account_id)));
}

apr_status_t ua_device_sweep(int *more, ua_ctx_t *ctx, apr_time_t then)
{
    return ua_sweep(more, ctx, UA_Q(device_old), UA_Q(device_sweep), UA_ARGS(ua_n(then)));
}
