/* jobs.h: shared by jobs*.c only: what runs beside the requests of a site, in one child. */
#ifndef UA_JOBS_H
#define UA_JOBS_H

#include "app.h"
#include "base/curl_smtp.h"
#include "domain/outbox.h"

/* Each turn has a pool with an allocator of its own: those of the process belong to other threads. */
struct ua_jobs_t {
    const ua_app_t *app;
    ua_smtp_t *smtp;
    volatile apr_uint32_t stopping;
    int batch;        /* mails claimed at once */
    int again;        /* next time, those that were tried before are claimed first */
    apr_time_t now;   /* when the turn of mails began … */
    apr_time_t clock; /* … and what apr_time_now() said then */
    apr_time_t
        rest; /* after a failure of the mail server, or over the budget, no mail is begun before this */
    apr_time_t unread; /* when it was last said that the outbox can't be read; 0: it can */
    apr_time_t swept;
    int more; /* old rows than a turn had time for */
    int told; /* that some can't be removed: in this turn */
    apr_time_t touched;
};

/* The time now, by the clock of the turn of mails. */
apr_time_t ua_jobs_time(const ua_jobs_t *jobs);

int ua_jobs_stopping(ua_jobs_t *jobs);

/* A context for one turn; logs when there can be none. */
apr_status_t ua_jobs_context(ua_ctx_t **out, const ua_jobs_t *jobs, apr_pool_t *pool,
                             apr_time_t now) UA_MUST_USE;

/* A lease needs renewal after so long: libcurl asks once a second at worst, and a lease is 3 s. */
#define UA_RENEWAL apr_time_from_msec(400)

/* What became of one mail. */
typedef enum {
    UA_FATE_LATER, /* only this one, or its recipient */
    UA_FATE_SENT,
    UA_FATE_NEVER,  /* its links have ended, or it has an address that no server takes */
    UA_FATE_SERVER, /* the next one would fare as badly */
    UA_FATE_LOST    /* another child's by now, or this one ends: nothing is to be marked */
} ua_fate_e;

/* jobs_cause.c: a mail fails by the server's fault; `late` if one to nobody would not have met it. */
void ua_jobs_failed(const ua_jobs_t *jobs, apr_pool_t *pool, const char *why, int late);

/* … The server took a mail of this kind. 0: one to nobody, while mails fail where only others come to. */
int ua_jobs_taken(const ua_jobs_t *jobs, ua_mail_kind_e kind) UA_MUST_USE;

/* … The server refused one mail or its recipient: none of the others' business, until so many have been refused at
 * their first try and none was taken. */
#define UA_MANY_REFUSED 10
void ua_jobs_refused(const ua_jobs_t *jobs, apr_pool_t *pool, const ua_outbox_t *row,
                     const char *why);

/* jobs_budget.c: how many new mails the site may send by now; when none, *wait says for how long. */
apr_status_t ua_jobs_room(apr_int64_t *room, apr_interval_time_t *wait,
                          ua_ctx_t *ctx) UA_MUST_USE;

/* … So many of that room are claimed: within the same transaction. */
apr_status_t ua_jobs_spend(const ua_jobs_t *jobs, ua_ctx_t *ctx, apr_int64_t mails,
                           apr_int64_t room) UA_MUST_USE;

/* jobs_send.c: sends a claimed mail, and logs why it does not leave. An error is the database's; nothing was
 * sent then. */
apr_status_t ua_jobs_send(ua_fate_e *fate, ua_jobs_t *jobs, ua_ctx_t *ctx,
                          ua_outbox_t *row) UA_MUST_USE;

#endif
