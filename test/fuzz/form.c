/* form.c: fuzzes the body of a form (base/form.c): BODY-12.
 *
 * The oracle reads the body once more, byte by byte and with nothing of the module's but the question whether
 * a code point is assigned: both have to accept or refuse alike, and to find the same fields in the same
 * order. What was accepted, written again, is read as the same.
 */
#include "fuzz.h"
#include "base/form.h"
#include "base/unicode.h"

#include <string.h>

#define MOST_PAIRS 64
#define MOST_BYTES 65536

typedef struct field_t {
    const char *name, *value;
} field_t;

typedef struct fields_t {
    field_t at[MOST_PAIRS];
    int count;
} fields_t;

static int digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* One name or value; NULL when it can't be read. */
static const char *decoded(apr_pool_t *pool, const uint8_t *from, const uint8_t *to)
{
    char *text = apr_pcalloc(pool, (apr_size_t)(to - from) + 1);
    char *end = text;

    for (; from < to; from++) {
        int high = *from == '%' && to - from > 2 ? digit(from[1]) : -1;
        int low = high < 0 ? -1 : digit(from[2]);

        if (*from == 0 || (*from == '%' && (low < 0 || high + low == 0))) {
            return NULL;
        }
        *end++ = *from == '+' ? ' ' : (char)*from;
        if (*from == '%') {
            end[-1] = (char)(high * 16 + low);
            from += 2;
        }
    }
    return fuzz_plain_utf8(text, (size_t)(end - text)) &&
                   ua_utf8_valid(text, (size_t)(end - text))
               ? text
               : NULL;
}

/* ASCII letters alike. */
static int same_name(const char *a, const char *b)
{
    while (*a &&
           (*a == *b || ((*a ^ *b) == 0x20 && (*a | 0x20) >= 'a' && (*a | 0x20) <= 'z'))) {
        a++;
        b++;
    }
    return *a == *b;
}

static int add(fields_t *fields, const char *name, const char *value)
{
    if (!name || !value) {
        return 0;
    }
    for (int i = 0; i < fields->count; i++) {
        if (same_name(fields->at[i].name, name)) {
            return 0;
        }
    }
    fields->at[fields->count++] = (field_t){name, value};
    return 1;
}

/* What the body says; 0 when it has to be refused. */
static int read_body(fields_t *fields, apr_pool_t *pool, const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;
    int pairs = 0;

    for (int more = 1; more; pairs++) {
        const uint8_t *stop = at;
        const uint8_t *equals = NULL;

        for (; stop < end && *stop != '&'; stop++) {
            equals = equals || *stop != '=' ? equals : stop;
        }
        if (pairs == MOST_PAIRS ||
            (stop > at && !add(fields, decoded(pool, at, equals ? equals : stop),
                               equals ? decoded(pool, equals + 1, stop) : ""))) {
            return 0;
        }
        more = stop < end;
        at = stop + more;
    }
    return size <= MOST_BYTES;
}

static void check_same(const fields_t *fields, const apr_table_t *table)
{
    const apr_array_header_t *pairs = apr_table_elts(table);

    FUZZ_CHECK(pairs->nelts == fields->count, "%d fields, not %d", pairs->nelts, fields->count);
    for (int i = 0; i < pairs->nelts; i++) {
        const apr_table_entry_t *pair = &APR_ARRAY_IDX(pairs, i, apr_table_entry_t);

        FUZZ_CHECK(fuzz_same(pair->key, fields->at[i].name) &&
                       fuzz_same(pair->val, fields->at[i].value),
                   "field %d is \"%s\"=\"%s\", not \"%s\"=\"%s\"", i, pair->key, pair->val,
                   fields->at[i].name, fields->at[i].value);
    }
}

/* Every byte as an escape, and the "=" always. `size` is that of the body they were read from. */
static const char *encoded(apr_pool_t *pool, const fields_t *fields, size_t size)
{
    char *body = apr_palloc(pool, size * 3 + 2 * MOST_PAIRS + 1);
    char *end = body;

    for (int i = 0; i < fields->count; i++) {
        for (const char *at = fields->at[i].name; *at; at++) {
            end += apr_snprintf(end, 4, "%%%02X", (unsigned)(uint8_t)*at);
        }
        *end++ = '=';
        for (const char *at = fields->at[i].value; *at; at++) {
            end += apr_snprintf(end, 4, "%%%02x", (unsigned)(uint8_t)*at);
        }
        *end++ = '&';
    }
    end -= end > body;
    *end = 0;
    return body;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fields_t fields = {.count = 0};
    apr_table_t *untouched = apr_table_make(pool, 1);
    apr_table_t *table = untouched;
    int good = read_body(&fields, pool, data, size);
    apr_status_t rv = ua_form_parse(&table, pool, (const char *)data, size);
    const char *again = NULL;

    FUZZ_CHECK(rv == (good ? APR_SUCCESS : APR_EINVAL), "status %d of a %s body", rv,
               good ? "good" : "bad");
    FUZZ_CHECK(good || table == untouched, "a refused body changed the result");
    if (!good) {
        return 0;
    }
    check_same(&fields, table);
    again = encoded(pool, &fields, size);
    if (strlen(again) <= MOST_BYTES) {
        FUZZ_CHECK(ua_form_parse(&table, pool, again, strlen(again)) == APR_SUCCESS,
                   "refused when written again: %s", again);
        check_same(&fields, table);
    }
    return 0;
}
