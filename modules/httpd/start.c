/* start.c: from directives to running sites. The check has no side effect and runs for a
 * configuration test too; the parent then makes what is missing; each child connects. */
#include "edge.h"
#include "base/curl_smtp.h"
#include "base/generation.h"
#include "base/lock.h"
#include "base/processor.h"
#include "base/pwhash.h"

#include <http_core.h>
#include <http_log.h>
#include <mpm_common.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

APLOG_USE_MODULE(userauth);

static void log_line(void *baton, ua_level_e level, const char *line)
{
    const ua_server_t *server = baton;

    ap_log_error(APLOG_MARK, (int)level, 0, server->server, "%s", line);
}

/* "virtual host www.example.com (file:12), file:20: UserAuthX is …" */
static int refuse(const server_rec *s, apr_pool_t *pool, const ua_conf_t *conf, int row,
                  const char *why)
{
    const char *host = s->is_virtual ? ua_edge_vhost(pool, s) : "main server";
    const char *where =
        row >= 0 && conf->where[row] ? apr_pstrcat(pool, ", ", conf->where[row], NULL) : "";

    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, NULL, "UA0001: %s%s: %s", host,
                 where, why);
    if (s->error_log) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "UA0001: %s%s: %s", host, where, why);
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

static int check_one(ua_server_t *server, server_rec *s, apr_pool_t *pool, int alone)
{
    ua_host_t host = {server, log_line, ua_edge_event};
    const char *err = ua_edge_site_refusal(s, alone);
    int row = -1;

    if (err || !server->conf->base_url) {
        return err ? refuse(s, pool, server->conf, row, err) : OK;
    }
    err = ua_app_create(&server->app, pool, server->conf, &host, &row);
    err = err ? err : ua_edge_files_check(server->conf, pool, &row);
    /* Known before a restart, which would be the server's end. */
    if (!err && ua_db_load(s->process->pool, server->conf->database[0], &err) != APR_SUCCESS) {
        row = UA_D_database;
    }
    return err ? refuse(s, pool, server->conf, row, err) : OK;
}

/* A SQLite file's path in its one spelling; other parameters as they are. */
static const char *database_of(const ua_conf_t *conf, apr_pool_t *pool)
{
    const char *path = conf->database[1];
    const char *name = strrchr(path, '/');
    char folder[PATH_MAX];

    return strcmp(conf->database[0], "sqlite3") == 0 && name &&
                   realpath(apr_pstrmemdup(pool, path, (apr_size_t)(name + 1 - path)), folder)
               ? apr_pstrcat(pool, folder, name, NULL)
               : path;
}

/* What sites have to agree about: the bound on hashes is one for the whole server, and a database has
 * one key file. */
static int check_agreement(const ua_server_t *first, const ua_server_t *server,
                           const server_rec *s, apr_pool_t *pool)
{
    const ua_conf_t *a = first->conf;
    const ua_conf_t *b = server->conf;

    if (a->hash_concurrency != b->hash_concurrency || a->hash_queue != b->hash_queue) {
        return refuse(s, pool, b, UA_D_hash_concurrency,
                      "UserAuthHashConcurrency and UserAuthHashQueue hold for the whole "
                      "server: give every virtual host the same");
    }
    if (a->session_cache_ttl != b->session_cache_ttl) {
        return refuse(s, pool, b, UA_D_session_cache_ttl,
                      "UserAuthSessionCacheTTL holds for the whole server: give every virtual "
                      "host the same");
    }
    if (strcmp(a->database[0], b->database[0]) == 0 &&
        strcmp(database_of(a, pool), database_of(b, pool)) == 0 &&
        strcmp(a->key_file, b->key_file) != 0) {
        return refuse(s, pool, b, UA_D_key_file,
                      "UserAuthKeyFile: another virtual host uses the same database with "
                      "another key file: give both the same");
    }
    return OK;
}

/* This site against those before it. */
static int check_neighbours(server_rec *main_server, const ua_server_t *server,
                            const server_rec *s, apr_pool_t *pool)
{
    int rv = OK;

    for (server_rec *other = main_server; other != s && rv == OK; other = other->next) {
        if (server->app && ua_edge_server(other)->app) {
            rv = check_agreement(ua_edge_server(other), server, s, pool);
        }
    }
    return rv;
}

int ua_edge_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                         server_rec *main_server)
{
    (void)plog;
    (void)ptemp;
    if (ua_crypto_init() != APR_SUCCESS || ua_pwhash_init() != APR_SUCCESS ||
        ua_smtp_global_init() != APR_SUCCESS) {
        return refuse(main_server, pconf, ua_edge_server(main_server)->conf, -1,
                      "OpenSSL, libsodium or libcurl can't be used");
    }
    ua_edge_sites(main_server, pconf);
    for (server_rec *s = main_server; s; s = s->next) {
        ua_server_t *server = ua_edge_server(s);
        int rv = check_one(server, s, pconf, main_server->next == NULL);

        rv = rv == OK ? check_neighbours(main_server, server, s, pconf) : rv;
        if (rv != OK) {
            return rv;
        }
    }
    return OK;
}

static apr_status_t connect_site(ua_app_t *app, process_rec *process)
{
    const ua_conf_t *conf = app->conf;
    ua_dbs_conf_t dbs = {conf->database[0], conf->database_params,
                         (int)conf->database_connections, UA_QUERIES, NULL};

    if (strcmp(dbs.driver, "sqlite3") == 0) {
        UA_CHECK(ua_edge_writer(
            &dbs.writer, process,
            apr_pstrcat(process->pool, "sqlite3 ", database_of(conf, process->pool), NULL)));
    }
    return ua_dbs_create(&app->dbs, &dbs);
}

/* What children need from before the fork: shared memory, the event log. */
static const char *share(ua_server_t *server, apr_pool_t *pool, process_rec *process, int *row)
{
    const ua_conf_t *conf = server->conf;
    int slots =
        conf->hash_concurrency > 0 ? (int)conf->hash_concurrency : MIN(ua_processors(), 256);
    void *memory = NULL;
    int fresh = 0;

    *row = -1;
    if (ua_edge_slots(&server->app->slots, process, slots, (int)conf->hash_queue) !=
            APR_SUCCESS ||
        ua_edge_shared(&memory, &fresh, process,
                       apr_pstrcat(process->pool, "cause:", conf->site, NULL),
                       sizeof *server->app->mail_cause) != APR_SUCCESS) {
        return "the memory that children share can't be had";
    }
    server->app->mail_cause = memory;
    if (ua_edge_shared(&memory, &fresh, process, "generations", ua_generations_size()) !=
        APR_SUCCESS) {
        return "the memory that children share can't be had";
    }
    server->app->generations = memory;
    *row = UA_D_event_log;
    return ua_edge_events_open(server, pool, process);
}

/* What a start has shown of a site: its keys belong to its database, which has the steps that this module knows. */
static const char *proof_of(const ua_app_t *app, apr_pool_t *pool)
{
    const char *driver = app->conf->database[0];

    return apr_psprintf(pool, "%s %" APR_INT64_T_FMT, app->keys ? app->keys->fingerprint : "",
                        ua_schema_newest(pool, driver));
}

/* Makes the database ready. One that is away does not end a server that only restarts: each request asks it again, and
 * logs are rotated at any hour. */
static const char *prepare(ua_server_t *server, apr_pool_t *pool, process_rec *process,
                           int *row)
{
    ua_app_t *app = server->app;
    const char *key = apr_pstrcat(process->pool, "userauth:prepared:", app->conf->database[0],
                                  " ", app->conf->database[1], NULL);
    void *before = NULL;
    int away = 0;
    const char *err = ua_app_prepare(app, pool, row, &away);

    ua_dbs_destroy(app->dbs);
    app->dbs = NULL;
    (void)apr_pool_userdata_get(&before, key, process->pool);
    if (err && away && before && strcmp(before, proof_of(app, pool)) == 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, server->server,
                     "UA0006: started all the same: %s", err);
        return NULL;
    }
    if (!err && apr_pool_userdata_setn(proof_of(app, process->pool), key, NULL,
                                       process->pool) != APR_SUCCESS) {
        return "memory can't be had";
    }
    return err;
}

static int start_one(ua_server_t *server, server_rec *s, apr_pool_t *pool)
{
    ua_app_t *app = server->app;
    const char *err = NULL;
    int row = -1;

    if (!app) {
        return OK;
    }
    err = ua_edge_files_create(server->conf, pool, &row);
    err = err ? err : share(server, pool, s->process, &row);
    if (!err && connect_site(app, s->process) != APR_SUCCESS) {
        err = "UserAuthDatabase: no list of connections can be made";
    }
    err = err ? err : prepare(server, pool, s->process, &row);
    return err ? refuse(s, pool, server->conf, row, err) : OK;
}

int ua_edge_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                        server_rec *main_server)
{
    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG ||
        ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
        return OK;
    }
    for (server_rec *s = main_server; s; s = s->next) {
        int rv = start_one(ua_edge_server(s), s, pconf);

        if (rv != OK) {
            return rv;
        }
    }
    return OK;
}

static void start_child(ua_server_t *server, apr_pool_t *pchild)
{
    apr_status_t rv = connect_site(server->app, server->server->process);

    if (rv == APR_SUCCESS) {
        rv = ua_app_enter(server->app, pchild);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, server->server,
                     "UA0002: this child can't start its part of the site");
        server->app = NULL;
    }
}

void ua_edge_child_init(apr_pool_t *pchild, server_rec *main_server)
{
    for (server_rec *s = main_server; s; s = s->next) {
        if (ua_edge_server(s)->app) {
            start_child(ua_edge_server(s), pchild);
        }
    }
    if (ua_edge_watch(pchild, main_server) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, main_server,
                     "UA0003: this child can't send mails");
    }
}
