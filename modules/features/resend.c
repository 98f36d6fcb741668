/* resend.c: another verification mail. The answer is the same for every address, known or not, and
 * so is what is written. */
#include "feature.h"
#include "base/email.h"
#include "domain/event.h"

static const ua_field_t fields[] = {{"email", "Email", "email", 1, "email",
                                     "The address you registered with.", NULL, ua_check_email},
                                    {0}};

/* The same rows for every address: a link for one that waits, else one that leads nowhere. */
static apr_status_t queue(ua_req_t *req, const ua_account_t *account)
{
    ua_ctx_t *ctx = req->ctx;

    if (!account || account->closed > 0) {
        return ua_mail_decoy(ctx, UA_MAIL_VERIFY);
    }
    if (account->verified > 0) {
        UA_CHECK(ua_mail_decoy_links(ctx, UA_MAIL_VERIFY));
        return ua_mail_queue(ctx, account, UA_MAIL_CONFIRMED, NULL, NULL);
    }
    return ua_mail_verification(req, account);
}

static apr_status_t resend_submit(ua_res_t *res, ua_req_t *req)
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
    UA_CHECK(ask.hidden ? ua_hidden_mail(ctx, ask.hidden, ask.may) : queue(req, account));
    if (ask.own && ctx->conf->hide_accounts) {
        UA_CHECK(ua_registration_cookie(res, req, ask.own));
    }
    UA_CHECK(ua_event_add(ctx, "verification_requested", account ? account->id : "", ""));
    ua_go(res, 202, ua_path(req, UA_AREA_PUBLIC, "check-email"), UA_NOTICE_RESENT);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "resend",
                                     .template = "resend.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_MAIL,
                                     .submit = resend_submit},
                                    {0}};

const ua_feature_t ua_feature_resend = {"resend", routes};
