/* cookie.c: fuzzes the Cookie header (base/cookie.c): COOK-01. The input is the header.
 *
 * The oracle reads the header from its end, byte by byte, and has to find the same value. What
 * ua_cookie_text() writes for that value is one line, and read back it is the value.
 */
#include "fuzz.h"
#include "base/cookie.h"

#include <stdlib.h>
#include <string.h>

#define OURS      "userauth"
#define MOST      512
#define MOST_LONG 2048

static int is_value_byte(char byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') ||
           byte == '.' || byte == '_' || byte == '-';
}

/* Of one piece between semicolons: its value when it has this name, else NULL. */
static const char *value_of(apr_pool_t *pool, const char *from, const char *to,
                            const char *name)
{
    size_t length = strlen(name);

    for (; to > from && (to[-1] == ' ' || to[-1] == '\t');) {
        to--;
    }
    for (; from < to && (*from == ' ' || *from == '\t');) {
        from++;
    }
    if ((size_t)(to - from) <= length || strncmp(from, name, length) != 0 ||
        from[length] != '=') {
        return NULL;
    }
    from += length + 1;
    return apr_pstrmemdup(pool, from, (apr_size_t)(to - from));
}

/* What the header says: the one value of all pairs of this name, if one of ours could be so. */
static const char *expected(apr_pool_t *pool, const char *header, const char *name, size_t most)
{
    const char *found = NULL;
    const char *end = header + strlen(header);

    for (const char *at = end; at >= header; at--) {
        const char *value = NULL;

        if (at > header && at[-1] != ';') {
            continue;
        }
        value = value_of(pool, at, end, name);
        if (value && found && strcmp(value, found) != 0) {
            return NULL;
        }
        found = value ? value : found;
        end = at > header ? at - 1 : at;
    }
    for (size_t i = 0; found && found[i]; i++) {
        found = i < most && is_value_byte(found[i]) ? found : NULL;
    }
    return found && *found ? found : NULL;
}

/* One line that gives the value back, and ends after the attributes that were asked for. */
static void check_text(apr_pool_t *pool, const ua_cookie_t *cookie)
{
    const char *text = ua_cookie_text(pool, cookie);
    const char *tail = strchr(text, ';');
    const char *header = apr_pstrcat(pool, "x=y; ", text, "; z=", NULL);
    const char *age = strstr(text, "; Max-Age=");

    FUZZ_CHECK(tail && strncmp(tail, "; Path=/; HttpOnly; SameSite=Lax", 32) == 0 &&
                   text[strcspn(text, "\r\n")] == 0,
               "not as it should be: %s", text);
    FUZZ_CHECK((strstr(text, "; Secure") != NULL) == cookie->secure, "Secure: %s", text);
    FUZZ_CHECK((age != NULL) == (cookie->age > 0) &&
                   (!age || strtoll(age + strlen("; Max-Age="), NULL, 10) == cookie->age),
               "Max-Age: %s", text);
    FUZZ_CHECK(fuzz_same(ua_cookie_get(pool, header, cookie->name), cookie->value),
               "\"%s\" is read back as another value from: %s", cookie->value, header);
}

static void check_name(apr_pool_t *pool, const char *header, const char *name)
{
    const char *value = ua_cookie_get(pool, header, name);
    const char *longer = ua_cookie_get_long(pool, header, name, MOST_LONG);
    const char *right = expected(pool, header, name, MOST);
    ua_cookie_t cookie = {name, value, (apr_int64_t)strlen(header), strlen(header) % 2 == 1};

    FUZZ_CHECK(fuzz_same(value, right), "%s is \"%s\", not \"%s\"", name,
               value ? value : "(none)", right ? right : "(none)");
    FUZZ_CHECK(fuzz_same(longer, expected(pool, header, name, MOST_LONG)),
               "%s is \"%s\" among longer ones", name, longer ? longer : "(none)");
    FUZZ_CHECK(!value || fuzz_same(value, longer), "%s depends on the bound", name);
    if (value) {
        check_text(pool, &cookie);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    const char *header = fuzz_rest(&input, pool);

    check_name(pool, header, OURS);
    check_name(pool, header, "__Host-" OURS);
    check_name(pool, header, "a");
    return 0;
}
