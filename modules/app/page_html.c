/* page_html.c: a reply for a person: the page's template with the frame that every page has: site,
 * paths, assets, the forgery field, the fields and what is wrong with them. */
#include "page.h"
#include "base/url.h"

#include <string.h>

/* Sessions that end after so long without use are worth a warning two minutes before. */
#define LEAST_IDLE apr_time_from_sec(121)
#define MOST_IDLE  apr_time_from_sec(24 * 3600)

typedef struct frame_t {
    ua_req_t *req;
    json_t *paths;
    json_t *nav;
} frame_t;

static void add_path(void *baton, const ua_route_t *route)
{
    frame_t *frame = baton;
    char *key = apr_pstrdup(frame->req->ctx->pool, *route->path ? route->path : "dashboard");
    const char *path = ua_path(frame->req, route->area, route->path);

    for (char *p = key; *p; p++) {
        if (*p == '-' || *p == '/') {
            *p = '_';
        }
    }
    ua_json_set(frame->paths, key, path);
    if (route->nav) {
        json_t *entry = ua_json_object(frame->req->ctx->pool);

        ua_json_set(entry, "href", path);
        ua_json_set(entry, "text", route->nav);
        ua_json_set_flag(entry, "current", route == frame->req->route);
        json_array_append(frame->nav, entry);
    }
}

static json_t *field_json(const ua_req_t *req, const ua_field_t *f)
{
    json_t *field = ua_json_object(req->ctx->pool);
    int password = strcmp(f->type, "password") == 0;

    ua_json_set(field, "name", f->name);
    ua_json_set(field, "label", f->label);
    ua_json_set(field, "type", f->type);
    ua_json_set(field, "hint", f->hint);
    ua_json_set(field, "autocomplete", f->autocomplete);
    ua_json_set(field, "inputmode", strcmp(f->type, "email") == 0 ? "email" : NULL);
    ua_json_set(field, "value", password ? NULL : ua_field(req, f->name));
    ua_json_set(field, "error", apr_table_get(req->errors, f->name));
    ua_json_set_flag(field, "required", f->required);
    ua_json_set_flag(field, "is_password", password);
    ua_json_set_flag(field, "is_checkbox", strcmp(f->type, "checkbox") == 0);
    ua_json_set_flag(field, "checked", ua_field_flag(req, f->name));
    return field;
}

static void add_fields(json_t *view, ua_req_t *req)
{
    json_t *fields = ua_json_object(req->ctx->pool);
    json_t *errors = json_array();
    json_t *own = json_array();

    for (const ua_field_t *f = req->fields; f->name; f++) {
        const char *text = apr_table_get(req->errors, f->name);

        json_object_set(fields, f->name, field_json(req, f));
        if (f->check == ua_check_own_field) {
            json_array_append(own, json_object_get(fields, f->name));
        }
        if (text) {
            json_t *error = ua_json_object(req->ctx->pool);

            ua_json_set(error, "name", f->name);
            ua_json_set(error, "label", f->label);
            ua_json_set(error, "text", text);
            json_array_append(errors, error);
        }
    }
    json_object_set(view, "field", fields);
    json_object_set_new(view, "own_fields", own);
    ua_json_set_flag(view, "has_errors", json_array_size(errors) > 0);
    json_object_set_new(view, "errors", errors);
}

static void add_problem(json_t *view, ua_req_t *req, const ua_res_t *res)
{
    json_t *problem = ua_json_object(req->ctx->pool);
    json_t *links = json_array();

    json_object_set_new(problem, "links", links);
    ua_json_set(problem, "title", ua_page_title(res));
    if (res->detail || apr_is_empty_table(req->errors) || res->links->nelts > 0) {
        ua_json_set(problem, "detail",
                    ua_page_detail(res)); /* the fields' own sentences say the rest */
    }
    for (int i = 0; i < res->links->nelts; i++) {
        const ua_link_t *link = &APR_ARRAY_IDX(res->links, i, ua_link_t);
        json_t *entry = ua_json_object(req->ctx->pool);

        if (ua_page_offers(req, link)) {
            ua_json_set(entry, "href", link->path);
            ua_json_set(entry, "text", link->text);
            json_array_append(links, entry);
        }
    }
    json_object_set(view, "problem", problem);
}

/* ?notice=<code> of the fixed list, shown once: by the page it leads to. What this very page has to say
 * comes first. */
static const char *notice_of(ua_req_t *req, const ua_res_t *res)
{
    const char *code = ua_query_get(req->ctx->pool, req->query, "notice");

    if (res->problem || req->method == UA_METHOD_POST) {
        return NULL;
    }
    if (res->notice != UA_NOTICE_NONE) {
        return ua_page_notice(res->notice);
    }
    return code ? ua_page_notice_of_code(code) : NULL;
}

static void add_site(json_t *view, const ua_app_t *app, ua_req_t *req)
{
    json_t *site = ua_json_object(req->ctx->pool);
    json_t *asset = ua_json_object(req->ctx->pool);

    ua_json_set(site, "name", app->conf->site_name);
    ua_json_set(site, "url", "/");
    ua_json_set(site, "logo", app->logo);
    ua_json_set(asset, "css", app->css);
    ua_json_set(asset, "js", app->js);
    json_object_set(view, "site", site);
    json_object_set(view, "asset", asset);
    ua_json_set(view, "lang", "en");
}

static void add_person(json_t *view, const ua_req_t *req)
{
    json_t *person = ua_json_object(req->ctx->pool);
    apr_time_t most = req->session->expires - req->ctx->now;
    apr_time_t idle = req->session->idle < most ? req->session->idle : most;

    ua_json_set(person, "username", req->session->username);
    ua_json_set(person, "display_name", req->session->display_name);
    if (idle >= LEAST_IDLE && idle <= MOST_IDLE) {
        ua_json_set_number(person, "idle", apr_time_sec(idle));
    }
    json_object_set(view, "signed_in", person);
}

static void add_paths(json_t *view, ua_req_t *req)
{
    frame_t frame = {req, ua_json_object(req->ctx->pool),
                     ua_json_own(req->ctx->pool, json_array())};

    ua_routes_each(add_path, &frame);
    json_object_set(view, "path", frame.paths);
    json_object_set(view, "nav", frame.nav);
}

static apr_status_t add_frame(json_t *view, const ua_app_t *app, ua_req_t *req, ua_res_t *res,
                              int has_form)
{
    const char *csrf = NULL;

    if (has_form) {
        UA_CHECK(ua_csrf_field(&csrf, res, req));
    }
    ua_json_set(view, "csrf", csrf);
    add_site(view, app, req);
    add_paths(view, req);
    add_fields(view, req);
    ua_json_set(view, "notice", notice_of(req, res));
    ua_json_set(view, "next", req->next);
    ua_json_set(view, "suggestion", req->suggestion);
    if (res->problem) {
        add_problem(view, req, res);
    }
    if (req->session) {
        add_person(view, req);
    }
    if (res->refresh > 0 && !res->problem) {
        ua_json_set_number(view, "refresh", res->refresh);
    }
    return APR_SUCCESS;
}

/* Problems with what was typed, or with the moment, leave the form standing. */
static int keeps_form(const ua_req_t *req, const ua_res_t *res)
{
    switch ((int)res->problem) {
    case UA_PROBLEM_BAD_REQUEST:
    case UA_PROBLEM_NOT_FOUND:
    case UA_PROBLEM_METHOD_NOT_ALLOWED:
    case UA_PROBLEM_PAYLOAD_TOO_LARGE:
    case UA_PROBLEM_UNSUPPORTED_MEDIA_TYPE:
    case UA_PROBLEM_FORBIDDEN:
    case UA_PROBLEM_LOGIN_REQUIRED: return 0;
    default: return req->method == UA_METHOD_POST && req->route && req->route->template;
    }
}

/* The page of a refused submit shows what its GET would have shown. */
static const char *template_of(ua_req_t *req, ua_res_t *res)
{
    ua_res_t shown;

    if (!res->problem || res->template) {
        return res->template ? res->template : req->route->template;
    }
    if (!keeps_form(req, res)) {
        return "problem.html";
    }
    if (req->route->show && res->problem != UA_PROBLEM_STORAGE_UNAVAILABLE) {
        ua_res_init(&shown, req);
        if (req->route->show(&shown, req) == APR_SUCCESS && !shown.problem) {
            json_object_update(res->view, shown.view);
            res->detail =
                shown.detail && res->problem == UA_PROBLEM_CSRF ? shown.detail : res->detail;
        }
    }
    return req->route->template;
}

void ua_page_html(const ua_app_t *app, ua_req_t *req, ua_res_t *res)
{
    const char *template = template_of(req, res);
    apr_status_t rv =
        add_frame(res->view, app, req, res, strcmp(template, "problem.html") != 0);

    if (rv == APR_SUCCESS) {
        rv = ua_template_render(&res->raw, req->ctx->pool, app->templates, template, res->view);
    }
    if (rv != APR_SUCCESS) {
        ua_app_log(app, req->ctx, UA_LOG_ERR,
                   apr_psprintf(req->ctx->pool, "UA0104: %s can't be shown", template), rv);
        res->status = 500;
        res->raw = "Internal error\n";
    }
    res->raw_length = strlen(res->raw);
    res->type = rv == APR_SUCCESS ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
}
