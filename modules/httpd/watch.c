/* watch.c: the jobs run on two threads of every child: one for mails, which may wait for a server, one
 * for the rest. No singleton: any child does the work of a killed one.
 *
 * Not mod_watchdog's threads: those make pools of the process's allocator, which has no lock, beside each
 * other and the child's start, and are joined only after OpenSSL's clean-up. Ours have allocators of their own
 * and are gone before anything of the child is torn down. */
#include "edge.h"

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <signal.h>

#define INTERVAL apr_time_from_msec(200)

/* One thread of one child: the jobs of every site. */
typedef struct watch_t {
    int mails;
    apr_array_header_t *jobs; /* ua_jobs_t * */
    apr_pool_t *pool;         /* the thread's own */
    apr_thread_t *thread;
    apr_thread_mutex_t *mutex; /* of `ending` */
    apr_thread_cond_t *end;
    int ending;
} watch_t;

static void run(const watch_t *watch)
{
    for (int i = 0; i < watch->jobs->nelts; i++) {
        ua_jobs_t *jobs = APR_ARRAY_IDX(watch->jobs, i, ua_jobs_t *);

        if (watch->mails) {
            (void)ua_jobs_mail(jobs, apr_time_now());
        }
        else {
            ua_jobs_sweep(jobs, apr_time_now());
        }
    }
}

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *data)
{
    watch_t *watch = data;

    (void)thread;
    apr_thread_mutex_lock(watch->mutex);
    while (!watch->ending) {
        apr_thread_cond_timedwait(watch->end, watch->mutex, INTERVAL);
        if (!watch->ending) {
            apr_thread_mutex_unlock(watch->mutex);
            run(watch);
            apr_thread_mutex_lock(watch->mutex);
        }
    }
    apr_thread_mutex_unlock(watch->mutex);
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
    apr_thread_mutex_lock(watch->mutex);
    watch->ending = 1;
    apr_thread_cond_signal(watch->end);
    apr_thread_mutex_unlock(watch->mutex);
    apr_thread_join(&rv, watch->thread);
    apr_pool_destroy(watch->pool);
    return rv;
}

static apr_status_t add_jobs(watch_t *watch, apr_pool_t *pool, const ua_server_t *server)
{
    ua_jobs_t *jobs = NULL;

    if (!server->app) {
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

static apr_status_t start(apr_pool_t *pool, server_rec *main_server, int mails)
{
    watch_t *watch = apr_pcalloc(pool, sizeof *watch);

    watch->mails = mails;
    watch->jobs = apr_array_make(pool, 2, sizeof(ua_jobs_t *));
    UA_CHECK(apr_thread_mutex_create(&watch->mutex, APR_THREAD_MUTEX_DEFAULT, pool));
    UA_CHECK(apr_thread_cond_create(&watch->end, pool));
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
    UA_CHECK(start(pchild, main_server, 0));
    return start(pchild, main_server, 1);
}
