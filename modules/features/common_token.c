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

/* What is said about a link of one purpose that is not good. */
typedef struct words_t {
    const char *purpose;                     /* NULL: every other one */
    const char *title[UA_TOKEN_EXPIRED + 1]; /* or NULL: the general one of problems.def */
    const char
        *detail[UA_TOKEN_EXPIRED + 1]; /* likewise; of an expired one: behind its lifetime */
    const char *offers[UA_TOKEN_EXPIRED + 1]; /* names, blank-separated */
} words_t;

/* Titles and offers are contract 2's. */
static const words_t purposes[] = {
    {UA_PURPOSE_VERIFY,
     {[UA_TOKEN_INVALID] = "Invalid verification link",
      [UA_TOKEN_USED] = "Verification link has already been used",
      [UA_TOKEN_EXPIRED] = "Verification link has expired"},
     {[UA_TOKEN_USED] = "Each link works once. If you opened it before, your address is "
                        "confirmed and you can log in.",
      [UA_TOKEN_EXPIRED] = " We can send you a new one."},
     {[UA_TOKEN_INVALID] = "resend register",
      [UA_TOKEN_USED] = "login",
      [UA_TOKEN_EXPIRED] = "resend"}},
    {UA_PURPOSE_RESET,
     {[UA_TOKEN_INVALID] = "Invalid password reset link",
      [UA_TOKEN_USED] = "Password reset link has already been used",
      [UA_TOKEN_EXPIRED] = "Password reset link has expired"},
     {[UA_TOKEN_INVALID] = "This link isn't complete, or your account changed since we sent "
                           "it. We can send you a new one.",
      [UA_TOKEN_USED] = "Each link works once. If you set a new password with it, you can log "
                        "in. If not, we can send you a new one.",
      [UA_TOKEN_EXPIRED] = " We can send you a new one."},
     {[UA_TOKEN_INVALID] = "reset",
      [UA_TOKEN_USED] = "login reset",
      [UA_TOKEN_EXPIRED] = "reset"}},
    {UA_PURPOSE_EMAIL,
     {NULL},
     {[UA_TOKEN_INVALID] = "This link isn't complete, or the change was replaced or cancelled. "
                           "You can ask for it again in your profile.",
      [UA_TOKEN_USED] = "Each link works once. If you confirmed your new address with it, you "
                        "can log in.",
      [UA_TOKEN_EXPIRED] = " Your address stays as it was. You can ask for the change again in "
                           "your profile."},
     {[UA_TOKEN_INVALID] = "profile",
      [UA_TOKEN_USED] = "login",
      [UA_TOKEN_EXPIRED] = "profile"}},
    {UA_PURPOSE_UNDO,
     {NULL},
     {[UA_TOKEN_USED] = "Each link works once. If you brought your address back with it, set a "
                        "new password to log in.",
      [UA_TOKEN_EXPIRED] = " The address can't be brought back this way any more. Please ask "
                           "whoever runs this site."},
     {[UA_TOKEN_USED] = "password"}},
    {UA_PURPOSE_DISOWN,
     {NULL},
     {[UA_TOKEN_INVALID] = "This link isn't complete, or the account changed since we sent it. "
                           "If someone else uses your account, set a new password: that signs "
                           "everybody out.",
      [UA_TOKEN_USED] = "Each link works once. If you removed a registration with it, there is "
                        "nothing left to do. If you signed everybody out, set a new password "
                        "to log in.",
      [UA_TOKEN_EXPIRED] = " If someone else uses your account, set a new password: that signs "
                           "everybody out."},
     {[UA_TOKEN_INVALID] = "password",
      [UA_TOKEN_USED] = "password",
      [UA_TOKEN_EXPIRED] = "password"}},
    {UA_PURPOSE_RESTORE,
     {NULL},
     {[UA_TOKEN_USED] = "Each link works once. If you restored your account with it, you can "
                        "log in.",
      [UA_TOKEN_EXPIRED] = " The account can't be brought back any more. You can register "
                           "again."},
     {[UA_TOKEN_USED] = "login", [UA_TOKEN_EXPIRED] = "register"}},
    {NULL, {NULL}, {[UA_TOKEN_EXPIRED] = ""}, {NULL}}};

static const words_t *words_of(const char *purpose)
{
    const words_t *words = purposes;

    while (words->purpose && strcmp(words->purpose, purpose) != 0) {
        words++;
    }
    return words;
}

static void offer(ua_res_t *res, ua_req_t *req, const char *names)
{
    static const struct {
        const char *name, *link;
        ua_area_e area;
        const char *page, *text;
    } rows[] = {{"login", "login", UA_AREA_PUBLIC, "login", "Log in"},
                {"resend", "resend", UA_AREA_PUBLIC, "resend", "Send a new link"},
                {"reset", "reset", UA_AREA_PUBLIC, "forgot", "Send a new link"},
                {"password", "reset", UA_AREA_PUBLIC, "forgot", "Set a new password"},
                {"profile", "profile", UA_AREA_PERSONAL, "profile", "Go to your profile"},
                {"register", "register", UA_AREA_PUBLIC, "register", "Register"}};

    for (size_t i = 0; names && i < sizeof rows / sizeof *rows; i++) {
        if (ua_listed(names, rows[i].name)) {
            ua_offer(res, rows[i].link, ua_path(req, rows[i].area, rows[i].page), rows[i].text);
        }
    }
}

static const char *detail_of(ua_req_t *req, const words_t *words, const ua_token_t *token)
{
    apr_pool_t *pool = req->ctx->pool;
    apr_interval_time_t life = ua_token_lifetime(req->ctx->conf, token->purpose);

    return token->standing == UA_TOKEN_EXPIRED
               ? apr_pstrcat(pool, "Links like this work for ", ua_duration_words(pool, life),
                             ".", words->detail[UA_TOKEN_EXPIRED], NULL)
               : words->detail[token->standing];
}

/* What another site makes a browser load behind its user's back is no try of his, nor is a bare page. */
static int is_try(ua_req_t *req, const char *purpose)
{
    int shown =
        strcmp(req->fetch_site, "cross-site") != 0 || strcmp(req->fetch_dest, "document") == 0;

    return req->method == UA_METHOD_POST || (shown && ua_link_token(req, purpose));
}

/* Says what is wrong with a token that is not good, and counts the try. */
static void refuse(ua_res_t *res, ua_req_t *req, const ua_token_t *token)
{
    static const ua_problem_e problems[] = {[UA_TOKEN_INVALID] = UA_PROBLEM_TOKEN_INVALID,
                                            [UA_TOKEN_USED] = UA_PROBLEM_TOKEN_USED,
                                            [UA_TOKEN_EXPIRED] = UA_PROBLEM_TOKEN_EXPIRED};
    const words_t *words = words_of(token->purpose);

    ua_refuse(res, problems[token->standing]);
    res->template = "problem.html";
    res->title = words->title[token->standing];
    res->detail = detail_of(req, words, token);
    offer(res, req, words->offers[token->standing]);
    req->counted = is_try(req, token->purpose);
}

/* A link sets a password only for who can sign in with it, and only from the mailbox the account has now;
 * who never confirmed an address can sign in from then on. */
static int leads_on(const ua_token_t *token, const ua_account_t *account)
{
    if (strcmp(token->purpose, UA_PURPOSE_RESET) != 0) {
        return 1;
    }
    return (account->enabled || account->verified == 0) &&
           strcmp(token->email, account->email) == 0;
}

apr_status_t ua_link_find(ua_token_t **out, ua_account_t **account, ua_req_t *req,
                          const char *purpose)
{
    ua_token_t *token = NULL;
    ua_account_t *found = NULL;
    apr_status_t rv = APR_NOTFOUND;

    UA_CHECK(ua_token_read(&token, req->ctx, purpose, ua_link_token(req, purpose)));
    if (token->standing == UA_TOKEN_GOOD) {
        rv = ua_account_by_id(&found, req->ctx, token->account_id);
        token->standing = found && leads_on(token, found) ? UA_TOKEN_GOOD : UA_TOKEN_INVALID;
    }
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        return rv;
    }
    *out = token;
    *account = token->standing == UA_TOKEN_GOOD ? found : *account;
    return APR_SUCCESS;
}

apr_status_t ua_link_show(ua_res_t *res, ua_req_t *req, const char *purpose)
{
    ua_token_t *token = NULL;
    ua_account_t *account = NULL;

    if (is_cleaned(res, req, purpose)) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_limit_peek(res, req));
    if (res->problem) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_link_find(&token, &account, req, purpose));
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

    UA_CHECK(ua_link_find(&token, account, req, purpose));
    if (token->standing == UA_TOKEN_GOOD) {
        UA_CHECK(ua_account_hold(req->ctx, token->account_id));
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
