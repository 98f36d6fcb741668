/* json.h: jansson values that live as long as a pool. */
#ifndef UA_JSON_H
#define UA_JSON_H

#include "base.h"
#include <jansson.h>

/* Ties a new reference to the pool and returns it; NULL stays NULL. */
json_t *ua_json_own(apr_pool_t *pool, json_t *value);

/* A new empty object owned by the pool. */
json_t *ua_json_object(apr_pool_t *pool);

/* Compact UTF-8 text in the pool; keys in order of insertion. */
const char *ua_json_text(apr_pool_t *pool, const json_t *value);

/* Sets a text, number or flag; a NULL text sets nothing. */
void ua_json_set(json_t *object, const char *name, const char *text);
void ua_json_set_number(json_t *object, const char *name, apr_int64_t number);
void ua_json_set_flag(json_t *object, const char *name, int flag);

/* The text at `name`, or "" */
const char *ua_json_get(const json_t *object, const char *name);

#endif
