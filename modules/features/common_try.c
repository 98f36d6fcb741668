/* common_try.c: one password tried against one account: counters, waits, the hash slot. The same work
 * for an account and for a name nobody has; waits are counted per name as typed (contract 8). */
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

apr_status_t ua_try_find(ua_account_t **account, const char **key, ua_req_t *req,
                         const char *typed)
{
    ua_ctx_t *ctx = req->ctx;
    ua_email_t email;
    apr_status_t rv = APR_NOTFOUND;

    *key = ua_lower(ctx->pool, typed);
    if (!strchr(typed, '@')) {
        rv = ua_account_by_username(account, ctx, *key);
    }
    else if (ua_email_parse(&email, ctx->pool, typed) == APR_SUCCESS) {
        *key = email.key;
        rv = ua_account_by_email(account, ctx, *key);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* Failures count for the name as typed; from a browser the person signed in with before, for that
 * browser alone, and anew with each password: a reset lifts every wait. */
static apr_status_t find_counter(ua_try_t *attempt, ua_req_t *req, const char *key)
{
    apr_pool_t *pool = req->ctx->pool;
    const char *cookie = ua_cookie_get(pool, req->cookie, ua_site_cookie(req, "device"));
    const char *id = attempt->account ? attempt->account->id : "";

    UA_CHECK(ua_device_known(&attempt->known_device, req->ctx, cookie, id));
    if (attempt->known_device) {
        return ua_throttle_name(&attempt->counter, req->ctx, "device",
                                apr_psprintf(pool, "%s|%s|%" APR_TIME_T_FMT, id, cookie,
                                             attempt->account->password_set));
    }
    return ua_throttle_name(&attempt->counter, req->ctx, "login", key);
}

/* Whose failures count together under all names, or NULL: nobody's, and with UserAuthHideAccounts also not those
 * of who never confirmed an address. Two names of one account would tell that the address was free. */
static const ua_account_t *counted(const ua_try_t *attempt, const ua_conf_t *conf)
{
    const ua_account_t *a = attempt->account;

    return a && conf->hide_accounts && !a->enabled && a->verified == 0 ? NULL : a;
}

/* So many failures that the password is off until it is reset by mail. A name nobody has looks alike. */
static int is_disabled(const ua_try_t *attempt, const ua_conf_t *conf, apr_int64_t failures)
{
    const ua_account_t *a = counted(attempt, conf);

    if (!a) {
        return failures >= conf->lock_disable;
    }
    return a->failures >= conf->lock_disable ||
           a->failures + a->device_failures >= FAILURES_MOST;
}

static apr_status_t find_wait(ua_try_t *attempt, ua_req_t *req)
{
    apr_int64_t failures = 0;

    UA_CHECK(ua_wait_peek(&attempt->wait, &failures, req->ctx, attempt->counter));
    if (is_disabled(attempt, req->ctx->conf, failures)) {
        attempt->wait = DISABLED_WAIT;
    }
    return APR_SUCCESS;
}

void ua_refuse_locked(ua_res_t *res, ua_req_t *req, apr_interval_time_t wait)
{
    ua_refuse_wait(res, req, UA_PROBLEM_ACCOUNT_LOCKED, wait);
    ua_offer(res, "reset", ua_path(req, UA_AREA_PUBLIC, "forgot"), "Reset your password");
}

static apr_status_t verify(ua_try_t *attempt, ua_req_t *req, const char *field)
{
    ua_ctx_t *ctx = req->ctx;
    const char *hash = attempt->account ? attempt->account->password_hash : "";
    const char *normal = NULL;
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(ua_password_normal(&normal, ctx, ua_field(req, field)));
    rv = ua_password_verify(ctx, hash, normal);
    if (rv != APR_SUCCESS && rv != APR_EACCES) {
        return ua_fail(ctx, rv, "password hash");
    }
    attempt->right = rv == APR_SUCCESS && !attempt->account->password_off;
    if (attempt->right && ua_pwhash_outdated(hash, &ctx->conf->pwhash)) {
        UA_CHECK(ua_password_hash(&attempt->rehashed, ctx, normal));
    }
    if (attempt->right) { /* only a failure is counted before the next one tries */
        ua_password_leave(ctx);
    }
    return APR_SUCCESS;
}

apr_status_t ua_try_verify(ua_try_t *attempt, ua_res_t *res, ua_req_t *req, const char *key,
                           const char *field)
{
    UA_CHECK(ua_password_enter(req->ctx));
    UA_CHECK(find_counter(attempt, req, key));
    UA_CHECK(find_wait(attempt, req));
    if (attempt->wait > 0) {
        ua_refuse_locked(res, req, attempt->wait);
        return APR_SUCCESS;
    }
    return verify(attempt, req, field);
}

/* A wait begins: its owner is told, once an episode and at most once a day. A name nobody has, or one
 * whose owner can't be reached, costs the same rows. */
static apr_status_t tell_owner(ua_ctx_t *ctx, const ua_try_t *attempt)
{
    const ua_account_t *a = attempt->account;

    if (a && a->enabled) {
        return ua_mail_daily(ctx, a, UA_MAIL_LOCKED);
    }
    return ua_mail_daily_decoy(ctx, attempt->counter, UA_MAIL_LOCKED);
}

apr_status_t ua_try_failed(ua_req_t *req, const ua_try_t *attempt)
{
    ua_ctx_t *ctx = req->ctx;
    const char *id = attempt->account ? attempt->account->id : "";
    const ua_account_t *a = counted(attempt, ctx->conf);
    apr_interval_time_t wait = 0;

    UA_CHECK(ua_wait_failed(&wait, ctx, attempt->counter));
    UA_CHECK(
        ua_account_failed(ctx, a ? a->id : "", attempt->known_device)); /* no row for nobody */
    UA_CHECK(
        ua_event_add(ctx, "login_failed", id, attempt->known_device ? "known_device" : ""));
    if (wait > 0) {
        UA_CHECK(ua_event_add(ctx, "login_wait", id, ""));
    }
    /* Only the first wait is the shortest; where all are alike the mail's own limit stands. */
    return wait > 0 && wait <= ctx->conf->lock_wait ? tell_owner(ctx, attempt) : APR_SUCCESS;
}

apr_status_t ua_try_lift(ua_req_t *req, const ua_account_t *account)
{
    ua_ctx_t *ctx = req->ctx;
    const char *name = NULL;
    ua_email_t email;

    UA_CHECK(
        ua_throttle_name(&name, ctx, "login", ua_username_key(ctx->pool, account->username)));
    UA_CHECK(ua_throttle_clear(ctx, name));
    UA_CHECK(ua_email_parse(&email, ctx->pool, account->email));
    UA_CHECK(ua_throttle_name(&name, ctx, "login", email.key));
    return ua_throttle_clear(ctx, name);
}

apr_status_t ua_try_succeeded(ua_req_t *req, const ua_try_t *attempt)
{
    ua_ctx_t *ctx = req->ctx;

    if (attempt->rehashed) {
        UA_CHECK(ua_account_rehash(ctx, attempt->account, attempt->rehashed));
    }
    UA_CHECK(ua_throttle_clear(ctx, attempt->counter));
    return ua_try_lift(req, attempt->account);
}
