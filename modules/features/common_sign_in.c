/* common_sign_in.c: a person is let in: the session, its cookies, and for a program its API tokens; and out. */
#include "feature.h"
#include "domain/device.h"
#include "domain/event.h"

/* A browser seen for the first time gets a cookie by which it is known again. The owner hears of it, but
 * for the first sign-in ever. */
static apr_status_t remember_device(ua_res_t *res, ua_req_t *req, const ua_account_t *account)
{
    const char *device = NULL;

    UA_CHECK(ua_device_start(&device, req->ctx, account->id));
    ua_set_cookie(res, req, "device", device, UA_DEVICE_AGE);
    return account->last_sign_in > 0 ? ua_mail_daily(req->ctx, account, UA_MAIL_NEW_DEVICE)
                                     : APR_SUCCESS;
}

apr_status_t ua_sign_out(ua_req_t *req)
{
    apr_status_t rv = APR_NOTFOUND;

    if (req->session) {
        rv = ua_session_end_own(req->ctx, req->session->account_id, req->session->id);
    }
    else if (req->session_cookie) {
        rv = ua_session_end(req->ctx, req->session_cookie);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t ua_sign_in(ua_res_t *res, ua_req_t *req, const ua_account_t *account, int remember,
                        int known_device)
{
    ua_ctx_t *ctx = req->ctx;
    const char *cookie = NULL;
    apr_int64_t age = 0;

    UA_CHECK(ua_sign_out(req));
    UA_CHECK(ua_session_start(&cookie, &age, ctx, account->id, remember));
    ua_set_cookie(res, req, "", cookie, age);
    if (!known_device) {
        UA_CHECK(remember_device(res, req, account));
    }
    if (ua_cookie_get(ctx->pool, req->cookie,
                      ua_site_cookie(req, "registration"))) { /* has served */
        ua_set_cookie(res, req, "registration", "", 0);
    }
    UA_CHECK(
        ua_event_add(ctx, "login", account->id, known_device ? "known_device" : "new_device"));
    if (req->wants_json) {
        UA_CHECK(ua_tokens_start(res, req, cookie));
    }
    json_object_set(res->view, "user", ua_user_json(ctx->pool, account));
    return APR_SUCCESS;
}
