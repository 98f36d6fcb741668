/* test_health.c: whether the site can serve people, for load balancers: JSON without secrets. */
#include "fixture.h"

static void is_well(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_header(t, "Accept", "text/html");
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    assert_string_equal(t->res->type, "application/json");
    assert_string_equal(t->body, "{\"status\":\"ok\",\"database\":\"ok\",\"mail\":\"ok\"}");
    assert_status(t, ua_test_head(t, "/auth/health"), 200);
    ua_test_close(t);
}

/* MAIL-08: a queue that grows is seen. */
static void tells_of_delayed_mails(void **state)
{
    ua_test_t *t =
        ua_test_open("UserAuthMail folder:{}/absent \"Example <accounts@example.com>\"", NULL);

    (void)state;
    ua_test_register(t, "alice");
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    assert_value(t, "mail", "ok"); /* merely queued */
    ua_test_expect(t, "UA0201");
    assert_null(ua_test_mail(t));
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    assert_value(t, "status", "ok");
    assert_value(t, "mail", "delayed");
    assert_false(ua_test_shows(t, "alice"));
    ua_test_close(t);
}

static void tells_that_the_database_is_gone(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_sql(t, "ALTER TABLE setting RENAME TO away");
    assert_status(t, ua_test_get(t, "/auth/health"), 503);
    assert_string_equal(t->body, "{\"status\":\"unavailable\",\"database\":\"unavailable\"}");
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "1");
    ua_test_sql(t, "ALTER TABLE away RENAME TO setting");
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    ua_test_close(t);
}

/* A session that cannot be read does not matter here. */
static void looks_at_no_session(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_null(ua_test_start(t, NULL));
    ua_test_sql(t, "ALTER TABLE session RENAME TO away");
    apr_table_set(t->jar, "userauth", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    ua_test_close(t);
}

/* UPG-02, trap 4: another process's migration, VACUUM or ANALYZE makes nobody look ill. */
static void survives_a_schema_change(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    ua_test_sql(t, "CREATE INDEX another ON account (created)");
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    ua_test_close(t);
}

static void answers_over_plain_http_too(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthBaseURL https://www.example.com", NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    assert_status(t, ua_test_get(t, "/auth/login"), 308);
    ua_test_close(t);
}

static void takes_no_submit(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_post(t, "/auth/health", NULL), 405);
    assert_string_equal(ua_test_reply_header(t, "Allow"), "GET, HEAD, OPTIONS");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_well),
        cmocka_unit_test(tells_of_delayed_mails),
        cmocka_unit_test(tells_that_the_database_is_gone),
        cmocka_unit_test(looks_at_no_session),
        cmocka_unit_test(survives_a_schema_change),
        cmocka_unit_test(answers_over_plain_http_too),
        cmocka_unit_test(takes_no_submit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
