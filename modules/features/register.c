/* register.c: a stranger asks for an account. The account is made but can do nothing until the link
 * in the mail is followed. Uses username, password, account, outbox; answers as contract 1 and 2. */
#include "feature.h"
#include "base/email.h"
#include "base/unicode.h"
#include "domain/event.h"
#include "domain/password.h"
#include "domain/throttle.h"
#include "domain/username.h"

#include <string.h>

#define DISPLAY_NAME_MOST 64

typedef struct work_t {
    ua_account_t account;
    ua_email_t email;
} work_t;

static const char *check_username(ua_req_t *req, const char *value)
{
    return ua_username_refusal(req->ctx->conf, value);
}

static const char *check_new_password(ua_req_t *req, const char *value)
{
    const char *words[] = {ua_field(req, "username"), ua_field(req, "email"),
                           ua_field(req, "display_name"), NULL};
    const char *normal = NULL;
    const char *refusal = ua_password_length_refusal(value);

    if (refusal) {
        return refusal;
    }
    if (ua_password_normal(&normal, req->ctx, value) != APR_SUCCESS) {
        return "This password can't be used. Choose another one.";
    }
    refusal = ua_password_refusal(req->ctx, normal, words);
    if (refusal && ua_password_suggest(&req->suggestion, req->ctx) != APR_SUCCESS) {
        req->suggestion = NULL;
    }
    return refusal;
}

static const char *check_confirmation(ua_req_t *req, const char *value)
{
    int given = apr_table_get(req->form, "password_confirm") != NULL;

    return given && strcmp(value, ua_field(req, "password")) != 0
               ? "The two passwords are not the same."
               : NULL;
}

static const char *check_display_name(ua_req_t *req, const char *value)
{
    (void)req;
    if (ua_utf8_length(value) > DISPLAY_NAME_MOST) {
        return "Use at most 64 characters.";
    }
    return ua_utf8_deceptive(value) ? "Leave out invisible characters." : NULL;
}

static const ua_field_t fields[] = {
    {"username", "Username", "text", 1, "username",
     "3 to 32 letters, digits, dots, hyphens or underscores. Other members can see it.", NULL,
     check_username},
    {"email", "Email", "email", 1, "email", "We send a link to this address to confirm it.",
     NULL, ua_check_email},
    {"password", "Password", "password", 1, "new-password",
     "A few words that don't belong together are easy to remember and hard to guess.", NULL,
     check_new_password},
    {"password_confirm", "Password again", "password", 0, "new-password", NULL, NULL,
     check_confirmation},
    {"display_name", "Display name", "text", 0, "name",
     "Shown to other members instead of your username.", NULL, check_display_name},
    {0}};

/* Notes in req->errors which names are taken; an unverified account's count too. */
static apr_status_t find_taken(ua_req_t *req, const work_t *work)
{
    ua_ctx_t *ctx = req->ctx;
    const char *key = ua_username_key(ctx->pool, work->account.username);
    const char *holder = NULL;
    ua_account_t *other = NULL;
    apr_status_t rv = ua_account_by_email(&other, ctx, work->email.key);

    if (rv == APR_SUCCESS) {
        ua_field_error(req, "email", "Email already in use");
    }
    else if (rv != APR_NOTFOUND) {
        return rv;
    }
    rv = ua_account_by_username(&other, ctx, key);
    if (rv == APR_NOTFOUND) {
        rv = ua_username_holder(&holder, ctx, key);
    }
    if (rv == APR_SUCCESS) {
        ua_field_error(req, "username", "Username already in use");
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

static int has_errors(const ua_req_t *req)
{
    return !apr_is_empty_table(req->errors);
}

static void refuse_taken(ua_res_t *res, ua_req_t *req)
{
    if (apr_table_get(req->errors, "email")) {
        ua_refuse(res, UA_PROBLEM_EMAIL_IN_USE);
        ua_offer(res, "reset", ua_path(req, UA_AREA_PUBLIC, "forgot"), "Reset your password");
        ua_offer(res, "resend", ua_path(req, UA_AREA_PUBLIC, "resend"),
                 "Send a new confirmation link");
        ua_offer(res, "login", ua_path(req, UA_AREA_PUBLIC, "login"), "Log in");
    }
    else {
        ua_refuse(res, UA_PROBLEM_USERNAME_TAKEN);
    }
    req->counted = 1;
}

/* Reads what was typed and hashes the password, before any transaction. */
static apr_status_t register_check(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    work_t *work = apr_pcalloc(ctx->pool, sizeof *work);
    const char *normal = NULL;

    (void)res;
    UA_CHECK(ua_email_parse(&work->email, ctx->pool, ua_field(req, "email")));
    work->account.username = ua_field(req, "username");
    work->account.email = work->email.address;
    work->account.display_name = ua_field(req, "display_name");
    work->account.address = ctx->address;
    work->account.created = ctx->now;
    req->work = work;
    UA_CHECK(find_taken(req, work));
    if (has_errors(req)) { /* no hash for what is refused anyway */
        return APR_SUCCESS;
    }
    UA_CHECK(ua_password_normal(&normal, ctx, ua_field(req, "password")));
    return ua_password_hash(&work->account.password_hash, ctx, normal);
}

/* A mail to this address counts for strangers and for this browser; the first is never refused. */
static apr_status_t count_mail(ua_req_t *req, const work_t *work)
{
    apr_interval_time_t ignored = 0;

    UA_CHECK(ua_mail_take(&ignored, req, work->email.key, ""));
    return ua_mail_take(&ignored, req, work->email.key, work->account.id);
}

static apr_status_t register_submit(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    work_t *work = req->work;

    UA_CHECK(find_taken(req, work));
    if (has_errors(req)) {
        refuse_taken(res, req);
        return APR_SUCCESS;
    }
    if (!work->account.password_hash) { /* the name became free between check and submit */
        ua_refuse(res, UA_PROBLEM_BUSY);
        return APR_SUCCESS;
    }
    UA_CHECK(ua_draw_uuid(&work->account.id, ctx));
    UA_CHECK(ua_account_insert(ctx, &work->account, work->email.key));
    UA_CHECK(ua_mail_verification(req, &work->account));
    UA_CHECK(count_mail(req, work));
    UA_CHECK(ua_event_add(ctx, "registered", work->account.id, ""));
    UA_CHECK(ua_registration_cookie(res, req, work->account.id));
    req->counted = 1;
    ua_json_set(res->view, "mail", "queued");
    json_object_set(res->view, "user", ua_user_json(ctx->pool, &work->account));
    ua_go(res, 201, ua_path(req, UA_AREA_PUBLIC, "check-email"), UA_NOTICE_REGISTERED);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "register",
                                     .access = UA_ACCESS_GUEST,
                                     .template = "register.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_REGISTER,
                                     .check = register_check,
                                     .submit = register_submit},
                                    {0}};

const ua_feature_t ua_feature_register = {"register", routes};
