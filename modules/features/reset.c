/* reset.c: the link from forgot.c sets a new password. It proves the address, too, and ends whatever else
 * had access; nobody is signed in by it. A weak password does not use the link up. */
#include "feature.h"
#include "domain/event.h"
#include "domain/profile_field.h"

/* What is found before the transaction. */
typedef struct work_t {
    ua_account_t *account; /* whose link it is; NULL when the link is not good */
    const char *hash;
    apr_status_t rv;
} work_t;

/* Once a request. A failure is for `check` to report: a validator can't. */
static const work_t *find(ua_req_t *req)
{
    work_t *work = req->work;
    ua_token_t *token = NULL;

    if (!work) {
        work = apr_pcalloc(req->ctx->pool, sizeof *work);
        work->rv = ua_link_find(&token, &work->account, req, UA_PURPOSE_RESET);
        req->work = work;
    }
    return work;
}

/* With a link that is no good the password does not matter: `submit` says what is wrong with the link. */
static const char *check_password(ua_req_t *req, const char *value)
{
    const ua_account_t *account = find(req)->account;

    return account ? ua_judge_new_password(req, value, ua_account_words(req, account)) : NULL;
}

static const ua_field_t fields[] = {
    {"token", "Link", "hidden", 0, NULL, NULL, NULL, NULL},
    {"password", "New password", "password", 1, "new-password",
     "A few words that don't belong together are easy to remember and hard to guess.", NULL,
     check_password},
    {0}};

static apr_status_t reset_show(ua_res_t *res, ua_req_t *req)
{
    UA_CHECK(ua_link_show(res, req, UA_PURPOSE_RESET));
    if (!res->problem && !res->location && !req->wants_json) {
        ua_json_set_flag(res->view, "can_reset", 1);
    }
    return APR_SUCCESS;
}

static apr_status_t reset_check(ua_res_t *res, ua_req_t *req)
{
    work_t *work = req->work; /* of the validator */

    (void)res;
    UA_CHECK(work->rv);
    return work->account ? ua_new_password_hash(&work->hash, req, "password") : APR_SUCCESS;
}

/* The mailbox is the person's, what was told with the registration may be a stranger's. */
static apr_status_t prove(ua_req_t *req, const ua_account_t *account)
{
    UA_CHECK(ua_account_confirm(req, account, account->email));
    UA_CHECK(ua_account_strip(req->ctx, account->id));
    return ua_profile_field_clear(req->ctx, account->id);
}

/* Other links that were asked for say that they were used; without the first line they would be invalid, as
 * after a change of the password elsewhere. */
static apr_status_t set(ua_req_t *req, const ua_account_t *account, const char *hash)
{
    ua_ctx_t *ctx = req->ctx;

    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_RESET, UA_ENDED_SIBLING));
    if (account->verified == 0) {
        UA_CHECK(prove(req, account));
    }
    UA_CHECK(ua_new_password_set(req, account, hash));
    return ua_event_add(ctx, "password_reset", account->id, "");
}

static apr_status_t reset_submit(ua_res_t *res, ua_req_t *req)
{
    const work_t *work = req->work;
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;

    UA_CHECK(ua_link_use(&token, &account, res, req, UA_PURPOSE_RESET));
    if (token->standing != UA_TOKEN_GOOD) {
        return APR_SUCCESS;
    }
    UA_CHECK(set(req, account, work->hash));
    ua_link_done(res, req, UA_PURPOSE_RESET);
    ua_go_notice(res, req, 200, ua_path(req, UA_AREA_PUBLIC, "login"),
                 UA_NOTICE_PASSWORD_CHANGED);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "reset",
                                     .template = "reset.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_TOKEN,
                                     .show = reset_show,
                                     .check = reset_check,
                                     .submit = reset_submit},
                                    {0}};

const ua_feature_t ua_feature_reset = {"reset", routes};
