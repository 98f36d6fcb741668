/* settings_database.c: UserAuthDatabase: which engine, and its connection parameters as the driver gets them, with
 * the password of a file: no password has to stand in a configuration. Called by settings.c. */
#include "settings.h"
#include "base/url.h"

#include <string.h>

/* Where the key file lies when there is no SQLite file beside which it could. */
#define STATE_FOLDER "/var/lib/userauth"

/* The words at which MariaDB's driver ends a value (trap 15). */
#define MYSQL_ENDS " \t\r\n;|,"

static const char *folder_of(apr_pool_t *pool, const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash && slash > file ? apr_pstrmemdup(pool, file, (apr_size_t)(slash - file)) : "/";
}

static const char *resolve_file(ua_conf_t *conf, apr_pool_t *pool)
{
    const char *path = conf->database[1];

    if (!ua_settings_is_file(path)) {
        return apr_psprintf(
            pool, "UserAuthDatabase sqlite3 takes the full path of a file, not \"%s\"", path);
    }
    conf->database_params = path;
    conf->state_folder = folder_of(pool, path);
    return conf->database_password_file
               ? "UserAuthDatabasePasswordFile: a SQLite file has no password: leave it out"
               : NULL;
}

/* 'a quoted value' of libpq's connection string. */
static const char *quoted(apr_pool_t *pool, const char *value)
{
    char *out = apr_palloc(pool, 2 * strlen(value) + 3);
    char *at = out;

    *at++ = '\'';
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\') {
            *at++ = '\\';
        }
        *at++ = *value;
    }
    *at++ = '\'';
    *at = '\0';
    return out;
}

static const char *add_password(ua_conf_t *conf, apr_pool_t *pool, const char *password)
{
    const char *params = conf->database[1];

    if (strcmp(conf->database[0], "mysql") == 0) {
        conf->database_params = apr_pstrcat(pool, params, " pass=", password, NULL);
        return strcspn(password, MYSQL_ENDS) == strlen(password)
                   ? NULL
                   : "UserAuthDatabasePasswordFile: MariaDB's driver takes no password with a "
                     "blank, tab, comma, semicolon or bar: choose another one, or let group= "
                     "name a group of an option file that holds it";
    }
    conf->database_params =
        strstr(params, "://")
            ? apr_pstrcat(pool, params, strchr(params, '?') ? "&" : "?",
                          "password=", ua_url_encode(pool, password), NULL)
            : apr_pstrcat(pool, params, " password=", quoted(pool, password), NULL);
    return NULL;
}

static const char *resolve_server(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *driver = conf->database[0];
    const char *password = NULL;
    const char *why = ua_db_params_refusal(pool, driver, conf->database[1]);

    conf->database_params = conf->database[1];
    conf->state_folder = STATE_FOLDER;
    if (why) {
        return apr_psprintf(pool, "UserAuthDatabase %s: %s", driver, why);
    }
    if (!conf->database_password_file) {
        return NULL;
    }
    *row = UA_D_database_password_file;
    why = ua_settings_secret(&password, pool, "UserAuthDatabasePasswordFile",
                             conf->database_password_file);
    return why ? why : add_password(conf, pool, password);
}

const char *ua_settings_database(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *driver = conf->database[0];

    *row = UA_D_database;
    if (strcmp(driver, "sqlite3") == 0) {
        return resolve_file(conf, pool);
    }
    if (strcmp(driver, "pgsql") == 0 || strcmp(driver, "mysql") == 0) {
        return resolve_server(conf, pool, row);
    }
    return apr_psprintf(
        pool, "UserAuthDatabase: the driver is sqlite3, pgsql or mysql, not \"%s\"", driver);
}
