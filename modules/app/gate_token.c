/* gate_token.c: a signed statement for backends of who sends a request the gate let in: they need not trust
 * every program that reaches them, only this site's keys (/auth/jwks.json). */
#include "app.h"
#include "base/crypto.h"
#include "base/jwt.h"

apr_status_t ua_gate_token(const char **out, const ua_app_t *app, ua_ctx_t *ctx,
                           const ua_session_t *session)
{
    const char *id = NULL;

    UA_CHECK(ua_draw_begin(ctx));
    UA_CHECK(ua_draw_uuid(&id, ctx));
    return ua_jwt_sign_person(out, ctx->pool, app->jwt,
                              &(ua_jwt_person_t){.issuer = app->conf->site,
                                                 .subject = session->account_id,
                                                 .audience = app->conf->token_audience,
                                                 .issued = ctx->now,
                                                 .id = id,
                                                 .username = session->username,
                                                 .auth_time = session->auth_time,
                                                 .session = session->id,
                                                 .email = session->email,
                                                 .name = session->display_name,
                                                 .groups = session->groups});
}
