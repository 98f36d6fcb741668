/* me.c: the signed-in account for a program, and how long its session lasts. A page asks it before it
 * warns of the end, so asking does not make the session longer. */
#include "feature.h"
#include "base/text.h"

/* Whole seconds until the cookie's session ends if it isn't used. 0: it lives by its API tokens only. */
static apr_int64_t seconds_left(const ua_session_t *session, apr_time_t now)
{
    apr_time_t idle_end = session->last_used + session->idle;
    apr_time_t end = idle_end < session->expires ? idle_end : session->expires;

    return end > now ? apr_time_sec(end - now) : 0;
}

static apr_status_t me_show(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    const ua_session_t *session = req->session;
    json_t *times = ua_json_object(ctx->pool);
    ua_account_t *account = NULL;

    UA_CHECK(ua_account_by_id(&account, ctx, session->account_id));
    ua_json_set_number(times, "idle_seconds_left", seconds_left(session, ctx->now));
    ua_json_set(times, "expires_at", ua_time_rfc3339(ctx->pool, session->expires));
    ua_json_set(times, "fresh_until",
                ua_time_rfc3339(ctx->pool, session->auth_time + ctx->conf->fresh_time));
    json_object_update(res->view, ua_user_json(ctx->pool, account));
    json_object_set(res->view, "session", times);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {
    {.path = "me", .access = UA_ACCESS_USER, .show = me_show, .silent = 1}, {0}};

const ua_feature_t ua_feature_me = {"me", routes};
