/* settings.c: from what the administrator wrote to what the code uses; refuses what cannot work and
 * says how to put it right. Called once per site at start and by a configuration test. */
#include "settings.h"
#include "base/curl_range.h"
#include "base/text.h"
#include "base/unicode.h"

#include <apr_file_io.h>
#include <string.h>

static const char *resolve_base_url(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *why = NULL;

    *row = UA_D_base_url;
    if (!conf->base_url) {
        *row = -1;
        return "UserAuthBaseURL is missing: add a line such as \"UserAuthBaseURL "
               "https://www.example.com\" to this virtual host";
    }
    if (ua_base_url_parse(&conf->base, pool, conf->base_url, &why) != APR_SUCCESS) {
        return apr_psprintf(pool, "UserAuthBaseURL \"%s\": %s",
                            strchr(conf->base_url, '@') ? "…" : conf->base_url, why);
    }
    conf->site = conf->base.text;
    conf->secure = strcmp(conf->base.scheme, "https") == 0;
    conf->cookie = conf->secure ? "__Host-userauth" : "userauth";
    conf->site_name = conf->site_name ? conf->site_name : conf->base.host;
    return NULL;
}

/* "/name" or "/name/name": letters, digits, ".", "_", "-". */
static int is_prefix(const char *path)
{
    return path[0] == '/' && path[1] != '\0' && path[strlen(path) - 1] != '/' &&
           !strstr(path, "//") && !strstr(path, "/.") &&
           strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-") ==
               strlen(path);
}

static int is_below(const char *path, const char *prefix)
{
    apr_size_t length = strlen(prefix);

    return strncmp(path, prefix, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static const char *resolve_paths(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    *row = UA_D_path;
    if (!is_prefix(conf->path)) {
        return apr_psprintf(pool, "UserAuthPath is a path such as /auth, not \"%s\"",
                            conf->path);
    }
    *row = UA_D_dashboard_path;
    if (!is_prefix(conf->dashboard_path)) {
        return apr_psprintf(pool,
                            "UserAuthDashboardPath is a path such as /dashboard, not \"%s\"",
                            conf->dashboard_path);
    }
    if (is_below(conf->path, conf->dashboard_path) ||
        is_below(conf->dashboard_path, conf->path)) {
        *row = conf->where[UA_D_dashboard_path] ? UA_D_dashboard_path : UA_D_path;
        return apr_psprintf(pool,
                            "UserAuthPath %s and UserAuthDashboardPath %s lie within each "
                            "other: choose two separate paths",
                            conf->path, conf->dashboard_path);
    }
    return NULL;
}

int ua_settings_is_file(const char *path)
{
    return path[0] == '/' && path[strlen(path) - 1] != '/';
}

static const char *resolve_database(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *err = NULL;

    *row = UA_D_database;
    if (!conf->database[0]) {
        *row = -1;
        return "UserAuthDatabase is missing: add a line such as \"UserAuthDatabase sqlite3 "
               "/var/lib/userauth/userauth.db\"";
    }
    err = ua_settings_database(conf, pool, row);
    if (err) {
        return err;
    }
    if (!conf->key_file) {
        conf->key_file = apr_pstrcat(pool, conf->state_folder, "/userauth.keys", NULL);
    }
    *row = UA_D_key_file;
    return ua_settings_is_file(conf->key_file)
               ? NULL
               : "UserAuthKeyFile takes the full path of a file";
}

const char *ua_settings_secret(const char **out, apr_pool_t *pool, const char *directive,
                               const char *path)
{
    apr_file_t *file = NULL;
    apr_finfo_t info = {0};
    char line[1024] = "";
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_OS_DEFAULT, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_PROT, file);
    }
    if (rv == APR_SUCCESS &&
        (info.protection & (APR_FPROT_WREAD | APR_FPROT_WWRITE | APR_FPROT_GWRITE))) {
        return apr_psprintf(pool,
                            "%s: %s can be read or changed by others: "
                            "run \"chmod 600 %s\"",
                            directive, path, path);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_file_gets(line, sizeof line, file);
        apr_file_close(file);
    }
    line[strcspn(line, "\r\n")] = '\0';
    if (rv != APR_SUCCESS || line[0] == '\0') {
        return apr_psprintf(pool, "%s: %s can't be read or its first line is empty", directive,
                            path);
    }
    *out = apr_pstrdup(pool, line);
    ua_wipe(line, sizeof line);
    return NULL;
}

const char *ua_settings_line(apr_pool_t *pool, const char *words)
{
    char *line = apr_pstrdup(pool, words);

    for (char *at = strchr(line, '\n'); at; at = strchr(at, '\n')) {
        *at = ' ';
    }
    return line;
}

static const char *resolve_rates(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    static const char *const names[UA_RATES] = {"login", "register", "token", "mail"};
    static const ua_rate_t initial[UA_RATES] = {{30, apr_time_from_sec(300)},
                                                {20, apr_time_from_sec(3600)},
                                                {30, apr_time_from_sec(300)},
                                                {20, apr_time_from_sec(3600)}};

    *row = UA_D_rate_limits;
    memcpy(conf->rates, initial, sizeof initial);
    for (int n = 0; conf->rate_limits && n < conf->rate_limits->nelts; n++) {
        const char *line =
            ua_settings_line(pool, APR_ARRAY_IDX(conf->rate_limits, n, const char *));
        const char *blank = strchr(line, ' ');
        int i = 0;

        while (blank && i < UA_RATES &&
               !ua_listed(apr_pstrmemdup(pool, line, (apr_size_t)(blank - line)), names[i])) {
            i++;
        }
        if (!blank || i == UA_RATES ||
            ua_rate_parse(&conf->rates[i], blank + 1) != APR_SUCCESS) {
            return apr_psprintf(pool,
                                "UserAuthRateLimit takes login, register, token or mail and a "
                                "rate such as 30/5m, or off, not \"%s\"",
                                line);
        }
    }
    return NULL;
}

/* "m=19456,t=2,p=1", the last part may be left out. 1 when it is written so. */
static int parse_hash(ua_pwhash_params_t *out, const char *text)
{
    apr_size_t memory = strncmp(text, "m=", 2) == 0 ? strspn(text + 2, "0123456789") : 0;
    const char *rest = text + 2 + memory;
    apr_size_t passes =
        memory > 0 && strncmp(rest, ",t=", 3) == 0 ? strspn(rest + 3, "0123456789") : 0;

    if (memory > 9 || passes < 1 || passes > 9 ||
        (rest[3 + passes] != '\0' && strcmp(rest + 3 + passes, ",p=1") != 0)) {
        return 0;
    }
    out->memory_kib = apr_atoi64(text + 2);
    out->passes = apr_atoi64(rest + 3);
    return out->memory_kib >= 7168 && out->memory_kib <= 1048576 && out->passes >= 1 &&
           out->passes <= 10;
}

static const char *resolve_hash(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    *row = UA_D_password_hash;
    if (!parse_hash(&conf->pwhash, conf->password_hash)) {
        return apr_psprintf(pool,
                            "UserAuthPasswordHash is written m=19456,t=2,p=1: memory in KiB "
                            "from 7168 to 1048576, passes from 1 to 10, one lane; not \"%s\"",
                            conf->password_hash);
    }
    if (conf->pwhash.memory_kib * conf->pwhash.passes < 35840) {
        return "UserAuthPasswordHash is weaker than OWASP's floor: use at least m=19456,t=2 or "
               "m=12288,t=3 or m=7168,t=5";
    }
    return NULL;
}

static const char *resolve_looks(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    *row = UA_D_site_name;
    if (!ua_utf8_valid(conf->site_name, strlen(conf->site_name)) ||
        ua_utf8_deceptive(conf->site_name) || ua_utf8_length(conf->site_name) > 64) {
        return "UserAuthSiteName is at most 64 characters of plain UTF-8 text";
    }
    *row = UA_D_accent;
    if (conf->accent && (conf->accent[0] != '#' || strlen(conf->accent) != 7 ||
                         strspn(conf->accent + 1, "0123456789abcdefABCDEF") != 6)) {
        return apr_psprintf(pool, "UserAuthAccent is a colour such as #0b57d0, not \"%s\"",
                            conf->accent);
    }
    return NULL;
}

static const char *resolve_audience(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *text = conf->token_audience ? conf->token_audience : conf->site;

    (void)pool;
    conf->token_audience = text;
    *row = UA_D_token_audience;
    return *text == '\0' || strlen(text) > 255 || !ua_utf8_valid(text, strlen(text)) ||
                   ua_utf8_deceptive(text)
               ? "UserAuthTokenAudience is at most 255 bytes of UTF-8 text without control or "
                 "invisible characters"
               : NULL;
}

/* What ua_range_create() refuses now can't stop a child later. */
static const char *resolve_breach_url(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *url = conf->password_breach_url;
    ua_range_t *range = NULL;

    *row = UA_D_password_breach_url;
    if (!url || ((strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) &&
                 url[strlen(url) - 1] == '/' && strlen(url) <= 512 &&
                 ua_range_create(&range, pool, url) == APR_SUCCESS)) {
        return NULL;
    }
    return apr_psprintf(pool,
                        "UserAuthPasswordBreachURL is https:// or http://, a host and a path "
                        "that ends with a slash, in ASCII without blanks and #, such as "
                        "https://api.pwnedpasswords.com/range/, not \"%s\"",
                        strchr(url, '@') ? "…" : url);
}

const char *ua_settings_resolve(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    static resolve_f *const steps[] = {
        resolve_base_url,   resolve_paths,         resolve_database,    resolve_rates,
        ua_settings_mail,   resolve_hash,          ua_settings_profile, resolve_audience,
        resolve_breach_url, ua_settings_blocklist, resolve_looks,       ua_settings_pass};

    ua_conf_defaults(conf, pool);
    for (apr_size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *err = steps[i](conf, pool, row);

        if (err) {
            return err;
        }
    }
    return NULL;
}
