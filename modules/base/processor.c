/* processor.c: see processor.h. The processors that a thread may use are counted from 0; the nth belongs to slot
 * n % slots. */
#include "processor.h"

#include <unistd.h>

static int online(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count > 0 ? (int)count : 1;
}

#ifdef __linux__

int ua_processors(void)
{
    cpu_set_t allowed;

    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : online();
}

/* How many of these are numbered below this one; -1 when it is none of them. */
static int rank_of(const cpu_set_t *allowed, int number)
{
    int rank = 0;

    if (number < 0 || number >= CPU_SETSIZE || !CPU_ISSET((size_t)number, allowed)) {
        return -1;
    }
    for (int i = 0; i < number; i++) {
        rank += CPU_ISSET((size_t)i, allowed) != 0;
    }
    return rank;
}

/* The current processor if it is of this slot, else the first that is; -1 where slots outnumber processors. */
static int number_of(const cpu_set_t *allowed, int slot, int slots)
{
    int here = sched_getcpu();
    int rank = rank_of(allowed, here);

    if (rank >= 0 && rank % slots == slot) {
        return here;
    }
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET((size_t)i, allowed) && rank_of(allowed, i) == slot) {
            return i;
        }
    }
    return -1;
}

int ua_processor_slot(int slots)
{
    cpu_set_t allowed;
    int rank = sched_getaffinity(0, sizeof allowed, &allowed) == 0
                   ? rank_of(&allowed, sched_getcpu())
                   : -1;

    return rank < 0 ? 0 : rank % slots;
}

void ua_processor_bind(ua_processor_t *out, int slot, int slots)
{
    cpu_set_t one;
    int number = -1;

    out->bound = 0;
    if (slot < 0 || sched_getaffinity(0, sizeof out->before, &out->before) != 0) {
        return;
    }
    number = number_of(&out->before, slot, slots);
    if (number >= 0) {
        CPU_ZERO(&one);
        CPU_SET((size_t)number, &one);
        out->bound = sched_setaffinity(0, sizeof one, &one) == 0;
    }
}

void ua_processor_release(const ua_processor_t *processor)
{
    if (processor->bound) {
        (void)sched_setaffinity(0, sizeof processor->before, &processor->before);
    }
}

#else

int ua_processors(void)
{
    return online();
}

int ua_processor_slot(int slots)
{
    (void)slots;
    return 0;
}

void ua_processor_bind(ua_processor_t *out, int slot, int slots)
{
    (void)slot;
    (void)slots;
    out->bound = 0;
}

void ua_processor_release(const ua_processor_t *processor)
{
    (void)processor;
}

#endif
