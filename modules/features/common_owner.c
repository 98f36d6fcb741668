/* common_owner.c: the owner of a mailbox proves to be the owner of the account, too: with a link sent there
 * and any password the account has or had in the last days. A thief who replaced the password, switched
 * it off or failed by the hundred shuts nobody out: failures are counted for the link alone. */
#include "feature.h"
#include "domain/event.h"
#include "domain/old_password.h"
#include "domain/password.h"
#include "domain/throttle.h"

#include <string.h>

/* For a link that opens a closed account the last days are those before it was closed. */
static apr_time_t last_day(const ua_owner_t *owner, apr_time_t now)
{
    int restores = strcmp(owner->token->purpose, UA_PURPOSE_RESTORE) == 0;

    return restores && owner->account->closed > 0 ? owner->account->closed : now;
}

/* The present hash first, also when it was switched off, then those replaced meanwhile: at most 11. */
static apr_status_t candidates(apr_array_header_t **out, ua_ctx_t *ctx, const ua_owner_t *owner)
{
    const ua_account_t *account = owner->account;
    apr_time_t then = last_day(owner, ctx->now) - ctx->conf->undo_lifetime;
    apr_array_header_t *rows = NULL;
    apr_array_header_t *hashes = apr_array_make(ctx->pool, 12, sizeof(const char *));

    UA_CHECK(ua_old_password_list(&rows, ctx, account->id, then));
    APR_ARRAY_PUSH(hashes, const char *) = account->password_hash;
    for (int i = 0; i < rows->nelts; i++) {
        APR_ARRAY_PUSH(hashes, const char *) = APR_ARRAY_IDX(rows, i, ua_row_t)[0];
    }
    *out = hashes;
    return APR_SUCCESS;
}

static apr_status_t verify(ua_owner_t *owner, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    apr_array_header_t *hashes = NULL;
    const char *normal = NULL;
    apr_status_t rv = APR_EACCES;
    int tried = 0;

    UA_CHECK(candidates(&hashes, ctx, owner));
    UA_CHECK(ua_password_normal(&normal, ctx, ua_field(req, "password")));
    for (; rv == APR_EACCES && tried < hashes->nelts; tried++) {
        rv = ua_password_verify(ctx, APR_ARRAY_IDX(hashes, tried, const char *), normal);
    }
    if (rv != APR_SUCCESS && rv != APR_EACCES) {
        return ua_fail(ctx, rv, "password hash");
    }
    owner->right = rv == APR_SUCCESS;
    owner->present = owner->right && tried == 1 && !owner->account->password_off;
    return APR_SUCCESS;
}

static apr_status_t find_wait(apr_interval_time_t *wait, ua_req_t *req, ua_owner_t *owner,
                              const char *purpose)
{
    apr_int64_t failures = 0;

    UA_CHECK(ua_throttle_name(&owner->counter, req->ctx, purpose, owner->token->id));
    return ua_wait_peek(wait, &failures, req->ctx, owner->counter);
}

const char *ua_check_owner_password(ua_req_t *req, const char *value)
{
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;
    apr_status_t rv = ua_link_find(&token, &account, req, req->route->path);

    return rv == APR_SUCCESS && !account ? NULL : ua_check_password(req, value);
}

apr_status_t ua_owner_verify(ua_owner_t **out, ua_res_t *res, ua_req_t *req,
                             const char *purpose)
{
    ua_ctx_t *ctx = req->ctx;
    ua_owner_t *owner = apr_pcalloc(ctx->pool, sizeof *owner);
    apr_interval_time_t wait = 0;
    apr_status_t rv = APR_SUCCESS;

    *out = owner;
    UA_CHECK(ua_token_read(&owner->token, ctx, purpose, ua_link_token(req, purpose)));
    if (owner->token->standing != UA_TOKEN_GOOD) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_password_enter(ctx));
    UA_CHECK(find_wait(&wait, req, owner, purpose));
    if (wait > 0) {
        ua_refuse_locked(res, req, wait);
        return APR_SUCCESS;
    }
    rv = ua_account_by_id(&owner->account, ctx, owner->token->account_id);
    if (rv == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    return verify(owner, req);
}

apr_status_t ua_owner_failed(ua_res_t *res, ua_req_t *req, const ua_owner_t *owner,
                             const char *event)
{
    apr_interval_time_t wait = 0;

    UA_CHECK(ua_wait_failed(&wait, req->ctx, owner->counter));
    UA_CHECK(ua_event_add(req->ctx, event, owner->account->id, ""));
    req->counted = 1;
    ua_field_error(req, "password", "This is no password of the account.");
    ua_refuse(res, UA_PROBLEM_INVALID_FIELDS);
    return APR_SUCCESS;
}
