/* sessions.c: where a person is signed in; ends one of these places, all others, or all. The page also
 * leads to everything else that keeps an account its owner's. */
#include "feature.h"
#include "base/agent.h"
#include "domain/event.h"

#include <string.h>

static const ua_field_t fields[] = {
    {"session", "One of my devices", "hidden", 0, NULL, NULL, NULL, NULL},
    {"others", "All other devices", "flag", 0, NULL, NULL, NULL, NULL},
    {"all", "All devices", "flag", 0, NULL, NULL, NULL, NULL},
    {0}};

static int is_current(const ua_req_t *req, const char *id)
{
    return strcmp(id, req->session->id) == 0;
}

/* The uses of the last seconds are not written yet; this one is now. */
static json_t *place_json(ua_req_t *req, const ua_place_t *place)
{
    apr_pool_t *pool = req->ctx->pool;
    json_t *entry = ua_json_object(pool);
    int current = is_current(req, place->id);

    ua_json_set(entry, "id", place->id);
    ua_json_set(entry, "device", ua_agent_words(pool, place->agent));
    ua_json_set(entry, "address", place->address);
    ua_view_time(entry, req, "created", place->created);
    ua_view_time(entry, req, "last_used", current ? req->ctx->now : place->last_used);
    ua_json_set_flag(entry, "current", current);
    return entry;
}

/* Last used first, so the present one leads. */
static apr_status_t sessions_show(ua_res_t *res, ua_req_t *req)
{
    json_t *list = ua_json_own(req->ctx->pool, json_array());
    apr_array_header_t *places = NULL;

    UA_CHECK(ua_session_places(&places, req->ctx, req->session->account_id));
    for (int i = 0; i < places->nelts; i++) {
        const ua_place_t *place = &APR_ARRAY_IDX(places, i, ua_place_t);
        size_t at = is_current(req, place->id) ? 0 : json_array_size(list);

        json_array_insert(list, at, place_json(req, place));
    }
    json_object_set(res->view, "sessions", list);
    if (!req->wants_json) {
        ua_json_set_flag(res->view, "has_others", places->nelts > 1);
    }
    return APR_SUCCESS;
}

/* This browser is signed out, too. */
static void leave(ua_res_t *res, ua_req_t *req)
{
    if (req->session_cookie) {
        ua_set_cookie(res, req, "", "", 0);
    }
    apr_table_setn(res->headers, "Clear-Site-Data", "\"cache\"");
    ua_go_notice(res, req, 200, ua_path(req, UA_AREA_PUBLIC, "login"), UA_NOTICE_LOGGED_OUT);
}

static void stay(ua_res_t *res, ua_req_t *req, ua_notice_e notice)
{
    ua_go_notice(res, req, 200, ua_path(req, UA_AREA_PERSONAL, "sessions"), notice);
}

/* Another person's is as unknown as none. */
static apr_status_t end_one(ua_res_t *res, ua_req_t *req, const char *id)
{
    const char *account_id = req->session->account_id;
    apr_status_t rv = ua_session_end_own(req->ctx, account_id, id);

    if (rv == APR_NOTFOUND) {
        ua_refuse(res, UA_PROBLEM_NOT_FOUND);
        res->title = "Device not found";
        res->detail = "You aren't signed in there any more. There is nothing left to do.";
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    if (is_current(req, id)) {
        leave(res, req);
    }
    else {
        stay(res, req, UA_NOTICE_SESSION_ENDED);
    }
    return ua_event_add(req->ctx, "session_ended", account_id, "one");
}

static apr_status_t end_many(ua_res_t *res, ua_req_t *req, int others)
{
    const char *account_id = req->session->account_id;

    UA_CHECK(ua_session_end_all(req->ctx, account_id, others ? req->session->id : ""));
    if (others) {
        stay(res, req, UA_NOTICE_OTHERS_ENDED);
    }
    else {
        leave(res, req);
    }
    return ua_event_add(req->ctx, "session_ended", account_id, others ? "others" : "all");
}

static apr_status_t sessions_submit(ua_res_t *res, ua_req_t *req)
{
    const char *id = ua_field(req, "session");
    int others = ua_field_flag(req, "others");
    int all = ua_field_flag(req, "all");

    if ((*id != '\0') + others + all != 1) {
        ua_refuse(res, UA_PROBLEM_INVALID_FIELDS);
        res->title = "Please choose what to sign out";
        res->detail = "One device, all others, or all of them.";
        if (req->wants_json) { /* the page has buttons, and no field to say it beside */
            ua_field_error(req, "session", res->detail);
        }
        return APR_SUCCESS;
    }
    return *id ? end_one(res, req, id) : end_many(res, req, others);
}

static const ua_route_t routes[] = {{.path = "sessions",
                                     .area = UA_AREA_PERSONAL,
                                     .access = UA_ACCESS_USER,
                                     .template = "sessions.html",
                                     .fields = fields,
                                     .nav = "Security",
                                     .show = sessions_show,
                                     .submit = sessions_submit},
                                    {0}};

const ua_feature_t ua_feature_sessions = {"sessions", routes};
