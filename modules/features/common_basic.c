/* common_basic.c: name and password with every request (RFC 7617), for clients that know no cookies: WebDAV,
 * Subversion, curl. The same counters, waits, limit and hash slot as a sign-in by form; no session.
 *
 * Not a page: the gate runs this route on requests to gated locations. Asked for often, so what is right
 * and leaves nothing to write runs without a transaction. */
#include "feature.h"
#include "domain/event.h"
#include "domain/password.h"
#include "domain/throttle.h"

/* Nothing is written. */
static apr_status_t let_in(ua_res_t *res, ua_req_t *req)
{
    (void)res;
    (void)req;
    return APR_SUCCESS;
}

static const ua_route_t quiet = {.limited = 1 + UA_RATE_LOGIN, .submit = let_in, .reads = 1};

/* A client that asks every second would lift, each time, the wait that somebody else's guesses made. */
static const ua_rate_t clearing = {1, apr_time_from_sec(3600)};

static int is_right(const ua_try_t *attempt)
{
    return attempt->right && attempt->account->enabled;
}

static apr_status_t clearing_name(const char **out, ua_req_t *req, const ua_try_t *attempt)
{
    return ua_throttle_name(out, req->ctx, "basic", attempt->account->id);
}

/* *needs: a right password leaves something to write. */
static apr_status_t find_work(int *needs, ua_req_t *req, const ua_try_t *attempt)
{
    const ua_account_t *a = attempt->account;
    apr_interval_time_t wait = 0;
    const char *name = NULL;

    *needs = attempt->rehashed != NULL;
    if (a->failures > 0 || a->device_failures > 0) {
        UA_CHECK(clearing_name(&name, req, attempt));
        UA_CHECK(ua_throttle_peek(&wait, req->ctx, name, &clearing));
        *needs = *needs || wait == 0;
    }
    return APR_SUCCESS;
}

static apr_status_t basic_check(ua_res_t *res, ua_req_t *req)
{
    ua_try_t *attempt = apr_pcalloc(req->ctx->pool, sizeof *attempt);
    const char *key = NULL;
    int needs = 1;

    req->work = attempt;
    UA_CHECK(ua_password_enter(req->ctx));
    UA_CHECK(ua_limit_peek(res, req));
    if (res->problem) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_try_find(&attempt->account, &key, req, ua_field(req, "login")));
    UA_CHECK(ua_try_verify(attempt, res, req, key, "password"));
    if (!res->problem && is_right(attempt)) {
        UA_CHECK(find_work(&needs, req, attempt));
    }
    req->route = needs ? req->route : &quiet;
    return APR_SUCCESS;
}

/* The failures of before are forgotten, once an hour; the newer hash is kept. */
static apr_status_t settle(ua_req_t *req, const ua_try_t *attempt)
{
    const char *name = NULL;
    apr_interval_time_t wait = 0;

    UA_CHECK(clearing_name(&name, req, attempt));
    UA_CHECK(ua_throttle_take(&wait, req->ctx, name, &clearing));
    if (wait > 0) {
        return attempt->rehashed
                   ? ua_account_rehash(req->ctx, attempt->account, attempt->rehashed)
                   : APR_SUCCESS;
    }
    UA_CHECK(ua_account_clear_failures(req->ctx, attempt->account->id));
    return ua_try_succeeded(req, attempt);
}

static apr_status_t basic_submit(ua_res_t *res, ua_req_t *req)
{
    const ua_try_t *attempt = req->work;

    if (!is_right(attempt)) {
        UA_CHECK(ua_try_failed(req, attempt));
        req->counted = 1;
        ua_refuse(res, UA_PROBLEM_INVALID_CREDENTIALS);
        return APR_SUCCESS;
    }
    return settle(req, attempt);
}

const ua_route_t ua_basic_route = {
    .limited = 1 + UA_RATE_LOGIN, .check = basic_check, .submit = basic_submit};
