/* common_mail.c: links and mails about an account that is not confirmed yet, how many mails one
 * address gets, and the cookie of the browser that registered. See feature.h. */
#include "feature.h"
#include "base/text.h"
#include "domain/outbox.h"
#include "domain/throttle.h"

#include <string.h>

apr_status_t ua_mail_verification(ua_req_t *req, const ua_account_t *account)
{
    ua_ctx_t *ctx = req->ctx;
    ua_token_t token = {
        .account_id = account->id, .purpose = UA_PURPOSE_VERIFY, .email = account->email};
    ua_outbox_t mail = {.account_id = account->id,
                        .kind = UA_MAIL_VERIFY,
                        .email = account->email,
                        .username = account->username,
                        .expires = ctx->now + ctx->conf->verify_lifetime};

    UA_CHECK(ua_token_issue(&mail.token_id, ctx, &token, ctx->conf->verify_lifetime));
    token.purpose = UA_PURPOSE_DISOWN;
    UA_CHECK(ua_token_issue(&mail.disown_id, ctx, &token, ctx->conf->disown_lifetime));
    return ua_outbox_add(ctx, &mail);
}

/* The counter of one rate for one address and asker. */
static apr_status_t counter(const char **out, ua_req_t *req, const char *email_key,
                            const char *owner, int i)
{
    return ua_throttle_name(out, req->ctx, apr_psprintf(req->ctx->pool, "mail%d", i),
                            apr_pstrcat(req->ctx->pool, email_key, "|", owner, NULL));
}

apr_status_t ua_mail_peek(apr_interval_time_t *wait, ua_req_t *req, const char *email_key,
                          const char *owner)
{
    apr_interval_time_t longest = 0;

    for (int i = 0; i < UA_MAIL_RATES && req->ctx->conf->mail_rates[i].duration > 0; i++) {
        apr_interval_time_t one = 0;
        const char *name = NULL;

        UA_CHECK(counter(&name, req, email_key, owner, i));
        UA_CHECK(ua_throttle_peek(&one, req->ctx, name, &req->ctx->conf->mail_rates[i]));
        longest = one > longest ? one : longest;
    }
    *wait = longest;
    return APR_SUCCESS;
}

apr_status_t ua_mail_take(apr_interval_time_t *wait, ua_req_t *req, const char *email_key,
                          const char *owner)
{
    apr_interval_time_t left = 0;
    apr_interval_time_t none = 0;

    UA_CHECK(ua_mail_peek(&left, req, email_key, owner));
    for (int i = 0;
         left == 0 && i < UA_MAIL_RATES && req->ctx->conf->mail_rates[i].duration > 0; i++) {
        const char *name = NULL;

        UA_CHECK(counter(&name, req, email_key, owner, i));
        UA_CHECK(ua_throttle_take(&none, req->ctx, name, &req->ctx->conf->mail_rates[i]));
    }
    *wait = left;
    return APR_SUCCESS;
}

void ua_mail_refuse(ua_res_t *res, ua_req_t *req, apr_interval_time_t wait)
{
    ua_refuse_wait(res, req, UA_PROBLEM_RATE_LIMITED, wait);
    res->title = "One email at a time";
    res->detail =
        apr_psprintf(req->ctx->pool, "You can ask for another email in %s.",
                     ua_duration_words(req->ctx->pool, apr_time_from_sec(res->retry_after)));
}

static apr_status_t sign(const char **out, ua_req_t *req, const char *account_id)
{
    const char *tag = NULL;

    UA_CHECK(ua_hmac_text(&tag, req->ctx->pool, req->ctx->keys->cookie,
                          UA_PARTS("registration", account_id)));
    *out = apr_pstrcat(req->ctx->pool, account_id, ".", tag, NULL);
    return APR_SUCCESS;
}

const char *ua_registration_account(ua_req_t *req)
{
    apr_pool_t *pool = req->ctx->pool;
    const char *value = ua_cookie_get(pool, req->cookie, ua_site_cookie(req, "registration"));
    const char *genuine = NULL;
    const char *id = NULL;

    if (!value || strlen(value) != UA_UUID_TEXT + 1 + UA_DIGEST_TEXT) {
        return NULL;
    }
    id = apr_pstrmemdup(pool, value, UA_UUID_TEXT);
    if (sign(&genuine, req, id) != APR_SUCCESS || !ua_equal_text(genuine, value)) {
        return NULL;
    }
    return id;
}

apr_status_t ua_registration_cookie(ua_res_t *res, ua_req_t *req, const char *account_id)
{
    const char *value = NULL;

    UA_CHECK(sign(&value, req, account_id));
    ua_set_cookie(res, req, "registration", value,
                  apr_time_sec(req->ctx->conf->unverified_lifetime));
    return APR_SUCCESS;
}
