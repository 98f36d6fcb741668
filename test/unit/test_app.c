/* test_app.c: the start of a site: templates, keys, database; and the context of a request: written by
 * u3. */
#include "fixture.h"

#include "base/text.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <sys/stat.h>

static int exists(ua_test_t *t, const char *name)
{
    apr_finfo_t info;

    return apr_stat(&info, apr_pstrcat(t->pool, t->folder, "/", name, NULL), APR_FINFO_TYPE,
                    t->pool) == APR_SUCCESS;
}

static const char *path_of(ua_test_t *t, const char *name)
{
    return apr_pstrcat(t->pool, t->folder, "/", name, NULL);
}

/* A refusal that says all of these. */
static void assert_refused(const char *err, const char *directive, const char *says,
                           const char *remedy)
{
    if (!err || !strstr(err, directive) || !strstr(err, says) || !strstr(err, remedy)) {
        fail_msg("%s, %s, %s is not said: %s", directive, says, remedy,
                 err ? err : "(accepted)");
    }
}

/* Contract 6: what is missing is made at the first start, for the server's user alone. */
static void a_first_start_makes_what_is_missing(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    struct stat info;

    (void)state;
    assert_int_equal(stat(path_of(t, "userauth.keys"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(exists(t, "userauth.db"));
    assert_string_equal(
        ua_test_scalar(t, "SELECT value FROM setting WHERE name = 'key_fingerprint'"),
        t->app->keys->fingerprint);
    ua_test_close(t);
}

static void note_nothing(void *baton, ua_level_e level, const char *line)
{
    (void)baton;
    (void)level;
    fail_msg("logged: %s", line);
}

/* Contract 6: a configuration test has no side effect. */
static void a_configuration_test_makes_nothing(void **state)
{
    ua_test_t *t = ua_test_begin();
    ua_host_t host = {t, note_nothing, NULL};
    const char *database[] = {"sqlite3", path_of(t, "userauth.db")};
    const char *mail[] = {apr_pstrcat(t->pool, "folder:", t->folder, "/none", NULL),
                          "accounts@example.com"};
    const char *url = "https://www.example.com";
    ua_conf_t *conf = ua_conf_create(t->pool);
    ua_app_t *app = NULL;
    int row = -1;

    (void)state;
    assert_null(ua_conf_set(conf, t->pool, UA_D_base_url, 1, &url, "a:1"));
    assert_null(ua_conf_set(conf, t->pool, UA_D_database, 2, database, "a:2"));
    assert_null(ua_conf_set(conf, t->pool, UA_D_mail, 2, mail, "a:3"));
    assert_null(ua_app_create(&app, t->pool, conf, &host, &row));
    assert_non_null(app);
    assert_null(app->keys);
    assert_false(exists(t, "userauth.db"));
    assert_false(exists(t, "userauth.keys"));
    assert_false(exists(t, "none"));
    ua_test_close(t);
}

static void a_second_start_finds_everything(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *keys = ua_test_read(t, "userauth.keys");

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_null(ua_test_start(t, NULL));
    assert_string_equal(ua_test_read(t, "userauth.keys"), keys);
    assert_status(t, ua_test_get(t, "/dashboard"), 200); /* signed in over the restart */
    ua_test_close(t);
}

/* CFG-01: a new key would make every link and every held name of these accounts worthless. */
static void keys_missing_beside_accounts(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *keys = ua_test_read(t, "userauth.keys");

    (void)state;
    ua_test_register(t, "alice");
    assert_int_equal(apr_file_remove(path_of(t, "userauth.keys"), t->pool), APR_SUCCESS);
    assert_refused(ua_test_start(t, NULL), "UserAuthKeyFile", "holds accounts", "backup");
    assert_int_equal(t->row, UA_D_key_file);
    assert_false(exists(t, "userauth.keys"));
    ua_test_write(t, "userauth.keys", keys);
    assert_null(ua_test_start(t, NULL));
    ua_test_close(t);
}

/* Without accounts nothing is lost: a new file, and the database knows it. */
static void keys_missing_without_accounts(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *before = apr_pstrdup(t->pool, t->app->keys->fingerprint);

    (void)state;
    assert_int_equal(apr_file_remove(path_of(t, "userauth.keys"), t->pool), APR_SUCCESS);
    assert_null(ua_test_start(t, NULL));
    assert_string_not_equal(t->app->keys->fingerprint, before);
    assert_null(ua_test_start(t, NULL));
    ua_test_register(t, "alice");
    ua_test_close(t);
}

/* Contract 6: start refuses another key, whether it holds accounts or not. */
static void another_key_is_refused(void **state)
{
    static const char key[] = "userauth-key-1 AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_aBcDc\n";

    (void)state;
    for (int accounts = 0; accounts < 2; accounts++) {
        ua_test_t *t = ua_test_open(NULL);
        const char *own = ua_test_read(t, "userauth.keys");

        if (accounts) {
            ua_test_register(t, "alice");
        }
        ua_test_write(t, "userauth.keys", key);
        assert_refused(ua_test_start(t, NULL), "UserAuthKeyFile",
                       "is not the key file this database was made with", "backup");
        assert_int_equal(t->row, UA_D_key_file);
        ua_test_write(t, "userauth.keys", own);
        assert_null(ua_test_start(t, NULL));
        ua_test_close(t);
    }
}

/* CFG-01, CFG-02: in short; test_keys.c has them all. */
static void a_bad_key_file_is_refused(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    ua_test_write(t, "userauth.keys", "");
    assert_refused(ua_test_start(t, NULL), "UserAuthKeyFile", "userauth.keys", "");
    assert_int_equal(t->row, UA_D_key_file);
    assert_int_equal(apr_file_remove(path_of(t, "userauth.keys"), t->pool), APR_SUCCESS);
    assert_null(ua_test_start(t, NULL));
    assert_int_equal(chmod(path_of(t, "userauth.keys"), 0644), 0);
    assert_refused(ua_test_start(t, NULL), "UserAuthKeyFile", "userauth.keys", "");
    ua_test_close(t);
}

/* CFG-08, DB-11: a folder that is not there. */
static void an_unusable_database_is_refused(void **state)
{
    ua_test_t *t = ua_test_begin();
    const char *err = ua_test_start(t, "UserAuthDatabase sqlite3 {}/none/userauth.db",
                                    "UserAuthKeyFile {}/userauth.keys", NULL);

    (void)state;
    assert_refused(err, "UserAuthDatabase", "/none/userauth.db", "writable");
    assert_int_equal(t->row, UA_D_database);
    ua_test_write(t, "not-a-database",
                  "This is a text, and a rather long one at that, so that "
                  "nobody takes it for an empty file of a database.");
    err = ua_test_start(t, "UserAuthDatabase sqlite3 {}/not-a-database",
                        "UserAuthKeyFile {}/userauth.keys", NULL);
    assert_refused(err, "UserAuthDatabase", "/not-a-database", "");
    assert_false(exists(t, "userauth.keys"));
    ua_test_close(t);
}

/* CFG-08: half a backup was put back. */
static void a_database_without_a_table_is_refused(void **state)
{
    static const char from[] =
        "FROM sqlite_master WHERE type = 'table' AND name NOT IN ('schema_step')";
    ua_test_t *t = ua_test_open(NULL);
    int tables = (int)ua_test_count(t, "SELECT COUNT(*) %s", from);

    (void)state;
    assert_true(tables >= 13);
    for (int i = 0; i < tables; i++) {
        const char *table =
            ua_test_scalar(t, "SELECT name %s ORDER BY name LIMIT 1 OFFSET %d", from, i);

        ua_test_sql(t, "ALTER TABLE %s RENAME TO zzz", table);
        assert_refused(ua_test_start(t, NULL), "UserAuthDatabase", table, "backup");
        ua_test_sql(t, "ALTER TABLE zzz RENAME TO %s", table);
    }
    assert_null(ua_test_start(t, NULL));
    ua_test_close(t);
}

/* CFG-06: by file name, one at a time; what is not there is the module's own. */
static void an_operators_template_replaces_ours(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    ua_test_write(t, "own/resend.html",
                  "{{<public}}{{$title}}Mine{{/title}}{{$main}}<h1>Mine</h1>{{>errors}}<form "
                  "method=\"post\">{{>csrf}}</form>{{/main}}{{/public}}");
    ua_test_write(t, "own/notice.html", "<p>My notice: {{notice}}</p>");
    ua_test_write(t, "own/unheard-of.html", "{{{broken"); /* nobody refers to it */
    assert_null(ua_test_start(t, "UserAuthTemplates {}/own", NULL));
    assert_status(t, ua_test_get(t, "/auth/resend"), 200);
    assert_shows(t, "<h1>Mine</h1>");
    assert_shows(t, "name=\"csrf\" value=\"");
    assert_shows(t, "class=\"skip\""); /* within our layout */
    assert_status(t, ua_test_get(t, "/auth/login?notice=verified"), 200);
    assert_shows(t, "<h1>Log in</h1>");
    assert_shows(t, "<p>My notice: Your email address is verified. You can log in now.</p>");
    ua_test_close(t);
}

/* CFG-06: file, line where there is one, and what to do. */
static void a_bad_template_is_refused(void **state)
{
    static const struct {
        const char *file;
        const char *text;
        const char *says;
        const char *remedy;
    } rows[] = {
        {"login.html", "<form method=\"post\"></form>", "login.html has a form without",
         "{{>csrf}}"},
        {"login.html", "<form method=\"post\">{{csrf}}</form><FORM METHOD=post></form>",
         "login.html has a form without", "{{>csrf}}"},
        {"csrf.html", "<!-- gone -->", ".html has a form without", "{{>csrf}}"},
        {"login.html", "{{csrf}}<form method=\"post\"></form>", "login.html has a form without",
         "{{>csrf}}"},
        {"login.html", "one\ntwo {{{csrf}}}", "/own/login.html:2", ""},
        {"login.html", "{{&csrf}}", "/own/login.html:1", ""},
        {"login.html", "{{#errors}}", "/own/login.html", ""},
        {"login.html", "{{>nowhere}}", "nowhere", ""},
        {"layout.html", "caf\xe9", "/own/layout.html", ""},
        {"mail/verify.txt", "Hello\n{{link}}", "/own/mail/verify.txt:1", "Subject: "},
        {"mail/confirmed.txt", "", "/own/mail/confirmed.txt:1", "Subject: "},
        {"mail/reset.txt", "Subject: x\n\nHello\n", "mail/reset.txt", "{{link}}"},
        {"mail/email-changed.html", "<p>{{login_link}}</p>", "mail/email-changed.html",
         "{{link}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = ua_test_begin();
        const char *err = NULL;

        print_message("%s: %s\n", rows[i].file, rows[i].says);
        ua_test_write(t, apr_pstrcat(t->pool, "own/", rows[i].file, NULL), rows[i].text);
        err = ua_test_start(t, "UserAuthTemplates {}/own", NULL);
        assert_refused(err, "", rows[i].says, rows[i].remedy);
        assert_int_equal(t->row, UA_D_templates);
        assert_false(exists(t, "userauth.db"));
        ua_test_close(t);
    }
}

static void a_template_folder_has_to_be_there(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    assert_refused(ua_test_start(t, "UserAuthTemplates {}/none", NULL), "UserAuthTemplates",
                   "/none", "");
    ua_test_write(t, "file", "");
    assert_refused(ua_test_start(t, "UserAuthTemplates {}/file", NULL), "UserAuthTemplates",
                   "/file", "");
    ua_test_close(t);
}

/* Every request has an id of its own, and draws behind it. */
static void contexts(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_ctx_t *one = ua_test_context(t);
    ua_ctx_t *two = ua_test_context(t);
    const char *drawn = NULL;
    const char *again = NULL;

    (void)state;
    assert_true(ua_uuid_valid(one->id));
    assert_string_not_equal(one->id, two->id);
    assert_int_equal(one->now, t->now);
    assert_int_equal(one->slot, -1);
    assert_ptr_equal(one->keys, t->app->keys);
    assert_ptr_equal(one->conf, t->conf);
    assert_int_equal(ua_draw_uuid(&drawn, one), APR_SUCCESS);
    ua_draw_rewind(one);
    assert_int_equal(ua_draw_uuid(&again, one), APR_SUCCESS);
    assert_string_equal(drawn, again);       /* a retry draws the same */
    assert_string_not_equal(drawn, one->id); /* but never the request's own id */
    ua_test_close(t);
}

/* One line: tag, what was refused, what failed, in words. */
static void log_lines(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_ctx_t *ctx = ua_test_context(t);

    (void)state;
    ua_app_log(t->app, ctx, UA_LOG_NOTICE, "UA9999: a try", APR_ENOMEM);
    ctx->failed = "account_insert: disk full";
    ua_app_log(t->app, ctx, UA_LOG_INFO, "UA9998: a try", APR_ENOSPC);
    assert_int_equal(t->logs->nelts, 2);
    assert_int_equal(ua_test_logged(t, "5 UA9999: a try: no details ("), 1);
    assert_int_equal(ua_test_logged(t, "6 UA9998: a try: account_insert: disk full ("), 1);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_start_makes_what_is_missing),
        cmocka_unit_test(a_configuration_test_makes_nothing),
        cmocka_unit_test(a_second_start_finds_everything),
        cmocka_unit_test(keys_missing_beside_accounts),
        cmocka_unit_test(keys_missing_without_accounts),
        cmocka_unit_test(another_key_is_refused),
        cmocka_unit_test(a_bad_key_file_is_refused),
        cmocka_unit_test(an_unusable_database_is_refused),
        cmocka_unit_test(a_database_without_a_table_is_refused),
        cmocka_unit_test(an_operators_template_replaces_ours),
        cmocka_unit_test(a_bad_template_is_refused),
        cmocka_unit_test(a_template_folder_has_to_be_there),
        cmocka_unit_test(contexts),
        cmocka_unit_test(log_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
