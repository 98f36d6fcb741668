/* test_generation.c: how children learn that an account has changed. */
#include "domain_site.h"

static void zeroed_memory_is_a_table(void **state)
{
    ua_test_t *t = *state;
    const ua_generations_t *none = apr_pcalloc(t->pool, ua_generations_size());

    assert_int_equal(ua_generation_epoch(none), 0);
    assert_int_equal(*ua_generation_of(none, "anybody"), 0);
}

static void a_commit_tells(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_uint32_t epoch = ua_generation_epoch(t->generations);
    apr_uint32_t mine = *ua_generation_of(t->generations, "mike");
    apr_uint32_t other = *ua_generation_of(t->generations, "eve");

    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    ua_generation_change(ctx, "mike");
    assert_int_equal(ua_generation_epoch(t->generations), epoch); /* not before */
    assert_int_equal(*ua_generation_of(t->generations, "mike"), mine);
    assert_int_equal(ua_db_commit(ctx), APR_SUCCESS);
    assert_int_equal(ua_generation_epoch(t->generations), epoch + 1);
    assert_int_equal(*ua_generation_of(t->generations, "mike"), mine + 1);
    assert_int_equal(*ua_generation_of(t->generations, "eve"), other);
    ua_db_release(ctx); /* told once */
    assert_int_equal(*ua_generation_of(t->generations, "mike"), mine + 1);
}

/* Outside a transaction a statement has happened when the connection is given back. */
static void a_connection_given_back_tells(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_uint32_t mine = *ua_generation_of(t->generations, "mike");

    ua_generation_change(ctx, "mike");
    ua_generation_change(ctx, "mike");
    ua_db_release(ctx);
    assert_int_equal(*ua_generation_of(t->generations, "mike"), mine + 2);
}

/* A COMMIT that failed may have happened. */
static void an_unknown_outcome_tells(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_uint32_t mine = *ua_generation_of(t->generations, "mike");

    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    ua_generation_change(ctx, "mike");
    assert_int_not_equal(ua_db_literal(ctx, "nonsense", "NONSENSE"), APR_SUCCESS);
    assert_int_not_equal(ua_db_commit(ctx), APR_SUCCESS);
    assert_int_equal(*ua_generation_of(t->generations, "mike"), mine + 1);
}

static void nobody_to_tell(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    ctx->generations = NULL;
    ua_generation_change(ctx, "mike");
    ua_db_release(ctx);
    assert_null(ctx->changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        site_test(zeroed_memory_is_a_table),
        site_test(a_commit_tells),
        site_test(a_connection_given_back_tells),
        site_test(an_unknown_outcome_tells),
        site_test(nobody_to_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
