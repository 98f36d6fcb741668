/* conf.c: see conf.h. Knows kinds of directives, not single ones. */
#include "conf.h"
#include "text.h"

#include <apr_cstr.h>
#include <apr_lib.h>
#include <stddef.h>
#include <string.h>

const ua_directive_t ua_directives[] = {
#define ROW(kind, member, name, initial, low, high, choices, help)                             \
    {kind, name, offsetof(ua_conf_t, member), initial, low, high, choices, help},
#define UA_TEXT(m, n, d, h)         ROW(UA_KIND_TEXT, m, n, d, 1, 1, NULL, h)
#define UA_LINE(m, n, d, h)         ROW(UA_KIND_LINE, m, n, d, 1, 16, NULL, h)
#define UA_PAIR(m, n, d, h)         ROW(UA_KIND_PAIR, m, n, d, 2, 2, NULL, h)
#define UA_NUMBER(m, n, d, l, g, h) ROW(UA_KIND_NUMBER, m, n, d, l, g, NULL, h)
#define UA_TIME(m, n, d, l, g, h)   ROW(UA_KIND_TIME, m, n, d, l, g, NULL, h)
#define UA_CHOICE(m, n, d, c, h)    ROW(UA_KIND_CHOICE, m, n, d, 1, 1, c, h)
#define UA_LIST(m, n, d, h)         ROW(UA_KIND_LIST, m, n, d, 1, 16, NULL, h)
#include "directives.def"
};

static void *member_of(ua_conf_t *conf, const ua_directive_t *row)
{
    return (void *)((char *)conf + row->offset);
}

static const void *member_in(const ua_conf_t *conf, const ua_directive_t *row)
{
    return (const void *)((const char *)conf + row->offset);
}

ua_conf_t *ua_conf_create(apr_pool_t *pool)
{
    return apr_pcalloc(pool, sizeof(ua_conf_t));
}

static const char *joined(apr_pool_t *pool, const char *between, int argc,
                          const char *const *argv)
{
    const char *line = argv[0];

    for (int i = 1; i < argc; i++) {
        line = apr_pstrcat(pool, line, between, argv[i], NULL);
    }
    return line;
}

static const char *set_number(apr_int64_t *out, apr_pool_t *pool, const ua_directive_t *row,
                              const char *word)
{
    apr_int64_t value = 0;
    apr_size_t digits = strspn(word, "0123456789");

    if (digits == 0 || digits > 18 || word[digits] != '\0' ||
        (value = apr_atoi64(word)) < row->smallest || value > row->largest) {
        return apr_psprintf(pool,
                            "%s is a whole number from %" APR_INT64_T_FMT
                            " to %" APR_INT64_T_FMT ", not \"%s\"",
                            row->name, row->smallest, row->largest, word);
    }
    *out = value;
    return NULL;
}

static const char *set_time(apr_interval_time_t *out, apr_pool_t *pool,
                            const ua_directive_t *row, const char *word)
{
    apr_interval_time_t value = 0;

    if (ua_duration_parse(&value, word) != APR_SUCCESS ||
        value < apr_time_from_sec(row->smallest) || value > apr_time_from_sec(row->largest)) {
        return apr_psprintf(
            pool, "%s is a duration such as 90s, 15m, 24h or 7d, from %s to %s, not \"%s\"",
            row->name, ua_duration_words(pool, apr_time_from_sec(row->smallest)),
            ua_duration_words(pool, apr_time_from_sec(row->largest)), word);
    }
    *out = value;
    return NULL;
}

static const char *set_choice(apr_int64_t *out, apr_pool_t *pool, const ua_directive_t *row,
                              const char *word)
{
    char *state = NULL;
    apr_int64_t n = 0;

    for (char *c = apr_strtok(apr_pstrdup(pool, row->choices), "|", &state); c;
         c = apr_strtok(NULL, "|", &state)) {
        if (apr_cstr_casecmp(c, word) == 0) {
            *out = n;
            return NULL;
        }
        n++;
    }
    return apr_psprintf(pool, "%s is one of %s, not \"%s\"", row->name, row->choices, word);
}

static const char *set_text(const char **out, apr_pool_t *pool, const ua_directive_t *row,
                            const char *text)
{
    if (*text == '\0') {
        return apr_psprintf(pool, "%s is empty: %s", row->name, row->help);
    }
    *out = text;
    return NULL;
}

static void list_add(apr_array_header_t **list, apr_pool_t *pool, const char *line)
{
    if (!*list) {
        *list = apr_array_make(pool, 4, sizeof(const char *));
    }
    APR_ARRAY_PUSH(*list, const char *) = line;
}

static const char *set_member(ua_conf_t *conf, apr_pool_t *pool, const ua_directive_t *row,
                              int argc, const char *const *argv)
{
    void *member = member_of(conf, row);

    switch (row->kind) {
    case UA_KIND_NUMBER: return set_number(member, pool, row, argv[0]);
    case UA_KIND_TIME: return set_time(member, pool, row, argv[0]);
    case UA_KIND_CHOICE: return set_choice(member, pool, row, argv[0]);
    case UA_KIND_TEXT:
    case UA_KIND_LINE: return set_text(member, pool, row, joined(pool, " ", argc, argv));
    case UA_KIND_PAIR:
        ((const char **)member)[0] = argv[0];
        ((const char **)member)[1] = argv[1];
        return NULL;
    case UA_KIND_LIST: list_add(member, pool, joined(pool, "\n", argc, argv)); return NULL;
    }
    return NULL;
}

const char *ua_conf_set(ua_conf_t *conf, apr_pool_t *pool, int index, int argc,
                        const char *const *argv, const char *where)
{
    const ua_directive_t *row = &ua_directives[index];
    int several = row->kind == UA_KIND_LINE || row->kind == UA_KIND_LIST;
    int fewest = row->kind == UA_KIND_PAIR ? 2 : 1;
    int most = several ? 16 : fewest;
    const char *err = NULL;

    if (argc < fewest || argc > most) {
        return apr_psprintf(pool, "%s takes %s: %s", row->name,
                            fewest == 2 ? "two arguments"
                            : several   ? "one or more arguments"
                                        : "one argument",
                            row->help);
    }
    err = set_member(conf, pool, row, argc, argv);
    if (!err && where) {
        conf->where[index] = where;
        conf->own++;
    }
    return err;
}

static apr_size_t member_size(ua_kind_e kind)
{
    switch (kind) {
    case UA_KIND_PAIR: return 2 * sizeof(const char *);
    case UA_KIND_NUMBER:
    case UA_KIND_CHOICE: return sizeof(apr_int64_t);
    case UA_KIND_TIME: return sizeof(apr_interval_time_t);
    case UA_KIND_TEXT:
    case UA_KIND_LINE:
    case UA_KIND_LIST: break;
    }
    return sizeof(void *);
}

static void merge_list(ua_conf_t *merged, apr_pool_t *pool, const ua_conf_t *under,
                       const ua_directive_t *row)
{
    const apr_array_header_t *const *low = member_in(under, row);
    apr_array_header_t **high = member_of(merged, row);

    if (*low && *high) {
        *high = apr_array_append(pool, *low, *high);
    }
    else if (*low) {
        *high = apr_array_copy(pool, *low);
    }
}

ua_conf_t *ua_conf_merge(apr_pool_t *pool, const ua_conf_t *under, const ua_conf_t *over)
{
    ua_conf_t *merged = apr_pmemdup(pool, over, sizeof *over);

    for (int i = 0; i < UA_DIRECTIVES; i++) {
        const ua_directive_t *row = &ua_directives[i];

        if (row->kind == UA_KIND_LIST) {
            merge_list(merged, pool, under, row);
            merged->where[i] = over->where[i] ? over->where[i] : under->where[i];
        }
        else if (!over->where[i]) {
            memcpy(member_of(merged, row), member_in(under, row), member_size(row->kind));
            merged->where[i] = under->where[i];
        }
    }
    return merged;
}

void ua_conf_defaults(ua_conf_t *conf, apr_pool_t *pool)
{
    for (int i = 0; i < UA_DIRECTIVES; i++) {
        const char *initial = ua_directives[i].initial;

        if (!conf->where[i] && initial) {
            (void)set_member(conf, pool, &ua_directives[i], 1, &initial);
        }
    }
}

apr_status_t ua_rate_parse(ua_rate_t *out, const char *text)
{
    apr_size_t digits = strspn(text, "0123456789");
    ua_rate_t rate = {0, 0};

    if (apr_cstr_casecmp(text, "off") == 0) {
        *out = rate;
        return APR_SUCCESS;
    }
    if (digits == 0 || digits > 9 || text[digits] != '/') {
        return APR_EINVAL;
    }
    rate.count = apr_atoi64(text);
    UA_CHECK(ua_duration_parse(&rate.duration, text + digits + 1));
    if (rate.count < 1 || rate.duration < apr_time_from_sec(1)) {
        return APR_EINVAL;
    }
    *out = rate;
    return APR_SUCCESS;
}
