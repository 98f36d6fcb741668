/* jobs_budget.c: how many mails a site sends at most, whoever asks for them: UserAuthMailBudget.
 *
 * Limits per client and per address bound neither a crowd of clients nor a crowd of addresses. A mail counts when it
 * is claimed and was never tried, be it to nobody, so one that is claimed and let go counts again; what is beyond the
 * budget stays in the outbox, the oldest go first. Nodes claim in turn. Called by jobs_mail.c. */
#include "domain/event.h"
#include "domain/throttle.h"
#include "jobs.h"

static apr_status_t name_of(const char **out, ua_ctx_t *ctx)
{
    return ua_throttle_name(out, ctx, "mail-budget", ctx->conf->site);
}

apr_status_t ua_jobs_room(apr_int64_t *room, apr_interval_time_t *wait, ua_ctx_t *ctx)
{
    const ua_rate_t *rate = &ctx->conf->mail_rate;
    const char *name = NULL;

    if (rate->duration == 0) {
        *wait = 0;
        *room = APR_INT64_MAX;
        return APR_SUCCESS;
    }
    UA_CHECK(name_of(&name, ctx));
    UA_CHECK(ua_throttle_hold(ctx, name));
    return ua_throttle_room(room, wait, ctx, name, rate);
}

/* Once for each time that the budget is reached. */
static apr_status_t tell(const ua_jobs_t *jobs, ua_ctx_t *ctx)
{
    const ua_host_t *host = &jobs->app->host;

    host->log(host->baton, UA_LOG_WARNING,
              apr_pstrcat(ctx->pool, "UA0207: further mails wait: UserAuthMailBudget ",
                          ctx->conf->mail_budget, " is reached", NULL));
    return ua_event_add(ctx, "mail_budget", "", ctx->conf->mail_budget);
}

apr_status_t ua_jobs_spend(const ua_jobs_t *jobs, ua_ctx_t *ctx, apr_int64_t mails,
                           apr_int64_t room)
{
    const ua_rate_t *rate = &ctx->conf->mail_rate;
    const char *name = NULL;

    if (mails == 0 || rate->duration == 0) {
        return APR_SUCCESS;
    }
    UA_CHECK(name_of(&name, ctx));
    UA_CHECK(ua_throttle_add(ctx, name, rate, mails));
    return mails == room ? tell(jobs, ctx) : APR_SUCCESS;
}
