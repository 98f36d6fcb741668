/* jobs_mail.c: sends the mails that are due (jobs_send.c: one of them).
 *
 * Any child may take any mail: rows are claimed with a lease of 3 s, renewed before and while one is sent, so that a
 * killed child's mail is sent by another. Several are claimed in one transaction while sending is fast; each is marked
 * at once when it has left. No connection is held during SMTP. A failing server ends the site's turn: the mails of
 * other sites of the child wait for one at most. */
#include "domain/event.h"
#include "jobs.h"

#define MOST_AT_ONCE  16
#define FAST          apr_time_from_msec(100) /* for all that were claimed at once */
#define LONGEST_TURN  apr_time_from_sec(10)   /* or one mail longer */
#define LONGEST_DELAY apr_time_from_sec(300)
#define LONGEST_REST  apr_time_from_sec(10)
#define SAID_AGAIN    apr_time_from_sec(60)

/* 1 s, 2 s, 4 s … 5 minutes, each plus up to a quarter, so that many mails do not come at once. */
static apr_interval_time_t delay_of(ua_ctx_t *ctx, apr_int64_t attempts)
{
    apr_interval_time_t delay = APR_USEC_PER_SEC;
    unsigned char dice = 0;

    for (apr_int64_t i = 0; i < attempts && delay < LONGEST_DELAY; i++) {
        delay *= 2;
    }
    delay = delay < LONGEST_DELAY ? delay : LONGEST_DELAY;
    if (ua_draw(ctx, &dice, 1) != APR_SUCCESS) {
        dice = 128;
    }
    return delay + delay / 4 * dice / 255;
}

/* Gives a mail up, with an event that says so. */
static apr_status_t drop(ua_ctx_t *ctx, const ua_outbox_t *row)
{
    UA_CHECK(ua_db_begin(ctx, UA_READ_COMMITTED));
    UA_CHECK(ua_outbox_drop(ctx, row));
    UA_CHECK(ua_event_add(ctx, "mail_dropped", row->account_id, ua_mail_kinds[row->kind].name));
    return ua_db_commit(ctx);
}

/* Marks the row: done, again later, or given up when a later try would come after its links' end. */
static apr_status_t settle(ua_jobs_t *jobs, ua_ctx_t *ctx, const ua_outbox_t *row,
                           ua_fate_e fate)
{
    apr_time_t due = ctx->now + delay_of(ctx, row->attempts);

    if (fate == UA_FATE_SENT) {
        return ua_outbox_sent(ctx, row);
    }
    /* No mail of the site tries the server before this one would. */
    if (fate == UA_FATE_SERVER) {
        jobs->rest = due < ctx->now + LONGEST_REST ? due : ctx->now + LONGEST_REST;
    }
    if (fate == UA_FATE_NEVER || due >= row->expires) {
        return drop(ctx, row);
    }
    return ua_outbox_later(ctx, row, due);
}

/* Writes the event lines of one mail; the next one's events get ids of their own. */
static apr_status_t finish(const ua_app_t *app, ua_ctx_t *ctx, apr_status_t rv)
{
    ua_db_rollback(ctx);
    ua_db_release(ctx);
    for (int i = 0; rv == APR_SUCCESS && i < ctx->lines->nelts; i++) {
        app->host.event(app->host.baton, APR_ARRAY_IDX(ctx->lines, i, const char *));
    }
    apr_array_clear(ctx->lines);
    UA_CHECK(rv == APR_NOTFOUND ? APR_SUCCESS : rv);
    return ua_draw_uuid(&ctx->id, ctx);
}

/* A row that waited behind others may be another child's by now. */
static apr_status_t keep_claim(ua_ctx_t *ctx, const ua_outbox_t *row, apr_time_t claimed)
{
    apr_status_t rv = APR_SUCCESS;

    if (ctx->now - claimed >= UA_RENEWAL) {
        rv = ua_outbox_renew(ctx, row);
        ua_db_release(ctx);
    }
    return rv;
}

/* On an error *fate tells whether the mail has left. */
static apr_status_t send_one(ua_fate_e *fate, ua_jobs_t *jobs, ua_ctx_t *ctx, ua_outbox_t *row,
                             apr_time_t claimed)
{
    apr_status_t rv = APR_SUCCESS;

    *fate = UA_FATE_LATER;
    ctx->now = ua_jobs_time(jobs);
    rv = keep_claim(ctx, row, claimed);
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    UA_CHECK(ua_jobs_send(fate, jobs, ctx, row));
    ctx->now = ua_jobs_time(jobs);
    return *fate == UA_FATE_LOST ? APR_SUCCESS
                                 : finish(jobs->app, ctx, settle(jobs, ctx, row, *fate));
}

/* Claims what is due by now, within a transaction. */
static apr_status_t claim_due(apr_array_header_t *rows, ua_jobs_t *jobs, ua_ctx_t *ctx)
{
    apr_array_header_t *due = NULL;
    apr_interval_time_t wait = 0;
    apr_int64_t room = 0;
    apr_int64_t fresh = 0;

    UA_CHECK(ua_jobs_room(&room, &wait, ctx));
    UA_CHECK(room > 0 ? ua_outbox_due(&due, ctx, jobs->batch, jobs->again)
                      : ua_outbox_unpaid(&due, ctx, jobs->batch));
    for (int i = 0; i < due->nelts; i++) {
        ua_row_t found = APR_ARRAY_IDX(due, i, ua_row_t);
        int is_new = ua_outbox_is_new(ctx, found);
        ua_outbox_t *row = NULL;
        apr_status_t rv =
            is_new && fresh == room ? APR_NOTFOUND : ua_outbox_claim(&row, ctx, found[0]);

        if (rv == APR_SUCCESS) {
            APR_ARRAY_PUSH(rows, ua_outbox_t *) = row;
            fresh += is_new;
        }
        UA_CHECK(rv == APR_NOTFOUND ? APR_SUCCESS : rv);
    }
    UA_CHECK(ua_jobs_spend(jobs, ctx, fresh, room));
    if (room == 0 && rows->nelts == 0) {
        jobs->rest = ctx->now + (wait < LONGEST_REST ? wait : LONGEST_REST);
    }
    return ua_db_commit(ctx);
}

/* Those that are due, ours for the time of a lease from ctx->now on: ua_outbox_t *. */
static apr_status_t claim(apr_array_header_t *rows, ua_jobs_t *jobs, ua_ctx_t *ctx)
{
    apr_array_header_t *due = NULL;

    apr_array_clear(rows);
    ctx->now = ua_jobs_time(jobs);
    UA_CHECK(ua_outbox_due(&due, ctx, jobs->batch, jobs->again));
    if (due->nelts > 0) { /* else, as in most turns, nobody waits for the writer's lock */
        UA_CHECK(ua_db_begin(ctx, UA_READ_COMMITTED));
        ctx->now = ua_jobs_time(jobs); /* that wait may be longer than a lease */
        UA_CHECK(claim_due(rows, jobs, ctx));
        /* By turns also where one is claimed at once. */
        jobs->again = !jobs->again;
    }
    return APR_SUCCESS;
}

/* Others may take at once what was claimed and not begun. */
static apr_status_t let_go(ua_ctx_t *ctx, const apr_array_header_t *rows, int first)
{
    apr_status_t rv = APR_SUCCESS;

    for (int i = first; i < rows->nelts && (rv == APR_SUCCESS || rv == APR_NOTFOUND); i++) {
        rv = ua_outbox_release(ctx, APR_ARRAY_IDX(rows, i, ua_outbox_t *));
    }
    ua_db_release(ctx);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* A row that met an error of the database holds nobody up: it is marked as far as that can be done. */
static void put_off(ua_jobs_t *jobs, ua_ctx_t *ctx, const ua_outbox_t *row, ua_fate_e fate)
{
    const char *failed = ctx->failed;

    ua_db_rollback(ctx);
    ctx->now = ua_jobs_time(jobs);
    (void)finish(jobs->app, ctx, settle(jobs, ctx, row, fate));
    ctx->failed = failed;
}

/* Sends the claimed ones one by one; *first is the first that was not begun. */
static apr_status_t send_each(int *first, ua_fate_e *fate, ua_jobs_t *jobs, ua_ctx_t *ctx,
                              const apr_array_header_t *rows)
{
    apr_time_t claimed = ctx->now;
    apr_status_t rv = APR_SUCCESS;

    while (*first < rows->nelts && rv == APR_SUCCESS && *fate != UA_FATE_SERVER &&
           !ua_jobs_stopping(jobs)) {
        ua_outbox_t *row = APR_ARRAY_IDX(rows, *first, ua_outbox_t *);

        rv = send_one(fate, jobs, ctx, row, claimed);
        if (rv != APR_SUCCESS) {
            put_off(jobs, ctx, row, *fate);
        }
        ++*first;
    }
    jobs->batch = *fate == UA_FATE_SERVER || ua_jobs_time(jobs) - claimed >= FAST ? 1
                  : jobs->batch < MOST_AT_ONCE ? jobs->batch * 2
                                               : MOST_AT_ONCE;
    return rv;
}

/* A claim failed, perhaps because another node claimed or began to count at the same moment. */
static int is_anothers(const ua_ctx_t *ctx, apr_status_t rv)
{
    return rv == UA_CONFLICT ||
           (rv == APR_EGENERAL && strncmp(ctx->failed ? ctx->failed : "", "connect:", 8) != 0);
}

/* *some is 0 when the turn is over. */
static apr_status_t send_some(int *some, ua_jobs_t *jobs, ua_ctx_t *ctx, int *sent)
{
    apr_array_header_t *rows = apr_array_make(ctx->pool, jobs->batch, sizeof(ua_outbox_t *));
    ua_fate_e fate = UA_FATE_LATER;
    apr_status_t rv = claim(rows, jobs, ctx);
    apr_status_t released = APR_SUCCESS;
    int first = 0;

    rv = finish(jobs->app, ctx, rv);
    if (is_anothers(ctx, rv)) { /* once more */
        rv = finish(jobs->app, ctx, claim(rows, jobs, ctx));
    }
    if (rv == UA_CONFLICT) { /* and in the next turn */
        *some = 0;
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    rv = send_each(&first, &fate, jobs, ctx, rows);
    released = let_go(ctx, rows, first);
    *sent += rows->nelts;
    *some = fate == UA_FATE_SERVER ? 0 : rows->nelts;
    return rv == APR_SUCCESS ? released : rv;
}

static apr_status_t send_due(ua_jobs_t *jobs, ua_ctx_t *ctx, int *sent)
{
    int some = 1;

    while (some > 0 && *sent < MOST_AT_ONCE && !ua_jobs_stopping(jobs) &&
           ua_jobs_time(jobs) - jobs->now < LONGEST_TURN) {
        UA_CHECK(send_some(&some, jobs, ctx, sent));
    }
    return APR_SUCCESS;
}

/* A database that is away meets several turns a second of each child: it is said once a minute. */
static void tell(ua_jobs_t *jobs, const ua_ctx_t *ctx, apr_status_t rv)
{
    if (rv == APR_SUCCESS) {
        jobs->unread = 0;
    }
    else if (jobs->now < jobs->unread || jobs->now - jobs->unread >= SAID_AGAIN) {
        jobs->unread = jobs->now;
        ua_app_log(jobs->app, ctx, UA_LOG_ERR, "UA0203: the outbox can't be read", rv);
    }
}

/* One turn in a pool of its own. */
static void run(ua_jobs_t *jobs, apr_pool_t *pool, int *sent)
{
    ua_ctx_t *ctx = NULL;
    apr_status_t rv = ua_jobs_context(&ctx, jobs, pool, jobs->now);

    if (rv != APR_SUCCESS) {
        return;
    }
    tell(jobs, ctx, send_due(jobs, ctx, sent));
    ua_db_release(ctx);
}

int ua_jobs_mail(ua_jobs_t *jobs, apr_time_t now)
{
    apr_pool_t *pool = NULL;
    int sent = 0;
    /* A clock may be set back. */
    int rests = now < jobs->rest && jobs->rest - now <= LONGEST_REST;

    if (rests || apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        return 0;
    }
    jobs->now = now;
    jobs->clock = apr_time_now();
    run(jobs, pool, &sent);
    apr_pool_destroy(pool);
    return sent > 0;
}
