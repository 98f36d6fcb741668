/* test_jobs_random.c: without random bytes nothing is sent or removed, and the log says why; then all goes on.
 *
 * Cases: INV-7.
 */
#include "fixture.h"
#include "crypto_faults.h"

static void mails_and_sweeps_wait(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_expect(t, "UA0208: no mail is sent and nothing removed: there are no random bytes");
    ua_test_expect(t, "UA0208");
    faults_add((fault_t){.kinds = FAULT_CRYPTO, .times = 1000});
    assert_null(ua_test_mail(t));
    ua_jobs_sweep(t->jobs, t->now);
    faults_off();
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = 0 AND attempts = 0"), 1);
    assert_non_null(ua_test_mail(t));
    ua_test_close(t);
}

static void a_first_start_is_refused_in_words(void **state)
{
    ua_test_t *t = ua_test_begin();
    const char *err = NULL;

    (void)state;
    faults_add((fault_t){.kinds = FAULT_CRYPTO, .times = 1000});
    err = ua_test_start(t, NULL);
    faults_off();
    assert_non_null(err);
    assert_null(strstr(err, "is not a css"));
    assert_null(strstr(err, "another process"));
    assert_null(ua_test_start(t, NULL));
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mails_and_sweeps_wait),
        cmocka_unit_test(a_first_start_is_refused_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
