/* settings_pass.c: the names of the request headers that tell applications of the person. Called by
 * settings.c. */
#include "settings.h"

#include <string.h>

/* What httpd, a proxy or an application reads itself. */
static const char *const taken[] = {"authorization",
                                    "connection",
                                    "content-length",
                                    "content-type",
                                    "cookie",
                                    "expect",
                                    "host",
                                    "keep-alive",
                                    "te",
                                    "trailer",
                                    "transfer-encoding",
                                    "upgrade",
                                    "x-forwarded-for",
                                    "x-forwarded-host",
                                    "x-forwarded-proto",
                                    NULL};

static const char *check(apr_pool_t *pool, int row, const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    const char *directive = ua_directives[row].name;

    if (name[strspn(name, letters)] || strlen(name) > UA_HEADER_NAME) {
        return apr_psprintf(pool, "%s takes letters, digits and \"-\", at most %d of them",
                            directive, UA_HEADER_NAME);
    }
    for (int i = 0; taken[i]; i++) {
        if (strcasecmp(name, taken[i]) == 0) {
            return apr_psprintf(pool, "%s: %s is a header with a meaning of its own", directive,
                                name);
        }
    }
    return NULL;
}

const char *ua_settings_pass(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *err = NULL;

    *row = UA_D_pass_user_header;
    err = check(pool, *row, conf->pass_user_header);
    if (!err) {
        *row = UA_D_pass_prefix;
        err = check(pool, *row, conf->pass_prefix);
    }
    if (!err && conf->pass_prefix[strlen(conf->pass_prefix) - 1] != '-') {
        err = "UserAuthPassHeaderPrefix ends with \"-\", as X-Userauth- does";
    }
    return err;
}
