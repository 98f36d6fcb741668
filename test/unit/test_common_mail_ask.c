/* test_common_mail_ask.c: who asks for a mail counts for himself: strangers, known browsers, and a browser
 * whose registration has no claim on the address; and notices of which there is one a day. */
#include "fixture.h"

#define ALICE "alice@example.org"

static int ask(ua_test_t *t)
{
    return ua_test_post(t, "/auth/resend", "email", ALICE, NULL);
}

static void alone(ua_test_t *t)
{
    apr_table_clear(t->jar);
    assert_status(t, ask(t), 303);
    assert_status(t, ask(t), 429);
}

/* MAIL-01, ENUM-05: known or not, strangers have one bucket. */
static void strangers_share_one(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    alone(t);
    ua_test_clock(t, 60);
    alone(t);
    ua_test_close(t);
}

/* BF-05: a stranger who asks all day does not keep the owner's browser from its mail: the one that
 * registered, before it confirmed and after, and one that signed in. */
static void a_known_browser_has_its_own(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        ua_test_t *t = ua_test_open(NULL);
        apr_table_t *home = t->jar;

        ua_test_register(t, "alice");
        assert_non_null(ua_test_mail(t));
        if (way > 0) {
            assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
        }
        if (way > 1) {
            ua_test_login(t, "alice");
            ua_test_forget(t, ""); /* the cookie of the registration has served, too */
        }
        t->jar = apr_table_make(t->pool, 2);
        ua_test_clock(t, 60);
        alone(t);
        t->jar = home;
        assert_status(t, ask(t), 303);
        assert_status(t, ask(t), 429);
        ua_test_close(t);
    }
}

/* Its mails count for strangers, too: nobody sees by that whose browser asked. */
static void a_known_browser_counts_for_strangers(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_clock(t, 60);
    assert_status(t, ask(t), 303);
    apr_table_clear(t->jar);
    assert_status(t, ask(t), 429);
    ua_test_close(t);
}

/* A cookie of another account, or of a registration with another address, is a stranger's. */
static void other_cookies_are_worth_nothing(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_register(t, "alice");
    ua_test_register(t, "bob");
    ua_test_clock(t, 60);
    assert_status(t, ask(t), 303);
    apr_table_clear(t->jar);
    assert_status(t, ask(t), 429);
    ua_test_close(t);
}

/* What the answer does not tell: whether a mail goes. */
static void a_hidden_registration_is_answered_alike(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthHideAccounts on", NULL);
    ua_mail_ask_t found = {0, 0, NULL, NULL};
    ua_account_t *alice = NULL;

    (void)state;
    ua_test_member(t, "alice");
    ua_test_clock(t, 60);
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "mallory", "email", ALICE,
                               "password", UA_TEST_PASSWORD, NULL),
                  303);
    for (int i = 0; i < 3; i++) { /* 0: at once; 1: a stranger was first; 2: nobody was */
        if (i == 1) {
            apr_table_t *jar = t->jar;

            ua_test_clock(t, 60);
            t->jar = apr_table_make(t->pool, 1);
            assert_status(t, ask(t), 303);
            t->jar = jar;
        }
        ua_test_clock(t, i == 2 ? 60 : 0);
        assert_status(t, ua_test_get(t, "/auth/resend"), 200);
        assert_int_equal(ua_account_by_email(&alice, t->req->ctx, ALICE), APR_SUCCESS);
        assert_int_equal(ua_mail_ask(&found, t->req, alice, ALICE), APR_SUCCESS);
        assert_int_equal(found.wait > 0, i == 0);
        assert_int_equal(found.may, i == 2);
        assert_non_null(found.hidden);
        assert_string_equal(found.hidden->username, "mallory");
        assert_ptr_equal(found.own, found.hidden);
        ua_db_release(t->req->ctx);
    }
    ua_test_close(t);
}

static void one_notice_a_day(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t account = {.id = "acc", .username = "alice", .email = ALICE};
    static const char kinds[] =
        "SELECT group_concat(kind) FROM (SELECT kind FROM outbox ORDER BY kind)";

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ua_mail_daily(ctx, &account, UA_MAIL_LOCKED), APR_SUCCESS);
        assert_int_equal(ua_mail_daily_decoy(ctx, "counter", UA_MAIL_LOCKED), APR_SUCCESS);
    }
    assert_string_equal(ua_test_scalar(t, kinds), "locked,nobody");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE purpose = 'disown'"),
                     2);
    assert_int_equal(ua_mail_daily(ctx, &account, UA_MAIL_NEW_DEVICE), APR_SUCCESS);
    assert_string_equal(ua_test_scalar(t, kinds), "locked,new-device,nobody");
    ctx->now += apr_time_from_sec(24 * 3600);
    assert_int_equal(ua_mail_daily(ctx, &account, UA_MAIL_LOCKED), APR_SUCCESS);
    assert_int_equal(ua_mail_daily_decoy(ctx, "counter", UA_MAIL_LOCKED), APR_SUCCESS);
    assert_string_equal(ua_test_scalar(t, kinds), "locked,locked,new-device,nobody,nobody");
    ua_db_release(ctx);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_share_one),
        cmocka_unit_test(a_known_browser_has_its_own),
        cmocka_unit_test(a_known_browser_counts_for_strangers),
        cmocka_unit_test(other_cookies_are_worth_nothing),
        cmocka_unit_test(a_hidden_registration_is_answered_alike),
        cmocka_unit_test(one_notice_a_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
