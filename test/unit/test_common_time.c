/* test_common_time.c: a time in a view, for a program and for a page. */
#include "fixture.h"

static const struct {
    int wants_json;
    apr_time_t time;
    const char *view;
} views[] = {
    {1, UA_TEST_START, "{\"at\":\"2026-11-21T08:30:00Z\"}"},
    {0, UA_TEST_START,
     "{\"at\":{\"iso\":\"2026-11-21T08:30:00Z\",\"words\":\"21 November 2026 at 08:30 UTC\"}}"},
    {1, 0, "{\"at\":\"\"}"},
    {0, 0, "{\"at\":{\"iso\":\"\",\"words\":\"\"}}"},
};

static void told_as_it_is_read(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_req_t req = {.ctx = ua_test_context(t)};

    (void)state;
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        json_t *view = ua_json_object(t->pool);

        req.wants_json = views[i].wants_json;
        ua_view_time(view, &req, "at", views[i].time);
        assert_string_equal(ua_json_text(t->pool, view), views[i].view);
    }
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(told_as_it_is_read)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
