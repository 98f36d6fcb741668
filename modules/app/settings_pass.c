/* settings_pass.c: the names of the request headers that tell applications of the person. Called by
 * settings.c. */
#include "settings.h"

#include <string.h>

/* What httpd, this module, a proxy or an application reads itself. */
static const char *const taken[] = {"accept",
                                    "accept-encoding",
                                    "accept-language",
                                    "authorization",
                                    "connection",
                                    "content-length",
                                    "content-type",
                                    "cookie",
                                    "expect",
                                    "host",
                                    "if-match",
                                    "if-modified-since",
                                    "if-none-match",
                                    "if-range",
                                    "keep-alive",
                                    "origin",
                                    "purpose",
                                    "range",
                                    "referer",
                                    "sec-fetch-dest",
                                    "sec-fetch-mode",
                                    "sec-fetch-site",
                                    "sec-purpose",
                                    "te",
                                    "trailer",
                                    "transfer-encoding",
                                    "upgrade",
                                    "user-agent",
                                    "x-forwarded-for",
                                    "x-forwarded-host",
                                    "x-forwarded-proto",
                                    "x-requested-with",
                                    NULL};

/* What follows the prefix (identity.c). */
static const char *const own[] = {"Id",    "Email", "Display-Name", "Groups", "Session",
                                  "Token", NULL};

static const char *check_letters(apr_pool_t *pool, int row, const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

    if (*name == '-') {
        return apr_psprintf(pool, "%s begins with a letter or digit", ua_directives[row].name);
    }
    return name[strspn(name, letters)] || strlen(name) > UA_HEADER_NAME
               ? apr_psprintf(pool, "%s takes letters, digits and \"-\", at most %d of them",
                              ua_directives[row].name, UA_HEADER_NAME)
               : NULL;
}

static const char *check_user(apr_pool_t *pool, int row, const ua_conf_t *conf)
{
    const char *directive = ua_directives[row].name;
    const char *name = conf->pass_user_header;
    apr_size_t length = strlen(conf->pass_prefix);

    for (int i = 0; taken[i]; i++) {
        if (strcasecmp(name, taken[i]) == 0) {
            return apr_psprintf(pool, "%s: %s is a header with a meaning of its own", directive,
                                name);
        }
    }
    for (int i = 0; own[i] && strncasecmp(name, conf->pass_prefix, length) == 0; i++) {
        if (strcasecmp(name + length, own[i]) == 0) {
            return apr_psprintf(pool, "%s: %s tells something else of the person", directive,
                                name);
        }
    }
    return NULL;
}

/* What begins with it is taken from every request. */
static const char *check_prefix(apr_pool_t *pool, int row, const char *prefix)
{
    if (prefix[strlen(prefix) - 1] != '-') {
        return "UserAuthPassHeaderPrefix ends with \"-\", as X-Userauth- does";
    }
    for (int i = 0; taken[i]; i++) {
        if (strncasecmp(prefix, taken[i], strlen(prefix)) == 0) {
            return apr_psprintf(pool, "%s: %s, a header with a meaning of its own, begins so",
                                ua_directives[row].name, taken[i]);
        }
    }
    return NULL;
}

const char *ua_settings_pass(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *err = NULL;

    *row = UA_D_pass_prefix;
    err = check_letters(pool, *row, conf->pass_prefix);
    err = err ? err : check_prefix(pool, *row, conf->pass_prefix);
    if (!err) {
        *row = UA_D_pass_user_header;
        err = check_letters(pool, *row, conf->pass_user_header);
        err = err ? err : check_user(pool, *row, conf);
    }
    return err;
}
