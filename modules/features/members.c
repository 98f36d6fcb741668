/* members.c: who else is here: a list by username with a search and pages, and one page each. Who hid
 * himself, is not confirmed, or closed his account is not found, and nobody learns which. */
#include "feature.h"
#include "base/text.h"
#include "base/unicode.h"
#include "base/url.h"
#include "domain/member.h"
#include "domain/username.h"

#include <string.h>

#define PAGE        "20"
#define PAGE_MOST   100
#define SEARCH_MOST 64
#define KEY_MOST    32
#define CURSOR_MOST 1024 /* a folded display name has at most three times its 64 characters */
#define KEY_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789._-"

typedef struct asked_t {
    const char *prefix;
    const ua_member_t *after; /* NULL: from the first */
    int limit;
} asked_t;

/* A parameter of the query, `absent` when it is not there; NULL when it can't be read. */
static const char *parameter(const ua_req_t *req, const char *name, const char *absent)
{
    apr_pool_t *pool = req->ctx->pool;
    const char *value = ua_query_get(pool, req->query, name);
    const char *written = apr_pstrcat(pool, "&", name, "=", NULL);

    if (value) {
        return ua_utf8_valid(value, strlen(value)) ? value : NULL;
    }
    return strstr(apr_pstrcat(pool, "&", req->query, NULL), written) ? NULL : absent;
}

/* 1..PAGE_MOST; 0 for anything else. */
static int limit_of(const char *text)
{
    int limit = 0;

    for (; *text >= '0' && *text <= '9' && limit <= PAGE_MOST; text++) {
        limit = limit * 10 + (*text - '0');
    }
    return *text == '\0' && limit <= PAGE_MOST ? limit : 0;
}

/* A cursor is "username key", or "username key/display key" behind those found by their display names. NULL when
 * none of ours looks so. */
static const ua_member_t *member_of(apr_pool_t *pool, const char *cursor)
{
    ua_member_t *after = apr_pcalloc(pool, sizeof *after);
    apr_size_t bytes = strlen(cursor) * 3 / 4;
    apr_size_t key = 0;
    char *text = NULL;

    if (bytes > CURSOR_MOST) {
        return NULL;
    }
    text = apr_pcalloc(pool, bytes + 1);
    if (ua_base64url_decode((unsigned char *)text, bytes, cursor) != APR_SUCCESS) {
        return NULL;
    }
    key = strspn(text, KEY_LETTERS);
    after->username_key = apr_pstrmemdup(pool, text, key);
    after->display_key = text[key] == '/' ? text + key + 1 : NULL;
    return key <= KEY_MOST && (after->display_key || key == bytes) && strlen(text) == bytes &&
                   ua_utf8_valid(text, bytes)
               ? after
               : NULL;
}

static const char *cursor_of(apr_pool_t *pool, const ua_member_t *next)
{
    const char *text = next->display_key
                           ? apr_pstrcat(pool, next->username_key, "/", next->display_key, NULL)
                           : next->username_key;

    return ua_base64url(pool, text, strlen(text));
}

/* What was asked; 0 when it makes no sense. */
static int read_query(asked_t *out, const ua_req_t *req)
{
    const char *prefix = parameter(req, "q", "");
    const char *after = parameter(req, "after", "");
    const char *limit = parameter(req, "limit", PAGE);

    if (!prefix || !after || !limit) {
        return 0;
    }
    out->prefix = ua_utf8_trim(req->ctx->pool, prefix);
    out->after = *after ? member_of(req->ctx->pool, after) : NULL;
    out->limit = limit_of(limit);
    return (out->after || !*after) && out->limit > 0 &&
           (ua_utf8_length(out->prefix) <= SEARCH_MOST || !req->wants_json);
}

/* "2026-11-21" */
static const char *date_of(apr_pool_t *pool, apr_time_t time)
{
    return apr_pstrndup(pool, ua_time_rfc3339(pool, time), 10);
}

/* "21 November 2026" */
static const char *date_words(apr_pool_t *pool, apr_time_t time)
{
    const char *words = ua_time_words(pool, time);
    const char *end = strstr(words, " at ");

    return end ? apr_pstrmemdup(pool, words, (apr_size_t)(end - words)) : words;
}

static void add_member(json_t *list, ua_req_t *req, const ua_member_t *member)
{
    apr_pool_t *pool = req->ctx->pool;
    json_t *entry = ua_json_object(pool);

    ua_json_set(entry, "username", member->username);
    ua_json_set(entry, "display_name", member->display_name);
    ua_json_set(entry, "member_since", date_of(pool, member->since));
    if (!req->wants_json) {
        ua_json_set(entry, "since", date_words(pool, member->since));
        ua_json_set(entry, "href",
                    apr_pstrcat(pool, ua_path(req, UA_AREA_PERSONAL, "members"), "/",
                                member->username, NULL));
    }
    json_array_append(list, entry);
}

/* The page behind this one. */
static void add_next(ua_res_t *res, ua_req_t *req, const asked_t *asked,
                     const ua_member_t *next)
{
    apr_pool_t *pool = req->ctx->pool;
    const char *cursor = cursor_of(pool, next);

    ua_json_set(res->view, "next", cursor);
    if (!req->wants_json) {
        ua_json_set(res->view, "next_href",
                    apr_psprintf(pool, "%s?q=%s&after=%s&limit=%d",
                                 ua_path(req, UA_AREA_PERSONAL, "members"),
                                 ua_url_encode(pool, asked->prefix), cursor, asked->limit));
    }
}

static apr_status_t members_show(ua_res_t *res, ua_req_t *req)
{
    asked_t asked = {NULL, NULL, 0};
    apr_array_header_t *found = NULL;
    const ua_member_t *next = NULL;
    json_t *list = json_array();

    json_object_set_new(res->view, "members", list);
    json_object_set_new(res->view, "next", json_null());
    if (!read_query(&asked, req)) {
        ua_refuse(res, UA_PROBLEM_BAD_REQUEST);
        res->template = "problem.html";
        return APR_SUCCESS;
    }
    if (ua_utf8_length(asked.prefix) <= SEARCH_MOST) { /* no name is longer */
        UA_CHECK(
            ua_member_list(&found, &next, req->ctx, asked.prefix, asked.after, asked.limit));
    }
    for (int i = 0; found && i < found->nelts; i++) {
        add_member(list, req, &APR_ARRAY_IDX(found, i, ua_member_t));
    }
    if (next) {
        add_next(res, req, &asked, next);
    }
    if (!req->wants_json) {
        ua_json_set(res->view, "q", *asked.prefix ? asked.prefix : NULL);
        ua_json_set_flag(res->view, "later", asked.after != NULL);
        ua_json_set_flag(res->view, "any", found && found->nelts > 0);
        ua_json_set_flag(res->view, "more", next || (*asked.prefix && asked.after));
    }
    return APR_SUCCESS;
}

/* 1 when this member may be looked at: who is hidden is so for everybody, the own page included. */
static int is_shown(const ua_account_t *a)
{
    return a->enabled && a->verified > 0 && !a->hidden;
}

/* The operator's fields that are meant for others and filled in. */
static apr_status_t add_fields(ua_res_t *res, ua_req_t *req, const ua_account_t *account)
{
    json_t *list = json_array();
    apr_array_header_t *own = NULL;

    json_object_set_new(res->view, "fields", list);
    UA_CHECK(ua_own_fields_read(&own, req->ctx, account->id));
    for (int i = 0; i < own->nelts; i++) {
        const ua_own_field_t *field = &APR_ARRAY_IDX(own, i, ua_own_field_t);
        json_t *entry = ua_json_object(req->ctx->pool);

        if (field->field->is_public && *field->value) {
            ua_json_set(entry, "name", field->field->name);
            ua_json_set(entry, "label", field->field->label);
            ua_json_set(entry, "value", field->value);
            json_array_append(list, entry);
        }
    }
    return APR_SUCCESS;
}

static apr_status_t member_show(ua_res_t *res, ua_req_t *req)
{
    ua_account_t *account = NULL;
    apr_pool_t *pool = req->ctx->pool;
    apr_status_t rv =
        ua_account_by_username(&account, req->ctx, ua_username_key(pool, req->param));

    if (rv == APR_NOTFOUND || (rv == APR_SUCCESS && !is_shown(account))) {
        ua_refuse(res, UA_PROBLEM_NOT_FOUND);
        res->template = "problem.html";
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    ua_json_set(res->view, "username", account->username);
    ua_json_set(res->view, "display_name", account->display_name);
    ua_json_set(res->view, "member_since", date_of(pool, account->verified));
    if (account->show_email) {
        ua_json_set(res->view, "email", account->email);
    }
    if (!req->wants_json) {
        ua_json_set(res->view, "since", date_words(pool, account->verified));
    }
    return add_fields(res, req, account);
}

static const ua_route_t routes[] = {{.path = "members",
                                     .area = UA_AREA_PERSONAL,
                                     .access = UA_ACCESS_USER,
                                     .template = "members.html",
                                     .nav = "Members",
                                     .show = members_show},
                                    {.path = "members/*",
                                     .area = UA_AREA_PERSONAL,
                                     .access = UA_ACCESS_USER,
                                     .template = "member.html",
                                     .show = member_show},
                                    {0}};

const ua_feature_t ua_feature_members = {"members", routes};
