/* test_erase.c: a closed account that nobody restored is erased: nothing names the person any more, in any
 * table, and nothing of anybody else is touched.
 *
 * Cases: PRIV-05, RACE-10.
 */
#include "moves.h"

#define NEW "new@example.org"

/* Every table of the schema with all that it holds, as one text. */
static const char *all_rows(ua_test_t *t)
{
    const char *names = ua_test_scalar(t, "SELECT group_concat(name, ' ') FROM sqlite_master "
                                          "WHERE type = 'table' AND name NOT LIKE 'sqlite%%'");
    char *rest = apr_pstrdup(t->pool, names);
    const char *all = "";

    while (rest) {
        const char *table = strsep(&rest, " ");
        const char *columns = ua_test_scalar(
            t, "SELECT group_concat(name, ' || ''|'' || ') FROM pragma_table_info('%s')",
            table);
        const char *rows =
            ua_test_scalar(t, "SELECT group_concat(%s, '\n') FROM %s", columns, table);

        all = apr_pstrcat(t->pool, all, table, ":\n", rows, "\n", NULL);
    }
    return all;
}

static void sweep(ua_test_t *t)
{
    t->now += apr_time_from_sec(60);
    ua_jobs_sweep(t->jobs, t->now);
}

/* Alice leaves a row in every table: another name, another address, a profile, a password before, API tokens,
 * known browsers, links, mails; and closes the account. */
static ua_test_t *site_of_a_life(void)
{
    ua_test_t *t = site_of_alice("UserAuthProfileField city \"City\" public");

    t->address = "198.51.100.77";
    t->agent = "Canary/7.7";
    assert_status(t,
                  ua_test_submit(t, PROFILE, "username", "Alicia77", "display_name",
                                 "Alice Canary", "city", "Canaryville", NULL),
                  303);
    move_to(t, NEW);
    t->json = 1;
    assert_status(t, log_in(t, "alicia77", UA_TEST_PASSWORD), 200);
    t->json = 0;
    ua_test_sql(
        t, "INSERT INTO old_password SELECT 'o', id, 'x', %" APR_TIME_T_FMT " FROM account",
        t->now);
    return t;
}

static void closes(ua_test_t *t, const char *login)
{
    ua_test_clock(t, 1);
    assert_status(t, log_in(t, login, UA_TEST_PASSWORD), 303);
    assert_status(
        t, ua_test_submit(t, "/dashboard/close", "current_password", UA_TEST_PASSWORD, NULL),
        303);
    apr_table_clear(t->jar);
}

/* PRIV-05, RACE-10: no row of the account, no name, address, or client address anywhere. */
static void nothing_stays(void **state)
{
    static const char *const traces[] = {"alic",   "Alic",   NEW,        "198.51.100.77",
                                         "Canary", "canary", "192.0.2.7"};
    ua_test_t *t = site_of_a_life();
    const char *id = ua_test_scalar(t, "SELECT id FROM account");
    const char *rows = NULL;

    (void)state;
    closes(t, "alicia77");
    ua_test_clock(t, DAYS(7) + 2);
    rows = all_rows(t);
    for (size_t i = 0; i < COUNT(traces); i++) {
        assert_non_null(strstr(rows, traces[i])); /* the search finds what is there */
    }
    sweep(t);
    rows = all_rows(t);
    for (size_t i = 0; i < COUNT(traces); i++) {
        if (strstr(rows, traces[i])) {
            print_error("%s is still in:\n%s\n", traces[i], rows);
        }
        assert_null(strstr(rows, traces[i]));
    }
    assert_int_equal(ua_test_count(t,
                                   "SELECT (SELECT COUNT(*) FROM account) + (SELECT COUNT(*) "
                                   "FROM session) + (SELECT COUNT(*) FROM refresh) + (SELECT "
                                   "COUNT(*) FROM device) + (SELECT COUNT(*) FROM "
                                   "profile_field) + (SELECT COUNT(*) FROM old_password) + "
                                   "(SELECT COUNT(*) FROM token) + (SELECT COUNT(*) FROM "
                                   "outbox WHERE state = 0)"),
                     0);
    assert_true(ua_test_count(t, "SELECT COUNT(*) FROM event WHERE account_id = '%s'", id) > 5);
    ua_test_close(t);
}

/* One event says so, as a row and as a line, and no client's address is in it. */
static void says_so(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    closes(t, "alice");
    ua_test_clock(t, DAYS(7));
    sweep(t);
    assert_int_equal(ua_test_events(t, "\"event\":\"erased\""), 1);
    assert_string_equal(ua_test_scalar(t,
                                       "SELECT kind || '|' || address || '|' || agent || '|' "
                                       "|| detail FROM event ORDER BY happened DESC LIMIT 1"),
                        "erased|||");
    sweep(t);
    assert_int_equal(ua_test_events(t, "\"event\":\"erased\""), 1);
    assert_null(ua_test_mail(t)); /* RACE-10: no mail afterwards */
    ua_test_close(t);
}

/* The address can be registered by anybody; the name by nobody. */
static void what_is_free(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    closes(t, "alice");
    ua_test_clock(t, DAYS(7));
    sweep(t);
    t->json = 1;
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "ALICE", "email", ALICE,
                               "password", UA_TEST_PASSWORD, NULL),
                  409);
    assert_value(t, "code", "username_taken");
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "alice2", "email", ALICE,
                               "password", UA_TEST_PASSWORD, NULL),
                  201);
    ua_test_close(t);
}

/* Not a second before its time; an open account never; and nobody else's rows. */
static void only_what_is_over(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *bob = NULL;

    (void)state;
    join(t, "bob");
    assert_status(t, log_in(t, "bob", UA_TEST_PASSWORD), 303);
    closes(t, "alice");
    t->now += apr_time_from_sec(DAYS(7));
    ua_jobs_sweep(t->jobs, t->now);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 2);
    bob =
        ua_test_scalar(t, "SELECT group_concat(e.kind || e.address) FROM event e JOIN account "
                          "a ON a.id = e.account_id WHERE a.username = 'bob'");
    sweep(t);
    assert_string_equal(ua_test_scalar(t, "SELECT group_concat(username) FROM account"), "bob");
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(e.kind || e.address) FROM event e JOIN account "
                          "a ON a.id = e.account_id WHERE a.username = 'bob'"),
        bob);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE email = "
                                      "'bob@example.org'") > 0,
                     1);
    ua_test_close(t);
}

/* Whoever closed it may be a thief while the change of the address can be undone. */
static void not_while_it_can_be_undone(void **state)
{
    ua_test_t *t = site_of_alice("UserAuthRestoreLifetime 1d");
    const char *token = NULL;

    (void)state;
    move_to(t, NEW);
    token = undo_link(t, ALICE);
    closes(t, "alice");
    ua_test_clock(t, DAYS(6));
    sweep(t);
    assert_status(t, undo(t, token, UA_TEST_PASSWORD), 303);
    assert_string_equal(ua_test_scalar(t, "SELECT email || enabled || closed FROM account"),
                        ALICE "10");
    ua_test_sql(t, "UPDATE account SET password_off = 0");
    ua_test_sql(t, "DELETE FROM throttle");
    closes(t, "alice");
    ua_test_clock(t, DAYS(1));
    sweep(t);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    ua_test_close(t);
}

/* Accounts that were closed long ago. */
static void close_many(ua_test_t *t)
{
    for (int i = 0; i < 120; i++) {
        ua_ctx_t *ctx = ua_test_context(t);
        ua_account_t account = {.username = apr_psprintf(t->pool, "user%d", i),
                                .display_name = "",
                                .password_hash = "h",
                                .address = "",
                                .created = t->now};

        assert_int_equal(ua_draw_uuid(&account.id, ctx), APR_SUCCESS);
        account.email = apr_pstrcat(t->pool, account.username, "@example.org", NULL);
        assert_int_equal(ua_account_insert(ctx, &account, account.email), APR_SUCCESS);
        ua_db_release(ctx);
    }
    ua_test_sql(t, "UPDATE account SET verified = 1, closed = 1");
}

/* Some at a time, each for itself; the next turn, 5 s later, does the rest. */
static void in_batches(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    close_many(t);
    sweep(t);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 70);
    assert_int_equal(ua_test_events(t, "\"erased\""), 50);
    for (int turns = 0; turns < 2; turns++) {
        t->now += apr_time_from_sec(5);
        ua_jobs_sweep(t->jobs, t->now);
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(DISTINCT account_id) FROM event WHERE kind "
                                      "= 'erased'"),
                     120);
    ua_test_close(t);
}

/* … But what fails is not tried each turn. */
static void a_failure_rests(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    close_many(t);
    ua_test_sql(
        t, "CREATE TRIGGER stop BEFORE DELETE ON account BEGIN SELECT RAISE(ABORT, 'no'); END");
    ua_test_expect(t, "UA0204");
    sweep(t);
    ua_test_sql(t, "DROP TRIGGER stop");
    t->now += apr_time_from_sec(5);
    ua_jobs_sweep(t->jobs, t->now);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 120);
    sweep(t);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 70);
    ua_test_close(t);
}

/* One that cannot be erased keeps everything, and the sweep says why. */
static void all_or_nothing(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    closes(t, "alice");
    ua_test_clock(t, DAYS(7));
    ua_test_sql(t,
                "CREATE TRIGGER stop BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'no'); "
                "END");
    ua_test_expect(t, "UA0204");
    sweep(t);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 1);
    assert_true(ua_test_count(t, "SELECT COUNT(*) FROM token") > 0);
    assert_int_equal(ua_test_events(t, "\"erased\""), 0);
    ua_test_sql(t, "DROP TRIGGER stop");
    sweep(t);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    assert_int_equal(ua_test_events(t, "\"erased\""), 1);
    ua_test_close(t);
}

/* RACE-10: another child was first, or the owner, between the look and the deed: nothing is touched. */
static void somebody_was_first(void **state)
{
    static const char *const deeds[] = {"DELETE FROM account",
                                        "UPDATE account SET closed = 0, enabled = 1"};

    (void)state;
    for (size_t i = 0; i < COUNT(deeds); i++) {
        ua_test_t *t = site_of_alice(NULL);
        apr_int64_t events = 0;

        join(t, "bob");
        closes(t, "alice");
        closes(t, "bob");
        ua_test_clock(t, DAYS(7) + 5);
        /* While the first of both is erased, the other one is gone or open again. */
        ua_test_sql(t, "CREATE TRIGGER rival AFTER DELETE ON account BEGIN %s; END", deeds[i]);
        sweep(t);
        assert_int_equal(ua_test_events(t, "\"erased\""), 1);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), (apr_int64_t)i);
        events = ua_test_count(t, "SELECT COUNT(*) FROM event WHERE address <> ''");
        assert_true(events > 0); /* the other one's */
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_stays),
        cmocka_unit_test(says_so),
        cmocka_unit_test(what_is_free),
        cmocka_unit_test(only_what_is_over),
        cmocka_unit_test(not_while_it_can_be_undone),
        cmocka_unit_test(in_batches),
        cmocka_unit_test(a_failure_rests),
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(somebody_was_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
