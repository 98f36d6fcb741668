/* member.c: see member.h. Keys are compared byte by byte, here and in the database. */
#include "member.h"
#include "base/text.h"
#include "base/unicode.h"

#include <string.h>

/* U+10FFFF: no text that begins with a prefix sorts behind the prefix and this. */
#define LAST "\xf4\x8f\xbf\xbf"
/* Sorts before all that a username is made of: no username lies between another one and that one and this. */
#define BEHIND "!"
/* Display names that a page looks at, at most. Those skipped among them were shown by their usernames. */
#define LOOKED 200

static const char *end_of(ua_ctx_t *ctx, const char *prefix)
{
    return apr_pstrcat(ctx->pool, prefix, LAST, NULL);
}

static ua_member_t member_of(ua_row_t row)
{
    return (ua_member_t){row[0], row[1], ua_row_number(row, 2), row[3], row[4]};
}

/* From one lower bound on: with two, an engine may walk from the smaller. */
static apr_status_t by_username(apr_array_header_t *list, ua_ctx_t *ctx, const char *prefix,
                                const ua_member_t *after, int most)
{
    const char *name = ua_lower(ctx->pool, prefix);
    const char *behind = after ? apr_pstrcat(ctx->pool, after->username_key, BEHIND, NULL) : "";
    const char *first = strcmp(behind, name) > 0 ? behind : name;
    apr_array_header_t *rows = NULL;

    UA_CHECK(ua_db_all(&rows, ctx, UA_Q(member_by_username),
                       UA_ARGS(ua_s(first), ua_s(end_of(ctx, name)), ua_n(most))));
    for (int i = 0; i < rows->nelts; i++) {
        ua_member_t member = member_of(APR_ARRAY_IDX(rows, i, ua_row_t));

        member.display_key = NULL;
        APR_ARRAY_PUSH(list, ua_member_t) = member;
    }
    return APR_SUCCESS;
}

/* Rows behind both keys of `at`, in the order of both. Two statements: not every engine finds its place in an
 * index by a pair of values. */
static apr_status_t next_names(apr_array_header_t **out, ua_ctx_t *ctx, const ua_member_t *at,
                               const char *end, int most)
{
    apr_array_header_t *rows = NULL;
    apr_array_header_t *more = NULL;

    UA_CHECK(ua_db_all(&rows, ctx, UA_Q(member_same_display),
                       UA_ARGS(ua_s(at->display_key), ua_s(at->username_key), ua_n(most))));
    if (rows->nelts < most) {
        UA_CHECK(
            ua_db_all(&more, ctx, UA_Q(member_by_display),
                      UA_ARGS(ua_s(at->display_key), ua_s(end), ua_n(most - rows->nelts))));
        apr_array_cat(rows, more);
    }
    *out = rows;
    return APR_SUCCESS;
}

/* Moves `at` behind the rows. */
static void add_others(apr_array_header_t *list, ua_member_t *at,
                       const apr_array_header_t *rows, const char *name)
{
    for (int i = 0; i < rows->nelts; i++) {
        *at = member_of(APR_ARRAY_IDX(rows, i, ua_row_t));
        if (strncmp(at->username_key, name, strlen(name)) != 0) {
            APR_ARRAY_PUSH(list, ua_member_t) = *at;
        }
    }
}

/* Behind `after`, or at the first of the search. */
static apr_status_t start_at(ua_member_t *at, const char **end, ua_ctx_t *ctx,
                             const char *prefix, const ua_member_t *after)
{
    const char *first = NULL;

    UA_CHECK(ua_utf8_fold(&first, ctx->pool, prefix));
    at->display_key = first;
    at->username_key = "";
    if (after && after->display_key && strcmp(after->display_key, first) >= 0) {
        *at = *after;
    }
    *end = end_of(ctx, first);
    return APR_SUCCESS;
}

/* Without those that their usernames have shown. `*next`: the last one looked at; NULL when there are no more. */
static apr_status_t by_display(apr_array_header_t *list, const ua_member_t **next,
                               ua_ctx_t *ctx, const char *prefix, const ua_member_t *after,
                               int most)
{
    const char *name = ua_lower(ctx->pool, prefix);
    ua_member_t *at = apr_pcalloc(ctx->pool, sizeof *at);
    apr_array_header_t *rows = NULL;
    const char *end = NULL;
    int left = LOOKED;

    UA_CHECK(start_at(at, &end, ctx, prefix, after));
    if (strcmp(at->display_key, end) >= 0) {
        return APR_SUCCESS; /* of another search */
    }
    for (int size = most; left > 0 && list->nelts < most; size *= 2) {
        size = size < left ? size : left;
        UA_CHECK(next_names(&rows, ctx, at, end, size));
        add_others(list, at, rows, name);
        if (rows->nelts < size) {
            return APR_SUCCESS;
        }
        left -= size;
    }
    *next = at;
    return APR_SUCCESS;
}

apr_status_t ua_member_list(apr_array_header_t **out, const ua_member_t **next, ua_ctx_t *ctx,
                            const char *prefix, const ua_member_t *after, int most)
{
    apr_array_header_t *list = apr_array_make(ctx->pool, most + 1, sizeof(ua_member_t));
    const ua_member_t *last = NULL;

    if (!after || !after->display_key) { /* else all of them were shown before */
        UA_CHECK(by_username(list, ctx, prefix, after, most + 1));
    }
    if (*prefix && list->nelts <= most) {
        UA_CHECK(by_display(list, &last, ctx, prefix, after, most + 1));
    }
    if (list->nelts > most) { /* the rest tells that there is a next page */
        list->nelts = most;
        last = &APR_ARRAY_IDX(list, most - 1, ua_member_t);
    }
    *out = list;
    *next = last;
    return APR_SUCCESS;
}
