/* test_transact_hidden.c: what is answered alike with UserAuthHideAccounts, while the machine fails at each call: see
 * failing_requests.h. Whoever asks for a strange address learns no more from a failure. Cases: ENUM-04, ENUM-05.
 */
#include "failing_requests.h"

#define HIDE "UserAuthHideAccounts on"

/* The site with a member, whom the requests ask about, and one who never confirmed. */
static ua_test_t *hiding_site(void)
{
    ua_test_t *t = tireless_site(HIDE);

    join(t, "alice");
    ua_test_register(t, "carol");
    (void)ua_test_mail(t);
    apr_table_clear(t->jar);
    ua_test_clock(t, 3600);
    return t;
}

/* The form for a used address, then for a free one; the answers' statuses are the same. */
static void both(const char *uri, const char *used, const char *free_one, int kinds)
{
    const char *bodies[] = {used, free_one};

    for (size_t i = 0; i < COUNT(bodies); i++) {
        ua_test_t *t = hiding_site();

        form.uri = uri;
        form.body = bodies[i];
        play_until(t, post_form, kinds, 303);
        ua_test_close(t);
    }
}

static void registration(int kinds)
{
    both("/auth/register",
         "username=frieda&email=alice%40example.org&password=" UA_TEST_PASSWORD,
         "username=frieda&email=frieda%40example.org&password=" UA_TEST_PASSWORD, kinds);
}

static void another_link(int kinds)
{
    both("/auth/resend", "email=carol%40example.org", "email=nobody%40example.org", kinds);
}

static void a_forgotten_password(int kinds)
{
    both("/auth/forgot", "email=alice%40example.org", "email=nobody%40example.org", kinds);
}

/* The address was used; it is corrected to another that is used, too. */
static void a_corrected_address(int kinds)
{
    ua_test_t *t = hiding_site();

    form.uri = "/auth/register";
    form.body = "username=frieda&email=alice%40example.org&password=" UA_TEST_PASSWORD;
    assert_status(t, post_form(t), 303);
    form.uri = "/auth/check-email";
    form.body = "email=carol%40example.org";
    play_until(t, post_form, kinds, 303);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE enabled = 1"), 1);
    ua_test_close(t);
}

static const scenario_t scenarios[] = {
    {"registration", registration},
    {"another link", another_link},
    {"a forgotten password", a_forgotten_password},
    {"a corrected address", a_corrected_address},
};

static void the_database_fails(void **state)
{
    (void)state;
    run_scenarios(scenarios, COUNT(scenarios), FAULT_ANY);
}

static void one_write_fails(void **state)
{
    (void)state;
    run_scenarios(scenarios, COUNT(scenarios), ONE_ALONE);
}

static void openssl_fails(void **state)
{
    (void)state;
    run_scenarios(scenarios, COUNT(scenarios), FAULT_CRYPTO);
}

static void no_connection(void **state)
{
    (void)state;
    run_scenarios(scenarios, COUNT(scenarios), FAULT_LEASE);
    run_scenarios(scenarios, COUNT(scenarios), FAULT_LEASE | FAULT_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_database_fails),
        cmocka_unit_test(no_connection),
        cmocka_unit_test(one_write_fails),
        cmocka_unit_test(openssl_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
