/* account.h: a person's account: the table `account`.
 *
 * `enabled` is 1 once the address was confirmed, and 0 again for one who is shut out. Names and addresses are unique by their keys
 * (username.h, base/email.h); the index decides, whoever looked first.
 */
#ifndef UA_ACCOUNT_H
#define UA_ACCOUNT_H

#include "domain.h"

typedef struct ua_account_t {
    const char *id;
    const char *username;
    const char *email;
    const char *display_name;
    int enabled;
    const char *password_hash;
    apr_time_t password_set;     /* when it was chosen; hashing it anew leaves this alone */
    apr_int64_t failures;        /* failed sign-ins in a row from unknown browsers */
    apr_int64_t device_failures; /* and from known ones */
    apr_int64_t corrections;     /* of a mistyped address, before it was confirmed */
    const char *address;         /* the client address that registered */
    apr_time_t created;
    apr_time_t verified; /* when the address was confirmed, or 0 */
    apr_time_t last_sign_in;
    apr_time_t previous_sign_in;
} ua_account_t;

/* Most corrections of a mistyped address. */
#define UA_CORRECTIONS 3

/* APR_NOTFOUND when there is none. */
apr_status_t ua_account_by_id(ua_account_t **out, ua_ctx_t *ctx, const char *id) UA_MUST_USE;
apr_status_t ua_account_by_email(ua_account_t **out, ua_ctx_t *ctx,
                                 const char *email_key) UA_MUST_USE;
apr_status_t ua_account_by_username(ua_account_t **out, ua_ctx_t *ctx,
                                    const char *username_key) UA_MUST_USE;

/* A new row, not enabled. Reads id, username, email, display_name, password_hash, address, created. */
apr_status_t ua_account_insert(ua_ctx_t *ctx, const ua_account_t *account,
                               const char *email_key) UA_MUST_USE;

/* Enables the account if it still has this address and is not enabled: APR_NOTFOUND otherwise. */
apr_status_t ua_account_verify(ua_ctx_t *ctx, const char *id, const char *email) UA_MUST_USE;

/* Another address for an account that is not enabled; APR_NOTFOUND after UA_CORRECTIONS of them. */
apr_status_t ua_account_correct(ua_ctx_t *ctx, const char *id, const char *email,
                                const char *email_key) UA_MUST_USE;

/* Counts a failed sign-in. */
apr_status_t ua_account_failed(ua_ctx_t *ctx, const char *id, int known_device) UA_MUST_USE;

/* Clears the counts and notes the time, if the account is enabled and its password is still the one
 * that was verified: APR_NOTFOUND otherwise. */
apr_status_t ua_account_signed_in(ua_ctx_t *ctx, const ua_account_t *account) UA_MUST_USE;

/* Replaces the hash that was verified. Nothing happens when it changed meanwhile. */
apr_status_t ua_account_rehash(ua_ctx_t *ctx, const ua_account_t *account,
                               const char *hash) UA_MUST_USE;

/* Removes an account that was never enabled: APR_NOTFOUND otherwise. */
apr_status_t ua_account_remove(ua_ctx_t *ctx, const char *id, const char *email) UA_MUST_USE;

/* How many there are. */
apr_status_t ua_account_count(apr_int64_t *out, ua_ctx_t *ctx) UA_MUST_USE;

/* Removes accounts not enabled that were made before `then`. */
apr_status_t ua_account_sweep(ua_ctx_t *ctx, apr_time_t then) UA_MUST_USE;

#endif
