/* sites.c: which servers of the configuration are sites of ours. Each has a base URL of its own, so
 * that no virtual host mails links of another. One exception makes the usual Debian layout work: the
 * main server's settings serve the only virtual host, when every request ends up in that one. */
#include "edge.h"

#include <ap_listen.h>

#define MISSING                                                                                \
    "UserAuthBaseURL is missing: add a line such as \"UserAuthBaseURL "                        \
    "https://www.example.com\""
#define FOREIGN                                                                                \
    "UserAuthBaseURL is set for the main server, and this virtual host has none of its own: "  \
    "add one to it, or move the UserAuth directives into the virtual host they are meant for"

/* 1 when a virtual host takes all requests of a port. */
static int takes_port(const server_rec *vhost, apr_port_t port)
{
    for (const server_addr_rec *a = vhost->addrs; a; a = a->next) {
        int any = apr_sockaddr_is_wildcard(a->host_addr);

        if (any && (a->host_port == 0 || a->host_port == port)) {
            return 1;
        }
    }
    return 0;
}

/* 1 when no request reaches the main server itself. */
static int takes_all(const server_rec *vhost)
{
    for (const ap_listen_rec *l = ap_listeners; l; l = l->next) {
        if (!takes_port(vhost, l->bind_addr->port)) {
            return 0;
        }
    }
    return ap_listeners != NULL;
}

/* The only virtual host steps into the main server's place. */
static void hand_over(server_rec *main_server)
{
    server_rec *vhost = main_server->next;
    ua_server_t *from = ua_edge_server(main_server);
    ua_server_t *to = vhost ? ua_edge_server(vhost) : NULL;

    if (vhost && !vhost->next && to->inherits && takes_all(vhost)) {
        to->conf->base_url = from->conf->base_url;
        to->inherits = 0;
        from->conf->base_url = NULL;
        from->conf->own = 0;
    }
}

const char *ua_edge_site_refusal(const server_rec *s, int alone)
{
    const ua_server_t *server = ua_edge_server(s);

    if (server->inherits) {
        return FOREIGN;
    }
    return !server->conf->base_url && server->conf->own > 0 && (s->is_virtual || alone)
               ? MISSING
               : NULL;
}

/* httpd lets a virtual host without directives of its own share the main server's settings. */
static void part(server_rec *vhost, ua_server_t *main_server, apr_pool_t *pool)
{
    if (ua_edge_server(vhost) == main_server) {
        ap_set_module_config(
            vhost->module_config, &userauth_module,
            ua_edge_merge_server(pool, main_server, ua_edge_create_server(pool, vhost)));
    }
}

void ua_edge_sites(server_rec *main_server, apr_pool_t *pool)
{
    for (server_rec *s = main_server->next; s; s = s->next) {
        part(s, ua_edge_server(main_server), pool);
    }
    hand_over(main_server);
    for (server_rec *s = main_server; s; s = s->next) {
        ua_edge_server(s)->server = s;
    }
}
