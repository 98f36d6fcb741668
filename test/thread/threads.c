/* threads.c: see threads.h. Besides, waits by a given clock as ThreadSanitizer knows them.
 *
 * gcc 12's ThreadSanitizer does not know pthread_mutex_clocklock() and sem_clockwait(), and would take what such a mutex
 * guards for unguarded. Those who stand here are found before the library's own, and wait by the calls it does know.
 */
#include "threads.h"

#include <apr_general.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TOLD_MOST   10
#define WRONGS_MOST 100 /* then it is known, and each may have cost seconds */
#define NSEC_IN_SEC 1000000000L

static atomic_uint wrongs;

/* The same moment by the clock that the other calls take. */
static struct timespec by_day(clockid_t clock, const struct timespec *until)
{
    struct timespec here = {0, 0};
    struct timespec day = {0, 0};

    (void)clock_gettime(clock, &here);
    (void)clock_gettime(CLOCK_REALTIME, &day);
    day.tv_sec += until->tv_sec - here.tv_sec;
    day.tv_nsec += until->tv_nsec - here.tv_nsec;
    if (day.tv_nsec < 0) {
        day.tv_nsec += NSEC_IN_SEC;
        day.tv_sec--;
    }
    if (day.tv_nsec >= NSEC_IN_SEC) {
        day.tv_nsec -= NSEC_IN_SEC;
        day.tv_sec++;
    }
    return day;
}

#pragma GCC visibility push(default)

int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
                            const struct timespec *until)
{
    struct timespec day = by_day(clock, until);

    return pthread_mutex_timedlock(mutex, &day);
}

int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
    struct timespec day = by_day(clock, until);

    return sem_timedwait(sem, &day);
}

#pragma GCC visibility pop

/* xorshift64 */
unsigned pick(worker_t *worker, unsigned limit)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return (unsigned)(worker->random >> 32) % limit;
}

void wrong(const char *format, ...)
{
    va_list args;

    if (atomic_fetch_add(&wrongs, 1) < TOLD_MOST) {
        va_start(args, format);
        fputs("wrong: ", stderr);
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
        va_end(args);
    }
}

static void *work(void *data)
{
    worker_t *worker = data;

    for (int i = 0; i < worker->rounds && atomic_load(&wrongs) < WRONGS_MOST; i++) {
        worker->round(worker);
        apr_pool_clear(worker->pool);
    }
    return NULL;
}

/* Pools of no parent, as a request's is the only one to be used by its thread. */
void together(void (*round)(worker_t *worker), int rounds)
{
    const char *percent = getenv("THREAD_ROUNDS");
    worker_t workers[THREADS];
    pthread_t threads[THREADS];

    rounds = percent ? (int)((long)rounds * atol(percent) / 100) : rounds;
    for (int i = 0; i < THREADS; i++) {
        workers[i] =
            (worker_t){i, NULL, 0x9e3779b97f4a7c15ULL * (unsigned)(i + 1), rounds, round};
        if (apr_pool_create_unmanaged_ex(&workers[i].pool, NULL, NULL) != APR_SUCCESS ||
            pthread_create(&threads[i], NULL, work, &workers[i]) != 0) {
            wrong("thread %d cannot be made", i);
            exit(finished());
        }
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        apr_pool_destroy(workers[i].pool);
    }
}

void expect_some(const char *what, unsigned long count)
{
    printf("%s: %lu\n", what, count);
    if (count == 0) {
        wrong("no %s at all", what);
    }
}

int finished(void)
{
    unsigned count = atomic_load(&wrongs);

    if (count > 0) {
        fprintf(stderr, "%u results are wrong\n", count);
    }
    return count > 0;
}
