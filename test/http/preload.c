/* preload.c: stands before APR's calls to a database in a live server (LD_PRELOAD) and counts them; at a chosen one the
 * process is killed, or the call fails, once or from then on. preload.py sets what happens, in memory that both share. */
#define _GNU_SOURCE
#include <apr_dbd.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NOTHING, KILL_BEFORE, KILL_AFTER, FAIL_ONCE, FAIL_FROM };

static struct shared {
    atomic_int how;
    atomic_int at;
    atomic_int count;
    atomic_int done; /* how often it happened */
} *shared;

__attribute__((constructor)) static void attach(void)
{
    const char *path = getenv("UA_PRELOAD");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (file >= 0) {
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        shared = shared == MAP_FAILED ? NULL : shared;
        close(file);
    }
}

static void die(void)
{
    atomic_fetch_add(&shared->done, 1);
    raise(SIGKILL);
}

/* 1 when this call is to fail. *last: it is the last thing that this process does. */
static int judge(int *last)
{
    int how = shared ? atomic_load(&shared->how) : NOTHING;
    int number = how != NOTHING ? atomic_fetch_add(&shared->count, 1) + 1 : 0;
    int at = how != NOTHING ? atomic_load(&shared->at) : 0;
    int fails = (how == FAIL_ONCE && number == at) || (how == FAIL_FROM && number >= at);

    *last = how == KILL_AFTER && number == at;
    if (how == KILL_BEFORE && number == at) {
        die();
    }
    if (fails) {
        atomic_fetch_add(&shared->done, 1);
    }
    return fails;
}

/* What fails by itself is told by a number that no driver gives a meaning. */
#define FAILED 77

#define STAND_BEFORE(type, name, parameters, arguments)                                        \
    type name parameters                                                                       \
    {                                                                                          \
        static type(*real) parameters;                                                         \
        int last = 0;                                                                          \
        type result = FAILED;                                                                  \
        if (!real) {                                                                           \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                         \
        }                                                                                      \
        if (!judge(&last)) {                                                                   \
            result = real arguments;                                                           \
        }                                                                                      \
        if (last) {                                                                            \
            die();                                                                             \
        }                                                                                      \
        return result;                                                                         \
    }

STAND_BEFORE(apr_status_t, apr_dbd_open_ex,
             (const apr_dbd_driver_t *driver, apr_pool_t *pool, const char *params, apr_dbd_t **handle, const char **error),
             (driver, pool, params, handle, error))
STAND_BEFORE(int, apr_dbd_query, (const apr_dbd_driver_t *driver, apr_dbd_t *handle, int *rows, const char *sql),
             (driver, handle, rows, sql))
STAND_BEFORE(int, apr_dbd_prepare,
             (const apr_dbd_driver_t *driver, apr_pool_t *pool, apr_dbd_t *handle, const char *sql, const char *label,
              apr_dbd_prepared_t **out),
             (driver, pool, handle, sql, label, out))
STAND_BEFORE(int, apr_dbd_pbquery,
             (const apr_dbd_driver_t *driver, apr_pool_t *pool, apr_dbd_t *handle, int *rows, apr_dbd_prepared_t *statement,
              const void **values),
             (driver, pool, handle, rows, statement, values))
STAND_BEFORE(int, apr_dbd_pbselect,
             (const apr_dbd_driver_t *driver, apr_pool_t *pool, apr_dbd_t *handle, apr_dbd_results_t **results,
              apr_dbd_prepared_t *statement, int random, const void **values),
             (driver, pool, handle, results, statement, random, values))
