/* profile_field.c: see profile_field.h. */
#include "profile_field.h"

apr_status_t ua_profile_field_list(apr_array_header_t **rows, ua_ctx_t *ctx,
                                   const char *account_id)
{
    return ua_db_all(rows, ctx, UA_Q(profile_field_list), UA_ARGS(ua_s(account_id)));
}

apr_status_t ua_profile_field_set(ua_ctx_t *ctx, const char *account_id, const char *name,
                                  const char *value)
{
    UA_CHECK(ua_db_exec(ctx, NULL, UA_Q(profile_field_delete),
                        UA_ARGS(ua_s(account_id), ua_s(name))));
    if (*value == '\0') {
        return APR_SUCCESS;
    }
    return ua_db_exec(ctx, NULL, UA_Q(profile_field_insert),
                      UA_ARGS(ua_s(account_id), ua_s(name), ua_s(value)));
}

apr_status_t ua_profile_field_clear(ua_ctx_t *ctx, const char *account_id)
{
    return ua_db_exec(ctx, NULL, UA_Q(profile_field_clear), UA_ARGS(ua_s(account_id)));
}
