/* test_common_hidden_later.c: what becomes of a registration with a used address: its code, sign-in,
 * username, corrections, end (ENUM-04, ENUM-10). */
#include "hidden_pair.h"
#include "domain/held_email.h"

/* The code of a mail that nobody got: not even the one that its row would make. */
static void no_code_ever_works(void **state)
{
    ua_test_t *t = open_site(NULL);
    pair_t pair = pair_of(t);
    ua_token_t token = {.purpose = UA_PURPOSE_VERIFY};
    const char *emails[] = {"", "Alice@example.org", "alice@example.org"};

    (void)state;
    assert_status(t, both(&pair, post), 303);
    assert_status(t, both(&pair, type_code), 422);
    assert_status(t, both(&pair, type_code), 422);
    token.account_id = ua_test_scalar(t, "SELECT id FROM account WHERE username = 'uschi'");
    token.id =
        ua_test_scalar(t, "SELECT id FROM token WHERE purpose = 'verify' AND account_id = '%s'",
                       token.account_id);
    for (size_t i = 0; i < COUNT(emails); i++) {
        const char *code = NULL;

        token.email = emails[i];
        assert_int_equal(ua_token_code(&code, t->pool, t->app->keys, &token), APR_SUCCESS);
        assert_status(t, ua_test_post(t, "/auth/verify", "code", code, NULL), 422);
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE enabled = 1"), 1);
    ua_test_close(t);
}

/* Nor does a sign-in tell: by name both wait to be confirmed, by address neither is an account. */
static void signs_in_alike(void **state)
{
    ua_test_t *t = open_site(NULL);
    pair_t pair = pair_of(t);

    (void)state;
    for (t->json = 0; t->json < 2; t->json++) {
        if (!t->json) {
            assert_status(t, both(&pair, post), 303);
        }
        assert_status(t, both(&pair, login_by_name), 403);
        assert_status(t, both(&pair, login_by_address), 401);
    }
    apr_table_clear(t->jar);
    t->json = 1;
    assert_status(t, /* the right password of the free address */
                  ua_test_post(t, "/auth/login", "login", pair.emails[0], "password",
                               UA_TEST_PASSWORD, NULL),
                  401);
    ua_test_close(t);
}

/* ENUM-10: a username is public, and the hidden registration holds its own like any other. */
static void holds_the_username(void **state)
{
    ua_test_t *t = open_site(NULL);
    pair_t pair = pair_of(t);

    (void)state;
    t->json = 1;
    assert_status(t, both(&pair, post), 201);
    assert_status(t, both(&pair, again), 409);
    assert_value(t, "code", "username_taken");
    assert_value(t, "errors.username", "Username already in use");
    assert_status(t, post(t, "alice", "alice@example.org"), 409);
    assert_value(t, "code", "username_taken");
    assert_value(t, "errors.email", "");
    assert_value(t, "links.resend", "");
    ua_test_clock(t, 7 * 24 * 3600 + 1);
    ua_jobs_sweep(t->jobs, t->now);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 1);
    assert_status(t, post(t, "uschi", "uschi@example.org"), 201);
    ua_test_close(t);
}

static int correct_free(ua_test_t *t, const char *name, const char *email)
{
    (void)email;
    return ua_test_post(t, "/auth/check-email", "email",
                        apr_pstrcat(t->pool, name, ".new@example.org", NULL), NULL);
}

/* A corrected address makes a real registration of a hidden one. */
static void becomes_real_by_a_free_address(void **state)
{
    ua_test_t *t = open_site(NULL);
    pair_t pair = pair_of(t);

    (void)state;
    assert_status(t, both(&pair, post), 303);
    (void)ua_test_mail(t);
    assert_status(t, both(&pair, correct_free), 303);
    pair.emails[0] = "frieda.new@example.org";
    pair.emails[1] = "uschi.new@example.org";
    assert_status(t, both(&pair, look), 200);
    (void)ua_test_mail(t);
    ua_test_clock(t, 60);
    t->jar = pair.jars[1];
    assert_status(t, resend(t, "", "uschi.new@example.org"), 303);
    assert_non_null(ua_test_mail(t));
    assert_non_null(strstr(t->mail, "To: uschi.new@example.org\r\n"));
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
    assert_int_equal(ua_test_count(t, "SELECT enabled FROM account WHERE username = 'uschi'"),
                     1);
    ua_test_close(t);
}

static int correct_used(ua_test_t *t, const char *name, const char *email)
{
    (void)email;
    return ua_test_post(t, "/auth/check-email", "email",
                        strcmp(name, "uschi") == 0 ? "alice@example.org" : "free@example.org",
                        NULL);
}

/* And a correction says as little as a registration. */
static void corrects_alike(void **state)
{
    ua_test_t *t = open_site(NULL);
    pair_t pair = pair_of(t);

    (void)state;
    pair.emails[1] = "uschi@example.org";
    assert_status(t, both(&pair, post), 303);
    (void)ua_test_mail(t);
    assert_status(t, both(&pair, correct_used), 303);
    pair.emails[0] = "free@example.org";
    pair.emails[1] = "alice@example.org";
    assert_status(t, both(&pair, look), 200);
    assert_status(t, both(&pair, type_code), 422);
    ua_test_clock(t, 60);
    assert_status(t, both(&pair, resend), 303);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'taken' AND "
                                      "email = 'alice@example.org'"),
                     2);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM account WHERE email_key = 'alice@example.org'"),
        1);
    ua_test_close(t);
}

/* Addresses that are used without an owner to tell: left for a new one some days ago, or of a closed
 * account. */
static void has_nobody_to_tell(void **state)
{
    ua_test_t *t = open_site(NULL);
    ua_ctx_t *ctx = ua_test_context(t);
    pair_t pair = pair_of(t);

    (void)state;
    assert_int_equal(ua_held_email_hold(ctx, "left@example.org", "another-account",
                                        t->now + apr_time_from_sec(86400)),
                     APR_SUCCESS);
    ua_db_release(ctx);
    pair.emails[1] = "left@example.org";
    assert_status(t, both(&pair, post), 303);
    assert_status(t, both(&pair, look), 200);
    (void)ua_test_mail(t);
    ua_test_clock(t, 2);
    assert_status(t, both(&pair, look), 200);
    ua_test_sql(t,
                "UPDATE account SET enabled = 0, closed = %" APR_INT64_T_FMT
                " WHERE username = 'alice'",
                (apr_int64_t)t->now);
    apr_table_clear(t->jar);
    assert_status(t, post(t, "third", "alice@example.org"), 303);
    assert_null(ua_test_mail(t));
    ua_test_close(t);
}

/* Whatever becomes of the links, of the mail and of the address's owner: ENUM-04, RACE-10. */
static void stays_alike(void **state)
{
    static const char *const fates[] = {
        "UPDATE account SET email = 'new@example.org', email_key = 'new@example.org' WHERE "
        "username = 'alice'",
        "UPDATE account SET email = 'ALICE@example.org' WHERE username = 'alice'",
        "UPDATE account SET enabled = 0, closed = 1 WHERE username = 'alice'",
        "DELETE FROM outbox WHERE account_id IN (SELECT id FROM account WHERE username = "
        "'alice')",
        "UPDATE account SET enabled = 0 WHERE username = 'alice'"};

    (void)state;
    for (size_t i = 0; i < COUNT(fates); i++) {
        for (int sent = 0; sent < 2; sent++) {
            ua_test_t *t = open_site("UserAuthVerifyLifetime 7d");
            pair_t pair = pair_of(t);

            while (ua_test_mail(t)) { /* alice's own */
            }
            assert_status(t, both(&pair, post), 303);
            assert_int_equal(sent ? ua_test_mail(t) != NULL : 1, 1);
            ua_test_sql(t, "%s", fates[i]);
            assert_status(t, both(&pair, look), 200);
            ua_test_clock(t, 25 * 3600);
            assert_status(t, both(&pair, look), 200);
            ua_test_clock(t, 7 * 24 * 3600);
            assert_status(t, both(&pair, look), 200);
            assert_shows(t, "We sent an email to");
            ua_test_close(t);
        }
    }
}

/* RACE-10: the mail finds its reader when it is sent. */
static void tells_who_has_the_address_by_now(void **state)
{
    ua_test_t *t = open_site(NULL);

    (void)state;
    while (ua_test_mail(t)) {
    }
    assert_status(t, post(t, "mallory", "alice@example.org"), 303);
    ua_test_sql(t, "UPDATE account SET username = 'alina', email = 'Alice@EXAMPLE.org' WHERE "
                   "username = 'alice'");
    assert_non_null(ua_test_mail(t));
    assert_non_null(strstr(t->mail, "To: Alice@EXAMPLE.org\r\n"));
    assert_non_null(strstr(t->mail, "Hello alina,"));
    ua_test_clock(t, 7200);
    apr_table_clear(t->jar);
    assert_status(t, post(t, "mallet", "alice@example.org"), 303);
    ua_test_sql(t, "UPDATE account SET enabled = 0, closed = 1 WHERE username = 'alina'");
    assert_null(ua_test_mail(t));
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = 1 AND "
                                      "kind = 'taken'"),
                     2);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_code_ever_works),
        cmocka_unit_test(signs_in_alike),
        cmocka_unit_test(holds_the_username),
        cmocka_unit_test(becomes_real_by_a_free_address),
        cmocka_unit_test(corrects_alike),
        cmocka_unit_test(has_nobody_to_tell),
        cmocka_unit_test(stays_alike),
        cmocka_unit_test(tells_who_has_the_address_by_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
