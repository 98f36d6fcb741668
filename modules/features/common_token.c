/* common_token.c: what every page does that a link in a mail opens: find the token, take it out of
 * the address bar, say what is wrong with it. See feature.h and contract 3. */
#include "feature.h"
#include "base/text.h"
#include "base/url.h"
#include "domain/event.h"

#include <string.h>

static const char *cookie_name(const ua_req_t *req, const char *purpose)
{
    return apr_pstrcat(req->ctx->pool, "link-", purpose, NULL);
}

const char *ua_link_token(ua_req_t *req, const char *purpose)
{
    apr_pool_t *pool = req->ctx->pool;
    const char *token = apr_table_get(req->form, "token");

    if (!token && req->method != UA_METHOD_POST) {
        token = ua_query_get(pool, req->query, "token");
    }
    return token ? token
                 : ua_cookie_get(pool, req->cookie,
                                 ua_site_cookie(req, cookie_name(req, purpose)));
}

/* 1 when the link was answered with a redirect to the clean path, T in a cookie. */
static int is_cleaned(ua_res_t *res, ua_req_t *req, const char *purpose)
{
    const char *token = ua_query_get(req->ctx->pool, req->query, "token");

    if (!token || req->wants_json || strcmp(req->fetch_dest, "document") != 0) {
        return 0;
    }
    if (strlen(token) > 128 ||
        strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") !=
            strlen(token)) {
        token = "invalid"; /* no token looks like it; the clean page says so */
    }
    ua_set_cookie(res, req, cookie_name(req, purpose), token, 600);
    ua_go(res, 200, req->path, UA_NOTICE_NONE);
    return 1;
}

/* The literal titles of contract 2 for a verification link; every other link has the general ones. */
static const char *title_of(const char *purpose, ua_problem_e problem)
{
    if (strcmp(purpose, UA_PURPOSE_VERIFY) != 0) {
        return NULL;
    }
    if (problem == UA_PROBLEM_TOKEN_INVALID) {
        return "Invalid verification link";
    }
    return problem == UA_PROBLEM_TOKEN_USED ? "Verification link has already been used"
                                            : "Verification link has expired";
}

static void offer_verification(ua_res_t *res, ua_req_t *req, ua_problem_e problem)
{
    if (problem == UA_PROBLEM_TOKEN_USED) {
        ua_offer(res, "login", ua_path(req, UA_AREA_PUBLIC, "login"), "Log in");
        return;
    }
    ua_offer(res, "resend", ua_path(req, UA_AREA_PUBLIC, "resend"), "Send a new link");
    if (problem == UA_PROBLEM_TOKEN_INVALID) {
        ua_offer(res, "register", ua_path(req, UA_AREA_PUBLIC, "register"), "Register");
    }
}

static const char *refused_detail(ua_req_t *req, const ua_token_t *token, ua_problem_e problem)
{
    int verification = strcmp(token->purpose, UA_PURPOSE_VERIFY) == 0;
    apr_interval_time_t life =
        verification ? req->ctx->conf->verify_lifetime : req->ctx->conf->disown_lifetime;

    if (problem == UA_PROBLEM_TOKEN_EXPIRED) {
        return apr_psprintf(req->ctx->pool, "Links like this work for %s.%s",
                            ua_duration_words(req->ctx->pool, life),
                            verification ? " We can send you a new one." : "");
    }
    if (problem == UA_PROBLEM_TOKEN_USED && verification) {
        return "Each link works once. If you opened it before, your address is confirmed and "
               "you can log in.";
    }
    return NULL;
}

/* Says what is wrong with a token that is not good, and counts the try. */
static void refuse(ua_res_t *res, ua_req_t *req, const ua_token_t *token)
{
    ua_problem_e problem = token->standing == UA_TOKEN_USED      ? UA_PROBLEM_TOKEN_USED
                           : token->standing == UA_TOKEN_EXPIRED ? UA_PROBLEM_TOKEN_EXPIRED
                                                                 : UA_PROBLEM_TOKEN_INVALID;

    ua_refuse(res, problem);
    res->template = "problem.html";
    res->title = title_of(token->purpose, problem);
    res->detail = refused_detail(req, token, problem);
    if (strcmp(token->purpose, UA_PURPOSE_VERIFY) == 0) {
        offer_verification(res, req, problem);
    }
    req->counted = 1;
}

/* The token of this request and its account. A link without an account leads nowhere: invalid. */
static apr_status_t read_both(ua_token_t **token, ua_account_t **account, ua_req_t *req,
                              const char *purpose)
{
    apr_status_t rv = APR_NOTFOUND;

    UA_CHECK(ua_token_read(token, req->ctx, purpose, ua_link_token(req, purpose)));
    if ((*token)->standing == UA_TOKEN_GOOD) {
        rv = ua_account_by_id(account, req->ctx, (*token)->account_id);
        (*token)->standing = rv == APR_NOTFOUND ? UA_TOKEN_INVALID : UA_TOKEN_GOOD;
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t ua_link_show(ua_res_t *res, ua_req_t *req, const char *purpose)
{
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;

    if (is_cleaned(res, req, purpose)) {
        return APR_SUCCESS;
    }
    UA_CHECK(read_both(&token, &account, req, purpose));
    if (token->standing != UA_TOKEN_GOOD) {
        refuse(res, req, token);
    }
    else if (!req->wants_json) {
        ua_json_set(res->view, "email", token->email);
        ua_json_set(res->view, "username", account->username);
        ua_json_set(res->view, "token", ua_link_token(req, purpose));
    }
    return APR_SUCCESS;
}

apr_status_t ua_link_use(ua_token_t **out, ua_account_t **account, ua_res_t *res, ua_req_t *req,
                         const char *purpose)
{
    ua_token_t *token = NULL;
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(read_both(&token, account, req, purpose));
    if (token->standing == UA_TOKEN_GOOD) {
        rv = ua_token_use(req->ctx, token);
        token->standing =
            rv == APR_NOTFOUND ? UA_TOKEN_USED : token->standing; /* another was first */
    }
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        return rv;
    }
    *out = token;
    if (token->standing == UA_TOKEN_GOOD) {
        return APR_SUCCESS;
    }
    refuse(res, req, token);
    return token->standing == UA_TOKEN_USED
               ? ua_event_add(req->ctx, "token_refused", token->account_id, purpose)
               : APR_SUCCESS;
}

void ua_link_done(ua_res_t *res, ua_req_t *req, const char *purpose)
{
    const char *name = cookie_name(req, purpose);

    if (ua_cookie_get(req->ctx->pool, req->cookie, ua_site_cookie(req, name))) {
        ua_set_cookie(res, req, name, "", 0);
    }
}
