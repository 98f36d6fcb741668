/* test_mailer_faults.c: mails while the database or OpenSSL fails.
 *
 * What can't be written as it has to be is not sent and not lost. Case: INV-7.
 */
#include "failing_calls.h"

#include "base/mail.h"
#include "domain/outbox.h"

#define ACCOUNT "0f0e0d0c-0b0a-4908-8706-050403020100"

static const ua_outbox_t row = {.id = "01234567-89ab-4cde-8f01-23456789abcd",
                                .account_id = ACCOUNT,
                                .email = "alice@example.org",
                                .username = "alice",
                                .token_id = "11111111-1111-4111-8111-111111111111",
                                .disown_id = "22222222-2222-4222-8222-222222222222",
                                .created = UA_TEST_START,
                                .expires = UA_TEST_START + SECONDS(86400)};

/* What a kind of mail is written with. */
typedef struct order_t {
    ua_test_t *t;
    ua_mail_kind_e kind;
} order_t;

static apr_status_t write_mail(ua_ctx_t *ctx, void *data)
{
    const order_t *order = data;
    ua_outbox_t of = row;
    ua_mail_t mail = {.subject = "untouched"};
    apr_status_t rv = APR_SUCCESS;

    of.kind = order->kind;
    rv = ua_mailer_write(&mail, order->t->app, ctx, &of);
    assert_int_equal(strcmp(mail.subject, "untouched") == 0, rv != APR_SUCCESS);
    assert_int_equal(mail.text != NULL && mail.html != NULL, rv == APR_SUCCESS);
    return rv;
}

static void what_cannot_be_written_is_no_mail(void **state)
{
    static const ua_mail_kind_e kinds[] = {UA_MAIL_VERIFY, UA_MAIL_EMAIL,
                                           UA_MAIL_EMAIL_CHANGED};
    order_t order = {.t = *state};

    for (size_t i = 0; i < COUNT(kinds); i++) {
        order.kind = kinds[i];
        each_call_fails(*state, write_mail, &order);
    }
}

/* From OpenSSL's call number `skip` + 1 on all fail. 1 as long as the mail stays where it is. */
static int waits(ua_test_t *t, int skip)
{
    int logged = t->logs->nelts;
    int failed = 0;
    const char *mail = NULL;

    ua_test_clock(t, 300); /* the job rests for a while after a failure */
    ua_test_sql(t, "UPDATE outbox SET due = 0, attempts = 0");
    faults_off();
    faults_add((fault_t){.kinds = FAULT_CRYPTO, .skip = skip, .times = 1000});
    mail = ua_test_mail(t);
    failed = faults.failed;
    faults_off();
    for (int i = logged; i < t->logs->nelts; i++) {
        if (APR_ARRAY_IDX(t->logs, i, const char *)[0] - '0' <= UA_LOG_WARNING) {
            ua_test_expect(t, "UA02");
        }
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = 0"), !mail);
    assert_true(mail || failed);
    return !mail;
}

/* The job tries again, and then the mail is whole: its link works. */
static void no_mail_is_lost(void **state)
{
    ua_test_t *t = *state;
    int n = 0;

    ua_test_register(t, "alice");
    while (n < MOST_CALLS && waits(t, n)) {
        n++;
    }
    assert_in_range(n, 4, MOST_CALLS - 1);
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  303);
    assert_int_equal(ua_test_count(t, "SELECT enabled FROM account"), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(what_cannot_be_written_is_no_mail),
        site_test(no_mail_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
