/* check_email.c: "check your email": how the mail fares, for the browser that registered, and the
 * correction of a mistyped address. Anyone else sees the general text. */
#include "feature.h"
#include "base/email.h"
#include "base/text.h"
#include "base/url.h"
#include "domain/event.h"

#include <string.h>

/* The page asks again so often until the address is confirmed, in seconds. */
#define REFRESH 5

#define NO_MORE "An address can be corrected three times. Register again with the right one."

static const ua_field_t fields[] = {
    {"email", "Correct address", "email", 1, "email", NULL, NULL, ua_check_email}, {0}};

/* With UserAuthHideAccounts a mail is taken to have left so long after it was asked for. */
#define ON_ITS_WAY apr_time_from_sec(2)

/* The same for every address, and whatever becomes of its mail: some are to nobody, and others may be asked
 * for by strangers where the address is free. */
static ua_sending_e hidden_state(ua_req_t *req)
{
    if (ua_outbox_fails(req->ctx)) { /* no mail leaves this site */
        return UA_SENDING_DELAYED;
    }
    return req->ctx->now < ua_registration_asked(req) + ON_ITS_WAY ? UA_SENDING_QUEUED
                                                                   : UA_SENDING_SENT;
}

static apr_status_t mail_state(const char **out, ua_req_t *req, const ua_account_t *account)
{
    static const char *const words[] = {[UA_SENDING_UNKNOWN] = "unknown",
                                        [UA_SENDING_QUEUED] = "queued",
                                        [UA_SENDING_DELAYED] = "delayed",
                                        [UA_SENDING_SENT] = "sent"};
    ua_sending_e sending = UA_SENDING_UNKNOWN;

    if (account->enabled) {
        *out = "verified";
        return APR_SUCCESS;
    }
    if (req->ctx->conf->hide_accounts) {
        sending = hidden_state(req);
    }
    else {
        UA_CHECK(ua_outbox_confirming(&sending, req->ctx, account->id, account->email));
    }
    *out = words[sending];
    return APR_SUCCESS;
}

/* What only the page shows, not the API. */
static apr_status_t describe(ua_res_t *res, ua_req_t *req, const ua_account_t *account,
                             const char *state)
{
    ua_ctx_t *ctx = req->ctx;
    apr_interval_time_t wait = 0;
    /* Who corrects the address is not disturbed by a page that asks again. */
    int correcting = ua_query_get(ctx->pool, req->query, "correct") != NULL;
    ua_email_t email;

    ua_json_set_flag(res->view, "correcting", correcting);
    UA_CHECK(ua_email_parse(&email, ctx->pool, account->email));
    UA_CHECK(ua_mail_peek(&wait, req, email.key, account->id));
    ua_json_set_flag(res->view, "known", 1);
    ua_json_set_flag(res->view, state, 1);
    ua_json_set(res->view, "username", account->username);
    ua_json_set_flag(res->view, "can_resend", wait == 0);
    ua_json_set(res->view, "resend_wait", ua_wait_words(ctx->pool, wait));
    ua_json_set_flag(res->view, "can_correct", account->corrections < UA_CORRECTIONS);
    ua_json_set_number(res->view, "corrections_left", UA_CORRECTIONS - account->corrections);
    res->refresh = account->enabled || correcting ? 0 : REFRESH;
    return APR_SUCCESS;
}

static apr_status_t check_email_show(ua_res_t *res, ua_req_t *req)
{
    ua_account_t *account = NULL;
    const char *state = NULL;
    apr_status_t rv = ua_registration_account(&account, req);

    ua_json_set(res->view, "mail", "unknown");
    json_object_set_new(res->view, "email", json_null());
    if (!req->wants_json) {
        ua_json_set(res->view, "lifetime",
                    ua_duration_words(req->ctx->pool, req->ctx->conf->verify_lifetime));
    }
    if (rv == APR_NOTFOUND) {
        /* Of a form that is sent too late: there is none to send again. */
        res->detail = "This browser does not know your registration any more. Get a new link "
                      "below, or register again with the right address.";
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    UA_CHECK(mail_state(&state, req, account));
    ua_json_set(res->view, "mail", state);
    ua_json_set(res->view, "email", account->email);
    return req->wants_json ? APR_SUCCESS : describe(res, req, account, state);
}

static void refuse_correction(ua_res_t *res, const char *detail)
{
    ua_refuse(res, UA_PROBLEM_FORBIDDEN);
    res->detail = detail;
    res->template = "problem.html";
}

/* What the page shows, and programs get, after a correction. */
static void answer(ua_res_t *res, ua_req_t *req, const char *email)
{
    req->counted = 1;
    ua_json_set(res->view, "mail", "queued");
    ua_json_set(res->view, "email", email);
    ua_go(res, 200, req->path, UA_NOTICE_CORRECTED);
}

/* The older links die; a new one is on its way, or what stands for it when the address is `taken`. */
static apr_status_t renew_links(ua_req_t *req, const ua_account_t *account, int taken,
                                int may_tell)
{
    ua_ctx_t *ctx = req->ctx;

    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_VERIFY, UA_ENDED_CHANGE));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_DISOWN, UA_ENDED_CHANGE));
    UA_CHECK(ua_outbox_drop_all(ctx, account->id, UA_MAIL_VERIFY));
    return taken ? ua_hidden_mail(ctx, account, may_tell) : ua_mail_verification(req, account);
}

/* Another mail to this address, for this browser and for strangers. */
static apr_status_t take_mail(int *may_tell, ua_res_t *res, ua_req_t *req,
                              const char *email_key, const char *account_id)
{
    apr_interval_time_t wait = 0;

    UA_CHECK(ua_mail_take(&wait, req, email_key, account_id));
    if (wait > 0) {
        ua_mail_refuse(res, req, wait);
        return APR_SUCCESS;
    }
    return ua_mail_first(may_tell, res, req, email_key);
}

/* Gives the account another address. */
static apr_status_t correct(ua_res_t *res, ua_req_t *req, ua_account_t *account,
                            const ua_email_t *email, int taken)
{
    ua_ctx_t *ctx = req->ctx;
    int may_tell = 0;
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(take_mail(&may_tell, res, req, email->key, account->id));
    if (res->problem) {
        return APR_SUCCESS;
    }
    rv = ua_account_correct(ctx, account->id, email->address,
                            taken ? account->id
                                  : email->key); /* no claim on what is another's */
    if (rv == APR_NOTFOUND) {
        refuse_correction(res, NO_MORE);
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    account->email = email->address;
    UA_CHECK(renew_links(req, account, taken, may_tell));
    UA_CHECK(ua_registration_cookie(res, req, account));
    answer(res, req, account->email);
    return ua_event_add(ctx, "address_corrected", account->id, "");
}

/* Nothing is to be corrected, or can be: 1 when answered. */
static int answer_early(ua_res_t *res, ua_req_t *req, const ua_account_t *account,
                        const ua_email_t *email)
{
    if (account->enabled || strcmp(email->address, account->email) == 0) {
        ua_go(res, 200, req->path, UA_NOTICE_UNCHANGED);
        return 1;
    }
    if (account->corrections >= UA_CORRECTIONS) {
        refuse_correction(res, NO_MORE);
        return 1;
    }
    return 0;
}

/* The address is another's: 409 as at registration, or nothing is said. */
static apr_status_t find_taken(int *taken, ua_res_t *res, ua_req_t *req,
                               const ua_account_t *account, const char *email_key)
{
    UA_CHECK(ua_email_taken(taken, req->ctx, email_key, account->id));
    if (*taken && !req->ctx->conf->hide_accounts) {
        ua_field_error(req, "email", "Email already in use");
        ua_refuse_used_email(res, req);
    }
    return APR_SUCCESS;
}

static apr_status_t check_email_submit(ua_res_t *res, ua_req_t *req)
{
    ua_account_t *account = NULL;
    ua_email_t email;
    int taken = 0;
    apr_status_t rv = ua_registration_account(&account, req);

    if (rv == APR_NOTFOUND) {
        refuse_correction(res, "Only the browser that registered can correct the address.");
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    UA_CHECK(ua_email_parse(&email, req->ctx->pool, ua_field(req, "email")));
    if (answer_early(res, req, account, &email)) {
        return res->problem ? APR_SUCCESS : check_email_show(res, req);
    }
    UA_CHECK(find_taken(&taken, res, req, account, email.key));
    return res->problem ? APR_SUCCESS : correct(res, req, account, &email, taken);
}

static const ua_route_t routes[] = {{.path = "check-email",
                                     .template = "check-email.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_MAIL,
                                     .show = check_email_show,
                                     .submit = check_email_submit},
                                    {0}};

const ua_feature_t ua_feature_check_email = {"check_email", routes};
