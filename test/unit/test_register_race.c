/* test_register_race.c: what happens when another registration is between this one's look and its
 * writing: RACE-03 in slow motion, check and submit called one by one. */
#include "fixture.h"

/* A rival's row; its address and name as keys. */
static void insert_rival(ua_test_t *t, const char *username, const char *email)
{
    ua_test_sql(
        t,
        "INSERT INTO account (id, username, username_key, email, email_key, "
        "display_name, enabled, password_hash, password_set, failures, device_failures, "
        "corrections, address, created, verified, last_sign_in, previous_sign_in) "
        "VALUES ('rival', '%s', '%s', '%s', '%s', '', 0, 'x', 1, 0, 0, 0, '', 1, 0, 0, 0)",
        username, username, email, email);
}

/* The request of alice's registration, up to and with its check. */
static void check_alice(ua_test_t *t)
{
    assert_status(t, ua_test_get(t, "/auth/register"), 200);
    apr_table_setn(t->req->form, "username", "alice");
    apr_table_setn(t->req->form, "email", "alice@example.org");
    apr_table_setn(t->req->form, "password", UA_TEST_PASSWORD);
    ua_res_init(t->res, t->req);
    assert_int_equal(t->req->route->check(t->res, t->req), APR_SUCCESS);
    ua_db_release(t->req->ctx);
}

static void submit_alice(ua_test_t *t)
{
    apr_table_clear(t->req->errors);
    assert_int_equal(ua_db_begin(t->req->ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(t->req->route->submit(t->res, t->req), APR_SUCCESS);
    assert_int_equal(ua_db_commit(t->req->ctx), APR_SUCCESS);
    ua_db_release(t->req->ctx);
}

static void loses_to_a_rival(void **state)
{
    static const struct {
        const char *username, *email;
        ua_problem_e problem;
    } rivals[] = {
        {"alice", "other@example.org", UA_PROBLEM_USERNAME_TAKEN},
        {"other", "alice@example.org", UA_PROBLEM_EMAIL_IN_USE},
        {"alice", "alice@example.org", UA_PROBLEM_EMAIL_IN_USE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++) {
        ua_test_t *t = ua_test_open(NULL);
        const char *before = NULL;

        check_alice(t);
        assert_int_equal(t->res->problem, UA_PROBLEM_NONE);
        insert_rival(t, rivals[i].username, rivals[i].email);
        before = ua_test_rows(t);
        submit_alice(t);
        assert_int_equal(t->res->problem, rivals[i].problem);
        assert_int_equal(t->res->status, 409);
        assert_int_equal(t->res->cookies->nelts, 0);
        assert_string_equal(ua_test_rows(t), before); /* no orphan token row */
        ua_test_close(t);
    }
}

/* Taken at the look, free at the writing: there is no hash, so the person tries again. */
static void asks_again_when_the_name_became_free(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    insert_rival(t, "alice", "alice@example.org");
    check_alice(t);
    ua_test_sql(t, "DELETE FROM account");
    submit_alice(t);
    assert_int_equal(t->res->problem, UA_PROBLEM_BUSY);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    ua_test_close(t);
}

/* INV-3: whoever looked, the index decides. */
static void cannot_make_the_same_row_twice(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_ctx_t *ctx = NULL;
    ua_account_t account = {.id = "second",
                            .username = "ALICE",
                            .email = "else@example.org",
                            .display_name = "",
                            .password_hash = "x",
                            .address = ""};

    (void)state;
    insert_rival(t, "alice", "alice@example.org");
    ctx = ua_test_context(t);
    assert_int_not_equal(ua_account_insert(ctx, &account, "else@example.org"), APR_SUCCESS);
    account.username = "bob";
    assert_int_not_equal(ua_account_insert(ctx, &account, "alice@example.org"), APR_SUCCESS);
    ua_db_release(ctx);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 1);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loses_to_a_rival),
        cmocka_unit_test(asks_again_when_the_name_became_free),
        cmocka_unit_test(cannot_make_the_same_row_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
