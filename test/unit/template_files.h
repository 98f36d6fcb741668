/* template_files.h: template files in memory, for the test programs of template*.c. */
#ifndef UA_TEST_TEMPLATE_FILES_H
#define UA_TEST_TEMPLATE_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/template.h"
#include <string.h>

typedef struct file_t {
    const char *name; /* NULL ends a list */
    const char *text;
} file_t;

/* A ua_template_source_f over a list of files. */
static inline apr_status_t files_source(void *baton, apr_pool_t *pool, const char *name,
                                        const char **text, apr_size_t *length,
                                        const char **where)
{
    (void)where;
    for (const file_t *file = baton; file->name; file++) {
        if (strcmp(file->name, name) == 0) {
            *text = apr_pstrdup(pool, file->text);
            *length = strlen(file->text);
            return APR_SUCCESS;
        }
    }
    return APR_NOTFOUND;
}

/* Loads one page and all it refers to. */
static inline apr_status_t files_load(ua_templates_t **out, apr_pool_t *pool,
                                      const file_t *files, const char *name, const char **why)
{
    const char *names[] = {name, NULL};
    file_t list[24];
    int count = 0;

    for (; files[count].name; count++) {
        list[count] = files[count];
    }
    list[count] = files[count];
    return ua_templates_load(out, pool, names, files_source, list, why);
}

/* A page that must not load, and the whole message that says why. */
typedef struct refusal_t {
    const char *comment, *name, *why;
    file_t files[4];
} refusal_t;

static inline void refusal_check(const refusal_t *expected)
{
    file_t files[5] = {{NULL, NULL}};
    ua_templates_t *templates = NULL;
    const char *why = "";
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    memcpy(files, expected->files, sizeof(expected->files));
    if (files_load(&templates, pool, files, expected->name, &why) != APR_EINVAL ||
        strcmp(why, expected->why) != 0 || templates) {
        fail_msg("%s: got <%s>", expected->comment, why);
    }
    apr_pool_destroy(pool);
}

static inline void refusals_check(const refusal_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        refusal_check(&cases[i]);
    }
}

#endif
