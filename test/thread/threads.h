/* threads.h: eight threads that do one thing for a while, for the programs of this folder.
 *
 * Built and run under ThreadSanitizer by test/run/threads.sh. A program finds what no sanitizer can: results that are
 * of no possible order of what the threads did. It tells them by wrong() and ends with finished(). Uses no httpd.
 */
#ifndef THREADS_H
#define THREADS_H

#include "base/base.h"

#include <stdatomic.h>

#define THREADS 8

typedef struct worker_t {
    int number;       /* 0..THREADS - 1 */
    apr_pool_t *pool; /* the thread's own; cleared after each round */
    apr_uint64_t random;
    int rounds;
    void (*round)(struct worker_t *worker);
} worker_t;

/* A number below `limit`, of the thread's own sequence: alike in each run. */
unsigned pick(worker_t *worker, unsigned limit);

/* What must not be. The first ones are printed, all are counted. From any thread. */
void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Each thread calls `round` so many times, THREAD_ROUNDS percent of them when that is set; returns when all are done. */
void together(void (*round)(worker_t *worker), int rounds);

/* Something that has to have happened: a program that did nothing proves nothing. */
void expect_some(const char *what, unsigned long count);

/* The program's exit status. */
int finished(void);

#endif
