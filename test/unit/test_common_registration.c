/* test_common_registration.c: the cookie of the browser that registered: whose it is, and how long it
 * tells anything. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define PAGE         "/auth/check-email"

/* The account that a request with this cookie has registered, or NULL. */
static const char *account_of(ua_test_t *t, const char *value)
{
    ua_req_t *req = apr_pcalloc(t->turn, sizeof *req);
    ua_account_t *account = NULL;
    apr_status_t rv = APR_SUCCESS;

    req->ctx = ua_test_context(t);
    req->cookie = apr_pstrcat(t->turn, "a=b; userauth-registration=", value, NULL);
    rv = ua_registration_account(&account, req);
    ua_db_release(req->ctx);
    assert_int_equal(rv, account ? APR_SUCCESS : APR_NOTFOUND);
    return account ? account->username : NULL;
}

static void belongs_to_one_account(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthUnverifiedLifetime 3d", NULL);
    const char *value = NULL;
    const char *id = NULL;
    const char *other = NULL;

    (void)state;
    ua_test_register(t, "bob");
    ua_test_register(t, "alice");
    value = ua_test_cookie(t, "registration");
    assert_int_equal(ua_test_set_cookie(t, "registration")->age, 3 * 24 * 3600);
    id = ua_test_scalar(t, "SELECT id FROM account WHERE username = 'alice'");
    other = ua_test_scalar(t, "SELECT id FROM account WHERE username = 'bob'");

    const struct {
        const char *comment, *value, *account;
    } rows[] = {
        {"genuine", value, "alice"},
        {"without its signature", id, NULL},
        {"another account's id", apr_pstrcat(t->pool, other, value + 36, NULL), NULL},
        {"of another time",
         apr_pstrcat(t->pool, apr_pstrndup(t->pool, value, strlen(value) - 10), "1234567890",
                     NULL),
         NULL},
        {"without a time", apr_pstrndup(t->pool, value, strlen(value) - 11), NULL},
        {"nobody's id",
         "6f1c5d44-5b0a-4a0e-9d57-0d9f3a1b2c3d."
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.1234567890",
         NULL},
        {"cut", apr_pstrndup(t->pool, value, strlen(value) - 1), NULL},
        {"longer", apr_pstrcat(t->pool, value, "A", NULL), NULL},
        {"nothing", "", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *account = account_of(t, rows[i].value);

        if (rows[i].account ? !account || strcmp(account, rows[i].account) != 0
                            : account != NULL) {
            fail_msg("%s: %s", rows[i].comment, account ? account : "(none)");
        }
    }
    ua_test_close(t);
}

/* When this browser asked for a mail: at the registration, by a correction; another site's resends are not told. */
static void knows_when_a_mail_was_asked_for(void **state)
{
    static const char *const lines[] = {"UserAuthHideAccounts on", "UserAuthHideAccounts off"};

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        ua_test_t *t = ua_test_open(lines[i], NULL);
        apr_time_t asked = apr_time_sec(t->now);

        ua_test_register(t, "alice");
        ua_test_clock(t, 60);
        assert_status(t, ua_test_post(t, "/auth/resend", "email", "ALICE@example.org", NULL),
                      303);
        asked += i == 0 ? 60 : 0;
        for (int n = 0; n < 2; n++) {
            ua_req_t *req = apr_pcalloc(t->turn, sizeof *req);
            ua_account_t *account = NULL;

            req->ctx = ua_test_context(t);
            req->cookie = apr_pstrcat(
                t->turn, "userauth-registration=", ua_test_cookie(t, "registration"), NULL);
            assert_int_equal(ua_registration_account(&account, req), APR_SUCCESS);
            assert_int_equal(ua_registration_asked(req), apr_time_from_sec(asked));
            ua_db_release(req->ctx);
            ua_test_clock(t, 60);
            assert_status(t, ua_test_post(t, PAGE, "email", "right@example.org", NULL), 303);
            asked = apr_time_sec(t->now);
        }
        ua_test_close(t);
    }
}

/* A stranger registered the address of somebody who made the account his own: the stranger's browser
 * hears of no later address, and of nothing when the account is closed. */
static void tells_no_later_address(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_sql(t, "UPDATE account SET enabled = 1, verified = %" APR_TIME_T_FMT, t->now);
    t->json = 1;
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_string_equal(t->body, "{\"mail\":\"verified\",\"email\":\"alice@example.org\"}");
    ua_test_sql(t, "UPDATE account SET email = 'private@example.org'");
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_string_equal(t->body, "{\"mail\":\"unknown\",\"email\":null}");
    ua_test_sql(t, "UPDATE account SET email = 'alice@example.org', closed = 1, enabled = 0");
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_string_equal(t->body, "{\"mail\":\"unknown\",\"email\":null}");
    ua_test_close(t);
}

static void follows_a_correction(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    assert_status(t, ua_test_post(t, PAGE, "email", "right@example.org", NULL), 303);
    t->json = 1;
    assert_status(t, ua_test_get(t, PAGE), 200);
    assert_string_equal(t->body, "{\"mail\":\"queued\",\"email\":\"right@example.org\"}");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(belongs_to_one_account),
        cmocka_unit_test(knows_when_a_mail_was_asked_for),
        cmocka_unit_test(tells_no_later_address),
        cmocka_unit_test(follows_a_correction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
