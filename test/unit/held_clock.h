/* held_clock.h: apr_time_now() in the hand of the test. Include it in one source file of a program only.
 *
 * The function below stands before the library's own: time stands still but for clock_turn(), and for
 * held_look where a test sets it.
 */
#ifndef HELD_CLOCK_H
#define HELD_CLOCK_H

#include <apr_time.h>

#include <stdatomic.h>

static _Atomic apr_time_t held_clock = 1795249800000000; /* as UA_TEST_START */
static _Atomic apr_interval_time_t held_look;            /* each look takes so long */

apr_time_t apr_time_now(void)
{
    return atomic_fetch_add(&held_clock, atomic_load(&held_look));
}

static inline void clock_turn(apr_interval_time_t by)
{
    atomic_fetch_add(&held_clock, by);
}

#endif
