/* events.c: the event log, a file or a program on a pipe: one JSON line each. A reader that died or a full
 * disk holds nobody up: a line that can't be written at once is lost there, and stays in the database.
 * The error log hears of the first one, and when it works again of how many were lost. */
#include "edge.h"

#include <apr_atomic.h>
#include <http_log.h>
#include <limits.h>

APLOG_USE_MODULE(userauth);

/* Of all children together. */
struct ua_losses_t {
    apr_uint32_t lost; /* lines since the last one that was written */
    apr_uint32_t torn; /* the last one was written in part: a line end is missing */
};

/* A pipe's writer never waits: up to PIPE_BUF bytes are written as a whole or not at all. */
static const char *open_pipe(apr_file_t **out, apr_pool_t *pool, const char *program)
{
    apr_cmdtype_e kind = *program == '$' ? APR_SHELLCMD_ENV : APR_PROGRAM_ENV;
    piped_log *pipe = ap_open_piped_log_ex(pool, program + strspn(program, "|$"), kind);

    if (!pipe || apr_file_pipe_timeout_set(ap_piped_log_write_fd(pipe), 0) != APR_SUCCESS) {
        return apr_psprintf(pool, "UserAuthEventLog: the program can't be started: %s",
                            program);
    }
    *out = ap_piped_log_write_fd(pipe);
    return NULL;
}

static const char *open_file(apr_file_t **out, apr_pool_t *pool, const char *path)
{
    return apr_file_open(out, ap_server_root_relative(pool, path),
                         APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_APPEND,
                         APR_UREAD | APR_UWRITE | APR_GREAD, pool) == APR_SUCCESS
               ? NULL
               : apr_psprintf(pool, "UserAuthEventLog: %s can't be opened for writing", path);
}

const char *ua_edge_events_open(ua_server_t *server, apr_pool_t *pool, process_rec *process)
{
    const char *target = server->conf->event_log;
    void *memory = NULL;
    int fresh = 0;

    if (!target) {
        return NULL;
    }
    if (ua_edge_shared(&memory, &fresh, process,
                       apr_pstrcat(process->pool, "losses:", server->conf->site, NULL),
                       sizeof *server->losses) != APR_SUCCESS) {
        return "the memory that children share can't be had";
    }
    server->losses = memory;
    return *target == '|' ? open_pipe(&server->events, pool, target + 1)
                          : open_file(&server->events, pool, target);
}

static apr_status_t write_line(ua_server_t *server, const char *line)
{
    char buffer[PIPE_BUF];
    int torn = apr_atomic_read32(&server->losses->torn) != 0;
    apr_size_t length =
        (apr_size_t)apr_snprintf(buffer, sizeof buffer, "%s%s\n", torn ? "\n" : "", line);
    apr_size_t written = length;
    apr_status_t rv = APR_SUCCESS;

    if (length + 1 >= sizeof buffer) {
        return APR_ENAMETOOLONG; /* half a line is worse than none */
    }
    rv = apr_file_write(server->events, buffer, &written);
    if (rv == APR_SUCCESS && written > 0) {
        apr_atomic_set32(&server->losses->torn, written < length);
    }
    return rv == APR_SUCCESS && written < length ? APR_ENOSPC : rv;
}

/* The first line that is lost is told, whichever child loses it. */
static void note_loss(const ua_server_t *server, apr_status_t rv)
{
    if (apr_atomic_inc32(&server->losses->lost) == 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, server->server,
                     "UA0004: UserAuthEventLog: lines are being lost; the events are in the "
                     "database");
    }
}

static void note_success(const ua_server_t *server)
{
    apr_uint32_t lost = 0;

    if (apr_atomic_read32(&server->losses->lost) > 0) {
        lost = apr_atomic_xchg32(&server->losses->lost, 0);
    }
    if (lost > 0) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, server->server,
                     "UA0005: UserAuthEventLog works again; %u lines were lost", lost);
    }
}

void ua_edge_event(void *baton, const char *line)
{
    ua_server_t *server = baton;
    apr_status_t rv = APR_SUCCESS;

    if (!server->events) {
        return;
    }
    rv = write_line(server, line);
    if (rv == APR_SUCCESS) {
        note_success(server);
    }
    else {
        note_loss(server, rv);
    }
}
