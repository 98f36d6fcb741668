/* member.c: see member.h. */
#include "member.h"
#include "base/text.h"
#include "base/unicode.h"

#include <string.h>

/* U+10FFFF: no text that begins with a prefix sorts behind the prefix and this. */
#define LAST "\xf4\x8f\xbf\xbf"

static void add(apr_array_header_t *list, const apr_array_header_t *rows, int by_display)
{
    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);
        ua_member_t member = {row[0], row[1], ua_row_number(row, 2), row[3],
                              by_display ? row[4] : NULL};

        APR_ARRAY_PUSH(list, ua_member_t) = member;
    }
}

static apr_status_t by_username(apr_array_header_t *list, ua_ctx_t *ctx, const char *prefix,
                                const ua_member_t *after, int most)
{
    const char *name = ua_lower(ctx->pool, prefix);
    const char *key = after ? after->username_key : "";
    apr_array_header_t *rows = NULL;

    if (after && after->display_key) {
        return APR_SUCCESS; /* all of them were shown before */
    }
    UA_CHECK(
        *prefix ? ua_db_all(&rows, ctx, UA_Q(member_by_username),
                            UA_ARGS(ua_s(key), ua_s(name),
                                    ua_s(apr_pstrcat(ctx->pool, name, LAST, NULL)), ua_n(most)))
                : ua_db_all(&rows, ctx, UA_Q(member_list), UA_ARGS(ua_s(key), ua_n(most))));
    add(list, rows, 0);
    return APR_SUCCESS;
}

/* Without those that their usernames have shown. */
static apr_status_t by_display(apr_array_header_t *list, ua_ctx_t *ctx, const char *prefix,
                               const ua_member_t *after, int most)
{
    const char *name = ua_lower(ctx->pool, prefix);
    const char *display = NULL;
    const char *first = NULL;
    const char *key = "";
    apr_array_header_t *rows = NULL;

    UA_CHECK(ua_utf8_fold(&display, ctx->pool, prefix));
    first = display;
    if (after && after->display_key && strcmp(after->display_key, display) >= 0) {
        first = after->display_key;
        key = after->username_key;
    }
    UA_CHECK(ua_db_all(&rows, ctx, UA_Q(member_by_display),
                       UA_ARGS(ua_s(first), ua_s(apr_pstrcat(ctx->pool, display, LAST, NULL)),
                               ua_s(first), ua_s(key), ua_s(name),
                               ua_s(apr_pstrcat(ctx->pool, name, LAST, NULL)), ua_n(most))));
    add(list, rows, 1);
    return APR_SUCCESS;
}

apr_status_t ua_member_list(apr_array_header_t **out, ua_ctx_t *ctx, const char *prefix,
                            const ua_member_t *after, int most)
{
    apr_array_header_t *list = apr_array_make(ctx->pool, most, sizeof(ua_member_t));

    UA_CHECK(by_username(list, ctx, prefix, after, most));
    if (*prefix && list->nelts < most) {
        UA_CHECK(by_display(list, ctx, prefix, after, most - list->nelts));
    }
    *out = list;
    return APR_SUCCESS;
}
