#include "fixture.h"
static void x(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    print_message("%s\n%s", t->body, ua_test_rows(t));
    ua_test_close(t);
}
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(x)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
