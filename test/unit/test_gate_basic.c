/* test_gate_basic.c: name and password with every request: who passes, what is remembered, and what ends it.
 *
 * Cases: BF (counters and waits as at the sign-in), ENUM-01, SESS.
 */
#include "remembered.h"
#include "base/pwhash.h"

#define WRONG "not-the-password-at-all"

/* 0, or the reply's status. */
static int basic(ua_test_t *t, const char *user, const char *password)
{
    apr_status_t rv = APR_SUCCESS;

    ua_test_header(t, "Accept", "text/html");
    (void)ua_test_gated(t, UA_METHOD_GET, "/app"); /* a fresh request, of nobody */
    t->req->fields = NULL;                         /* as the edge hands it in */
    rv = ua_gate_basic_known(t->app, t->req, user, password);
    rv = rv == APR_NOTFOUND ? ua_gate_basic(t->app, t->req, t->res, user, password) : rv;
    assert_null(t->req->ctx->db);
    assert_int_equal(t->req->ctx->slot, -1);
    return rv == APR_SUCCESS ? 0 : t->res->status;
}

static ua_test_t *begin(const char *line)
{
    ua_test_t *t = ua_test_open(line, NULL);

    ua_test_member(t, "alice");
    return t;
}

static void the_account_passes(void **state)
{
    static const char *const users[] = {"alice", "ALICE", "alice@example.org",
                                        "Alice@Example.ORG"};
    ua_test_t *t = begin(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(users); i++) {
        assert_int_equal(basic(t, users[i], UA_TEST_PASSWORD), 0);
        assert_string_equal(t->req->session->username, "alice");
        assert_string_equal(t->req->session->email, "alice@example.org");
        assert_string_equal(t->req->session->id, "");
        assert_int_equal(t->req->session->auth_time, t->now);
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 0);
    ua_test_close(t);
}

static void nobody_else_does(void **state)
{
    ua_test_t *t = begin(NULL);

    (void)state;
    assert_int_equal(basic(t, "alice", WRONG), 401);
    assert_int_equal(basic(t, "bob", UA_TEST_PASSWORD), 401);
    assert_int_equal(basic(t, "", ""), 401);
    assert_int_equal(basic(t, "alice", ""), 401);
    ua_test_register(t, "carol"); /* not confirmed */
    assert_int_equal(basic(t, "carol", UA_TEST_PASSWORD), 401);
    assert_int_equal(ua_test_events(t, "login_failed"), 5);
    ua_test_sql(t, "UPDATE account SET enabled = 0 WHERE username = 'alice'");
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 401);
    ua_test_close(t);
}

/* BF: the sixth is not even hashed; a right one later clears the count. */
static void failures_wait_as_at_the_sign_in(void **state)
{
    ua_test_t *t = begin(NULL);

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(basic(t, "alice", WRONG), 401);
    }
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 429);
    assert_int_equal(t->res->problem, UA_PROBLEM_ACCOUNT_LOCKED);
    assert_in_range(t->res->retry_after, 1, 30);
    ua_test_clock(t, 31);
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    assert_int_equal(ua_test_count(t, "SELECT failures FROM account"), 0);
    ua_test_close(t);
}

static void the_client_address_is_limited(void **state)
{
    ua_test_t *t = begin("UserAuthRateLimit login 3/5m");

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(basic(t, apr_psprintf(t->pool, "nobody%d", i), WRONG), 401);
    }
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 429);
    assert_int_equal(t->res->problem, UA_PROBLEM_RATE_LIMITED);
    ua_test_close(t);
}

/* The stored hash is made unusable behind the site's back: who passes was not hashed again. */
static void a_password_is_remembered(void **state)
{
    ua_test_t *t = begin(NULL);

    (void)state;
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    ua_test_elsewhere(
        t, "UPDATE account SET password_hash = 'gone', display_name = '" REMEMBERED_NEWS "'");
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    assert_string_not_equal(t->req->session->display_name, REMEMBERED_NEWS);
    ua_test_clock(t, 2);
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    assert_string_equal(t->req->session->display_name, REMEMBERED_NEWS); /* asked, not hashed */
    ua_test_clock(t, 298);
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 401); /* hashed again */
    ua_test_close(t);
}

static void what_ends_it(void **state)
{
    static const char *const changes[] = {"enabled = 0", "password_off = 1",
                                          "password_set = password_set + 1"};

    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        ua_test_t *t = begin(NULL);

        print_message("%s\n", changes[i]);
        assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
        ua_test_elsewhere(t, "UPDATE account SET password_hash = 'gone', %s", changes[i]);
        ua_test_clock(t, 2); /* another node's change */
        assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 401);
        ua_test_close(t);
    }
}

/* Here it ends at once. */
static void a_new_password_ends_it(void **state)
{
    ua_test_t *t = begin(NULL);

    (void)state;
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    ua_test_login(t, "alice");
    assert_status(t,
                  ua_test_submit(t, "/dashboard/password", "current_password", UA_TEST_PASSWORD,
                                 "password", "quartz-meadow-lantern-58", NULL),
                  303);
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 401);
    assert_int_equal(basic(t, "alice", "quartz-meadow-lantern-58"), 0);
    ua_test_close(t);
}

/* A remembered password is no way around a wait: it would tell who guesses when the guess was right. */
static void failures_end_it(void **state)
{
    ua_test_t *t = begin(NULL);

    (void)state;
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    assert_int_equal(basic(t, "alice@example.org", UA_TEST_PASSWORD), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(basic(t, "alice", WRONG), 401);
    }
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 429);
    ua_test_elsewhere(t, "UPDATE account SET password_hash = 'gone'");
    assert_int_equal(basic(t, "alice@example.org", UA_TEST_PASSWORD), 401);
    ua_test_close(t);
}

static void failures_at_another_node_end_it(void **state)
{
    ua_test_t *t = begin(NULL);

    (void)state;
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    ua_test_elsewhere(t, "UPDATE account SET failures = 50");
    ua_test_clock(t, 2);
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 429);
    ua_test_close(t);
}

static void it_is_of_one_address(void **state)
{
    ua_test_t *t = begin(NULL);

    (void)state;
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    ua_test_elsewhere(t, "UPDATE account SET password_hash = 'gone'");
    t->address = "198.51.100.77";
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 401);
    ua_test_close(t);
}

/* An address that has guessed too often at other names hears nothing of this one either. */
static void the_limit_holds_for_it(void **state)
{
    ua_test_t *t = begin("UserAuthRateLimit login 3/5m");

    (void)state;
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(basic(t, apr_psprintf(t->pool, "nobody%d", i), WRONG), 401);
    }
    ua_test_clock(t, 2);
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 429);
    assert_int_equal(t->res->problem, UA_PROBLEM_RATE_LIMITED);
    ua_test_close(t);
}

/* It came with this request: for "Require userauth-fresh". */
static void it_is_as_fresh_as_the_request(void **state)
{
    ua_test_t *t = begin("UserAuthSessionCacheTTL 60s");

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
        assert_int_equal(t->req->session->auth_time, t->now);
        ua_test_clock(t, 25);
    }
    ua_test_close(t);
}

static void a_database_that_is_gone(void **state)
{
    ua_test_t *t = begin(NULL);

    (void)state;
    ua_test_elsewhere(t, "ALTER TABLE account RENAME TO gone");
    ua_test_expect(t, "UA0101");
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 503);
    ua_test_elsewhere(t, "ALTER TABLE gone RENAME TO account");
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    ua_test_elsewhere(t, "ALTER TABLE account RENAME TO gone");
    ua_test_clock(t, 2);
    ua_test_expect(t, "UA0108");
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 503);
    ua_test_close(t);
}

/* Nothing is sent in the clear where https is the site's. */
static void plain_http_is_refused(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthBaseURL https://www.example.org", NULL);

    (void)state;
    t->https = 1;
    ua_test_member(t, "alice");
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 0);
    t->https = 0;
    assert_int_equal(basic(t, "alice", UA_TEST_PASSWORD), 308);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_account_passes),
        cmocka_unit_test(nobody_else_does),
        cmocka_unit_test(failures_wait_as_at_the_sign_in),
        cmocka_unit_test(the_client_address_is_limited),
        cmocka_unit_test(a_password_is_remembered),
        cmocka_unit_test(what_ends_it),
        cmocka_unit_test(a_new_password_ends_it),
        cmocka_unit_test(failures_end_it),
        cmocka_unit_test(failures_at_another_node_end_it),
        cmocka_unit_test(it_is_of_one_address),
        cmocka_unit_test(the_limit_holds_for_it),
        cmocka_unit_test(it_is_as_fresh_as_the_request),
        cmocka_unit_test(a_database_that_is_gone),
        cmocka_unit_test(plain_http_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
