/* test_common_try.c: failed tries: whose owner is told, how often, and that a name nobody has costs the
 * same rows (BF-05, BF-14, ENUM-01, ENUM-02). Waits are in test_login_wait.c. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define NO_LIMIT     "UserAuthRateLimit login off"

static int try(ua_test_t *t, const char *login, const char *password)
{
    return ua_test_post(t, "/auth/login", "login", login, "password", password, NULL);
}

static void fail_times(ua_test_t *t, const char *login, int times)
{
    for (int i = 0; i < times; i++) {
        assert_status(t, try(t, login, "wrong-password-1"), 401);
    }
}

static apr_int64_t notices(ua_test_t *t)
{
    return ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'locked'");
}

/* BF-05: one notice for an episode, with a way in that no stranger can block. */
static void tells_the_owner_once_an_episode(void **state)
{
    ua_test_t *t = ua_test_open(NO_LIMIT, NULL);

    (void)state;
    ua_test_member(t, "alice");
    fail_times(t, "alice", 4);
    assert_int_equal(notices(t), 0);
    fail_times(t, "alice", 1);
    assert_int_equal(notices(t), 1);
    assert_non_null(ua_test_mail(t));
    assert_non_null(strstr(t->mail, "To: alice@example.org\r\n"));
    assert_non_null(strstr(t->mail, "Subject: Failed sign-ins to localhost\r\n"));
    assert_non_null(strstr(t->mail, "http://localhost:8080/auth/forgot"));
    assert_non_null(strstr(t->mail, UA_TEST_ADDRESS));
    assert_non_null(ua_test_token(t, "disown"));
    for (int i = 0; i < 4; i++) { /* the same episode */
        ua_test_clock(t, 3600);
        fail_times(t, "alice", 1);
    }
    assert_int_equal(notices(t), 1);
    ua_test_clock(t, 3600);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 303);
    apr_table_clear(t->jar);
    fail_times(t, "alice", 5); /* another one on the same day */
    assert_int_equal(notices(t), 1);
    ua_test_clock(t, 20 * 3600);
    fail_times(t, "alice", 1); /* goes on: no news */
    assert_int_equal(notices(t), 1);
    ua_test_clock(t, 3600);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 303);
    apr_table_clear(t->jar);
    fail_times(t, "alice", 5);
    assert_int_equal(notices(t), 2);
    ua_test_close(t);
}

/* The two names of an account have waits of their own, but one owner. */
static void tells_once_for_both_names(void **state)
{
    ua_test_t *t = ua_test_open(NO_LIMIT, NULL);

    (void)state;
    ua_test_member(t, "alice");
    fail_times(t, "alice", 5);
    fail_times(t, "alice@example.org", 5);
    assert_int_equal(notices(t), 1);
    assert_int_equal(ua_test_events(t, "\"event\":\"login_wait\""), 2);
    assert_int_equal(ua_test_events(t, "\"event\":\"login_failed\""), 10); /* INV-10 */
    ua_test_close(t);
}

/* A wait of an hour from the first on: every failure begins one, but it is one episode. */
static void tells_once_where_all_waits_are_alike(void **state)
{
    ua_test_t *t = ua_test_open(NO_LIMIT, "UserAuthLockAfter 1", "UserAuthLockWait 1h", NULL);

    (void)state;
    ua_test_member(t, "alice");
    for (int i = 0; i < 3; i++) {
        fail_times(t, "alice", 1);
        ua_test_clock(t, 3600);
    }
    assert_int_equal(notices(t), 1);
    ua_test_close(t);
}

static void sizes(ua_test_t *t, apr_int64_t out[4])
{
    static const char *const tables[4] = {"token", "outbox", "event", "throttle"};

    for (int i = 0; i < 4; i++) {
        out[i] = ua_test_count(t, "SELECT COUNT(*) FROM %s WHERE 1 = 1", tables[i]);
    }
}

static const char *const strangers[] = {
    "alice", "alice@example.org", "nobody1", "nobody@example.org", "carol", "dave"};

/* ENUM-02: at the moment a wait begins, too, everybody costs the same rows; only a member gets a mail. */
static void costs_the_same_for_everybody(void **state)
{
    apr_int64_t grown[COUNT(strangers)][4];

    (void)state;
    for (size_t i = 0; i < COUNT(strangers); i++) {
        ua_test_t *t = ua_test_open(NO_LIMIT, NULL);
        apr_int64_t before[4];

        ua_test_member(t, "alice");
        ua_test_member(t, "dave"); /* closed */
        ua_test_sql(t, "UPDATE account SET enabled = 0, closed = 1 WHERE username = 'dave'");
        ua_test_register(t, "carol"); /* not confirmed */
        assert_non_null(ua_test_mail(t));
        sizes(t, before);
        fail_times(t, strangers[i], 5);
        sizes(t, grown[i]);
        for (int n = 0; n < 4; n++) {
            grown[i][n] -= before[n];
        }
        assert_memory_equal(grown[i], grown[0], sizeof *grown);
        assert_int_equal(ua_test_mail(t) != NULL, i < 2);
        ua_test_close(t);
    }
}

/* A browser the person signed in with before waits by itself; its owner is told all the same. */
static void tells_of_a_known_browser_too(void **state)
{
    ua_test_t *t = ua_test_open(NO_LIMIT, NULL);

    (void)state;
    ua_test_member(t, "alice");
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_forget(t, "");
    fail_times(t, "alice", 5);
    assert_int_equal(notices(t), 1);
    assert_int_equal(ua_test_events(t, "\"detail\":\"known_device\""), 5);
    ua_test_close(t);
}

/* Until a new one is set by mail no password is right, and the answer is that of a wrong one. */
static void refuses_a_password_that_is_off(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *wrong = NULL;

    (void)state;
    ua_test_member(t, "alice");
    t->json = 1;
    fail_times(t, "alice", 1);
    wrong = apr_pstrdup(t->pool, t->body);
    ua_test_sql(t, "UPDATE account SET password_off = 1");
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 401);
    assert_string_equal(t->body, wrong);
    assert_value(t, "links.reset", "/auth/forgot");
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 2);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 0);
    ua_test_sql(t, "UPDATE account SET password_off = 0");
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 200);
    ua_test_close(t);
}

/* DB-14: a failure that can't be written is no answer about the password. */
static void counts_or_refuses(void **state)
{
    static const char *const tables[] = {"throttle", "event", "outbox", "token"};
    ua_test_t *t = ua_test_open("UserAuthLockAfter 1", NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_sql(t, "DELETE FROM throttle");
    for (size_t i = 0; i < COUNT(tables); i++) {
        ua_test_sql(t,
                    "CREATE TRIGGER broken BEFORE INSERT ON %s BEGIN SELECT RAISE(ABORT, 'no "
                    "room'); END",
                    tables[i]);
        ua_test_expect(t, "UA0101: /auth/login was refused");
        assert_status(t, try(t, "alice", "wrong-password-1"), 503);
        assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 0);
        ua_test_sql(t, "DROP TRIGGER broken");
    }
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_owner_once_an_episode),
        cmocka_unit_test(tells_once_for_both_names),
        cmocka_unit_test(tells_once_where_all_waits_are_alike),
        cmocka_unit_test(costs_the_same_for_everybody),
        cmocka_unit_test(tells_of_a_known_browser_too),
        cmocka_unit_test(refuses_a_password_that_is_off),
        cmocka_unit_test(counts_or_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
