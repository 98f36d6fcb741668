/* edge.h: the contract of the httpd edge: the only code that knows Apache.
 *
 * It turns a request_rec into a ua_req_t and a ua_res_t into an answer, claims the two prefixes,
 * gates locations, and starts each site's application. It decides nothing about accounts.
 */
#ifndef UA_EDGE_H
#define UA_EDGE_H

#include "app/app.h"

#include <httpd.h>
#include <http_config.h>

extern module AP_MODULE_DECLARE_DATA userauth_module;

#define UA_HANDLER   "userauth"
#define UA_AUTH_TYPE "UserAuth"

/* What httpd keeps for a server: the directives as written, and at start the site made of them. */
typedef struct ua_server_t {
    ua_conf_t *conf;
    int inherits;  /* the base URL is the main server's, not this virtual host's own */
    ua_app_t *app; /* NULL where the module has nothing to do */
    server_rec *server;
    apr_file_t *events;         /* the event log, or NULL */
    struct ua_losses_t *losses; /* shared: its lines that could not be written */
} ua_server_t;

/* conf.c */
void *ua_edge_create_server(apr_pool_t *pool, server_rec *s);
void *ua_edge_merge_server(apr_pool_t *pool, void *under, void *over);
extern const command_rec ua_edge_commands[];
ua_server_t *ua_edge_server(const server_rec *s);
/* "virtual host www.example.com (file:12)", for messages. */
const char *ua_edge_vhost(apr_pool_t *pool, const server_rec *s);
/* The site that answers this request, or NULL. */
const ua_app_t *ua_edge_app(const request_rec *r);

/* sites.c: which servers are sites: those with a base URL after this. */
void ua_edge_sites(server_rec *main_server, apr_pool_t *pool);
/* NULL, or why a server can be neither a site nor none. `alone`: there is no virtual host. */
const char *ua_edge_site_refusal(const server_rec *s, int alone);

/* start.c: hooks check_config, post_config, child_init. */
int ua_edge_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                         server_rec *main_server);
int ua_edge_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                        server_rec *main_server);
void ua_edge_child_init(apr_pool_t *pchild, server_rec *main_server);

/* files.c: owners and modes of what the module keeps on disk. NULL, or what is wrong. */
const char *ua_edge_files_check(const ua_conf_t *conf, apr_pool_t *pool, int *row);
const char *ua_edge_files_create(const ua_conf_t *conf, apr_pool_t *pool, int *row);

/* events.c: opens the event log, in the parent. NULL, or what is wrong. */
const char *ua_edge_events_open(ua_server_t *server, apr_pool_t *pool, process_rec *process);
/* Writes one line; `baton` is the ua_server_t. Never waits. */
void ua_edge_event(void *baton, const char *line);

/* shared.c: memory of all children, the same before and after a restart. */
apr_status_t ua_edge_shared(void **out, int *fresh, process_rec *process, const char *name,
                            apr_size_t size);
apr_status_t ua_edge_writer(ua_lock_t **out, process_rec *process, const char *database);
apr_status_t ua_edge_slots(struct ua_slots_t **out, process_rec *process, int slots, int queue);

/* watch.c: in each child, once its sites run: the threads of the jobs, which end before the rest of the
 * child does. */
apr_status_t ua_edge_watch(apr_pool_t *pchild, server_rec *main_server);

/* claim.c: 1 when the path is one of ours. */
int ua_edge_owns(const request_rec *r);

/* cookies.c: hook fixups. */
int ua_edge_strip_cookies(request_rec *r);
/* request.c: hook fixups, before mod_dir's: what is asked for from now on, until set_handler ends it, is the file that
 * answers for a folder; mod_dir hands a redirect of that on. Others that look ahead do so earlier or later. */
int ua_edge_await_index(request_rec *r);
void ua_edge_end_index(request_rec *r);
int ua_edge_is_index(request_rec *part);
/* request.c: the header as the client sent it, and path and query, for the rest of the request. */
void ua_edge_keep_cookie(request_rec *r, const char *header);
void ua_edge_keep_uri(request_rec *r);
/* 1 when it came with a session's cookie, good or not. */
int ua_edge_has_cookie(const request_rec *r, const ua_app_t *app);

/* authn.c: what REMOTE_USER holds of a person. */
char *ua_edge_user(request_rec *r, const ua_conf_t *conf, const ua_session_t *session);

/* basic.c: the provider of mod_auth_basic; and the hook for AuthType Basic. */
void ua_edge_basic_register(apr_pool_t *pool);
int ua_edge_check_basic(request_rec *r);

/* request.c: keeps what the provider refuses, and the reply when httpd has no status for it; NULL when it did not. */
void ua_edge_refused(request_rec *r, const char *credentials, const ua_res_t *res);
const char *ua_edge_denied(request_rec *r);
const ua_res_t *ua_edge_refusal(request_rec *r);

/* require.c: the providers of Require lines; and the hook that asks them. */
void ua_edge_require_register(apr_pool_t *pool);
int ua_edge_check_authz(request_rec *r);

/* request.c: notes that a Require line wants the password within `age`; 0 when none did. */
void ua_edge_stale(request_rec *r, apr_interval_time_t age);
apr_interval_time_t ua_edge_stale_age(request_rec *r);

/* request.c: a request in neutral form, made once per request_rec. */
ua_req_t *ua_edge_request(request_rec *r, const ua_app_t *app);
/* The same with no header but the credentials, for ua_gate_admit(). */
ua_req_t *ua_edge_credentials(request_rec *r, const ua_app_t *app);
/* A copy of it, to be refused while the whole is still being made. */
ua_req_t *ua_edge_request_ahead(request_rec *whole, const ua_app_t *app);
/* A copy of it, without a session, for the name and password that came with it. */
ua_req_t *ua_edge_basic_request(request_rec *r, const ua_app_t *app);
/* Reads the body of a submit into it, bounded; the first time only. */
void ua_edge_body(request_rec *r, ua_req_t *req);
/* The request whose session let this one in: itself, or the one it is a part or a redirect of; NULL without. */
const ua_req_t *ua_edge_gated(const request_rec *r);
void ua_edge_let_in(request_rec *r, const ua_req_t *by);
/* The request that the client sent, of which this one is a part or a redirect. */
request_rec *ua_edge_origin(request_rec *r);
/* mask.c: hook post_read_request: masks tokens in what gets logged, keeps the query for ourselves. */
int ua_edge_mask(request_rec *r);
/* Hook log_transaction: the same for a request that httpd refused before that hook. */
int ua_edge_mask_log(request_rec *r);

/* reply.c: sends a finished reply. */
int ua_edge_reply(request_rec *r, const ua_res_t *res);
/* The status and the headers of one, for mod_dir to hand on to the whole request. */
int ua_edge_reply_ahead(request_rec *part, const ua_res_t *res);
/* pace.c: writes the body so that it arrives within about a second; the connection is to be closed then. */
void ua_edge_write_slowly(request_rec *r, const char *text, apr_size_t length);

/* claim.c: hooks translate_name, map_to_storage, access_checker_ex, fixups, handler. */
int ua_edge_translate(request_rec *r);
int ua_edge_map_to_storage(request_rec *r);
int ua_edge_open_public(request_rec *r);
int ua_edge_set_handler(request_rec *r);
int ua_edge_handle(request_rec *r);

/* authn.c: hook check_authn. */
int ua_edge_check_authn(request_rec *r);

/* caches.c: no cache keeps what this cookie let in. Hook insert_filter: nor a page that may include such a part. */
void ua_edge_keep_from_caches(request_rec *r, const ua_req_t *by);
void ua_edge_judge_page(request_rec *r);

/* identity.c: a filter for trailers; hooks post_read_request and fixups. */
void ua_edge_identity_register(void);
int ua_edge_scrub(request_rec *r);
int ua_edge_identify(request_rec *r);

#endif
