/* common_profile.c: what a person tells beside name and address: the operator's own fields. */
#include "feature.h"
#include "domain/profile_field.h"

#include <string.h>

/* Absent ones are left as they are. */
static apr_status_t save(ua_req_t *req, const char *account_id, const char *name)
{
    const char *value = apr_table_get(req->form, name);

    return value ? ua_profile_field_set(req->ctx, account_id, name, value) : APR_SUCCESS;
}

apr_status_t ua_own_fields_save(ua_req_t *req, const char *account_id)
{
    const apr_array_header_t *own = req->ctx->conf->profile_fields;

    for (int i = 0; own && i < own->nelts; i++) {
        UA_CHECK(save(req, account_id, APR_ARRAY_IDX(own, i, ua_profile_field_t).name));
    }
    return APR_SUCCESS;
}

static const char *value_of(const apr_array_header_t *rows, const char *name)
{
    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);

        if (strcmp(row[0], name) == 0) {
            return row[1];
        }
    }
    return "";
}

apr_status_t ua_own_fields_read(apr_array_header_t **out, ua_ctx_t *ctx, const char *account_id)
{
    const apr_array_header_t *own = ctx->conf->profile_fields;
    apr_array_header_t *list = apr_array_make(ctx->pool, 4, sizeof(ua_own_field_t));
    apr_array_header_t *rows = NULL;

    if (!own) {
        *out = list;
        return APR_SUCCESS;
    }
    UA_CHECK(ua_profile_field_list(&rows, ctx, account_id));
    for (int i = 0; i < own->nelts; i++) {
        const ua_profile_field_t *field = &APR_ARRAY_IDX(own, i, ua_profile_field_t);
        ua_own_field_t value = {field, value_of(rows, field->name)};

        APR_ARRAY_PUSH(list, ua_own_field_t) = value;
    }
    *out = list;
    return APR_SUCCESS;
}
