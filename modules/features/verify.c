/* verify.c: the link in the mail confirms the address: at once in the browser that registered, by a
 * button anywhere else (contract 3), so that a mail scanner changes nothing. */
#include "feature.h"
#include "base/text.h"
#include "domain/event.h"
#include "domain/username.h"

#include <string.h>

static const ua_field_t fields[] = {{"token", "Link", "hidden", 0, NULL, NULL, NULL, NULL},
                                    {0}};

static apr_status_t read_token(ua_token_t **out, ua_req_t *req)
{
    return ua_token_read(out, req->ctx, UA_PURPOSE_VERIFY,
                         ua_link_token(req, UA_PURPOSE_VERIFY));
}

static int is_prefetch(const ua_req_t *req)
{
    return strcasestr(req->purpose, "prefetch") != NULL;
}

/* 1 when this browser registered the token's account. */
static int is_own_browser(ua_req_t *req, const ua_token_t *token)
{
    const char *own = ua_registration_account(req);

    return own && strcmp(own, token->account_id) == 0;
}

/* 1 in *yes when the request comes from the address (or IPv6 network) that registered. */
static apr_status_t is_own_address(int *yes, ua_req_t *req, const ua_token_t *token)
{
    apr_pool_t *pool = req->ctx->pool;
    ua_account_t *account = NULL;
    apr_status_t rv = ua_account_by_id(&account, req->ctx, token->account_id);

    *yes = rv == APR_SUCCESS && strcmp(ua_address_network(pool, account->address),
                                       ua_address_network(pool, req->ctx->address)) == 0;
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

static apr_status_t verify_acts_on_get(int *yes, ua_req_t *req)
{
    const ua_conf_t *conf = req->ctx->conf;
    ua_token_t *token = NULL;

    *yes = 0;
    if (conf->verify_on_get == UA_GET_NEVER || is_prefetch(req)) {
        return APR_SUCCESS;
    }
    UA_CHECK(read_token(&token, req));
    if (token->standing != UA_TOKEN_GOOD) {
        return APR_SUCCESS;
    }
    *yes = conf->verify_on_get == UA_GET_ANY || is_own_browser(req, token);
    if (!*yes && conf->verify_on_get == UA_GET_ADDRESS) {
        return is_own_address(yes, req, token);
    }
    if (!*yes && conf->verify_on_get == UA_GET_AUTO) {
        *yes = conf->base.localhost && ua_address_loopback(req->ctx->address);
    }
    return APR_SUCCESS;
}

static apr_status_t verify_show(ua_res_t *res, ua_req_t *req)
{
    UA_CHECK(ua_link_show(res, req, UA_PURPOSE_VERIFY));
    if (!res->problem && !res->location && !req->wants_json) {
        ua_json_set_flag(res->view, "can_confirm", 1);
    }
    return APR_SUCCESS;
}

/* The token is used up: enable its account, hold its name, end every other link of it. */
static apr_status_t confirm(ua_ctx_t *ctx, const ua_token_t *token, const ua_account_t *account)
{
    UA_CHECK(ua_account_verify(ctx, account->id, token->email));
    UA_CHECK(ua_username_hold(ctx, ua_username_key(ctx->pool, account->username), account->id));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_VERIFY, UA_ENDED_SIBLING));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_DISOWN, UA_ENDED_CHANGE));
    return ua_event_add(ctx, "verified", account->id, "");
}

static apr_status_t verify_submit(ua_res_t *res, ua_req_t *req)
{
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;

    UA_CHECK(ua_link_use(&token, &account, res, req, UA_PURPOSE_VERIFY));
    if (token->standing != UA_TOKEN_GOOD) {
        return APR_SUCCESS;
    }
    UA_CHECK(confirm(req->ctx, token, account));
    ua_link_done(res, req, UA_PURPOSE_VERIFY);
    ua_go_notice(res, req, 200, ua_path(req, UA_AREA_PUBLIC, "login"), UA_NOTICE_VERIFIED);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "verify",
                                     .template = "verify.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_TOKEN,
                                     .show = verify_show,
                                     .submit = verify_submit,
                                     .acts_on_get = verify_acts_on_get},
                                    {0}};

const ua_feature_t ua_feature_verify = {"verify", routes};
