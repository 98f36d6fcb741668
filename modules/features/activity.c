/* activity.c: what happened to a person's account lately, in words. Nothing that a client sent is shown
 * but its address: a User-Agent comes out as one of a few fixed words. */
#include "feature.h"
#include "base/agent.h"
#include "domain/event.h"

#include <string.h>

#define MOST 50
#define READ 200 /* some of them are nothing that a person needs */

typedef struct sentence_t {
    const char *kind;
    const char *detail; /* NULL: any */
    const char *text;
} sentence_t;

/* The first that fits. What is not here is left out: answers that kept a guess from working, and mails
 * that could not be sent. */
static const sentence_t sentences[] = {
    {"registered", NULL, "You registered"},
    {"verification_requested", NULL, "Another confirmation email was asked for"},
    {"address_corrected", NULL, "You corrected your email address"},
    {"verified", NULL, "You confirmed your email address"},
    {"login", "new_device", "You logged in from a new device"},
    {"login", NULL, "You logged in"},
    {"login_failed", "known_device", "A wrong password was entered on a device you use"},
    {"login_failed", NULL, "Someone tried to log in with a wrong password"},
    {"login_wait", NULL, "Logging in was paused after several wrong passwords"},
    {"login_unverified", NULL, "A login had to wait until your email address is confirmed"},
    {"logout", NULL, "You logged out"},
    {"reset_requested", NULL, "A link to set a new password was asked for"},
    {"password_reset", NULL, "A new password was set by a link from an email"},
    {"password_changed", NULL, "You changed your password"},
    {"profile_changed", "username", "You changed your username"},
    {"profile_changed", NULL, "You changed your profile"},
    {"email_change_requested", NULL, "A change of your email address was asked for"},
    {"email_change_cancelled", NULL, "The change of your email address was cancelled"},
    {"email_changed", NULL, "Your email address was changed"},
    {"email_undone", NULL, "The change of your email address was undone"},
    {"undo_failed", NULL, "Someone tried to undo a change of address with a wrong password"},
    {"restore_failed", NULL, "Someone tried to restore your account with a wrong password"},
    {"reauthenticated", NULL, "You entered your password again"},
    {"session_ended", "others", "You signed out all other devices"},
    {"session_ended", "all", "You signed out everywhere"},
    {"session_ended", NULL, "You signed out a device"},
    {"refresh_reused", NULL, "An app was signed out because its key was used twice"},
    {"disowned", NULL, "You told us that something wasn't you: everybody was signed out"},
    {"closed", NULL, "You closed your account"},
    {"restored", NULL, "Your account was restored"},
    {"exported", NULL, "You downloaded your data"},
};

/* NULL for what nobody needs. */
static const char *words_of(const ua_event_t *event)
{
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        const sentence_t *s = &sentences[i];

        if (strcmp(s->kind, event->kind) == 0 &&
            (!s->detail || strcmp(s->detail, event->detail) == 0)) {
            return s->text;
        }
    }
    return NULL;
}

static json_t *event_json(ua_req_t *req, const ua_event_t *event, const char *words)
{
    apr_pool_t *pool = req->ctx->pool;
    json_t *entry = ua_json_object(pool);

    ua_json_set(entry, "id", event->id);
    ua_json_set(entry, "event", event->kind);
    ua_view_time(entry, req, "time", event->happened);
    ua_json_set(entry, "address", event->address);
    ua_json_set(entry, "device", ua_agent_words(pool, event->agent));
    if (!req->wants_json) {
        ua_json_set(entry, "text", words);
    }
    return entry;
}

static apr_status_t activity_show(ua_res_t *res, ua_req_t *req)
{
    json_t *list = ua_json_own(req->ctx->pool, json_array());
    apr_array_header_t *events = NULL;

    UA_CHECK(ua_event_list(&events, req->ctx, req->session->account_id, READ));
    for (int i = 0; i < events->nelts && json_array_size(list) < MOST; i++) {
        const ua_event_t *event = &APR_ARRAY_IDX(events, i, ua_event_t);
        const char *words = words_of(event);

        if (words) {
            json_array_append(list, event_json(req, event, words));
        }
    }
    json_object_set(res->view, "events", list);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "activity",
                                     .area = UA_AREA_PERSONAL,
                                     .access = UA_ACCESS_USER,
                                     .template = "activity.html",
                                     .show = activity_show},
                                    {0}};

const ua_feature_t ua_feature_activity = {"activity", routes};
