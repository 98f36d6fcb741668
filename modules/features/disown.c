/* disown.c: "this wasn't me". Before the address was confirmed its owner removes the registration that a
 * stranger made with it; later the owner shuts everybody out until a new password is set by mail. */
#include "feature.h"
#include "domain/device.h"
#include "domain/event.h"

static const ua_field_t fields[] = {{"token", "Link", "hidden", 0, NULL, NULL, NULL, NULL},
                                    {0}};

/* Whose link this is; NULL when it leads nowhere. */
static apr_status_t find_account(ua_account_t **out, ua_req_t *req)
{
    ua_token_t *token = NULL;
    apr_status_t rv = APR_NOTFOUND;

    UA_CHECK(ua_token_read(&token, req->ctx, UA_PURPOSE_DISOWN,
                           ua_link_token(req, UA_PURPOSE_DISOWN)));
    if (token->standing == UA_TOKEN_GOOD) {
        rv = ua_account_by_id(out, req->ctx, token->account_id);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* An administrator may let somebody in by hand, who then is one without a confirmed address. */
static int is_member(const ua_account_t *account)
{
    return account->enabled || account->verified > 0;
}

static apr_status_t disown_show(ua_res_t *res, ua_req_t *req)
{
    ua_account_t *account = NULL;

    UA_CHECK(ua_link_show(res, req, UA_PURPOSE_DISOWN));
    if (res->problem || res->location || req->wants_json) {
        return APR_SUCCESS;
    }
    UA_CHECK(find_account(&account, req));
    if (account) {
        ua_json_set_flag(res->view, is_member(account) ? "can_disown" : "can_remove", 1);
    }
    return APR_SUCCESS;
}

/* The account goes, and with it every other way to it. */
static apr_status_t remove_registration(ua_ctx_t *ctx, const ua_token_t *token)
{
    UA_CHECK(ua_outbox_drop_account(ctx, token->account_id));
    UA_CHECK(ua_account_remove(ctx, token->account_id, token->email));
    UA_CHECK(ua_token_end(ctx, token->account_id, UA_PURPOSE_VERIFY, UA_ENDED_CHANGE));
    UA_CHECK(ua_token_end(ctx, token->account_id, UA_PURPOSE_DISOWN, UA_ENDED_SIBLING));
    UA_CHECK(ua_outbox_forget(ctx, token->account_id));
    UA_CHECK(ua_token_forget(ctx, token->account_id, token->id));
    return ua_event_add(ctx, "registration_removed", token->account_id, "");
}

/* Nobody stays signed in, no password opens the account, no link that a thief asked for works. The
 * address stays, and so does a link that undoes its change. */
static apr_status_t shut_out(ua_ctx_t *ctx, const ua_account_t *account)
{
    UA_CHECK(ua_session_end_all(ctx, account->id, ""));
    UA_CHECK(ua_device_forget(ctx, account->id));
    UA_CHECK(ua_account_password_off(ctx, account->id));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_RESET, UA_ENDED_CHANGE));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_EMAIL, UA_ENDED_CHANGE));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_DISOWN, UA_ENDED_SIBLING));
    UA_CHECK(ua_event_add(ctx, "disowned", account->id, ""));
    /* A closed account has no password to set: its own mail says what can be done. */
    return account->closed > 0 ? APR_SUCCESS
                               : ua_mail_queue(ctx, account, UA_MAIL_DISOWNED, NULL, NULL);
}

static apr_status_t act(ua_res_t *res, ua_req_t *req, const ua_token_t *token,
                        const ua_account_t *account)
{
    int member = is_member(account);

    UA_CHECK(member ? shut_out(req->ctx, account) : remove_registration(req->ctx, token));
    res->notice = member ? UA_NOTICE_DISOWNED : UA_NOTICE_REMOVED;
    if (!req->wants_json) {
        ua_json_set_flag(res->view, member ? "disowned" : "removed", 1);
        ua_json_set(res->view, "email", token->email);
    }
    return APR_SUCCESS;
}

static apr_status_t disown_submit(ua_res_t *res, ua_req_t *req)
{
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;

    UA_CHECK(ua_link_use(&token, &account, res, req, UA_PURPOSE_DISOWN));
    if (token->standing != UA_TOKEN_GOOD) {
        return APR_SUCCESS;
    }
    ua_link_done(res, req, UA_PURPOSE_DISOWN);
    return act(res, req, token, account);
}

static const ua_route_t routes[] = {{.path = "disown",
                                     .template = "disown.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_TOKEN,
                                     .show = disown_show,
                                     .submit = disown_submit},
                                    {0}};

const ua_feature_t ua_feature_disown = {"disown", routes};
