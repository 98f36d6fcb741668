/* token.h: the links in mails: the table `token`.
 *
 * A link carries T = "<row id>.<tag>"; the tag is keyed over purpose, id, account and address, so
 * nothing in the database makes a link. A token works once, by one conditional UPDATE.
 */
#ifndef UA_TOKEN_H
#define UA_TOKEN_H

#include "domain.h"

/* How a token stands, judged in this order (contract 2). */
typedef enum {
    UA_TOKEN_GOOD,
    UA_TOKEN_INVALID, /* wrong tag, unknown, or ended by a change */
    UA_TOKEN_USED,    /* used, or ended by a sibling's use */
    UA_TOKEN_EXPIRED
} ua_token_e;

/* Why a token that is not open ended: the column `state`. */
typedef enum {
    UA_ENDED_OPEN = 0,
    UA_ENDED_USED = 1,
    UA_ENDED_SIBLING = 2,
    UA_ENDED_CHANGE = 3
} ua_ended_e;

typedef struct ua_token_t {
    const char *id;
    const char *account_id;
    const char *purpose;
    const char *email; /* the address it was sent to */
    apr_time_t expires;
    ua_token_e standing;
} ua_token_t;

/* A new row for the account at this address; `lifetime` in microseconds. */
apr_status_t ua_token_issue(const char **id, ua_ctx_t *ctx, const ua_token_t *token,
                            apr_interval_time_t lifetime) UA_MUST_USE;

/* T of a row; only the mail job and tests need it. */
apr_status_t ua_token_text(const char **out, apr_pool_t *pool, const ua_keys_t *keys,
                           const ua_token_t *token) UA_MUST_USE;

/* The 8 digits beside a verification link, for who reads the mail on another device. */
apr_status_t ua_token_code(const char **out, apr_pool_t *pool, const ua_keys_t *keys,
                           const ua_token_t *token) UA_MUST_USE;

/* Reads T for one purpose and judges it. APR_SUCCESS with any standing (the account's members are
 * empty when it is invalid by its tag), or a failure of the database. Uses nothing up. */
apr_status_t ua_token_read(ua_token_t **out, ua_ctx_t *ctx, const char *purpose,
                           const char *text) UA_MUST_USE;

/* Uses a good token up. APR_NOTFOUND when another request was first or its time passed. */
apr_status_t ua_token_use(ua_ctx_t *ctx, const ua_token_t *token) UA_MUST_USE;

/* Ends every open token of an account and purpose. */
apr_status_t ua_token_end(ua_ctx_t *ctx, const char *account_id, const char *purpose,
                          ua_ended_e why) UA_MUST_USE;

/* Ends every open token of an account but those of the purpose `kept` ("" for none). */
apr_status_t ua_token_end_all(ua_ctx_t *ctx, const char *account_id, const char *kept,
                              ua_ended_e why) UA_MUST_USE;

/* The open tokens of an account and purpose, newest first, at most 20: array of ua_token_t with id,
 * account_id, purpose, email and `expires`. */
apr_status_t ua_token_list(apr_array_header_t **out, ua_ctx_t *ctx, const char *account_id,
                           const char *purpose) UA_MUST_USE;

/* All that is stored of an account's links, newest first: array of ua_row_t with purpose, email, created,
 * expires, ended. Nothing in it makes a link. */
apr_status_t ua_token_history(apr_array_header_t **rows, ua_ctx_t *ctx,
                              const char *account_id) UA_MUST_USE;

/* Removes the tokens of an account that is erased. */
apr_status_t ua_token_erase(ua_ctx_t *ctx, const char *account_id) UA_MUST_USE;

/* Removes those that were not sent to this address. */
apr_status_t ua_token_erase_others(ua_ctx_t *ctx, const char *account_id,
                                   const char *email) UA_MUST_USE;

/* How long a new link of a purpose works, in microseconds. */
apr_interval_time_t ua_token_lifetime(const ua_conf_t *conf, const char *purpose);

/* Leaves no address in the tokens of an account that is gone, but for `kept`, whose tag is judged by it
 * until it is swept. */
apr_status_t ua_token_forget(ua_ctx_t *ctx, const char *account_id,
                             const char *kept) UA_MUST_USE;

/* Removes rows that expired before `then`. */
apr_status_t ua_token_sweep(int *more, ua_ctx_t *ctx, apr_time_t then) UA_MUST_USE;

#endif
