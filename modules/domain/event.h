/* event.h: what happened to an account: the table `event`, and one JSON line each.
 *
 * The row is written in the transaction of what happened; the line is kept in ctx->lines until
 * COMMIT. The first event of a request has the request's id, so that a retry after a COMMIT whose
 * answer was lost can find out whether it happened. No secret, and nothing typed, is in an event.
 */
#ifndef UA_EVENT_H
#define UA_EVENT_H

#include "domain.h"

/* `kind` is a stable word; `account_id` may be ""; `detail` is a stable word or "". */
apr_status_t ua_event_add(ua_ctx_t *ctx, const char *kind, const char *account_id,
                          const char *detail) UA_MUST_USE;

/* APR_SUCCESS when an event of this request is committed, else APR_NOTFOUND. */
apr_status_t ua_event_happened(ua_ctx_t *ctx) UA_MUST_USE;

typedef struct ua_event_t {
    const char *id, *kind, *address, *agent, *detail;
    apr_time_t happened;
} ua_event_t;

/* The newest events of an account, at most `most`: array of ua_event_t. */
apr_status_t ua_event_list(apr_array_header_t **out, ua_ctx_t *ctx, const char *account_id,
                           int most) UA_MUST_USE;

/* Leaves no address of an account that is erased. */
apr_status_t ua_event_forget(ua_ctx_t *ctx, const char *account_id) UA_MUST_USE;

/* Leaves an account only its events of two kinds; the others are nobody's. */
apr_status_t ua_event_detach(ua_ctx_t *ctx, const char *account_id, const char *kept,
                             const char *also_kept) UA_MUST_USE;

apr_status_t ua_event_sweep(int *more, ua_ctx_t *ctx, apr_time_t then) UA_MUST_USE;

#endif
