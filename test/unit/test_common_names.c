/* test_common_names.c: which usernames and addresses can be had, and by whom. */
#include "domain_site.h"

#include "domain/held_email.h"
#include "domain/username.h"
#include "features/feature.h"

typedef apr_status_t taken_f(int *taken, ua_ctx_t *ctx, const char *value, const char *own_id);

static int taken(ua_ctx_t *ctx, taken_f *ask, const char *value, const char *own_id)
{
    int answer = -1;

    assert_int_equal(ask(&answer, ctx, value, own_id), APR_SUCCESS);
    return answer;
}

static void asks_for_accounts(void **state)
{
    ua_ctx_t *ctx = ua_test_context(*state);
    const char *alice = site_account(ctx, "alice"); /* not verified: hers all the same */
    const char *bob = site_member(ctx, "bob");

    assert_int_equal(taken(ctx, ua_email_taken, "alice@example.org", ""), 1);
    assert_int_equal(taken(ctx, ua_email_taken, "alice@example.org", bob), 1);
    assert_int_equal(taken(ctx, ua_email_taken, "alice@example.org", alice), 0);
    assert_int_equal(taken(ctx, ua_email_taken, "carol@example.org", bob), 0);
    assert_int_equal(taken(ctx, ua_username_taken, "alice", ""), 1);
    assert_int_equal(taken(ctx, ua_username_taken, "aLICE", bob),
                     1); /* without regard to case */
    assert_int_equal(taken(ctx, ua_username_taken, "Alice", alice), 0);
    assert_int_equal(taken(ctx, ua_username_taken, "carol", ""), 0);
    ua_db_release(ctx);
}

/* Contract 8: an address for 7 days, a name for good. */
static void asks_for_what_is_held(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *alice = site_member(ctx, "alice");

    assert_int_equal(ua_held_email_hold(ctx, "old@example.org", alice, ctx->now + SECONDS(7)),
                     APR_SUCCESS);
    assert_int_equal(ua_username_hold(ctx, "oldname", alice), APR_SUCCESS);
    assert_int_equal(taken(ctx, ua_email_taken, "old@example.org", ""), 1);
    assert_int_equal(taken(ctx, ua_email_taken, "old@example.org", alice), 0);
    assert_int_equal(taken(ctx, ua_username_taken, "OldName", ""), 1);
    assert_int_equal(taken(ctx, ua_username_taken, "OldName", alice), 0);
    ctx->now += SECONDS(7);
    assert_int_equal(taken(ctx, ua_email_taken, "old@example.org", ""), 0);
    assert_int_equal(taken(ctx, ua_username_taken, "oldname", ""), 1);
    ua_db_release(ctx);
}

/* Whoever has it now counts, also when it was held for the one who asks. */
static void minds_both(void **state)
{
    ua_ctx_t *ctx = ua_test_context(*state);
    const char *alice = site_member(ctx, "alice");
    const char *bob = site_member(ctx, "bob");

    assert_int_equal(ua_held_email_hold(ctx, "bob@example.org", alice, ctx->now + 1),
                     APR_SUCCESS);
    assert_int_equal(taken(ctx, ua_email_taken, "bob@example.org", alice), 1);
    assert_int_equal(taken(ctx, ua_email_taken, "bob@example.org", bob), 1);
    ua_db_release(ctx);
}

/* INV-7: nothing is free because a table cannot be read. */
static void fails_with_its_tables(void **state)
{
    static const struct {
        const char *table;
        taken_f *ask;
        const char *query;
    } rows[] = {{"held_email", ua_email_taken, "held_email_get"},
                {"held_name", ua_username_taken, "held_name_get"},
                {"account", ua_email_taken, "account_by_email"},
                {"account", ua_username_taken, "account_by_username"}};

    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        ua_ctx_t *ctx = ua_test_context(t);
        int answer = -1;

        ua_test_sql(t, "ALTER TABLE %s RENAME TO gone", rows[i].table);
        assert_failure(ctx, rows[i].ask(&answer, ctx, "x", ""), rows[i].query);
        assert_int_equal(answer, -1);
        ua_db_release(ctx);
        ua_test_sql(t, "ALTER TABLE gone RENAME TO %s", rows[i].table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        site_test(asks_for_accounts),
        site_test(asks_for_what_is_held),
        site_test(minds_both),
        site_test(fails_with_its_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
