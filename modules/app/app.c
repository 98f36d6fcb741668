/* app.c: start-up of one site and the context of each of its requests and jobs. See app.h. */
#include "app.h"
#include "base/builtin.h"
#include "base/curl_range.h"
#include "base/jwt.h"
#include "base/text.h"
#include "domain/setting.h"

#include <apr_file_io.h>
#include <errno.h>
#include <string.h>

#define FINGERPRINT    "key_fingerprint"
#define TEMPLATE_BYTES ((apr_off_t)1024 * 1024)

/* A template: the operator's file of this name, or the built-in one. */
static apr_status_t template_source(void *baton, apr_pool_t *pool, const char *name,
                                    const char **text, apr_size_t *length, const char **where)
{
    const ua_app_t *app = baton;
    const ua_builtin_t *builtin = ua_builtin_find(apr_pstrcat(pool, "templates/", name, NULL));
    apr_file_t *file = NULL;
    apr_finfo_t info = {0};
    apr_status_t rv = APR_ENOENT;
    char *own = NULL;

    *where = name;
    if (app->conf->templates) {
        *where = apr_pstrcat(pool, app->conf->templates, "/", name, NULL);
        rv = apr_file_open(&file, *where, APR_FOPEN_READ, APR_OS_DEFAULT, pool);
    }
    if (APR_STATUS_IS_ENOENT(rv)) {
        *where = name;
        *text = builtin ? builtin->data : NULL;
        *length = builtin ? builtin->length : 0;
        return builtin ? APR_SUCCESS : APR_NOTFOUND;
    }
    UA_CHECK(rv);
    UA_CHECK(apr_file_info_get(&info, APR_FINFO_SIZE, file));
    if (info.size > TEMPLATE_BYTES) {
        return EFBIG;
    }
    own = apr_pcalloc(pool, (apr_size_t)info.size + 1);
    rv = info.size > 0 ? apr_file_read_full(file, own, (apr_size_t)info.size, length)
                       : APR_SUCCESS;
    apr_file_close(file);
    *text = own;
    return rv;
}

static const char *check_template_folder(const ua_conf_t *conf, apr_pool_t *pool)
{
    apr_finfo_t info = {0};

    if (conf->templates &&
        (apr_stat(&info, conf->templates, APR_FINFO_TYPE, pool) != APR_SUCCESS ||
         info.filetype != APR_DIR)) {
        return apr_psprintf(pool, "UserAuthTemplates: there is no readable folder %s",
                            conf->templates);
    }
    return NULL;
}

/* The first line of a mail's text is its subject. */
static const char *check_subject(ua_app_t *app, apr_pool_t *pool, const char *name)
{
    const char *text = NULL;
    const char *where = name;
    apr_size_t length = 0;

    if (strncmp(name, "mail/", 5) != 0 || strcmp(name + strlen(name) - 4, ".txt") != 0) {
        return NULL;
    }
    if (template_source(app, pool, name, &text, &length, &where) == APR_SUCCESS && length > 9 &&
        strncmp(text, "Subject: ", 9) == 0) {
        return NULL;
    }
    return apr_psprintf(
        pool, "%s:1: the first line of a mail is \"Subject: …\", followed by an empty line",
        where);
}

/* A mail that is sent for its link says it, in both of its parts. */
static const char *check_links(const ua_templates_t *templates, apr_pool_t *pool)
{
    static const char *const parts[] = {".txt", ".html"};

    for (int i = 0; i < 2 * UA_MAIL_NOBODY; i++) {
        const ua_mail_kind_t *kind = &ua_mail_kinds[i / 2];
        const char *name = apr_pstrcat(pool, "mail/", kind->name, parts[i % 2], NULL);

        if (*kind->purpose && !ua_template_says(templates, name, "link")) {
            return apr_psprintf(pool, "%s lacks {{link}}, the link it is sent for", name);
        }
    }
    return NULL;
}

static const char *load_templates(ua_app_t *app, apr_pool_t *pool, int *row)
{
    const char *const *names = ua_page_templates(pool);
    ua_templates_t *templates = NULL;
    const char *why = check_template_folder(app->conf, pool);

    *row = UA_D_templates;
    if (!why &&
        ua_templates_load(&templates, pool, names, template_source, app, &why) == APR_SUCCESS) {
        why = NULL;
    }
    for (const char *const *name = names; !why && *name; name++) {
        if (ua_template_lacks(templates, *name, "csrf")) {
            why = apr_psprintf(pool,
                               "%s has a form without its {{>csrf}} field: add it inside every "
                               "<form method=\"post\">",
                               *name);
        }
        why = why ? why : check_subject(app, pool, *name);
    }
    app->templates = templates;
    return why ? why : check_links(templates, pool);
}

/* Reads the keys; that there are none yet is found out by ua_app_prepare(). */
static const char *read_keys(ua_app_t *app, apr_pool_t *pool, int *row)
{
    ua_keys_t *keys = NULL;
    const char *why = NULL;
    apr_status_t rv = ua_keys_read(&keys, pool, app->conf->key_file, &why);

    *row = UA_D_key_file;
    app->keys = keys;
    return rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)
               ? NULL
               : apr_psprintf(pool, "UserAuthKeyFile: %s", why);
}

const char *ua_app_create(ua_app_t **out, apr_pool_t *pool, ua_conf_t *conf,
                          const ua_host_t *host, int *row)
{
    ua_app_t *app = apr_pcalloc(pool, sizeof *app);
    const char *err = ua_settings_resolve(conf, pool, row);

    app->conf = conf;
    app->host = *host;
    err = err ? err : load_templates(app, pool, row);
    err = err ? err : ua_assets_load(app, pool, row);
    err = err ? err : read_keys(app, pool, row);
    if (!err) {
        *out = app;
    }
    return err;
}

apr_status_t ua_app_enter(ua_app_t *app, apr_pool_t *pool)
{
    const ua_conf_t *conf = app->conf;

    UA_CHECK(ua_touches_create(&app->touches, pool));
    if (app->generations && conf->session_cache_ttl > 0) {
        UA_CHECK(ua_session_cache_create(&app->sessions, pool, app->generations,
                                         conf->session_cache_ttl));
    }
    UA_CHECK(ua_jwt_keys_create(&app->jwt, pool, app->keys->jwt, conf->token_key_lifetime));
    return conf->password_breach_url
               ? ua_range_create(&app->range, pool, conf->password_breach_url)
               : APR_SUCCESS;
}

ua_ctx_t *ua_app_look(const ua_app_t *app, apr_pool_t *pool, apr_time_t now)
{
    ua_ctx_t *ctx = apr_pcalloc(pool, sizeof *ctx);

    ctx->pool = pool;
    ctx->now = now;
    ctx->conf = app->conf;
    ctx->keys = app->keys;
    ctx->dbs = app->dbs;
    ctx->mail_cause = app->mail_cause;
    ctx->slots = app->slots;
    ctx->generations = app->generations;
    ctx->jwt = app->jwt;
    ctx->range = app->range;
    ctx->slot = -1;
    ctx->address = ctx->agent = "";
    ctx->lines = apr_array_make(pool, 2, sizeof(const char *));
    return ctx;
}

apr_status_t ua_app_context(ua_ctx_t **out, const ua_app_t *app, apr_pool_t *pool,
                            apr_time_t now)
{
    ua_ctx_t *ctx = ua_app_look(app, pool, now);

    UA_CHECK(ua_draw_begin(ctx));
    *out = ctx;
    return APR_SUCCESS;
}

void ua_app_log(const ua_app_t *app, const ua_ctx_t *ctx, ua_level_e level, const char *text,
                apr_status_t rv)
{
    char words[120];

    app->host.log(app->host.baton, level,
                  apr_psprintf(ctx->pool, "%s: %s (%s)", text,
                               ctx->failed ? ctx->failed : "no details",
                               apr_strerror(rv, words, sizeof words)));
}

static int is_server(const ua_app_t *app)
{
    return strcmp(app->conf->database[0], "sqlite3") != 0;
}

static const char *anothers_key(const ua_app_t *app, apr_pool_t *pool)
{
    return apr_psprintf(
        pool,
        "UserAuthKeyFile: %s is missing, but another node has made one for this "
        "database: copy it from there (if it is lost: begin with an empty database)",
        app->conf->key_file);
}

/* A file has one node; of a server's nodes the first one's key is the database's. */
static apr_status_t put_fingerprint(const ua_app_t *app, ua_ctx_t *ctx)
{
    return is_server(app) ? ua_setting_add(ctx, FINGERPRINT, app->keys->fingerprint)
                          : ua_setting_put(ctx, FINGERPRINT, app->keys->fingerprint);
}

/* Of a key file just made. Another node may have been first: then it is none. */
static const char *store_fingerprint(ua_app_t *app, apr_pool_t *pool, ua_ctx_t *ctx)
{
    const char *stored = NULL;

    if (put_fingerprint(app, ctx) == APR_SUCCESS) {
        return NULL;
    }
    if (ua_setting_get(&stored, ctx, FINGERPRINT) != APR_SUCCESS) {
        return "UserAuthDatabase: the fingerprint of the key file can't be stored";
    }
    if (strcmp(stored, app->keys->fingerprint) == 0) {
        return NULL;
    }
    app->keys = NULL;
    (void)apr_file_remove(app->conf->key_file, pool);
    return anothers_key(app, pool);
}

/* The keys belong to this database: it remembers their fingerprint. */
static const char *check_fingerprint(ua_app_t *app, ua_ctx_t *ctx)
{
    const char *own = app->keys ? app->keys->fingerprint : "";
    const char *stored = own;
    apr_status_t rv = ua_setting_get(&stored, ctx, FINGERPRINT);

    if (rv == APR_NOTFOUND) {
        rv = app->keys ? put_fingerprint(app, ctx) : ua_setting_put(ctx, FINGERPRINT, own);
        if (rv != APR_SUCCESS) { /* another node may have been first */
            rv = ua_setting_get(&stored, ctx, FINGERPRINT);
        }
    }
    if (rv != APR_SUCCESS) {
        return apr_psprintf(ctx->pool, "UserAuthDatabase: %s",
                            ctx->failed ? ctx->failed : "the database can't be read");
    }
    if (strcmp(stored, own) != 0) {
        return apr_psprintf(ctx->pool,
                            "UserAuthKeyFile: %s is not the key file this database was made "
                            "with: put the right one back from your backup",
                            app->conf->key_file);
    }
    return NULL;
}

/* Makes a key file for a database without accounts. */
static const char *create_keys(ua_app_t *app, apr_pool_t *pool, ua_ctx_t *ctx)
{
    apr_int64_t accounts = 0;
    const char *why = NULL;
    const char *stored = NULL;
    ua_keys_t *keys = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (ua_account_count(&accounts, ctx) != APR_SUCCESS) {
        return "UserAuthDatabase: the accounts can't be counted";
    }
    if (accounts > 0) {
        return apr_psprintf(
            pool,
            "UserAuthKeyFile: %s is missing, but the database holds accounts: put "
            "the key file back from your backup",
            app->conf->key_file);
    }
    if (is_server(app) && ua_setting_get(&stored, ctx, FINGERPRINT) == APR_SUCCESS) {
        return anothers_key(app, pool);
    }
    rv = ua_keys_create(&keys, pool, app->conf->key_file, &why);
    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool, "UserAuthKeyFile: %s",
                            why ? why
                            : rv == APR_EEXIST
                                ? "another process is making it at this moment: start again"
                                : "there are no random bytes for it");
    }
    app->keys = keys;
    return store_fingerprint(app, pool, ctx);
}

/* Parameters may hold a password: only a file is named. */
static const char *unready(const ua_conf_t *conf, const ua_ctx_t *ctx)
{
    int file = strcmp(conf->database[0], "sqlite3") == 0;

    return apr_psprintf(
        ctx->pool, "UserAuthDatabase: %s can't be made ready: %s; %s",
        file ? conf->database[1] : "the database", ctx->failed ? ctx->failed : "no details",
        file ? "the folder and the file have to be writable for the server's user"
             : "it has to run, and its user has to be allowed to make tables");
}

static const char *prepare(ua_app_t *app, apr_pool_t *pool, ua_ctx_t *ctx, int *row, int *away)
{
    apr_int64_t newest = 0;
    apr_status_t rv = ua_schema_migrate(ctx, app->conf->database[0], &newest);
    const char *err = NULL;

    *row = UA_D_database;
    if (rv == APR_EINVAL) {
        return apr_psprintf(pool,
                            "UserAuthDatabase: the database was made by a newer version of "
                            "this module (step %d): install that version",
                            (int)newest);
    }
    *away = rv != APR_SUCCESS; /* also when it only takes no writes, or somebody else writes */
    if (rv != APR_SUCCESS) {
        return unready(app->conf, ctx);
    }
    *away = ua_schema_check(ctx) != APR_SUCCESS;
    if (*away) {
        return apr_psprintf(pool,
                            "UserAuthDatabase: the tables can't be read: %s; if one is "
                            "missing, put the database back from your backup",
                            ctx->failed);
    }
    *row = UA_D_key_file;
    if (!app->keys) { /* another site may have made them since the check */
        err = read_keys(app, pool, row);
    }
    if (!err && !app->keys) {
        err = create_keys(app, pool, ctx);
    }
    ctx->keys = app->keys;
    return err ? err : check_fingerprint(app, ctx);
}

const char *ua_app_prepare(ua_app_t *app, apr_pool_t *pool, int *row, int *away)
{
    ua_ctx_t *ctx = NULL;
    const char *err = "The system's random generator does not work";

    *row = -1;
    *away = 0;
    if (ua_app_context(&ctx, app, pool, apr_time_now()) == APR_SUCCESS) {
        err = prepare(app, pool, ctx, row, away);
        ua_db_rollback(ctx);
        ua_db_release(ctx);
    }
    return err;
}
