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

static apr_status_t sweep(ua_ctx_t *ctx)
{
    const ua_conf_t *conf = ctx->conf;
    apr_time_t kept = ctx->now - conf->retention;

    UA_CHECK(ua_token_sweep(ctx, kept));
    UA_CHECK(ua_session_sweep(ctx, kept));
    UA_CHECK(ua_event_sweep(ctx, kept));
    UA_CHECK(ua_outbox_sweep(ctx, ctx->now - conf->unverified_lifetime));
    UA_CHECK(ua_device_sweep(ctx, ctx->now));
    UA_CHECK(ua_held_email_sweep(ctx));
    UA_CHECK(ua_old_password_sweep(ctx, /* restoring counts the days before the closing */
                                   ctx->now - conf->undo_lifetime - conf->restore_lifetime));
    return ua_throttle_sweep(ctx, ctx->now - longest_rate(conf));
}

static void run_sweep(ua_jobs_t *jobs, ua_ctx_t *ctx)
{
    apr_status_t rv = APR_SUCCESS;

    ua_touch_flush(jobs->app->touches, ctx);
    if (ctx->now - jobs->swept >= SWEEP_INTERVAL) {
        jobs->swept = ctx->now;
        rv = sweep(ctx);
        rv = rv == APR_SUCCESS ? ua_erase_due(jobs->app, ctx) : rv;
    }
    if (rv != APR_SUCCESS && rv != UA_CONFLICT) { /* another node is at the same */
        ua_app_log(jobs->app, ctx, UA_LOG_ERR, "UA0204: old rows can't be removed", rv);
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

    if (now - jobs->touched < touch_interval(jobs->app->conf) ||
        apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        return;
    }
    jobs->touched = now;
    if (ua_jobs_context(&ctx, jobs, pool, now) == APR_SUCCESS) {
        run_sweep(jobs, ctx);
    }
    apr_pool_destroy(pool);
}
