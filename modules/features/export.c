/* export.c: everything that is stored about a person, as one JSON file. No hash, no digest and no link that
 * works: what is a secret of the server stays here. */
#include "feature.h"
#include "base/text.h"
#include "domain/device.h"
#include "domain/event.h"
#include "domain/old_password.h"
#include "domain/outbox.h"
#include "domain/profile_field.h"

#include <string.h>

#define EVENTS_MOST 10000

/* One column of stored rows: its name in the file, and whether it is a time. */
typedef struct column_t {
    const char *name;
    int is_time;
} column_t;

static const column_t session_columns[] = {{"id", 0},
                                           {"agent", 0},
                                           {"address", 0},
                                           {"signed_in_by", 0},
                                           {"created", 1},
                                           {"last_used", 1},
                                           {"password_given", 1},
                                           {"expires", 1},
                                           {"api_tokens_expire", 1},
                                           {"ended", 1},
                                           {0}};

static const column_t device_columns[] = {{"created", 1}, {"expires", 1}, {0}};

static const column_t old_password_columns[] = {{"replaced", 1}, {0}};

static const column_t link_columns[] = {{"purpose", 0}, {"to", 0},    {"created", 1},
                                        {"expires", 1}, {"ended", 1}, {0}};

static void set_time(json_t *object, ua_ctx_t *ctx, const char *name, apr_time_t time)
{
    ua_json_set(object, name, time > 0 ? ua_time_rfc3339(ctx->pool, time) : NULL);
}

/* A new object at the end of a list. */
static json_t *add_entry(json_t *list)
{
    json_t *entry = json_object();

    json_array_append_new(list, entry);
    return entry;
}

static json_t *add_list(json_t *out, const char *name)
{
    json_t *list = json_array();

    json_object_set_new(out, name, list);
    return list;
}

static void set_column(json_t *entry, ua_ctx_t *ctx, const column_t *column, const char *value)
{
    if (column->is_time) {
        set_time(entry, ctx, column->name, apr_atoi64(value));
    }
    else {
        ua_json_set(entry, column->name, value);
    }
}

static void add_rows(json_t *list, ua_ctx_t *ctx, const apr_array_header_t *rows,
                     const column_t *columns)
{
    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);
        json_t *entry = add_entry(list);

        for (int c = 0; columns[c].name; c++) {
            set_column(entry, ctx, &columns[c], row[c]);
        }
    }
}

static void add_account(json_t *out, ua_ctx_t *ctx, const ua_account_t *a)
{
    json_t *account = ua_user_json(ctx->pool, a);

    ua_json_set_flag(account, "hidden", a->hidden);
    ua_json_set_flag(account, "show_email", a->show_email);
    ua_json_set(account, "registered_from", a->address);
    set_time(account, ctx, "created", a->created);
    set_time(account, ctx, "verified", a->verified);
    set_time(account, ctx, "password_set", a->password_set);
    set_time(account, ctx, "last_sign_in", a->last_sign_in);
    set_time(account, ctx, "previous_sign_in", a->previous_sign_in);
    ua_json_set_number(account, "address_corrections", a->corrections);
    ua_json_set(account, "groups", a->groups);
    ua_json_set_number(account, "failed_sign_ins", a->failures + a->device_failures);
    json_object_set(out, "account", account);
}

/* Also of fields that the operator asks for no more. */
static apr_status_t add_fields(json_t *out, ua_ctx_t *ctx, const char *account_id)
{
    json_t *fields = ua_json_object(ctx->pool);
    apr_array_header_t *rows = NULL;

    json_object_set(out, "fields", fields);
    UA_CHECK(ua_profile_field_list(&rows, ctx, account_id));
    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);

        ua_json_set(fields, row[0], row[1]);
    }
    return APR_SUCCESS;
}

static apr_status_t add_places(json_t *out, ua_ctx_t *ctx, const char *account_id)
{
    apr_array_header_t *rows = NULL;

    UA_CHECK(ua_session_history(&rows, ctx, account_id));
    add_rows(add_list(out, "sessions"), ctx, rows, session_columns);
    UA_CHECK(ua_device_list(&rows, ctx, account_id));
    add_rows(add_list(out, "known_browsers"), ctx, rows, device_columns);
    return APR_SUCCESS;
}

static apr_status_t add_events(json_t *out, ua_ctx_t *ctx, const char *account_id)
{
    json_t *list = add_list(out, "events");
    apr_array_header_t *events = NULL;

    UA_CHECK(ua_event_list(&events, ctx, account_id, EVENTS_MOST));
    for (int i = 0; i < events->nelts; i++) {
        const ua_event_t *event = &APR_ARRAY_IDX(events, i, ua_event_t);
        json_t *entry = add_entry(list);

        ua_json_set(entry, "event", event->kind);
        ua_json_set(entry, "detail", event->detail);
        ua_json_set(entry, "address", event->address);
        ua_json_set(entry, "agent", event->agent);
        set_time(entry, ctx, "time", event->happened);
    }
    return APR_SUCCESS;
}

static apr_status_t add_mails(json_t *out, ua_ctx_t *ctx, const char *account_id)
{
    json_t *list = add_list(out, "mails");
    apr_array_header_t *mails = NULL;

    UA_CHECK(ua_outbox_list(&mails, ctx, account_id));
    for (int i = 0; i < mails->nelts; i++) {
        const ua_outbox_entry_t *mail = &APR_ARRAY_IDX(mails, i, ua_outbox_entry_t);
        json_t *entry = add_entry(list);

        ua_json_set(entry, "mail", mail->kind);
        ua_json_set(entry, "to", mail->email);
        ua_json_set(entry, "greeting", mail->username);
        ua_json_set(entry, "detail", mail->detail);
        set_time(entry, ctx, "created", mail->created);
        set_time(entry, ctx, "sent", mail->sent);
    }
    return APR_SUCCESS;
}

/* That they are kept, and since when; what they were, nobody knows. */
static apr_status_t add_old_passwords(json_t *out, ua_ctx_t *ctx, const char *account_id)
{
    apr_array_header_t *rows = NULL;

    UA_CHECK(ua_old_password_history(&rows, ctx, account_id));
    add_rows(add_list(out, "old_passwords"), ctx, rows, old_password_columns);
    return APR_SUCCESS;
}

static apr_status_t add_links(json_t *out, ua_ctx_t *ctx, const char *account_id)
{
    apr_array_header_t *rows = NULL;

    UA_CHECK(ua_token_history(&rows, ctx, account_id));
    add_rows(add_list(out, "links"), ctx, rows, link_columns);
    return APR_SUCCESS;
}

static apr_status_t add_all(json_t *out, ua_ctx_t *ctx, const ua_account_t *account)
{
    add_account(out, ctx, account);
    UA_CHECK(add_fields(out, ctx, account->id));
    UA_CHECK(add_places(out, ctx, account->id));
    UA_CHECK(add_old_passwords(out, ctx, account->id));
    UA_CHECK(add_mails(out, ctx, account->id));
    UA_CHECK(add_links(out, ctx, account->id));
    return add_events(out, ctx, account->id);
}

/* The answer is this file, whatever was asked for. */
static void attach(ua_res_t *res, ua_ctx_t *ctx, const json_t *out, const char *username)
{
    res->raw = ua_json_text(ctx->pool, out);
    res->raw_length = strlen(res->raw);
    res->type = "application/json";
    apr_table_setn(res->headers, "Content-Disposition",
                   apr_psprintf(ctx->pool, "attachment; filename=\"%s-%s.json\"",
                                ctx->conf->base.host, username));
}

/* The only row written is an event: one statement, which needs no transaction. A HEAD takes nothing along. */
static apr_status_t export_show(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    ua_account_t *account = NULL;
    json_t *out = ua_json_object(ctx->pool);

    UA_CHECK(ua_account_by_id(&account, ctx, req->session->account_id));
    ua_json_set(out, "site", ctx->conf->site);
    set_time(out, ctx, "exported", ctx->now);
    UA_CHECK(add_all(out, ctx, account));
    if (req->method == UA_METHOD_GET) {
        UA_CHECK(ua_event_add(ctx, "exported", account->id, ""));
    }
    attach(res, ctx, out, account->username);
    return APR_SUCCESS;
}

/* The template is what a refusal looks like. */
static const ua_route_t routes[] = {{.path = "export",
                                     .area = UA_AREA_PERSONAL,
                                     .access = UA_ACCESS_FRESH,
                                     .template = "problem.html",
                                     .show = export_show},
                                    {0}};

const ua_feature_t ua_feature_export = {"export", routes};
