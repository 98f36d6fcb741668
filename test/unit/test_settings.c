/* test_settings.c: what the directives come to, and what refuses to start.
 *
 * Mail has a program of its own, test_settings_mail.c; kinds and ranges of directives are judged
 * earlier, test_conf.c. */
#include "settings_lines.h"

#define MINUTES(n) apr_time_from_sec((apr_int64_t)60 * (n))
#define TEXT_51    "012345678901234567890123456789012345678901234567890"
#define TEXT_255   TEXT_51 TEXT_51 TEXT_51 TEXT_51 TEXT_51
#define TEXT_256   TEXT_255 "x"

/* CFG-03, CFG-04, CFG-05, CFG-09: each refusal names the directive and says what is right. */
static const refused_t refusals[] = {
    {"-UserAuthBaseURL", NULL, "UserAuthBaseURL is missing",
     "UserAuthBaseURL https://www.example.com"},
    {"UserAuthBaseURL http://www.example.com", "UserAuthBaseURL", "http://www.example.com",
     "https"},
    {"UserAuthBaseURL https://www.example.com/auth", "UserAuthBaseURL", "UserAuthBaseURL", ""},
    {"UserAuthBaseURL https://www.example.com?x", "UserAuthBaseURL", "UserAuthBaseURL", ""},
    {"UserAuthBaseURL www.example.com", "UserAuthBaseURL", "www.example.com", "https://"},
    {"UserAuthBaseURL ftp://www.example.com", "UserAuthBaseURL", "ftp://", "https"},
    {"UserAuthBaseURL https://me:secret@www.example.com", "UserAuthBaseURL", "UserAuthBaseURL",
     "user"},
    {"UserAuthPath auth", "UserAuthPath", "\"auth\"", "such as /auth"},
    {"UserAuthPath /", "UserAuthPath", "\"/\"", "such as /auth"},
    {"UserAuthPath /auth/", "UserAuthPath", "\"/auth/\"", "such as /auth"},
    {"UserAuthPath //auth", "UserAuthPath", "\"//auth\"", "such as /auth"},
    {"UserAuthPath /../auth", "UserAuthPath", "\"/../auth\"", "such as /auth"},
    {"UserAuthPath /a%20b", "UserAuthPath", "\"/a%20b\"", "such as /auth"},
    {"UserAuthPath /auth?x", "UserAuthPath", "\"/auth?x\"", "such as /auth"},
    {"UserAuthDashboardPath dashboard", "UserAuthDashboardPath", "\"dashboard\"",
     "such as /dashboard"},
    {"UserAuthDashboardPath /auth", "UserAuthDashboardPath", "/auth", "two separate paths"},
    {"UserAuthDashboardPath /auth/me", "UserAuthDashboardPath", "/auth/me",
     "two separate paths"},
    {"UserAuthPath /dashboard/auth\nUserAuthDashboardPath /dashboard", "UserAuthDashboardPath",
     "/dashboard/auth", "two separate paths"},
    {"-UserAuthDatabase", NULL, "UserAuthDatabase is missing",
     "UserAuthDatabase sqlite3 /var/lib/userauth/userauth.db"},
    {"UserAuthDatabase oracle /tmp/x", "UserAuthDatabase", "\"oracle\"", "sqlite3"},
    {"UserAuthDatabase SQLITE3 /tmp/x", "UserAuthDatabase", "\"SQLITE3\"", "sqlite3"},
    {"UserAuthDatabase sqlite3 userauth.db", "UserAuthDatabase", "\"userauth.db\"",
     "full path"},
    {"UserAuthKeyFile userauth.keys", "UserAuthKeyFile", "UserAuthKeyFile", "full path"},
    {"UserAuthRateLimit login", "UserAuthRateLimit", "\"login\"", "30/5m, or off"},
    {"UserAuthRateLimit logout 30/5m", "UserAuthRateLimit", "\"logout 30/5m\"",
     "login, register, token or mail"},
    {"UserAuthRateLimit login 30", "UserAuthRateLimit", "\"login 30\"", "30/5m"},
    {"UserAuthRateLimit login 0/5m", "UserAuthRateLimit", "\"login 0/5m\"", "30/5m"},
    {"UserAuthRateLimit login -1/5m", "UserAuthRateLimit", "\"login -1/5m\"", "30/5m"},
    {"UserAuthRateLimit login 30/0s", "UserAuthRateLimit", "\"login 30/0s\"", "30/5m"},
    {"UserAuthRateLimit login 30/5x", "UserAuthRateLimit", "\"login 30/5x\"", "30/5m"},
    {"UserAuthRateLimit login 9999999999/5m", "UserAuthRateLimit", "9999999999", "30/5m"},
    {"UserAuthRateLimit login 30/5m off", "UserAuthRateLimit", "\"login 30/5m off\"", "30/5m"},
    {"UserAuthRateLimit 30/5m login", "UserAuthRateLimit", "\"30/5m login\"", "30/5m"},
    {"UserAuthRateLimit login 30/5m\nUserAuthRateLimit mail x", "UserAuthRateLimit",
     "\"mail x\"", "30/5m"},
    {"UserAuthPasswordHash m=7167,t=5,p=1", "UserAuthPasswordHash", "m=7167", "from 7168"},
    {"UserAuthPasswordHash m=1048577,t=1,p=1", "UserAuthPasswordHash", "m=1048577",
     "to 1048576"},
    {"UserAuthPasswordHash m=19456,t=0,p=1", "UserAuthPasswordHash", "t=0", "from 1"},
    {"UserAuthPasswordHash m=19456,t=11,p=1", "UserAuthPasswordHash", "t=11", "to 10"},
    {"UserAuthPasswordHash m=19456,t=2,p=2", "UserAuthPasswordHash", "p=2", "one lane"},
    {"UserAuthPasswordHash m=19456,t=2,p=10", "UserAuthPasswordHash", "p=10", "one lane"},
    {"UserAuthPasswordHash t=2,m=19456", "UserAuthPasswordHash", "t=2,m=19456",
     "m=19456,t=2,p=1"},
    {"UserAuthPasswordHash m=19456", "UserAuthPasswordHash", "\"m=19456\"", "m=19456,t=2,p=1"},
    {"UserAuthPasswordHash m=99999999999999999999,t=2,p=1", "UserAuthPasswordHash", "m=999",
     "to 1048576"},
    {"UserAuthPasswordHash argon2id", "UserAuthPasswordHash", "argon2id", "m=19456,t=2,p=1"},
    {"UserAuthPasswordHash \"m= 19456,t=2,p=1\"", "UserAuthPasswordHash", "m= 19456",
     "m=19456,t=2,p=1"},
    {"UserAuthPasswordHash m=19456,t=+2,p=1", "UserAuthPasswordHash", "t=+2",
     "m=19456,t=2,p=1"},
    {"UserAuthPasswordHash m=7168,t=4,p=1", "UserAuthPasswordHash", "weaker than OWASP",
     "m=7168,t=5"},
    {"UserAuthPasswordHash m=19456,t=1,p=1", "UserAuthPasswordHash", "weaker than OWASP",
     "m=19456,t=2"},
    {"UserAuthPasswordBlocklist {}/none", "UserAuthPasswordBlocklist", "/none",
     "can't be read"},
    {"UserAuthPasswordBlocklist {}", "UserAuthPasswordBlocklist", "ua-test-", "can't be read"},
    {"UserAuthPasswordBreachURL https://", "UserAuthPasswordBreachURL", "not \"https://\"",
     "such as https://api.pwnedpasswords.com/range/"},
    {"UserAuthPasswordBreachURL https:///x/", "UserAuthPasswordBreachURL", "https:///x/",
     "a host"},
    {"UserAuthPasswordBreachURL https://:443/", "UserAuthPasswordBreachURL", "https://:443/",
     "a host"},
    {"UserAuthPasswordBreachURL http://?x/", "UserAuthPasswordBreachURL", "http://?x/",
     "a host"},
    {"UserAuthPasswordBreachURL \"https://a.example/b c/\"", "UserAuthPasswordBreachURL",
     "/b c/", "without blanks"},
    {"UserAuthPasswordBreachURL https://a.example/#/", "UserAuthPasswordBreachURL", "/#/",
     "and #"},
    {"UserAuthPasswordBreachURL https://\xc3\xa4.example/", "UserAuthPasswordBreachURL",
     "UserAuthPasswordBreachURL", "ASCII"},
    {"UserAuthPasswordBreachURL https://a.example/range", "UserAuthPasswordBreachURL",
     "https://a.example/range", "ends with a slash"},
    {"UserAuthPasswordBreachURL ftp://a.example/", "UserAuthPasswordBreachURL", "ftp://",
     "https://"},
    {"UserAuthTokenAudience " TEXT_256, "UserAuthTokenAudience", "255 bytes", "UTF-8"},
    {"UserAuthTokenAudience \"a\tb\"", "UserAuthTokenAudience", "control", "255 bytes"},
    {"UserAuthTokenAudience a\x7f"
     "b",
     "UserAuthTokenAudience", "control", "255 bytes"},
    {"UserAuthTokenAudience a\xff"
     "b",
     "UserAuthTokenAudience", "UTF-8", "255 bytes"},
    {"UserAuthSiteName \"A\xe2\x80\xae"
     "B\"",
     "UserAuthSiteName", "UserAuthSiteName", "plain UTF-8"},
    {"UserAuthSiteName \"A\xff"
     "B\"",
     "UserAuthSiteName", "UserAuthSiteName", "plain UTF-8"},
    {"UserAuthSiteName 01234567890123456789012345678901234567890123456789012345678901234",
     "UserAuthSiteName", "UserAuthSiteName", "64 characters"},
    {"UserAuthAccent blue", "UserAuthAccent", "\"blue\"", "#0b57d0"},
    {"UserAuthAccent #fff", "UserAuthAccent", "\"#fff\"", "#0b57d0"},
    {"UserAuthAccent #12345g", "UserAuthAccent", "\"#12345g\"", "#0b57d0"},
    {"UserAuthAccent #123456;", "UserAuthAccent", "\"#123456;\"", "#0b57d0"},
    {"UserAuthAccent 0123456", "UserAuthAccent", "\"0123456\"", "#0b57d0"},
};

static void what_cannot_work_is_refused(void **state)
{
    (void)state;
    judge_refusals(refusals, sizeof refusals / sizeof *refusals);
}

/* PRIV-01: a password in a URL does not get into the error log. */
static void a_refusal_repeats_no_secret(void **state)
{
    ua_test_t *t = ua_test_begin();
    ua_conf_t *conf = NULL;
    int row = 0;
    const char *err =
        resolve(t, &conf, &row, "UserAuthBaseURL https://me:canary@www.example.com");

    (void)state;
    assert_non_null(err);
    assert_null(strstr(err, "canary"));
    err = resolve(t, &conf, &row, "UserAuthPasswordBreachURL https://me:canary@a.example");
    assert_non_null(err);
    assert_null(strstr(err, "canary"));
    ua_test_close(t);
}

/* A line break in a name would begin a header of a mail. */
static void a_name_is_one_line(void **state)
{
    static const char *const names[] = {"A\nB", "A\rB", "A\tB",
                                        "A\x7f"
                                        "B",
                                        "A\x01"
                                        "B"};
    ua_test_t *t = ua_test_begin();

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ua_conf_t *conf = NULL;
        int row = 0;

        assert_null(resolve(t, &conf, &row, ""));
        conf->site_name = names[i];
        assert_non_null(ua_settings_resolve(conf, t->pool, &row));
        assert_int_equal(row, UA_D_site_name);
    }
    ua_test_close(t);
}

/* It goes into each token, and into the settings of who checks them. */
static void an_audience_is_one_line(void **state)
{
    static const char *const audiences[] = {"a\nb", "a\r", "\tb", "a\x01", "\xc2\x85", ""};
    ua_test_t *t = ua_test_begin();

    (void)state;
    for (size_t i = 0; i < sizeof audiences / sizeof *audiences; i++) {
        ua_conf_t *conf = NULL;
        int row = 0;

        assert_null(resolve(t, &conf, &row, ""));
        conf->token_audience = audiences[i];
        assert_non_null(ua_settings_resolve(conf, t->pool, &row));
        assert_int_equal(row, UA_D_token_audience);
    }
    ua_test_close(t);
}

/* Contract 8: what is not written has the documented value. */
static void defaults(void **state)
{
    ua_test_t *t = ua_test_begin();
    const ua_conf_t *c = resolved(t, "");

    (void)state;
    assert_string_equal(c->path, "/auth");
    assert_string_equal(c->dashboard_path, "/dashboard");
    assert_string_equal(c->site, "https://www.example.com");
    assert_string_equal(c->site_name, "www.example.com");
    assert_int_equal(c->secure, 1);
    assert_string_equal(c->key_file, apr_pstrcat(t->pool, t->folder, "/userauth.keys", NULL));
    assert_int_equal(c->pwhash.memory_kib, 19456);
    assert_int_equal(c->pwhash.passes, 2);
    assert_int_equal(c->password_min_length, 8);
    assert_int_equal(c->password_min_score, 3);
    assert_int_equal(c->session_idle, MINUTES(60));
    assert_int_equal(c->session_lifetime, MINUTES(24 * 60));
    assert_int_equal(c->remember_lifetime, MINUTES(30 * 24 * 60));
    assert_int_equal(c->fresh_time, MINUTES(15));
    assert_int_equal(c->session_limit, 50);
    assert_int_equal(c->lock_after, 5);
    assert_int_equal(c->lock_wait, apr_time_from_sec(30));
    assert_int_equal(c->lock_disable, 50);
    assert_int_equal(c->verify_lifetime, MINUTES(24 * 60));
    assert_int_equal(c->disown_lifetime, MINUTES(7 * 24 * 60));
    assert_int_equal(c->unverified_lifetime, MINUTES(7 * 24 * 60));
    assert_int_equal(c->retention, MINUTES(90 * 24 * 60));
    assert_int_equal(c->verify_on_get, UA_GET_AUTO);
    assert_int_equal(c->remote_user, UA_REMOTE_USERNAME);
    assert_int_equal(c->hash_queue, 64);
    assert_int_equal(c->database_connections, 4);
    assert_null(c->blocklist);
    ua_test_close(t);
}

static void rates(void **state)
{
    static const struct {
        const char *lines;
        ua_rate_e which;
        apr_int64_t count;
        apr_interval_time_t duration;
        const char *comment;
    } rows[] = {
        {"", UA_RATE_LOGIN, 30, MINUTES(5), "contract 8"},
        {"", UA_RATE_REGISTER, 20, MINUTES(60), "contract 8"},
        {"", UA_RATE_TOKEN, 30, MINUTES(5), "contract 8"},
        {"", UA_RATE_MAIL, 20, MINUTES(60), "contract 8"},
        {"UserAuthRateLimit login 3/10s", UA_RATE_LOGIN, 3, apr_time_from_sec(10), "one"},
        {"UserAuthRateLimit login 3/10s", UA_RATE_MAIL, 20, MINUTES(60), "not the others"},
        {"UserAuthRateLimit token off", UA_RATE_TOKEN, 0, 0, "off"},
        {"UserAuthRateLimit mail 1/1h\nUserAuthRateLimit mail 2/2h", UA_RATE_MAIL, 2,
         MINUTES(120), "the later line counts"},
        {"UserAuthRateLimit register off\nUserAuthRateLimit register 7/1d", UA_RATE_REGISTER, 7,
         MINUTES(24 * 60), "after off, too"},
    };

    ua_test_t *t = ua_test_begin();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const ua_conf_t *conf = resolved(t, rows[i].lines);

        print_message("%s\n", rows[i].comment);
        assert_int_equal(conf->rates[rows[i].which].count, rows[i].count);
        assert_int_equal(conf->rates[rows[i].which].duration, rows[i].duration);
    }
    ua_test_close(t);
}

static void base_urls(void **state)
{
    static const struct {
        const char *line;
        const char *site;
        const char *name;
        int secure;
    } rows[] = {
        {"UserAuthBaseURL https://www.example.com/", "https://www.example.com",
         "www.example.com", 1},
        {"UserAuthBaseURL https://www.example.com:8443", "https://www.example.com:8443",
         "www.example.com", 1},
        {"UserAuthBaseURL http://localhost:8080", "http://localhost:8080", "localhost", 0},
        {"UserAuthBaseURL https://localhost", "https://localhost", "localhost", 1},
        {"UserAuthBaseURL https://www.example.com\nUserAuthSiteName Example",
         "https://www.example.com", "Example", 1},
    };

    ua_test_t *t = ua_test_begin();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const ua_conf_t *conf = resolved(t, rows[i].line);

        assert_string_equal(conf->site, rows[i].site);
        assert_string_equal(conf->site_name, rows[i].name);
        assert_int_equal(conf->secure, rows[i].secure);
    }
    ua_test_close(t);
}

static void what_just_works_is_taken(void **state)
{
    static const char *const lines[] = {
        "UserAuthPasswordHash m=7168,t=5,p=1",
        "UserAuthPasswordHash m=12288,t=3",
        "UserAuthPasswordHash m=1048576,t=10,p=1",
        "UserAuthPath /a/b\nUserAuthDashboardPath /a/c",
        "UserAuthPath /auth\nUserAuthDashboardPath /authority",
        "UserAuthPath /x.y_z-1",
        "UserAuthKeyFile /etc/userauth.keys",
        "UserAuthAccent #0b57D0",
        "UserAuthSiteName 0123456789012345678901234567890123456789012345678901234567890123",
        "UserAuthSiteName \"Caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac\"",
        "UserAuthPasswordBreachURL https://api.pwnedpasswords.com/range/",
        "UserAuthPasswordBreachURL http://127.0.0.1:8081/",
        "UserAuthLockAfter 1000", /* no waits: the password is switched off before */
        "UserAuthTokenAudience https://api.example.com",
        "UserAuthTokenAudience \"Caf\xc3\xa9 API\"",
        "UserAuthTokenAudience " TEXT_255,
        "UserAuthRateLimit \"login 3/10s\"",
    };
    ua_test_t *t = ua_test_begin();

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        (void)resolved(t, lines[i]);
    }
    assert_int_equal(resolved(t, lines[1])->pwhash.memory_kib, 12288);
    assert_int_equal(resolved(t, lines[1])->pwhash.passes, 3);
    assert_string_equal(resolved(t, lines[6])->key_file, "/etc/userauth.keys");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_work_is_refused),
        cmocka_unit_test(a_refusal_repeats_no_secret),
        cmocka_unit_test(a_name_is_one_line),
        cmocka_unit_test(defaults),
        cmocka_unit_test(rates),
        cmocka_unit_test(base_urls),
        cmocka_unit_test(what_just_works_is_taken),
        cmocka_unit_test(an_audience_is_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
