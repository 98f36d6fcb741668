/* login.c: a person signs in with a password. The same answer and the same work for a wrong
 * password and an unknown name; waits are counted per name as typed, known or not (contract 8). */
#include "feature.h"
#include "base/email.h"
#include "base/pwhash.h"
#include "base/text.h"
#include "domain/device.h"
#include "domain/event.h"
#include "domain/password.h"
#include "domain/throttle.h"
#include "domain/username.h"

#include <string.h>

/* What is told of a disabled password, known account or not. */
#define DISABLED_WAIT apr_time_from_sec(3600)

/* Failures from known and unknown browsers together that disable a password in any case. */
#define FAILURES_MOST 100

typedef struct work_t {
    const char *key;       /* the name as typed, normalised */
    ua_account_t *account; /* or NULL */
    const char *counter;   /* whose failures count: the name's, or the known browser's */
    int known_device;
    int right;            /* the password is */
    const char *rehashed; /* with today's parameters, or NULL */
    apr_interval_time_t wait;
} work_t;

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

static apr_status_t find_account(work_t *work, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    const char *typed = ua_field(req, "login");
    ua_email_t email;
    apr_status_t rv = APR_NOTFOUND;

    work->key = ua_lower(ctx->pool, typed);
    if (!strchr(typed, '@')) {
        rv = ua_account_by_username(&work->account, ctx, work->key);
    }
    else if (ua_email_parse(&email, ctx->pool, typed) == APR_SUCCESS) {
        work->key = email.key;
        rv = ua_account_by_email(&work->account, ctx, work->key);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* Failures count for the name as typed; from a browser the person signed in with before, for that
 * browser alone. */
static apr_status_t find_counter(work_t *work, ua_req_t *req)
{
    apr_pool_t *pool = req->ctx->pool;
    const char *cookie = ua_cookie_get(pool, req->cookie, ua_site_cookie(req, "device"));
    const char *id = work->account ? work->account->id : "";

    UA_CHECK(ua_device_known(&work->known_device, req->ctx, cookie, id));
    if (work->known_device) {
        return ua_throttle_name(&work->counter, req->ctx, "device",
                                apr_pstrcat(pool, id, "|", cookie, NULL));
    }
    return ua_throttle_name(&work->counter, req->ctx, "login", work->key);
}

/* So many failures that the password is off until it is reset by mail. A name nobody has looks alike. */
static int is_disabled(const work_t *work, const ua_conf_t *conf, apr_int64_t failures)
{
    const ua_account_t *a = work->account;

    if (!a) {
        return failures >= conf->lock_disable;
    }
    return a->failures >= conf->lock_disable ||
           a->failures + a->device_failures >= FAILURES_MOST;
}

static apr_status_t find_wait(work_t *work, ua_req_t *req)
{
    apr_int64_t failures = 0;

    UA_CHECK(ua_wait_peek(&work->wait, &failures, req->ctx, work->counter));
    if (is_disabled(work, req->ctx->conf, failures)) {
        work->wait = DISABLED_WAIT;
    }
    return APR_SUCCESS;
}

static void refuse_locked(ua_res_t *res, ua_req_t *req, apr_interval_time_t wait)
{
    ua_refuse_wait(res, req, UA_PROBLEM_ACCOUNT_LOCKED, wait);
    ua_offer(res, "reset", ua_path(req, UA_AREA_PUBLIC, "forgot"), "Reset your password");
}

static apr_status_t verify(work_t *work, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    const char *hash = work->account ? work->account->password_hash : "";
    const char *normal = NULL;
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(ua_password_normal(&normal, ctx, ua_field(req, "password")));
    rv = ua_password_verify(ctx, hash, normal);
    if (rv != APR_SUCCESS && rv != APR_EACCES) {
        return ua_fail(ctx, rv, "password hash");
    }
    work->right = rv == APR_SUCCESS;
    if (work->right && ua_pwhash_outdated(hash, &ctx->conf->pwhash)) {
        return ua_password_hash(&work->rehashed, ctx, normal);
    }
    return APR_SUCCESS;
}

/* Takes the hash slot, reads the counters, hashes. The slot is held until the outcome is committed,
 * so parallel tries cannot pass the limit. */
static apr_status_t login_check(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    work_t *work = apr_pcalloc(ctx->pool, sizeof *work);

    req->work = work;
    UA_CHECK(ua_password_enter(ctx));
    UA_CHECK(ua_limit_peek(res, req));
    if (res->problem) {
        return APR_SUCCESS;
    }
    UA_CHECK(find_account(work, req));
    UA_CHECK(find_counter(work, req));
    UA_CHECK(find_wait(work, req));
    if (work->wait > 0) {
        refuse_locked(res, req, work->wait);
        return APR_SUCCESS;
    }
    return verify(work, req);
}

static apr_status_t fail(ua_res_t *res, ua_req_t *req, const work_t *work)
{
    ua_ctx_t *ctx = req->ctx;
    const char *id = work->account ? work->account->id : "";
    apr_interval_time_t wait = 0;

    UA_CHECK(ua_wait_failed(&wait, ctx, work->counter));
    if (work->account) {
        UA_CHECK(ua_account_failed(ctx, id, work->known_device));
    }
    UA_CHECK(ua_event_add(ctx, "login_failed", id, work->known_device ? "known_device" : ""));
    if (wait > 0) {
        UA_CHECK(ua_event_add(ctx, "login_wait", id, ""));
    }
    req->counted = 1;
    ua_refuse(res, UA_PROBLEM_INVALID_CREDENTIALS);
    ua_offer(res, "reset", ua_path(req, UA_AREA_PUBLIC, "forgot"), "Reset your password");
    return APR_SUCCESS;
}

static apr_status_t refuse_unverified(ua_res_t *res, ua_req_t *req, const work_t *work)
{
    ua_refuse(res, UA_PROBLEM_EMAIL_NOT_VERIFIED);
    ua_offer(res, "resend", ua_path(req, UA_AREA_PUBLIC, "resend"), "Send a new link");
    return ua_event_add(req->ctx, "login_unverified", work->account->id, "");
}

/* A success forgets the failures of this account, under each of its names and from this browser. */
static apr_status_t clear_failures(ua_req_t *req, const work_t *work)
{
    ua_ctx_t *ctx = req->ctx;
    const char *name = NULL;
    ua_email_t email;

    UA_CHECK(ua_throttle_clear(ctx, work->counter));
    UA_CHECK(ua_throttle_name(&name, ctx, "login",
                              ua_username_key(ctx->pool, work->account->username)));
    UA_CHECK(ua_throttle_clear(ctx, name));
    UA_CHECK(ua_email_parse(&email, ctx->pool, work->account->email));
    UA_CHECK(ua_throttle_name(&name, ctx, "login", email.key));
    return ua_throttle_clear(ctx, name);
}

/* Cookies: the session's, the known browser's; the registration's has served. */
static apr_status_t start_session(ua_res_t *res, ua_req_t *req, const work_t *work)
{
    ua_ctx_t *ctx = req->ctx;
    const char *session = NULL;
    const char *device = NULL;
    apr_int64_t age = 0;

    if (req->session_cookie) {
        UA_CHECK(ua_session_end(ctx, req->session_cookie));
    }
    UA_CHECK(ua_session_start(&session, &age, ctx, work->account->id,
                              ua_field_flag(req, "remember")));
    ua_set_cookie(res, req, "", session, age);
    if (!work->known_device) {
        UA_CHECK(ua_device_start(&device, ctx, work->account->id));
        ua_set_cookie(res, req, "device", device, UA_DEVICE_AGE);
    }
    if (ua_registration_account(req)) {
        ua_set_cookie(res, req, "registration", "", 0);
    }
    return APR_SUCCESS;
}

static apr_status_t login_submit(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    const work_t *work = req->work;
    apr_status_t rv = APR_SUCCESS;

    if (!work->right || (!work->account->enabled && work->account->verified > 0)) {
        return fail(res, req, work); /* who is shut out is told no more than a stranger */
    }
    if (!work->account->enabled) {
        return refuse_unverified(res, req, work);
    }
    rv = ua_account_signed_in(ctx, work->account);
    if (rv == APR_NOTFOUND) { /* the password changed while this one was being verified */
        return fail(res, req, work);
    }
    UA_CHECK(rv);
    if (work->rehashed) {
        UA_CHECK(ua_account_rehash(ctx, work->account, work->rehashed));
    }
    UA_CHECK(clear_failures(req, work));
    UA_CHECK(start_session(res, req, work));
    UA_CHECK(ua_event_add(ctx, "login", work->account->id,
                          work->known_device ? "known_device" : "new_device"));
    json_object_set(res->view, "user", ua_user_json(ctx->pool, work->account));
    ua_go(res, 200, req->next ? req->next : ua_path(req, UA_AREA_PERSONAL, ""),
          UA_NOTICE_LOGGED_IN);
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
