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
    int hidden;         /* not in the list of members */
    int show_email;     /* members see the address */
    int password_off;   /* no password opens this account until a new one is set by mail */
    apr_time_t closed;  /* by its owner, or 0 */
    const char *groups; /* names separated by commas */
} ua_account_t;

/* Most corrections of a mistyped address. */
#define UA_CORRECTIONS 3

/* Waits until no other transaction holds this account. Where each row has a lock of its own it is the first write of
 * transactions that change several rows of one account, by a link or a session: without an order they wait for each
 * other. (In a Galera cluster it holds nobody on another node: there they conflict, and are tried again.) */
apr_status_t ua_account_hold(ua_ctx_t *ctx, const char *id) UA_MUST_USE;

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

/* Clears the counts and notes the time, if the account is enabled and its password is on and still the
 * one that was verified: APR_NOTFOUND otherwise. */
apr_status_t ua_account_signed_in(ua_ctx_t *ctx, const ua_account_t *account) UA_MUST_USE;

/* Replaces the hash that was verified. Nothing happens when it changed meanwhile. */
apr_status_t ua_account_rehash(ua_ctx_t *ctx, const ua_account_t *account,
                               const char *hash) UA_MUST_USE;

/* A new password, which is on, and no failures; APR_NOTFOUND when it was changed since `account` was read,
 * or the account is closed. */
apr_status_t ua_account_set_password(ua_ctx_t *ctx, const ua_account_t *account,
                                     const char *hash) UA_MUST_USE;

/* Until a new password is set none opens the account. */
apr_status_t ua_account_password_off(ua_ctx_t *ctx, const char *id) UA_MUST_USE;

/* Forgets the failed sign-ins of the account itself. */
apr_status_t ua_account_clear_failures(ua_ctx_t *ctx, const char *id) UA_MUST_USE;

/* Writes username, display_name, hidden, show_email of an enabled account: APR_NOTFOUND otherwise. */
apr_status_t ua_account_set_profile(ua_ctx_t *ctx, const ua_account_t *account) UA_MUST_USE;

/* Replaces the address account->email, if it is still that: APR_NOTFOUND otherwise. */
apr_status_t ua_account_set_email(ua_ctx_t *ctx, const ua_account_t *account, const char *email,
                                  const char *email_key) UA_MUST_USE;

/* Drops what was told about the person beside name and address. */
apr_status_t ua_account_strip(ua_ctx_t *ctx, const char *id) UA_MUST_USE;

/* Shuts an enabled account at its owner's wish, and opens it again: APR_NOTFOUND otherwise. */
apr_status_t ua_account_close(ua_ctx_t *ctx, const char *id) UA_MUST_USE;
apr_status_t ua_account_restore(ua_ctx_t *ctx, const char *id) UA_MUST_USE;

/* The ids (ua_row_t) of at most `most` accounts closed before `then`. Where a change of the address can
 * still be undone whoever closed the account may be a thief: such a one is not told. */
apr_status_t ua_account_closed_before(apr_array_header_t **rows, ua_ctx_t *ctx, apr_time_t then,
                                      int most) UA_MUST_USE;

/* Removes a closed account with its sessions, devices and fields: APR_NOTFOUND when it is not closed or
 * gone. */
apr_status_t ua_account_erase(ua_ctx_t *ctx, const char *id) UA_MUST_USE;

/* Removes an account that was never enabled: APR_NOTFOUND otherwise. */
apr_status_t ua_account_remove(ua_ctx_t *ctx, const char *id, const char *email) UA_MUST_USE;

/* How many there are. */
apr_status_t ua_account_count(apr_int64_t *out, ua_ctx_t *ctx) UA_MUST_USE;

/* The ids (ua_row_t) of at most `most` accounts that were made before `then`, never confirmed and never
 * signed in: nobody let them in by hand. */
apr_status_t ua_account_unverified_before(apr_array_header_t **rows, ua_ctx_t *ctx,
                                          apr_time_t then, int most) UA_MUST_USE;

/* Removes such a one: APR_NOTFOUND when it was confirmed meanwhile or is gone. */
apr_status_t ua_account_sweep(ua_ctx_t *ctx, const char *id) UA_MUST_USE;

#endif
