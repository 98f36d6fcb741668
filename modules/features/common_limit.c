/* common_limit.c: a route's limit per client address: whether it is reached, and what counts. Applied
 * by the transaction of every submit, once more by a sign-in behind its hash slot, and by a link's page. */
#include "feature.h"
#include "domain/event.h"
#include "domain/throttle.h"

#include <string.h>

static const ua_rate_t *rate_of(const ua_req_t *req)
{
    return &req->ctx->conf->rates[req->route->limited - 1];
}

static const char *const kinds[UA_RATES] = {"rate-login", "rate-register", "rate-token",
                                            "rate-mail"};

/* The counter of this route's limit for this client address. */
static apr_status_t limit_name(const char **out, ua_req_t *req)
{
    return ua_throttle_name(out, req->ctx, kinds[req->route->limited - 1], req->network);
}

static int is_limited(const ua_req_t *req)
{
    return req->route->limited > 0 && rate_of(req)->duration > 0;
}

/* Refuses when the limit is already reached. */
apr_status_t ua_limit_peek(ua_res_t *res, ua_req_t *req)
{
    apr_interval_time_t wait = 0;
    const char *name = NULL;

    if (is_limited(req)) {
        UA_CHECK(limit_name(&name, req));
        UA_CHECK(ua_throttle_peek(&wait, req->ctx, name, rate_of(req)));
    }
    if (wait > 0) {
        ua_refuse_wait(res, req, UA_PROBLEM_RATE_LIMITED, wait);
    }
    return APR_SUCCESS;
}

/* The limit is reached by what was just counted: told once, not for each request that is refused. */
static apr_status_t tell(ua_req_t *req, const char *name)
{
    apr_interval_time_t wait = 0;

    UA_CHECK(ua_throttle_peek(&wait, req->ctx, name, rate_of(req)));
    return wait > 0 ? ua_event_add(req->ctx, "rate_limited", "",
                                   kinds[req->route->limited - 1] + strlen("rate-"))
                    : APR_SUCCESS;
}

/* Counts the outcome. APR_EAGAIN when it was one too many and may not stand. */
apr_status_t ua_limit_take(ua_res_t *res, ua_req_t *req)
{
    apr_interval_time_t wait = 0;
    const char *name = NULL;

    if (!req->counted || !is_limited(req)) {
        return APR_SUCCESS;
    }
    UA_CHECK(limit_name(&name, req));
    UA_CHECK(ua_throttle_take(&wait, req->ctx, name, rate_of(req)));
    if (wait > 0 && !res->problem) {
        ua_res_init(res, req);
        ua_refuse_wait(res, req, UA_PROBLEM_RATE_LIMITED, wait);
        return APR_EAGAIN;
    }
    return wait > 0 ? APR_SUCCESS : tell(req, name);
}
