/* common_pending.c: the address that waits until its link is opened: the newest open link of its purpose,
 * kept in no column. Its mails go to an address that is not proven to be this person's yet, so they
 * count as those that strangers ask for. */
#include "feature.h"
#include "domain/event.h"
#include "domain/throttle.h"

apr_status_t ua_pending_find(const ua_token_t **out, ua_ctx_t *ctx, const char *account_id)
{
    apr_array_header_t *open = NULL;

    UA_CHECK(ua_token_list(&open, ctx, account_id, UA_PURPOSE_EMAIL));
    *out = open->nelts > 0 ? &APR_ARRAY_IDX(open, 0, ua_token_t) : NULL;
    return APR_SUCCESS;
}

apr_status_t ua_pending_state(const char **out, ua_ctx_t *ctx, const ua_token_t *pending)
{
    static const char *const words[] = {[UA_SENDING_UNKNOWN] = "unknown",
                                        [UA_SENDING_QUEUED] = "queued",
                                        [UA_SENDING_DELAYED] = "delayed",
                                        [UA_SENDING_SENT] = "sent"};
    ua_sending_e sending = UA_SENDING_UNKNOWN;

    UA_CHECK(
        ua_outbox_state(&sending, ctx, pending->account_id, UA_MAIL_EMAIL, pending->email));
    *out = words[sending];
    return APR_SUCCESS;
}

/* Mails that one client address asks for (contract 8). A limit of the route would stop edits that send no
 * mail, too. */
static apr_status_t take_request(apr_interval_time_t *wait, ua_req_t *req)
{
    const ua_rate_t *rate = &req->ctx->conf->rates[UA_RATE_MAIL];
    const char *name = NULL;

    if (rate->duration == 0) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_throttle_name(&name, req->ctx, "rate-mail", req->network));
    return ua_throttle_take(wait, req->ctx, name, rate);
}

apr_status_t ua_pending_may(ua_res_t *res, ua_req_t *req, const char *email_key)
{
    apr_interval_time_t wait = 0;

    UA_CHECK(take_request(&wait, req));
    if (wait > 0) {
        ua_refuse_wait(res, req, UA_PROBLEM_RATE_LIMITED, wait);
        return APR_SUCCESS;
    }
    UA_CHECK(ua_mail_peek(&wait, req, email_key, ""));
    if (wait > 0) {
        ua_mail_refuse(res, req, wait);
    }
    return APR_SUCCESS;
}

apr_status_t ua_pending_send(ua_req_t *req, const ua_account_t *account,
                             const ua_email_t *email)
{
    apr_interval_time_t ignored = 0; /* ua_pending_may() has asked */

    UA_CHECK(ua_mail_take(&ignored, req, email->key, ""));
    UA_CHECK(ua_mail_queue(req->ctx, account, UA_MAIL_EMAIL, email->address, NULL));
    return ua_event_add(req->ctx, "email_change_requested", account->id, "");
}

apr_status_t ua_pending_drop(ua_ctx_t *ctx, const char *account_id, ua_ended_e why)
{
    UA_CHECK(ua_token_end(ctx, account_id, UA_PURPOSE_EMAIL, why));
    return ua_outbox_drop_all(ctx, account_id, UA_MAIL_EMAIL);
}
