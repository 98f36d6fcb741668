/* change_password.c: a signed-in person sets another password, with the present one. Whatever was issued
 * before ends, this browser's session included; this browser gets a new one. */
#include "feature.h"
#include "domain/event.h"
#include "domain/password.h"

#include <string.h>

typedef struct work_t {
    ua_try_t *attempt; /* of the present password */
    const char *hash;  /* of the new one; NULL when the present one was wrong */
} work_t;

/* 1 when both fields hold the same password, however it was typed. */
static int is_same(ua_req_t *req, const char *value)
{
    const char *present = NULL;
    const char *next = NULL;

    return ua_password_normal(&present, req->ctx, ua_field(req, "current_password")) ==
               APR_SUCCESS &&
           ua_password_normal(&next, req->ctx, value) == APR_SUCCESS &&
           strcmp(present, next) == 0;
}

static const char *check_password(ua_req_t *req, const char *value)
{
    if (*value && is_same(req, value)) {
        return "This is the password you have now. Choose another one.";
    }
    return ua_check_new_password(req, value);
}

static const ua_field_t fields[] = {
    {"current_password", "Current password", "password", 1, "current-password", NULL, NULL,
     ua_check_password},
    {"password", "New password", "password", 1, "new-password",
     "A few words that don't belong together are easy to remember and hard to guess.", NULL,
     check_password},
    {0}};

static apr_status_t password_check(ua_res_t *res, ua_req_t *req)
{
    work_t *work = apr_pcalloc(req->ctx->pool, sizeof *work);

    req->work = work;
    UA_CHECK(ua_fresh_verify(&work->attempt, res, req, "current_password"));
    return !res->problem && work->attempt->right
               ? ua_new_password_hash(&work->hash, req, "password")
               : APR_SUCCESS;
}

/* A new session, which lives as long as the one before would have. */
static apr_status_t sign_in(ua_res_t *res, ua_req_t *req, const ua_account_t *account)
{
    ua_ctx_t *ctx = req->ctx;
    int remember = req->session->idle > ctx->conf->session_idle;
    const char *cookie = NULL;
    apr_int64_t age = 0;

    UA_CHECK(ua_session_start(&cookie, &age, ctx, account->id, remember));
    ua_set_cookie(res, req, "", cookie, age);
    if (req->wants_json) {
        UA_CHECK(ua_tokens_start(res, req, cookie));
    }
    json_object_set(res->view, "user", ua_user_json(ctx->pool, account));
    return APR_SUCCESS;
}

static apr_status_t succeed(ua_res_t *res, ua_req_t *req, const ua_account_t *account)
{
    UA_CHECK(ua_event_add(req->ctx, "password_changed", account->id, ""));
    UA_CHECK(sign_in(res, req, account));
    ua_go_notice(res, req, 200, ua_path(req, UA_AREA_PERSONAL, ""), UA_NOTICE_PASSWORD_CHANGED);
    return APR_SUCCESS;
}

static apr_status_t password_submit(ua_res_t *res, ua_req_t *req)
{
    const work_t *work = req->work;
    ua_try_t attempt = *work->attempt;
    apr_status_t rv = APR_SUCCESS;

    if (attempt.right) {
        rv = ua_new_password_set(req, attempt.account, work->hash);
    }
    if (rv == APR_NOTFOUND) { /* the password changed while this one was being verified */
        attempt.right = 0;
    }
    if (!attempt.right) {
        return ua_fresh_settle(res, req, &attempt, "current_password");
    }
    UA_CHECK(rv);
    return succeed(res, req, attempt.account);
}

static const ua_route_t routes[] = {{.path = "password",
                                     .area = UA_AREA_PERSONAL,
                                     .access = UA_ACCESS_USER,
                                     .template = "password.html",
                                     .fields = fields,
                                     .check = password_check,
                                     .submit = password_submit},
                                    {0}};

const ua_feature_t ua_feature_change_password = {"change_password", routes};
