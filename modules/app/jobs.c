/* jobs.c: what runs beside requests, in every child: sending the mails that are due, and sweeping.
 *
 * Any child may take any mail: a row is claimed with a lease of 3 s, renewed while it is being sent,
 * so that a killed child's mail is sent by another. No connection is held during SMTP. */
#include "app.h"
#include "base/curl_smtp.h"
#include "base/email.h"
#include "base/mail.h"
#include "base/mail_folder.h"
#include "base/text.h"
#include "domain/device.h"
#include "domain/event.h"
#include "domain/held_email.h"
#include "domain/old_password.h"
#include "domain/outbox.h"
#include "domain/throttle.h"

#include <apr_atomic.h>
#include <apr_file_info.h>
#include <string.h>

#define MAILS_AT_ONCE  16
#define SWEEP_INTERVAL apr_time_from_sec(60)
#define TOUCH_INTERVAL apr_time_from_sec(5)
#define LONGEST_DELAY  apr_time_from_sec(300)
#define RENEWAL                                                                                \
    apr_time_from_msec(400) /* libcurl asks once a second at worst; a lease is 3 s */

/* Each turn has a pool with an allocator of its own: those of the process belong to other threads. */
struct ua_jobs_t {
    const ua_app_t *app;
    ua_smtp_t *smtp;
    volatile apr_uint32_t stopping;
    apr_time_t swept;
    apr_time_t touched;
};

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

apr_status_t ua_jobs_create(ua_jobs_t **out, apr_pool_t *pool, const ua_app_t *app)
{
    ua_jobs_t *jobs = apr_pcalloc(pool, sizeof *jobs);

    jobs->app = app;
    UA_CHECK(ua_smtp_create(&jobs->smtp, pool));
    *out = jobs;
    return APR_SUCCESS;
}

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

void ua_jobs_stop(ua_jobs_t *jobs)
{
    apr_atomic_set32(&jobs->stopping, 1);
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
    if (rv == APR_NOTFOUND || (rv == APR_SUCCESS && owner->closed > 0)) {
        row->kind = UA_MAIL_NOBODY;
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    row->email = owner->email;
    row->username = owner->username;
    return APR_SUCCESS;
}

static apr_status_t claim(ua_outbox_t **out, ua_ctx_t *ctx, const char *id)
{
    ua_outbox_t *row = NULL;
    apr_status_t rv = ua_outbox_claim(&row, ctx, id);

    if (rv == APR_SUCCESS) {
        rv = find_reader(row, ctx);
    }
    ua_db_release(ctx);
    *out = row;
    return rv;
}

static apr_status_t send_one(ua_jobs_t *jobs, ua_ctx_t *ctx, const char *id)
{
    apr_time_t clock = apr_time_now();
    ua_outbox_t *row = NULL;
    const char *why = NULL;
    apr_status_t outcome = APR_SUCCESS;
    apr_status_t rv = claim(&row, ctx, id);
    sending_t sending = {jobs, row, ctx->pool, clock, ctx->now, clock, 0};

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

static apr_status_t send_due(ua_jobs_t *jobs, ua_ctx_t *ctx, int *sent)
{
    apr_array_header_t *rows = NULL;
    apr_status_t rv = ua_outbox_due(&rows, ctx, MAILS_AT_ONCE);

    ua_db_release(ctx);
    UA_CHECK(rv);
    for (int i = 0; i < rows->nelts && !is_stopping(jobs); i++) {
        UA_CHECK(send_one(jobs, ctx, APR_ARRAY_IDX(rows, i, ua_row_t)[0]));
    }
    *sent = rows->nelts;
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

static apr_status_t sweep(ua_ctx_t *ctx)
{
    const ua_conf_t *conf = ctx->conf;
    apr_time_t kept = ctx->now - conf->retention;

    UA_CHECK(ua_token_sweep(ctx, kept));
    UA_CHECK(ua_session_sweep(ctx, kept));
    UA_CHECK(ua_event_sweep(ctx, kept));
    UA_CHECK(ua_outbox_sweep(ctx, ctx->now - conf->unverified_lifetime));
    UA_CHECK(ua_device_sweep(ctx, ctx->now));
    UA_CHECK(ua_held_email_sweep(ctx));
    UA_CHECK(ua_old_password_sweep(ctx, /* restoring counts the days before the closing */
                                   ctx->now - conf->undo_lifetime - conf->restore_lifetime));
    return ua_throttle_sweep(ctx, ctx->now - apr_time_from_sec(24 * 3600));
}

static void run_sweep(ua_jobs_t *jobs, ua_ctx_t *ctx)
{
    apr_status_t rv = APR_SUCCESS;

    ua_touch_flush(jobs->app->touches, ctx);
    if (ctx->now - jobs->swept >= SWEEP_INTERVAL) {
        jobs->swept = ctx->now;
        rv = sweep(ctx);
        rv = rv == APR_SUCCESS ? ua_erase_due(jobs->app, ctx) : rv;
    }
    if (rv != APR_SUCCESS) {
        ua_app_log(jobs->app, ctx, UA_LOG_ERR, "UA0204: old rows can't be removed", rv);
    }
    ua_db_release(ctx);
}

/* A short idle time needs uses written sooner. */
static apr_interval_time_t touch_interval(const ua_conf_t *conf)
{
    return conf->session_idle / 8 < TOUCH_INTERVAL ? conf->session_idle / 8 : TOUCH_INTERVAL;
}

void ua_jobs_sweep(ua_jobs_t *jobs, apr_time_t now)
{
    apr_pool_t *pool = NULL;
    ua_ctx_t *ctx = NULL;

    if (now - jobs->touched < touch_interval(jobs->app->conf) ||
        apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        return;
    }
    jobs->touched = now;
    if (ua_app_context(&ctx, jobs->app, pool, now) == APR_SUCCESS) {
        run_sweep(jobs, ctx);
    }
    apr_pool_destroy(pool);
}
