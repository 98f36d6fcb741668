/* setting.c: see setting.h. */
#include "setting.h"

apr_status_t ua_setting_get(const char **out, ua_ctx_t *ctx, const char *name)
{
    ua_row_t row = NULL;

    UA_CHECK(ua_db_one(&row, ctx, UA_Q(setting_get), UA_ARGS(ua_s(name))));
    *out = row[0];
    return APR_SUCCESS;
}

apr_status_t ua_setting_add(ua_ctx_t *ctx, const char *name, const char *value)
{
    return ua_db_exec(ctx, NULL, UA_Q(setting_insert), UA_ARGS(ua_s(name), ua_s(value)));
}

apr_status_t ua_setting_put(ua_ctx_t *ctx, const char *name, const char *value)
{
    int rows = 0;

    UA_CHECK(ua_db_exec(ctx, &rows, UA_Q(setting_update), UA_ARGS(ua_s(value), ua_s(name))));
    if (rows > 0) {
        return APR_SUCCESS;
    }
    return ua_setting_add(ctx, name, value);
}
