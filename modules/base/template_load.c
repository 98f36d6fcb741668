/* template_load.c: reads the templates and all they refer to, and refuses what is wrong at start.
 *
 * Each file is asked for once. A file that includes itself, a missing one, text that is not plain
 * UTF-8, and a page that unfolds beyond all bounds are errors that name file and line.
 */
#include "template_parse.h"

#include <string.h>

#define FILE_BYTES 262144
#define FILE_CHAIN 16

apr_status_t ua_template_refuse(const ua_loader_t *loader, const ua_template_t *file, int line,
                                const char *what)
{
    *loader->why = apr_psprintf(loader->set->pool, "%s:%d: %s", file->where, line, what);
    return APR_EINVAL;
}

/* Says what is wrong with the file `name`, where it is named. */
static apr_status_t file_refuse(const ua_loader_t *loader, const char *name,
                                const ua_template_t *from, int line, const char *what)
{
    apr_pool_t *pool = loader->set->pool;

    if (from) {
        return ua_template_refuse(loader, from, line,
                                  apr_psprintf(pool, "\"%s\" %s", name, what));
    }
    *loader->why = apr_psprintf(pool, "%s: this template %s", name, what);
    return APR_EINVAL;
}

static int suffix_is(const char *name, const char *suffix)
{
    apr_size_t length = strlen(name), tail = strlen(suffix);

    return length > tail && strcmp(name + length - tail, suffix) == 0;
}

static int line_has_control(const char *line, apr_size_t length)
{
    for (apr_size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)line[i];

        if ((byte < ' ' && !strchr("\t\r\n", byte)) || byte == 0 || byte == 0x7f) {
            return 1;
        }
    }
    return 0;
}

/* jansson makes a string of well-formed UTF-8 only (RFC 3629). */
static int line_is_utf8(const char *line, apr_size_t length)
{
    json_t *text = json_stringn(line, length);
    int valid = text != NULL;

    json_decref(text);
    return valid;
}

static apr_status_t text_check(const ua_loader_t *loader, const ua_template_t *file,
                               const char *text, apr_size_t length)
{
    const char *end = text + length;
    int line = 1;

    if (length > FILE_BYTES) {
        return ua_template_refuse(loader, file, 1, "the file is larger than 256 KiB");
    }
    for (const char *at = text, *next; at < end; at = next, line++) {
        const char *newline = memchr(at, '\n', (apr_size_t)(end - at));

        next = newline ? newline + 1 : end;
        if (!line_is_utf8(at, (apr_size_t)(next - at))) {
            return ua_template_refuse(loader, file, line, "the text is not UTF-8");
        }
        if (line_has_control(at, (apr_size_t)(next - at))) {
            return ua_template_refuse(loader, file, line, "the text holds a control character");
        }
    }
    return APR_SUCCESS;
}

/* A byte order mark, which some editors write, is no part of the text. */
static apr_size_t mark_length(const char *text, apr_size_t length)
{
    return length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

static apr_status_t file_read(ua_loader_t *loader, ua_template_t *file,
                              const ua_template_t *from, int line)
{
    apr_pool_t *pool = loader->set->pool;
    const char *text = NULL;
    apr_size_t length = 0, mark;
    apr_status_t rv =
        loader->source(loader->baton, pool, file->name, &text, &length, &file->where);

    if (rv == APR_NOTFOUND) {
        return file_refuse(loader, file->name, from, line, "does not exist");
    }
    if (rv != APR_SUCCESS) {
        char reason[120];

        apr_strerror(rv, reason, sizeof(reason));
        return file_refuse(loader, file->name, from, line,
                           apr_pstrcat(pool, "cannot be read: ", reason, NULL));
    }
    UA_CHECK(text_check(loader, file, text, length));
    mark = mark_length(text, length);
    return ua_template_parse(loader, file, text + mark, length - mark);
}

static ua_template_t *file_new(ua_loader_t *loader, const char *name)
{
    ua_templates_t *set = loader->set;
    ua_template_t *file = apr_pcalloc(set->pool, sizeof(*file));

    file->name = apr_pstrdup(set->pool, name);
    file->where = file->name;
    file->html = suffix_is(name, ".html");
    file->root.file = file;
    file->root.line = 1;
    file->next = set->all;
    set->all = file;
    apr_hash_set(set->files, file->name, APR_HASH_KEY_STRING, file);
    return file;
}

apr_status_t ua_template_file(const ua_template_t **out, ua_loader_t *loader, const char *name,
                              const ua_template_t *from, int line)
{
    ua_template_t *file = apr_hash_get(loader->set->files, name, APR_HASH_KEY_STRING);

    if (file && !file->done) {
        return file_refuse(loader, name, from, line, "includes itself");
    }
    if (file) {
        *out = file;
        return APR_SUCCESS;
    }
    if (!suffix_is(name, ".html") && !suffix_is(name, ".txt")) {
        return file_refuse(loader, name, from, line, "is neither .html nor .txt");
    }
    if (loader->chain == FILE_CHAIN) {
        return file_refuse(loader, name, from, line, "is the end of too long a chain of files");
    }
    file = file_new(loader, name);
    loader->chain++;
    UA_CHECK(file_read(loader, file, from, line));
    loader->chain--;
    file->done = 1;
    *out = file;
    return APR_SUCCESS;
}

/* Unfolds the page once, so that no view can make it endless later. */
static apr_status_t file_check(const ua_loader_t *loader, const ua_template_t *file)
{
    const char *text;
    const ua_node_t *at = &file->root;
    apr_pool_t *scratch;
    apr_status_t rv;

    UA_CHECK(apr_pool_create(&scratch, loader->set->pool));
    rv = ua_template_outline(&text, &at, scratch, file, "");
    apr_pool_destroy(scratch);
    if (rv == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    return ua_template_refuse(loader, at->file, at->line,
                              apr_psprintf(loader->set->pool, "here \"%s\" becomes too %s",
                                           file->name, rv == APR_EINVAL ? "deep" : "large"));
}

apr_status_t ua_templates_load(ua_templates_t **out, apr_pool_t *pool, const char *const *names,
                               ua_template_source_f *source, void *baton, const char **why)
{
    ua_templates_t *set = apr_pcalloc(pool, sizeof(*set));
    ua_loader_t loader = {.set = set, .source = source, .baton = baton, .why = why};
    apr_status_t rv = APR_SUCCESS;
    const ua_template_t *file;

    set->pool = pool;
    set->files = apr_hash_make(pool);
    for (; *names && rv == APR_SUCCESS; names++) {
        rv = ua_template_file(&file, &loader, *names, NULL, 0);
    }
    for (file = set->all; file && rv == APR_SUCCESS; file = file->next) {
        rv = file_check(&loader, file);
    }
    if (rv == APR_SUCCESS) {
        *out = set;
    }
    return rv;
}
