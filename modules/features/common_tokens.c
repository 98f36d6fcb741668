/* common_tokens.c: the API tokens of a session (contract 5): a JWT for any server that trusts this site,
 * and an opaque token that renews it. */
#include "feature.h"
#include "base/jwt.h"
#include "domain/refresh.h"

/* RFC 6750 3.1 */
void ua_refuse_token(ua_res_t *res)
{
    ua_refuse(res, UA_PROBLEM_LOGIN_REQUIRED);
    res->detail = "This token is not valid any more, or never was.";
    apr_table_setn(res->headers, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
}

apr_status_t ua_tokens_answer(ua_res_t *res, ua_req_t *req, const ua_session_t *session,
                              const char *refresh)
{
    ua_ctx_t *ctx = req->ctx;
    ua_jwt_t token = {.issuer = ctx->conf->site,
                      .subject = session->account_id,
                      .audience = ctx->conf->token_audience,
                      .issued = ctx->now,
                      .expires = ctx->now + UA_JWT_LIFE,
                      .session = session->id,
                      .auth_time = session->auth_time,
                      .amr = session->amr,
                      .username = session->username};
    ua_account_t account = {.id = session->account_id,
                            .username = session->username,
                            .email = session->email,
                            .display_name = session->display_name,
                            .enabled = 1}; /* or there were no session */
    const char *text = NULL;

    UA_CHECK(ua_draw_uuid(&token.id, ctx));
    UA_CHECK(ua_jwt_sign(&text, ctx->pool, ctx->jwt, &token));
    ua_json_set(res->view, "token_type", "Bearer");
    ua_json_set(res->view, "access_token", text);
    ua_json_set_number(res->view, "expires_in", apr_time_sec(UA_JWT_LIFE));
    ua_json_set(res->view, "refresh_token", refresh);
    json_object_set(res->view, "user", ua_user_json(ctx->pool, &account));
    return APR_SUCCESS;
}

apr_status_t ua_tokens_start(ua_res_t *res, ua_req_t *req, const char *cookie)
{
    ua_session_t *session = NULL;
    const char *refresh = NULL;

    UA_CHECK(ua_session_read(&session, req->ctx, cookie));
    UA_CHECK(ua_refresh_start(&refresh, req->ctx, session->id));
    return ua_tokens_answer(res, req, session, refresh);
}
