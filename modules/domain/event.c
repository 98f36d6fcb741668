/* event.c: see event.h. */
#include "event.h"
#include "base/json.h"
#include "base/text.h"
#include "base/unicode.h"

/* The longest part of a User-Agent that is kept, in bytes. */
#define AGENT_BYTES 255

static const char *line_of(ua_ctx_t *ctx, const char *kind, const char *account_id,
                           const char *detail)
{
    json_t *line = ua_json_object(ctx->pool);

    ua_json_set(line, "time", ua_time_rfc3339(ctx->pool, ctx->now));
    ua_json_set(line, "event", kind);
    ua_json_set(line, "site", ctx->conf->site);
    ua_json_set(line, "address", ctx->address);
    ua_json_set(line, "account", account_id);
    ua_json_set(line, "detail", detail);
    ua_json_set(line, "request", ctx->id);
    return ua_json_text(ctx->pool, line);
}

apr_status_t ua_event_add(ua_ctx_t *ctx, const char *kind, const char *account_id,
                          const char *detail)
{
    const char *id = ctx->id;

    if (ctx->lines->nelts > 0) {
        UA_CHECK(ua_draw_uuid(&id, ctx));
    }
    UA_CHECK(ua_db_exec(ctx, NULL, UA_Q(event_insert),
                        UA_ARGS(ua_s(id), ua_s(ctx->conf->site), ua_s(account_id), ua_s(kind),
                                ua_n(ctx->now), ua_s(ctx->address),
                                ua_s(ua_utf8_cut(ctx->pool, ctx->agent, AGENT_BYTES)),
                                ua_s(detail))));
    APR_ARRAY_PUSH(ctx->lines, const char *) = line_of(ctx, kind, account_id, detail);
    return APR_SUCCESS;
}

apr_status_t ua_event_happened(ua_ctx_t *ctx)
{
    ua_row_t row = NULL;

    return ua_db_one(&row, ctx, UA_Q(event_get), UA_ARGS(ua_s(ctx->id)));
}

apr_status_t ua_event_list(apr_array_header_t **out, ua_ctx_t *ctx, const char *account_id,
                           int most)
{
    apr_array_header_t *rows = NULL;
    apr_array_header_t *list = NULL;

    UA_CHECK(ua_db_all(&rows, ctx, UA_Q(event_list), UA_ARGS(ua_s(account_id), ua_n(most))));
    list = apr_array_make(ctx->pool, rows->nelts, sizeof(ua_event_t));
    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);
        ua_event_t event = {row[0], row[1], row[3], row[4], row[5], ua_row_number(row, 2)};

        APR_ARRAY_PUSH(list, ua_event_t) = event;
    }
    *out = list;
    return APR_SUCCESS;
}

apr_status_t ua_event_forget(ua_ctx_t *ctx, const char *account_id)
{
    return ua_db_exec(ctx, NULL, UA_Q(event_forget), UA_ARGS(ua_s(account_id)));
}

apr_status_t ua_event_detach(ua_ctx_t *ctx, const char *account_id, const char *kept,
                             const char *also_kept)
{
    return ua_db_exec(ctx, NULL, UA_Q(event_detach),
                      UA_ARGS(ua_s(account_id), ua_s(kept), ua_s(also_kept)));
}

apr_status_t ua_event_sweep(int *more, ua_ctx_t *ctx, apr_time_t then)
{
    return ua_sweep(more, ctx, UA_Q(event_old), UA_Q(event_sweep), UA_ARGS(ua_n(then)));
}
