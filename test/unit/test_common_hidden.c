/* test_common_hidden.c: UserAuthHideAccounts: who registers a used address can't tell it from a free one
 * by the answer, the page after it or the mails; its owner can (ENUM-04, ENUM-05, ENUM-06). */
#include "hidden_pair.h"

static void answers_alike(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        ua_test_t *t = open_site(NULL);
        pair_t pair = pair_of(t);
        const char *before = NULL;

        t->json = json;
        assert_status(t, both(&pair, post), json ? 201 : 303);
        if (!json) {
            assert_string_equal(ua_test_location(t), "/auth/check-email");
        }
        before = sizes(t);
        ua_test_clock(t, 3600);
        t->jar = pair.jars[0];
        assert_status(t, post(t, "second", "second@example.org"), json ? 201 : 303);
        assert_string_not_equal(sizes(t), before);
        ua_test_close(t);
    }
}

/* ENUM-05: the same rows, so that the time is the same but for noise; and a hash in either case. */
static void writes_the_same_rows(void **state)
{
    ua_test_t *t = open_site(NULL);
    const char *grown[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        apr_table_clear(t->jar);
        ua_test_sql(t, "DELETE FROM token");
        ua_test_sql(t, "DELETE FROM outbox");
        ua_test_sql(t, "DELETE FROM event");
        ua_test_sql(t, "DELETE FROM throttle");
        ua_test_sql(t, "DELETE FROM account WHERE verified = 0");
        assert_status(t, post(t, "newname", i ? "alice@example.org" : "free@example.org"), 303);
        grown[i] = sizes(t);
    }
    assert_string_equal(grown[0], grown[1]);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE password_hash LIKE "
                                      "'$argon2id$%%' AND verified = 0"),
                     1);
    ua_test_close(t);
}

/* ENUM-04, UNI-01: to the address as it is stored, with no link that does anything, and nothing typed. */
static void tells_the_owner(void **state)
{
    static const char owner[] =
        "SELECT username || email || email_key || display_name || password_hash || enabled || "
        "corrections || failures FROM account WHERE username = 'alice'";
    ua_test_t *t = open_site(NULL);
    const char *before = ua_test_scalar(t, owner);

    (void)state;
    assert_status(t, post(t, "mallory", "ALICE@EXAMPLE.ORG"), 303);
    assert_non_null(ua_test_mail(t));
    assert_non_null(strstr(t->mail, "To: alice@example.org\r\n"));
    assert_non_null(strstr(t->mail, "Subject: Someone tried to register with your email\r\n"));
    assert_non_null(strstr(t->mail, "Hello alice,"));
    assert_null(strstr(t->mail, "token="));
    assert_null(strstr(t->mail, "mallory"));
    assert_null(strstr(t->mail, "Typed Words"));
    assert_null(ua_test_mail(t));
    assert_string_equal(ua_test_scalar(t, owner), before);
    assert_status(t, login_by_name(t, "alice", ""), 303); /* with the password as it was */
    ua_test_close(t);
}

/* The page after it, at every moment. */
static void looks_alike_afterwards(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        ua_test_t *t = open_site(NULL);
        pair_t pair = pair_of(t);

        t->json = json;
        assert_status(t, both(&pair, post), json ? 201 : 303);
        assert_status(t, both(&pair, look), 200);
        assert_shows(t, json ? "\"mail\":\"queued\"" : "It is on its way.");
        assert_non_null(ua_test_mail(t));
        ua_test_clock(t, 2);
        assert_status(t, both(&pair, look), 200);
        assert_shows(t, json ? "\"mail\":\"sent\"" : "We sent an email to");
        assert_status(t, both(&pair, resend), 429);
        ua_test_clock(t, 60);
        assert_status(t, both(&pair, look), 200);
        assert_status(t, both(&pair, resend), json ? 202 : 303);
        assert_status(t, both(&pair, look), 200);
        assert_shows(t, json ? "\"mail\":\"queued\"" : "It is on its way.");
        assert_status(t, both(&pair, resend), 429);
        ua_test_close(t);
    }
}

/* ENUM-06 */
static void looks_alike_while_mails_are_delayed(void **state)
{
    ua_test_t *t = open_site(NULL);
    pair_t pair = pair_of(t);

    (void)state;
    assert_null(ua_test_start(
        t, HIDE, "UserAuthMail folder:{}/absent \"Example <accounts@example.com>\"", NULL));
    ua_test_expect(t, "UA0201: mail can't be sent");
    assert_status(t, both(&pair, post), 303);
    assert_null(ua_test_mail(t));
    assert_status(t, both(&pair, look), 200);
    assert_shows(t, "It is delayed.");
    ua_test_close(t);
}

/* Over the limit of mails to one address the owner gets none, and nobody can see it. */
static void keeps_to_the_limit_of_mails(void **state)
{
    ua_test_t *t = open_site(NULL);

    (void)state;
    for (int i = 0; i < 4; i++) { /* alice's own was the first */
        apr_table_clear(t->jar);
        assert_status(t, post(t, apr_psprintf(t->pool, "mallory%d", i), "alice@example.org"),
                      303);
        assert_status(t, look(t, "", ""), 200);
        assert_shows(t, "It is on its way.");
        ua_test_clock(t, 2);
        (void)ua_test_mail(t);
        assert_status(t, look(t, "", ""), 200);
        assert_shows(t, "We sent an email to");
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'taken'"), 1);
    ua_test_clock(t, 3600);
    for (int i = 0; i < 3; i++) { /* MAIL-01: nor by asking again in every browser */
        apr_table_clear(t->jar);
        assert_status(t, post(t, apr_psprintf(t->pool, "eve%d", i), "alice@example.org"), 303);
        ua_test_clock(t, 61);
        assert_status(t, resend(t, "", "alice@example.org"), 303);
    }
    apr_table_clear(t->jar);
    assert_status(t, post(t, "eve3", "alice@example.org"), 429);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'taken'"), 5);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_alike),
        cmocka_unit_test(writes_the_same_rows),
        cmocka_unit_test(tells_the_owner),
        cmocka_unit_test(looks_alike_afterwards),
        cmocka_unit_test(looks_alike_while_mails_are_delayed),
        cmocka_unit_test(keeps_to_the_limit_of_mails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
