/* bearer.c: the session of a request's access token (RFC 6750 2.1, RFC 9068). Used by the gate only.
 *
 * A token is believed when it is ours, its time has come and not passed, and the session it names is
 * alive and still that account's. Tokens in a query or a form are not looked at. */
#include "app.h"
#include "base/jwt.h"

#include <string.h>

#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* The credentials behind the scheme, or NULL when the header is of another scheme or absent. */
static const char *credentials_of(const ua_req_t *req)
{
    static const char scheme[] = "Bearer";
    const char *header = req->authorization;
    apr_size_t length = sizeof scheme - 1;

    if (!*header || strncasecmp(header, scheme, length) != 0 ||
        (header[length] != '\0' && !strchr(" \t", header[length]))) {
        return NULL;
    }
    return header + length + strspn(header + length, " ");
}

/* RFC 9110 11.2 */
static int is_token68(const char *text)
{
    apr_size_t length = strspn(text, ALPHABET "-._~+/");

    return length > 0 && text[length + strspn(text + length, "=")] == '\0';
}

static apr_status_t read_session(ua_session_t **out, const ua_app_t *app, ua_req_t *req,
                                 const char *text)
{
    ua_ctx_t *ctx = req->ctx;
    const ua_jwt_wanted_t wanted = {ctx->conf->site, ctx->conf->token_audience, ctx->now};
    ua_session_t *session = NULL;
    ua_session_key_t key;
    ua_jwt_t token = {0};
    apr_status_t rv = APR_NOTFOUND;

    ua_session_key_secret(&key, app->sessions, UA_CREDENTIAL_TOKEN, text);
    rv = ua_session_cache_find(out, app->sessions, ctx, &key);
    if (rv != APR_NOTFOUND) {
        return rv;
    }
    if (!is_token68(text)) {
        return APR_EACCES;
    }
    UA_CHECK(ua_jwt_verify(&token, ctx->pool, app->jwt, text, &wanted));
    UA_CHECK(ua_session_by_id(&session, ctx, token.session));
    if (strcmp(session->account_id, token.subject) != 0) {
        return APR_EACCES;
    }
    if (!ua_gate_is_silent(req)) {
        ua_session_cache_keep(app->sessions, ctx, &key, session, token.expires);
    }
    *out = session;
    return APR_SUCCESS;
}

apr_status_t ua_bearer_session(ua_session_t **out, const ua_app_t *app, ua_req_t *req)
{
    const char *text = credentials_of(req);
    apr_status_t rv = APR_SUCCESS;

    if (!text) {
        return APR_SUCCESS;
    }
    rv = read_session(out, app, req, text);
    if (rv == APR_EACCES || rv == APR_NOTFOUND) {
        req->bearer = UA_BEARER_BAD;
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    req->bearer = UA_BEARER_GOOD;
    return APR_SUCCESS;
}
