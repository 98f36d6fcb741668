/* lock.h: mutual exclusion over all threads of all children, in memory they share.
 *
 * Both kinds live in memory the caller provides (shared and zeroed; anonymous shared memory under
 * httpd, plain memory in a test) and are robust: what a killed process held is free again.
 * Used by db.c (one writer at a time on SQLite) and for the bound on concurrent hashes.
 */
#ifndef UA_LOCK_H
#define UA_LOCK_H

#include "base.h"

typedef struct ua_lock_t ua_lock_t;
typedef struct ua_slots_t ua_slots_t;

/* Bytes a lock needs, suitably rounded for an array of anything behind it. */
apr_size_t ua_lock_size(void);

/* Makes a lock of zeroed shared memory. Call once, before any child exists. */
apr_status_t ua_lock_init(ua_lock_t **out, void *memory) UA_MUST_USE;

/* Waits at most `wait` microseconds. APR_SUCCESS, or APR_TIMEUP. */
apr_status_t ua_lock_enter(ua_lock_t *lock, apr_interval_time_t wait) UA_MUST_USE;

void ua_lock_leave(ua_lock_t *lock);

/* A bound: `slots` callers at once, `queue` more waiting, served in the order they came (but that who waits in vain
 * and leaves lets the next one pass those before it), the rest refused. 1..256 each. */
apr_size_t ua_slots_size(int slots, int queue);
apr_status_t ua_slots_init(ua_slots_t **out, void *memory, int slots, int queue) UA_MUST_USE;

/* Takes a slot, if it can be one of the current processor (processor.h); *slot is what ua_slots_leave()
 * wants. Slot and place in the queue are robust locks owned by the calling thread, so leave on the
 * thread that entered.
 * APR_SUCCESS; APR_EAGAIN: the queue is full; APR_TIMEUP: `wait` microseconds passed. */
apr_status_t ua_slots_enter(ua_slots_t *slots, apr_interval_time_t wait, int *slot) UA_MUST_USE;
void ua_slots_leave(ua_slots_t *slots, int slot);

/* How many there are. */
int ua_slots_count(const ua_slots_t *slots);

#endif
