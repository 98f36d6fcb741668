/* jobs_cause.c: what the children of a site know together of why mail does not leave: one shared word, *mail_cause.
 *
 * It is 0, or a cause (a hash of its words, so that each is logged once), or a count of mails refused in a row, which is
 * no cause yet. Whoever registers can name a recipient that no server takes; but a server that takes nobody's has to be
 * seen. What is counted must not tell whose an address is (ENUM-06): who brings the count to its brink with
 * registrations could read from /auth/health what became of one more mail. So no mail counts that a stranger can ask
 * for at an address, but for that of a registration where registration itself says which addresses are taken. */
#include "jobs.h"

#include <apr_atomic.h>

#define LATE    1U /* a bit of a cause that only a mail to somebody can meet */
#define REFUSED 2U /* a bit of the cause that many mails were refused */

/* FNV-1a: only to tell one cause from another; never 0, and some bits are free. */
static apr_uint32_t cause_hash(const char *why)
{
    apr_uint32_t hash = 2166136261U;

    for (; *why; why++) {
        hash = (hash ^ (unsigned char)*why) * 16777619U;
    }
    return (hash & ~(LATE | REFUSED | UA_CAUSE_COUNT)) | 4;
}

enum { NEVER, UNLESS_HIDDEN, ALWAYS };

/* The others can be had by anybody who names an address, or go to nobody. */
static const unsigned char counted[UA_MAILS] = {
    [UA_MAIL_VERIFY] = UNLESS_HIDDEN,    [UA_MAIL_TAKEN] = UNLESS_HIDDEN,
    [UA_MAIL_EMAIL] = UNLESS_HIDDEN,     [UA_MAIL_WELCOME] = ALWAYS,
    [UA_MAIL_PASSWORD_CHANGED] = ALWAYS, [UA_MAIL_EMAIL_CHANGED] = ALWAYS,
    [UA_MAIL_EMAIL_SET] = ALWAYS,        [UA_MAIL_EMAIL_UNDONE] = ALWAYS,
    [UA_MAIL_NEW_DEVICE] = ALWAYS,       [UA_MAIL_DISOWNED] = ALWAYS,
    [UA_MAIL_CLOSED] = ALWAYS,           [UA_MAIL_RESTORED] = ALWAYS,
};

static int counts(const ua_jobs_t *jobs, ua_mail_kind_e kind)
{
    return counted[kind] > (jobs->app->conf->hide_accounts ? UNLESS_HIDDEN : NEVER);
}

static void say_failed(const ua_jobs_t *jobs, apr_pool_t *pool, const char *why)
{
    const ua_host_t *host = &jobs->app->host;

    host->log(
        host->baton, UA_LOG_WARNING,
        apr_pstrcat(pool, "UA0201: mail can't be sent and will be tried again: ", why, NULL));
}

/* Replaces a word that was read before. Nonzero if no other child was first: then its word stands. */
static int replace(const ua_jobs_t *jobs, apr_uint32_t next, apr_uint32_t before)
{
    return apr_atomic_cas32(jobs->app->mail_cause, next, before) == before;
}

static void end_cause(const ua_jobs_t *jobs, apr_uint32_t before)
{
    const ua_host_t *host = &jobs->app->host;

    if (replace(jobs, 0, before)) {
        host->log(host->baton, UA_LOG_NOTICE, "UA0202: mail is sent again");
    }
}

void ua_jobs_failed(const ua_jobs_t *jobs, apr_pool_t *pool, const char *why, int late)
{
    apr_uint32_t cause = cause_hash(why) | (late ? LATE : 0);

    if (apr_atomic_xchg32(jobs->app->mail_cause, cause) != cause) {
        say_failed(jobs, pool, why);
    }
}

int ua_jobs_taken(const ua_jobs_t *jobs, ua_mail_kind_e kind)
{
    apr_uint32_t before = apr_atomic_read32(jobs->app->mail_cause);

    if (before & UA_CAUSE_COUNT) {
        (void)(counts(jobs, kind) && replace(jobs, 0, before));
        return 1;
    }
    if (kind == UA_MAIL_NOBODY && (before & LATE)) {
        return 0;
    }
    if (before && (counts(jobs, kind) || !(before & REFUSED))) {
        end_cause(jobs, before);
    }
    return 1;
}

void ua_jobs_refused(const ua_jobs_t *jobs, apr_pool_t *pool, const ua_outbox_t *row,
                     const char *why)
{
    apr_uint32_t before = apr_atomic_read32(jobs->app->mail_cause);
    apr_uint32_t count = (before & ~UA_CAUSE_COUNT) + 1;

    if (before && !(before & UA_CAUSE_COUNT)) {
        /* As a mail to nobody shows it: until there the server is well. */
        if (!(before & (LATE | REFUSED))) {
            end_cause(jobs, before);
        }
        return;
    }
    if (row->attempts > 0 || !counts(jobs, row->kind)) {
        return;
    }
    if (count < UA_MANY_REFUSED) {
        (void)replace(jobs, UA_CAUSE_COUNT | count, before);
    }
    else if (replace(jobs, cause_hash(why) | REFUSED, before)) {
        say_failed(jobs, pool, why);
    }
}
