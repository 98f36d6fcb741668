/* common_token.c: what every page does that a link in a mail opens: find the token, take it out of
 * the address bar, say what is wrong with it. See feature.h and contract 3. */
#include "feature.h"
#include "base/text.h"
#include "base/url.h"

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

int ua_link_cleaned(ua_res_t *res, ua_req_t *req, const char *purpose)
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

void ua_link_refuse(ua_res_t *res, ua_req_t *req, const ua_token_t *token)
{
    ua_problem_e problem = token->standing == UA_TOKEN_USED      ? UA_PROBLEM_TOKEN_USED
                           : token->standing == UA_TOKEN_EXPIRED ? UA_PROBLEM_TOKEN_EXPIRED
                                                                 : UA_PROBLEM_TOKEN_INVALID;
    int verification = strcmp(token->purpose, UA_PURPOSE_VERIFY) == 0;

    ua_refuse(res, problem);
    res->template = "problem.html";
    res->title = title_of(token->purpose, problem);
    if (problem == UA_PROBLEM_TOKEN_EXPIRED) {
        apr_interval_time_t life =
            verification ? req->ctx->conf->verify_lifetime : req->ctx->conf->disown_lifetime;

        res->detail = apr_psprintf(req->ctx->pool, "Links like this work for %s.%s",
                                   ua_duration_words(req->ctx->pool, life),
                                   verification ? " We can send you a new one." : "");
    }
    if (verification && problem == UA_PROBLEM_TOKEN_USED) {
        res->detail = "Each link works once. If you opened it before, your address is "
                      "confirmed and you can log in.";
    }
    if (verification) {
        offer_verification(res, req, problem);
    }
    req->counted = 1;
}

void ua_link_done(ua_res_t *res, ua_req_t *req, const char *purpose)
{
    const char *name = cookie_name(req, purpose);

    if (ua_cookie_get(req->ctx->pool, req->cookie, ua_site_cookie(req, name))) {
        ua_set_cookie(res, req, name, "", 0);
    }
}
