/* held_email.c: see held_email.h. */
#include "held_email.h"

#include <string.h>

static apr_status_t digest_of(const char **out, ua_ctx_t *ctx, const char *email_key)
{
    return ua_hmac_text(out, ctx->pool, ctx->keys->throttle, UA_PARTS("held-email", email_key));
}

/* Reads a row for every address while there is one, as ua_account_by_email() does (ENUM-05). */
apr_status_t ua_held_email_holder(const char **account_id, ua_ctx_t *ctx, const char *email_key)
{
    const char *digest = NULL;
    ua_row_t row = NULL;

    UA_CHECK(digest_of(&digest, ctx, email_key));
    UA_CHECK(ua_db_one(&row, ctx, UA_Q(held_email_get), UA_ARGS(ua_s(digest))));
    if (strcmp(row[0], digest) != 0 || ua_row_number(row, 2) <= ctx->now) {
        return APR_NOTFOUND;
    }
    *account_id = row[1];
    return APR_SUCCESS;
}

apr_status_t ua_held_email_hold(ua_ctx_t *ctx, const char *email_key, const char *account_id,
                                apr_time_t until)
{
    const char *digest = NULL;

    UA_CHECK(ua_held_email_release(ctx, email_key));
    UA_CHECK(digest_of(&digest, ctx, email_key));
    return ua_db_exec(ctx, NULL, UA_Q(held_email_insert),
                      UA_ARGS(ua_s(digest), ua_s(account_id), ua_n(until)));
}

apr_status_t ua_held_email_release(ua_ctx_t *ctx, const char *email_key)
{
    const char *digest = NULL;

    UA_CHECK(digest_of(&digest, ctx, email_key));
    return ua_db_exec(ctx, NULL, UA_Q(held_email_delete), UA_ARGS(ua_s(digest)));
}

apr_status_t ua_held_email_sweep(int *more, ua_ctx_t *ctx, apr_time_t then)
{
    return ua_sweep(more, ctx, UA_Q(held_email_old), UA_Q(held_email_sweep),
                    UA_ARGS(ua_n(then)));
}
