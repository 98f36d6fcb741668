/* json.c: ties jansson's counted references to APR pools, so that nobody has to drop one.
 *
 * Text that is not UTF-8 cannot be set: jansson refuses it, and the member is then absent.
 */
#include "json.h"

#include <string.h>

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

/* Where mod_include filters every answer a "<" could begin a directive, which anybody can make a display name of. Only
 * strings hold one. */
static const char *without_tags(apr_pool_t *pool, const char *text, size_t length)
{
    static const char escape[] = "\\u003c";
    char *out = NULL;
    char *to = NULL;
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        count += text[i] == '<';
    }
    if (count == 0) {
        return text;
    }
    out = to = apr_palloc(pool, length + count * (sizeof escape - 2) + 1);
    for (size_t i = 0; i < length; i++) {
        size_t bytes = text[i] == '<' ? sizeof escape - 1 : 1;

        memcpy(to, bytes > 1 ? escape : text + i, bytes);
        to += bytes;
    }
    *to = '\0';
    return out;
}

const char *ua_json_text(apr_pool_t *pool, const json_t *value)
{
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    size_t length = json_dumpb(value, NULL, 0, flags);
    char *text = apr_palloc(pool, length + 1);

    length = json_dumpb(value, text, length, flags);
    text[length] = '\0';
    return without_tags(pool, text, length);
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
