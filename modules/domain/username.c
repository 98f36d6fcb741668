/* username.c: see username.h. */
#include "username.h"
#include "base/text.h"

#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define RESERVED                                                                               \
    "admin administrator root system support help security postmaster webmaster abuse "        \
    "anonymous nobody"

static int is_reserved(const ua_conf_t *conf, const char *name)
{
    if (ua_listed(RESERVED, name)) {
        return 1;
    }
    for (int i = 0; conf->username_reserved && i < conf->username_reserved->nelts; i++) {
        if (ua_listed(APR_ARRAY_IDX(conf->username_reserved, i, const char *), name)) {
            return 1;
        }
    }
    return 0;
}

const char *ua_username_refusal(const ua_conf_t *conf, const char *name)
{
    apr_size_t length = strlen(name);

    if (length == 0) {
        return "Choose a username.";
    }
    if (length < 3 || length > 32) {
        return "Use 3 to 32 characters.";
    }
    if (strspn(name, LETTERS "._-") != length) {
        return "Use only letters A to Z, digits, dots, hyphens and underscores.";
    }
    if (strcspn(name, LETTERS) != 0) {
        return "Begin with a letter or a digit.";
    }
    if (strncasecmp(name, "www.", 4) == 0) {
        return "A username can't begin with \"www.\".";
    }
    if (is_reserved(conf, name)) {
        return "This username is reserved. Choose another one.";
    }
    return NULL;
}

const char *ua_username_key(apr_pool_t *pool, const char *name)
{
    return ua_lower(pool, name);
}

apr_status_t ua_username_holder(const char **account_id, ua_ctx_t *ctx, const char *key)
{
    const char *digest = NULL;
    ua_row_t row = NULL;

    UA_CHECK(ua_hmac_text(&digest, ctx->pool, ctx->keys->throttle, UA_PARTS("name", key)));
    UA_CHECK(ua_db_one(&row, ctx, UA_Q(held_name_get), UA_ARGS(ua_s(digest))));
    *account_id = row[0];
    return APR_SUCCESS;
}

apr_status_t ua_username_hold(ua_ctx_t *ctx, const char *key, const char *account_id)
{
    const char *digest = NULL;
    const char *holder = NULL;
    apr_status_t rv = ua_username_holder(&holder, ctx, key);

    if (rv != APR_NOTFOUND) {
        return rv;
    }
    UA_CHECK(ua_hmac_text(&digest, ctx->pool, ctx->keys->throttle, UA_PARTS("name", key)));
    return ua_db_exec(ctx, NULL, UA_Q(held_name_insert),
                      UA_ARGS(ua_s(digest), ua_s(account_id)));
}
