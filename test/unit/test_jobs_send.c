/* test_jobs_send.c: mails to nobody beside mails to somebody, with a real mail server, test/http/bad_smtp.py, and
 * with a folder: neither /auth/health nor the log tells which it was (ENUM-06).
 *
 * Run from the top of the tree (smtp_servers.h). */
#include "fixture.h"
#include "bad_smtp.h"

#include "app/jobs.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A site with the member alice that sends to the server. */
static ua_test_t *begin(void)
{
    ua_test_t *t = ua_test_open(
        apr_pstrcat(whole, "UserAuthMail smtp://", bad.address, " a@example.com", NULL),
        "UserAuthMailLimit off", "UserAuthRateLimit mail off", NULL);

    server_mode_set(whole, control, "ok");
    ua_test_register(t, "alice");
    ua_test_sql(t, "UPDATE account SET enabled = 1, verified = 1");
    ua_test_sql(t, "DELETE FROM outbox");
    t->json = 1;
    return t;
}

/* Somebody's or nobody's mail for a forgotten password, and one turn; the time of its next try. */
static void ask(ua_test_t *t, int known)
{
    assert_status(t,
                  ua_test_post(t, "/auth/forgot", "email",
                               known ? "alice@example.org" : "nobody@example.org", NULL),
                  202);
    (void)ua_jobs_mail(t->jobs, t->now);
}

static const char *health(ua_test_t *t)
{
    assert_status(t, ua_test_get(t, "/auth/health"), 200);
    return apr_pstrdup(t->pool, ua_test_value(t, "mail"));
}

/* All that a mail left behind. */
static const char *left(ua_test_t *t)
{
    const char *said = t->logs->nelts > 0
                           ? APR_ARRAY_IDX(t->logs, t->logs->nelts - 1, const char *)
                           : "nothing";

    return apr_pstrcat(t->pool, health(t), " ",
                       ua_test_scalar(t, "SELECT state || ' ' || attempts FROM outbox"), " ",
                       said, NULL);
}

/* A healthy site meets a server that fails before a recipient is named, or finds it well again. */
static void alike_until_the_recipient(void **state)
{
    static const struct {
        const char *mode;
        int logged;
        const char *comment;
    } rows[] = {
        {"mail-452", 1, "the disk is full"},
        {"mail-550", 1, "the sender is refused"},
        {"mail-421", 1, "overloaded"},
        {"banner-554", 1, "nobody is welcome"},
        {"drop-mail", 1, "crashes"},
        {"noop-421", 0, "NOOP is no part of a mail"},
        {"ok", 0, "well"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *found[2];

        for (int known = 0; known < 2; known++) {
            ua_test_t *t = begin();

            server_mode_set(whole, control, rows[i].mode);
            if (rows[i].logged) {
                ua_test_expect(t, "UA0201");
            }
            ask(t, known);
            found[known] = apr_pstrdup(whole, left(t));
            if (strstr(found[known], rows[i].logged ? "delayed 0 1" : "ok 1 1 nothing") ==
                NULL) {
                fail_msg("%s: %s", rows[i].comment, found[known]);
            }
            server_mode_set(whole, control, "ok");
            t->now = ua_test_count(t, "SELECT MAX(due) FROM outbox");
            (void)ua_jobs_mail(t->jobs, t->now);
            assert_string_equal(health(t), "ok"); /* either ends the trouble */
            assert_int_equal(ua_test_logged(t, "UA0202"), rows[i].logged);
            ua_test_close(t);
        }
        assert_string_equal(found[0], found[1]);
    }
}

/* While mails fail where only they come to, one to nobody is put off as they are and calls nothing well. */
static void nobody_ends_no_trouble_it_cannot_meet(void **state)
{
    static const char *const modes[] = {"rcpt-421", "data-451", "end-452", "drop-data"};

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        ua_test_t *t = begin();

        server_mode_set(whole, control, modes[i]);
        ua_test_expect(t, "UA0201");
        ask(t, 1);
        for (int known = 1; known >= 0; known--) {
            ua_test_sql(t, "DELETE FROM outbox");
            t->jobs->rest = 0;
            ask(t, known);
            assert_string_equal(ua_test_scalar(t, "SELECT state || attempts FROM outbox"),
                                "01");
            assert_string_equal(health(t), "delayed");
        }
        assert_int_equal(t->logs->nelts, 1);
        server_mode_set(whole, control, "ok");
        t->jobs->rest = 0;
        ask(t, 1);
        assert_string_equal(health(t), "ok");
        t->now = ua_test_count(t, "SELECT MAX(due) FROM outbox");
        (void)ua_jobs_mail(t->jobs, t->now);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE state = 1"), 2);
        ua_test_close(t);
    }
}

/* A template that can't be read is a mail's own trouble; the server is well, but that does not end it. */
static void a_template_that_fails(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    assert_status(t, ua_test_post(t, "/auth/forgot", "email", "alice@example.org", NULL), 202);
    ua_test_sql(t, "UPDATE outbox SET kind = 'of a later version'");
    ua_test_expect(t, "UA0201");
    ask(t, 0); /* in the same turn */
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(kind || state || attempts) FROM outbox"),
        "of a later version01,nobody01");
    assert_string_equal(health(t), "delayed");
    ua_test_close(t);
}

/* The same with a folder: one that is missing, and one that holds mails. */
static void alike_in_a_folder(void **state)
{
    static const char *const folders[] = {"/absent", "/mail"};

    (void)state;
    for (size_t i = 0; i < COUNT(folders); i++) {
        const char *found[2];

        for (int known = 0; known < 2; known++) {
            ua_test_t *t = begin();

            t->conf->mail_kind = UA_MAIL_FOLDER;
            t->conf->mail_target = apr_pstrcat(t->pool, t->folder, folders[i], NULL);
            if (i == 0) {
                ua_test_expect(t, "UA0201: mail can't be sent and will be tried again: ");
            }
            ask(t, known);
            found[known] = left(t);
            assert_non_null(strstr(found[known], i == 0 ? "delayed 0 1" : "ok 1 1 nothing"));
            /* but for the name of the test's own folder */
            found[known] = apr_pstrdup(whole, strstr(found[known], folders[i])
                                                  ? strstr(found[known], folders[i])
                                                  : found[known]);
            ua_test_close(t);
        }
        assert_string_equal(found[0], found[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alike_until_the_recipient),
        cmocka_unit_test(nobody_ends_no_trouble_it_cannot_meet),
        cmocka_unit_test(a_template_that_fails),
        cmocka_unit_test(alike_in_a_folder),
    };

    return cmocka_run_group_tests(tests, server_start, server_end);
}
