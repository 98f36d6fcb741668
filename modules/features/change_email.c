/* change_email.c: the link sent to a new address: who opens it has that mailbox, and the account moves
 * there. The old address is told, with a link that undoes it (undo.c), and kept for its owner meanwhile.
 * Opening the link signs nobody in. */
#include "feature.h"
#include "domain/event.h"
#include "domain/held_email.h"

#include <string.h>

static const ua_field_t fields[] = {{"token", "Link", "hidden", 0, NULL, NULL, NULL, NULL},
                                    {0}};

static apr_status_t email_show(ua_res_t *res, ua_req_t *req)
{
    UA_CHECK(ua_link_show(res, req, UA_PURPOSE_EMAIL));
    if (!res->problem && !res->location && !req->wants_json) {
        ua_json_set_flag(res->view, "can_confirm", 1);
    }
    return APR_SUCCESS;
}

/* The link is used up all the same: it could only lead here again. */
static void refuse_taken(ua_res_t *res)
{
    ua_refuse(res, UA_PROBLEM_EMAIL_IN_USE);
    res->detail =
        "Another account took this address meanwhile. Your account keeps the one it has.";
    res->template = "problem.html";
}

/* Nobody else gets the old address while the change can be undone; the new one is held no longer, in case
 * this account had it before. */
static apr_status_t hold(ua_ctx_t *ctx, const ua_account_t *account, const ua_email_t *to)
{
    ua_email_t old;

    UA_CHECK(ua_email_parse(&old, ctx->pool, account->email));
    UA_CHECK(
        ua_held_email_hold(ctx, old.key, account->id, ctx->now + ctx->conf->undo_lifetime));
    return ua_held_email_release(ctx, to->key);
}

/* What was mailed to the old address opens nothing any more, but for the links with which its owner can
 * still react: "this wasn't me" and undo. */
static apr_status_t end_links(ua_ctx_t *ctx, const ua_account_t *account)
{
    UA_CHECK(ua_pending_drop(ctx, account->id, UA_ENDED_SIBLING));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_RESET, UA_ENDED_CHANGE));
    return ua_outbox_drop_all(ctx, account->id, UA_MAIL_RESET);
}

static apr_status_t tell_both(ua_ctx_t *ctx, const ua_account_t *account, const ua_email_t *to)
{
    json_t *detail = ua_json_object(ctx->pool);

    ua_json_set(detail, "new_email", to->address);
    UA_CHECK(ua_mail_queue(ctx, account, UA_MAIL_EMAIL_CHANGED, account->email, detail));
    return ua_mail_queue(ctx, account, UA_MAIL_EMAIL_SET, to->address, NULL);
}

static apr_status_t move(ua_ctx_t *ctx, const ua_account_t *account, const ua_email_t *to)
{
    UA_CHECK(ua_account_set_email(ctx, account, to->address, to->key));
    UA_CHECK(hold(ctx, account, to));
    UA_CHECK(end_links(ctx, account));
    UA_CHECK(tell_both(ctx, account, to));
    return ua_event_add(ctx, "email_changed", account->id, "");
}

static int is_own(const ua_req_t *req, const ua_account_t *account)
{
    return req->session && strcmp(req->session->account_id, account->id) == 0;
}

/* SESS-02: the cookie of this browser's session gets a new secret. No password was given: the session stays
 * as fresh as it was. */
static apr_status_t renew(ua_res_t *res, ua_req_t *req)
{
    const char *cookie = NULL;
    apr_int64_t age = 0;
    apr_status_t rv =
        ua_session_renew(&cookie, &age, req->ctx, req->session, req->session_cookie);

    if (rv == APR_SUCCESS) {
        ua_set_cookie(res, req, "", cookie, age);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

static apr_status_t go_on(ua_res_t *res, ua_req_t *req, const ua_account_t *account)
{
    const char *profile = ua_path(req, UA_AREA_PERSONAL, "profile");
    const char *login = ua_path(req, UA_AREA_PUBLIC, "login");
    int own = is_own(req, account);

    ua_link_done(res, req, UA_PURPOSE_EMAIL);
    ua_go_notice(res, req, 200, own ? profile : login, UA_NOTICE_EMAIL_CHANGED);
    return own && req->session_cookie ? renew(res, req) : APR_SUCCESS;
}

static apr_status_t email_submit(ua_res_t *res, ua_req_t *req)
{
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;
    ua_email_t to;
    int taken = 0;

    UA_CHECK(ua_link_use(&token, &account, res, req, UA_PURPOSE_EMAIL));
    if (token->standing != UA_TOKEN_GOOD) {
        return APR_SUCCESS;
    }
    if (!account->enabled) { /* closed or shut out since the link was sent */
        ua_refuse(res, UA_PROBLEM_TOKEN_INVALID);
        res->template = "problem.html";
        return APR_SUCCESS;
    }
    UA_CHECK(ua_email_parse(&to, req->ctx->pool, token->email));
    UA_CHECK(ua_email_taken(&taken, req->ctx, to.key, account->id));
    if (taken) {
        refuse_taken(res);
        return APR_SUCCESS;
    }
    UA_CHECK(move(req->ctx, account, &to));
    return go_on(res, req, account);
}

static const ua_route_t routes[] = {{.path = "email",
                                     .template = "email.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_TOKEN,
                                     .show = email_show,
                                     .submit = email_submit},
                                    {0}};

const ua_feature_t ua_feature_change_email = {"change_email", routes};
