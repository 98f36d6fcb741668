/* erase.c: accounts that were closed and not restored in time, or never confirmed, go with all that names a
 * person. Events stay without address and browser, names that were in use as keyed digests, so that nobody
 * gets them. Called by the sweep (jobs.c); each account is a transaction of its own, and any number of
 * processes may do it at once. */
#include "app.h"
#include "domain/event.h"
#include "domain/outbox.h"

#define AT_ONCE 50

/* Two kinds of accounts whose time is over. */
typedef struct end_t {
    apr_status_t (*remove)(ua_ctx_t *ctx, const char *id);
    const char *event;
} end_t;

static const end_t closed = {ua_account_erase, "erased"};
static const end_t unverified = {ua_account_sweep, "registration_expired"};

/* APR_NOTFOUND when its owner restored or confirmed it meanwhile, or another process was first. */
static apr_status_t erase(ua_ctx_t *ctx, const char *id, const end_t *end)
{
    UA_CHECK(ua_db_begin(ctx, UA_SERIALIZABLE));
    UA_CHECK(end->remove(ctx, id));
    UA_CHECK(ua_token_erase(ctx, id));
    UA_CHECK(ua_outbox_drop_account(ctx, id));
    UA_CHECK(ua_outbox_forget(ctx, id));
    UA_CHECK(ua_event_forget(ctx, id));
    UA_CHECK(ua_event_add(ctx, end->event, id, ""));
    return ua_db_commit(ctx);
}

/* What happened is told after COMMIT; the next account's event gets an id of its own. */
static apr_status_t erase_one(const ua_app_t *app, ua_ctx_t *ctx, const char *id,
                              const end_t *end)
{
    apr_status_t rv = erase(ctx, id, end);

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

/* What another process had its hands on is left for the next call. After a failure there is no haste. */
static apr_status_t erase_all(int *more, const ua_app_t *app, ua_ctx_t *ctx,
                              const apr_array_header_t *rows, const end_t *end)
{
    int left = rows->nelts == AT_ONCE;

    for (int i = 0; i < rows->nelts; i++) {
        apr_status_t rv = erase_one(app, ctx, APR_ARRAY_IDX(rows, i, ua_row_t)[0], end);

        left |= rv == UA_CONFLICT;
        UA_CHECK(rv == UA_CONFLICT ? APR_SUCCESS : rv);
    }
    *more |= left;
    return APR_SUCCESS;
}

apr_status_t ua_erase_due(int *more, const ua_app_t *app, ua_ctx_t *ctx)
{
    const ua_conf_t *conf = ctx->conf;
    apr_array_header_t *rows = NULL;

    *more = 0;
    UA_CHECK(ua_account_closed_before(&rows, ctx, ctx->now - conf->restore_lifetime, AT_ONCE));
    UA_CHECK(erase_all(more, app, ctx, rows, &closed));
    UA_CHECK(ua_account_unverified_before(&rows, ctx, ctx->now - conf->unverified_lifetime,
                                          AT_ONCE));
    return erase_all(more, app, ctx, rows, &unverified);
}
