/* processor.h: which processors a thread runs on.
 *
 * Each hash of Argon2 fills fresh pages, and a processor is given those that were last freed on it, which its caches
 * still hold. Hashes that change processors take a quarter longer, so each slot of lock.h has processors of its own.
 * Known to Linux only (sched(7)), for up to 1024 processors; elsewhere nothing is bound. Used by lock.c,
 * domain/password.c and httpd/start.c.
 */
#ifndef UA_PROCESSOR_H
#define UA_PROCESSOR_H

#include <sched.h>

/* What a thread was allowed before it was bound. */
typedef struct ua_processor_t {
#ifdef __linux__
    cpu_set_t before;
#endif
    int bound;
} ua_processor_t;

/* How many the calling thread may use (a container's set counts, not the machine's); where that is unknown, how many
 * there are. */
int ua_processors(void);

/* The slot, of `slots`, that the current one belongs to; 0 where that is unknown. */
int ua_processor_slot(int slots);

/* Binds the calling thread to a processor of this slot: the current one if that is one, else the first of them. `out`
 * is for ua_processor_release(), which lets the thread go where it could before. Without a slot (negative), and
 * whatever the kernel refuses, nothing happens. */
void ua_processor_bind(ua_processor_t *out, int slot, int slots);
void ua_processor_release(const ua_processor_t *processor);

#endif
