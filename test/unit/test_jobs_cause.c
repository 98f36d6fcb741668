/* test_jobs_cause.c: from what becomes of mails to what is said of the mail server. Real servers: test_jobs_smtp.c. */
#include "fixture.h"

#include "app/jobs.h"

static int failing(ua_test_t *t)
{
    return ua_outbox_fails(ua_test_context(t));
}

static void refuse(ua_test_t *t, ua_mail_kind_e kind, apr_int64_t attempts)
{
    ua_outbox_t row = {.kind = kind, .attempts = attempts};

    ua_jobs_refused(t->jobs, t->pool, &row, "RCPT failed: 556 (reply 556)");
}

static void refuse_many(ua_test_t *t, int count)
{
    while (count-- > 0) {
        refuse(t, UA_MAIL_VERIFY, 0);
    }
}

static int taken(ua_test_t *t, ua_mail_kind_e kind)
{
    return ua_jobs_taken(t->jobs, kind);
}

/* So many in a row, and none of them twice; what is sent between begins the count anew. */
static void many_refusals_in_a_row(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (int round = 0; round < 3; round++) {
        refuse_many(t, UA_MANY_REFUSED - 1);
        for (int i = 1; i < 20; i++) {
            refuse(t, UA_MAIL_VERIFY, i);
        }
        assert_false(failing(t));
        assert_int_equal(taken(t, UA_MAIL_VERIFY), 1);
    }
    assert_int_equal(t->logs->nelts, 0);
    ua_test_expect(t, "UA0201: mail can't be sent and will be tried again: RCPT failed: 556");
    refuse_many(t, 3 * UA_MANY_REFUSED);
    assert_true(failing(t));
    assert_int_equal(ua_test_logged(t, "UA0201"), 1);
    assert_int_equal(taken(t, UA_MAIL_VERIFY), 1);
    assert_false(failing(t));
    assert_int_equal(ua_test_logged(t, "UA0202"), 1);
    ua_test_close(t);
}

/* ENUM-06: a mail that a stranger can ask for at an address neither adds to the count nor ends what came of it; nor does
 * one to nobody, and both leave as ever. */
static void what_strangers_ask_for_is_not_counted(void **state)
{
    static const ua_mail_kind_e open[] = {UA_MAIL_RESET, UA_MAIL_CONFIRMED, UA_MAIL_LOCKED,
                                          UA_MAIL_NOBODY, UA_MAIL_UNKNOWN};
    static const ua_mail_kind_e hidden[] = {UA_MAIL_VERIFY, UA_MAIL_TAKEN, UA_MAIL_EMAIL};

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        ua_test_t *t = ua_test_open(NULL);
        ua_mail_kind_e kind = i < 5 ? open[i] : hidden[i - 5];

        t->conf->hide_accounts = i >= 5;
        for (int n = 1; n < UA_MANY_REFUSED; n++) {
            refuse(t, UA_MAIL_WELCOME, 0);
        }
        assert_int_equal(taken(t, kind), 1);
        refuse(t, kind, 0);
        assert_false(failing(t));
        ua_test_expect(t, "UA0201");
        refuse(t, UA_MAIL_WELCOME, 0);
        assert_true(failing(t));
        assert_int_equal(taken(t, kind), 1);
        assert_true(failing(t));
        assert_int_equal(taken(t, UA_MAIL_NEW_DEVICE), 1);
        assert_false(failing(t));
        ua_test_close(t);
    }
}

/* A mail to nobody ends a trouble before the recipient; so does a recipient's refusal, which comes after it. */
static void a_refusal_shows_that_the_server_is_back(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (int nobody = 0; nobody < 2; nobody++) {
        ua_test_expect(t, "UA0201");
        ua_jobs_failed(t->jobs, t->pool, "Couldn't connect to server", 0);
        assert_true(failing(t));
        if (nobody) {
            assert_int_equal(taken(t, UA_MAIL_NOBODY), 1);
        }
        else {
            refuse(t, UA_MAIL_RESET, 0);
        }
        assert_int_equal(t->cause, 0);
        assert_int_equal(ua_test_logged(t, "UA0202"), nobody + 1);
    }
    ua_test_close(t);
}

/* But neither tells anything of what comes after the recipient. */
static void late_trouble_goes_on(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_expect(t, "UA0201");
    ua_jobs_failed(t->jobs, t->pool, "refused the message (reply 452)", 1);
    ua_jobs_failed(t->jobs, t->pool, "refused the message (reply 452)", 1);
    refuse_many(t, UA_MANY_REFUSED);
    assert_int_equal(taken(t, UA_MAIL_NOBODY), 0);
    assert_true(failing(t));
    assert_int_equal(t->logs->nelts, 1);
    assert_int_equal(taken(t, UA_MAIL_RESET), 1);
    assert_int_equal(t->cause, 0);
    ua_test_close(t);
}

/* What is counted is no cause: a failure of the server is said at once. */
static void a_failure_ends_the_count(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    refuse_many(t, UA_MANY_REFUSED - 1);
    ua_test_expect(t, "UA0201");
    ua_jobs_failed(t->jobs, t->pool, "Timeout was reached", 0);
    assert_true(failing(t));
    assert_int_equal(taken(t, UA_MAIL_VERIFY), 1);
    refuse_many(t, UA_MANY_REFUSED - 1);
    assert_false(failing(t));
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_refusals_in_a_row),
        cmocka_unit_test(what_strangers_ask_for_is_not_counted),
        cmocka_unit_test(a_refusal_shows_that_the_server_is_back),
        cmocka_unit_test(late_trouble_goes_on),
        cmocka_unit_test(a_failure_ends_the_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
