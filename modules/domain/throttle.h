/* throttle.h: how often something may happen: the table `throttle`.
 *
 * Two kinds of counters under keyed names (no address or name of a person stands in the table): a
 * rate (so many in a window that begins with the first) and a wait (failures in a row, each making
 * the next try wait longer). Durations in microseconds.
 */
#ifndef UA_THROTTLE_H
#define UA_THROTTLE_H

#include "domain.h"

/* The name of a counter: kind is a fixed word, value what is counted. */
apr_status_t ua_throttle_name(const char **out, ua_ctx_t *ctx, const char *kind,
                              const char *value) UA_MUST_USE;

/* How long until one more is within the rate; 0: now. Changes nothing. */
apr_status_t ua_throttle_peek(apr_interval_time_t *wait, ua_ctx_t *ctx, const char *name,
                              const ua_rate_t *rate) UA_MUST_USE;

/* Counts one if it is within the rate (*wait is 0), else changes nothing and says how long to wait.
 * Strict under concurrency when called inside a transaction. */
apr_status_t ua_throttle_take(apr_interval_time_t *wait, ua_ctx_t *ctx, const char *name,
                              const ua_rate_t *rate) UA_MUST_USE;

/* Waits until no other transaction counts under this name; fails when another was the first to count at all. */
apr_status_t ua_throttle_hold(ua_ctx_t *ctx, const char *name) UA_MUST_USE;

/* How many more are within the rate; when none is, *wait says for how long. Changes nothing. */
apr_status_t ua_throttle_room(apr_int64_t *room, apr_interval_time_t *wait, ua_ctx_t *ctx,
                              const char *name, const ua_rate_t *rate) UA_MUST_USE;

/* Counts so many, be they within the rate or not. */
apr_status_t ua_throttle_add(ua_ctx_t *ctx, const char *name, const ua_rate_t *rate,
                             apr_int64_t hits) UA_MUST_USE;

/* How long the wait of this name still lasts, and how many failures it saw in a row. */
apr_status_t ua_wait_peek(apr_interval_time_t *wait, apr_int64_t *failures, ua_ctx_t *ctx,
                          const char *name) UA_MUST_USE;

/* Counts a failure; from the UserAuthLockAfter'th on a wait begins: *wait, else 0. */
apr_status_t ua_wait_failed(apr_interval_time_t *wait, ua_ctx_t *ctx,
                            const char *name) UA_MUST_USE;

/* Forgets the failures. */
apr_status_t ua_throttle_clear(ua_ctx_t *ctx, const char *name) UA_MUST_USE;

/* Removes counters untouched since `then` whose wait is over. */
apr_status_t ua_throttle_sweep(int *more, ua_ctx_t *ctx, apr_time_t then) UA_MUST_USE;

#endif
