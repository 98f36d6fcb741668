/* touch.c: notes which sessions were in use, so that a request writes nothing for it.
 *
 * One list per process and site, bounded; a session is noted at most once a minute. What does not
 * fit is left out: its next request notes it again. */
#include "app.h"

#include <apr_thread_mutex.h>
#include <string.h>

#define NOTES    1024
#define INTERVAL apr_time_from_sec(60) /* sooner where sessions end sooner */

typedef struct note_t {
    char id[UA_UUID_TEXT + 1];
    apr_time_t used;
} note_t;

struct ua_touches_t {
    apr_thread_mutex_t *mutex;
    int count;
    note_t notes[NOTES];
};

apr_status_t ua_touches_create(ua_touches_t **out, apr_pool_t *pool)
{
    ua_touches_t *touches = apr_pcalloc(pool, sizeof *touches);

    UA_CHECK(apr_thread_mutex_create(&touches->mutex, APR_THREAD_MUTEX_DEFAULT, pool));
    *out = touches;
    return APR_SUCCESS;
}

static note_t *find(ua_touches_t *touches, const char *id)
{
    for (int i = 0; i < touches->count; i++) {
        if (strcmp(touches->notes[i].id, id) == 0) {
            return &touches->notes[i];
        }
    }
    return NULL;
}

void ua_touch_note(ua_touches_t *touches, const ua_session_t *session, apr_time_t now)
{
    note_t *note = NULL;
    apr_interval_time_t interval = session->idle / 4 < INTERVAL ? session->idle / 4 : INTERVAL;

    if (now - session->last_used < interval) {
        return;
    }
    apr_thread_mutex_lock(touches->mutex);
    note = find(touches, session->id);
    if (!note && touches->count < NOTES) {
        note = &touches->notes[touches->count++];
        apr_cpystrn(note->id, session->id, sizeof note->id);
    }
    if (note) {
        note->used = now;
    }
    apr_thread_mutex_unlock(touches->mutex);
}

void ua_touch_flush(ua_touches_t *touches, ua_ctx_t *ctx)
{
    note_t *taken = NULL;
    int n = 0;

    apr_thread_mutex_lock(touches->mutex);
    n = touches->count;
    taken =
        n > 0 ? apr_pmemdup(ctx->pool, touches->notes, (apr_size_t)n * sizeof *taken) : NULL;
    touches->count = 0;
    apr_thread_mutex_unlock(touches->mutex);
    for (int i = 0; i < n; i++) {
        if (ua_session_touch(ctx, taken[i].id, taken[i].used) != APR_SUCCESS) {
            return;
        }
    }
}
