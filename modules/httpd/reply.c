/* reply.c: sends a finished ua_res_t. Error pages are ours: no ErrorDocument replaces them. */
#include "edge.h"

#include <http_protocol.h>

static int copy(void *baton, const char *name, const char *value)
{
    request_rec *r = baton;

    apr_table_addn(r->headers_out, name, value);
    return 1;
}

int ua_edge_reply(request_rec *r, const ua_res_t *res)
{
    r->status = res->status;
    r->status_line = NULL;
    apr_table_do(copy, r, res->headers, NULL);
    if (res->location) {
        apr_table_setn(r->headers_out, "Location", res->location);
    }
    if (res->type) {
        ap_set_content_type(r, res->type);
    }
    if (res->status != HTTP_NO_CONTENT) {
        ap_set_content_length(r, (apr_off_t)res->raw_length);
    }
    if (!r->header_only && res->raw_length > 0 && res->problem == UA_PROBLEM_BUSY) {
        ua_edge_write_slowly(r, res->raw, res->raw_length);
    }
    else if (!r->header_only && res->raw_length > 0) {
        (void)ap_rwrite(res->raw, (int)res->raw_length, r);
    }
    return OK;
}

static int copy_ahead(void *baton, const char *name, const char *value)
{
    request_rec *part = baton;

    apr_table_setn(part->err_headers_out, name, value);
    return 1;
}

int ua_edge_reply_ahead(request_rec *part, const ua_res_t *res)
{
    apr_table_do(copy_ahead, part, res->headers, NULL);
    if (res->location) {
        apr_table_setn(part->headers_out, "Location", res->location);
    }
    return res->status;
}
