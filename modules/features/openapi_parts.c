/* openapi_parts.c: see openapi.h: schemas of forms and answers, the ways to say no, how to sign in. */
#include "openapi.h"

#include <ctype.h>
#include <string.h>

static const ua_operation_t operations[] = {
#define UA_SCHEMA(...)
#define UA_GET(area, path, summary, schema, query, refusals)                                   \
    {UA_METHOD_GET, UA_AREA_##area, path, summary, 200, schema, query, refusals},
#define UA_POST(area, path, summary, status, schema, refusals)                                 \
    {UA_METHOD_POST, UA_AREA_##area, path, summary, status, schema, "", refusals},
#include "openapi.def"
#undef UA_SCHEMA
#undef UA_GET
#undef UA_POST
};

static const char *const schemas[][2] = {
#define UA_SCHEMA(name, members) {name, members},
#define UA_GET(...)
#define UA_POST(...)
#include "openapi.def"
#undef UA_SCHEMA
#undef UA_GET
#undef UA_POST
};

static const struct {
    const char *word, *schema;
} types[] = {
    {"string", "{\"type\":\"string\"}"},
    {"boolean", "{\"type\":\"boolean\"}"},
    {"integer", "{\"type\":\"integer\"}"},
    {"object", "{\"type\":\"object\"}"},
    {"array", "{\"type\":\"array\"}"},
    {"email", "{\"type\":\"string\",\"format\":\"email\"}"},
    {"uuid", "{\"type\":\"string\",\"format\":\"uuid\"}"},
    {"time", "{\"type\":\"string\",\"format\":\"date-time\"}"},
    {"date", "{\"type\":\"string\",\"format\":\"date\"}"},
    {"maybe", "{\"type\":[\"string\",\"null\"]}"},
    {"mail", "{\"enum\":[\"queued\",\"sent\",\"delayed\",\"verified\",\"unknown\"]}"},
    {"password", "{\"type\":\"string\",\"format\":\"password\",\"writeOnly\":true}"},
    {"checkbox", "{\"enum\":[true,false,1,0,\"true\",\"false\",\"1\",\"0\"]}"},
    {"flag", "{\"enum\":[true,false,1,0,\"true\",\"false\",\"1\",\"0\"]}"},
};

static const struct {
    const char *code;
    int status;
} problems[] = {

#define UA_PROBLEM(constant, code, status, title, detail) {code, status},
#include "problems.def"
#undef UA_PROBLEM
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

const ua_operation_t *ua_openapi_operation(const ua_route_t *route, ua_method_e method)
{
    for (apr_size_t i = 0; i < COUNT(operations); i++) {
        const ua_operation_t *one = &operations[i];

        if (one->method == method && one->area == route->area &&
            strcmp(one->path, route->path) == 0) {
            return one;
        }
    }
    return NULL;
}

json_t *ua_openapi_ref(apr_pool_t *pool, const char *kind, const char *name)
{
    return json_pack("{s:s}", "$ref",
                     apr_pstrcat(pool, "#/components/", kind, "/", name, NULL));
}

/* A text where the word is not known: "text", "hidden". */
static json_t *basic_type(const char *word)
{
    const char *schema = types[0].schema;

    for (apr_size_t i = 0; i < COUNT(types); i++) {
        if (strcmp(types[i].word, word) == 0) {
            schema = types[i].schema;
        }
    }
    return json_loads(schema, 0, NULL);
}

static json_t *type_of(apr_pool_t *pool, const char *word)
{
    if (*word == '[') {
        const char *name = apr_pstrmemdup(pool, word + 1, strlen(word) - 2);

        return json_pack("{s:s, s:o}", "type", "array", "items",
                         ua_openapi_ref(pool, "schemas", name));
    }
    return isupper((unsigned char)*word) ? ua_openapi_ref(pool, "schemas", word)
                                         : basic_type(word);
}

/* Of "name?:type name …" */
static json_t *answer_schema(apr_pool_t *pool, const char *members)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    char *state = NULL;

    for (char *name = apr_strtok(apr_pstrdup(pool, members), " ", &state); name;
         name = apr_strtok(NULL, " ", &state)) {
        char *type = strchr(name, ':');
        char *optional = NULL;

        if (type) {
            *type++ = '\0';
        }
        optional = strchr(name, '?');
        if (optional) {
            *optional = '\0';
        }
        else {
            json_array_append_new(required, json_string(name));
        }
        json_object_set_new(properties, name, type_of(pool, type ? type : "string"));
    }
    return json_pack("{s:s, s:o, s:o}", "type", "object", "properties", properties, "required",
                     required);
}

static void add_field(json_t *form, apr_pool_t *pool, const ua_field_t *field)
{
    json_t *schema = basic_type(field->type);
    const char *also =
        field->aliases ? apr_pstrcat(pool, "Also taken as: ", field->aliases, ".", NULL) : "";
    const char *text = apr_pstrcat(pool, field->hint ? field->hint : "",
                                   field->hint && *also ? " " : "", also, NULL);

    ua_json_set(schema, "title", field->label);
    ua_json_set(schema, "description", *text ? text : NULL);
    json_object_set_new(json_object_get(form, "properties"), field->name, schema);
    if (field->required) {
        json_array_append_new(json_object_get(form, "required"), json_string(field->name));
    }
}

json_t *ua_openapi_form(apr_pool_t *pool, const ua_conf_t *conf, const ua_route_t *route)
{
    json_t *form = json_pack("{s:s, s:{}, s:[]}", "type", "object", "properties", "required");
    const apr_array_header_t *own = route->own_fields ? conf->profile_fields : NULL;

    for (const ua_field_t *field = route->fields; field && field->name; field++) {
        add_field(form, pool, field);
    }
    for (int i = 0; own && i < own->nelts; i++) {
        const ua_profile_field_t *row = &APR_ARRAY_IDX(own, i, ua_profile_field_t);
        ua_field_t field = {
            .name = row->name, .label = row->label, .type = "text", .required = row->required};

        add_field(form, pool, &field);
    }
    return form;
}

static json_t *header(const char *name, const char *type)
{
    return json_pack("{s:{s:{s:s}}}", name, "schema", "type", type);
}

/* RFC 9457, with the codes that this status can have. */
static json_t *problem_response(apr_pool_t *pool, int status)
{
    json_t *codes = json_array();
    json_t *schema = NULL;
    json_t *response = NULL;

    for (apr_size_t i = 1; i < COUNT(problems); i++) {
        if (problems[i].status == status) {
            json_array_append_new(codes, json_string(problems[i].code));
        }
    }
    schema = json_pack("{s:[o, {s:{s:{s:i}, s:{s:o}}}]}", "allOf",
                       ua_openapi_ref(pool, "schemas", "Problem"), "properties", "status",
                       "const", status, "code", "enum", codes);
    response = json_pack("{s:s, s:{s:{s:o}, s:{s:{s:s}}}}", "description",
                         "Refused: the code says why.", "content", "application/problem+json",
                         "schema", schema, "text/html", "schema", "type", "string");
    if (status == 401) {
        json_object_set_new(response, "headers", header("WWW-Authenticate", "string"));
    }
    if (status == 429 || status == 503) {
        json_object_set_new(response, "headers", header("Retry-After", "integer"));
    }
    return response;
}

static void add_responses(json_t *components, apr_pool_t *pool)
{
    json_t *list = json_pack("{s:{s:s, s:o}}", "Redirect", "description",
                             "A browser goes on to another page.", "headers",
                             header("Location", "string"));

    for (apr_size_t i = 1; i < COUNT(problems); i++) {
        const char *name = apr_psprintf(pool, "Problem%d", problems[i].status);

        if (!json_object_get(list, name)) {
            json_object_set_new(list, name, problem_response(pool, problems[i].status));
        }
    }
    json_object_set_new(components, "responses", list);
}

void ua_openapi_parts(json_t *components, const ua_req_t *req)
{
    apr_pool_t *pool = req->ctx->pool;
    json_t *all = json_object_get(components, "schemas");

    for (apr_size_t i = 0; i < COUNT(schemas); i++) {
        json_object_set_new(all, schemas[i][0], answer_schema(pool, schemas[i][1]));
    }
    json_object_set_new(all, "Problem",
                        answer_schema(pool, "title status:integer detail code errors?:object "
                                            "suggestion? links?:object"));
    add_responses(components, pool);
    json_object_set_new(components, "securitySchemes",
                        json_pack("{s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s}}", "cookie", "type",
                                  "apiKey", "in", "cookie", "name", ua_site_cookie(req, ""),
                                  "bearer", "type", "http", "scheme", "bearer", "bearerFormat",
                                  "JWT"));
}
