/* test_processor.c: a thread that hashes stays on a processor of its slot, and afterwards goes where it could before.
 *
 * Cases: BF-07
 */
#include "base/processor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* Where there are more processors than a set has room for, or a filter of system calls forbids the question. */
static int untold;

int sched_getaffinity(pid_t thread, size_t size, cpu_set_t *set)
{
    int (*real)(pid_t, size_t, cpu_set_t *) = NULL;
    void *found = dlsym(RTLD_NEXT, "sched_getaffinity");

    memcpy(&real, &found, sizeof real);
    if (untold) {
        errno = EINVAL;
        return -1;
    }
    return real(thread, size, set);
}

static cpu_set_t allowed(void)
{
    cpu_set_t set;

    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    return set;
}

static void use_only(int number)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((size_t)number, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
}

/* The number of the nth that may be used. */
static int nth(const cpu_set_t *set, int rank)
{
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET((size_t)i, set) && rank-- == 0) {
            return i;
        }
    }
    fail();
    return -1;
}

static void assert_unbound(int slot, int slots)
{
    cpu_set_t before = allowed();
    cpu_set_t meanwhile;
    ua_processor_t processor;

    ua_processor_bind(&processor, slot, slots);
    meanwhile = allowed();
    assert_false(processor.bound);
    assert_true(CPU_EQUAL(&before, &meanwhile));
    ua_processor_release(&processor);
}

static void test_each_slot_has_its_own(void **state)
{
    cpu_set_t before = allowed();
    int count = ua_processors();

    (void)state;
    assert_int_equal(count, CPU_COUNT(&before));
    for (int slot = 0; slot < count; slot++) {
        ua_processor_t processor;
        cpu_set_t meanwhile;

        ua_processor_bind(&processor, slot, count);
        meanwhile = allowed();
        assert_int_equal(CPU_COUNT(&meanwhile), 1);
        assert_int_equal(sched_getcpu(), nth(&before, slot));
        assert_int_equal(ua_processors(), 1);
        ua_processor_release(&processor);
        meanwhile = allowed();
        assert_true(CPU_EQUAL(&before, &meanwhile));
    }
}

/* Where several belong to a slot, nobody is moved without need; the kernel may move a thread between two lines. */
static void test_who_is_right_stays(void **state)
{
    cpu_set_t set = allowed();
    int last = nth(&set, CPU_COUNT(&set) - 1);
    int stayed = 0;

    (void)state;
    for (int i = 0; i < 1000 && !stayed; i++) {
        ua_processor_t processor;

        use_only(last);
        assert_int_equal(sched_setaffinity(0, sizeof set, &set), 0);
        ua_processor_bind(&processor, 0, 1);
        assert_true(processor.bound);
        stayed = sched_getcpu() == last;
        ua_processor_release(&processor);
    }
    assert_true(stayed);
}

static void test_slots_beyond_the_processors(void **state)
{
    int count = ua_processors();

    (void)state;
    assert_unbound(count, count + 1);
    assert_unbound(255, 256);
    assert_unbound(-1, count);
    assert_unbound(-1, 0);
}

/* A container's set counts, not the machine's. */
static void *restricted(void *data)
{
    int number = *(int *)data;
    ua_processor_t processor;

    use_only(number);
    assert_int_equal(ua_processors(), 1);
    assert_int_equal(ua_processor_slot(4), 0);
    ua_processor_bind(&processor, 0, 4);
    assert_true(processor.bound);
    assert_int_equal(sched_getcpu(), number);
    ua_processor_release(&processor);
    assert_int_equal(ua_processors(), 1);
    assert_unbound(1, 4);
    return data;
}

static void test_a_set_of_one(void **state)
{
    cpu_set_t set = allowed();
    int last = nth(&set, CPU_COUNT(&set) - 1);
    pthread_t thread;
    void *done = NULL;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, restricted, &last), 0);
    assert_int_equal(pthread_join(thread, &done), 0);
    assert_non_null(done);
}

static void test_the_slot_of_the_current_one(void **state)
{
    cpu_set_t set = allowed();
    int count = CPU_COUNT(&set);
    int last = nth(&set, count - 1);
    int found = 0;

    (void)state;
    for (int i = 0; i < 1000 && !found; i++) {
        use_only(last);
        assert_int_equal(sched_setaffinity(0, sizeof set, &set), 0);
        found = ua_processor_slot(count) == count - 1;
    }
    assert_true(found);
    assert_int_equal(ua_processor_slot(1), 0);
}

static void test_untold(void **state)
{
    ua_processor_t processor;

    (void)state;
    untold = 1;
    assert_int_equal(ua_processors(), sysconf(_SC_NPROCESSORS_ONLN));
    assert_int_equal(ua_processor_slot(4), 0);
    ua_processor_bind(&processor, 0, 4);
    assert_false(processor.bound);
    ua_processor_release(&processor);
    untold = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_slot_has_its_own),
        cmocka_unit_test(test_who_is_right_stays),
        cmocka_unit_test(test_slots_beyond_the_processors),
        cmocka_unit_test(test_a_set_of_one),
        cmocka_unit_test(test_the_slot_of_the_current_one),
        cmocka_unit_test(test_untold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
