/* erase.c: accounts that were closed and not restored in time go, with all that names a person. Events stay
 * without address and browser, usernames as keyed digests, so that nobody gets them. Called by the sweep
 * (jobs.c); each account is a transaction of its own, and any number of processes may do it at once. */
#include "app.h"
#include "domain/event.h"
#include "domain/outbox.h"

#define AT_ONCE 50

/* APR_NOTFOUND when its owner restored it meanwhile, or another process was first. */
static apr_status_t erase(ua_ctx_t *ctx, const char *id)
{
    UA_CHECK(ua_db_begin(ctx));
    UA_CHECK(ua_account_erase(ctx, id));
    UA_CHECK(ua_token_erase(ctx, id));
    UA_CHECK(ua_outbox_drop_account(ctx, id));
    UA_CHECK(ua_outbox_forget(ctx, id));
    UA_CHECK(ua_event_forget(ctx, id));
    UA_CHECK(ua_event_add(ctx, "erased", id, ""));
    return ua_db_commit(ctx);
}

/* What happened is told after COMMIT; the next account's event gets an id of its own. */
static apr_status_t erase_one(const ua_app_t *app, ua_ctx_t *ctx, const char *id)
{
    apr_status_t rv = erase(ctx, id);

    if (rv != APR_SUCCESS) {
        ua_db_rollback(ctx);
    }
    for (int i = 0; rv == APR_SUCCESS && i < ctx->lines->nelts; i++) {
        app->host.event(app->host.baton, APR_ARRAY_IDX(ctx->lines, i, const char *));
    }
    apr_array_clear(ctx->lines);
    UA_CHECK(rv == APR_NOTFOUND ? APR_SUCCESS : rv);
    return ua_draw_uuid(&ctx->id, ctx);
}

apr_status_t ua_erase_closed(const ua_app_t *app, ua_ctx_t *ctx)
{
    apr_time_t then = ctx->now - ctx->conf->restore_lifetime;
    apr_array_header_t *rows = NULL;

    UA_CHECK(ua_account_closed_before(&rows, ctx, then, AT_ONCE));
    for (int i = 0; i < rows->nelts; i++) {
        UA_CHECK(erase_one(app, ctx, APR_ARRAY_IDX(rows, i, ua_row_t)[0]));
    }
    return APR_SUCCESS;
}
