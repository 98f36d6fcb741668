/* json.c: fuzzes a body in JSON (ua_form_parse_json in base/form.c, with base/json.c): BODY-12.
 *
 * The oracle loads the body with jansson by other rules (duplicates and NULs allowed) and says itself which
 * objects are flat and within the bounds. What was accepted is found again member by member; written as JSON
 * it is read as the same.
 */
#include "fuzz.h"
#include "base/form.h"
#include "base/json.h"
#include "base/unicode.h"

#include <string.h>

#define MOST_PAIRS 64
#define MOST_BYTES 65536

static int is_text(const char *text, size_t length)
{
    return !memchr(text, 0, length) && fuzz_plain_utf8(text, length) &&
           ua_utf8_valid(text, length);
}

static int is_value(const json_t *value)
{
    if (json_is_integer(value)) {
        return json_integer_value(value) == 0 || json_integer_value(value) == 1;
    }
    return json_is_boolean(value) ||
           (json_is_string(value) &&
            is_text(json_string_value(value), json_string_length(value)));
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

static int same_name(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

/* How many members have this name, ASCII letters alike. */
static int times(json_t *object, const char *name)
{
    const char *other = NULL;
    json_t *value = NULL;
    int count = 0;

    json_object_foreach(object, other, value)
    {
        count += same_name(name, other);
    }
    return count;
}

/* 1 when this object has to be accepted. jansson drops what stands twice under one name: that is seen before. */
static int is_flat(json_t *object)
{
    const char *name = NULL;
    json_t *value = NULL;

    if (!json_is_object(object) || json_object_size(object) > MOST_PAIRS) {
        return 0;
    }
    json_object_foreach(object, name, value)
    {
        if (!is_text(name, strlen(name)) || !is_value(value) || times(object, name) != 1) {
            return 0;
        }
    }
    return 1;
}

static void check_member(const apr_table_entry_t *pair, const json_t *value)
{
    const char *text = json_string_value(value);

    FUZZ_CHECK(value, "\"%s\" is no member", pair->key);
    FUZZ_CHECK(ua_form_was_flag(pair->val) == !text, "\"%s\" is taken for another type",
               pair->key);
    if (!text) {
        text = json_is_true(value) || json_integer_value(value) == 1 ? "1" : "0";
    }
    FUZZ_CHECK(fuzz_same(pair->val, text), "\"%s\" is \"%s\", not \"%s\"", pair->key, pair->val,
               text);
}

/* The fields as JSON once more. */
static const char *written(apr_pool_t *pool, const apr_table_t *table)
{
    const apr_array_header_t *pairs = apr_table_elts(table);
    json_t *object = ua_json_object(pool);

    for (int i = 0; i < pairs->nelts; i++) {
        const apr_table_entry_t *pair = &APR_ARRAY_IDX(pairs, i, apr_table_entry_t);

        ua_json_set(object, pair->key, pair->val);
    }
    return ua_json_text(pool, object);
}

static void check_again(apr_pool_t *pool, const apr_table_t *table)
{
    const char *text = written(pool, table);
    apr_table_t *again = NULL;

    if (strlen(text) > MOST_BYTES) {
        return;
    }
    FUZZ_CHECK(ua_form_parse_json(&again, pool, text, strlen(text)) == APR_SUCCESS,
               "refused when written again: %s", text);
    FUZZ_CHECK(fuzz_same(text, written(pool, again)), "another when written again: %s", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *body = (const char *)data;
    apr_table_t *untouched = apr_table_make(pool, 1);
    apr_table_t *table = untouched;
    apr_status_t rv = ua_form_parse_json(&table, pool, body, size);
    json_t *all = ua_json_own(pool, json_loadb(body, size, JSON_ALLOW_NUL, NULL));
    json_t *unique = ua_json_own(pool, json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL));
    int good = size <= MOST_BYTES && all && unique && is_flat(all);
    const apr_array_header_t *pairs = apr_table_elts(table);

    FUZZ_CHECK(rv == (good ? APR_SUCCESS : APR_EINVAL), "status %d of a %s body", rv,
               good ? "good" : "bad");
    FUZZ_CHECK(good || table == untouched, "a refused body changed the result");
    if (!good) {
        return 0;
    }
    FUZZ_CHECK((size_t)pairs->nelts == json_object_size(all), "%d fields", pairs->nelts);
    for (int i = 0; i < pairs->nelts; i++) {
        const apr_table_entry_t *pair = &APR_ARRAY_IDX(pairs, i, apr_table_entry_t);

        check_member(pair, json_object_get(all, pair->key));
    }
    check_again(pool, table);
    return 0;
}
