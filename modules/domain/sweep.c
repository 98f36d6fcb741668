/* sweep.c: removes old rows, however many there are: some at a time, and each by its key.
 *
 * One DELETE of them all may take longer than a server lets a statement take, and would then never come to an end; it
 * would keep others from writing as long. MariaDB reads the whole table for a DELETE that takes its keys from a
 * subquery. */
#include "domain.h"

#define PORTION 500
#define LONGEST apr_time_from_msec(500) /* from BEGIN to COMMIT; or one row longer */

/* The times, and one value more. */
static const ua_arg_t *with(apr_pool_t *pool, const ua_arg_t *times, ua_arg_t last)
{
    apr_array_header_t *args = apr_array_make(pool, 5, sizeof(ua_arg_t));

    for (; !times->end; times++) {
        APR_ARRAY_PUSH(args, ua_arg_t) = *times;
    }
    APR_ARRAY_PUSH(args, ua_arg_t) = last;
    APR_ARRAY_PUSH(args, ua_arg_t) = *times;
    return (const ua_arg_t *)(const void *)args->elts;
}

/* Removes the first of these rows, and others while there is time. A row that is no longer old stays. */
static apr_status_t remove_some(int *done, ua_ctx_t *ctx, const apr_array_header_t *rows,
                                const ua_query_t *remove, const ua_arg_t *times)
{
    apr_time_t began = 0;
    int i = 0;

    UA_CHECK(ua_db_begin(ctx, UA_READ_COMMITTED));
    began = apr_time_now();
    do {
        const char *key = APR_ARRAY_IDX(rows, i, ua_row_t)[0];

        UA_CHECK(ua_db_exec(ctx, NULL, remove, with(ctx->pool, times, ua_s(key))));
        i++;
    } while (i < rows->nelts && apr_time_now() - began < LONGEST);
    UA_CHECK(ua_db_commit(ctx));
    *done = i;
    return APR_SUCCESS;
}

apr_status_t ua_sweep(int *more, ua_ctx_t *ctx, const ua_query_t *old, const ua_query_t *remove,
                      const ua_arg_t *times)
{
    apr_array_header_t *rows = NULL;
    int done = 0;

    UA_CHECK(ua_db_all(&rows, ctx, old, with(ctx->pool, times, ua_n(PORTION))));
    if (rows->nelts > 0) {
        UA_CHECK(remove_some(&done, ctx, rows, remove, times));
    }
    *more = done < rows->nelts || done == PORTION;
    return APR_SUCCESS;
}
