/* test_login_wait.c: failed sign-ins: waits per name, the disabled password, known browsers, and the
 * limit per client address (contract 8). */
#include "fixture.h"

#define NO_LIMIT "UserAuthRateLimit login off"

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

static apr_int64_t retry_after(ua_test_t *t)
{
    return apr_atoi64(ua_test_reply_header(t, "Retry-After"));
}

/* Seconds to wait after the n'th failure in a row. */
static apr_int64_t wait_after(int n)
{
    apr_int64_t wait = 30;

    for (int i = 5; i < n && wait < 3600; i++) {
        wait *= 2;
    }
    return n < 5 ? 0 : wait < 3600 ? wait : 3600;
}

/* Both names are refused alike, the right password included, and nothing is counted. */
static void expect_refused(ua_test_t *t, apr_int64_t wait)
{
    const char *known = NULL;

    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 429);
    assert_int_equal(retry_after(t), wait);
    assert_value(t, "code", "account_locked");
    known = apr_pstrdup(t->pool, t->body);
    assert_status(t, try(t, "nobody1", UA_TEST_PASSWORD), 429);
    assert_int_equal(retry_after(t), wait);
    assert_string_equal(t->body, known);
}

/* BF-01, BF-14, ENUM-01: 5 failures, then 30 s doubling to an hour; 50 disable the password. */
static void waits_longer_and_longer(void **state)
{
    static const char hits[] =
        "SELECT group_concat(hits) FROM throttle WHERE name LIKE 'login:%%'";
    ua_test_t *t = ua_test_open(NO_LIMIT, NULL);

    (void)state;
    ua_test_member(t, "alice");
    t->json = 1;
    for (int n = 1; n <= 50; n++) {
        apr_int64_t wait = n < 50 ? wait_after(n) : 3600;
        const char *counted = NULL;

        fail_times(t, "alice", 1);
        fail_times(t, "nobody1", 1);
        if (wait == 0) {
            continue;
        }
        counted = ua_test_scalar(t, hits);
        expect_refused(t, wait);
        ua_test_clock(t, wait - 1);
        expect_refused(t, n < 50 ? 1 : 3600);
        assert_string_equal(ua_test_scalar(t, hits), counted);
        ua_test_clock(t, 1);
    }
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 50);
    expect_refused(t, 3600); /* until it is reset by mail */
    ua_test_clock(t, 30 * 24 * 3600);
    expect_refused(t, 3600);
    ua_test_close(t);
}

/* Of the 50 by two names, each has its own wait; the 50 is the account's. */
static void counts_the_fifty_over_all_names(void **state)
{
    ua_test_t *t =
        ua_test_open(NO_LIMIT, "UserAuthLockAfter 1000", "UserAuthLockDisable 6", NULL);

    (void)state;
    ua_test_member(t, "alice");
    fail_times(t, "alice", 3);
    fail_times(t, "alice@example.org", 3);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 429);
    assert_int_equal(retry_after(t), 3600);
    assert_status(t, try(t, "ALICE@example.org", UA_TEST_PASSWORD), 429);
    ua_test_close(t);
}

static void tells_how_long(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    fail_times(t, "alice", 5);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 429);
    assert_shows(t, "Please try again in 30 seconds.");
    assert_shows(t, "Too many failed attempts");
    assert_int_equal(ua_test_events(t, "\"event\":\"login_wait\""), 1);
    ua_test_clock(t, 30);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

/* BF-11: it is in the database. */
static void outlasts_a_restart(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    fail_times(t, "alice", 5);
    assert_null(ua_test_start(t, NULL));
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 429);
    assert_int_equal(retry_after(t), 30);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM throttle WHERE name LIKE "
                                      "'%%alice%%' OR name LIKE '%%192%%'"),
                     0); /* nobody's name or address stands there */
    ua_test_close(t);
}

static void forgets_failures_after_a_success(void **state)
{
    ua_test_t *t = ua_test_open(NO_LIMIT, NULL);

    (void)state;
    ua_test_member(t, "alice");
    fail_times(t, "alice", 4);
    fail_times(t, "alice@example.org", 4);
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 8);
    assert_status(t, try(t, "alice@example.org", UA_TEST_PASSWORD), 303);
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 0);
    apr_table_clear(t->jar);
    fail_times(t, "alice", 4);
    fail_times(t, "alice@example.org", 4);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

/* A wait belongs to the name as typed, whatever its case. */
static void waits_for_the_name_as_typed(void **state)
{
    ua_test_t *t = ua_test_open(NO_LIMIT, NULL);

    (void)state;
    ua_test_member(t, "alice");
    fail_times(t, "ALICE", 5);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 429);
    assert_status(t, try(t, "alice@example.org", UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

/* BF-05: strangers' failures do not keep the owner's browser out; it has a counter of its own. */
static void counts_a_known_browser_apart(void **state)
{
    ua_test_t *t = ua_test_open(NO_LIMIT, NULL);
    const char *device = NULL;

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    device = apr_pstrdup(t->pool, ua_test_cookie(t, "device"));
    apr_table_clear(t->jar);
    fail_times(t, "alice", 5);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 429);
    apr_table_set(t->jar, "userauth-device", device);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 303);
    assert_null(ua_test_set_cookie(t, "device")); /* it has one */
    ua_test_forget(t, "");
    fail_times(t, "alice", 5);
    assert_int_equal(ua_test_count(t, "SELECT device_failures FROM account"), 5);
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 0);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 429);
    apr_table_clear(t->jar);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

static void forgets_a_known_browsers_failures_after_a_success(void **state)
{
    ua_test_t *t = ua_test_open(NO_LIMIT, NULL);

    (void)state;
    ua_test_member(t, "alice");
    for (int i = 0; i < 3; i++) {
        assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 303);
        ua_test_forget(t, "");
        fail_times(t, "alice", 4);
    }
    assert_int_equal(ua_test_count(t, "SELECT device_failures FROM account"), 4);
    ua_test_close(t);
}

static void gives_a_browser_no_rights_to_other_accounts(void **state)
{
    ua_test_t *t = ua_test_open(NO_LIMIT, NULL);

    (void)state;
    ua_test_member(t, "mallory");
    ua_test_member(t, "alice");
    ua_test_login(t, "mallory");
    ua_test_forget(t, "");
    fail_times(t, "alice", 5);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 429);
    assert_int_equal(
        ua_test_count(t, "SELECT device_failures FROM account WHERE username = 'alice'"), 0);
    ua_test_close(t);
}

static void ends_no_session(void **state)
{
    ua_test_t *t = ua_test_open(NO_LIMIT, NULL);
    apr_table_t *jar = NULL;

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    jar = apr_table_copy(t->pool, t->jar);
    apr_table_clear(t->jar);
    fail_times(t, "alice", 5);
    t->jar = jar;
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    ua_test_close(t);
}

/* BF-03, BF-10: 30 failures in 5 minutes from one address, whatever the names. */
static void limits_one_client_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    t->json = 1;
    t->address = "2001:db8:1:2::1";
    for (int i = 0; i < 30; i++) {
        t->address = apr_psprintf(t->pool, "2001:db8:1:2::%d", i + 1);
        fail_times(t, apr_psprintf(t->pool, "somebody%d", i), 1);
    }
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 429);
    assert_value(t, "code", "rate_limited");
    assert_int_equal(retry_after(t), 300);
    t->address = "2001:db8:1:3::1";
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 200);
    apr_table_clear(t->jar);
    t->address = "2001:db8:1:2::1";
    ua_test_clock(t, 300);
    assert_status(t, try(t, "alice", UA_TEST_PASSWORD), 200);
    ua_test_close(t);
}

/* BF-04: an attacker's own success clears nothing of the address's count, nor of the victim's. */
static void keeps_the_addresss_count_after_a_success(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit login 6/5m", "UserAuthLockAfter 4", NULL);

    (void)state;
    ua_test_member(t, "mallory");
    ua_test_member(t, "alice");
    for (int i = 0; i < 3; i++) {
        fail_times(t, "alice", 1);
        fail_times(t, "somebody", 1);
        assert_status(t, try(t, "mallory", UA_TEST_PASSWORD), i < 2 ? 303 : 429);
        apr_table_clear(t->jar);
    }
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account WHERE username = 'alice'"),
                     3);
    ua_test_close(t);
}

/* BF-16 */
static void rehashes_when_the_cost_was_raised(void **state)
{
    static const char hash[] = "SELECT password_hash FROM account";
    ua_test_t *t = ua_test_open(NULL);
    const char *before = NULL;

    (void)state;
    ua_test_member(t, "alice");
    before = ua_test_scalar(t, hash);
    ua_test_login(t, "alice");
    assert_string_equal(ua_test_scalar(t, hash), before);
    assert_null(ua_test_start(t, "UserAuthPasswordHash m=8192,t=5,p=1", NULL));
    assert_status(t, try(t, "alice", "wrong-password-1"), 403); /* csrf: a session cookie */
    apr_table_clear(t->jar);
    assert_status(t, try(t, "alice", "wrong-password-1"), 401);
    assert_string_equal(ua_test_scalar(t, hash), before);
    ua_test_login(t, "alice");
    assert_memory_equal(ua_test_scalar(t, hash), "$argon2id$v=19$m=8192,t=5,p=1$", 30);
    apr_table_clear(t->jar);
    ua_test_login(t, "alice");
    ua_test_close(t);
}

/* The request of alice's sign-in with the right password; the rival's statement comes between its
 * check and its submit. */
static ua_problem_e sign_in_around(ua_test_t *t, const char *change)
{
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    apr_table_setn(t->req->form, "login", "alice");
    apr_table_setn(t->req->form, "password", UA_TEST_PASSWORD);
    ua_res_init(t->res, t->req);
    assert_int_equal(t->req->route->check(t->res, t->req), APR_SUCCESS);
    ua_db_release(t->req->ctx);
    ua_test_sql(t, "%s", change);
    assert_int_equal(ua_db_begin(t->req->ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(t->req->route->submit(t->res, t->req), APR_SUCCESS);
    assert_int_equal(ua_db_commit(t->req->ctx), APR_SUCCESS);
    ua_db_release(t->req->ctx);
    return t->res->problem;
}

/* What changes between the check of the password and the session's row: nobody gets in by it; but a
 * password that was merely hashed anew keeps nobody out (BF-16). */
static void looks_again_before_it_lets_in(void **state)
{
    static const struct {
        const char *change;
        ua_problem_e problem;
    } changes[] = {
        {"UPDATE account SET password_hash = 'x', password_set = password_set + 1",
         UA_PROBLEM_INVALID_CREDENTIALS},
        {"UPDATE account SET enabled = 0", UA_PROBLEM_INVALID_CREDENTIALS},
        {"UPDATE account SET password_hash = 'y'", UA_PROBLEM_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        ua_test_t *t = ua_test_open(NULL);
        int in = changes[i].problem == UA_PROBLEM_NONE;

        ua_test_member(t, "alice");
        assert_int_equal(sign_in_around(t, changes[i].change), changes[i].problem);
        assert_int_equal(t->res->cookies->nelts > 0, in);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), in);
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_longer_and_longer),
        cmocka_unit_test(counts_the_fifty_over_all_names),
        cmocka_unit_test(tells_how_long),
        cmocka_unit_test(outlasts_a_restart),
        cmocka_unit_test(forgets_failures_after_a_success),
        cmocka_unit_test(waits_for_the_name_as_typed),
        cmocka_unit_test(counts_a_known_browser_apart),
        cmocka_unit_test(forgets_a_known_browsers_failures_after_a_success),
        cmocka_unit_test(gives_a_browser_no_rights_to_other_accounts),
        cmocka_unit_test(ends_no_session),
        cmocka_unit_test(limits_one_client_address),
        cmocka_unit_test(rehashes_when_the_cost_was_raised),
        cmocka_unit_test(looks_again_before_it_lets_in),
        cmocka_unit_test(keeps_the_addresss_count_after_a_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
