/* jwks.c: the public keys by which other servers check our access tokens (RFC 7517). */
#include "feature.h"
#include "base/jwt.h"

#include <string.h>

#define KEY_SET "application/jwk-set+json"

static apr_status_t jwks_show(ua_res_t *res, ua_req_t *req)
{
    json_t *set = NULL;

    UA_CHECK(ua_jwt_set(&set, req->ctx->pool, req->ctx->jwt, req->ctx->now));
    res->raw = ua_json_text(req->ctx->pool, set);
    res->raw_length = strlen(res->raw);
    res->type = strstr(req->accept, KEY_SET) ? KEY_SET : "application/json";
    apr_table_setn(res->headers, "Cache-Control", "public, max-age=300");
    apr_table_setn(res->headers, "Vary", "Accept");
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "jwks.json", .show = jwks_show}, {0}};

const ua_feature_t ua_feature_jwks = {"jwks", routes};
