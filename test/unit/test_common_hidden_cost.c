/* test_common_hidden_cost.c: with UserAuthHideAccounts a used address costs as many statements and rows as a free one,
 * at every step: the time of an answer tells no more than its words (ENUM-04, ENUM-05). */
#include "hidden_pair.h"
#include "statements.h"

#include "domain/held_email.h"

/* To an address that is as used or as free as the first one. */
static int correct(ua_test_t *t, const char *name, const char *email)
{
    (void)email;
    return ua_test_post(t, "/auth/check-email", "email",
                        strcmp(name, "frieda") == 0 ? "frida@example.org" : "bob@example.org",
                        NULL);
}

static int change(ua_test_t *t, const char *name, const char *email)
{
    (void)name;
    return ua_test_post(t, "/dashboard/profile", "email", email, "current_password",
                        UA_TEST_PASSWORD, NULL);
}

static int forgot(ua_test_t *t, const char *name, const char *email)
{
    (void)name;
    return ua_test_post(t, "/auth/forgot", "email", email, NULL);
}

/* Both take the step, nobody having asked for anything before; it costs the same. */
static void expect_same_cost(const pair_t *pair, const char *what, step_f *step)
{
    statements_t costs[2];
    int statuses[2];

    for (int i = 0; i < 2; i++) {
        pair->t->jar = pair->jars[i];
        ua_test_sql(pair->t, "DELETE FROM throttle");
        (void)statements_counted();
        statuses[i] = step(pair->t, pair->names[i], pair->emails[i]);
        costs[i] = statements_counted();
    }
    assert_int_equal(statuses[0], statuses[1]);
    assert_true(costs[0].run > 0);
    if (costs[0].run != costs[1].run || costs[0].rows != costs[1].rows) {
        fail_msg("%s: free %d statements, %d rows; used %d, %d", what, costs[0].run,
                 costs[0].rows, costs[1].run, costs[1].rows);
    }
}

/* The steps of somebody who registers. */
static void register_and_look(const pair_t *pair)
{
    ua_test_t *t = pair->t;

    expect_same_cost(pair, "register", post);
    for (int json = 0; json < 2; json++) {
        t->json = json;
        expect_same_cost(pair, "look", look);
    }
    t->json = 0;
    while (ua_test_mail(t)) {
    }
    expect_same_cost(pair, "look when it is sent", look);
    expect_same_cost(pair, "name", login_by_name);
    expect_same_cost(pair, "address, wrong password", login_by_address);
    expect_same_cost(pair, "code", type_code);
    expect_same_cost(pair, "resend", resend);
    expect_same_cost(pair, "look after resend", look);
    expect_same_cost(pair, "correct", correct);
    expect_same_cost(pair, "look after correct", look);
    expect_same_cost(pair, "forgot", forgot);
}

static void a_stranger(void **state)
{
    static const char *const limits[] = {NULL, "UserAuthRateLimit mail off"};

    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        ua_test_t *t = open_site(limits[i]);
        pair_t pair = pair_of(t);

        ua_test_member(t, "bob");
        ua_test_member(t, "zoe");
        register_and_look(&pair);
        ua_test_close(t);
    }
}

/* An address that is held for a time; others are, too. */
static void a_held_address(void **state)
{
    ua_test_t *t = open_site(NULL);
    ua_ctx_t *ctx = NULL;
    pair_t pair = pair_of(t);

    (void)state;
    ua_test_member(t, "bob");
    ctx = ua_test_context(t);
    for (int i = 0; i < 9; i++) {
        const char *held =
            i ? apr_psprintf(t->pool, "held%d@example.org", i) : "left@example.org";

        assert_int_equal(
            ua_held_email_hold(ctx, held, "another-account", t->now + apr_time_from_sec(86400)),
            APR_SUCCESS);
    }
    ua_db_release(ctx);
    pair.emails[1] = "left@example.org";
    register_and_look(&pair);
    ua_test_close(t);
}

/* The change of address of two members, one to a free address. */
static void a_member(void **state)
{
    ua_test_t *t = open_site(NULL);
    pair_t pair = pair_of(t);

    (void)state;
    ua_test_member(t, "bob");
    for (int i = 0; i < 2; i++) {
        pair.names[i] = "bob";
        t->jar = pair.jars[i];
        assert_status(t, login_by_name(t, "bob", ""), 303);
    }
    while (ua_test_mail(t)) {
    }
    pair.emails[1] = "frieda@example.org";
    expect_same_cost(&pair, "change, twice to a free one", change);
    pair.emails[1] = "alice@example.org";
    expect_same_cost(&pair, "change", change);
    ua_test_close(t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger),
        cmocka_unit_test(a_held_address),
        cmocka_unit_test(a_member),
    };

    count_statements();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
