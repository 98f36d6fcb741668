/* disown.c: "Not you? Remove this registration": the owner of an address frees it of an account that
 * a stranger registered with it and that was never confirmed. */
#include "feature.h"
#include "domain/event.h"
#include "domain/outbox.h"

static const ua_field_t fields[] = {{"token", "Link", "hidden", 0, NULL, NULL, NULL, NULL},
                                    {0}};

static apr_status_t read_token(ua_token_t **out, ua_req_t *req)
{
    return ua_token_read(out, req->ctx, UA_PURPOSE_DISOWN,
                         ua_link_token(req, UA_PURPOSE_DISOWN));
}

static apr_status_t disown_show(ua_res_t *res, ua_req_t *req)
{
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;

    if (ua_link_cleaned(res, req, UA_PURPOSE_DISOWN)) {
        return APR_SUCCESS;
    }
    UA_CHECK(read_token(&token, req));
    if (token->standing != UA_TOKEN_GOOD) {
        ua_link_refuse(res, req, token);
        return APR_SUCCESS;
    }
    UA_CHECK(ua_account_by_id(&account, req->ctx, token->account_id));
    if (!req->wants_json) {
        ua_json_set_flag(res->view, "can_remove", 1);
        ua_json_set(res->view, "email", token->email);
        ua_json_set(res->view, "username", account->username);
        ua_json_set(res->view, "token", ua_link_token(req, UA_PURPOSE_DISOWN));
    }
    return APR_SUCCESS;
}

static apr_status_t disown_submit(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    ua_token_t *token = NULL;
    apr_status_t rv = APR_NOTFOUND;

    UA_CHECK(read_token(&token, req));
    if (token->standing == UA_TOKEN_GOOD) {
        rv = ua_token_use(ctx, token);
        token->standing = rv == APR_NOTFOUND ? UA_TOKEN_USED : token->standing;
    }
    if (rv == APR_NOTFOUND) {
        ua_link_refuse(res, req, token);
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    UA_CHECK(ua_outbox_drop_all(ctx, token->account_id, UA_MAIL_VERIFY));
    UA_CHECK(ua_account_remove(ctx, token->account_id, token->email));
    UA_CHECK(ua_event_add(ctx, "registration_removed", token->account_id, ""));
    ua_link_done(res, req, UA_PURPOSE_DISOWN);
    res->notice = UA_NOTICE_REMOVED;
    if (!req->wants_json) {
        ua_json_set_flag(res->view, "done", 1);
        ua_json_set(res->view, "email", token->email);
    }
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "disown",
                                     .template = "disown.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_TOKEN,
                                     .show = disown_show,
                                     .submit = disown_submit},
                                    {0}};

const ua_feature_t ua_feature_disown = {"disown", routes};
