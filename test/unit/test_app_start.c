/* test_app_start.c: what makes a site start or refuse to: its key file, the database that belongs to
 * it, the operator's own templates. Each refusal names its directive and what to do. */
#include "fixture.h"

#include <apr_file_io.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define TEMPLATES    "UserAuthTemplates {}/own"
#define KEYS         "userauth.keys"
#define ANOTHER_KEY  "userauth-key-1 ZD3IHptttaUUhXlcKDM9U8-9NHPa7lYS4hxov6D9zqQ\n"

static const char *path_of(ua_test_t *t, const char *name)
{
    return apr_pstrcat(t->pool, t->folder, "/", name, NULL);
}

/* Fails unless the site refuses to start, for this directive and with this in its words. */
static void expect_refusal(ua_test_t *t, const char *err, int row, const char *part)
{
    if (!err || !strstr(err, part) || t->row != row) {
        fail_msg("not refused so (\"%s\"): %s", part, err ? err : "(started)");
    }
    assert_non_null(strstr(err, ua_directives[row].name));
}

static void makes_what_is_missing(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    struct stat info;

    (void)state;
    assert_int_equal(stat(path_of(t, KEYS), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_string_equal(
        ua_test_scalar(t, "SELECT value FROM setting WHERE name = 'key_fingerprint'"),
        t->app->keys->fingerprint);
    assert_null(strstr(ua_test_rows(t), ua_test_read(t, KEYS) + strlen("userauth-key-1 ")));
    ua_test_close(t);
}

/* Links and sessions of before go on after a restart. */
static void starts_again(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *keys = ua_test_read(t, KEYS);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_register(t, "bob");
    ua_test_login(t, "alice");
    assert_null(ua_test_start(t, NULL));
    assert_string_equal(ua_test_read(t, KEYS), keys);
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_non_null(ua_test_mail(t));
    assert_status(
        t,
        ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), "csrf", "", NULL),
        403); /* a session cookie: its field is missing */
    assert_status(
        t, ua_test_submit(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL), 303);
    ua_test_close(t);
}

static void refuses_another_sites_keys(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *before = NULL;

    (void)state;
    ua_test_member(t, "alice");
    before = ua_test_rows(t);
    ua_test_write(t, KEYS, ANOTHER_KEY);
    expect_refusal(t, ua_test_start(t, NULL), UA_D_key_file,
                   "is not the key file this database was made with: put the right one back");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

/* A new key file would end every link and counter of a database in use, so none is made. */
static void makes_no_keys_for_a_database_in_use(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    assert_int_equal(apr_file_remove(path_of(t, KEYS), t->pool), APR_SUCCESS);
    expect_refusal(t, ua_test_start(t, NULL), UA_D_key_file,
                   "is missing, but the database holds accounts: put the key file back");
    ua_test_sql(t, "DELETE FROM setting"); /* accounts alone are enough */
    expect_refusal(t, ua_test_start(t, NULL), UA_D_key_file, "the database holds accounts");
    assert_int_equal(access(path_of(t, KEYS), F_OK), -1);
    ua_test_close(t);
}

/* Nobody loses anything by new keys for a database without accounts. */
static void makes_new_keys_for_an_empty_database(void **state)
{
    static const char stored[] = "SELECT value FROM setting WHERE name = 'key_fingerprint'";
    ua_test_t *t = ua_test_open(NULL);
    const char *before = ua_test_scalar(t, stored);

    (void)state;
    assert_int_equal(apr_file_remove(path_of(t, KEYS), t->pool), APR_SUCCESS);
    assert_null(ua_test_start(t, NULL));
    assert_string_not_equal(ua_test_scalar(t, stored), before);
    assert_string_equal(ua_test_scalar(t, stored), t->app->keys->fingerprint);
    ua_test_member(t, "alice");
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *text;
    mode_t mode;
    const char *part;
} keys[] = {
    {"CFG-01: empty", "", 0600, "does not hold one line"},
    {"CFG-01: blanks", "      \n", 0600, "does not hold one line"},
    {"CFG-01: short", "userauth-key-1 AAAA\n", 0600, "does not hold one line"},
    {"CFG-01: all bytes alike", "userauth-key-1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
     0600, "can be guessed"},
    {"CFG-02: open to the group", ANOTHER_KEY, 0640, "chmod 600"},
    {"CFG-02: open to the world", ANOTHER_KEY, 0604, "chmod 600"},
};

static void refuses_bad_key_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        ua_test_t *t = ua_test_begin();

        ua_test_write(t, KEYS, keys[i].text);
        assert_int_equal(chmod(path_of(t, KEYS), keys[i].mode), 0);
        expect_refusal(t, ua_test_start(t, NULL), UA_D_key_file, keys[i].part);
        assert_int_equal(access(path_of(t, "userauth.db"), F_OK), -1); /* nothing was made */
        ua_test_close(t);
    }
}

static void refuses_a_link_to_a_key_file(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    ua_test_write(t, "elsewhere", ANOTHER_KEY);
    assert_int_equal(symlink(path_of(t, "elsewhere"), path_of(t, KEYS)), 0);
    expect_refusal(t, ua_test_start(t, NULL), UA_D_key_file, "symbolic link");
    ua_test_close(t);
}

static void refuses_a_database_it_cannot_make(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    ua_test_write(t, KEYS, ANOTHER_KEY);
    expect_refusal(t,
                   ua_test_start(t, "UserAuthDatabase sqlite3 {}/absent/userauth.db",
                                 "UserAuthKeyFile {}/userauth.keys", NULL),
                   UA_D_database, "have to be writable for the server's user");
    ua_test_write(t, "text.db", "this is a text and no database, whatever its name says");
    expect_refusal(t,
                   ua_test_start(t, "UserAuthDatabase sqlite3 {}/text.db",
                                 "UserAuthKeyFile {}/userauth.keys", NULL),
                   UA_D_database, "can't be made ready");
    ua_test_close(t);
}

/* UPG-05 */
static void refuses_a_newer_database(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_sql(t, "INSERT INTO schema_step (step, applied) VALUES (999, 1)");
    expect_refusal(t, ua_test_start(t, NULL), UA_D_database,
                   "was made by a newer version of this module (step 999)");
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *name, *text;
    const char *parts[3];
} templates[] = {
    {"CFG-06: a form without its field",
     "own/resend.html",
     "<form method=\"post\" action=\"/auth/resend\"><input name=\"email\"></form>",
     {"resend.html", "{{>csrf}}", NULL}},
    {"CFG-06: the field outside the form",
     "own/resend.html",
     "{{>csrf}}<form method=\"post\"></form>",
     {"resend.html", "{{>csrf}}", NULL}},
    {"CFG-06: a partial that does not exist",
     "own/login.html",
     "{{>absent}}",
     {"login.html", "absent", NULL}},
    {"CFG-06: a section without an end",
     "own/login.html",
     "one\ntwo {{#a}}",
     {"login.html", "2", NULL}},
    {"CFG-06: not UTF-8", "own/login.html", "\xff", {"login.html", "UTF-8", NULL}},
    {"unescaped", "own/login.html", "{{{name}}}", {"login.html", NULL, NULL}},
    {"the shared csrf partial emptied", "own/csrf.html", "", {"{{>csrf}}", NULL, NULL}},
    {"a mail without a subject",
     "own/mail/verify.txt",
     "Hello",
     {"verify.txt", "Subject: ", NULL}},
};

static void refuses_broken_templates(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(templates); i++) {
        ua_test_t *t = ua_test_begin();
        const char *err = NULL;

        ua_test_write(t, templates[i].name, templates[i].text);
        err = ua_test_start(t, TEMPLATES, NULL);
        if (!err || t->row != UA_D_templates) {
            fail_msg("%s: %s", templates[i].comment, err ? err : "(started)");
        }
        for (const char *const *part = templates[i].parts; *part; part++) {
            if (!strstr(err, *part)) {
                fail_msg("%s: no \"%s\" in: %s", templates[i].comment, *part, err);
            }
        }
        ua_test_close(t);
    }
}

static void takes_the_operators_templates_one_by_one(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    ua_test_write(t, "own/login.html",
                  "<h1>Our own {{site.name}}</h1><form method=\"post\">{{>csrf}}</form>");
    ua_test_write(t, "own/mail/verify.txt", "Subject: Welcome, {{username}}\n\n{{link}}\n");
    ua_test_write(t, "own/empty-is-no-template.txt", "");
    assert_null(ua_test_start(t, TEMPLATES, "UserAuthSiteName \"Shop & Co\"", NULL));
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    assert_shows(t, "<h1>Our own Shop &amp; Co</h1>");
    assert_non_null(ua_test_hidden(t, "csrf"));
    assert_status(t, ua_test_get(t, "/auth/resend"), 200); /* built in */
    assert_shows(t, "<h1>Get a new link</h1>");
    ua_test_register(t, "alice");
    assert_non_null(strstr(ua_test_mail(t), "Subject: Welcome, alice"));
    ua_test_close(t);
}

static void refuses_a_folder_that_is_none(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    expect_refusal(t, ua_test_start(t, TEMPLATES, NULL), UA_D_templates,
                   "there is no readable folder");
    ua_test_write(t, "own", "a file");
    expect_refusal(t, ua_test_start(t, TEMPLATES, NULL), UA_D_templates,
                   "there is no readable folder");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_what_is_missing),
        cmocka_unit_test(starts_again),
        cmocka_unit_test(refuses_another_sites_keys),
        cmocka_unit_test(makes_no_keys_for_a_database_in_use),
        cmocka_unit_test(makes_new_keys_for_an_empty_database),
        cmocka_unit_test(refuses_bad_key_files),
        cmocka_unit_test(refuses_a_link_to_a_key_file),
        cmocka_unit_test(refuses_a_database_it_cannot_make),
        cmocka_unit_test(refuses_a_newer_database),
        cmocka_unit_test(refuses_broken_templates),
        cmocka_unit_test(takes_the_operators_templates_one_by_one),
        cmocka_unit_test(refuses_a_folder_that_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
