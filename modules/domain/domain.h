/* domain.h: the contract of the domain layer: nouns, each one table and one file.
 *
 * A noun's functions take the context first after their output, run inside whatever transaction
 * the caller opened (but ua_sweep()), and know neither pages nor requests. They decide nothing about who may.
 */
#ifndef UA_DOMAIN_H
#define UA_DOMAIN_H

#include "base/base.h"
#include "base/conf.h"
#include "base/crypto.h"
#include "base/db.h"
#include "base/keys.h"

enum {

#define UA_QUERY(name, sql) UA_Q_##name,
#include "queries.h"
#undef UA_QUERY
#undef ACCOUNT_COLUMNS
#undef MEMBER_COLUMNS
#undef MEMBER_LISTED
#undef SESSION_COLUMNS
    UA_QUERIES
};

extern const ua_query_t ua_queries[UA_QUERIES];

#define UA_Q(name) (&ua_queries[UA_Q_##name])

/* sweep.c: removes one portion of a table's rows whose time is over, in a transaction of its own. `old` takes the
 * times and how many keys it may list, `remove` the same times and a key. *more: the next call may find others.
 * Called by each noun's ua_<noun>_sweep(), which the sweep (app/jobs.c) calls again while there are more. */
apr_status_t ua_sweep(int *more, ua_ctx_t *ctx, const ua_query_t *old, const ua_query_t *remove,
                      const ua_arg_t *times) UA_MUST_USE;

/* Purposes of the links in mails (token.h). Each is also the name of the page its link opens. */
#define UA_PURPOSE_VERIFY  "verify"
#define UA_PURPOSE_DISOWN  "disown"  /* "this wasn't me" */
#define UA_PURPOSE_RESET   "reset"   /* a new password */
#define UA_PURPOSE_EMAIL   "email"   /* a changed address; sent to the new one */
#define UA_PURPOSE_UNDO    "undo"    /* the change of an address; sent to the old one */
#define UA_PURPOSE_RESTORE "restore" /* a closed account */

#endif
