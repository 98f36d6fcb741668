/* common_names.c: whether a username or an address can be had: an account has it, or it is held for one
 * that had it before. */
#include "feature.h"
#include "domain/held_email.h"
#include "domain/throttle.h"
#include "domain/username.h"

#include <string.h>

/* What a look-up says: 1 in *taken when it found somebody else. */
static apr_status_t judge(int *taken, apr_status_t rv, const char *found_id, const char *own_id)
{
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        return rv;
    }
    *taken = *taken || (rv == APR_SUCCESS && strcmp(found_id, own_id) != 0);
    return APR_SUCCESS;
}

apr_status_t ua_email_held(int *held, ua_ctx_t *ctx, const char *email_key, const char *own_id)
{
    const char *holder = NULL;
    apr_status_t rv = ua_held_email_holder(&holder, ctx, email_key);

    return judge(held, rv, holder, own_id);
}

apr_status_t ua_email_taken(int *taken, ua_ctx_t *ctx, const char *email_key,
                            const char *own_id)
{
    ua_account_t *other = NULL;
    int found = 0;
    apr_status_t rv = ua_account_by_email(&other, ctx, email_key);

    UA_CHECK(judge(&found, rv, other ? other->id : "", own_id));
    UA_CHECK(ua_email_held(&found, ctx, email_key, own_id));
    *taken = found;
    return APR_SUCCESS;
}

apr_status_t ua_username_held(int *held, ua_ctx_t *ctx, const char *username,
                              const char *own_id)
{
    const char *holder = NULL;
    apr_status_t rv = ua_username_holder(&holder, ctx, ua_username_key(ctx->pool, username));

    return judge(held, rv, holder, own_id);
}

apr_status_t ua_username_taken(int *taken, ua_ctx_t *ctx, const char *username,
                               const char *own_id)
{
    const char *key = ua_username_key(ctx->pool, username);
    ua_account_t *other = NULL;
    int found = 0;
    apr_status_t rv = ua_account_by_username(&other, ctx, key);

    UA_CHECK(judge(&found, rv, other ? other->id : "", own_id));
    UA_CHECK(ua_username_held(&found, ctx, username, own_id));
    *taken = found;
    return APR_SUCCESS;
}

void ua_refuse_used_email(ua_res_t *res, ua_req_t *req)
{
    ua_refuse(res, UA_PROBLEM_EMAIL_IN_USE);
    ua_offer(res, "reset", ua_path(req, UA_AREA_PUBLIC, "forgot"), "Reset your password");
    ua_offer(res, "resend", ua_path(req, UA_AREA_PUBLIC, "resend"),
             "Send a new confirmation link");
    ua_offer(res, "login", ua_path(req, UA_AREA_PUBLIC, "login"), "Log in");
}

apr_status_t ua_username_move(ua_res_t *res, ua_req_t *req, const char *account_id)
{
    static const ua_rate_t rate = {10, apr_time_from_sec(24 * 3600)};
    apr_interval_time_t wait = 0;
    const char *name = NULL;

    UA_CHECK(ua_throttle_name(&name, req->ctx, "username", account_id));
    UA_CHECK(ua_throttle_take(&wait, req->ctx, name, &rate));
    if (wait > 0) {
        ua_refuse_wait(res, req, UA_PROBLEM_RATE_LIMITED, wait);
        res->title = "Too many new usernames";
    }
    return APR_SUCCESS;
}
