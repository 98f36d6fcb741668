/* test_session_cache_ends.c: what makes every process ask the database again at once.
 *
 * Cases: SESS (an ended session is refused by the next request), RACE-07.
 */
#include "remembered.h"

typedef apr_status_t act_f(ua_ctx_t *ctx, ua_account_t *account, const ua_session_t *session);

static apr_status_t signs_in(ua_ctx_t *ctx, ua_account_t *account, const ua_session_t *session)
{
    (void)session;
    return ua_account_signed_in(ctx, account);
}

static apr_status_t profile(ua_ctx_t *ctx, ua_account_t *account, const ua_session_t *session)
{
    (void)session;
    return ua_account_set_profile(ctx, account);
}

static apr_status_t email(ua_ctx_t *ctx, ua_account_t *account, const ua_session_t *session)
{
    (void)session;
    return ua_account_set_email(ctx, account, "new@example.org", "new@example.org");
}

static apr_status_t password(ua_ctx_t *ctx, ua_account_t *account, const ua_session_t *session)
{
    (void)session;
    return ua_account_set_password(ctx, account, "hash");
}

static apr_status_t password_off(ua_ctx_t *ctx, ua_account_t *account,
                                 const ua_session_t *session)
{
    (void)session;
    return ua_account_password_off(ctx, account->id);
}

static apr_status_t freshen(ua_ctx_t *ctx, ua_account_t *account, const ua_session_t *session)
{
    (void)account;
    return ua_session_freshen(ctx, session);
}

static apr_status_t closes(ua_ctx_t *ctx, ua_account_t *account, const ua_session_t *session)
{
    (void)session;
    return ua_account_close(ctx, account->id);
}

static apr_status_t ends_own(ua_ctx_t *ctx, ua_account_t *account, const ua_session_t *session)
{
    return ua_session_end_own(ctx, account->id, session->id);
}

static apr_status_t ends_all(ua_ctx_t *ctx, ua_account_t *account, const ua_session_t *session)
{
    (void)session;
    return ua_session_end_all(ctx, account->id, "");
}

static const struct {
    const char *name;
    act_f *act;
    int ends;
} acts[] = {
    {"signs in", signs_in, 0},
    {"changes the profile", profile, 0},
    {"changes the address", email, 0},
    {"changes the password", password, 0},
    {"loses the password", password_off, 0},
    {"gives the password again", freshen, 0},
    {"closes the account", closes, 1},
    {"ends the session", ends_own, 1},
    {"ends all sessions", ends_all, 1},
};

/* In a transaction, as every submit. */
static void perform(ua_test_t *t, act_f *act)
{
    ua_ctx_t *ctx = ua_test_context(t);
    ua_session_t *session = NULL;
    ua_account_t *account = NULL;

    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(ua_session_read(&session, ctx, ua_test_cookie(t, "")), APR_SUCCESS);
    assert_int_equal(ua_account_by_id(&account, ctx, session->account_id), APR_SUCCESS);
    assert_int_equal(act(ctx, account, session), APR_SUCCESS);
    assert_int_equal(ua_db_commit(ctx), APR_SUCCESS);
    ua_db_release(ctx);
}

static void a_change_is_noticed_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(acts); i++) {
        ua_test_t *t = remembered_open(NULL);

        print_message("%s\n", acts[i].name);
        perform(t, acts[i].act);
        if (acts[i].ends) {
            assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
        }
        else {
            assert_true(remembered_asks(t));
        }
        ua_test_close(t);
    }
}

static void signing_out_is_noticed_at_once(void **state)
{
    ua_test_t *t = remembered_open(NULL);
    const char *cookie = apr_pstrdup(t->pool, ua_test_cookie(t, ""));

    (void)state;
    assert_status(t, ua_test_submit(t, "/auth/logout", NULL), 303);
    apr_table_set(t->jar, "userauth", cookie);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

/* The secret of before a re-authentication opens nothing any more. */
static void a_renewed_secret_replaces_the_old(void **state)
{
    ua_test_t *t = remembered_open(NULL);
    const char *cookie = apr_pstrdup(t->pool, ua_test_cookie(t, ""));

    (void)state;
    assert_status(t, ua_test_submit(t, "/auth/reauth", "password", UA_TEST_PASSWORD, NULL),
                  303);
    assert_string_not_equal(ua_test_cookie(t, ""), cookie);
    assert_true(remembered_asks(t));
    apr_table_set(t->jar, "userauth", cookie);
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

/* What one process ends the others refuse, too. */
static void all_processes_notice(void **state)
{
    ua_test_t *t = remembered_open(NULL);
    ua_app_t *first = t->app;
    ua_app_t second = *first;

    (void)state;
    assert_int_equal(ua_app_enter(&second, t->site), APR_SUCCESS);
    assert_ptr_not_equal(second.sessions, first->sessions);
    t->app = &second;
    perform(t, ends_own);
    t->app = first;
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 303);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_noticed_at_once),
        cmocka_unit_test(signing_out_is_noticed_at_once),
        cmocka_unit_test(a_renewed_secret_replaces_the_old),
        cmocka_unit_test(all_processes_notice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
