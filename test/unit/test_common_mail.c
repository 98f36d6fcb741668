/* test_common_mail.c: links and mails of a registration, the buckets of one mail address. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define ALICE        "alice@example.org"

static ua_req_t *request(ua_test_t *t)
{
    ua_req_t *req = apr_pcalloc(t->turn, sizeof *req);

    req->ctx = ua_test_context(t);
    req->path = req->query = req->cookie = "";
    return req;
}

static apr_interval_time_t take(ua_test_t *t, const char *key, const char *owner)
{
    ua_req_t *req = request(t);
    apr_interval_time_t wait = -1;

    assert_int_equal(ua_mail_take(&wait, req, key, owner), APR_SUCCESS);
    ua_db_release(req->ctx);
    return apr_time_sec(wait);
}

static apr_interval_time_t peek(ua_test_t *t, const char *key, const char *owner)
{
    ua_req_t *req = request(t);
    apr_interval_time_t wait = -1;

    assert_int_equal(ua_mail_peek(&wait, req, key, owner), APR_SUCCESS);
    ua_db_release(req->ctx);
    return apr_time_sec(wait);
}

static void counts_every_rate(void **state)
{
    static const struct {
        const char *comment;
        apr_int64_t seconds;
        apr_interval_time_t wait;
    } steps[] = {
        {"1st", 0, 0},
        {"at once", 0, 60},
        {"a second too early", 59, 1},
        {"2nd", 1, 0},
        {"3rd of 10 minutes", 60, 0},
        {"4th", 60, 420},
        {"when the 10 minutes are over", 420, 0},
    };

    ua_test_t *t = ua_test_open("UserAuthMailLimit 1/1m 3/10m", NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        ua_test_clock(t, steps[i].seconds);
        if (peek(t, ALICE, "") != steps[i].wait || take(t, ALICE, "") != steps[i].wait) {
            fail_msg("%s", steps[i].comment);
        }
    }
    ua_test_close(t);
}

static void changes_nothing_by_looking(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(peek(t, ALICE, ""), 0);
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM throttle"), 0);
    assert_int_equal(take(t, ALICE, ""), 0);
    assert_int_equal(take(t, ALICE, ""), 60);
    assert_int_equal(ua_test_count(t, "SELECT MAX(hits) FROM throttle"), 1);
    ua_test_close(t);
}

static void keeps_buckets_apart(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_int_equal(take(t, ALICE, ""), 0);
    assert_int_equal(take(t, ALICE, "owner"), 0);
    assert_int_equal(take(t, "bob@example.org", ""), 0);
    assert_int_equal(take(t, ALICE, ""), 60);
    assert_int_equal(take(t, ALICE, "owner"), 60);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM throttle WHERE name LIKE '%%alice%%'"), 0);
    ua_test_close(t);
}

static void can_be_turned_off(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(take(t, ALICE, ""), 0);
    }
    ua_test_close(t);
}

static void says_when_another_mail_may_go(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_req_t *req = request(t);
    ua_res_t res;

    (void)state;
    ua_res_init(&res, req);
    ua_mail_refuse(&res, req, apr_time_from_sec(59) + 1);
    assert_int_equal(res.problem, UA_PROBLEM_RATE_LIMITED);
    assert_int_equal(res.status, 429);
    assert_int_equal(res.retry_after, 60);
    assert_string_equal(res.detail, "You can ask for another email in 1 minute.");
    ua_test_close(t);
}

static void issues_both_links_with_one_mail(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthVerifyLifetime 2h", "UserAuthDisownLifetime 3d", NULL);
    ua_req_t *req = NULL;
    ua_account_t account = {.username = "alice", .email = ALICE};

    (void)state;
    ua_test_register(t, "alice");
    ua_test_sql(t, "DELETE FROM token");
    ua_test_sql(t, "DELETE FROM outbox");
    account.id = ua_test_scalar(t, "SELECT id FROM account");
    req = request(t);
    assert_int_equal(ua_mail_verification(req, &account), APR_SUCCESS);
    ua_db_release(req->ctx);
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(line) FROM (SELECT purpose || ((expires - "
                          "created) / 1000000) AS line FROM token ORDER BY purpose)"),
        "disown259200,verify7200");
    assert_string_equal(
        ua_test_scalar(t, "SELECT token_id || ' ' || disown_id FROM outbox"),
        ua_test_scalar(t, "SELECT v.id || ' ' || d.id FROM token v, token d WHERE v.purpose = "
                          "'verify' AND d.purpose = 'disown'"));
    assert_string_equal(
        ua_test_scalar(t, "SELECT kind || ' ' || email || ' ' || username || ' ' || state || "
                          "' ' || ((expires - created) / 1000000) FROM outbox"),
        "verify alice@example.org alice 0 7200");
    ua_test_close(t);
}

static int try_to_register(ua_test_t *t, const char *name)
{
    t->json = 1;
    return ua_test_post_json(t, "/auth/register",
                             apr_pstrcat(t->pool, "{\"username\":\"", name,
                                         "\",\"email\":\"bombed@example.org\",\"password\":"
                                         "\"" UA_TEST_PASSWORD "\"}",
                                         NULL));
}

/* MAIL-01: who registers with an address and corrects it away again and again bombs nobody with mails;
 * somebody in a hurry is not kept waiting. */
static void bounds_the_mails_of_registrations(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit 1/1m 3/1h", NULL);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_status(t, try_to_register(t, apr_psprintf(t->pool, "joker%d", i)), 201);
        ua_test_sql(t, "DELETE FROM account");
    }
    assert_status(t, try_to_register(t, "joker3"), 429);
    assert_value(t, "code", "rate_limited");
    assert_value(t, "title", "Too many emails to this address");
    assert_value(t, "detail", "You can register with it in 1 hour.");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    ua_test_register(t, "alice");
    assert_status(
        t, ua_test_post_json(t, "/auth/check-email", "{\"email\":\"bombed@example.org\"}"),
        429);
    assert_value(t, "title", "Too many emails to this address");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE corrections > 0"), 0);
    ua_test_clock(t, 3600);
    assert_status(t, try_to_register(t, "joker4"), 201);
    ua_test_close(t);
}

/* MAIL-01: nor does who asks for more from each of these browsers, which have a bucket of their own. */
static void counts_what_their_browsers_ask_for(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit 1/1m 3/1h", NULL);
    int registered = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        apr_table_clear(t->jar);
        registered += try_to_register(t, apr_psprintf(t->pool, "joker%d", i)) == 201;
        for (int j = 0; j < 3; j++) {
            ua_test_clock(t, 60);
            (void)ua_test_post_json(t, "/auth/resend", "{\"email\":\"bombed@example.org\"}");
        }
        (void)ua_test_post_json(
            t, "/auth/check-email",
            apr_psprintf(t->pool, "{\"email\":\"joker%d@example.org\"}", i));
    }
    assert_int_equal(registered, 1);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE email = 'bombed@example.org'"), 3);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_every_rate),
        cmocka_unit_test(changes_nothing_by_looking),
        cmocka_unit_test(keeps_buckets_apart),
        cmocka_unit_test(can_be_turned_off),
        cmocka_unit_test(says_when_another_mail_may_go),
        cmocka_unit_test(issues_both_links_with_one_mail),
        cmocka_unit_test(bounds_the_mails_of_registrations),
        cmocka_unit_test(counts_what_their_browsers_ask_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
