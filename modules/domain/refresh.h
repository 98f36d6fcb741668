/* refresh.h: refresh tokens of a session: the table `refresh`.
 *
 * R is opaque; the row holds its SHA-256. Each use replaces it; the successor is derived from it with
 * the server's secret, so that a client whose answer was lost gets the same one again within 10 s. A
 * used R that comes later ends the session.
 */
#ifndef UA_REFRESH_H
#define UA_REFRESH_H

#include "domain.h"

/* The first R of a session, and how long its API tokens can be renewed. */
apr_status_t ua_refresh_start(const char **secret, ua_ctx_t *ctx,
                              const char *session_id) UA_MUST_USE;

/* Trades R for its successor, inside a transaction. APR_SUCCESS: *session_id and *successor (the same
 * within 10 s, while it is unused); APR_NOTFOUND: unknown, ended or too old; APR_EACCES: it was used
 * before, *session_id is to be ended by the caller. */
apr_status_t ua_refresh_use(const char **session_id, const char **successor, ua_ctx_t *ctx,
                            const char *secret) UA_MUST_USE;

#endif
