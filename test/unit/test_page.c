/* test_page.c: written by u3, for app/page.c: filled in presently. */
#include "fixture.h"

static void the_site_answers(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_site_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
