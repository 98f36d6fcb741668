/* common_fresh.c: a signed-in person gives the password again, for what a stolen session must not do. */
#include "feature.h"
#include "base/text.h"
#include "domain/event.h"

apr_status_t ua_fresh_verify(ua_try_t **out, ua_res_t *res, ua_req_t *req, const char *field)
{
    ua_try_t *attempt = apr_pcalloc(req->ctx->pool, sizeof *attempt);

    UA_CHECK(ua_account_by_id(&attempt->account, req->ctx, req->session->account_id));
    UA_CHECK(ua_try_verify(attempt, res, req,
                           ua_lower(req->ctx->pool, attempt->account->username), field));
    *out = attempt;
    return APR_SUCCESS;
}

/* The session is fresh from now on. Its cookie gets a new secret; an access token has none to change. */
static apr_status_t renew(ua_res_t *res, ua_req_t *req)
{
    const char *cookie = NULL;
    apr_int64_t age = 0;
    apr_status_t rv = APR_SUCCESS;
    ua_session_t fresh = *req->session;

    if (!req->session_cookie) {
        return ua_session_freshen(req->ctx, req->session);
    }
    fresh.auth_time = req->ctx->now;
    rv = ua_session_renew(&cookie, &age, req->ctx, &fresh, req->session_cookie);
    if (rv == APR_SUCCESS) {
        ua_set_cookie(res, req, "", cookie, age);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t ua_fresh_settle(ua_res_t *res, ua_req_t *req, const ua_try_t *attempt,
                             const char *field)
{
    if (!attempt->right) {
        ua_field_error(req, field, "This is not your password.");
        ua_refuse(res, UA_PROBLEM_INVALID_FIELDS);
        res->detail = "Did you forget it? You can set a new one by email.";
        ua_offer(res, "reset", ua_path(req, UA_AREA_PUBLIC, "forgot"), "Reset your password");
        return ua_try_failed(req, attempt);
    }
    UA_CHECK(ua_try_succeeded(req, attempt));
    UA_CHECK(ua_account_clear_failures(req->ctx, attempt->account->id));
    return renew(res, req);
}
