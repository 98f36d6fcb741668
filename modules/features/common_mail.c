/* common_mail.c: queues mails with the links they carry; how many mails one address gets. See
 * feature.h. */
#include "feature.h"
#include "base/agent.h"
#include "base/email.h"
#include "base/text.h"
#include "domain/device.h"
#include "domain/throttle.h"

#include <string.h>

/* A mail without a link is not worth sending after so long. */
#define NOTICE_LIFETIME apr_time_from_sec(24 * 3600)

/* A link of this purpose for the account, to this address. */
static apr_status_t issue(const char **id, ua_ctx_t *ctx, const char *account_id,
                          const char *purpose, const char *email)
{
    ua_token_t token = {.account_id = account_id, .purpose = purpose, .email = email};

    return ua_token_issue(id, ctx, &token, ua_token_lifetime(ctx->conf, purpose));
}

/* How long the link of a mail is of use: a closed account is restored before it is erased, or never. */
static apr_interval_time_t life_of(const ua_ctx_t *ctx, const ua_account_t *account,
                                   const char *purpose)
{
    apr_interval_time_t life = ua_token_lifetime(ctx->conf, purpose);
    int again = account->closed > 0 && strcmp(purpose, UA_PURPOSE_RESTORE) == 0;

    return again ? account->closed + life - ctx->now : life;
}

const char *ua_mail_detail(ua_ctx_t *ctx, json_t *extra)
{
    json_t *detail = ua_json_object(ctx->pool);

    ua_json_set(detail, "device", ua_agent_words(ctx->pool, ctx->agent));
    ua_json_set(detail, "address", ctx->address);
    if (extra) {
        json_object_update(detail, extra);
    }
    return ua_json_text(ctx->pool, detail);
}

apr_status_t ua_mail_queue(ua_ctx_t *ctx, const ua_account_t *account, ua_mail_kind_e kind,
                           const char *email, json_t *detail)
{
    const ua_mail_kind_t *row = &ua_mail_kinds[kind];
    ua_outbox_t mail = {.account_id = account->id,
                        .kind = kind,
                        .email = email ? email : account->email,
                        .username = account->username,
                        .token_id = "",
                        .disown_id = "",
                        .detail = ua_mail_detail(ctx, detail),
                        .expires = ctx->now + NOTICE_LIFETIME};

    if (*row->purpose) {
        UA_CHECK(issue(&mail.token_id, ctx, account->id, row->purpose, mail.email));
        mail.expires = ctx->now + life_of(ctx, account, row->purpose);
    }
    if (row->disown) {
        UA_CHECK(issue(&mail.disown_id, ctx, account->id, UA_PURPOSE_DISOWN, mail.email));
    }
    return ua_outbox_add(ctx, &mail);
}

static apr_status_t issue_decoys(ua_outbox_t *mail, ua_ctx_t *ctx, ua_mail_kind_e kind)
{
    const ua_mail_kind_t *row = &ua_mail_kinds[kind];

    if (*row->purpose) {
        UA_CHECK(issue(&mail->token_id, ctx, "", row->purpose, ""));
        mail->expires = ctx->now + ua_token_lifetime(ctx->conf, row->purpose);
    }
    return row->disown ? issue(&mail->disown_id, ctx, "", UA_PURPOSE_DISOWN, "") : APR_SUCCESS;
}

apr_status_t ua_mail_decoy_links(ua_ctx_t *ctx, ua_mail_kind_e kind)
{
    ua_outbox_t none = {0};

    return issue_decoys(&none, ctx, kind);
}

apr_status_t ua_mail_decoy(ua_ctx_t *ctx, ua_mail_kind_e kind)
{
    ua_outbox_t mail = {.account_id = "",
                        .kind = UA_MAIL_NOBODY,
                        .email = "",
                        .username = "",
                        .token_id = "",
                        .disown_id = "",
                        .detail = ua_mail_detail(ctx, NULL),
                        .expires = ctx->now + NOTICE_LIFETIME};

    UA_CHECK(issue_decoys(&mail, ctx, kind));
    return ua_outbox_add(ctx, &mail);
}

apr_status_t ua_mail_verification(ua_req_t *req, const ua_account_t *account)
{
    return ua_mail_queue(req->ctx, account, UA_MAIL_VERIFY, NULL, NULL);
}

/* 1 in *may for the first time in 24 h. */
static apr_status_t take_daily(int *may, ua_ctx_t *ctx, const char *key, ua_mail_kind_e kind)
{
    static const ua_rate_t once = {1, apr_time_from_sec(24 * 3600)};
    const char *name = NULL;
    apr_interval_time_t wait = 0;

    UA_CHECK(ua_throttle_name(&name, ctx, ua_mail_kinds[kind].name, key));
    UA_CHECK(ua_throttle_take(&wait, ctx, name, &once));
    *may = wait == 0;
    return APR_SUCCESS;
}

apr_status_t ua_mail_daily(ua_ctx_t *ctx, const ua_account_t *account, ua_mail_kind_e kind)
{
    int may = 0;

    UA_CHECK(take_daily(&may, ctx, account->id, kind));
    return may ? ua_mail_queue(ctx, account, kind, NULL, NULL) : APR_SUCCESS;
}

apr_status_t ua_mail_daily_decoy(ua_ctx_t *ctx, const char *key, ua_mail_kind_e kind)
{
    int may = 0;

    UA_CHECK(take_daily(&may, ctx, key, kind));
    return may ? ua_mail_decoy(ctx, kind) : APR_SUCCESS;
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

/* Whose bucket is that of an address's registrations, whatever accounts they make. */
#define REGISTRATION "registration"

/* Counts a mail for them, also when it is one too many. */
static apr_status_t count_registration(ua_req_t *req, const char *email_key)
{
    apr_interval_time_t ignored = 0;

    for (int i = 0; i < UA_MAIL_RATES && req->ctx->conf->mail_rates[i].duration > 0; i++) {
        const char *name = NULL;

        UA_CHECK(counter(&name, req, email_key, REGISTRATION, i));
        UA_CHECK(ua_throttle_take(&ignored, req->ctx, name, &req->ctx->conf->mail_rates[i]));
    }
    return APR_SUCCESS;
}

/* Who registers does not wait for so long: a typing error may be put right at once. */
#define PATIENCE apr_time_from_sec(60)

apr_status_t ua_mail_first(int *may_tell, ua_res_t *res, ua_req_t *req, const char *email_key)
{
    apr_interval_time_t wait = 0;

    UA_CHECK(ua_mail_peek(&wait, req, email_key, REGISTRATION));
    if (wait > PATIENCE) {
        ua_mail_refuse(res, req, wait);
        res->title = "Too many emails to this address";
        res->detail =
            apr_psprintf(req->ctx->pool, "You can register with it in %s.",
                         ua_wait_words(req->ctx->pool, apr_time_from_sec(res->retry_after)));
        return APR_SUCCESS;
    }
    UA_CHECK(count_registration(req, email_key));
    UA_CHECK(ua_mail_take(&wait, req, email_key, ""));
    *may_tell = wait == 0;
    return APR_SUCCESS;
}

/* The account that this browser registered and that has this address, or NULL. */
static apr_status_t find_registration(ua_account_t **out, ua_req_t *req, const char *email_key)
{
    ua_account_t *found = NULL;
    ua_email_t email;
    apr_status_t rv = ua_registration_account(&found, req);

    if (rv == APR_SUCCESS) {
        UA_CHECK(ua_email_parse(&email, req->ctx->pool, found->email));
        *out = strcmp(email.key, email_key) == 0 ? found : NULL;
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* Whose browser asks: the account's id when it has a cookie of this account, else "". */
static apr_status_t find_asker(const char **owner, ua_mail_ask_t *ask, ua_req_t *req,
                               const ua_account_t *account, const char *email_key)
{
    const char *device =
        ua_cookie_get(req->ctx->pool, req->cookie, ua_site_cookie(req, "device"));
    ua_account_t *registered = NULL;
    int known = 0;

    UA_CHECK(ua_device_known(&known, req->ctx, device, account ? account->id : ""));
    UA_CHECK(find_registration(&registered, req, email_key));
    ask->own = registered;
    if (registered && (!account || strcmp(registered->id, account->id) != 0)) {
        ask->hidden = registered;
    }
    *owner = registered ? registered->id : known ? account->id : "";
    return APR_SUCCESS;
}

apr_status_t ua_mail_ask(ua_mail_ask_t *out, ua_req_t *req, const ua_account_t *account,
                         const char *email_key)
{
    ua_mail_ask_t ask = {0, 1, NULL, NULL};
    apr_interval_time_t strangers = 0;
    const char *owner = NULL;

    UA_CHECK(find_asker(&owner, &ask, req, account, email_key));
    UA_CHECK(ua_mail_take(&ask.wait, req, email_key, owner));
    if (ask.wait == 0 && *owner) { /* mails of a known browser count for strangers, too */
        UA_CHECK(ua_mail_take(&strangers, req, email_key, ""));
    }
    if (ask.wait == 0 && ask.own) { /* or each new registration would bring as many again */
        UA_CHECK(count_registration(req, email_key));
    }
    ask.may = ask.wait == 0 && (!ask.hidden || strangers == 0);
    *out = ask;
    return APR_SUCCESS;
}

void ua_mail_refuse(ua_res_t *res, ua_req_t *req, apr_interval_time_t wait)
{
    ua_refuse_wait(res, req, UA_PROBLEM_RATE_LIMITED, wait);
    res->title = "One email at a time";
    res->detail =
        apr_psprintf(req->ctx->pool, "You can ask for another email in %s.",
                     ua_wait_words(req->ctx->pool, apr_time_from_sec(res->retry_after)));
}
