/* jobs.c: what runs beside requests, in every child: mails (jobs_mail.c), the uses of sessions, and sweeping. */
#include "jobs.h"
#include "domain/device.h"
#include "domain/event.h"
#include "domain/held_email.h"
#include "domain/old_password.h"
#include "domain/throttle.h"

#include <apr_atomic.h>
#include <sys/param.h>

#define SWEEP_INTERVAL apr_time_from_sec(60)
#define LONGEST_SWEEP  apr_time_from_sec(2)
#define TOUCH_INTERVAL apr_time_from_sec(5)

apr_status_t ua_jobs_create(ua_jobs_t **out, apr_pool_t *pool, const ua_app_t *app)
{
    ua_jobs_t *jobs = apr_pcalloc(pool, sizeof *jobs);

    jobs->app = app;
    jobs->batch = 1;
    UA_CHECK(ua_smtp_create(&jobs->smtp, pool));
    *out = jobs;
    return APR_SUCCESS;
}

apr_status_t ua_jobs_context(ua_ctx_t **out, const ua_jobs_t *jobs, apr_pool_t *pool,
                             apr_time_t now)
{
    const ua_host_t *host = &jobs->app->host;
    apr_status_t rv = ua_app_context(out, jobs->app, pool, now);

    if (rv != APR_SUCCESS) {
        host->log(host->baton, UA_LOG_ERR,
                  "UA0208: no mail is sent and nothing removed: there are no random bytes");
    }
    return rv;
}

void ua_jobs_stop(ua_jobs_t *jobs)
{
    apr_atomic_set32(&jobs->stopping, 1);
}

/* A counter that rests is forgotten after so long: a day, or the longest time that is counted in. */
static apr_interval_time_t longest_rate(const ua_conf_t *conf)
{
    apr_interval_time_t longest = MAX(apr_time_from_sec(24 * 3600), conf->mail_rate.duration);

    for (int i = 0; i < UA_RATES; i++) {
        longest = MAX(longest, conf->rates[i].duration);
    }
    for (int i = 0; i < UA_MAIL_RATES; i++) {
        longest = MAX(longest, conf->mail_rates[i].duration);
    }
    return longest;
}

/* Once a turn. A conflict is none: another node is at the same. */
static void tell(ua_jobs_t *jobs, ua_ctx_t *ctx, apr_status_t rv)
{
    if (rv != APR_SUCCESS && rv != UA_CONFLICT && !jobs->told) {
        jobs->told = 1;
        ua_app_log(jobs->app, ctx, UA_LOG_ERR, "UA0204: old rows can't be removed", rv);
    }
}

/* A table with rows whose time is over. */
typedef struct swept_t {
    apr_status_t (*sweep)(int *more, ua_ctx_t *ctx, apr_time_t then);
    apr_time_t then;
    int more;
} swept_t;

/* One portion. Its context ends with it, so that no connection is held between two; a table that fails rests for the
 * turn, and stops no other. */
static void sweep_some(ua_jobs_t *jobs, swept_t *table, apr_time_t now)
{
    apr_pool_t *pool = NULL;
    ua_ctx_t *ctx = NULL;
    apr_status_t rv = APR_SUCCESS;

    table->more = 0;
    if (apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        return;
    }
    if (ua_jobs_context(&ctx, jobs, pool, now) == APR_SUCCESS) {
        rv = table->sweep(&table->more, ctx, table->then);
        table->more |= rv == UA_CONFLICT;
        tell(jobs, ctx, rv);
    }
    apr_pool_destroy(pool);
}

/* A portion of each table that has more, in turn, so that none waits for another's end; 1 when there is more. */
static int sweep_round(ua_jobs_t *jobs, swept_t *tables, apr_time_t now)
{
    int more = 0;

    for (swept_t *table = tables; table->sweep; table++) {
        if (table->more && !ua_jobs_stopping(jobs)) {
            sweep_some(jobs, table, now);
        }
        more |= table->more;
    }
    return more;
}

/* 1 when time was over first. */
static int sweep(ua_jobs_t *jobs, apr_time_t now)
{
    const ua_conf_t *conf = jobs->app->conf;
    apr_time_t began = apr_time_now();
    apr_time_t kept = now - conf->retention;
    swept_t tables[] = {
        {ua_token_sweep, kept, 1},
        {ua_session_sweep, kept, 1},
        {ua_event_sweep, kept, 1},
        {ua_outbox_sweep, now - conf->unverified_lifetime, 1},
        {ua_device_sweep, now, 1},
        {ua_held_email_sweep, now, 1},
        {ua_old_password_sweep, /* restoring counts the days before the closing */
         now - conf->undo_lifetime - conf->restore_lifetime, 1},
        {ua_throttle_sweep, now - longest_rate(conf), 1},
        {NULL, 0, 0},
    };
    int more = 1;

    do {
        more = sweep_round(jobs, tables, now);
    } while (more && !ua_jobs_stopping(jobs) && apr_time_now() - began < LONGEST_SWEEP);
    return more;
}

/* Short lifetimes of accounts need looking sooner. */
static apr_interval_time_t sweep_interval(const ua_conf_t *conf)
{
    apr_interval_time_t shortest = MIN(conf->unverified_lifetime, conf->restore_lifetime);

    return MIN(shortest, SWEEP_INTERVAL);
}

/* 1 when so long has passed, or the clock was set back. */
static int is_due(apr_time_t then, apr_time_t now, apr_interval_time_t interval)
{
    return now < then || now - then >= interval;
}

/* What was left is gone on with in the next turn. */
static void run_sweep(ua_jobs_t *jobs, ua_ctx_t *ctx)
{
    ua_touch_flush(jobs->app->touches, ctx);
    if (jobs->more || is_due(jobs->swept, ctx->now, sweep_interval(jobs->app->conf))) {
        jobs->swept = ctx->now;
        jobs->told = 0;
        tell(jobs, ctx, ua_erase_due(&jobs->more, jobs->app, ctx));
        ua_db_release(ctx); /* each portion leases its own */
        jobs->more |= sweep(jobs, ctx->now);
    }
    ua_db_release(ctx);
}

void ua_jobs_mind(ua_jobs_t *jobs, apr_time_t now)
{
    int ended = ua_dbs_rescue(jobs->app->dbs, now);

    if (ended > 0) {
        jobs->app->host.log(jobs->app->host.baton, UA_LOG_ERR,
                            "UA0206: the database does not answer: connections are ended");
    }
}

/* A short idle time needs uses written sooner. */
static apr_interval_time_t touch_interval(const ua_conf_t *conf)
{
    return conf->session_idle / 8 < TOUCH_INTERVAL ? conf->session_idle / 8 : TOUCH_INTERVAL;
}

void ua_jobs_sweep(ua_jobs_t *jobs, apr_time_t now)
{
    apr_pool_t *pool = NULL;
    ua_ctx_t *ctx = NULL;

    if (!is_due(jobs->touched, now, touch_interval(jobs->app->conf)) ||
        apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        return;
    }
    jobs->touched = now;
    if (ua_jobs_context(&ctx, jobs, pool, now) == APR_SUCCESS) {
        run_sweep(jobs, ctx);
    }
    apr_pool_destroy(pool);
}
