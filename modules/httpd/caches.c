/* caches.c: what a cookie let in is kept by no shared cache. A cache does not see that a cookie opened the gate, as it does
 * with Authorization (RFC 9111, 3.5), and so would give a member's page to strangers. */
#include "edge.h"

#include <apr_strings.h>
#include <string.h>
#include <util_filter.h>

/* Among the headers that no handler replaces; beside an application's own, the stricter one counts. */
static void make_private(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "Cache-Control", "private");
}

/* A part of a page makes the whole private: mod_autoindex lists what its reader may see. */
void ua_edge_keep_from_caches(request_rec *r, const ua_req_t *by)
{
    if (!by->session_cookie || ua_edge_owns(r)) {
        return;
    }
    make_private(r);
    if (r->main) {
        make_private(ua_edge_origin(r));
    }
}

/* mod_include has sent the headers before its first part is asked for. */
static int may_include(const request_rec *r)
{
    for (const ap_filter_t *f = r->output_filters; f; f = f->next) {
        if (strstr(f->frec->name, "includes")) {
            return 1;
        }
    }
    return 0;
}

void ua_edge_judge_page(request_rec *r)
{
    const ua_app_t *app = r->main ? NULL : ua_edge_app(r);

    if (app && !ua_edge_gated(r) && ua_edge_has_cookie(r, app) && may_include(r)) {
        make_private(r);
    }
}
