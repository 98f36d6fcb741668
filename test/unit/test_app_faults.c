/* test_app_faults.c: a site that starts while the database fails at each call.
 *
 * Each refusal says what is wrong, and the next start goes on from what the one before left: no half schema, no key
 * file that belongs to nothing. Cases: INV-4, INV-7.
 */
#include "fixture.h"
#include "db_faults.h"

#define MOST_CALLS 500

/* From call number `skip` + 1 on all fail. 1 as long as the site does not start. */
static int refuses(ua_test_t *t, int skip)
{
    const char *err = NULL;
    int failed = 0;

    faults_off();
    faults_add((fault_t){.kinds = FAULT_ANY, .skip = skip, .times = 10000});
    err = ua_test_start(t, NULL);
    failed = faults.failed;
    faults_off();
    if (failed && !(err && strstr(err, "UserAuthDatabase: "))) {
        fail_msg("call %d: %s", skip + 1, err ? err : "started");
    }
    assert_true(failed || !err);
    return failed;
}

static void play_start(ua_test_t *t)
{
    int n = 0;

    while (n < MOST_CALLS && refuses(t, n)) {
        n++;
    }
    assert_in_range(n, 2, MOST_CALLS - 1);
}

/* The first start, and one over what is there. */
static void starts_at_last(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    play_start(t);
    ua_test_member(t, "alice");
    play_start(t);
    ua_test_login(t, "alice");
    ua_test_close(t);
}

/* The key file is there, and the database that it was made for does not know it yet: the last step of a first
 * start failed. */
static void remembers_the_keys_later(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_sql(t, "DELETE FROM setting WHERE name = 'key_fingerprint'");
    assert_null(ua_test_start(t, NULL));
    assert_string_equal(
        ua_test_scalar(t, "SELECT value FROM setting WHERE name = 'key_fingerprint'"),
        t->app->keys->fingerprint);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_at_last),
        cmocka_unit_test(remembers_the_keys_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
