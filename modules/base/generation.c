/* generation.c: see generation.h. */
#include "generation.h"

#include <apr_hash.h>

#define COUNTERS 16384

struct ua_generations_t {
    ua_generation_t epoch;
    ua_generation_t of[COUNTERS];
};

apr_size_t ua_generations_size(void)
{
    return sizeof(ua_generations_t);
}

static apr_size_t counter_of(const char *account_id)
{
    apr_ssize_t length = APR_HASH_KEY_STRING;

    return apr_hashfunc_default(account_id, &length) % COUNTERS;
}

apr_uint32_t ua_generation_epoch(const ua_generations_t *generations)
{
    return generations->epoch;
}

const ua_generation_t *ua_generation_of(const ua_generations_t *generations,
                                        const char *account_id)
{
    return &generations->of[counter_of(account_id)];
}

void ua_generation_change(ua_ctx_t *ctx, const char *account_id)
{
    if (!ctx->changed) {
        ctx->changed = apr_array_make(ctx->pool, 2, sizeof(const char *));
    }
    APR_ARRAY_PUSH(ctx->changed, const char *) = apr_pstrdup(ctx->pool, account_id);
}

/* The epoch first: who has read the new number then sees that its row may be an old one. */
void ua_generation_publish(ua_ctx_t *ctx)
{
    for (int i = 0; ctx->generations && ctx->changed && i < ctx->changed->nelts; i++) {
        ctx->generations->epoch++;
        ctx->generations->of[counter_of(APR_ARRAY_IDX(ctx->changed, i, const char *))]++;
    }
    ctx->changed = NULL;
}
