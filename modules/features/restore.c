/* restore.c: the link in the mail about a closed account brings it back, with a password.
 *
 * Any password counts that the account had in the last days before it was closed: a thief who changed it,
 * switched it off and closed the account does not keep its owner out. But unless it is the one that opens
 * the account now, none does any more: the thief stays out, and the owner sets a new one by mail (forgot.c),
 * as for any open account. Who lost the mail gets another one from there, too. */
#include "feature.h"
#include "base/text.h"
#include "domain/event.h"
#include "domain/throttle.h"

static const ua_field_t fields[] = {{"token", "Link", "hidden", 0, NULL, NULL, NULL, NULL},
                                    {"password", "Password", "password", 1, "current-password",
                                     NULL, NULL, ua_check_owner_password},
                                    {0}};

/* After the erasure nothing is left that tells such a link from a mangled one. */
static void explain(ua_res_t *res, ua_req_t *req)
{
    if (res->problem == UA_PROBLEM_TOKEN_INVALID) {
        res->detail =
            "This link isn't complete, or the account is open again, or the time to restore "
            "it is over and it was deleted.";
        ua_offer(res, "login", ua_path(req, UA_AREA_PUBLIC, "login"), "Log in");
        ua_offer(res, "register", ua_path(req, UA_AREA_PUBLIC, "register"), "Register");
    }
}

static apr_status_t restore_show(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;

    UA_CHECK(ua_link_show(res, req, UA_PURPOSE_RESTORE));
    explain(res, req);
    if (!res->problem && !res->location && !req->wants_json) {
        ua_json_set_flag(res->view, "can_restore", 1);
        ua_json_set(res->view, "lifetime",
                    ua_duration_words(ctx->pool, ctx->conf->undo_lifetime));
    }
    return APR_SUCCESS;
}

static apr_status_t restore_check(ua_res_t *res, ua_req_t *req)
{
    ua_owner_t *owner = NULL;

    UA_CHECK(ua_owner_verify(&owner, res, req, UA_PURPOSE_RESTORE));
    req->work = owner;
    return APR_SUCCESS;
}

static apr_status_t tell(ua_ctx_t *ctx, const ua_owner_t *owner)
{
    json_t *detail = ua_json_object(ctx->pool);

    ua_json_set_flag(detail, "password_off", !owner->present);
    UA_CHECK(ua_mail_queue(ctx, owner->account, UA_MAIL_RESTORED, NULL, detail));
    return ua_event_add(ctx, "restored", owner->account->id,
                        owner->present ? "" : "password_off");
}

/* APR_NOTFOUND when the account is not closed any more. */
static apr_status_t bring_back(ua_ctx_t *ctx, const ua_owner_t *owner)
{
    const char *id = owner->account->id;

    UA_CHECK(ua_account_restore(ctx, id));
    if (!owner->present) {
        UA_CHECK(ua_account_password_off(ctx, id));
    }
    UA_CHECK(ua_token_end(ctx, id, UA_PURPOSE_RESTORE, UA_ENDED_SIBLING));
    UA_CHECK(ua_throttle_clear(ctx, owner->counter));
    return tell(ctx, owner);
}

/* Only who opened the account by other means leaves such a link behind. */
static void refuse_open(ua_res_t *res, ua_req_t *req)
{
    ua_refuse(res, UA_PROBLEM_TOKEN_INVALID);
    res->template = "problem.html";
    explain(res, req);
}

static apr_status_t restore(ua_res_t *res, ua_req_t *req, const ua_owner_t *owner)
{
    apr_status_t rv = bring_back(req->ctx, owner);

    if (rv == APR_NOTFOUND) {
        refuse_open(res, req);
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    ua_link_done(res, req, UA_PURPOSE_RESTORE);
    ua_go_notice(res, req, 200, ua_path(req, UA_AREA_PUBLIC, "login"),
                 owner->present ? UA_NOTICE_RESTORED : UA_NOTICE_RESTORED_OFF);
    return APR_SUCCESS;
}

static apr_status_t restore_submit(ua_res_t *res, ua_req_t *req)
{
    const ua_owner_t *owner = req->work;
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;

    if (owner->account && !owner->right) {
        return ua_owner_failed(res, req, owner, "restore_failed");
    }
    UA_CHECK(ua_link_use(&token, &account, res, req, UA_PURPOSE_RESTORE));
    explain(res, req);
    return owner->account && token->standing == UA_TOKEN_GOOD ? restore(res, req, owner)
                                                              : APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "restore",
                                     .template = "restore.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_TOKEN,
                                     .show = restore_show,
                                     .check = restore_check,
                                     .submit = restore_submit},
                                    {0}};

const ua_feature_t ua_feature_restore = {"restore", routes};
