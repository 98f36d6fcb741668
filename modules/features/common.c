/* common.c: small steps that several features take: fields, answers, cookies. See feature.h. */
#include "feature.h"
#include "base/email.h"
#include "base/text.h"
#include "base/unicode.h"
#include "domain/password.h"
#include "domain/username.h"

#include <string.h>

#define DISPLAY_NAME_MOST 64
#define OWN_FIELD_MOST    255

void ua_res_init(ua_res_t *res, const ua_req_t *req)
{
    apr_pool_t *pool = req->ctx->pool;

    memset(res, 0, sizeof *res);
    res->status = 200;
    res->links = apr_array_make(pool, 2, sizeof(ua_link_t));
    res->cookies = apr_array_make(pool, 2, sizeof(ua_cookie_t));
    res->headers = apr_table_make(pool, 4);
    res->view = ua_json_object(pool);
}

const char *ua_field(const ua_req_t *req, const char *name)
{
    const char *value = apr_table_get(req->form, name);

    return value ? value : "";
}

int ua_field_flag(const ua_req_t *req, const char *name)
{
    return ua_listed("1 true on yes", ua_field(req, name));
}

void ua_field_error(ua_req_t *req, const char *name, const char *text)
{
    apr_table_setn(req->errors, name, text);
}

const char *ua_path(const ua_req_t *req, ua_area_e area, const char *path)
{
    const ua_conf_t *conf = req->ctx->conf;
    const char *prefix = area == UA_AREA_PUBLIC ? conf->path : conf->dashboard_path;

    return *path ? apr_pstrcat(req->ctx->pool, prefix, "/", path, NULL) : prefix;
}

void ua_refuse(ua_res_t *res, ua_problem_e problem)
{
    static const int statuses[] = {
#define UA_PROBLEM(constant, code, status, title, detail) status,
#include "problems.def"
#undef UA_PROBLEM
    };

    res->problem = problem;
    res->status = statuses[problem];
    res->location = NULL;
}

void ua_refuse_wait(ua_res_t *res, ua_req_t *req, ua_problem_e problem,
                    apr_interval_time_t wait)
{
    apr_pool_t *pool = req->ctx->pool;

    ua_refuse(res, problem);
    res->retry_after = apr_time_sec(wait + APR_USEC_PER_SEC - 1);
    res->detail = apr_psprintf(pool, "Please try again in %s.",
                               ua_wait_words(pool, apr_time_from_sec(res->retry_after)));
}

void ua_offer(ua_res_t *res, const char *name, const char *path, const char *text)
{
    ua_link_t link = {name, path, text};

    APR_ARRAY_PUSH(res->links, ua_link_t) = link;
}

void ua_go(ua_res_t *res, int json_status, const char *path, ua_notice_e notice)
{
    res->status = 303;
    res->json_status = json_status;
    res->location = path;
    res->notice = notice;
}

void ua_go_notice(ua_res_t *res, ua_req_t *req, int json_status, const char *path,
                  ua_notice_e notice)
{
    static const char *const codes[] = {
#define UA_NOTICE(constant, code, text) code,
#include "notices.def"
#undef UA_NOTICE
    };

    ua_go(res, json_status, apr_pstrcat(req->ctx->pool, path, "?notice=", codes[notice], NULL),
          notice);
}

const char *ua_site_cookie(const ua_req_t *req, const char *name)
{
    const char *session = req->ctx->conf->cookie;

    return *name ? apr_pstrcat(req->ctx->pool, session, "-", name, NULL) : session;
}

void ua_set_cookie(ua_res_t *res, const ua_req_t *req, const char *name, const char *value,
                   apr_int64_t age)
{
    ua_cookie_t cookie = {ua_site_cookie(req, name), value, age, req->ctx->conf->secure};

    APR_ARRAY_PUSH(res->cookies, ua_cookie_t) = cookie;
}

json_t *ua_user_json(apr_pool_t *pool, const ua_account_t *account)
{
    json_t *user = ua_json_object(pool);

    ua_json_set(user, "id", account->id);
    ua_json_set(user, "username", account->username);
    ua_json_set(user, "email", account->email);
    ua_json_set_flag(user, "email_verified", account->enabled);
    ua_json_set(user, "display_name", account->display_name);
    return user;
}

const char *ua_check_email(ua_req_t *req, const char *value)
{
    ua_email_t email;

    if (*value == '\0') {
        return "Enter your email address.";
    }
    if (strlen(value) > UA_EMAIL_BYTES) {
        return "An email address has at most 254 characters.";
    }
    if (ua_email_parse(&email, req->ctx->pool, value) != APR_SUCCESS) {
        return "Enter an email address like name@example.com.";
    }
    return NULL;
}

const char *ua_check_password(ua_req_t *req, const char *value)
{
    (void)req;
    return ua_password_length_refusal(value);
}

const char *ua_check_username(ua_req_t *req, const char *value)
{
    return ua_username_refusal(req->ctx->conf, value);
}

const char *ua_check_display_name(ua_req_t *req, const char *value)
{
    (void)req;
    if (ua_utf8_length(value) > DISPLAY_NAME_MOST) {
        return "Use at most 64 characters.";
    }
    return ua_utf8_deceptive(value) ? "Leave out invisible characters." : NULL;
}

const char *ua_check_own_field(ua_req_t *req, const char *value)
{
    (void)req;
    if (*value == '\0') {
        return "Please fill this in.";
    }
    if (ua_utf8_length(value) > OWN_FIELD_MOST) {
        return "Use at most 255 characters.";
    }
    return ua_utf8_deceptive(value) ? "Leave out line breaks and invisible characters." : NULL;
}
