/* jobs_mail.c: sends the mails that are due.
 *
 * Any child may take any mail: rows are claimed with a lease of 3 s, renewed before and while one is sent, so that a
 * killed child's mail is sent by another. Several are claimed in one transaction while sending is fast; each is marked
 * at once when it has left. No connection is held during SMTP. */
#include "jobs.h"
#include "base/email.h"
#include "base/mail.h"
#include "base/mail_folder.h"
#include "base/text.h"
#include "domain/event.h"
#include "domain/outbox.h"

#include <apr_atomic.h>
#include <apr_file_info.h>
#include <string.h>

#define MOST_AT_ONCE  16
#define FAST          apr_time_from_msec(100) /* for all that were claimed at once */
#define LONGEST_DELAY apr_time_from_sec(300)
#define RENEWAL                                                                                \
    apr_time_from_msec(400) /* libcurl asks once a second at worst; a lease is 3 s */

/* One mail on its way: what the renewal of its lease needs. */
typedef struct sending_t {
    ua_jobs_t *jobs;
    const ua_outbox_t *row;
    apr_pool_t *pool;
    apr_time_t renewed;
    apr_time_t started; /* ctx->now of the claim, and the real time then */
    apr_time_t clock;
    int lost; /* the mail is another child's now */
} sending_t;

/* FNV-1a: only to tell one cause from another; never 0. */
static apr_uint32_t cause_hash(const char *why)
{
    apr_uint32_t hash = 2166136261U;

    for (; *why; why++) {
        hash = (hash ^ (unsigned char)*why) * 16777619U;
    }
    return hash ? hash : 1;
}

/* Says why mail does not leave, once per cause; and once that it does again. */
static void report(const ua_jobs_t *jobs, apr_pool_t *pool, const char *why)
{
    const ua_host_t *host = &jobs->app->host;
    apr_uint32_t now = why ? cause_hash(why) : 0;
    apr_uint32_t before = apr_atomic_xchg32(jobs->app->mail_cause, now);

    if (before == now) {
        return;
    }
    if (why) {
        host->log(host->baton, UA_LOG_WARNING,
                  apr_pstrcat(pool, "UA0201: mail can't be sent and will be tried again: ", why,
                              NULL));
    }
    else {
        host->log(host->baton, UA_LOG_NOTICE, "UA0202: mail is sent again");
    }
}

static int is_stopping(ua_jobs_t *jobs)
{
    return apr_atomic_read32(&jobs->stopping) != 0;
}

/* Prolongs the lease while libcurl works. Nonzero when it was lost. */
static int keep_alive(void *baton)
{
    sending_t *sending = baton;
    apr_time_t clock = apr_time_now();
    ua_ctx_t *ctx = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (clock - sending->renewed < RENEWAL || is_stopping(sending->jobs)) {
        return is_stopping(sending->jobs);
    }
    sending->renewed = clock;
    rv = ua_app_context(&ctx, sending->jobs->app, sending->pool,
                        sending->started + (clock - sending->clock));
    if (rv == APR_SUCCESS) {
        rv = ua_outbox_renew(ctx, sending->row);
        ua_db_release(ctx);
    }
    sending->lost = rv == APR_NOTFOUND;
    return sending->lost;
}

/* Without a mail it only asks whether one would leave. */
static apr_status_t send_smtp(sending_t *sending, const ua_mail_t *mail, const char **why)
{
    const ua_conf_t *conf = sending->jobs->app->conf;
    ua_smtp_conf_t server = {.url = conf->mail_target,
                             .tls = (ua_smtp_tls_e)conf->mail_tls_mode,
                             .user = conf->mail_user,
                             .password = conf->mail_password,
                             .ca_file = conf->mail_ca_file,
                             .helo = conf->base.host};
    ua_smtp_job_t job = {.alive = keep_alive, .baton = sending};

    if (mail) {
        job.from = mail->from_address;
        job.to = mail->to;
        UA_CHECK(ua_mail_build(&job.message, &job.length, sending->pool, mail));
    }
    return ua_smtp_send(sending->jobs->smtp, sending->pool, &server, &job, why);
}

static apr_status_t send_mail(sending_t *sending, ua_ctx_t *ctx, const char **why)
{
    const ua_app_t *app = sending->jobs->app;
    ua_mail_t mail;
    apr_status_t rv = ua_mailer_write(&mail, app, ctx, sending->row);
    char words[120];

    if (rv != APR_SUCCESS) { /* a template's fault is no reason to give the mail up */
        *why = ctx->failed;
        return APR_EGENERAL;
    }
    if (app->conf->mail_kind == UA_MAIL_SMTP) {
        return send_smtp(sending, &mail, why);
    }
    rv = ua_mail_to_folder(ctx->pool, app->conf->mail_target, &mail);
    *why = apr_pstrcat(ctx->pool, app->conf->mail_target, ": ",
                       apr_strerror(rv, words, sizeof words), NULL);
    return rv;
}

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
    UA_CHECK(ua_db_begin(ctx));
    UA_CHECK(ua_outbox_drop(ctx, row));
    UA_CHECK(ua_event_add(ctx, "mail_dropped", row->account_id, ua_mail_kinds[row->kind].name));
    return ua_db_commit(ctx);
}

/* Marks the row: done, again later, or given up when a later try would come after its links' end. */
static apr_status_t settle(ua_ctx_t *ctx, const ua_outbox_t *row, apr_status_t outcome)
{
    apr_time_t due = ctx->now + delay_of(ctx, row->attempts);

    if (outcome == APR_SUCCESS) {
        return ua_outbox_sent(ctx, row);
    }
    if (outcome == APR_EINVAL || due >= row->expires) {
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

/* A mail too late to be sent was no try; a refused recipient says nothing of the others. */
static void report_outcome(const ua_jobs_t *jobs, apr_pool_t *pool, const ua_outbox_t *row,
                           apr_status_t outcome, const char *why)
{
    const ua_host_t *host = &jobs->app->host;
    int refused = outcome == APR_EACCES || outcome == APR_EBUSY;

    if (refused && row->attempts == 0) {
        host->log(
            host->baton, UA_LOG_NOTICE,
            apr_pstrcat(pool, "UA0205: the mail server refuses a recipient: ", why, NULL));
    }
    else if (outcome == APR_SUCCESS || (why && !refused)) {
        report(jobs, pool, outcome == APR_SUCCESS ? NULL : why);
    }
}

/* A mail to nobody fares as others do, so that nothing tells that its address is unknown. */
static apr_status_t send_nothing(sending_t *sending, const char **why)
{
    const ua_conf_t *conf = sending->jobs->app->conf;
    apr_finfo_t folder;

    return conf->mail_kind == UA_MAIL_SMTP
               ? send_smtp(sending, NULL, why)
               : apr_stat(&folder, conf->mail_target, APR_FINFO_TYPE, sending->pool);
}

static apr_status_t send_row(sending_t *sending, ua_ctx_t *ctx, const char **why)
{
    if (sending->row->expires <= ctx->now) {
        return APR_EINVAL;
    }
    return sending->row->kind == UA_MAIL_NOBODY ? send_nothing(sending, why)
                                                : send_mail(sending, ctx, why);
}

/* A row that waited behind others may be another child's by now. */
static apr_status_t keep_claim(sending_t *sending, ua_ctx_t *ctx, apr_time_t claimed)
{
    apr_status_t rv = APR_SUCCESS;

    if (sending->clock - claimed >= RENEWAL) {
        rv = ua_outbox_renew(ctx, sending->row);
        ua_db_release(ctx);
    }
    return rv;
}

/* Who has the address by now: it becomes a mail to nobody when that is no open account. */
static apr_status_t find_reader(ua_outbox_t *row, ua_ctx_t *ctx)
{
    ua_account_t *owner = NULL;
    ua_email_t email;
    apr_status_t rv = APR_SUCCESS;

    if (row->kind != UA_MAIL_TAKEN) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_email_parse(&email, ctx->pool, row->email));
    rv = ua_account_by_email(&owner, ctx, email.key);
    ua_db_release(ctx);
    if (rv == APR_NOTFOUND || (rv == APR_SUCCESS && owner->closed > 0)) {
        row->kind = UA_MAIL_NOBODY;
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    row->email = owner->email;
    row->username = owner->username;
    return APR_SUCCESS;
}

static apr_status_t send_one(ua_jobs_t *jobs, ua_ctx_t *ctx, ua_outbox_t *row,
                             apr_time_t claimed)
{
    apr_time_t clock = apr_time_now();
    const char *why = NULL;
    apr_status_t outcome = APR_SUCCESS;
    sending_t sending = {jobs, row, ctx->pool, clock, ctx->now, clock, 0};
    apr_status_t rv = keep_claim(&sending, ctx, claimed);

    rv = rv == APR_SUCCESS ? find_reader(row, ctx) : rv;
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    outcome = send_row(&sending, ctx, &why);
    if (outcome != APR_SUCCESS && (sending.lost || is_stopping(jobs))) {
        return APR_SUCCESS;
    }
    report_outcome(jobs, ctx->pool, row, outcome, why);
    ctx->now = sending.started + (apr_time_now() - clock);
    return finish(jobs->app, ctx, settle(ctx, row, outcome));
}

/* Those that are due, ours for the time of a lease: ua_outbox_t *. */
static apr_status_t claim(apr_array_header_t **out, ua_jobs_t *jobs, ua_ctx_t *ctx)
{
    apr_array_header_t *due = NULL;
    apr_array_header_t *rows = apr_array_make(ctx->pool, jobs->batch, sizeof(ua_outbox_t *));

    UA_CHECK(ua_outbox_due(&due, ctx, jobs->batch));
    if (due->nelts == 0) { /* most turns: nobody waits for the writer's lock */
        *out = rows;
        return APR_SUCCESS;
    }
    UA_CHECK(ua_db_begin(ctx));
    UA_CHECK(ua_outbox_due(&due, ctx, jobs->batch));
    for (int i = 0; i < due->nelts; i++) {
        ua_outbox_t *row = NULL;
        apr_status_t rv = ua_outbox_claim(&row, ctx, APR_ARRAY_IDX(due, i, ua_row_t)[0]);

        if (rv == APR_SUCCESS) {
            APR_ARRAY_PUSH(rows, ua_outbox_t *) = row;
        }
        UA_CHECK(rv == APR_NOTFOUND ? APR_SUCCESS : rv);
    }
    UA_CHECK(ua_db_commit(ctx));
    *out = rows;
    return APR_SUCCESS;
}

/* What a stopped child has not begun, others may take at once. */
static apr_status_t let_go(ua_ctx_t *ctx, const apr_array_header_t *rows, int first)
{
    apr_status_t rv = APR_SUCCESS;

    for (int i = first; i < rows->nelts && (rv == APR_SUCCESS || rv == APR_NOTFOUND); i++) {
        rv = ua_outbox_release(ctx, APR_ARRAY_IDX(rows, i, ua_outbox_t *));
    }
    ua_db_release(ctx);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

static apr_status_t send_some(ua_jobs_t *jobs, ua_ctx_t *ctx, int *sent)
{
    apr_array_header_t *rows = NULL;
    apr_status_t rv = claim(&rows, jobs, ctx);
    apr_time_t claimed = apr_time_now();
    int i = 0;

    ua_db_rollback(ctx);
    ua_db_release(ctx);
    UA_CHECK(rv);
    for (; i < rows->nelts && !is_stopping(jobs); i++) {
        UA_CHECK(send_one(jobs, ctx, APR_ARRAY_IDX(rows, i, ua_outbox_t *), claimed));
    }
    jobs->batch = apr_time_now() - claimed >= FAST ? 1
                  : jobs->batch < MOST_AT_ONCE     ? jobs->batch * 2
                                                   : MOST_AT_ONCE;
    *sent = rows->nelts;
    return let_go(ctx, rows, i);
}

static apr_status_t send_due(ua_jobs_t *jobs, ua_ctx_t *ctx, int *sent)
{
    int some = 1;

    while (some > 0 && *sent < MOST_AT_ONCE && !is_stopping(jobs)) {
        some = 0;
        UA_CHECK(send_some(jobs, ctx, &some));
        *sent += some;
    }
    return APR_SUCCESS;
}

int ua_jobs_mail(ua_jobs_t *jobs, apr_time_t now)
{
    apr_pool_t *pool = NULL;
    ua_ctx_t *ctx = NULL;
    int sent = 0;
    apr_status_t rv = apr_pool_create_unmanaged(&pool);

    if (rv == APR_SUCCESS) {
        rv = ua_app_context(&ctx, jobs->app, pool, now);
    }
    if (rv == APR_SUCCESS) {
        rv = send_due(jobs, ctx, &sent);
        if (rv != APR_SUCCESS) {
            ua_app_log(jobs->app, ctx, UA_LOG_ERR, "UA0203: the outbox can't be read", rv);
        }
        ua_db_release(ctx);
    }
    if (pool) {
        apr_pool_destroy(pool);
    }
    return sent > 0;
}
