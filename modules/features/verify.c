/* verify.c: the link in the mail confirms the address: at once in the browser that registered, by a
 * button anywhere else (contract 3), so that a mail scanner changes nothing; or by the code beside it. */
#include "feature.h"
#include "base/text.h"
#include "domain/event.h"
#include "domain/throttle.h"

#include <string.h>

#define CODE_DIGITS 8
#define CODE_TRIES  5

static const ua_field_t fields[] = {{"token", "Link", "hidden", 0, NULL, NULL, NULL, NULL},
                                    {"code", "Code", "text", 0, "one-time-code",
                                     "The 8 digits in the email we sent you.", NULL, NULL},
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

/* The account this browser registered; NULL when it did not, or the account is gone. */
static apr_status_t own_account(ua_account_t **out, ua_req_t *req)
{
    apr_status_t rv = ua_registration_account(out, req);

    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
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

static apr_status_t may_act_on_get(int *yes, ua_req_t *req)
{
    const ua_conf_t *conf = req->ctx->conf;
    ua_token_t *token = NULL;
    ua_account_t *own = NULL;

    *yes = 0;
    if (conf->verify_on_get == UA_GET_NEVER || is_prefetch(req)) {
        return APR_SUCCESS;
    }
    UA_CHECK(read_token(&token, req));
    if (token->standing != UA_TOKEN_GOOD) {
        return APR_SUCCESS;
    }
    UA_CHECK(own_account(&own, req));
    *yes =
        conf->verify_on_get == UA_GET_ANY || (own && strcmp(own->id, token->account_id) == 0);
    if (!*yes && conf->verify_on_get == UA_GET_ADDRESS) {
        return is_own_address(yes, req, token);
    }
    if (!*yes && conf->verify_on_get == UA_GET_AUTO) {
        *yes = conf->base.localhost && ua_address_loopback(req->ctx->address);
    }
    return APR_SUCCESS;
}

/* Who has to wait is told by the page, once the token has left the address bar. */
static apr_status_t verify_acts_on_get(int *yes, ua_req_t *req)
{
    ua_res_t waits = {0};

    UA_CHECK(may_act_on_get(yes, req));
    if (*yes) {
        UA_CHECK(ua_limit_peek(&waits, req));
        *yes = !waits.problem;
    }
    return APR_SUCCESS;
}

/* The code instead of the link: a browser's form without a token, or with an empty one. */
static int is_code(const ua_req_t *req)
{
    return req->method == UA_METHOD_POST && *ua_field(req, "token") == '\0' &&
           apr_table_get(req->form, "code") != NULL;
}

/* The page of a code that was not right: the form again. */
static apr_status_t show_code(ua_res_t *res, ua_req_t *req)
{
    ua_account_t *account = NULL;

    UA_CHECK(own_account(&account, req));
    ua_json_set_flag(res->view, "can_code", 1);
    ua_json_set(res->view, "email", account ? account->email : NULL);
    return APR_SUCCESS;
}

static apr_status_t verify_show(ua_res_t *res, ua_req_t *req)
{
    if (is_code(req)) {
        return show_code(res, req);
    }
    UA_CHECK(ua_link_show(res, req, UA_PURPOSE_VERIFY));
    if (!res->problem && !res->location && !req->wants_json) {
        ua_json_set_flag(res->view, "can_confirm", 1);
    }
    return APR_SUCCESS;
}

/* The eight digits of what was typed, with or without blanks and hyphens; NULL when it is no code. */
static const char *digits_of(apr_pool_t *pool, const char *typed)
{
    char *digits = apr_pcalloc(pool, CODE_DIGITS + 1);
    int count = 0;

    for (; *typed; typed++) {
        if (*typed == ' ' || *typed == '-') {
            continue;
        }
        if (*typed < '0' || *typed > '9' || count == CODE_DIGITS) {
            return NULL;
        }
        digits[count++] = *typed;
    }
    return count == CODE_DIGITS ? digits : NULL;
}

/* The code stands alone: what is wrong with the account's links altogether. */
static void refuse_code(ua_res_t *res, ua_req_t *req, ua_problem_e problem, const char *detail)
{
    ua_refuse(res, problem);
    res->template = "problem.html";
    res->title = problem == UA_PROBLEM_TOKEN_USED ? "Verification link has already been used"
                 : problem == UA_PROBLEM_TOKEN_EXPIRED ? "Verification link has expired"
                                                       : "Invalid verification link";
    res->detail = detail;
    if (problem == UA_PROBLEM_TOKEN_USED) {
        ua_offer(res, "login", ua_path(req, UA_AREA_PUBLIC, "login"), "Log in");
    }
    else {
        ua_offer(res, "resend", ua_path(req, UA_AREA_PUBLIC, "resend"), "Send a new link");
    }
    req->counted = 1;
}

/* Beside the field. */
static void refuse_typed(ua_res_t *res, ua_req_t *req, const char *text)
{
    ua_field_error(req, "code", text);
    ua_refuse(res, UA_PROBLEM_INVALID_FIELDS);
    res->detail = "The link in the email works, too.";
    ua_offer(res, "resend", ua_path(req, UA_AREA_PUBLIC, "resend"), "Send a new email");
}

/* `left`: tries after this one. */
static apr_status_t refuse_wrong(ua_res_t *res, ua_req_t *req, const char *account_id,
                                 apr_int64_t left)
{
    const char *text =
        "This code is not right. Use the link in the email, or ask for a new email.";

    if (left < 0) {
        text = "Too many wrong codes. Use the link in the email, or ask for a new email.";
    }
    else if (left > 0) {
        text = apr_psprintf(req->ctx->pool,
                            "This code is not right. You have %" APR_INT64_T_FMT " more %s.",
                            left, left == 1 ? "try" : "tries");
    }
    refuse_typed(res, req, text);
    req->counted = 1;
    return ua_event_add(req->ctx, "token_refused", account_id, "code");
}

/* The mail whose code is tried: the newest; with UserAuthHideAccounts the newest that this browser asked for,
 * because strangers get one only where the address is free. */
static const char *tried_mail(ua_req_t *req, const ua_token_t *newest)
{
    return req->ctx->conf->hide_accounts
               ? apr_psprintf(req->ctx->pool, "%s|%" APR_TIME_T_FMT, newest->account_id,
                              ua_registration_asked(req))
               : newest->id;
}

/* 1 when the links of that mail have expired. */
static int is_over(ua_req_t *req)
{
    const ua_ctx_t *ctx = req->ctx;

    return ctx->conf->hide_accounts &&
           ua_registration_asked(req) + ctx->conf->verify_lifetime <= ctx->now;
}

/* Counts a try against that mail's code: how many are left after it, -1 when there was none. */
static apr_status_t take_try(apr_int64_t *left, ua_req_t *req, const ua_token_t *newest)
{
    ua_ctx_t *ctx = req->ctx;
    ua_rate_t rate = {CODE_TRIES, ctx->conf->verify_lifetime};
    apr_interval_time_t wait = 0;
    apr_int64_t hits = CODE_TRIES + 1;
    const char *name = NULL;

    UA_CHECK(ua_throttle_name(&name, ctx, "code", tried_mail(req, newest)));
    UA_CHECK(ua_throttle_take(&wait, ctx, name, &rate));
    if (wait == 0) {
        UA_CHECK(ua_wait_peek(&wait, &hits, ctx, name));
    }
    *left = CODE_TRIES - hits;
    return APR_SUCCESS;
}

/* The open token whose code this is, or NULL. Every one is looked at, right or not. */
static apr_status_t find_token(const ua_token_t **out, ua_ctx_t *ctx,
                               const apr_array_header_t *tokens, const char *digits)
{
    const ua_token_t *found = NULL;

    for (int i = 0; i < tokens->nelts; i++) {
        const ua_token_t *token = &APR_ARRAY_IDX(tokens, i, ua_token_t);
        const char *code = NULL;

        UA_CHECK(ua_token_code(&code, ctx->pool, ctx->keys, token));
        found = ua_equal_text(code, digits) ? token : found;
    }
    *out = found;
    return APR_SUCCESS;
}

static apr_status_t succeed(ua_res_t *res, ua_req_t *req)
{
    ua_link_done(res, req, UA_PURPOSE_VERIFY);
    ua_go_notice(res, req, 200, ua_path(req, UA_AREA_PUBLIC, "login"), UA_NOTICE_VERIFIED);
    return APR_SUCCESS;
}

/* A right code does what its link does. The mail of a link that nobody got (UserAuthHideAccounts) names
 * no address: what looks like its code confirms nothing. */
static apr_status_t judge_code(ua_res_t *res, ua_req_t *req, const ua_account_t *account,
                               const apr_array_header_t *tokens)
{
    ua_ctx_t *ctx = req->ctx;
    const char *digits = digits_of(ctx->pool, ua_field(req, "code"));
    const ua_token_t *token = NULL;
    apr_int64_t left = 0;

    if (!digits) {
        refuse_typed(res, req, "Enter the 8 digits from the email.");
        return APR_SUCCESS;
    }
    UA_CHECK(take_try(&left, req, &APR_ARRAY_IDX(tokens, 0, ua_token_t)));
    UA_CHECK(find_token(&token, ctx, tokens, digits));
    if (!token || left < 0 || strcmp(token->email, account->email) != 0) {
        return refuse_wrong(res, req, account->id, left);
    }
    UA_CHECK(ua_account_hold(ctx, account->id));
    UA_CHECK(ua_token_use(ctx, token));
    UA_CHECK(ua_account_confirm(req, account, token->email));
    return succeed(res, req);
}

static apr_status_t submit_code(ua_res_t *res, ua_req_t *req)
{
    apr_array_header_t *tokens = NULL;
    ua_account_t *account = NULL;

    UA_CHECK(own_account(&account, req));
    if (!account) {
        refuse_code(res, req, UA_PROBLEM_TOKEN_INVALID,
                    "The code works only in the browser that registered. Open the link in the "
                    "email instead.");
        return APR_SUCCESS;
    }
    if (account->verified > 0) {
        refuse_code(res, req, UA_PROBLEM_TOKEN_USED,
                    "Your address is confirmed, and you can log in.");
        return APR_SUCCESS;
    }
    UA_CHECK(ua_token_list(&tokens, req->ctx, account->id, UA_PURPOSE_VERIFY));
    if (tokens->nelts == 0 || is_over(req)) {
        refuse_code(res, req, UA_PROBLEM_TOKEN_EXPIRED, "We can send you a new one.");
        return APR_SUCCESS;
    }
    return judge_code(res, req, account, tokens);
}

static apr_status_t verify_submit(ua_res_t *res, ua_req_t *req)
{
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;

    if (is_code(req)) {
        return submit_code(res, req);
    }
    UA_CHECK(ua_link_use(&token, &account, res, req, UA_PURPOSE_VERIFY));
    if (token->standing != UA_TOKEN_GOOD) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_account_confirm(req, account, token->email));
    return succeed(res, req);
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
