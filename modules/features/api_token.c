/* api_token.c: a program gets another access token: for its refresh token, which is replaced, or for the
 * cookie of its browser's session (contract 5). */
#include "feature.h"
#include "domain/event.h"
#include "domain/refresh.h"

#include <string.h>

/* In JSON, not as type "hidden" in a page: this route has none. */
static const ua_field_t fields[] = {
    {"refresh_token", "Refresh token", "hidden", 0, NULL, NULL, NULL, NULL}, {0}};

static int is_json(const ua_req_t *req)
{
    static const char type[] = "application/json";
    const char *sent = req->content_type + strspn(req->content_type, " \t");

    return strncasecmp(sent, type, sizeof type - 1) == 0;
}

/* Only what a page of another site can't send: dispatch let JSON pass without the form's field, and a
 * browser asks us before it sends JSON across sites. An access token alone does not prolong itself. */
static apr_status_t answer_session(ua_res_t *res, ua_req_t *req)
{
    if (req->session && req->session_cookie && is_json(req)) {
        res->notice = UA_NOTICE_TOKENS;
        return ua_tokens_answer(res, req, req->session, NULL);
    }
    ua_refuse_token(res);
    if (req->bearer != UA_BEARER_BAD) {
        res->detail = "Send a refresh token, or JSON with the cookie of a session.";
        apr_table_setn(res->headers, "WWW-Authenticate", "Bearer");
    }
    return APR_SUCCESS;
}

/* A token used twice is in two hands. */
static apr_status_t end_reused(ua_req_t *req, const ua_session_t *session)
{
    apr_status_t rv = ua_session_end_own(req->ctx, session->account_id, session->id);

    if (rv == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    return ua_event_add(req->ctx, "refresh_reused", session->account_id, "");
}

static apr_status_t answer_refresh(ua_res_t *res, ua_req_t *req, const char *refresh)
{
    ua_ctx_t *ctx = req->ctx;
    ua_session_t *session = NULL;
    const char *id = NULL;
    const char *successor = NULL;
    apr_status_t used = ua_refresh_use(&id, &successor, ctx, refresh);
    apr_status_t rv = used;

    if (used == APR_SUCCESS || used == APR_EACCES) {
        rv = ua_session_by_id(&session, ctx, id);
    }
    if (rv == APR_NOTFOUND || (rv == APR_SUCCESS && used == APR_EACCES)) {
        req->counted = 1;
        ua_refuse_token(res);
        return session ? end_reused(req, session) : APR_SUCCESS;
    }
    UA_CHECK(rv);
    res->notice = UA_NOTICE_TOKENS;
    return ua_tokens_answer(res, req, session, successor);
}

static apr_status_t token_submit(ua_res_t *res, ua_req_t *req)
{
    const char *refresh = ua_field(req, "refresh_token");

    return *refresh ? answer_refresh(res, req, refresh) : answer_session(res, req);
}

static const ua_route_t routes[] = {
    {.path = "token", .fields = fields, .limited = 1 + UA_RATE_TOKEN, .submit = token_submit},
    {0}};

const ua_feature_t ua_feature_api_token = {"api_token", routes};
