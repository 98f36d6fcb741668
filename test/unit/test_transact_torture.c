/* test_transact_torture.c: every submit while each call to the database fails in turn.
 *
 * DB-14, INV-4, INV-7, INV-10: first one call alone, then that call and all that follow. The answer is
 * either the success, and then it is wholly there with one event, or 503, and then nothing of it is.
 */
#include "fixture.h"
#include "db_faults.h"

#define MOST_CALLS 200

typedef struct scenario_t {
    const char *name;
    void (*arrange)(ua_test_t *t, const char *user);
    int (*act)(ua_test_t *t, const char *user);
    int success;
} scenario_t;

/* The link that `arrange` found for `act`. */
static char token[256];

static const char *address_of(ua_test_t *t, const char *user)
{
    return apr_pstrcat(t->pool, user, "@example.org", NULL);
}

static void nothing(ua_test_t *t, const char *user)
{
    (void)t;
    (void)user;
}

static void take_link(ua_test_t *t, const char *user, const char *purpose)
{
    (void)ua_test_mail(t); /* those of the tries before */
    ua_test_register(t, user);
    assert_non_null(ua_test_mail(t));
    apr_cpystrn(token, ua_test_token(t, purpose), sizeof token);
}

static void get_verify_link(ua_test_t *t, const char *user)
{
    take_link(t, user, "verify");
}

static void get_disown_link(ua_test_t *t, const char *user)
{
    take_link(t, user, "disown");
}

/* One member for all tries. */
static void have_member(ua_test_t *t, const char *user)
{
    (void)user;
    if (ua_test_count(t, "SELECT COUNT(*) FROM account") == 0) {
        ua_test_member(t, "alice");
    }
}

static void sign_in(ua_test_t *t, const char *user)
{
    have_member(t, user);
    ua_test_login(t, "alice");
}

static int do_register(ua_test_t *t, const char *user)
{
    return ua_test_post(t, "/auth/register", "username", user, "email", address_of(t, user),
                        "password", UA_TEST_PASSWORD, NULL);
}

static int do_verify(ua_test_t *t, const char *user)
{
    (void)user;
    return ua_test_post(t, "/auth/verify", "token", token, NULL);
}

static int do_disown(ua_test_t *t, const char *user)
{
    (void)user;
    return ua_test_post(t, "/auth/disown", "token", token, NULL);
}

static int do_correct(ua_test_t *t, const char *user)
{
    return ua_test_post(t, "/auth/check-email", "email",
                        apr_pstrcat(t->pool, "right-", address_of(t, user), NULL), NULL);
}

static int do_resend(ua_test_t *t, const char *user)
{
    (void)user;
    return ua_test_post(t, "/auth/resend", "email", "alice@example.org", NULL);
}

static int do_login(ua_test_t *t, const char *user)
{
    (void)user;
    return ua_test_post(t, "/auth/login", "login", "alice", "password", UA_TEST_PASSWORD, NULL);
}

static int do_fail_login(ua_test_t *t, const char *user)
{
    (void)user;
    return ua_test_post(t, "/auth/login", "login", "alice", "password", "wrong", NULL);
}

static int do_logout(ua_test_t *t, const char *user)
{
    (void)user;
    return ua_test_post_json(t, "/auth/logout", "{}");
}

static const scenario_t scenarios[] = {
    {"register", nothing, do_register, 303},
    {"verify", get_verify_link, do_verify, 303},
    {"disown", get_disown_link, do_disown, 200},
    {"correct the address", ua_test_register, do_correct, 303},
    {"resend", have_member, do_resend, 303},
    {"login", have_member, do_login, 303},
    {"failed login", have_member, do_fail_login, 401},
    {"logout", sign_in, do_logout, 200},
};

/* The success is one event; 503 is as if nothing had been asked. */
static void judge(ua_test_t *t, const scenario_t *scenario, const char *before, int number)
{
    apr_int64_t events =
        ua_test_count(t, "SELECT COUNT(*) FROM event WHERE id = '%s'", t->req->ctx->id);
    int lines = ua_test_events(t, t->req->ctx->id);

    if (t->res->status == scenario->success && events == 1 && lines >= 1) {
        return;
    }
    if (t->res->status == 503 && events == 0 && lines == 0 && t->res->retry_after > 0 &&
        strcmp(ua_test_rows(t), before) == 0) {
        ua_test_expect(t, "UA010");
        return;
    }
    fail_msg("%s, call %d: status %d, %d events, %d lines, rows %s: %.300s", scenario->name,
             number, t->res->status, (int)events, lines,
             strcmp(ua_test_rows(t), before) == 0 ? "as before" : "changed", t->body);
}

/* Call number `skip` + 1 fails, and so do `times` - 1 behind it. 0 when there is no such call. */
static int play(ua_test_t *t, const scenario_t *scenario, int skip, int times)
{
    const char *user = apr_psprintf(t->pool, "user%dx%d", skip, times);
    const char *before = NULL;
    int failed = 0;

    apr_table_clear(t->jar);
    scenario->arrange(t, user);
    before = ua_test_rows(t);
    faults_add((fault_t){.kinds = FAULT_ANY, .skip = skip, .times = times});
    (void)scenario->act(t, user);
    failed = faults.failed;
    faults_off();
    judge(t, scenario, before, skip + 1);
    return failed;
}

static ua_test_t *begin(void)
{
    return ua_test_open("UserAuthMailLimit off", "UserAuthRateLimit login off",
                        "UserAuthRateLimit register off", "UserAuthRateLimit token off",
                        "UserAuthRateLimit mail off", "UserAuthLockAfter 1000",
                        "UserAuthLockDisable 100", NULL);
}

static void play_all(const scenario_t *scenario, int times)
{
    ua_test_t *t = begin();
    int n = 0;

    while (n < MOST_CALLS && play(t, scenario, n, times)) {
        n++;
    }
    print_message("%s: %d calls\n", scenario->name, n);
    assert_in_range(n, 4, MOST_CALLS - 1); /* it got somewhere, and came to an end */
    ua_test_close(t);
}

static void one_call_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        play_all(&scenarios[i], 1);
    }
}

static void all_calls_fail_from_one_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        play_all(&scenarios[i], MOST_CALLS);
    }
}

/* DB-10: done, but nobody heard it: the answer is that of the success, and it is there once. */
static void each_commits_answer_is_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        ua_test_t *t = begin();
        const char *user = "alice";

        scenarios[i].arrange(t, user);
        faults_add((fault_t){.kinds = FAULT_COMMIT, .times = 1, .done = 1});
        assert_status(t, scenarios[i].act(t, user), scenarios[i].success);
        assert_int_equal(faults.failed, 1);
        faults_off();
        assert_int_equal(
            ua_test_count(t, "SELECT COUNT(*) FROM event WHERE id = '%s'", t->req->ctx->id), 1);
        assert_in_range(ua_test_events(t, t->req->ctx->id), 1, 2);
        assert_int_equal(ua_test_logged(t, "UA01"), 0);
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_call_fails),
        cmocka_unit_test(all_calls_fail_from_one_on),
        cmocka_unit_test(each_commits_answer_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
