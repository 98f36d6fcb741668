/* watch.c: the jobs run on two threads of every child, made by mod_watchdog: one for mails, which may
 * wait for a server, one for the rest. No singleton: any child does the work of a killed one. */
#include "edge.h"
#include "base/crypto.h"

#include <apr_thread_mutex.h>
#include <mod_watchdog.h>

#define INTERVAL apr_time_from_msec(200)

/* One watchdog of one child: the jobs of every site. */
typedef struct watch_t {
    int mails;
    apr_array_header_t
        *jobs; /* ua_jobs_t *, made by child_init: mod_watchdog's own pools end early */
    apr_thread_mutex_t *turn; /* held while a turn runs, and for good once the child ends */
} watch_t;

static void run(const watch_t *watch)
{
    for (int i = 0; watch->jobs && i < watch->jobs->nelts; i++) {
        ua_jobs_t *jobs = APR_ARRAY_IDX(watch->jobs, i, ua_jobs_t *);

        if (watch->mails) {
            (void)ua_jobs_mail(jobs, apr_time_now());
        }
        else {
            ua_jobs_sweep(jobs, apr_time_now());
        }
    }
}

static apr_status_t turn(int state, void *data, apr_pool_t *pool)
{
    watch_t *watch = data;

    (void)pool;
    if (state == AP_WATCHDOG_STATE_RUNNING &&
        apr_thread_mutex_trylock(watch->turn) == APR_SUCCESS) {
        run(watch);
        ua_crypto_thread_end(); /* mod_watchdog joins its threads after OpenSSL is gone */
        apr_thread_mutex_unlock(watch->turn);
    }
    return APR_SUCCESS;
}

/* Before anything of the child is torn down: no turn begins, and the running one ends. */
static apr_status_t stop(void *data)
{
    watch_t *watch = data;

    for (int i = 0; i < watch->jobs->nelts; i++) {
        ua_jobs_stop(APR_ARRAY_IDX(watch->jobs, i, ua_jobs_t *));
    }
    return apr_thread_mutex_lock(watch->turn);
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

static apr_status_t make_jobs(watch_t *watch, apr_pool_t *pool, server_rec *main_server)
{
    watch->jobs = apr_array_make(pool, 2, sizeof(ua_jobs_t *));
    apr_pool_pre_cleanup_register(pool, watch, stop);
    for (const server_rec *s = main_server; s; s = s->next) {
        UA_CHECK(add_jobs(watch, pool, ua_edge_server(s)));
    }
    return APR_SUCCESS;
}

apr_status_t ua_edge_watch_child(apr_pool_t *pchild, server_rec *main_server)
{
    const apr_array_header_t *watches = ua_edge_server(main_server)->watches;

    for (int i = 0; watches && i < watches->nelts; i++) {
        UA_CHECK(make_jobs(APR_ARRAY_IDX(watches, i, watch_t *), pchild, main_server));
    }
    return APR_SUCCESS;
}

const char *ua_edge_watch(server_rec *s, apr_pool_t *pconf)
{
    static const char *const names[] = {"userauth-jobs", "userauth-mail"};
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);

    if (!get || !add) {
        return "mod_watchdog is missing: load it (LoadModule watchdog_module "
               "modules/mod_watchdog.so)";
    }
    ua_edge_server(s)->watches = apr_array_make(pconf, 2, sizeof(watch_t *));
    for (int mails = 0; mails < 2; mails++) {
        watch_t *watch = apr_pcalloc(pconf, sizeof *watch);
        ap_watchdog_t *dog = NULL;

        watch->mails = mails;
        APR_ARRAY_PUSH(ua_edge_server(s)->watches, watch_t *) = watch;
        if (apr_thread_mutex_create(&watch->turn, APR_THREAD_MUTEX_DEFAULT, pconf) !=
                APR_SUCCESS ||
            get(&dog, names[mails], 0, 0, pconf) != APR_SUCCESS ||
            add(dog, INTERVAL, watch, turn) != APR_SUCCESS) {
            return "mod_watchdog gives no thread for sending mail";
        }
    }
    return NULL;
}
