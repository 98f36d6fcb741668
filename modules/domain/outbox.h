/* outbox.h: mails to be sent: the table `outbox`.
 *
 * A row is written in the transaction that wants the mail. A job claims it with a lease by one
 * conditional UPDATE, sends, and marks it; a killed sender's row is free when its lease ends. The
 * row holds no link: the job derives it from the token's id. A row of the kind TAKEN belongs to the account
 * that asked for the address: who has it is looked up when it is sent.
 */
#ifndef UA_OUTBOX_H
#define UA_OUTBOX_H

#include "domain.h"

/* The kinds of mails; NOBODY is for an unknown address: nothing is sent, but its row fares like others.
 * UNKNOWN is one of a later version. */
typedef enum {

#define UA_MAIL(constant, ...) UA_MAIL_##constant,
#include "mails.def"
#undef UA_MAIL
    UA_MAIL_NOBODY,
    UA_MAIL_UNKNOWN,
    UA_MAILS
} ua_mail_kind_e;

typedef struct ua_mail_kind_t {
    const char *name;    /* of its template, too */
    const char *purpose; /* of its link, "" without one */
    int disown;          /* carries a "this wasn't me" link, too */
} ua_mail_kind_t;

extern const ua_mail_kind_t ua_mail_kinds[UA_MAILS];

/* Long enough for a slow moment, short enough that another child takes over within seconds. */
#define UA_LEASE apr_time_from_sec(3)

typedef struct ua_outbox_t {
    const char *id;
    const char *account_id;
    ua_mail_kind_e kind;
    const char *email;
    const char *username;
    const char *token_id;  /* or "" */
    const char *disown_id; /* or "" */
    const char *detail;    /* a JSON object for the template, or "" */
    apr_int64_t attempts;
    apr_time_t created;
    apr_time_t expires; /* no try after this */
    const char *lease;  /* whose claim */
} ua_outbox_t;

/* What can be told of the last mail of a kind. One that waits is delayed once it has failed, and while mails fail. */
typedef enum {
    UA_SENDING_UNKNOWN,
    UA_SENDING_QUEUED,
    UA_SENDING_DELAYED,
    UA_SENDING_SENT
} ua_sending_e;

/* A bit of *ctx->mail_cause: the word is not why mails fail but a count (jobs_cause.c). */
#define UA_CAUSE_COUNT 0x80000000U

/* Whether mails fail by now, whoever they are to. */
int ua_outbox_fails(const ua_ctx_t *ctx);

/* A new row, due at once; reads account_id, kind, email, username, token_id,
 * disown_id, detail, expires. */
apr_status_t ua_outbox_add(ua_ctx_t *ctx, const ua_outbox_t *mail) UA_MUST_USE;

/* The ids of at most `most` rows of this site that are due and free: by turns one that was never tried and one that
 * was, as long as there are any, the oldest of each first. `again`: begins with one that was. So a new mail does not
 * wait for many that fail, nor these for ever. */
apr_status_t ua_outbox_due(apr_array_header_t **rows, ua_ctx_t *ctx, int most,
                           int again) UA_MUST_USE;

/* Those of them that a budget does not hold up: tried before, or too late for any try. */
apr_status_t ua_outbox_unpaid(apr_array_header_t **rows, ua_ctx_t *ctx, int most) UA_MUST_USE;

/* Whether such a row will be tried for the first time. */
int ua_outbox_is_new(const ua_ctx_t *ctx, ua_row_t row);

/* Claims one row and reads it. APR_NOTFOUND when another was first. */
apr_status_t ua_outbox_claim(ua_outbox_t **out, ua_ctx_t *ctx, const char *id) UA_MUST_USE;

/* Prolongs the lease from ctx->now on. APR_NOTFOUND when it was lost. */
apr_status_t ua_outbox_renew(ua_ctx_t *ctx, const ua_outbox_t *mail) UA_MUST_USE;

/* Gives the claim back; no try is counted. APR_NOTFOUND when it was lost. */
apr_status_t ua_outbox_release(ua_ctx_t *ctx, const ua_outbox_t *mail) UA_MUST_USE;

/* Done, to be tried again at `due`, or given up. */
apr_status_t ua_outbox_sent(ua_ctx_t *ctx, const ua_outbox_t *mail) UA_MUST_USE;
apr_status_t ua_outbox_later(ua_ctx_t *ctx, const ua_outbox_t *mail,
                             apr_time_t due) UA_MUST_USE;
apr_status_t ua_outbox_drop(ua_ctx_t *ctx, const ua_outbox_t *mail) UA_MUST_USE;

/* Gives up the unsent mails of an account and kind. */
apr_status_t ua_outbox_drop_all(ua_ctx_t *ctx, const char *account_id,
                                ua_mail_kind_e kind) UA_MUST_USE;

/* Gives up every unsent mail of an account. */
apr_status_t ua_outbox_drop_account(ua_ctx_t *ctx, const char *account_id) UA_MUST_USE;

/* A mail of an account for its owner's export. */
typedef struct ua_outbox_entry_t {
    const char *kind, *email, *username, *detail;
    apr_time_t created, sent;
} ua_outbox_entry_t;

/* The mails of an account, newest first: array of ua_outbox_entry_t. */
apr_status_t ua_outbox_list(apr_array_header_t **out, ua_ctx_t *ctx,
                            const char *account_id) UA_MUST_USE;

/* Leaves no name and address of an account that is gone. */
apr_status_t ua_outbox_forget(ua_ctx_t *ctx, const char *account_id) UA_MUST_USE;

/* Leaves an account only its mails to this address; the others are nobody's, and fare as before. */
apr_status_t ua_outbox_detach(ua_ctx_t *ctx, const char *account_id,
                              const char *email) UA_MUST_USE;

/* How the last mail of a kind to this address fares. */
apr_status_t ua_outbox_state(ua_sending_e *out, ua_ctx_t *ctx, const char *account_id,
                             ua_mail_kind_e kind, const char *email) UA_MUST_USE;

/* How the last mail fares that asks an account to confirm this address, or was queued in its place. */
apr_status_t ua_outbox_confirming(ua_sending_e *out, ua_ctx_t *ctx, const char *account_id,
                                  const char *email) UA_MUST_USE;

apr_status_t ua_outbox_sweep(int *more, ua_ctx_t *ctx, apr_time_t then) UA_MUST_USE;

#endif
