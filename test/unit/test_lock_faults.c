/* test_lock_faults.c: lock.c when the system says no, and how it reckons the end of a wait.
 *
 * The calls it makes are stood in for here; they go on to the C library unless a test says otherwise.
 */
#include "base/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

#define AREA (16 * 1024)

/* The library's own function of this name. */
#define REAL(name) (__extension__(__typeof__(&(name))) dlsym(RTLD_NEXT, #name))

static _Alignas(64) unsigned char area[AREA];
static const char *faulty; /* the call that fails, */
static int spared;         /* after so many that work, */
static int error;          /* with this number */
static struct timespec clock_says;
static struct timespec waited_until;

static int fails(const char *name)
{
    return faulty && strcmp(faulty, name) == 0 && spared-- == 0;
}

int pthread_mutexattr_init(pthread_mutexattr_t *attr)
{
    return fails("attr_init") ? error : REAL(pthread_mutexattr_init)(attr);
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int shared)
{
    return fails("setpshared") ? error : REAL(pthread_mutexattr_setpshared)(attr, shared);
}

int pthread_mutexattr_setrobust(pthread_mutexattr_t *attr, int robust)
{
    return fails("setrobust") ? error : REAL(pthread_mutexattr_setrobust)(attr, robust);
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
    return fails("init") ? error : REAL(pthread_mutex_init)(mutex, attr);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    return fails("trylock") ? error : REAL(pthread_mutex_trylock)(mutex);
}

int pthread_mutex_consistent(pthread_mutex_t *mutex)
{
    return error == EOWNERDEAD ? EINVAL : REAL(pthread_mutex_consistent)(mutex);
}

int clock_gettime(clockid_t which, struct timespec *now)
{
    if (clock_says.tv_sec == 0) {
        return REAL(clock_gettime)(which, now);
    }
    assert_int_equal(which, CLOCK_MONOTONIC); /* CLK-01: the time of day does not matter */
    *now = clock_says;
    return 0;
}

/* Nobody waits here: the time is over at once, and the clock has moved on to it. */
int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t which,
                            const struct timespec *until)
{
    if (clock_says.tv_sec == 0) {
        return REAL(pthread_mutex_clocklock)(mutex, which, until);
    }
    assert_int_equal(which, CLOCK_MONOTONIC);
    assert_true(until->tv_nsec >= 0 && until->tv_nsec < 1000000000L); /* else EINVAL */
    waited_until = clock_says = *until;
    return ETIMEDOUT;
}

int sem_clockwait(sem_t *semaphore, clockid_t which, const struct timespec *until)
{
    if (clock_says.tv_sec == 0) {
        return REAL(sem_clockwait)(semaphore, which, until);
    }
    assert_int_equal(which, CLOCK_MONOTONIC);
    waited_until = clock_says = *until;
    errno = ETIMEDOUT;
    return -1;
}

static int setup(void **state)
{
    (void)state;
    memset(area, 0, sizeof area);
    faulty = NULL;
    spared = error = 0;
    clock_says = waited_until = (struct timespec){0, 0};
    return 0;
}

/* A server that cannot have its locks does not start: the cause goes to the caller. */
static void not_made(void **state)
{
    static const struct {
        const char *call;
        int spared, error;
    } cases[] = {
        {"attr_init", 0, ENOMEM},   {"setpshared", 0, ENOTSUP}, {"setrobust", 0, EINVAL},
        {"init", 0, EAGAIN},        {"attr_init", 2, ENOMEM},   {"init", 1, ENOMEM},
        {"setpshared", 2, ENOTSUP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ua_slots_t *slots = NULL;
        ua_lock_t *lock = NULL;

        faulty = cases[i].call;
        error = cases[i].error;
        spared = cases[i].spared;
        assert_int_equal(ua_slots_init(&slots, area, 2, 1), APR_FROM_OS_ERROR(error));
        assert_null(slots);
        spared = 0;
        assert_int_equal(ua_lock_init(&lock, area), APR_FROM_OS_ERROR(error));
        assert_null(lock);
    }
}

/* A dead owner's lock that cannot be put in order, or one that is broken, is not taken. */
static void not_taken(void **state)
{
    static const int errors[] = {EOWNERDEAD, ENOTRECOVERABLE, EINVAL, EAGAIN};
    ua_lock_t *lock = NULL;

    (void)state;
    assert_int_equal(ua_lock_init(&lock, area), APR_SUCCESS);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        faulty = "trylock";
        error = errors[i];
        spared = 0;
        assert_int_equal(ua_lock_enter(lock, 0), APR_TIMEUP);
    }
}

/* The end of a wait is a time that the system accepts, whatever the clock says. */
static void wait_ends(void **state)
{
    static const struct {
        const char *comment;
        struct timespec now;
        apr_interval_time_t wait;
        struct timespec until;
    } cases[] = {
        {"whole seconds", {100, 5}, 60000000, {160, 5}},
        {"a part of one", {100, 5}, 1500000, {101, 500000005}},
        {"just below the next", {100, 999999}, 999000, {100, 999999999}},
        {"just at the next", {100, 1000000}, 999000, {101, 0}},
        {"over it", {100, 999999999}, 1999999, {102, 999998999}},
    };

    ua_lock_t *lock = NULL;

    (void)state;
    assert_int_equal(ua_lock_init(&lock, area), APR_SUCCESS);
    assert_int_equal(ua_lock_enter(lock, 0), APR_SUCCESS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clock_says = cases[i].now;
        assert_int_equal(ua_lock_enter(lock, cases[i].wait), APR_TIMEUP);
        if (waited_until.tv_sec != cases[i].until.tv_sec ||
            waited_until.tv_nsec != cases[i].until.tv_nsec) {
            fail_msg("%s: until %ld.%09ld", cases[i].comment, (long)waited_until.tv_sec,
                     waited_until.tv_nsec);
        }
    }
    clock_says.tv_sec = 0;
    ua_lock_leave(lock);
}

/* Who waits for a slot gives up when the whole time is over, in short turns, and not before. */
static void slots_wait_ends(void **state)
{
    ua_slots_t *slots = NULL;
    int slot = -1;

    (void)state;
    assert_int_equal(ua_slots_init(&slots, area, 1, 1), APR_SUCCESS);
    assert_int_equal(ua_slots_enter(slots, 0, &slot), APR_SUCCESS);
    clock_says = (struct timespec){100, 990000000};
    assert_int_equal(ua_slots_enter(slots, 27000, &slot), APR_TIMEUP);
    assert_int_equal(waited_until.tv_sec, 101);
    assert_int_equal(waited_until.tv_nsec, 17000000);
    assert_int_equal(slot, 0);
    clock_says.tv_sec = 0;
    ua_slots_leave(slots, slot);
    assert_int_equal(ua_slots_enter(slots, 0, &slot), APR_SUCCESS);
    ua_slots_leave(slots, slot);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(not_made, setup),
        cmocka_unit_test_setup(not_taken, setup),
        cmocka_unit_test_setup(wait_ends, setup),
        cmocka_unit_test_setup(slots_wait_ends, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
