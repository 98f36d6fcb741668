/* db_faults.h: makes chosen calls of apr_dbd fail. Include it in one source file of a program only.
 *
 * The functions below stand before the library's own of the same name and pass each call on, unless
 * a rule says that it fails, as if the database had. Without rules nothing is changed. The calls
 * that look at a test's rows (fixture_look.c) are none of the site's: faults_off() before them.
 */
#ifndef DB_FAULTS_H
#define DB_FAULTS_H

#include <apr_dbd.h>
#include <apr_reslist.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* The kinds of calls. ROLLBACK always works: nobody could tell otherwise. */
#define FAULT_BEGIN   1
#define FAULT_COMMIT  2
#define FAULT_WRITE   4 /* a statement that changes rows, and a literal one */
#define FAULT_SELECT  8
#define FAULT_PREPARE 16
#define FAULT_ANY     31
#define FAULT_LEASE   128 /* a connection is wanted, and none is to be had */

/* Of the calls of these kinds, `skip` work, the next `times` fail, and then they work again. */
typedef struct fault_t {
    int kinds;
    int skip;
    int times;
    int done;  /* the call is made, only its answer is lost */
    int rc;    /* what it reports; 0: 1 */
    int after; /* counts only once so many calls have failed under other rules */
    int seen;
} fault_t;

#define FAULT_RULES 4

static struct {
    fault_t rules[FAULT_RULES];
    int count;
    int failed; /* calls, under all rules */
    int calls;  /* of any kind, failed or not */
} faults;

/* Of the whole program: how often rules made something fail, and how many calls did. */
static struct {
    int runs;
    int calls;
} injected;

static inline void faults_off(void)
{
    injected.runs += faults.failed > 0;
    injected.calls += faults.failed;
    memset(&faults, 0, sizeof faults);
}

/* At the program's end; test/run/units.sh adds them up. */
static __attribute__((destructor)) void faults_told(void)
{
    faults_off();
    printf("injected %d %d\n", injected.runs, injected.calls);
}

static inline void faults_add(fault_t rule)
{
    faults.rules[faults.count++] = rule;
}

/* 0, or what the call is to report; *done when it is to be made all the same. */
static inline int fault_of(int kind, int *done)
{
    int rc = 0;

    faults.calls++;
    *done = 0;
    for (int i = 0; i < faults.count && rc == 0; i++) {
        fault_t *rule = &faults.rules[i];
        int counts = (rule->kinds & kind) && faults.failed >= rule->after;

        rule->seen += counts;
        if (counts && rule->seen > rule->skip && rule->seen - rule->skip <= rule->times) {
            rc = rule->rc ? rule->rc : 1;
            *done = rule->done;
        }
    }
    faults.failed += rc != 0;
    return rc;
}

/* Makes `real` the library's function: C has no cast from an object to a function. */
#define FIND_REAL(real, name)                                                                  \
    do {                                                                                       \
        void *found_ = dlsym(RTLD_NEXT, name);                                                 \
        memcpy(&(real), &found_, sizeof(real));                                                \
    } while (0)

static inline int kind_of(const char *statement)
{
    return strncmp(statement, "BEGIN", 5) == 0      ? FAULT_BEGIN
           : strcmp(statement, "COMMIT") == 0       ? FAULT_COMMIT
           : strncmp(statement, "ROLLBACK", 8) == 0 ? 0
                                                    : FAULT_WRITE;
}

int apr_dbd_query(const apr_dbd_driver_t *driver, apr_dbd_t *handle, int *rows,
                  const char *statement)
{
    int (*real)(const apr_dbd_driver_t *, apr_dbd_t *, int *, const char *) = NULL;
    int done = 1;
    int kind = kind_of(statement);
    int rc = kind ? fault_of(kind, &done) : 0;

    FIND_REAL(real, "apr_dbd_query");
    if (rc != 0 && done) {
        (void)real(driver, handle, rows, statement);
    }
    return rc != 0 ? rc : real(driver, handle, rows, statement);
}

int apr_dbd_pbquery(const apr_dbd_driver_t *driver, apr_pool_t *pool, apr_dbd_t *handle,
                    int *rows, apr_dbd_prepared_t *statement, const void **args)
{
    int (*real)(const apr_dbd_driver_t *, apr_pool_t *, apr_dbd_t *, int *,
                apr_dbd_prepared_t *, const void **) = NULL;
    int done = 0;
    int rc = fault_of(FAULT_WRITE, &done);

    FIND_REAL(real, "apr_dbd_pbquery");
    if (rc != 0 && done) {
        (void)real(driver, pool, handle, rows, statement, args);
    }
    return rc != 0 ? rc : real(driver, pool, handle, rows, statement, args);
}

int apr_dbd_pbselect(const apr_dbd_driver_t *driver, apr_pool_t *pool, apr_dbd_t *handle,
                     apr_dbd_results_t **results, apr_dbd_prepared_t *statement, int random,
                     const void **args)
{
    int (*real)(const apr_dbd_driver_t *, apr_pool_t *, apr_dbd_t *, apr_dbd_results_t **,
                apr_dbd_prepared_t *, int, const void **) = NULL;
    int done = 0;
    int rc = fault_of(FAULT_SELECT, &done);

    FIND_REAL(real, "apr_dbd_pbselect");
    return rc != 0 ? rc : real(driver, pool, handle, results, statement, random, args);
}

apr_status_t apr_reslist_acquire(apr_reslist_t *list, void **resource)
{
    apr_status_t (*real)(apr_reslist_t *, void **) = NULL;
    int done = 0;

    FIND_REAL(real, "apr_reslist_acquire");
    return fault_of(FAULT_LEASE, &done) ? APR_TIMEUP : real(list, resource);
}

int apr_dbd_prepare(const apr_dbd_driver_t *driver, apr_pool_t *pool, apr_dbd_t *handle,
                    const char *query, const char *label, apr_dbd_prepared_t **statement)
{
    int (*real)(const apr_dbd_driver_t *, apr_pool_t *, apr_dbd_t *, const char *, const char *,
                apr_dbd_prepared_t **) = NULL;
    int done = 0;
    int rc = fault_of(FAULT_PREPARE, &done);

    FIND_REAL(real, "apr_dbd_prepare");
    return rc != 0 ? rc : real(driver, pool, handle, query, label, statement);
}

#endif
