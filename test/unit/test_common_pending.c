/* test_common_pending.c: the address that waits for its link: how its mail fares, how often it may be sent,
 * and what a used address looks like where accounts are hidden. */
#include "moves.h"

#define NEW "fresh@example.org"

static int ask_json(ua_test_t *t, const char *email)
{
    t->json = 1;
    return ua_test_post_json(t, PROFILE,
                             apr_pstrcat(t->pool, "{\"email\":\"", email, "\"}", NULL));
}

static void finds_the_newest_open_one(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *id = ua_test_scalar(t, "SELECT id FROM account");
    const ua_token_t *pending = NULL;
    const char *words = NULL;
    ua_ctx_t *ctx = NULL;

    (void)state;
    ctx = ua_test_context(t);
    assert_int_equal(ua_pending_find(&pending, ctx, id), APR_SUCCESS);
    assert_null(pending);
    ua_db_release(ctx);
    ask(t, NEW);
    ctx = ua_test_context(t);
    assert_int_equal(ua_pending_find(&pending, ctx, id), APR_SUCCESS);
    assert_string_equal(pending->email, NEW);
    assert_int_equal(ua_pending_state(&words, ctx, pending), APR_SUCCESS);
    assert_string_equal(words, "queued");
    ua_test_sql(t, "UPDATE outbox SET attempts = 1 WHERE kind = 'email'");
    assert_int_equal(ua_pending_state(&words, ctx, pending), APR_SUCCESS);
    assert_string_equal(words, "delayed");
    assert_int_equal(ua_pending_drop(ctx, id, UA_ENDED_CHANGE), APR_SUCCESS);
    assert_int_equal(ua_pending_find(&pending, ctx, id), APR_SUCCESS);
    assert_null(pending);
    ua_db_release(ctx);
    assert_null(letter(t, NEW));
    ua_test_close(t);
}

/* MAIL-03 */
static void says_that_the_mail_is_delayed(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    ask(t, NEW);
    ua_test_sql(t, "UPDATE outbox SET attempts = 1 WHERE kind = 'email'");
    assert_status(t, ua_test_get(t, PROFILE), 200);
    assert_shows(t, "The email is delayed. We keep trying: there is nothing you have to do.");
    ua_test_close(t);
}

/* Contract 8: 1/1m to one address; alike for whoever asks. */
static void limits_mails_to_one_address(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *before = NULL;

    (void)state;
    assert_null(ua_test_start(t, NULL));
    ask(t, NEW);
    before = ua_test_rows(t);
    ua_test_clock(t, 59);
    t->json = 1;
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"resend_email\":1}"), 429);
    assert_value(t, "code", "rate_limited");
    assert_value(t, "title", "One email at a time");
    assert_string_equal(ua_test_reply_header(t, "Retry-After"), "1");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_clock(t, 1);
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"resend_email\":1}"), 200);
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"cancel_email\":1}"), 200);
    before = ua_test_rows(t);
    assert_status(t,
                  ua_test_post_json(t, PROFILE,
                                    "{\"email\":\"fresh@example.org\",\"display_name\":\"A\"}"),
                  429);
    assert_string_equal(ua_test_rows(t), before); /* nor is the rest saved */
    ua_test_close(t);
}

/* Contract 8: mail requests of one client address; what sends no mail goes on. */
static void limits_mails_of_one_client_address(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    assert_null(ua_test_start(t, "UserAuthRateLimit mail 2/1h", "UserAuthMailLimit off", NULL));
    assert_status(t, ask_json(t, "one@example.org"), 200);
    assert_status(t, ask_json(t, "two@example.org"), 200);
    assert_status(t, ask_json(t, "three@example.org"), 429);
    assert_value(t, "code", "rate_limited");
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"resend_email\":1}"), 429);
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"display_name\":\"A\"}"), 200);
    assert_value(t, "pending_email", "two@example.org");
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"cancel_email\":1}"), 200);
    t->address = "192.0.2.8";
    assert_status(t, ask_json(t, "three@example.org"), 200);
    ua_test_close(t);
}

static void says_that_an_address_is_in_use(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *before = NULL;

    (void)state;
    apr_table_clear(t->jar);
    ua_test_register(t, "bob"); /* unverified ones count, too */
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    before = ua_test_rows(t);
    assert_status(t, ask_json(t, "BOB@example.org"), 409);
    assert_value(t, "code", "email_in_use");
    assert_value(t, "title", "Email already in use");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

/* The answers and the person's own rows, but for the address and ids. */
static const char *traces_of(ua_test_t *t, const char *email)
{
    const char *answers = "";

    assert_status(t, ask_json(t, email), 200);
    assert_value(t, "pending_email", email);
    answers = apr_pstrdup(t->pool, strstr(t->body, "\"hidden\""));
    (void)letter(t, email);
    assert_status(t, ua_test_get(t, PROFILE), 200);
    answers = apr_pstrcat(t->pool, answers, strstr(t->body, "\"hidden\""), NULL);
    answers = apr_pstrcat(
        t->pool, answers,
        ua_test_scalar(
            t,
            "SELECT group_concat(o.kind || o.state || o.username || o.attempts || "
            "(o.expires - o.created) || o.detail || t.purpose || t.state) FROM outbox o JOIN "
            "token t ON t.id = o.token_id WHERE o.email = '%s'",
            email),
        ua_test_scalar(t, "SELECT COUNT(*) || '|' || MAX(kind) FROM event"), NULL);
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"cancel_email\":1}"), 200);
    ua_test_sql(t, "DELETE FROM event");
    for (const char *at = strstr(answers, email); at; at = strstr(answers, email)) {
        answers =
            apr_pstrcat(t->pool, apr_pstrmemdup(t->pool, answers, (apr_size_t)(at - answers)),
                        "<", at + strlen(email), NULL);
    }
    return answers;
}

/* The token of the open link to this address, which no mail holds. */
static const char *hidden_link(ua_test_t *t, const char *email)
{
    ua_token_t row = {.purpose = "email", .email = email};
    const char *text = NULL;

    row.id = ua_test_scalar(t, "SELECT id FROM token WHERE purpose = 'email' AND state = 0");
    row.account_id = ua_test_scalar(t, "SELECT account_id FROM token WHERE id = '%s'", row.id);
    assert_int_equal(ua_token_text(&text, t->pool, t->app->keys, &row), APR_SUCCESS);
    return text;
}

/* ENUM-08, issue 3 item 8: a used address looks free; its owner is told, and nothing can confirm it. */
static void hides_accounts(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *free_one = NULL;
    const char *token = NULL;

    (void)state;
    join(t, "bobby");
    assert_null(ua_test_start(t, "UserAuthHideAccounts on", "UserAuthMailLimit off", NULL));
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_sql(t, "DELETE FROM event");
    free_one = traces_of(t, NEW);
    assert_non_null(strstr(free_one, "sent"));
    ua_test_sql(t, "DELETE FROM outbox");
    ua_test_sql(t, "DELETE FROM token");
    ua_test_clock(t, 1);
    assert_string_equal(traces_of(t, "bobby@example.org"), free_one);
    assert_non_null(t->mail);
    assert_non_null(strstr(t->mail, "\r\nSubject: Someone tried to use your email\r\n"));
    assert_non_null(strstr(t->mail, "Someone, probably you, asked to use this email address\r\n"
                                    "for another account on localhost. It is already in\r\n"
                                    "use here, so nothing was changed."));
    assert_null(strstr(t->mail, "token="));
    assert_null(strstr(t->mail, "alice"));
    assert_status(t, ask_json(t, "Bobby@example.org"), 200);
    t->json = 0;
    token = hidden_link(t, "Bobby@example.org");
    assert_status(t, ua_test_submit(t, "/auth/email", "token", token, NULL), 409);
    assert_string_equal(address_of(t, "alice"), ALICE);
    assert_string_equal(address_of(t, "bobby"), "bobby@example.org");
    ua_test_close(t);
}

/* RACE-10: who has the address is looked up when the mail is sent, whoever had it when it was asked for. */
static void tells_who_has_it_by_now(void **state)
{
    static const struct {
        const char *request, *carol, *subject;
    } rows[] = {
        {"{\"email\":\"" NEW "\"}", NEW, "Someone tried to use your email"},
        {"{\"resend_email\":1}", "carol@example.org", "Confirm your new email for localhost"}};

    ua_test_t *t = site_of_alice("UserAuthHideAccounts on");

    (void)state;
    join(t, "carol");
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    t->json = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ua_test_clock(t, 1);
        assert_status(t, ua_test_post_json(t, PROFILE, rows[i].request), 200);
        ua_test_sql(t, "UPDATE account SET email_key = '%s' WHERE username = 'carol'",
                    rows[i].carol);
        assert_non_null(letter(t, NEW));
        assert_non_null(strstr(
            t->mail, apr_pstrcat(t->pool, "\r\nSubject: ", rows[i].subject, "\r\n", NULL)));
        assert_int_equal(strstr(t->mail, "token=") != NULL, i == 1);
    }
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE detail LIKE '%%taken%%'"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_newest_open_one),
        cmocka_unit_test(says_that_the_mail_is_delayed),
        cmocka_unit_test(limits_mails_to_one_address),
        cmocka_unit_test(limits_mails_of_one_client_address),
        cmocka_unit_test(says_that_an_address_is_in_use),
        cmocka_unit_test(hides_accounts),
        cmocka_unit_test(tells_who_has_it_by_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
