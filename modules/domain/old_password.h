/* old_password.h: passwords that were replaced: the table `old_password`.
 *
 * For UserAuthUndoLifetime any of them, beside the present one, undoes a change of the address: a thief
 * who changed both does not shut the owner out. They open nothing else.
 */
#ifndef UA_OLD_PASSWORD_H
#define UA_OLD_PASSWORD_H

#include "domain.h"

/* Remembers the hash of a password that ends now. */
apr_status_t ua_old_password_add(ua_ctx_t *ctx, const char *account_id,
                                 const char *hash) UA_MUST_USE;

/* The hashes (ua_row_t of one column) of at most 10 passwords that ended after `then`, oldest first: a
 * thief who changes the password again and again pushes the owner's out of no list. */
apr_status_t ua_old_password_list(apr_array_header_t **rows, ua_ctx_t *ctx,
                                  const char *account_id, apr_time_t then) UA_MUST_USE;

/* When each that is kept ended (ua_row_t of one column). */
apr_status_t ua_old_password_history(apr_array_header_t **rows, ua_ctx_t *ctx,
                                     const char *account_id) UA_MUST_USE;

apr_status_t ua_old_password_sweep(int *more, ua_ctx_t *ctx, apr_time_t then) UA_MUST_USE;

#endif
