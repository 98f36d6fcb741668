/* common_time.c: a time in a view: as a program reads it, or as a page shows it. */
#include "feature.h"
#include "base/text.h"

void ua_view_time(json_t *view, const ua_req_t *req, const char *name, apr_time_t time)
{
    apr_pool_t *pool = req->ctx->pool;
    json_t *when = NULL;

    if (req->wants_json) {
        ua_json_set(view, name, ua_time_rfc3339(pool, time));
        return;
    }
    when = ua_json_object(pool);
    ua_json_set(when, "iso", ua_time_rfc3339(pool, time));
    ua_json_set(when, "words", ua_time_words(pool, time));
    json_object_set(view, name, when);
}
