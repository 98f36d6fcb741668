/* json.c: ties jansson's counted references to APR pools, so that nobody has to drop one.
 *
 * Text that is not UTF-8 cannot be set: jansson refuses it, and the member is then absent.
 */
#include "json.h"

static apr_status_t value_drop(void *value)
{
    json_decref(value);
    return APR_SUCCESS;
}

json_t *ua_json_own(apr_pool_t *pool, json_t *value)
{
    if (value) {
        apr_pool_cleanup_register(pool, value, value_drop, apr_pool_cleanup_null);
    }
    return value;
}

json_t *ua_json_object(apr_pool_t *pool)
{
    return ua_json_own(pool, json_object());
}

const char *ua_json_text(apr_pool_t *pool, const json_t *value)
{
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    size_t length = json_dumpb(value, NULL, 0, flags);
    char *text = apr_palloc(pool, length + 1);

    length = json_dumpb(value, text, length, flags);
    text[length] = '\0';
    return text;
}

void ua_json_set(json_t *object, const char *name, const char *text)
{
    if (text) {
        json_object_set_new(object, name, json_string(text));
    }
}

void ua_json_set_number(json_t *object, const char *name, apr_int64_t number)
{
    json_object_set_new(object, name, json_integer(number));
}

void ua_json_set_flag(json_t *object, const char *name, int flag)
{
    json_object_set_new(object, name, json_boolean(flag));
}

const char *ua_json_get(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}
