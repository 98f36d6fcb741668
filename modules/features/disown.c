/* disown.c: "Not you? Remove this registration": the owner of an address frees it of an account that
 * a stranger registered with it and that was never confirmed. */
#include "feature.h"
#include "domain/event.h"
#include "domain/outbox.h"

static const ua_field_t fields[] = {{"token", "Link", "hidden", 0, NULL, NULL, NULL, NULL},
                                    {0}};

static apr_status_t disown_show(ua_res_t *res, ua_req_t *req)
{
    UA_CHECK(ua_link_show(res, req, UA_PURPOSE_DISOWN));
    if (!res->problem && !res->location && !req->wants_json) {
        ua_json_set_flag(res->view, "can_remove", 1);
    }
    return APR_SUCCESS;
}

/* The account goes, and with it every other way to it. */
static apr_status_t remove_registration(ua_ctx_t *ctx, const ua_token_t *token)
{
    UA_CHECK(ua_outbox_drop_all(ctx, token->account_id, UA_MAIL_VERIFY));
    UA_CHECK(ua_account_remove(ctx, token->account_id, token->email));
    UA_CHECK(ua_token_end(ctx, token->account_id, UA_PURPOSE_VERIFY, UA_ENDED_CHANGE));
    UA_CHECK(ua_token_end(ctx, token->account_id, UA_PURPOSE_DISOWN, UA_ENDED_SIBLING));
    UA_CHECK(ua_outbox_forget(ctx, token->account_id));
    UA_CHECK(ua_token_forget(ctx, token->account_id, token->id));
    return ua_event_add(ctx, "registration_removed", token->account_id, "");
}

static apr_status_t disown_submit(ua_res_t *res, ua_req_t *req)
{
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;

    UA_CHECK(ua_link_use(&token, &account, res, req, UA_PURPOSE_DISOWN));
    if (token->standing != UA_TOKEN_GOOD) {
        return APR_SUCCESS;
    }
    UA_CHECK(remove_registration(req->ctx, token));
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
