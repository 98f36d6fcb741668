/* watch.c: the jobs run on threads of every child: one for mails, which may wait for a server, one that minds those who
 * wait for a database, one for the rest. No singleton: any child does the work of a killed one.
 *
 * Not mod_watchdog's threads: those make pools of the process's allocator, which has no lock, beside each
 * other and the child's start, and are joined only after OpenSSL's clean-up. Ours have allocators of their own
 * and are gone before anything of the child is torn down. */
#include "edge.h"

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_thread_proc.h>
#include <signal.h>
#include <string.h>

/* A turn begins after two pauses. They are relative: a clock that is set back delays nothing. */
#define PAUSE apr_time_from_msec(100)

typedef enum { MIND, SWEEP, MAILS } kind_e;

/* One thread of one child: the jobs of every site. */
typedef struct watch_t {
    kind_e kind;
    apr_array_header_t *jobs; /* ua_jobs_t * */
    apr_pool_t *pool;         /* the thread's own */
    apr_thread_t *thread;
    volatile apr_uint32_t ending;
} watch_t;

/* One turn for each site; 1 when there may be more to do. */
static int run(const watch_t *watch)
{
    int more = 0;

    for (int i = 0; i < watch->jobs->nelts; i++) {
        ua_jobs_t *jobs = APR_ARRAY_IDX(watch->jobs, i, ua_jobs_t *);

        if (watch->kind == MAILS) {
            more |= ua_jobs_mail(jobs, apr_time_now());
        }
        else if (watch->kind == SWEEP) {
            ua_jobs_sweep(jobs, apr_time_now());
        }
        else {
            ua_jobs_mind(jobs, apr_time_now());
        }
    }
    return more;
}

/* A child that ends, be it only after its last long answer, leaves the jobs to those with the new settings; but its
 * answers may still wait for a database. */
static int is_over(watch_t *watch)
{
    int state = AP_MPMQ_STOPPING;

    if (apr_atomic_read32(&watch->ending) || watch->kind == MIND) {
        return apr_atomic_read32(&watch->ending) != 0;
    }
    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) != APR_SUCCESS || state == AP_MPMQ_STOPPING;
}

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *data)
{
    watch_t *watch = data;

    (void)thread;
    for (int pauses = 0; !is_over(watch); pauses = (pauses + 1) % 2) {
        while (pauses == 1 && run(watch) && !is_over(watch)) {
        }
        apr_sleep(PAUSE);
    }
    return NULL;
}

/* Before anything of the child is torn down: the running turn ends, and no other begins. */
static apr_status_t stop(void *data)
{
    watch_t *watch = data;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < watch->jobs->nelts; i++) {
        ua_jobs_stop(APR_ARRAY_IDX(watch->jobs, i, ua_jobs_t *));
    }
    apr_atomic_set32(&watch->ending, 1);
    apr_thread_join(&rv, watch->thread);
    apr_pool_destroy(watch->pool);
    return rv;
}

static apr_status_t add_jobs(watch_t *watch, apr_pool_t *pool, const ua_server_t *server)
{
    ua_jobs_t *jobs = NULL;

    /* A file needs no minding. */
    if (!server->app ||
        (watch->kind == MIND && strcmp(server->app->conf->database[0], "sqlite3") == 0)) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_jobs_create(&jobs, pool, server->app));
    APR_ARRAY_PUSH(watch->jobs, ua_jobs_t *) = jobs;
    return APR_SUCCESS;
}

/* The thread gets no signal: each is for the MPM's own threads. */
static apr_status_t start_thread(watch_t *watch)
{
    sigset_t before;
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(apr_pool_create_unmanaged(&watch->pool));
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    rv = apr_setup_signal_thread();
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&watch->thread, NULL, work, watch, watch->pool);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(watch->pool);
    }
    return rv;
}

static apr_status_t start(apr_pool_t *pool, server_rec *main_server, kind_e kind)
{
    watch_t *watch = apr_pcalloc(pool, sizeof *watch);

    watch->kind = kind;
    watch->jobs = apr_array_make(pool, 2, sizeof(ua_jobs_t *));
    for (const server_rec *s = main_server; s; s = s->next) {
        UA_CHECK(add_jobs(watch, pool, ua_edge_server(s)));
    }
    if (watch->jobs->nelts > 0) {
        UA_CHECK(start_thread(watch));
        apr_pool_pre_cleanup_register(pool, watch, stop);
    }
    return APR_SUCCESS;
}

apr_status_t ua_edge_watch(apr_pool_t *pchild, server_rec *main_server)
{
    UA_CHECK(start(pchild, main_server, MIND)); /* the last to end: the others may need it */
    UA_CHECK(start(pchild, main_server, SWEEP));
    return start(pchild, main_server, MAILS);
}
