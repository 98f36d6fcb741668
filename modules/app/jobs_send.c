/* jobs_send.c: sends one mail of the outbox.
 *
 * A mail to nobody (what an unknown address leaves) does to the server what a mail does short of a recipient, so
 * that neither its row nor /auth/health tells it from others. It can't know of what comes later: while mails
 * fail there it is put off, too, and does not call the trouble over. */
#include "base/email.h"
#include "base/mail.h"
#include "base/mail_folder.h"
#include "jobs.h"

#include <apr_atomic.h>

/* One mail on its way: what the renewal of its lease needs. */
typedef struct sending_t {
    ua_jobs_t *jobs;
    const ua_outbox_t *row;
    apr_pool_t *pool;
    apr_time_t renewed;
    int lost; /* the mail is another child's now */
    const char *why;
} sending_t;

apr_time_t ua_jobs_time(const ua_jobs_t *jobs)
{
    return jobs->now + (apr_time_now() - jobs->clock);
}

int ua_jobs_stopping(ua_jobs_t *jobs)
{
    return apr_atomic_read32(&jobs->stopping) != 0;
}

/* Prolongs the lease while libcurl works. Nonzero when it was lost. */
static int keep_alive(void *baton)
{
    sending_t *sending = baton;
    apr_time_t now = ua_jobs_time(sending->jobs);
    ua_ctx_t *ctx = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (now - sending->renewed < UA_RENEWAL || ua_jobs_stopping(sending->jobs)) {
        return ua_jobs_stopping(sending->jobs);
    }
    sending->renewed = now;
    rv = ua_app_context(&ctx, sending->jobs->app, sending->pool, now);
    if (rv == APR_SUCCESS) {
        rv = ua_outbox_renew(ctx, sending->row);
        ua_db_release(ctx);
    }
    sending->lost = rv == APR_NOTFOUND;
    return sending->lost;
}

/* Without a mail it goes to nobody. */
static apr_status_t send_smtp(sending_t *sending, const ua_mail_t *mail)
{
    const ua_conf_t *conf = sending->jobs->app->conf;
    ua_smtp_conf_t server = {.url = conf->mail_target,
                             .tls = (ua_smtp_tls_e)conf->mail_tls_mode,
                             .user = conf->mail_user,
                             .password = conf->mail_password,
                             .ca_file = conf->mail_ca_file,
                             .helo = conf->base.host};
    ua_smtp_job_t job = {.from = conf->mail_bounces ? conf->from_address : "",
                         .alive = keep_alive,
                         .baton = sending};

    if (mail) {
        job.to = mail->to;
        UA_CHECK(ua_mail_build(&job.message, &job.length, sending->pool, mail));
    }
    return ua_smtp_send(sending->jobs->smtp, sending->pool, &server, &job, &sending->why);
}

/* The same for a folder; all that can go wrong there meets both. */
static apr_status_t send_folder(sending_t *sending, const ua_mail_t *mail)
{
    const char *folder = sending->jobs->app->conf->mail_target;
    apr_status_t rv = mail ? ua_mail_to_folder(sending->pool, folder, mail)
                           : ua_mail_folder_try(sending->pool, folder, sending->row->id);
    char words[120];

    if (rv == APR_SUCCESS || rv == APR_EINVAL) {
        return rv;
    }
    sending->why =
        apr_pstrcat(sending->pool, folder, ": ", apr_strerror(rv, words, sizeof words), NULL);
    return APR_EGENERAL;
}

static apr_status_t hand_over(sending_t *sending, const ua_mail_t *mail)
{
    return sending->jobs->app->conf->mail_kind == UA_MAIL_SMTP ? send_smtp(sending, mail)
                                                               : send_folder(sending, mail);
}

/* A refused recipient says nothing of the others. */
static ua_fate_e refused(const sending_t *sending)
{
    const ua_host_t *host = &sending->jobs->app->host;

    if (sending->row->attempts == 0) {
        host->log(host->baton, UA_LOG_NOTICE,
                  apr_pstrcat(sending->pool, "UA0205: the mail server refuses a recipient: ",
                              sending->why, NULL));
    }
    ua_jobs_refused(sending->jobs, sending->pool, sending->row, sending->why);
    return UA_FATE_LATER;
}

static ua_fate_e fate_of(const sending_t *sending, apr_status_t outcome)
{
    if (outcome == APR_SUCCESS) {
        return ua_jobs_taken(sending->jobs, sending->row->kind) ? UA_FATE_SENT : UA_FATE_SERVER;
    }
    if (sending->lost || ua_jobs_stopping(sending->jobs)) {
        return UA_FATE_LOST;
    }
    if (outcome == APR_EACCES || outcome == APR_EBUSY) {
        return refused(sending);
    }
    if (outcome == APR_EINVAL) { /* nor does an address that can't be written */
        return UA_FATE_NEVER;
    }
    ua_jobs_failed(sending->jobs, sending->pool, sending->why, outcome == APR_INCOMPLETE);
    return UA_FATE_SERVER;
}

static ua_fate_e send_mail(sending_t *sending, ua_ctx_t *ctx)
{
    ua_mail_t mail;

    if (ua_mailer_write(&mail, sending->jobs->app, ctx, sending->row) == APR_SUCCESS) {
        return fate_of(sending, hand_over(sending, &mail));
    }
    /* A template's fault is no reason to give the mail up. */
    sending->why = ctx->failed ? ctx->failed : sending->why;
    ua_jobs_failed(sending->jobs, sending->pool, sending->why, 1);
    return UA_FATE_LATER;
}

/* Who has the address by now: it becomes a mail to nobody when that is no open account. */
static apr_status_t find_reader(ua_outbox_t *row, ua_ctx_t *ctx)
{
    ua_account_t *owner = NULL;
    ua_email_t email;
    apr_status_t rv = APR_NOTFOUND;

    if (row->kind != UA_MAIL_TAKEN) {
        return APR_SUCCESS;
    }
    if (ua_email_parse(&email, ctx->pool, row->email) == APR_SUCCESS) {
        rv = ua_account_by_email(&owner, ctx, email.key);
        ua_db_release(ctx);
    }
    if (rv == APR_NOTFOUND || (rv == APR_SUCCESS && owner->closed > 0)) {
        row->kind = UA_MAIL_NOBODY;
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    row->email = owner->email;
    row->username = owner->username;
    return APR_SUCCESS;
}

apr_status_t ua_jobs_send(ua_fate_e *fate, ua_jobs_t *jobs, ua_ctx_t *ctx, ua_outbox_t *row)
{
    sending_t sending = {jobs, row, ctx->pool, ctx->now, 0, "no details"};

    if (row->expires <= ctx->now) { /* too late: that was no try */
        *fate = UA_FATE_NEVER;
        return APR_SUCCESS;
    }
    UA_CHECK(find_reader(row, ctx));
    *fate = row->kind == UA_MAIL_NOBODY ? fate_of(&sending, hand_over(&sending, NULL))
                                        : send_mail(&sending, ctx);
    return APR_SUCCESS;
}
