/* conf_lines.h: configuration lines by name, for the test programs of conf.c. */
#ifndef CONF_LINES_H
#define CONF_LINES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/conf.h"

#include <apr_general.h>
#include <string.h>

#define COUNT(table)   (sizeof(table) / sizeof *(table))
#define SECOND         ((apr_int64_t)1000000)
#define HOUR           (3600 * SECOND)
#define DAY            (24 * HOUR)
#define SET(conf, ...) set(conf, "a.conf:1", __VA_ARGS__, NULL)

static apr_pool_t *pool;

static inline int index_of(const char *name)
{
    int i = 0;

    while (i < UA_DIRECTIVES && strcmp(ua_directives[i].name, name) != 0) {
        i++;
    }
    if (i == UA_DIRECTIVES) {
        fail_msg("no such directive: %s", name);
    }
    return i;
}

/* One line of a configuration: the directive's name and its words. */
static inline __attribute__((sentinel)) const char *set(ua_conf_t *conf, const char *where,
                                                        const char *name, ...)
{
    const char *words[20];
    int count = 0;
    va_list rest;

    va_start(rest, name);
    for (const char *word = va_arg(rest, const char *); word; word = va_arg(rest, char *)) {
        words[count++] = word;
    }
    va_end(rest);
    return ua_conf_set(conf, pool, index_of(name), count, words, where);
}

static inline apr_int64_t number_in(const ua_conf_t *conf, int row)
{
    apr_int64_t value = 0;

    memcpy(&value, (const char *)conf + ua_directives[row].offset, sizeof value);
    return value;
}

static inline int pool_make(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static inline int pool_drop(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

#define pool_test(function) cmocka_unit_test_setup_teardown(function, pool_make, pool_drop)

#endif
