/* test_settings_mail.c: where mail goes, from whom, how secretly, how often. */
#include "settings_lines.h"

#include "base/curl_smtp.h"

#include <sys/stat.h>

#define SMTP   "UserAuthMail smtp://mail.example.com a@example.com\n"
#define LOCAL  "UserAuthMail smtp://localhost a@example.com\n"
#define SECRET "UserAuthMailUser me\nUserAuthMailPasswordFile {}/secret\n"

/* CFG-04, CFG-12, MAIL-08: what would fail at every send is refused at start. */
static const refused_t refusals[] = {
    {"-UserAuthMail", NULL, "UserAuthMail is missing", "UserAuthMail smtp://localhost"},
    {"UserAuthMail http://mail.example.com a@example.com", "UserAuthMail", "http://",
     "smtp://host, smtps://host or folder:/path"},
    {"UserAuthMail folder:mail a@example.com", "UserAuthMail", "folder:mail", "folder:/path"},
    {"UserAuthMail smtp:// a@example.com", "UserAuthMail", "\"smtp://\"", "smtp://host"},
    {"UserAuthMail smtp://:25 a@example.com", "UserAuthMail", "smtp://:25", "smtp://host"},
    {"UserAuthMail smtp://localhost:0 a@example.com", "UserAuthMail", "localhost:0",
     "smtp://host:port"},
    {"UserAuthMail smtp://localhost:65536 a@example.com", "UserAuthMail", "65536",
     "smtp://host:port"},
    {"UserAuthMail smtp://localhost:99999999999999999999 a@example.com", "UserAuthMail", "9999",
     "smtp://host:port"},
    {"UserAuthMail smtp://localhost:x a@example.com", "UserAuthMail", "localhost:x",
     "smtp://host:port"},
    {"UserAuthMail smtp://localhost/helo a@example.com", "UserAuthMail", "/helo",
     "smtp://host:port"},
    {"UserAuthMail smtp://localhost?x a@example.com", "UserAuthMail", "?x", "smtp://host:port"},
    {"UserAuthMail \"smtp://local host\" a@example.com", "UserAuthMail", "local host",
     "smtp://host:port"},
    {"UserAuthMail smtp://me:canary@localhost a@example.com", "UserAuthMail", "no user",
     "UserAuthMailPasswordFile"},
    {"UserAuthMail smtp://localhost Example", "UserAuthMail", "\"Example\"",
     "Name <name@example.com>"},
    {"UserAuthMail smtp://localhost \"Example <a@example.com\"", "UserAuthMail", "sender",
     "Name <name@example.com>"},
    {"UserAuthMail smtp://localhost \"a@example.com, b@example.com\"", "UserAuthMail", "sender",
     "Name <name@example.com>"},
    {"UserAuthMailReplyTo nobody", "UserAuthMailReplyTo", "\"nobody\"", "email address"},
    {"UserAuthMailLimit 1", "UserAuthMailLimit", "\"1\"", "1/1m 5/1h 10/24h, or off"},
    {"UserAuthMailLimit 1/1m 0/1h", "UserAuthMailLimit", "0/1h", "or off"},
    {"UserAuthMailLimit 1/1m 2/2m 3/3m 4/4m 5/5m", "UserAuthMailLimit", "5/5m", "up to four"},
    {"UserAuthMailLimit 1/1m,5/1h", "UserAuthMailLimit", "1/1m,5/1h", "1/1m 5/1h"},
    {"UserAuthMailLimit none", "UserAuthMailLimit", "none", "or off"},
    {"UserAuthMailLimit off 1/1m", "UserAuthMailLimit", "off 1/1m", "or off"},
    {"UserAuthMailLimit 1/1m off", "UserAuthMailLimit", "1/1m off", "or off"},
    {"UserAuthMailBudget 100", "UserAuthMailBudget", "\"100\"", "20000/1h, or off"},
    {"UserAuthMailBudget 0/1h", "UserAuthMailBudget", "0/1h", "or off"},
    {"UserAuthMail smtps://mail.example.com a@example.com\nUserAuthMailTLS none",
     "UserAuthMailTLS", "contradicts smtps://", "leave the line out"},
    {SMTP SECRET "UserAuthMailTLS none", "UserAuthMailTLS", "in clear", "leave the line out"},
    {LOCAL "UserAuthMailUser me", "UserAuthMailUser", "belong together", "write both or none"},
    {LOCAL "UserAuthMailPasswordFile {}/secret", "UserAuthMailPasswordFile", "belong together",
     "write both or none"},
    {LOCAL "UserAuthMailUser me\nUserAuthMailPasswordFile {}/none", "UserAuthMailPasswordFile",
     "/none", "can't be read"},
    {LOCAL "UserAuthMailUser me\nUserAuthMailPasswordFile {}/empty", "UserAuthMailPasswordFile",
     "/empty", "first line is empty"},
    {LOCAL "UserAuthMailUser me\nUserAuthMailPasswordFile {}/open", "UserAuthMailPasswordFile",
     "by others", "chmod 600"},
    {LOCAL "UserAuthMailCAFile {}/none", "UserAuthMailCAFile", "/none", "can't be read"},
};

static ua_test_t *begin(void)
{
    ua_test_t *t = ua_test_begin();

    ua_test_write(t, "secret", "  correct horse  \r\nnot this\n");
    ua_test_write(t, "empty", "\nsecond line\n");
    ua_test_write(t, "open", "secret\n");
    assert_int_equal(chmod(apr_pstrcat(t->pool, t->folder, "/open", NULL), 0644), 0);
    return t;
}

static void what_cannot_work_is_refused(void **state)
{
    ua_test_t *t = begin();
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        wrong += judge_refusal(t, &refusals[i]);
    }
    assert_int_equal(wrong, 0);
    ua_test_close(t);
}

/* PRIV-01 */
static void a_refusal_repeats_no_secret(void **state)
{
    ua_test_t *t = begin();
    ua_conf_t *conf = NULL;
    int row = 0;
    const char *err =
        resolve(t, &conf, &row, "UserAuthMail smtp://me:canary@localhost a@example.com");

    (void)state;
    assert_non_null(err);
    assert_null(strstr(err, "canary"));
    ua_test_close(t);
}

/* CFG-12: plain without a word only to this very machine (traps 31); a verified certificate else. */
static void how_secretly(void **state)
{
    static const struct {
        const char *server;
        const char *word; /* UserAuthMailTLS, "" without it */
        int mode;
    } rows[] = {
        {"smtp://localhost", "", UA_SMTP_PLAIN},
        {"smtp://LOCALHOST:2525", "", UA_SMTP_PLAIN},
        {"smtp://127.0.0.1", "", UA_SMTP_PLAIN},
        {"smtp://127.8.9.1:25", "", UA_SMTP_PLAIN},
        {"smtp://[::1]", "", UA_SMTP_PLAIN},
        {"smtp://[::1]:25", "", UA_SMTP_PLAIN},
        {"smtp://localhost", "auto", UA_SMTP_PLAIN},
        {"smtp://localhost", "require", UA_SMTP_TLS},
        {"smtp://localhost", "unverified", UA_SMTP_UNVERIFIED},
        {"smtp://mail.example.com", "", UA_SMTP_TLS},
        {"smtp://mail.example.com:587", "auto", UA_SMTP_TLS},
        {"smtp://mail.example.com", "require", UA_SMTP_TLS},
        {"smtp://mail.example.com", "none", UA_SMTP_PLAIN},
        {"smtp://mail.example.com", "unverified", UA_SMTP_UNVERIFIED},
        {"smtp://localhost.example.com", "", UA_SMTP_TLS},
        {"smtp://127.0.0.1.example.com", "", UA_SMTP_TLS},
        {"smtp://1270.0.0.1", "", UA_SMTP_TLS},
        {"smtp://192.0.2.1", "", UA_SMTP_TLS},
        {"smtp://[2001:db8::1]", "", UA_SMTP_TLS},
        {"smtps://mail.example.com", "", UA_SMTP_TLS},
        {"smtps://localhost", "", UA_SMTP_TLS},
        {"smtps://localhost", "unverified", UA_SMTP_UNVERIFIED},
    };

    ua_test_t *t = begin();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *lines =
            apr_pstrcat(t->pool, "UserAuthMail ", rows[i].server, " a@example.com", NULL);
        const ua_conf_t *conf = NULL;

        if (*rows[i].word) {
            lines = apr_pstrcat(t->pool, lines, "\nUserAuthMailTLS ", rows[i].word, NULL);
        }
        conf = resolved(t, lines);
        if (conf->mail_tls_mode != rows[i].mode) {
            fail_msg("%s: mode %d", lines, conf->mail_tls_mode);
        }
        assert_int_equal(conf->mail_kind, UA_MAIL_SMTP);
        assert_string_equal(conf->mail_target, rows[i].server);
    }
    ua_test_close(t);
}

static void a_folder(void **state)
{
    ua_test_t *t = begin();
    const ua_conf_t *conf = resolved(t, "UserAuthMail folder:/var/mail/out a@example.com");

    (void)state;
    assert_int_equal(conf->mail_kind, UA_MAIL_FOLDER);
    assert_string_equal(conf->mail_target, "/var/mail/out");
    ua_test_close(t);
}

static void senders(void **state)
{
    static const struct {
        const char *line;
        const char *name;
        const char *address;
    } rows[] = {
        {"UserAuthMail smtp://localhost accounts@example.com", "", "accounts@example.com"},
        {"UserAuthMail smtp://localhost \"Example <accounts@example.com>\"", "Example",
         "accounts@example.com"},
        {"UserAuthMail smtp://localhost \"The Example Site <accounts@example.com>\"",
         "The Example Site", "accounts@example.com"},
    };

    ua_test_t *t = begin();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const ua_conf_t *conf = resolved(t, rows[i].line);

        assert_string_equal(conf->from_name, rows[i].name);
        assert_string_equal(conf->from_address, rows[i].address);
        assert_null(conf->mail_reply_to);
    }
    assert_string_equal(
        resolved(t, "UserAuthMailReplyTo \"Help <help@example.com>\"")->mail_reply_to,
        "help@example.com");
    ua_test_close(t);
}

/* The first line as it is, blanks included; never in memory that a page shows. */
static void a_password_file(void **state)
{
    ua_test_t *t = begin();
    const ua_conf_t *conf = resolved(t, SMTP SECRET);

    (void)state;
    assert_string_equal(conf->mail_user, "me");
    assert_string_equal(conf->mail_password, "  correct horse  ");
    assert_null(resolved(t, SMTP)->mail_password);
    ua_test_close(t);
}

static void mails_to_one_address(void **state)
{
    static const struct {
        const char *line;
        apr_int64_t counts[UA_MAIL_RATES];
        apr_int64_t minutes[UA_MAIL_RATES];
    } rows[] = {
        {"", {1, 5, 10, 0}, {1, 60, 1440, 0}}, /* contract 8 */
        {"UserAuthMailLimit off", {0, 0, 0, 0}, {0, 0, 0, 0}},
        {"UserAuthMailLimit 2/3m", {2, 0, 0, 0}, {3, 0, 0, 0}},
        {"UserAuthMailLimit 1/1m 2/2m 3/3m 4/4m", {1, 2, 3, 4}, {1, 2, 3, 4}},
        {"UserAuthMailLimit off\nUserAuthMailLimit 2/3m", {2, 0, 0, 0}, {3, 0, 0, 0}},
    };

    ua_test_t *t = begin();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const ua_conf_t *conf = resolved(t, rows[i].line);

        for (int n = 0; n < UA_MAIL_RATES; n++) {
            assert_int_equal(conf->mail_rates[n].count, rows[i].counts[n]);
            assert_int_equal(conf->mail_rates[n].duration,
                             apr_time_from_sec(60 * rows[i].minutes[n]));
        }
    }
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_work_is_refused),
        cmocka_unit_test(a_refusal_repeats_no_secret),
        cmocka_unit_test(how_secretly),
        cmocka_unit_test(a_folder),
        cmocka_unit_test(senders),
        cmocka_unit_test(a_password_file),
        cmocka_unit_test(mails_to_one_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
