/* mod_userauth.c: the module record and the hooks, each with what it is for and when httpd runs it.
 * Everything else is below modules/: see the map in README.md. */
#include "httpd/edge.h"

#include <http_protocol.h>
#include <http_request.h>

static void register_hooks(apr_pool_t *pool)
{
    /* Those that map paths; ours go first. */
    static const char *const mappers[] = {"mod_rewrite.c",     "mod_proxy.c",   "mod_alias.c",
                                          "mod_vhost_alias.c", "mod_userdir.c", NULL};
    static const char *const environment[] = {"mod_remoteip.c", "mod_setenvif.c", NULL};

    /* Start: the configuration is checked in every mode, sites start in the real one. */
    ap_hook_check_config(ua_edge_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(ua_edge_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(ua_edge_child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);

    /* Every request: nobody claims an identity by a header, no token reaches a log. */
    ap_hook_post_read_request(ua_edge_scrub, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_read_request(ua_edge_mask, environment, NULL, APR_HOOK_MIDDLE);

    ap_hook_log_transaction(ua_edge_mask_log, NULL, NULL, APR_HOOK_REALLY_FIRST);

    /* Our prefixes are ours, and the public one is open. */
    ap_hook_translate_name(ua_edge_translate, NULL, mappers, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(ua_edge_map_to_storage, NULL, mappers, APR_HOOK_REALLY_FIRST);
    ap_hook_check_access_ex(ua_edge_open_public, NULL, NULL, APR_HOOK_REALLY_FIRST,
                            AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_fixups(ua_edge_await_index, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_fixups(ua_edge_set_handler, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_handler(ua_edge_handle, NULL, NULL, APR_HOOK_FIRST);

    /* The gate, and what applications behind it are told. */
    ap_hook_check_authn(ua_edge_check_authn, NULL, NULL, APR_HOOK_REALLY_FIRST,
                        AP_AUTH_INTERNAL_PER_CONF);
    ua_edge_basic_register(pool);
    ap_hook_check_authz(ua_edge_check_authz, NULL, NULL, APR_HOOK_REALLY_FIRST,
                        AP_AUTH_INTERNAL_PER_CONF);
    ua_edge_require_register(pool);
    ua_edge_identity_register();
    ap_hook_fixups(ua_edge_identify, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_insert_filter(ua_edge_judge_page, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_fixups(ua_edge_strip_cookies, NULL, NULL, APR_HOOK_REALLY_LAST);
}

/* -fvisibility=hidden hides everything but this. */
#pragma GCC visibility push(default)
AP_DECLARE_MODULE(userauth) = {STANDARD20_MODULE_STUFF,
                               NULL,
                               NULL,
                               ua_edge_create_server,
                               ua_edge_merge_server,
                               ua_edge_commands,
                               register_hooks,
                               AP_MODULE_FLAG_NONE};
#pragma GCC visibility pop
