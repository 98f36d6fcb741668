/* test_transact_pages.c: pages that are read, while the machine fails at each call: see failing_requests.h.
 *
 * Whoever reads a page then is told so; nobody is signed out by it, and no link is called invalid.
 */
#include "failing_requests.h"

#define NEW "new@example.org"

static int get_page(ua_test_t *t)
{
    return ua_test_get(t, form.uri);
}

/* For a person and for a program. */
static void read_page(ua_test_t *t, const char *uri, int kinds)
{
    for (int json = 0; json < 2; json++) {
        t->json = json;
        form.uri = uri;
        print_message("%s\n", uri);
        play_until(t, get_page, kinds, 200);
    }
    t->json = 0;
}

static void pages_of_a_member(int kinds)
{
    static const char *const pages[] = {
        "/dashboard",
        "/dashboard/profile",
        "/dashboard/password",
        "/dashboard/sessions",
        "/dashboard/activity",
        "/dashboard/close",
        "/dashboard/members",
        "/dashboard/members/bob",
        "/auth/me",
        "/dashboard/export",
        "/dashboard/members?q=b&limit=1",
    };
    ua_test_t *t = tireless_site("UserAuthProfileField city \"Home town\" public");

    join(t, "bob");
    join(t, "alice");
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    ask(t, NEW); /* the profile shows it */
    for (size_t i = 0; i < COUNT(pages); i++) {
        read_page(t, pages[i], kinds);
    }
    ua_test_close(t);
}

/* The page of a link, as the mail names it; in a browser that nobody is signed in with. */
static void read_link(ua_test_t *t, const char *email, const char *purpose, int kinds)
{
    apr_table_clear(t->jar);
    assert_non_null(letter(t, email));
    read_page(t, ua_test_link(t, purpose), kinds);
}

static void pages_of_links(int kinds)
{
    ua_test_t *t = tireless_site(NULL);

    ua_test_register(t, "alice");
    read_link(t, ALICE, "verify", kinds);
    read_link(t, ALICE, "disown", kinds);
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  303);
    ua_test_clock(t, 1);
    assert_status(t, ua_test_post(t, "/auth/forgot", "email", ALICE, NULL), 303);
    read_link(t, ALICE, "reset", kinds);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_clock(t, 1);
    ask(t, NEW);
    read_link(t, NEW, "email", kinds);
    assert_status(t, ua_test_post(t, "/auth/email", "token", ua_test_token(t, "email"), NULL),
                  303);
    ua_test_clock(t, 1);
    read_link(t, ALICE, "undo", kinds);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_clock(t, 1);
    fill_form(t, "/dashboard/close", "current_password=" UA_TEST_PASSWORD);
    assert_status(t, post_form(t), 303);
    read_link(t, NEW, "restore", kinds);
    ua_test_close(t);
}

/* In the browser that registered. */
static void how_the_mail_fares(int kinds)
{
    ua_test_t *t = tireless_site(NULL);

    ua_test_register(t, "alice");
    read_page(t, "/auth/check-email", kinds);
    assert_non_null(ua_test_mail(t));
    read_page(t, "/auth/check-email", kinds);
    ua_test_close(t);
}

static const scenario_t scenarios[] = {
    {"pages of a member", pages_of_a_member},
    {"pages of links", pages_of_links},
    {"how the mail fares", how_the_mail_fares},
};

static void the_database_fails(void **state)
{
    (void)state;
    run_scenarios(scenarios, COUNT(scenarios), FAULT_ANY);
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
        cmocka_unit_test(openssl_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
