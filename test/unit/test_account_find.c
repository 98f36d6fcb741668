/* test_account_find.c: an account is found by each of its three names as it was made, and by nothing else.
 *
 * Cases: ENUM-05, RACE-11, SQL-01.
 */
#include "domain_site.h"
#include "statements.h"

#define EMAIL "mike@example.org"

static void made_and_found(void **state)
{
    static const ua_account_t mike = {.id = "11111111-1111-4111-8111-111111111111",
                                      .username = "Mike.O",
                                      .email = "Mike@Example.org",
                                      .display_name = "Mike O'Brien \xE2\x9C\x93",
                                      .enabled = 1, /* not for it to say */
                                      .password_hash = "$argon2id$...",
                                      .failures = 9,
                                      .address = "2001:db8::7",
                                      .created = UA_TEST_START - 1};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t *found[3] = {NULL, NULL, NULL};

    assert_int_equal(ua_account_insert(ctx, &mike, EMAIL), APR_SUCCESS);
    assert_int_equal(ua_account_by_id(&found[0], ctx, mike.id), APR_SUCCESS);
    assert_int_equal(ua_account_by_email(&found[1], ctx, EMAIL), APR_SUCCESS);
    assert_int_equal(ua_account_by_username(&found[2], ctx, "mike.o"), APR_SUCCESS);
    for (size_t i = 0; i < COUNT(found); i++) {
        assert_string_equal(found[i]->id, mike.id);
        assert_string_equal(found[i]->username, mike.username);
        assert_string_equal(found[i]->email, mike.email);
        assert_string_equal(found[i]->display_name, mike.display_name);
        assert_string_equal(found[i]->password_hash, mike.password_hash);
        assert_string_equal(found[i]->address, mike.address);
        assert_int_equal(found[i]->created, mike.created);
        assert_int_equal(found[i]->password_set, mike.created);
        assert_int_equal(found[i]->enabled, 0); /* RACE-11 */
        assert_int_equal(found[i]->failures + found[i]->device_failures, 0);
        assert_int_equal(found[i]->corrections + found[i]->verified, 0);
        assert_int_equal(found[i]->last_sign_in + found[i]->previous_sign_in, 0);
    }
}

static void not_found(void **state)
{
    /* before, between and behind those that are there */
    static const char *const strangers[] = {"",
                                            "Mike@example.org",
                                            "a@example.org",
                                            "mike@example.or",
                                            "' OR '1'='1",
                                            "mike@example.orgx",
                                            "nora@example.orga",
                                            "zoe@example.org"};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t *account = NULL;
    const char *id = NULL;

    assert_int_equal(ua_account_by_email(&account, ctx, "mike@example.org"), APR_NOTFOUND);
    id = site_account(ctx, "mike");
    (void)site_account(ctx, "nora");
    assert_int_equal(ua_account_by_id(&account, ctx, "mike"), APR_NOTFOUND);
    for (size_t i = 0; i < COUNT(strangers); i++) {
        assert_int_equal(ua_account_by_email(&account, ctx, strangers[i]), APR_NOTFOUND);
    }
    assert_int_equal(ua_account_by_username(&account, ctx, "MIKE"), APR_NOTFOUND);
    assert_int_equal(ua_account_by_username(&account, ctx, id), APR_NOTFOUND);
    assert_null(account);
}

/* ENUM-05: wherever an address stands among those there are, it costs the same to find or to miss it. */
static void costs_the_same(void **state)
{
    static const char *const emails[] = {"mike@example.org", "nora@example.org",
                                         "a@example.org", "mike@example.orgx",
                                         "zoe@example.org"};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t *account = NULL;

    (void)site_account(ctx, "mike");
    (void)site_account(ctx, "nora");
    for (size_t i = 0; i < COUNT(emails); i++) {
        statements_t cost;

        (void)statements_counted();
        assert_int_equal(ua_account_by_email(&account, ctx, emails[i]),
                         i < 2 ? APR_SUCCESS : APR_NOTFOUND);
        cost = statements_counted();
        assert_int_equal(cost.run, 1);
        assert_int_equal(cost.rows, 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(made_and_found),
        site_test(not_found),
        site_test(costs_the_same),
    };

    count_statements();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
