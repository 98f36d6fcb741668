/* close.c: a person closes the account: at once nobody signs in to it and nobody sees it. Name and address
 * stay held; the mailed link brings it back (restore.c) until the sweep erases it (app/erase.c). */
#include "feature.h"
#include "base/text.h"
#include "domain/event.h"

static const ua_field_t fields[] = {{"current_password", "Your password", "password", 1,
                                     "current-password", NULL, NULL, ua_check_password},
                                    {0}};

static apr_status_t close_show(ua_res_t *res, ua_req_t *req)
{
    if (!req->wants_json) {
        ua_json_set(res->view, "lifetime",
                    ua_duration_words(req->ctx->pool, req->ctx->conf->restore_lifetime));
    }
    return APR_SUCCESS;
}

static apr_status_t close_check(ua_res_t *res, ua_req_t *req)
{
    ua_try_t *attempt = NULL;

    UA_CHECK(ua_fresh_verify(&attempt, res, req, "current_password"));
    req->work = attempt;
    return APR_SUCCESS;
}

/* Everything that opens the account ends, but for links that undo a change of its address: a thief who
 * closes it gains nothing. Of the mails that wait only those go out that tell what happened. APR_NOTFOUND
 * when another request was first. */
static apr_status_t shut(ua_ctx_t *ctx, const ua_account_t *account)
{
    UA_CHECK(ua_account_close(ctx, account->id));
    UA_CHECK(ua_session_end_all(ctx, account->id, ""));
    UA_CHECK(ua_token_end_all(ctx, account->id, UA_PURPOSE_UNDO, UA_ENDED_CHANGE));
    UA_CHECK(ua_outbox_drop_all(ctx, account->id, UA_MAIL_RESET));
    UA_CHECK(ua_outbox_drop_all(ctx, account->id, UA_MAIL_EMAIL));
    UA_CHECK(ua_mail_queue(ctx, account, UA_MAIL_CLOSED, NULL, NULL));
    return ua_event_add(ctx, "closed", account->id, "");
}

static apr_status_t close_submit(ua_res_t *res, ua_req_t *req)
{
    const ua_try_t *attempt = req->work;
    apr_status_t rv = APR_SUCCESS;

    if (!attempt->right) {
        return ua_fresh_settle(res, req, attempt, "current_password");
    }
    rv = shut(req->ctx, attempt->account);
    if (rv == APR_NOTFOUND) { /* as for anybody whose session ended a moment ago */
        ua_refuse(res, UA_PROBLEM_LOGIN_REQUIRED);
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    UA_CHECK(ua_try_succeeded(req, attempt));
    if (req->session_cookie) {
        ua_set_cookie(res, req, "", "", 0);
    }
    apr_table_setn(res->headers, "Clear-Site-Data", "\"cache\"");
    ua_go_notice(res, req, 200, ua_path(req, UA_AREA_PUBLIC, "login"), UA_NOTICE_CLOSED);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "close",
                                     .area = UA_AREA_PERSONAL,
                                     .access = UA_ACCESS_USER,
                                     .template = "close.html",
                                     .fields = fields,
                                     .show = close_show,
                                     .check = close_check,
                                     .submit = close_submit},
                                    {0}};

const ua_feature_t ua_feature_close = {"close", routes};
