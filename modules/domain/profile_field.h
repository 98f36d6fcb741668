/* profile_field.h: what a person told in the operator's own fields: the table `profile_field`. */
#ifndef UA_PROFILE_FIELD_H
#define UA_PROFILE_FIELD_H

#include "domain.h"

/* Name and value (ua_row_t of two columns) of every field of an account, by name. */
apr_status_t ua_profile_field_list(apr_array_header_t **rows, ua_ctx_t *ctx,
                                   const char *account_id) UA_MUST_USE;

/* Sets one; "" removes it. */
apr_status_t ua_profile_field_set(ua_ctx_t *ctx, const char *account_id, const char *name,
                                  const char *value) UA_MUST_USE;

/* Removes all of an account. */
apr_status_t ua_profile_field_clear(ua_ctx_t *ctx, const char *account_id) UA_MUST_USE;

#endif
