/* test_erase_faults.c: accounts whose time is over, while the database or OpenSSL fails at each call.
 *
 * Each is wholly there or wholly gone, with one event; the next sweep goes on. Cases: INV-4, INV-10, PRIV-05.
 */
#include "failing_requests.h"

/* Of each account in turn: its row, links, addresses of mails, and the event of its end. */
static const char parts[] =
    "SELECT group_concat(x, ' ') FROM (SELECT (SELECT COUNT(*) FROM account a WHERE a.id = i) "
    "|| (SELECT COUNT(*) > 0 FROM token WHERE account_id = i) || (SELECT COUNT(*) > 0 FROM "
    "outbox WHERE account_id = i AND email <> '') || (SELECT COUNT(*) FROM event WHERE "
    "account_id = i AND kind IN ('erased', 'registration_expired')) AS x FROM (SELECT DISTINCT "
    "account_id AS i FROM event WHERE account_id <> ''))";

/* Says whether every account is in one of the two states, and how many are gone. */
static int gone(ua_test_t *t)
{
    char *rest = apr_pstrdup(t->pool, ua_test_scalar(t, "%s", parts));
    int count = 0;

    while (rest) {
        const char *one = strsep(&rest, " ");

        if (strcmp(one, "0001") == 0) {
            count++;
        }
        else if (strcmp(one, "1110") != 0) {
            fail_msg("neither there nor gone: %s", one);
        }
    }
    return count;
}

/* Two who closed their accounts, and two who never confirmed; long ago. */
static ua_test_t *old_site(void)
{
    ua_test_t *t = tireless_site(NULL);

    join(t, "alice");
    join(t, "bob");
    ua_test_register(t, "carol");
    ua_test_register(t, "dave");
    ua_test_sql(
        t, "UPDATE account SET closed = 1, enabled = 0 WHERE username IN ('alice', 'bob')");
    ua_test_sql(t, "UPDATE account SET created = 1");
    (void)ua_test_mail(t);
    assert_int_equal(gone(t), 0);
    return t;
}

/* Call number `skip` + 1 of these kinds fails; 1 when one did. */
static int sweep_fails(ua_test_t *t, int kinds, int skip)
{
    int logged = t->logs->nelts;
    int events = t->events->nelts;
    int before = gone(t);
    int failed = 0;

    ua_test_clock(t, 3700);
    faults_off();
    faults_add((fault_t){
        .kinds = kinds, .skip = skip, .times = kinds == ONE_ALONE ? 1 : 1000, .rc = BUSY});
    ua_jobs_sweep(t->jobs, t->now);
    failed = faults.failed;
    faults_off();
    for (int i = logged; i < t->logs->nelts; i++) {
        ua_test_expect(t, "UA02");
    }
    assert_int_equal(gone(t) - before, t->events->nelts - events);
    return failed;
}

static void whole_or_gone(void **state)
{
    static const int kinds[] = {FAULT_ANY, ONE_ALONE, FAULT_CRYPTO};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        ua_test_t *t = old_site();
        int n = 0;

        while (n < MOST_CALLS && (sweep_fails(t, kinds[i], n) || gone(t) < 4)) {
            n++;
        }
        assert_in_range(n, 4, MOST_CALLS - 1);
        assert_int_equal(gone(t), 4);
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_or_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
