/* test_lock.c: turns over threads and processes, and what killed owners leave.
 *
 * Locks lie in anonymous shared memory, as under httpd. Nothing here sleeps: children and threads
 * say over a pipe or by ending how far they are.
 */
#include "base/lock.h"
#include "base/processor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define AREA    65536
#define THREADS 4
#define ROUNDS  2000
#define MOMENT  apr_time_from_msec(1)
#define LONG    apr_time_from_sec(60)

static int setup(void **state)
{
    *state = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return *state == MAP_FAILED;
}

static int teardown(void **state)
{
    return munmap(*state, AREA);
}

/* Runs `take` in a child that is killed while it holds what it took. */
static void killed_with(int (*take)(void *), void *data)
{
    int ends[2];
    char ready = 0;
    int status = 0;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ready = (char)take(data);
        (void)!write(ends[1], &ready, 1);
        pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], &ready, 1), 1);
    assert_int_equal(ready, 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static int take_lock(void *data)
{
    return ua_lock_enter(data, LONG) == APR_SUCCESS;
}

static void test_lock_is_exclusive(void **state)
{
    ua_lock_t *lock = NULL;

    assert_int_equal(ua_lock_init(&lock, *state), APR_SUCCESS);
    assert_int_equal(ua_lock_enter(lock, 0), APR_SUCCESS);
    assert_int_equal(ua_lock_enter(lock, 0), APR_TIMEUP);
    assert_int_equal(ua_lock_enter(lock, -1), APR_TIMEUP);
    assert_int_equal(ua_lock_enter(lock, MOMENT), APR_TIMEUP);
    ua_lock_leave(lock);
    assert_int_equal(ua_lock_enter(lock, 0), APR_SUCCESS);
    ua_lock_leave(lock);
}

static void test_lock_of_a_killed_process(void **state)
{
    ua_lock_t *lock = NULL;

    assert_int_equal(ua_lock_init(&lock, *state), APR_SUCCESS);
    for (int i = 0; i < 3; i++) {
        killed_with(take_lock, lock);
        assert_int_equal(ua_lock_enter(lock, i == 0 ? 0 : LONG), APR_SUCCESS);
        assert_int_equal(ua_lock_enter(lock, 0), APR_TIMEUP);
        ua_lock_leave(lock);
    }
}

typedef struct count_t {
    ua_lock_t *lock;
    int number; /* changed under the lock only */
    apr_status_t rv;
} count_t;

static void *count_up(void *data)
{
    count_t *count = data;

    for (int i = 0; i < ROUNDS; i++) {
        if (ua_lock_enter(count->lock, LONG) != APR_SUCCESS) {
            return data;
        }
        count->number++;
        ua_lock_leave(count->lock);
    }
    return NULL;
}

static void test_lock_over_threads(void **state)
{
    count_t count = {NULL, 0, APR_SUCCESS};
    pthread_t threads[THREADS];

    assert_int_equal(ua_lock_init(&count.lock, *state), APR_SUCCESS);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &count), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(count.number, THREADS * ROUNDS);
}

/* Several locks in one memory do not touch each other. */
static void test_sizes(void **state)
{
    ua_lock_t *one = NULL;
    ua_lock_t *two = NULL;

    assert_int_equal(ua_lock_size() % 64, 0);
    assert_int_equal(ua_slots_size(1, 1) % 64, 0);
    assert_true(ua_slots_size(256, 256) >= 512 * ua_lock_size());
    assert_true(ua_slots_size(2, 64) <= AREA);
    assert_int_equal(ua_lock_init(&one, *state), APR_SUCCESS);
    assert_int_equal(ua_lock_init(&two, (char *)*state + ua_lock_size()), APR_SUCCESS);
    assert_int_equal(ua_lock_enter(one, 0), APR_SUCCESS);
    assert_int_equal(ua_lock_enter(two, 0), APR_SUCCESS);
    ua_lock_leave(one);
    assert_int_equal(ua_lock_enter(two, 0), APR_TIMEUP);
    ua_lock_leave(two);
}

static void test_slots_ranges(void **state)
{
    static const struct {
        int slots;
        int queue;
        apr_status_t expected;
    } rows[] = {{0, 1, APR_EINVAL},     {1, 0, APR_EINVAL},   {-1, 1, APR_EINVAL},
                {257, 1, APR_EINVAL},   {1, 257, APR_EINVAL}, {1, 1, APR_SUCCESS},
                {256, 256, APR_SUCCESS}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ua_slots_t *slots = NULL;
        assert_int_equal(ua_slots_init(&slots, *state, rows[i].slots, rows[i].queue),
                         rows[i].expected);
        assert_int_equal(slots != NULL, rows[i].expected == APR_SUCCESS);
    }
}

static void test_slots_are_bounded(void **state)
{
    ua_slots_t *slots = NULL;
    int first = -1;
    int second = -1;
    int third = -7;

    assert_int_equal(ua_slots_init(&slots, *state, 2, 1), APR_SUCCESS);
    assert_int_equal(ua_slots_count(slots), 2);
    assert_int_equal(ua_slots_enter(slots, 0, &first), APR_SUCCESS);
    assert_int_equal(ua_slots_enter(slots, 0, &second), APR_SUCCESS);
    assert_int_not_equal(first, second);
    /* The place in the queue is free again each time the wait is over. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ua_slots_enter(slots, i * MOMENT, &third), APR_TIMEUP);
        assert_int_equal(third, -7);
    }
    ua_slots_leave(slots, first);
    ua_slots_leave(slots, -1);
    ua_slots_leave(slots, 2);
    assert_int_equal(ua_slots_enter(slots, 0, &third), APR_SUCCESS);
    assert_int_equal(third, first);
    ua_slots_leave(slots, third);
    ua_slots_leave(slots, second);
}

/* The slot whose processor (processor.h) a thread is on is the first to be tried. */
static void test_slot_of_the_processor(void **state)
{
    int count = ua_processors() < 16 ? ua_processors() : 16;
    ua_slots_t *slots = NULL;
    int matched = 0;

    assert_int_equal(ua_slots_init(&slots, *state, count, 1), APR_SUCCESS);
    for (int i = 0; i < 1000 && !matched;
         i++) { /* the kernel may move a thread between two lines */
        ua_processor_t processor;
        int slot = -1;

        ua_processor_bind(&processor, count - 1, count); /* go there */
        ua_processor_release(&processor);
        assert_int_equal(ua_slots_enter(slots, 0, &slot), APR_SUCCESS);
        matched = slot == count - 1;
        ua_slots_leave(slots, slot);
    }
    assert_true(matched);
}

typedef struct waiter_t {
    ua_slots_t *slots;
    apr_interval_time_t wait;
    apr_status_t rv;
} waiter_t;

/* Tries again while the only place is taken by the one who looks whether it is taken. */
static void *wait_in_queue(void *data)
{
    waiter_t *waiter = data;
    int slot = -1;

    do {
        waiter->rv = ua_slots_enter(waiter->slots, waiter->wait, &slot);
    } while (waiter->rv == APR_EAGAIN);
    if (waiter->rv == APR_SUCCESS) {
        ua_slots_leave(waiter->slots, slot);
    }
    return NULL;
}

/* One waits, so the queue of one is full; when a slot falls free, the one who waits gets it. */
static void test_queue_is_bounded(void **state)
{
    ua_slots_t *slots = NULL;
    waiter_t waiter = {NULL, LONG, APR_EGENERAL};
    pthread_t thread;
    apr_status_t rv = APR_TIMEUP;
    int taken[2] = {-1, -1};
    int slot = -1;

    assert_int_equal(ua_slots_init(&slots, *state, 2, 1), APR_SUCCESS);
    assert_int_equal(ua_slots_enter(slots, 0, &taken[0]), APR_SUCCESS);
    assert_int_equal(ua_slots_enter(slots, 0, &taken[1]), APR_SUCCESS);
    waiter.slots = slots;
    assert_int_equal(pthread_create(&thread, NULL, wait_in_queue, &waiter), 0);
    while (rv == APR_TIMEUP) {
        (void)sched_yield();
        rv = ua_slots_enter(slots, 0, &slot); /* until the other one has the place */
    }
    assert_int_equal(rv, APR_EAGAIN);
    assert_int_equal(ua_slots_enter(slots, LONG, &slot), APR_EAGAIN);
    ua_slots_leave(slots, taken[1]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(waiter.rv, APR_SUCCESS);
    ua_slots_leave(slots, taken[0]);
}

#define LINE 6

typedef struct line_t {
    ua_slots_t *slots;
    int number;
    volatile pid_t thread;
    int served; /* as which one, from 1 on */
} line_t;

static int served;

static void *stand_in_line(void *data)
{
    line_t *own = data;
    int slot = -1;

    own->thread = gettid();
    if (ua_slots_enter(own->slots, LONG, &slot) == APR_SUCCESS) {
        own->served = ++served; /* there is one slot */
        ua_slots_leave(own->slots, slot);
    }
    return NULL;
}

/* 1 when the thread sleeps. */
static int sleeps(pid_t thread)
{
    char path[64];
    char text[256] = "";
    FILE *file = NULL;

    (void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    file = thread > 0 ? fopen(path, "r") : NULL;
    if (file) {
        (void)fread(text, 1, sizeof text - 1, file);
        (void)fclose(file);
    }
    return strstr(text, ") S ") != NULL;
}

/* Who came first is served first. */
static void test_queue_is_fair(void **state)
{
    ua_slots_t *slots = NULL;
    pthread_t threads[LINE];
    line_t line[LINE];
    int slot = -1;

    memset(line, 0, sizeof line);
    assert_int_equal(ua_slots_init(&slots, *state, 1, LINE), APR_SUCCESS);
    for (int round = 0; round < 3; round++) {
        served = 0;
        assert_int_equal(ua_slots_enter(slots, 0, &slot), APR_SUCCESS);
        for (int i = 0; i < LINE; i++) {
            line[i] = (line_t){slots, i, 0, 0};
            assert_int_equal(pthread_create(&threads[i], NULL, stand_in_line, &line[i]), 0);
            while (!sleeps(line[i].thread)) {
            }
        }
        assert_int_equal(ua_slots_enter(slots, LONG, &slot), APR_EAGAIN);
        ua_slots_leave(slots, slot);
        for (int i = 0; i < LINE; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_int_equal(line[i].served, i + 1);
        }
    }
}

static int take_slots(void *data)
{
    int slot = -1;

    return ua_slots_enter(data, 0, &slot) == APR_SUCCESS &&
           ua_slots_enter(data, 0, &slot) == APR_SUCCESS;
}

static int take_slots_and_wait(void *data)
{
    static waiter_t waiter;
    pthread_t thread;
    apr_status_t rv = APR_TIMEUP;
    int slot = -1;

    waiter = (waiter_t){data, LONG, APR_EGENERAL};
    if (!take_slots(data) || pthread_create(&thread, NULL, wait_in_queue, &waiter) != 0) {
        return 0;
    }
    while (rv == APR_TIMEUP) {
        (void)sched_yield();
        rv = ua_slots_enter(data, 0, &slot);
    }
    return rv == APR_EAGAIN;
}

/* trap 33: a killed child leaks neither slots nor places. */
static void test_slots_of_a_killed_process(void **state)
{
    ua_slots_t *slots = NULL;
    int slot = -1;

    assert_int_equal(ua_slots_init(&slots, *state, 2, 1), APR_SUCCESS);
    for (int i = 0; i < 3; i++) {
        killed_with(i == 0 ? take_slots : take_slots_and_wait, slots);
        assert_int_equal(ua_slots_enter(slots, 0, &slot), APR_SUCCESS);
        assert_int_equal(ua_slots_enter(slots, 0, &slot), APR_SUCCESS);
        assert_int_equal(ua_slots_enter(slots, 0, &slot), APR_TIMEUP);
        ua_slots_leave(slots, 0);
        ua_slots_leave(slots, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lock_is_exclusive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock_of_a_killed_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock_over_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slots_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slots_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slot_of_the_processor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_is_fair, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slots_of_a_killed_process, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
