/* test_transact_links.c: what links and codes do, while the machine fails at each call: see failing_requests.h. */
#include "failing_requests.h"

#define THIEF   "thief@example.org"
#define NEW     "new@example.org"
#define OTHER   "seven-quiet-otters-paint-12"
#define TWO_OUT "UserAuthSessionLimit 2"

static const char *token; /* of the link in question */
static const char *csrf;  /* of the page of whom the jar belongs to */

static int post_undo(ua_test_t *t)
{
    return ua_test_post(t, "/auth/undo", "token", token, "password", UA_TEST_PASSWORD, NULL);
}

/* A thief moved the account twice: two links lead back, and the first ends the later one. */
static void undo_of_a_theft(int kinds)
{
    ua_test_t *t = tireless_alice(TWO_OUT);

    move_to(t, "first-" THIEF);
    token = undo_link(t, ALICE);
    move_to(t, THIEF);
    apr_table_clear(t->jar);
    play_until(t, post_undo, kinds, 303);
    assert_string_equal(address_of(t, "alice"), ALICE);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 0);
    assert_int_equal(ua_test_events(t, "\"email_undone\""), 1);
    assert_non_null(letter(t, THIEF));
    ua_test_close(t);
}

static int post_email(ua_test_t *t)
{
    return ua_test_post(t, "/auth/email", "token", token, "csrf", csrf, NULL);
}

static void change_of_the_address(int kinds)
{
    ua_test_t *t = tireless_alice(NULL);

    ask(t, NEW);
    assert_non_null(letter(t, NEW));
    token = ua_test_token(t, "email");
    csrf = csrf_of(t, PROFILE);
    play_until(t, post_email, kinds, 303);
    assert_string_equal(address_of(t, "alice"), NEW);
    assert_int_equal(ua_test_events(t, "\"email_changed\""), 1);
    ua_test_close(t);
}

static int post_disown(ua_test_t *t)
{
    return ua_test_post(t, "/auth/disown", "token", token, NULL);
}

static void a_member_disowns(int kinds)
{
    ua_test_t *t = tireless_alice(NULL);

    ua_test_clock(t, 60);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    assert_non_null(letter(t, ALICE));
    token = ua_test_token(t, "disown");
    apr_table_clear(t->jar);
    play_until(t, post_disown, kinds, 200);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session WHERE ended = 0"), 0);
    assert_int_equal(ua_test_count(t, "SELECT password_off FROM account"), 1);
    assert_int_equal(ua_test_events(t, "\"disowned\""), 1);
    ua_test_close(t);
}

static int post_reset(ua_test_t *t)
{
    return ua_test_post(t, "/auth/reset", "token", token, "password", OTHER, NULL);
}

static int post_forgot(ua_test_t *t)
{
    return ua_test_post(t, "/auth/forgot", "email", ALICE, NULL);
}

static void a_new_password_by_mail(int kinds)
{
    ua_test_t *t = tireless_alice(NULL);

    ua_test_clock(t, 1); /* mails have an order */
    apr_table_clear(t->jar);
    play_until(t, post_forgot, kinds, 303);
    assert_non_null(letter(t, ALICE));
    token = ua_test_token(t, "reset");
    play_until(t, post_reset, kinds, 303);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 401);
    assert_status(t, log_in(t, "alice", OTHER), 303);
    ua_test_close(t);
}

static int post_close(ua_test_t *t)
{
    return ua_test_post(t, "/dashboard/close", "current_password", UA_TEST_PASSWORD, "csrf",
                        csrf, NULL);
}

static int post_restore(ua_test_t *t)
{
    return ua_test_post(t, "/auth/restore", "token", token, "password", UA_TEST_PASSWORD, NULL);
}

static void closed_and_brought_back(int kinds)
{
    ua_test_t *t = tireless_alice(NULL);

    ua_test_clock(t, 1);
    csrf = csrf_of(t, "/dashboard/close");
    play_until(t, post_close, kinds, 303);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE closed > 0"), 1);
    assert_non_null(letter(t, ALICE));
    token = ua_test_token(t, "restore");
    apr_table_clear(t->jar);
    play_until(t, post_restore, kinds, 303);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE closed > 0"), 0);
    ua_test_close(t);
}

static const scenario_t scenarios[] = {
    {"undo of a theft", undo_of_a_theft},
    {"change of the address", change_of_the_address},
    {"a member disowns", a_member_disowns},
    {"a new password by mail", a_new_password_by_mail},
    {"closed and brought back", closed_and_brought_back},
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
