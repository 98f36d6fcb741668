/* openapi.h: between openapi.c, which describes the paths, and openapi_parts.c, which describes what
 * they refer to. */
#ifndef UA_OPENAPI_H
#define UA_OPENAPI_H

#include "feature.h"

/* What a route does by one method, beyond its row. */
typedef struct ua_operation_t {
    ua_method_e method;
    ua_area_e area;
    const char *path;
    const char *summary;
    int status; /* of a success in JSON */
    const char *schema;
    const char *query;    /* names of parameters */
    const char *refusals; /* statuses */
} ua_operation_t;

/* NULL when there is none. */
const ua_operation_t *ua_openapi_operation(const ua_route_t *route, ua_method_e method);

/* {"$ref":"#/components/<kind>/<name>"}, a new reference. */
json_t *ua_openapi_ref(apr_pool_t *pool, const char *kind, const char *name);

/* The JSON schema of a route's form, the operator's own fields included; a new reference. */
json_t *ua_openapi_form(apr_pool_t *pool, const ua_conf_t *conf, const ua_route_t *route);

/* Adds schemas, responses and security schemes to "components". */
void ua_openapi_parts(json_t *components, const ua_req_t *req);

#endif
