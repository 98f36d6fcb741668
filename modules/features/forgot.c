/* forgot.c: a link that sets a new password, mailed to whoever lost the old one. The answer is the same
 * for every address, known or not, and so is what is written. No wait after failed sign-ins stops it. */
#include "feature.h"
#include "base/email.h"
#include "domain/event.h"

static const ua_field_t fields[] = {{"email", "Email", "email", 1, "email",
                                     "The address of your account.", NULL, ua_check_email},
                                    {0}};

/* A closed account has no password to set, but a link that brings it back while it can be. */
static apr_status_t queue_closed(ua_ctx_t *ctx, const ua_account_t *account)
{
    return ctx->now < account->closed + ctx->conf->restore_lifetime
               ? ua_mail_queue(ctx, account, UA_MAIL_CLOSED, NULL, NULL)
               : ua_mail_decoy(ctx, UA_MAIL_CLOSED);
}

/* The same rows for every address: a link for an account, else one that leads nowhere. Who never confirmed
 * the address does so with the link. */
static apr_status_t queue(ua_ctx_t *ctx, const ua_account_t *account)
{
    if (account && account->closed > 0) {
        return queue_closed(ctx, account);
    }
    if (!account || (!account->enabled && account->verified > 0)) {
        return ua_mail_decoy(ctx, UA_MAIL_RESET); /* nobody, or shut out */
    }
    return ua_mail_queue(ctx, account, UA_MAIL_RESET, NULL, NULL);
}

static apr_status_t forgot_submit(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    ua_account_t *account = NULL;
    ua_email_t email;
    ua_mail_ask_t ask;
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(ua_email_parse(&email, ctx->pool, ua_field(req, "email")));
    rv = ua_account_by_email(&account, ctx, email.key);
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        return rv;
    }
    UA_CHECK(ua_mail_ask(&ask, req, account, email.key));
    req->counted = 1;
    if (ask.wait > 0) {
        ua_mail_refuse(res, req, ask.wait);
        return APR_SUCCESS;
    }
    UA_CHECK(queue(ctx, ask.may ? account : NULL));
    UA_CHECK(ua_event_add(ctx, "reset_requested", account ? account->id : "", ""));
    ua_go_notice(res, req, 202, ua_path(req, UA_AREA_PUBLIC, "forgot"), UA_NOTICE_RESET_SENT);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "forgot",
                                     .template = "forgot.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_MAIL,
                                     .submit = forgot_submit},
                                    {0}};

const ua_feature_t ua_feature_forgot = {"forgot", routes};
