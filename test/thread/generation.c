/* generation.c: eight threads that change accounts and look at their numbers: no change is lost, no number goes back.
 *
 * Run by test/run/threads.sh. The generations are the module's (modules/base/generation.c), in plain memory. */
#include "threads.h"
#include "base/generation.h"

#include <apr_general.h>
#include <stdlib.h>

#define ACCOUNTS 32
#define ROUNDS   60000

static ua_generations_t *all;
static char ids[ACCOUNTS][8];
static atomic_ulong changes;

/* Each sees its own changes at once, and the whole never fewer than before. */
static void one_round(worker_t *worker)
{
    ua_ctx_t ctx = {.pool = worker->pool, .generations = all};
    const char *id = ids[pick(worker, ACCOUNTS)];
    apr_uint32_t epoch = ua_generation_epoch(all);
    apr_uint32_t number = *ua_generation_of(all, id);
    unsigned more = pick(worker, 3);

    ua_generation_change(&ctx, id);
    for (unsigned i = 0; i < more; i++) {
        ua_generation_change(&ctx, ids[pick(worker, ACCOUNTS)]);
    }
    atomic_fetch_add(&changes, 1 + more);
    ua_generation_publish(&ctx);
    if (ctx.changed != NULL) {
        wrong("a change would be published twice");
    }
    if ((apr_int32_t)(ua_generation_epoch(all) - epoch) < (apr_int32_t)(1 + more)) {
        wrong("the epoch %u does not count %u changes", epoch, 1 + more);
    }
    if ((apr_int32_t)(*ua_generation_of(all, id) - number) < 1) {
        wrong("account %s keeps its number %u", id, number);
    }
}

/* Accounts that share a counter count once. */
static unsigned long sum_of_all(void)
{
    unsigned long sum = 0;

    for (int i = 0; i < ACCOUNTS; i++) {
        const ua_generation_t *counter = ua_generation_of(all, ids[i]);
        int seen = 0;

        for (int j = 0; j < i; j++) {
            seen |= ua_generation_of(all, ids[j]) == counter;
        }
        sum += seen ? 0 : *counter;
    }
    return sum;
}

int main(void)
{
    if (apr_initialize() != APR_SUCCESS) {
        return 2;
    }
    all = calloc(1, ua_generations_size());
    for (int i = 0; i < ACCOUNTS; i++) {
        apr_snprintf(ids[i], sizeof ids[i], "a%d", i);
    }
    together(one_round, ROUNDS);
    expect_some("changes", changes);
    if (ua_generation_epoch(all) != changes || sum_of_all() != changes) {
        wrong("%lu changes, but the epoch is %u and the numbers are %lu", changes,
              ua_generation_epoch(all), sum_of_all());
    }
    free(all);
    return finished();
}
