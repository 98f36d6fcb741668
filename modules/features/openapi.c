/* openapi.c: the API's description (OpenAPI 3.1), generated from the rows of the routes, so that it says
 * what dispatch does. openapi.def has the words; openapi_parts.c the schemas. */
#include "openapi.h"
#include "features.h"

#include <string.h>

#define HTML "text/html"
#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

static const ua_feature_t *const features[] = {
#define ROW(name) &ua_feature_##name,
    UA_FEATURES(ROW)
#undef ROW
        NULL};

/* "auth-check-email", "dashboard-members-username": of operations and of their forms. */
static const char *name_of(apr_pool_t *pool, const ua_route_t *route)
{
    const char *path = route->path;
    apr_size_t length = strlen(path);
    char *name = NULL;

    if (length > 0 && path[length - 1] == '*') {
        path = apr_pstrcat(pool, apr_pstrmemdup(pool, path, length - 1), "username", NULL);
    }
    name = apr_pstrcat(pool, route->area == UA_AREA_PUBLIC ? "auth" : "dashboard",
                       *path ? "-" : "", path, NULL);
    for (char *c = name; *c; c++) {
        if (*c == '/' || *c == '.') {
            *c = '-';
        }
    }
    return name;
}

/* "/dashboard/members/{username}" */
static const char *path_of(const ua_req_t *req, const ua_route_t *route)
{
    const char *path = ua_path(req, route->area, route->path);
    const char *star = strchr(path, '*');
    apr_pool_t *pool = req->ctx->pool;

    return star ? apr_pstrcat(pool, apr_pstrmemdup(pool, path, (apr_size_t)(star - path)),
                              "{username}", NULL)
                : path;
}

static json_t *parameter(const char *name, const char *in, int required)
{
    return json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in", in, "required", required,
                     "schema", "type", strcmp(name, "limit") == 0 ? "integer" : "string");
}

static void add_parameters(json_t *operation, apr_pool_t *pool, const ua_route_t *route,
                           const char *query)
{
    json_t *list = json_array();
    char *state = NULL;

    if (strchr(route->path, '*')) {
        json_array_append_new(list, parameter("username", "path", 1));
    }
    for (char *name = apr_strtok(apr_pstrdup(pool, query), " ", &state); name;
         name = apr_strtok(NULL, " ", &state)) {
        json_array_append_new(list, parameter(name, "query", 0));
    }
    if (json_array_size(list) > 0) {
        json_object_set(operation, "parameters", list);
    }
    json_decref(list);
}

static void add_body(json_t *operation, apr_pool_t *pool, const ua_route_t *route)
{
    json_t *body = json_object();
    const char *const types[] = {FORM, JSON};

    if (route->fields || route->own_fields) {
        for (int i = 0; i < 2; i++) {
            json_object_set_new(
                body, types[i],
                json_pack("{s:o}", "schema",
                          ua_openapi_ref(pool, "schemas", name_of(pool, route))));
        }
        json_object_set_new(operation, "requestBody",
                            json_pack("{s:b, s:O}", "required", 1, "content", body));
    }
    json_decref(body);
}

/* What is not said in openapi.def because the row says it. */
static const char *refusals_of(apr_pool_t *pool, const ua_route_t *route,
                               const ua_operation_t *told)
{
    int posts = told->method == UA_METHOD_POST;
    int form = posts && (route->fields || route->own_fields);

    return apr_pstrcat(
        pool, told->refusals, " 400 503", route->access >= UA_ACCESS_USER ? " 401" : "",
        posts || route->access == UA_ACCESS_FRESH ? " 403" : "", posts ? " 413 415" : "",
        form ? " 422" : "", form || route->limited ? " 429" : "", NULL);
}

static json_t *success(apr_pool_t *pool, const ua_route_t *route, const ua_operation_t *told)
{
    json_t *content =
        json_pack("{s:{s:o}}", JSON, "schema", ua_openapi_ref(pool, "schemas", told->schema));

    if (route->template) {
        json_object_set_new(content, HTML, json_pack("{s:{s:s}}", "schema", "type", "string"));
    }
    return json_pack("{s:s, s:o}", "description", "Success.", "content", content);
}

static json_t *responses(apr_pool_t *pool, const ua_route_t *route, const ua_operation_t *told)
{
    json_t *list = json_object();
    char *state = NULL;

    json_object_set_new(list, apr_itoa(pool, told->status), success(pool, route, told));
    if (route->template || route->access >= UA_ACCESS_USER) {
        json_object_set_new(list, "303", ua_openapi_ref(pool, "responses", "Redirect"));
    }
    for (char *status =
             apr_strtok(apr_pstrdup(pool, refusals_of(pool, route, told)), " ", &state);
         status; status = apr_strtok(NULL, " ", &state)) {
        json_object_set_new(
            list, status,
            ua_openapi_ref(pool, "responses", apr_pstrcat(pool, "Problem", status, NULL)));
    }
    if (strcmp(route->path, "health") == 0) { /* ill health is told in the same form */
        json_object_set_new(list, "503", success(pool, route, told));
    }
    return list;
}

/* Any one of these: none at all where a session is of no matter. */
static json_t *security(const ua_route_t *route)
{
    return route->access >= UA_ACCESS_USER
               ? json_pack("[{s:[]}, {s:[]}]", "cookie", "bearer")
               : json_pack("[{}, {s:[]}, {s:[]}]", "cookie", "bearer");
}

static void add_operation(json_t *item, apr_pool_t *pool, const ua_route_t *route,
                          ua_method_e method)
{
    const ua_operation_t *told = ua_openapi_operation(route, method);
    int posts = method == UA_METHOD_POST;
    json_t *operation = NULL;

    if (!told || !(posts ? route->submit != NULL : route->show || route->template)) {
        return;
    }
    operation = json_pack(
        "{s:s, s:s, s:o, s:o}", "operationId",
        apr_pstrcat(pool, posts ? "post-" : "get-", name_of(pool, route), NULL), "summary",
        told->summary, "responses", responses(pool, route, told), "security", security(route));
    add_parameters(operation, pool, route, told->query);
    if (posts) {
        add_body(operation, pool, route);
    }
    json_object_set_new(item, posts ? "post" : "get", operation);
}

static void add_route(json_t *paths, json_t *schemas, const ua_req_t *req,
                      const ua_route_t *route)
{
    apr_pool_t *pool = req->ctx->pool;
    json_t *item = json_object();

    add_operation(item, pool, route, UA_METHOD_GET);
    add_operation(item, pool, route, UA_METHOD_POST);
    json_object_set_new(paths, path_of(req, route), item);
    if (route->submit && (route->fields || route->own_fields)) {
        json_object_set_new(schemas, name_of(pool, route),
                            ua_openapi_form(pool, req->ctx->conf, route));
    }
}

static json_t *document(const ua_req_t *req)
{
    const ua_conf_t *conf = req->ctx->conf;
    json_t *view = ua_json_object(req->ctx->pool);
    json_t *paths = json_object();
    json_t *components = json_object();
    json_t *schemas = json_object();

    ua_json_set(view, "openapi", "3.1.0");
    json_object_set_new(view, "info",
                        json_pack("{s:s, s:s}", "title", conf->site_name, "version", "1"));
    json_object_set_new(view, "servers", json_pack("[{s:s}]", "url", conf->site));
    json_object_set_new(view, "paths", paths);
    json_object_set_new(view, "components", components);
    json_object_set_new(components, "schemas", schemas);
    for (const ua_feature_t *const *feature = features; *feature; feature++) {
        for (const ua_route_t *route = (*feature)->routes; route->path; route++) {
            add_route(paths, schemas, req, route);
        }
    }
    ua_openapi_parts(components, req);
    return view;
}

static apr_status_t openapi_show(ua_res_t *res, ua_req_t *req)
{
    res->view = document(req);
    apr_table_setn(res->headers, "Cache-Control", "public, max-age=300");
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "openapi.json", .show = openapi_show}, {0}};

const ua_feature_t ua_feature_openapi = {"openapi", routes};
