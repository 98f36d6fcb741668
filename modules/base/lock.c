/* lock.c: robust, process-shared POSIX mutexes.
 *
 * APR's own process mutexes have no bounded wait that survives a killed owner on every platform;
 * these live in the caller's shared memory, and the kernel hands on what a dead owner held. What
 * they guard is a turn, not data, so an inherited lock is simply made consistent and used.
 */
#include "lock.h"
#include "processor.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#define ROUND      64 /* a cache line: neighbours do not slow each other */
#define BOUND_MOST 256
/* How often the first in the queue looks for a dead owner's slot. */
#define TURN apr_time_from_msec(5)
/* The gate is held for microseconds. */
#define GATE_WAIT   apr_time_from_sec(1)
#define NSEC_IN_SEC 1000000000L

struct ua_lock_t {
    pthread_mutex_t mutex;
} __attribute__((aligned(ROUND)));

/* Who waits holds a place of a ring, and waits for the place before it: so each waits behind one, and only the first
 * for a slot. One place more than the queue is long stays free: nobody takes the place that another one still waits
 * for. */
struct ua_slots_t {
    int slots;
    int queue;
    int next;    /* the place of the next to come; guarded by the gate */
    sem_t freed; /* a slot, for the first in the queue */
    ua_lock_t gate;
    ua_lock_t locks[]; /* the slots, then the places */
};

apr_size_t ua_lock_size(void)
{
    return sizeof(ua_lock_t);
}

static int mutex_init(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attr;
    int rc = pthread_mutexattr_init(&attr);

    if (rc != 0) {
        return rc;
    }
    rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (rc == 0) {
        rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    }
    if (rc == 0) {
        rc = pthread_mutex_init(mutex, &attr);
    }
    (void)pthread_mutexattr_destroy(&attr);
    return rc;
}

apr_status_t ua_lock_init(ua_lock_t **out, void *memory)
{
    ua_lock_t *lock = memory;
    int rc = mutex_init(&lock->mutex);

    if (rc != 0) {
        return APR_FROM_OS_ERROR(rc);
    }
    *out = lock;
    return APR_SUCCESS;
}

/* 1 when the lock is ours, also by inheritance from a dead owner. */
static int taken(ua_lock_t *lock, int rc)
{
    if (rc == EOWNERDEAD) {
        return pthread_mutex_consistent(&lock->mutex) == 0;
    }
    return rc == 0;
}

/* By the monotonic clock: setting the time of day neither shortens nor prolongs a wait. */
static struct timespec after(apr_interval_time_t wait)
{
    struct timespec at = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)apr_time_sec(wait);
    at.tv_nsec += (long)apr_time_usec(wait) * 1000L;
    if (at.tv_nsec >= NSEC_IN_SEC) {
        at.tv_nsec -= NSEC_IN_SEC;
        at.tv_sec++;
    }
    return at;
}

static apr_interval_time_t left(const struct timespec *until)
{
    struct timespec now = after(0);

    return apr_time_from_sec((apr_interval_time_t)(until->tv_sec - now.tv_sec)) +
           (until->tv_nsec - now.tv_nsec) / 1000;
}

static int try_lock(ua_lock_t *lock)
{
    return taken(lock, pthread_mutex_trylock(&lock->mutex));
}

static int timed_lock(ua_lock_t *lock, apr_interval_time_t wait)
{
    struct timespec until = after(wait);

    return taken(lock, pthread_mutex_clocklock(&lock->mutex, CLOCK_MONOTONIC, &until));
}

apr_status_t ua_lock_enter(ua_lock_t *lock, apr_interval_time_t wait)
{
    if (try_lock(lock)) {
        return APR_SUCCESS;
    }
    if (wait <= 0) {
        return APR_TIMEUP;
    }
    return timed_lock(lock, wait) ? APR_SUCCESS : APR_TIMEUP;
}

void ua_lock_leave(ua_lock_t *lock)
{
    (void)pthread_mutex_unlock(&lock->mutex);
}

apr_size_t ua_slots_size(int slots, int queue)
{
    return sizeof(ua_slots_t) + (apr_size_t)(slots + queue + 1) * sizeof(ua_lock_t);
}

apr_status_t ua_slots_init(ua_slots_t **out, void *memory, int slots, int queue)
{
    ua_slots_t *all = memory;
    int rc = 0;

    if (slots < 1 || slots > BOUND_MOST || queue < 1 || queue > BOUND_MOST) {
        return APR_EINVAL;
    }
    rc = sem_init(&all->freed, 1, 0) == 0 ? mutex_init(&all->gate.mutex) : errno;
    for (int i = 0; rc == 0 && i < slots + queue + 1; i++) {
        rc = mutex_init(&all->locks[i].mutex);
    }
    if (rc != 0) {
        return APR_FROM_OS_ERROR(rc);
    }
    all->slots = slots;
    all->queue = queue;
    *out = all;
    return APR_SUCCESS;
}

/* A free slot, or -1. */
static int any_slot(ua_slots_t *all)
{
    int first = ua_processor_slot(all->slots);

    for (int i = 0; i < all->slots; i++) {
        int slot = (first + i) % all->slots;

        if (try_lock(&all->locks[slot])) {
            return slot;
        }
    }
    return -1;
}

static ua_lock_t *place_at(ua_slots_t *all, int number)
{
    return &all->locks[all->slots + number % (all->queue + 1)];
}

static int is_free(ua_lock_t *lock)
{
    int got = try_lock(lock);

    if (got) {
        ua_lock_leave(lock);
    }
    return got;
}

/* Inside the gate: a slot when nobody waits, else a place behind the others. */
static apr_status_t line_up(ua_slots_t *all, int *slot, int *place)
{
    int next = all->next;

    if (is_free(place_at(all, next + all->queue))) { /* the place before this one */
        *slot = any_slot(all);
    }
    if (*slot >= 0) {
        return APR_SUCCESS;
    }
    if (!is_free(place_at(all, next + 1)) || !try_lock(place_at(all, next))) {
        return APR_EAGAIN;
    }
    all->next = (next + 1) % (all->queue + 1);
    *place = next;
    return APR_SUCCESS;
}

/* A slot, or -1 when the time is over. */
static int wait_for_slot(ua_slots_t *all, int place, apr_interval_time_t wait)
{
    struct timespec until = after(wait);
    apr_interval_time_t rest = wait;
    ua_lock_t *before = place_at(all, place + all->queue);

    if (ua_lock_enter(before, wait) != APR_SUCCESS) {
        return -1;
    }
    ua_lock_leave(before);
    for (;;) {
        int slot = any_slot(all);
        struct timespec turn;

        rest = left(&until);
        if (slot >= 0 || rest <= 0) {
            return slot;
        }
        turn = after(rest < TURN ? rest : TURN);
        (void)sem_clockwait(&all->freed, CLOCK_MONOTONIC, &turn);
    }
}

apr_status_t ua_slots_enter(ua_slots_t *slots, apr_interval_time_t wait, int *slot)
{
    int got = -1;
    int place = -1;
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(ua_lock_enter(&slots->gate, GATE_WAIT));
    rv = line_up(slots, &got, &place);
    ua_lock_leave(&slots->gate);
    UA_CHECK(rv);
    if (got < 0) {
        got = wait_for_slot(slots, place, wait);
        ua_lock_leave(place_at(slots, place));
    }
    if (got < 0) {
        return APR_TIMEUP;
    }
    *slot = got;
    return APR_SUCCESS;
}

void ua_slots_leave(ua_slots_t *slots, int slot)
{
    int told = 0;

    if (slot < 0 || slot >= slots->slots) {
        return;
    }
    ua_lock_leave(&slots->locks[slot]);
    if (sem_getvalue(&slots->freed, &told) == 0 && told < slots->slots) {
        (void)sem_post(&slots->freed);
    }
}

int ua_slots_count(const ua_slots_t *slots)
{
    return slots->slots;
}
