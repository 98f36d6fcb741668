/* cookie.c: the Cookie header read in one pass, the Set-Cookie header written.
 *
 * Reading is strict because our values are: a name has to stand right before its "=", and a value
 * that we cannot have set is no value. A name that is only the beginning of another never matches.
 */
#include "cookie.h"

#include <string.h>

#define VALUE_BYTES 512

typedef struct span_t {
    const char *at;
    apr_size_t length;
} span_t;

static int blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* The value of the pair when it has this name, without blanks at its ends; else an `at` of NULL. */
static span_t pair_value(const char *pair, apr_size_t length, const char *name,
                         apr_size_t name_length)
{
    span_t value = {NULL, 0};

    while (length && blank(*pair)) {
        pair++;
        length--;
    }
    while (length && blank(pair[length - 1])) {
        length--;
    }
    if (length > name_length && pair[name_length] == '=' &&
        memcmp(pair, name, name_length) == 0) {
        value.at = pair + name_length + 1;
        value.length = length - name_length - 1;
    }
    return value;
}

/* What our values are made of. This is asked for each byte of a gated request's cookie. */
__extension__ static const char value_bytes[256] = {
    ['a' ... 'z'] = 1, ['A' ... 'Z'] = 1, ['0' ... '9'] = 1, ['.'] = 1, ['_'] = 1, ['-'] = 1};

static int value_valid(span_t value, apr_size_t most)
{
    if (value.length < 1 || value.length > most) {
        return 0;
    }
    for (apr_size_t i = 0; i < value.length; i++) {
        if (!value_bytes[(unsigned char)value.at[i]]) {
            return 0;
        }
    }
    return 1;
}

static int same(span_t a, span_t b)
{
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

const char *ua_cookie_get_long(apr_pool_t *pool, const char *header, const char *name,
                               apr_size_t most)
{
    apr_size_t name_length = strlen(name);
    span_t found = {NULL, 0};
    const char *pair = header;

    while (pair && *pair) {
        apr_size_t length = strcspn(pair, ";");
        span_t value = pair_value(pair, length, name, name_length);

        if (value.at && found.at && !same(value, found)) {
            return NULL;
        }
        if (value.at) {
            found = value;
        }
        pair += length;
        pair += *pair == ';';
    }
    return found.at && value_valid(found, most) ? apr_pstrmemdup(pool, found.at, found.length)
                                                : NULL;
}

const char *ua_cookie_get(apr_pool_t *pool, const char *header, const char *name)
{
    return ua_cookie_get_long(pool, header, name, VALUE_BYTES);
}

const char *ua_cookie_text(apr_pool_t *pool, const ua_cookie_t *cookie)
{
    const char *text =
        apr_pstrcat(pool, cookie->name, "=", cookie->value, "; Path=/; HttpOnly; SameSite=Lax",
                    cookie->secure ? "; Secure" : "", NULL);

    if (!cookie->value[0]) {
        return apr_pstrcat(pool, text, "; Max-Age=0", NULL);
    }
    if (cookie->age > 0) {
        return apr_psprintf(pool, "%s; Max-Age=%" APR_INT64_T_FMT, text, cookie->age);
    }
    return text;
}
