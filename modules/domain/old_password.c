/* old_password.c: see old_password.h. */
#include "old_password.h"

apr_status_t ua_old_password_add(ua_ctx_t *ctx, const char *account_id, const char *hash)
{
    const char *id = NULL;

    UA_CHECK(ua_draw_uuid(&id, ctx));
    return ua_db_exec(ctx, NULL, UA_Q(old_password_insert),
                      UA_ARGS(ua_s(id), ua_s(account_id), ua_s(hash), ua_n(ctx->now)));
}

apr_status_t ua_old_password_list(apr_array_header_t **rows, ua_ctx_t *ctx,
                                  const char *account_id, apr_time_t then)
{
    return ua_db_all(rows, ctx, UA_Q(old_password_list), UA_ARGS(ua_s(account_id), ua_n(then)));
}

apr_status_t ua_old_password_history(apr_array_header_t **rows, ua_ctx_t *ctx,
                                     const char *account_id)
{
    return ua_db_all(rows, ctx, UA_Q(old_password_history), UA_ARGS(ua_s(account_id)));
}

apr_status_t ua_old_password_sweep(int *more, ua_ctx_t *ctx, apr_time_t then)
{
    return ua_sweep(more, ctx, UA_Q(old_password_old), UA_Q(old_password_sweep),
                    UA_ARGS(ua_n(then)));
}
