/* generation.h: how often an account has changed, in memory that all children share.
 *
 * Who remembers something of an account remembers its generation too, and forgets both when they differ.
 * Nobody locks. Accounts share counters: one that changes makes some others' be read once more.
 */
#ifndef UA_GENERATION_H
#define UA_GENERATION_H

#include "base.h"

typedef struct ua_generations_t ua_generations_t;
typedef _Atomic apr_uint32_t ua_generation_t;

/* Bytes of the table. Zeroed memory is one. */
apr_size_t ua_generations_size(void);

/* How many changes there were of all accounts. Read before what is to be remembered is read: when it has
 * changed afterwards, that may be of before the change, and is not to be remembered. */
apr_uint32_t ua_generation_epoch(const ua_generations_t *generations);

/* The account's own number, which other children change. Read after what is to be remembered, and before the
 * epoch again. It stays at its place as long as the table does. */
const ua_generation_t *ua_generation_of(const ua_generations_t *generations,
                                        const char *account_id);

/* Says that this transaction changes what a session shows of an account, or ends one of its sessions.
 * Whoever writes such a row calls it. */
void ua_generation_change(ua_ctx_t *ctx, const char *account_id);

/* What was said becomes known to all children. Called by db.c alone: after COMMIT, whatever its outcome, and
 * when a connection is given back; both are before any answer. */
void ua_generation_publish(ua_ctx_t *ctx);

#endif
