/* gate_basic.c: whose name and password a request carries (RFC 7617): remembered for a moment, so that not every
 * request costs a hash. Used by the edge's provider for mod_auth_basic.
 *
 * Two things are remembered, of one client address: for UserAuthSessionCacheTTL that the account is there and enabled,
 * as of a session; for five minutes that this password was right, as long as the account's has not been set anew and
 * nobody has failed at it. Where a wait or a limit stands, it holds for a remembered password too: else who guesses
 * would hear which guess was right. */
#include "app.h"
#include "base/text.h"
#include "features/common.h"
#include "features/features.h"

#define RIGHT_FOR apr_time_from_sec(300)

/* What the gate knows of a request without a session. The password was given just now. */
static ua_session_t *session_of(const ua_req_t *req, const ua_account_t *account)
{
    ua_session_t *session = apr_pcalloc(req->ctx->pool, sizeof *session);

    session->id = "";
    session->amr = "pwd";
    session->created = account->password_set;
    session->last_used = session->auth_time = req->ctx->now;
    session->idle = req->ctx->conf->session_idle;
    session->expires = req->ctx->now + req->ctx->conf->session_lifetime;
    session->account_id = account->id;
    session->username = account->username;
    session->email = account->email;
    session->display_name = account->display_name;
    session->last_sign_in = account->last_sign_in;
    session->previous_sign_in = account->previous_sign_in;
    session->groups = account->groups;
    return session;
}

/* By the password of before: APR_NOTFOUND when that says nothing any more, APR_EACCES when the reply says why not. */
static apr_status_t read_again(ua_session_t **out, ua_req_t *req, ua_res_t *res,
                               const ua_session_t *before)
{
    ua_account_t *account = NULL;

    UA_CHECK(ua_limit_peek(res, req));
    if (res->problem) {
        return APR_EACCES;
    }
    UA_CHECK(ua_account_by_id(&account, req->ctx, before->account_id));
    if (!account->enabled || account->password_off || account->failures > 0 ||
        account->password_set != before->created) {
        return APR_NOTFOUND;
    }
    *out = session_of(req, account);
    return APR_SUCCESS;
}

/* The whole sign-in. APR_EACCES: the reply says why not. */
static apr_status_t try_password(ua_session_t **out, const ua_app_t *app, ua_req_t *req,
                                 ua_res_t *res)
{
    const ua_try_t *attempt = NULL;

    UA_CHECK(ua_draw_begin(req->ctx));
    req->errors = apr_table_make(req->ctx->pool, 1);
    ua_transact(app, req, res);
    attempt = req->work;
    if (res->problem) {
        return APR_EACCES;
    }
    *out = session_of(req, attempt->account);
    return APR_SUCCESS;
}

/* No address holds a space. */
static void key_of(ua_session_key_t *key, const ua_app_t *app, const ua_req_t *req,
                   ua_credential_e kind)
{
    const char *user = apr_table_get(req->form, "login");

    ua_session_key_password(key, app->sessions, kind,
                            apr_pstrcat(req->ctx->pool, req->ctx->address, " ", user, NULL),
                            apr_table_get(req->form, "password"));
}

/* APR_NOTFOUND: not within UserAuthSessionCacheTTL. */
static apr_status_t was_right(ua_session_t **out, ua_session_key_t *key, const ua_app_t *app,
                              const ua_req_t *req)
{
    key_of(key, app, req, UA_CREDENTIAL_BASIC);
    UA_CHECK(ua_session_cache_find(out, app->sessions, req->ctx, key));
    (*out)->auth_time = req->ctx->now; /* the password came with this request */
    return APR_SUCCESS;
}

static void fill(ua_req_t *req, const char *user, const char *password)
{
    req->form = apr_table_make(req->ctx->pool, 2);
    apr_table_setn(req->form, "login", user);
    apr_table_setn(req->form, "password", password);
}

apr_status_t ua_gate_basic_known(const ua_app_t *app, ua_req_t *req, const char *user,
                                 const char *password)
{
    ua_session_key_t lately;
    ua_session_t *session = NULL;

    if (req->ctx->conf->secure && !req->https) {
        return APR_NOTFOUND;
    }
    fill(req, user, password);
    UA_CHECK(was_right(&session, &lately, app, req));
    req->session = session;
    return APR_SUCCESS;
}

static apr_status_t find(ua_session_t **out, const ua_app_t *app, ua_req_t *req, ua_res_t *res)
{
    ua_ctx_t *ctx = req->ctx;
    ua_session_key_t lately;
    ua_session_key_t right;
    ua_session_t *before = NULL;
    apr_status_t rv = was_right(out, &lately, app, req);

    if (rv != APR_NOTFOUND) {
        return rv;
    }
    key_of(&right, app, req, UA_CREDENTIAL_PASSWORD);
    rv = ua_session_cache_find(&before, app->sessions, ctx, &right);
    if (rv == APR_SUCCESS) {
        rv = read_again(out, req, res, before);
    }
    if (rv == APR_NOTFOUND) {
        UA_CHECK(try_password(out, app, req, res));
        ua_session_cache_keep(app->sessions, ctx, &right, *out, ctx->now + RIGHT_FOR);
        rv = APR_SUCCESS;
    }
    UA_CHECK(rv);
    ua_session_cache_keep(app->sessions, ctx, &lately, *out, (*out)->expires);
    return APR_SUCCESS;
}

apr_status_t ua_gate_basic(const ua_app_t *app, ua_req_t *req, ua_res_t *res, const char *user,
                           const char *password)
{
    ua_session_t *session = NULL;
    apr_status_t rv = APR_EACCES;

    ua_gate_begin(res, req);
    fill(req, user, password);
    req->network = ua_address_network(req->ctx->pool, req->ctx->address);
    req->route = &ua_basic_route;
    if (!ua_gate_https(res, req)) {
        rv = find(&session, app, req, res);
        ua_db_release(req->ctx);
    }
    req->route = NULL;
    if (rv == APR_SUCCESS) {
        req->session = session;
        return APR_SUCCESS;
    }
    if (rv != APR_EACCES) {
        ua_app_log(app, req->ctx, UA_LOG_ERR,
                   "UA0108: a gated request was refused because its account can't be read", rv);
        ua_refuse(res, UA_PROBLEM_STORAGE_UNAVAILABLE);
        res->retry_after = 1;
    }
    ua_page_finish(app, req, res);
    return APR_EACCES;
}
