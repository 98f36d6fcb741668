/* jobs.h: shared by jobs*.c only: what runs beside the requests of a site, in one child. */
#ifndef UA_JOBS_H
#define UA_JOBS_H

#include "app.h"
#include "base/curl_smtp.h"

/* Each turn has a pool with an allocator of its own: those of the process belong to other threads. */
struct ua_jobs_t {
    const ua_app_t *app;
    ua_smtp_t *smtp;
    volatile apr_uint32_t stopping;
    int batch; /* mails claimed at once */
    apr_time_t swept;
    apr_time_t touched;
};

#endif
