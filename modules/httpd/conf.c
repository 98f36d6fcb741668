/* conf.c: httpd's side of the directives: one command for each row of directives.def, and the
 * settings of each server. Used by httpd while it reads its configuration. */
#include "edge.h"

#include <string.h>

const char *ua_edge_vhost(apr_pool_t *pool, const server_rec *s)
{
    return apr_psprintf(pool, "virtual host %s (%s:%u)",
                        s->server_hostname ? s->server_hostname : "without ServerName",
                        s->defn_name ? s->defn_name : "?", s->defn_line_number);
}

/* As httpd's own directives read it: the parent leaves the folder that it was started in. */
static const char *path_of(const cmd_parms *cmd, int index, const char *word)
{
    static const int files[] = {UA_D_database_password_file,
                                UA_D_mail_password_file,
                                UA_D_mail_ca_file,
                                UA_D_logo,
                                UA_D_templates,
                                UA_D_password_blocklist};

    const char *path = NULL;

    for (apr_size_t i = 0; i < sizeof files / sizeof *files && *word; i++) {
        path = files[i] == index ? ap_server_root_relative(cmd->pool, word) : path;
    }
    return path ? path : word;
}

static const char *set(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    ua_server_t *server = ua_edge_server(cmd->server);
    const char *where =
        apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
    const char *words[16];
    int index = 0;
    const char *err = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);

    (void)dir;
    while (ap_cstr_casecmp(ua_directives[index].name, cmd->cmd->name) != 0) {
        index++;
    }
    for (int i = 0; i < argc && i < 16; i++) {
        words[i] = path_of(cmd, index, argv[i]);
    }
    err = err ? err : ua_conf_set(server->conf, cmd->pool, index, argc, words, where);
    return err && cmd->server->is_virtual
               ? apr_pstrcat(cmd->pool, err, " (", ua_edge_vhost(cmd->pool, cmd->server), ")",
                             NULL)
               : err;
}

#define ROW(name, help) AP_INIT_TAKE_ARGV(name, set, NULL, RSRC_CONF, help),

const command_rec ua_edge_commands[] = {
#define UA_TEXT(m, n, d, h)         ROW(n, h)
#define UA_LINE(m, n, d, h)         ROW(n, h)
#define UA_PAIR(m, n, d, h)         ROW(n, h)
#define UA_NUMBER(m, n, d, l, g, h) ROW(n, h)
#define UA_TIME(m, n, d, l, g, h)   ROW(n, h)
#define UA_CHOICE(m, n, d, c, h)    ROW(n, h)
#define UA_LIST(m, n, d, h)         ROW(n, h)
#include "base/directives.def"

    {.name = NULL}};

void *ua_edge_create_server(apr_pool_t *pool, server_rec *s)
{
    ua_server_t *server = apr_pcalloc(pool, sizeof *server);

    server->conf = ua_conf_create(pool);
    server->server = s;
    return server;
}

/* A password of the main server's is none of a virtual host's own SQLite file. */
static void drop_password(ua_conf_t *merged, const ua_conf_t *own)
{
    if (own->where[UA_D_database] && strcmp(own->database[0], "sqlite3") == 0 &&
        !own->where[UA_D_database_password_file]) {
        merged->database_password_file = NULL;
    }
}

/* A user of the main server's mail server is none of another one's. */
static void drop_mail_user(ua_conf_t *merged, const ua_conf_t *main_server,
                           const ua_conf_t *own)
{
    if (own->mail[0] && main_server->mail[0] &&
        strcmp(own->mail[0], main_server->mail[0]) != 0 && !own->mail_user &&
        !own->mail_password_file) {
        merged->mail_user = merged->mail_password_file = NULL;
    }
}

/* Everything is inherited but the base URL: each virtual host has its own, so that one never mails
 * links of another. */
void *ua_edge_merge_server(apr_pool_t *pool, void *under, void *over)
{
    const ua_server_t *main_server = under;
    const ua_server_t *vhost = over;
    ua_server_t *merged = apr_pcalloc(pool, sizeof *merged);

    merged->server = vhost->server;
    merged->conf = ua_conf_merge(pool, main_server->conf, vhost->conf);
    drop_password(merged->conf, vhost->conf);
    drop_mail_user(merged->conf, main_server->conf, vhost->conf);
    merged->inherits = !vhost->conf->base_url && main_server->conf->base_url;
    merged->conf->base_url = vhost->conf->base_url;
    return merged;
}

ua_server_t *ua_edge_server(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &userauth_module);
}

const ua_app_t *ua_edge_app(const request_rec *r)
{
    return ua_edge_server(r->server)->app;
}
