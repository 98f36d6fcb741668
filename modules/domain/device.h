/* device.h: browsers a person signed in from before: the table `device`.
 *
 * Such a browser's failed tries are counted apart, so a stranger cannot lock its owner out.
 */
#ifndef UA_DEVICE_H
#define UA_DEVICE_H

#include "domain.h"

/* How long a browser is remembered, in seconds. */
#define UA_DEVICE_AGE ((apr_int64_t)400 * 24 * 3600)

/* A new row; *cookie is the secret for the browser. */
apr_status_t ua_device_start(const char **cookie, ua_ctx_t *ctx,
                             const char *account_id) UA_MUST_USE;

/* 1 in *known when the cookie was given to this account. */
apr_status_t ua_device_known(int *known, ua_ctx_t *ctx, const char *cookie,
                             const char *account_id) UA_MUST_USE;

/* Created and expires (ua_row_t of two columns) of every known browser of an account. */
apr_status_t ua_device_list(apr_array_header_t **rows, ua_ctx_t *ctx,
                            const char *account_id) UA_MUST_USE;

/* No browser is known to this account any more: one of them may be a thief's. */
apr_status_t ua_device_forget(ua_ctx_t *ctx, const char *account_id) UA_MUST_USE;

apr_status_t ua_device_sweep(int *more, ua_ctx_t *ctx, apr_time_t then) UA_MUST_USE;

#endif
