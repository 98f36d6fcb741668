/* resend.c: another verification mail. The answer is the same for every address, known or not, and
 * so is what is written. */
#include "feature.h"
#include "base/email.h"
#include "domain/device.h"
#include "domain/event.h"
#include "domain/outbox.h"

#include <string.h>

static const ua_field_t fields[] = {{"email", "Email", "email", 1, "email",
                                     "The address you registered with.", NULL, ua_check_email},
                                    {0}};

/* Whose browser asks: the account's id when it has a cookie of this account, else "". */
static apr_status_t asker(const char **owner, ua_req_t *req, const ua_account_t *account)
{
    const char *registered = ua_registration_account(req);
    const char *device =
        ua_cookie_get(req->ctx->pool, req->cookie, ua_site_cookie(req, "device"));
    int known = 0;

    UA_CHECK(ua_device_known(&known, req->ctx, device, account ? account->id : ""));
    known = known || (account && registered && strcmp(registered, account->id) == 0);
    *owner = known ? account->id : "";
    return APR_SUCCESS;
}

/* "Already confirmed" for a verified address; a row that is never sent for an unknown one. */
static apr_status_t queue_other(ua_ctx_t *ctx, const ua_account_t *account, const char *address)
{
    ua_outbox_t mail = {.account_id = account ? account->id : "",
                        .kind = account ? UA_MAIL_CONFIRMED : UA_MAIL_NOBODY,
                        .email = account ? account->email : "",
                        .username = account ? account->username : "",
                        .token_id = "",
                        .disown_id = "",
                        .expires = ctx->now + ctx->conf->verify_lifetime};

    (void)address;
    return ua_outbox_add(ctx, &mail);
}

static apr_status_t resend_submit(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    ua_account_t *account = NULL;
    ua_email_t email;
    apr_interval_time_t wait = 0;
    const char *owner = NULL;
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(ua_email_parse(&email, ctx->pool, ua_field(req, "email")));
    rv = ua_account_by_email(&account, ctx, email.key);
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        return rv;
    }
    UA_CHECK(asker(&owner, req, account));
    UA_CHECK(ua_mail_take(&wait, req, email.key, owner));
    req->counted = 1;
    if (wait > 0) {
        ua_mail_refuse(res, req, wait);
        return APR_SUCCESS;
    }
    if (account && !account->enabled) {
        UA_CHECK(ua_mail_verification(req, account));
    }
    else {
        UA_CHECK(queue_other(ctx, account, email.address));
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
