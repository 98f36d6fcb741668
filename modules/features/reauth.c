/* reauth.c: a signed-in person gives the password again and goes on to what needed it. */
#include "feature.h"
#include "base/url.h"
#include "domain/event.h"

/* Seconds: longer than any session lives. */
#define AGE_MOST APR_INT64_C(1000000000)

static const ua_field_t fields[] = {
    {"password", "Password", "password", 1, "current-password", NULL, NULL, ua_check_password},
    {"next", "Next", "hidden", 0, NULL, NULL, NULL, NULL},
    {0}};

static const char *aim_of(const ua_req_t *req)
{
    return req->next ? req->next : ua_path(req, UA_AREA_PERSONAL, "");
}

/* Whether it was given within UserAuthFreshTime, and within what the gate asks for in seconds (the name is
 * OpenID Connect's). */
static int is_fresh(const ua_req_t *req, const char *text)
{
    apr_int64_t age = apr_atoi64(text);

    return ua_session_fresh(req->session, req->ctx) && age >= 0 && age <= AGE_MOST &&
           req->ctx->now < req->session->auth_time + apr_time_from_sec(age);
}

/* Whom the gate sent here and who gave it elsewhere since need not give it again. Everybody else gets the
 * form, however lately the password was given. */
static apr_status_t reauth_show(ua_res_t *res, ua_req_t *req)
{
    const char *text = ua_query_get(req->ctx->pool, req->query, "max_age");

    if (req->next && !req->wants_json && text && is_fresh(req, text)) {
        res->status = 303;
        res->location = req->next;
    }
    return APR_SUCCESS;
}

static apr_status_t reauth_check(ua_res_t *res, ua_req_t *req)
{
    ua_try_t *attempt = NULL;

    UA_CHECK(ua_fresh_verify(&attempt, res, req, "password"));
    req->work = attempt;
    return APR_SUCCESS;
}

static apr_status_t reauth_submit(ua_res_t *res, ua_req_t *req)
{
    UA_CHECK(ua_fresh_settle(res, req, req->work, "password"));
    if (res->problem) {
        return APR_SUCCESS;
    }
    ua_go(res, 200, aim_of(req), UA_NOTICE_REAUTHENTICATED);
    return ua_event_add(req->ctx, "reauthenticated", req->session->account_id, "");
}

static const ua_route_t routes[] = {{.path = "reauth",
                                     .access = UA_ACCESS_USER,
                                     .template = "reauth.html",
                                     .fields = fields,
                                     .show = reauth_show,
                                     .check = reauth_check,
                                     .submit = reauth_submit},
                                    {0}};

const ua_feature_t ua_feature_reauth = {"reauth", routes};
