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

int ua_app_owns(const ua_conf_t *conf, ua_area_e area, const char *path)
{
    const char *prefix = area == UA_AREA_PUBLIC ? conf->path : conf->dashboard_path;
    apr_size_t length = strlen(prefix);

    return strncmp(path, prefix, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

typedef struct search_t {
    ua_area_e area;
    const char *rest; /* of the path, behind the prefix and its slash */
    const ua_route_t *found;
} search_t;

static void compare(void *baton, const ua_route_t *route)
{
    search_t *search = baton;

    if (route->area == search->area && strcmp(route->path, search->rest) == 0) {
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
    search.rest = path + strlen(prefix);
    if (strcmp(search.rest, "/") == 0) {
        return NULL;
    }
    search.rest += *search.rest == '/';
    ua_routes_each(compare, &search);
    return search.found;
}
