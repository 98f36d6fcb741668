/* common_basic.c: name and password with every request (RFC 7617), for clients that know no cookies: WebDAV,
 * Subversion, curl. The same counters, waits, limit and hash slot as a sign-in by form; no session.
 *
 * Not a page: the gate runs this route on requests to gated locations. Asked for often, so what is right
 * and leaves nothing to write runs without a transaction. */
#include "feature.h"
#include "domain/event.h"
#include "domain/password.h"

/* Nothing is written. */
static apr_status_t let_in(ua_res_t *res, ua_req_t *req)
{
    (void)res;
    (void)req;
    return APR_SUCCESS;
}

static const ua_route_t quiet = {.limited = 1 + UA_RATE_LOGIN, .submit = let_in, .reads = 1};

static int is_right(const ua_try_t *attempt)
{
    return attempt->right && attempt->account->enabled;
}

static apr_status_t basic_check(ua_res_t *res, ua_req_t *req)
{
    ua_try_t *attempt = apr_pcalloc(req->ctx->pool, sizeof *attempt);
    const char *key = NULL;

    req->work = attempt;
    UA_CHECK(ua_password_enter(req->ctx));
    UA_CHECK(ua_limit_peek(res, req));
    if (res->problem) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_try_find(&attempt->account, &key, req, ua_field(req, "login")));
    UA_CHECK(ua_try_verify(attempt, res, req, key, "password"));
    if (!res->problem && is_right(attempt) && !attempt->rehashed &&
        attempt->account->failures == 0 && attempt->account->device_failures == 0) {
        req->route = &quiet;
    }
    return APR_SUCCESS;
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
    UA_CHECK(ua_account_clear_failures(req->ctx, attempt->account->id));
    return ua_try_succeeded(req, attempt);
}

const ua_route_t ua_basic_route = {
    .limited = 1 + UA_RATE_LOGIN, .check = basic_check, .submit = basic_submit};
