/* csrf.c: whether a submit comes from our own page (contract 4, "Forgery").
 *
 * Sec-Fetch-Site decides where present, else Origin. A browser's form also carries a field bound to
 * the session's cookie, or to a cookie made for this before there is a session. The field is masked
 * anew each time, so that compression leaks nothing of it. */
#include "app.h"
#include "base/url.h"

#include <string.h>

#define FIELD_BYTES ((apr_size_t)2 * UA_DIGEST_BYTES)

/* What the field is bound to, or NULL when the browser has neither cookie. */
static const char *binding(const ua_req_t *req)
{
    if (req->session_cookie) {
        return req->session_cookie;
    }
    return ua_cookie_get(req->ctx->pool, req->cookie, ua_site_cookie(req, "csrf"));
}

static apr_status_t tag_of(unsigned char tag[UA_DIGEST_BYTES], ua_req_t *req,
                           const char *bound_to)
{
    return ua_hmac(tag, req->ctx->keys->csrf, UA_PARTS("csrf", bound_to));
}

static int is_field_right(ua_req_t *req)
{
    const char *field = ua_field(req, "csrf");
    const char *bound_to = binding(req);
    unsigned char given[FIELD_BYTES];
    unsigned char tag[UA_DIGEST_BYTES];

    if (!bound_to || ua_base64url_decode(given, sizeof given, field) != APR_SUCCESS ||
        tag_of(tag, req, bound_to) != APR_SUCCESS) {
        return 0;
    }
    for (apr_size_t i = 0; i < UA_DIGEST_BYTES; i++) {
        given[UA_DIGEST_BYTES + i] ^= given[i];
    }
    return ua_equal(given + UA_DIGEST_BYTES, tag, UA_DIGEST_BYTES);
}

static int is_foreign(const ua_req_t *req)
{
    if (*req->fetch_site) {
        return strcmp(req->fetch_site, "same-origin") != 0 &&
               strcmp(req->fetch_site, "none") != 0;
    }
    if (*req->origin && strcmp(req->origin, "null") != 0) {
        return !ua_origin_is_own(req->ctx->pool, &req->ctx->conf->base, req->origin);
    }
    return 0;
}

ua_csrf_e ua_csrf_judge(ua_req_t *req)
{
    int browser = req->session_cookie || *req->origin || *req->fetch_site || *req->fetch_mode ||
                  *req->fetch_dest || *req->fetch_user;

    if (is_foreign(req)) {
        return UA_CSRF_FOREIGN;
    }
    if (!browser || ua_is_json(req->content_type)) {
        return UA_CSRF_FINE;
    }
    return is_field_right(req) ? UA_CSRF_FINE : UA_CSRF_STALE;
}

apr_status_t ua_csrf_field(const char **out, ua_res_t *res, ua_req_t *req)
{
    unsigned char field[FIELD_BYTES];
    const char *bound_to = binding(req);

    if (!bound_to) {
        UA_CHECK(ua_draw(req->ctx, field, UA_DIGEST_BYTES));
        bound_to = ua_base64url(req->ctx->pool, field, UA_DIGEST_BYTES);
        ua_set_cookie(res, req, "csrf", bound_to, 0);
    }
    UA_CHECK(ua_draw(req->ctx, field, UA_DIGEST_BYTES));
    UA_CHECK(tag_of(field + UA_DIGEST_BYTES, req, bound_to));
    for (apr_size_t i = 0; i < UA_DIGEST_BYTES; i++) {
        field[UA_DIGEST_BYTES + i] ^= field[i];
    }
    *out = ua_base64url(req->ctx->pool, field, sizeof field);
    return APR_SUCCESS;
}
