/* common_registration.c: the cookie of the browser that registered: it says whose account that is for
 * as long as the account has the address that was typed there, and when this browser last had a mail sent
 * there. See feature.h. */
#include "feature.h"
#include "base/email.h"

#include <string.h>

#define SECOND_DIGITS 10
#define LENGTH        (UA_UUID_TEXT + 1 + UA_DIGEST_TEXT + 1 + SECOND_DIGITS)

static const char *cookie_of(ua_req_t *req)
{
    return ua_cookie_get(req->ctx->pool, req->cookie, ua_site_cookie(req, "registration"));
}

/* "<account>.<tag>.<second>": the tag covers the address, so that a later one of the account is not told. */
static apr_status_t sign(const char **out, ua_req_t *req, const char *account_id,
                         const char *address, const char *second)
{
    const char *tag = NULL;
    ua_email_t email;

    UA_CHECK(ua_email_parse(&email, req->ctx->pool, address));
    UA_CHECK(ua_hmac_text(&tag, req->ctx->pool, req->ctx->keys->cookie,
                          UA_PARTS("registration", account_id, email.key, second)));
    *out = apr_pstrcat(req->ctx->pool, account_id, ".", tag, ".", second, NULL);
    return APR_SUCCESS;
}

/* The digits at the end of a value of the right length. */
static const char *second_in(const char *value)
{
    return value + LENGTH - SECOND_DIGITS;
}

apr_status_t ua_registration_account(ua_account_t **out, ua_req_t *req)
{
    apr_pool_t *pool = req->ctx->pool;
    const char *value = cookie_of(req);
    const char *genuine = NULL;
    ua_account_t *account = NULL;

    if (!value || strlen(value) != LENGTH) {
        return APR_NOTFOUND;
    }
    UA_CHECK(ua_account_by_id(&account, req->ctx, apr_pstrmemdup(pool, value, UA_UUID_TEXT)));
    UA_CHECK(sign(&genuine, req, account->id, account->email, second_in(value)));
    if (account->closed > 0 || !ua_equal_text(genuine, value)) {
        return APR_NOTFOUND;
    }
    *out = account;
    return APR_SUCCESS;
}

apr_time_t ua_registration_asked(ua_req_t *req)
{
    return apr_time_from_sec(apr_atoi64(second_in(cookie_of(req))));
}

apr_status_t ua_registration_cookie(ua_res_t *res, ua_req_t *req, const ua_account_t *account)
{
    const char *value = NULL;

    UA_CHECK(sign(&value, req, account->id, account->email,
                  apr_psprintf(req->ctx->pool, "%010" APR_INT64_T_FMT,
                               (apr_int64_t)apr_time_sec(req->ctx->now))));
    ua_set_cookie(res, req, "registration", value,
                  apr_time_sec(req->ctx->conf->unverified_lifetime));
    return APR_SUCCESS;
}
