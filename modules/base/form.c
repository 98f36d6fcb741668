/* form.c: see form.h.
 *
 * Memory is bounded before anything is made: the body's bytes, then its pairs. httpd's own parser counts
 * no empty pairs, and 4 MB of "=&" made a child grow by 955 MB. Errors do not say what was wrong: a
 * browser never sends such a body, and an attacker needs no help.
 */
#include "form.h"
#include "json.h"
#include "unicode.h"

#include <apr_cstr.h>
#include <apr_escape.h>
#include <string.h>

/* Not apr_table_get(): it compares by the locale, and in a Turkish one "I" is not an "i". */
static int is_given(const apr_table_t *table, const char *name)
{
    const apr_array_header_t *pairs = apr_table_elts(table);
    const apr_table_entry_t *pair = (const apr_table_entry_t *)(const void *)pairs->elts;

    for (int i = 0; i < pairs->nelts; i++) {
        if (apr_cstr_casecmp(pair[i].key, name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Adds one pair of texts that live in the table's pool; NULL is what could not be decoded. */
static apr_status_t pair_add(apr_table_t *table, const char *name, const char *value)
{
    if (!name || !value || apr_table_elts(table)->nelts >= UA_BODY_PAIRS) {
        return APR_EINVAL;
    }
    if (!ua_utf8_valid(name, strlen(name)) || !ua_utf8_valid(value, strlen(value)) ||
        is_given(table, name)) {
        return APR_EINVAL;
    }
    apr_table_addn(table, name, value);
    return APR_SUCCESS;
}

/* "name=value", "name" or "". apr_punescape_url() is NULL for a bad escape and for %00. */
static apr_status_t pair_parse(apr_table_t *table, apr_pool_t *pool, char *pair)
{
    char *value = strchr(pair, '=');

    if (*pair == 0) {
        return APR_SUCCESS;
    }
    if (value) {
        *value++ = 0;
    }
    return pair_add(table, apr_punescape_url(pool, pair, NULL, NULL, 1),
                    apr_punescape_url(pool, value ? value : "", NULL, NULL, 1));
}

static int pairs_count(const char *body, apr_size_t length)
{
    int count = 1;

    for (apr_size_t i = 0; i < length; i++) {
        count += body[i] == '&';
    }
    return count;
}

apr_status_t ua_form_parse(apr_table_t **out, apr_pool_t *pool, const char *body,
                           apr_size_t length)
{
    apr_status_t rv = APR_SUCCESS;
    apr_table_t *table = NULL;
    char *rest = NULL;

    if (length > UA_BODY_BYTES || pairs_count(body, length) > UA_BODY_PAIRS) {
        return APR_EINVAL;
    }
    if (length > 0 && memchr(body, 0, length)) {
        return APR_EINVAL;
    }
    table = apr_table_make(pool, 8);
    rest = length > 0 ? apr_pstrmemdup(pool, body, length) : NULL;
    while (rest && rv == APR_SUCCESS) {
        rv = pair_parse(table, pool, strsep(&rest, "&"));
    }
    if (rv == APR_SUCCESS) {
        *out = table;
    }
    return rv;
}

/* Flags, known by their addresses. */
static const char yes[] = "1";
static const char no[] = "0";

int ua_form_was_flag(const char *value)
{
    return value == yes || value == no;
}

/* The text of a JSON value; NULL for one that no field of a form can have. */
static const char *value_text(apr_pool_t *pool, const json_t *value)
{
    json_type type = json_typeof(value);
    json_int_t number = json_integer_value(value);

    if (type == JSON_STRING) {
        return apr_pstrdup(pool, json_string_value(value));
    }
    if (type == JSON_TRUE || type == JSON_FALSE) {
        return type == JSON_TRUE ? yes : no;
    }
    if (type == JSON_INTEGER && (number == 0 || number == 1)) {
        return number == 1 ? yes : no;
    }
    return NULL;
}

apr_status_t ua_form_parse_json(apr_table_t **out, apr_pool_t *pool, const char *body,
                                apr_size_t length)
{
    apr_status_t rv = APR_SUCCESS;
    apr_table_t *table = NULL;
    json_t *object = NULL;

    if (length == 0 || length > UA_BODY_BYTES) {
        return APR_EINVAL;
    }
    /* Without JSON_ALLOW_NUL a NUL, written or escaped, is an error; so is nesting over 2048. */
    object = ua_json_own(pool, json_loadb(body, length, JSON_REJECT_DUPLICATES, NULL));
    if (!json_is_object(object)) {
        return APR_EINVAL;
    }
    table = apr_table_make(pool, 8);
    for (void *at = json_object_iter(object); at && rv == APR_SUCCESS;
         at = json_object_iter_next(object, at)) {
        rv = pair_add(table, apr_pstrdup(pool, json_object_iter_key(at)),
                      value_text(pool, json_object_iter_value(at)));
    }
    if (rv == APR_SUCCESS) {
        *out = table;
    }
    return rv;
}
