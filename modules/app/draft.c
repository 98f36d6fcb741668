/* draft.c: a form that was sent after its session had ended is not lost: it comes back filled in once
 * the same person has signed in again, and is not sent by itself.
 *
 * It waits in a cookie of the browser that sent it, without secrets, bound to account and page. */
#include "app.h"
#include "base/text.h"

#include <string.h>

#define COOKIE    "draft"
#define LIFETIME  apr_time_from_sec(600)
#define MOST      3000 /* characters of the cookie's value: browsers take 4096 bytes with its name */
#define TAG_START (UA_DIGEST_TEXT + 1)

static int is_secret(const ua_field_t *field)
{
    return strcmp(field->type, "password") == 0 || strcmp(field->name, "token") == 0 ||
           strcmp(field->name, "csrf") == 0;
}

/* NULL unless a person typed or chose something that may wait. */
static json_t *fields_of(const ua_req_t *req)
{
    json_t *fields = ua_json_object(req->ctx->pool);
    int typed = 0;

    for (const ua_field_t *f = req->fields; f->name; f++) {
        const char *value = apr_table_get(req->form, f->name);

        if (value && !is_secret(f)) {
            ua_json_set(fields, f->name, value);
            typed += !ua_listed("hidden flag", f->type);
        }
    }
    return typed > 0 ? fields : NULL;
}

static apr_status_t tag_of(const char **out, const ua_req_t *req, const char *account_id,
                           const char *payload)
{
    return ua_hmac_text(out, req->ctx->pool, req->ctx->keys->cookie,
                        UA_PARTS("draft", account_id, payload));
}

/* "<payload>.<tag>" */
static apr_status_t seal(const char **out, ua_req_t *req, json_t *fields)
{
    apr_pool_t *pool = req->ctx->pool;
    json_t *draft = ua_json_object(pool);
    const char *account_id = NULL;
    const char *payload = NULL;
    const char *tag = NULL;

    UA_CHECK(ua_session_owner(&account_id, req->ctx, req->session_cookie));
    ua_json_set(draft, "path", req->path);
    ua_json_set_number(draft, "until", req->ctx->now + LIFETIME);
    json_object_set(draft, "fields", fields);
    payload = ua_json_text(pool, draft);
    payload = ua_base64url(pool, payload, strlen(payload));
    UA_CHECK(tag_of(&tag, req, account_id, payload));
    *out = apr_pstrcat(pool, payload, ".", tag, NULL);
    return APR_SUCCESS;
}

/* The form of this request, read without a trace in it; 0 when it is none of our own page's. */
static int read_form(ua_req_t *out, ua_req_t *req)
{
    const ua_conf_t *conf = req->ctx->conf;
    const ua_route_t *route = ua_route_find(conf, req->path);
    ua_res_t res;

    if (req->method != UA_METHOD_POST || !req->session_cookie || !route ||
        route->area != UA_AREA_PERSONAL || !ua_is_form(req->content_type)) {
        return 0;
    }
    *out = *req;
    out->fields = ua_route_fields(conf, req->ctx->pool, route);
    ua_res_init(&res, req);
    ua_body_read(&res, out);
    return !res.problem && ua_csrf_judge(out) == UA_CSRF_FINE;
}

void ua_draft_leave(ua_res_t *res, ua_req_t *req)
{
    json_t *fields = NULL;
    const char *value = NULL;
    apr_status_t rv = APR_SUCCESS;
    ua_req_t sent;

    if (!read_form(&sent, req)) {
        return;
    }
    fields = fields_of(&sent);
    if (!fields) {
        return;
    }
    rv = seal(&value, req, fields);
    ua_db_release(req->ctx);
    if (rv == APR_SUCCESS && strlen(value) <= MOST) {
        ua_set_cookie(res, req, COOKIE, value, apr_time_sec(LIFETIME));
    }
}

static json_t *unpack(ua_req_t *req, const char *payload)
{
    apr_pool_t *pool = req->ctx->pool;
    apr_size_t length = strlen(payload) / 4 * 3 + strlen(payload) % 4 * 3 / 4;
    unsigned char *text = apr_palloc(pool, length + 1);

    if (ua_base64url_decode(text, length, payload) != APR_SUCCESS) {
        return NULL;
    }
    return ua_json_own(pool, json_loadb((const char *)text, length, 0, NULL));
}

/* NULL when it is another account's, too old, or not ours at all. */
static json_t *open_draft(ua_req_t *req, const char *value)
{
    apr_pool_t *pool = req->ctx->pool;
    apr_size_t length = strlen(value);
    const char *payload = NULL;
    const char *tag = NULL;
    json_t *draft = NULL;

    if (length <= TAG_START || value[length - TAG_START] != '.') {
        return NULL;
    }
    payload = apr_pstrmemdup(pool, value, length - TAG_START);
    if (tag_of(&tag, req, req->session->account_id, payload) != APR_SUCCESS ||
        !ua_equal_text(tag, value + length - UA_DIGEST_TEXT)) {
        return NULL;
    }
    draft = unpack(req, payload);
    return json_integer_value(json_object_get(draft, "until")) > req->ctx->now ? draft : NULL;
}

static void fill_in(ua_req_t *req, const json_t *fields)
{
    for (const ua_field_t *f = req->fields; f->name; f++) {
        const char *value = json_string_value(json_object_get(fields, f->name));

        if (value && !is_secret(f)) {
            apr_table_set(req->form, f->name, value);
        }
    }
}

void ua_draft_take(ua_res_t *res, ua_req_t *req)
{
    const char *value = NULL;
    json_t *draft = NULL;

    if (req->method != UA_METHOD_GET || req->wants_json || !req->session ||
        !req->session_cookie || *req->purpose || req->route->area != UA_AREA_PERSONAL) {
        return;
    }
    value = ua_cookie_get_long(req->ctx->pool, req->cookie, ua_site_cookie(req, COOKIE), MOST);
    draft = value ? open_draft(req, value) : NULL;
    if (draft && strcmp(ua_json_get(draft, "path"), req->path) == 0) {
        fill_in(req, json_object_get(draft, "fields"));
        res->notice = UA_NOTICE_DRAFT;
    }
    else if (!value || draft) { /* none, or another page's */
        return;
    }
    ua_set_cookie(res, req, COOKIE, "", 0);
}
