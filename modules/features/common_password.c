/* common_password.c: a new password: what it has to be, and what setting it ends. */
#include "feature.h"
#include "base/curl_range.h"
#include "domain/event.h"
#include "domain/old_password.h"
#include "domain/password.h"

/* A look-up takes up to a second: nothing that others wait for is held meanwhile. What can't be asked
 * stops nobody. */
static int is_leaked(ua_ctx_t *ctx, const char *normal)
{
    const char *why = NULL;
    int found = 0;
    apr_status_t rv = APR_SUCCESS;

    if (!ctx->range) {
        return 0;
    }
    ua_db_release(ctx);
    rv = ua_range_lookup(&found, ctx->range, ctx->pool, normal, ctx->now, &why);
    ctx->warning = why; /* NULL unless it failed just now */
    return rv == APR_SUCCESS && found;
}

static const char *refusal_of(ua_req_t *req, const char *normal, const char *const *words)
{
    const char *refusal = ua_password_refusal(req->ctx, normal, words);

    if (!refusal && is_leaked(req->ctx, normal)) {
        refusal = "This password is in a list of leaked passwords. Choose another one.";
    }
    return refusal;
}

const char *ua_judge_new_password(ua_req_t *req, const char *value, const char *const *words)
{
    const char *normal = NULL;
    const char *refusal = ua_password_length_refusal(value);

    if (refusal) {
        return refusal;
    }
    if (ua_password_normal(&normal, req->ctx, value) != APR_SUCCESS) {
        return "This password can't be used. Choose another one.";
    }
    refusal = refusal_of(req, normal, words);
    if (refusal && ua_password_suggest(&req->suggestion, req->ctx) != APR_SUCCESS) {
        req->suggestion = NULL;
    }
    return refusal;
}

/* What the person types and what the person is: words that make a password easy to guess. */
const char *ua_check_new_password(ua_req_t *req, const char *value)
{
    const ua_session_t *s = req->session;
    const char *words[] = {ua_field(req, "username"),
                           ua_field(req, "email"),
                           ua_field(req, "display_name"),
                           s ? s->username : "",
                           s ? s->email : "",
                           s ? s->display_name : "",
                           NULL};

    return ua_judge_new_password(req, value, words);
}

apr_status_t ua_new_password_hash(const char **hash, ua_req_t *req, const char *field)
{
    const char *normal = NULL;

    UA_CHECK(ua_password_normal(&normal, req->ctx, ua_field(req, field)));
    return ua_password_hash(hash, req->ctx, normal);
}

/* Who knew the old password, or asked for a link before, gets nowhere with it. Links that undo a change of
 * address or say "this wasn't me" stay: they are the owner's. */
static apr_status_t end_access(ua_ctx_t *ctx, const ua_account_t *account)
{
    UA_CHECK(ua_session_end_all(ctx, account->id, ""));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_RESET, UA_ENDED_CHANGE));
    UA_CHECK(ua_outbox_drop_all(ctx, account->id, UA_MAIL_RESET));
    return ua_pending_drop(ctx, account->id, UA_ENDED_CHANGE);
}

apr_status_t ua_new_password_set(ua_req_t *req, const ua_account_t *account, const char *hash)
{
    ua_ctx_t *ctx = req->ctx;

    UA_CHECK(ua_account_set_password(ctx, account, hash));
    if (account->verified > 0) { /* before that it may have been anybody's */
        UA_CHECK(ua_old_password_add(ctx, account->id, account->password_hash));
    }
    UA_CHECK(ua_try_lift(req, account));
    UA_CHECK(end_access(ctx, account));
    return ua_mail_queue(ctx, account, UA_MAIL_PASSWORD_CHANGED, NULL, NULL);
}
