/* member.c: see member.h. */
#include "member.h"
#include "base/text.h"
#include "base/unicode.h"

/* U+10FFFF: no text that begins with a prefix sorts behind the prefix and this. */
#define LAST "\xf4\x8f\xbf\xbf"

static apr_status_t search(apr_array_header_t **rows, ua_ctx_t *ctx, const char *prefix,
                           const char *after, int most)
{
    const char *name = ua_lower(ctx->pool, prefix);
    const char *display = NULL;

    UA_CHECK(ua_utf8_fold(&display, ctx->pool, prefix));
    return ua_db_all(rows, ctx, UA_Q(member_search),
                     UA_ARGS(ua_s(after), ua_s(name),
                             ua_s(apr_pstrcat(ctx->pool, name, LAST, NULL)), ua_s(display),
                             ua_s(apr_pstrcat(ctx->pool, display, LAST, NULL)), ua_n(most)));
}

apr_status_t ua_member_list(apr_array_header_t **out, ua_ctx_t *ctx, const char *prefix,
                            const char *after, int most)
{
    apr_array_header_t *rows = NULL;
    apr_array_header_t *list = NULL;

    UA_CHECK(*prefix
                 ? search(&rows, ctx, prefix, after, most)
                 : ua_db_all(&rows, ctx, UA_Q(member_list), UA_ARGS(ua_s(after), ua_n(most))));
    list = apr_array_make(ctx->pool, rows->nelts, sizeof(ua_member_t));
    for (int i = 0; i < rows->nelts; i++) {
        ua_row_t row = APR_ARRAY_IDX(rows, i, ua_row_t);
        ua_member_t member = {row[0], row[1], ua_row_number(row, 2), row[3]};

        APR_ARRAY_PUSH(list, ua_member_t) = member;
    }
    *out = list;
    return APR_SUCCESS;
}
