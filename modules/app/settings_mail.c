/* settings_mail.c: the directives about mail: what they say must be able to work at the first send,
 * not fail at every one. Called by settings.c. */
#include "settings.h"
#include "base/curl_smtp.h"
#include "base/mail.h"
#include "base/text.h"

#include <apr_cstr.h>
#include <apr_file_io.h>
#include <apr_uri.h>
#include <string.h>

static const char *resolve_mail_limit(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    char *state = NULL;
    int n = 0;

    *row = UA_D_mail_limit;
    if (apr_cstr_casecmp(conf->mail_limit, "off") == 0) {
        return NULL;
    }
    for (char *word = apr_strtok(apr_pstrdup(pool, conf->mail_limit), " ", &state); word;
         word = apr_strtok(NULL, " ", &state)) {
        if (n == UA_MAIL_RATES || ua_rate_parse(&conf->mail_rates[n], word) != APR_SUCCESS ||
            conf->mail_rates[n].duration == 0) {
            return apr_psprintf(pool,
                                "UserAuthMailLimit takes up to four rates such as 1/1m 5/1h "
                                "10/24h, or off, not \"%s\"",
                                conf->mail_limit);
        }
        n++;
    }
    return NULL;
}

static const char *resolve_budget(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    *row = UA_D_mail_budget;
    return ua_rate_parse(&conf->mail_rate, conf->mail_budget) == APR_SUCCESS
               ? NULL
               : apr_psprintf(
                     pool,
                     "UserAuthMailBudget takes a rate such as 20000/1h, or off, not \"%s\"",
                     conf->mail_budget);
}

static const char *resolve_sender(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *name = NULL;
    const char *address = NULL;

    *row = UA_D_mail;
    if (!conf->mail[0]) {
        *row = -1;
        return "UserAuthMail is missing: add a line such as \"UserAuthMail smtp://localhost "
               "accounts@example.com\"";
    }
    if (ua_mailbox_parse(&conf->from_name, &conf->from_address, pool, conf->mail[1]) !=
        APR_SUCCESS) {
        return apr_psprintf(
            pool, "UserAuthMail: the sender is written \"Name <name@example.com>\", not \"%s\"",
            conf->mail[1]);
    }
    *row = UA_D_mail_reply_to;
    if (conf->mail_reply_to &&
        ua_mailbox_parse(&name, &address, pool, conf->mail_reply_to) != APR_SUCCESS) {
        return apr_psprintf(pool, "UserAuthMailReplyTo is an email address, not \"%s\"",
                            conf->mail_reply_to);
    }
    conf->mail_reply_to = address;
    return NULL;
}

/* 1 when no byte is a blank or a control, or begins a query or fragment. */
static int is_plain(const char *url)
{
    while ((unsigned char)*url > ' ' && *url != 0x7f && *url != '?' && *url != '#') {
        url++;
    }
    return *url == '\0';
}

/* host[:port] and nothing else behind the scheme. */
static const char *check_server(const ua_conf_t *conf, apr_pool_t *pool)
{
    apr_uri_t uri;

    if (strchr(conf->mail_target, '@')) {
        return "UserAuthMail takes no user in the server's address: give it by "
               "UserAuthMailUser and "
               "UserAuthMailPasswordFile";
    }
    if (!is_plain(conf->mail_target) ||
        apr_uri_parse(pool, conf->mail_target, &uri) != APR_SUCCESS || !uri.hostname ||
        !*uri.hostname || (uri.path && strcmp(uri.path, "/") != 0) ||
        (uri.port_str &&
         (uri.port < 1 || strlen(uri.port_str) > 5 || apr_atoi64(uri.port_str) > 65535))) {
        return apr_psprintf(pool,
                            "UserAuthMail takes smtp://host or smtp://host:port, not \"%s\"",
                            conf->mail_target);
    }
    return NULL;
}

/* 1 when the server, checked before, is this machine. */
static int is_loopback(apr_pool_t *pool, const char *url)
{
    apr_uri_t uri;

    return apr_uri_parse(pool, url, &uri) == APR_SUCCESS && uri.hostname &&
           (apr_cstr_casecmp(uri.hostname, "localhost") == 0 ||
            ua_address_loopback(uri.hostname));
}

static const char *resolve_mail_tls(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    enum { AUTO, NONE, REQUIRE, UNVERIFIED };

    int smtps = strncmp(conf->mail_target, "smtps:", 6) == 0;

    *row = UA_D_mail_tls;
    if (conf->mail_tls == NONE && smtps) {
        return "UserAuthMailTLS none contradicts smtps://: write smtp:// or leave the line out";
    }
    conf->mail_tls_mode = UA_SMTP_TLS;
    if (conf->mail_tls == UNVERIFIED) {
        conf->mail_tls_mode = UA_SMTP_UNVERIFIED;
    }
    else if (conf->mail_tls == NONE ||
             (conf->mail_tls == AUTO && !smtps && is_loopback(pool, conf->mail_target))) {
        conf->mail_tls_mode = UA_SMTP_PLAIN;
    }
    if (conf->mail_user && conf->mail_tls_mode == UA_SMTP_PLAIN &&
        !is_loopback(pool, conf->mail_target)) {
        return "UserAuthMailTLS none would send the mail server's password in clear over the "
               "network: leave the line out";
    }
    return NULL;
}

static const char *resolve_login(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    *row = conf->mail_user ? UA_D_mail_user : UA_D_mail_password_file;
    if (!conf->mail_user != !conf->mail_password_file) {
        return "UserAuthMailUser and UserAuthMailPasswordFile belong together: write both or "
               "none";
    }
    *row = UA_D_mail_password_file;
    return conf->mail_password_file
               ? ua_settings_secret(&conf->mail_password, pool, "UserAuthMailPasswordFile",
                                    conf->mail_password_file)
               : NULL;
}

static const char *check_ca_file(const ua_conf_t *conf, apr_pool_t *pool)
{
    apr_file_t *file = NULL;

    if (conf->mail_ca_file && apr_file_open(&file, conf->mail_ca_file, APR_FOPEN_READ,
                                            APR_OS_DEFAULT, pool) != APR_SUCCESS) {
        return apr_psprintf(pool, "UserAuthMailCAFile: %s can't be read", conf->mail_ca_file);
    }
    return file && apr_file_close(file) != APR_SUCCESS ? "UserAuthMailCAFile can't be read"
                                                       : NULL;
}

static const char *resolve_server(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *err = check_server(conf, pool);

    err = err ? err : resolve_mail_tls(conf, pool, row);
    err = err ? err : resolve_login(conf, pool, row);
    if (!err) {
        *row = UA_D_mail_ca_file;
        err = check_ca_file(conf, pool);
    }
    return err;
}

static const char *resolve_target(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *target = conf->mail[0];

    *row = UA_D_mail;
    conf->mail_kind = UA_MAIL_SMTP;
    conf->mail_target = target;
    if (strncmp(target, "folder:/", 8) == 0) {
        conf->mail_kind = UA_MAIL_FOLDER;
        conf->mail_target = target + strlen("folder:");
        return NULL;
    }
    if (strncmp(target, "smtp://", 7) != 0 && strncmp(target, "smtps://", 8) != 0) {
        return apr_psprintf(
            pool, "UserAuthMail takes smtp://host, smtps://host or folder:/path, not \"%s\"",
            target);
    }
    return resolve_server(conf, pool, row);
}

const char *ua_settings_mail(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *err = resolve_mail_limit(conf, pool, row);

    err = err ? err : resolve_budget(conf, pool, row);
    err = err ? err : resolve_sender(conf, pool, row);
    return err ? err : resolve_target(conf, pool, row);
}
