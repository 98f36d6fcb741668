/* held_email.h: addresses that an account left: the table `held_email`.
 *
 * For a while nobody else can take such an address, so that its owner can undo the change. The table
 * holds a keyed digest, not the address.
 */
#ifndef UA_HELD_EMAIL_H
#define UA_HELD_EMAIL_H

#include "domain.h"

/* Whose the address still is: APR_SUCCESS and the account's id, or APR_NOTFOUND. */
apr_status_t ua_held_email_holder(const char **account_id, ua_ctx_t *ctx,
                                  const char *email_key) UA_MUST_USE;

/* Keeps the address for the account until `until`, whoever held it before. */
apr_status_t ua_held_email_hold(ua_ctx_t *ctx, const char *email_key, const char *account_id,
                                apr_time_t until) UA_MUST_USE;

/* Lets go of it. */
apr_status_t ua_held_email_release(ua_ctx_t *ctx, const char *email_key) UA_MUST_USE;

apr_status_t ua_held_email_sweep(int *more, ua_ctx_t *ctx, apr_time_t then) UA_MUST_USE;

#endif
