/* template.c: fuzzes Mustache templates (base/template*.c). The input is up to 8 files with form feeds between,
 * called a, b, c …, each once as .html and once as .txt; a is the page.
 *
 * The values of the view begin with \001 and end with \002, which no template may hold: what stands between
 * them in the output is exactly the value, escaped in .html. A page without tags is itself; two renderings are
 * one; whatever loads stays within the bounds, and what does not says why.
 */
#include "fuzz.h"
#include "base/json.h"
#include "base/template.h"

#include <string.h>

#define FILES   8
#define RAW     "<&>\"'`{{x}}</script>"
#define ESCAPED "&lt;&amp;&gt;&quot;&#39;`{{x}}&lt;/script&gt;"
#define MOST    1048576

typedef struct files_t {
    const char *at[FILES];
    int count;
    int asked; /* how often a file was read */
} files_t;

/* "c.html" is the third file. */
static apr_status_t source(void *baton, apr_pool_t *pool, const char *name, const char **text,
                           apr_size_t *length, const char **where)
{
    files_t *files = baton;
    int index = name[0] - 'a';

    (void)pool;
    files->asked++;
    if (index < 0 || index >= files->count || name[1] != '.') {
        return APR_NOTFOUND;
    }
    *text = files->at[index];
    *length = strlen(*text);
    *where = name;
    return APR_SUCCESS;
}

static json_t *view_make(apr_pool_t *pool)
{
    json_t *view = ua_json_own(
        pool,
        json_loads("{\"x\":\"\\u0001\\u0002\",\"n\":-1.5,\"big\":1e300,\"z\":0,\"t\":true,"
                   "\"f\":false,\"e\":\"\",\"u\":null,\"o\":{\"x\":\"\",\"p\":{}},\"l\":[],"
                   "\"m\":[1,\"\",{\"k\":[[],{}]},[3,4]]}",
                   0, NULL));

    FUZZ_CHECK(view, "no view");
    ua_json_set(view, "v", "\001" RAW "\002");
    ua_json_set(json_object_get(view, "o"), "v", "\001" RAW "\002");
    json_array_append_new(json_object_get(view, "m"), json_string("\001" RAW "\002"));
    return view;
}

/* Everything between the two marks is the value or nothing. */
static void check_values(const char *text, const char *value)
{
    for (const char *at = strchr(text, 1); at; at = strchr(at + 1, 1)) {
        const char *end = strchr(at, 2);
        size_t length = end ? (size_t)(end - at - 1) : 0;

        FUZZ_CHECK(end, "a value without its end: %s", at);
        FUZZ_CHECK(length == 0 ||
                       (length == strlen(value) && strncmp(at + 1, value, length) == 0),
                   "written as: %.*s", (int)length, at + 1);
    }
}

/* Texts without a tag are what they are, but for a byte order mark. */
static void check_plain(const char *file, const char *text)
{
    if (!strstr(file, "{{")) {
        file += strncmp(file, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        FUZZ_CHECK(fuzz_same(file, text), "a text without tags becomes \"%s\"", text);
    }
}

/* The page; "" when it would be too large. */
static const char *render(apr_pool_t *pool, const ua_templates_t *set, const char *name,
                          const files_t *files)
{
    const char *text = "untouched";
    const char *again = "untouched";
    const json_t *view = view_make(pool);
    apr_status_t rv = ua_template_render(&text, pool, set, name, view);

    FUZZ_CHECK(rv == APR_SUCCESS || rv == APR_ENOMEM, "status %d of a page that was loaded",
               rv);
    FUZZ_CHECK(rv == ua_template_render(&again, pool, set, name, view) &&
                   fuzz_same(text, again),
               "two renderings differ");
    if (rv != APR_SUCCESS) {
        FUZZ_CHECK(fuzz_same(text, "untouched"), "a failure changed the result");
        return "";
    }
    FUZZ_CHECK(strlen(text) <= MOST, "%zu bytes", strlen(text));
    check_values(text, strstr(name, ".html") ? ESCAPED : RAW);
    check_plain(files->at[0], text);
    return text;
}

/* A form that posts, on a page where the name of its field never stands, is missing it. */
static void check_forms(const ua_templates_t *set, const char *name, const files_t *files,
                        const char *page)
{
    int lacks = ua_template_lacks(set, name, "csrf");
    int known = 0;

    for (int i = 0; i < files->count; i++) {
        known |= strstr(files->at[i], "csrf") != NULL;
    }
    FUZZ_CHECK(lacks || known || !strcasestr(page, "<form method=post>"),
               "a form without its field is not missed");
    FUZZ_CHECK(known || !ua_template_says(set, name, "csrf"), "a field out of nowhere");
    FUZZ_CHECK(!lacks || strcasestr(files->at[0], "<form") || strstr(files->at[0], "{{"),
               "a field is missed where there is no form");
}

static void check_set(apr_pool_t *pool, files_t *files, const char *name)
{
    const char *const names[] = {name, NULL};
    ua_templates_t *set = NULL;
    const char *why = NULL;
    apr_status_t rv = ua_templates_load(&set, pool, names, source, files, &why);

    if (rv != APR_SUCCESS) {
        FUZZ_CHECK(rv == APR_EINVAL && !set, "status %d of a bad page", rv);
        FUZZ_CHECK(why && strchr(why, ':') && strlen(why) > 10, "refused without words");
        return;
    }
    FUZZ_CHECK(set && !why, "loaded, and yet: %s", why);
    FUZZ_CHECK(files->asked <= FILES, "%d files were read", files->asked);
    check_forms(set, name, files, render(pool, set, name, files));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    files_t files = {.count = 0};

    do {
        files.at[files.count++] = fuzz_part(&input, pool);
    } while (files.count < FILES && input.left > 0);
    check_set(pool, &files, "a.html");
    files.asked = 0;
    check_set(pool, &files, "a.txt");
    return 0;
}
