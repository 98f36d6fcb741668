/* login.c: a person signs in with a password. The same answer and the same work for a wrong password
 * and an unknown name. */
#include "feature.h"
#include "base/email.h"
#include "base/text.h"
#include "base/url.h"
#include "domain/event.h"
#include "domain/password.h"
#include "domain/username.h"

#include <string.h>

static const char *check_login(ua_req_t *req, const char *value)
{
    (void)req;
    if (*value == '\0') {
        return "Enter your email address or username.";
    }
    return strlen(value) > UA_EMAIL_BYTES ? "This is too long." : NULL;
}

static const ua_field_t fields[] = {
    {"login", "Email or username", "text", 1, "username", NULL, "email username", check_login},
    {"password", "Password", "password", 1, "current-password", NULL, NULL, ua_check_password},
    {"remember", "Keep me logged in on this device", "checkbox", 0, NULL, NULL, NULL, NULL},
    {"next", "Next", "hidden", 0, NULL, NULL, NULL, NULL},
    {0}};

/* The slot comes first: parallel tries read what those before them committed. */
static apr_status_t login_check(ua_res_t *res, ua_req_t *req)
{
    ua_try_t *attempt = apr_pcalloc(req->ctx->pool, sizeof *attempt);
    const char *key = NULL;

    req->work = attempt;
    UA_CHECK(ua_password_enter(req->ctx));
    UA_CHECK(ua_limit_peek(res, req));
    if (res->problem) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_try_find(&attempt->account, &key, req, ua_field(req, "login")));
    return ua_try_verify(attempt, res, req, key, "password");
}

static apr_status_t fail(ua_res_t *res, ua_req_t *req, const ua_try_t *attempt)
{
    UA_CHECK(ua_try_failed(req, attempt));
    req->counted = 1;
    ua_refuse(res, UA_PROBLEM_INVALID_CREDENTIALS);
    ua_offer(res, "reset", ua_path(req, UA_AREA_PUBLIC, "forgot"), "Reset your password");
    return APR_SUCCESS;
}

static apr_status_t refuse_unverified(ua_res_t *res, ua_req_t *req, const ua_try_t *attempt)
{
    ua_refuse(res, UA_PROBLEM_EMAIL_NOT_VERIFIED);
    ua_offer(res, "resend", ua_path(req, UA_AREA_PUBLIC, "resend"), "Send a new link");
    return ua_event_add(req->ctx, "login_unverified", attempt->account->id, "");
}

/* Who is shut out is told no more than a stranger. With UserAuthHideAccounts an address tells nothing
 * before it is confirmed: who registered a used one has no account by it, either. */
static int is_refused(const ua_req_t *req, const ua_try_t *attempt)
{
    const ua_account_t *account = attempt->account;

    if (!attempt->right || (!account->enabled && account->verified > 0)) {
        return 1;
    }
    return !account->enabled && req->ctx->conf->hide_accounts &&
           strchr(ua_field(req, "login"), '@');
}

/* Where to go: past the page that only asks for the password once more, for it has just been given. */
static const char *aim_of(const ua_req_t *req)
{
    const char *again = ua_path(req, UA_AREA_PUBLIC, "reauth");
    apr_size_t length = strlen(again);
    const char *next = req->next;

    if (next && strncmp(next, again, length) == 0 && strchr("?", next[length])) {
        next = next[length] ? ua_query_get(req->ctx->pool, next + length + 1, "next") : NULL;
        next = ua_next_valid(req->ctx->pool, next);
    }
    return next ? next : ua_path(req, UA_AREA_PERSONAL, "");
}

static apr_status_t login_submit(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    const ua_try_t *attempt = req->work;
    const ua_account_t *account = attempt->account;
    apr_status_t rv = APR_SUCCESS;

    if (is_refused(req, attempt)) {
        return fail(res, req, attempt);
    }
    if (!account->enabled) {
        return refuse_unverified(res, req, attempt);
    }
    rv = ua_account_signed_in(ctx, account);
    if (rv == APR_NOTFOUND) { /* the password changed while this one was being verified */
        return fail(res, req, attempt);
    }
    UA_CHECK(rv);
    UA_CHECK(ua_try_succeeded(req, attempt));
    UA_CHECK(
        ua_sign_in(res, req, account, ua_field_flag(req, "remember"), attempt->known_device));
    ua_go(res, 200, aim_of(req), UA_NOTICE_LOGGED_IN);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "login",
                                     .access = UA_ACCESS_GUEST,
                                     .template = "login.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_LOGIN,
                                     .check = login_check,
                                     .submit = login_submit},
                                    {0}};

const ua_feature_t ua_feature_login = {"login", routes};
