/* routes.c: finds the row of a path among the features' routes. */
#include "app.h"
#include "features/features.h"

#include <string.h>

static const ua_feature_t *const features[] = {
#define ROW(name) &ua_feature_##name,
    UA_FEATURES(ROW)
#undef ROW
        NULL};

void ua_routes_each(ua_route_visit_f *visit, void *baton)
{
    for (const ua_feature_t *const *feature = features; *feature; feature++) {
        for (const ua_route_t *route = (*feature)->routes; route->path; route++) {
            visit(baton, route);
        }
    }
}

static int is_well_known(const char *path)
{
    return strcmp(path, UA_WELL_KNOWN) == 0 || strcmp(path, UA_NOT_KNOWN) == 0;
}

int ua_app_owns(const ua_conf_t *conf, ua_area_e area, const char *path)
{
    const char *prefix = area == UA_AREA_PUBLIC ? conf->path : conf->dashboard_path;
    apr_size_t length = strlen(prefix);

    if (area == UA_AREA_PUBLIC && is_well_known(path)) {
        return 1;
    }
    return strncmp(path, prefix, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* "members/" + "*" takes any one segment. */
static int is_match(const char *pattern, const char *rest)
{
    apr_size_t stem = strlen(pattern);

    if (stem == 0 || pattern[stem - 1] != '*') {
        return strcmp(pattern, rest) == 0;
    }
    stem--;
    return strncmp(pattern, rest, stem) == 0 && rest[stem] != '\0' && !strchr(rest + stem, '/');
}

typedef struct search_t {
    ua_area_e area;
    const char *rest; /* of the path, behind the prefix and its slash */
    const ua_route_t *found;
} search_t;

static void compare(void *baton, const ua_route_t *route)
{
    search_t *search = baton;

    if (route->area == search->area && is_match(route->path, search->rest)) {
        search->found = route;
    }
}

const ua_route_t *ua_route_find(const ua_conf_t *conf, const char *path)
{
    search_t search = {UA_AREA_PUBLIC, NULL, NULL};
    const char *prefix = conf->path;

    if (ua_app_owns(conf, UA_AREA_PERSONAL, path)) {
        search.area = UA_AREA_PERSONAL;
        prefix = conf->dashboard_path;
    }
    else if (!ua_app_owns(conf, UA_AREA_PUBLIC, path)) {
        return NULL;
    }
    if (is_well_known(path)) {
        return NULL;
    }
    search.rest = path + strlen(prefix);
    if (strcmp(search.rest, "/") == 0) {
        return NULL;
    }
    search.rest += *search.rest == '/';
    ua_routes_each(compare, &search);
    return search.found;
}

/* An operator's field as a row of the form. */
static ua_field_t field_of(const ua_profile_field_t *own)
{
    ua_field_t field = {.name = own->name,
                        .label = own->label,
                        .type = "text",
                        .required = own->required,
                        .hint = own->is_public ? "Other members can see this." : NULL,
                        .check = ua_check_own_field};

    return field;
}

const ua_field_t *ua_route_fields(const ua_conf_t *conf, apr_pool_t *pool,
                                  const ua_route_t *route)
{
    static const ua_field_t none = {0};
    apr_array_header_t *all = NULL;

    if (!route || !route->own_fields || !conf->profile_fields) {
        return route && route->fields ? route->fields : &none;
    }
    all = apr_array_make(pool, 16, sizeof(ua_field_t));
    for (const ua_field_t *field = route->fields; field && field->name; field++) {
        APR_ARRAY_PUSH(all, ua_field_t) = *field;
    }
    for (int i = 0; i < conf->profile_fields->nelts; i++) {
        APR_ARRAY_PUSH(all, ua_field_t) =
            field_of(&APR_ARRAY_IDX(conf->profile_fields, i, ua_profile_field_t));
    }
    APR_ARRAY_PUSH(all, ua_field_t) = none;
    return (const ua_field_t *)(void *)all->elts;
}
