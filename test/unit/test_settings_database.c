/* test_settings_database.c: which engine, with which parameters; a password of a file joins them quoted.
 *
 * Cases: CFG-08, DB-09; trap 15.
 */
#include "settings_lines.h"

#include <sys/stat.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define PG     "UserAuthDatabase pgsql \"host=db dbname=u\"\n"
#define URI    "UserAuthDatabase pgsql postgresql://u@db/u\n"
#define MARIA  "UserAuthDatabase mysql \"host=db dbname=u\"\n"
#define SECRET "UserAuthDatabasePasswordFile {}/secret\n"

static const refused_t refusals[] = {
    {"UserAuthDatabase oracle x", "UserAuthDatabase", "\"oracle\"", "sqlite3, pgsql or mysql"},
    {"UserAuthDatabase PGSQL host=db", "UserAuthDatabase", "\"PGSQL\"",
     "sqlite3, pgsql or mysql"},
    {"UserAuthDatabase mysql \"host=db reconnect=1\"", "UserAuthDatabase", "reconnect",
     "\"reconnect=0\""},
    {"UserAuthDatabase mysql flags=X", "UserAuthDatabase", "flags",
     "\"flags=CLIENT_FOUND_ROWS\""},
    {SECRET, "UserAuthDatabase", "no password", "leave it out"},
    {PG "UserAuthDatabasePasswordFile {}/missing", "UserAuthDatabasePasswordFile",
     "can't be read", "missing"},
    {PG "UserAuthDatabasePasswordFile {}/open", "UserAuthDatabasePasswordFile",
     "read or changed by others", "chmod 600"},
    {MARIA "UserAuthDatabasePasswordFile {}/odd", "UserAuthDatabasePasswordFile",
     "no password with a blank", "group="},
};

static void put(ua_test_t *t, const char *name, const char *text, mode_t mode)
{
    const char *path = apr_pstrcat(t->pool, t->folder, "/", name, NULL);

    ua_test_write(t, name, text);
    assert_int_equal(chmod(path, mode), 0);
}

static ua_test_t *begin(void)
{
    ua_test_t *t = ua_test_open(NULL, NULL);

    put(t, "secret", "plain-word\nmore\n", 0600);
    put(t, "odd", "it's a \\ b;c&d\n", 0600);
    put(t, "open", "plain-word\n", 0644);
    return t;
}

static void what_is_refused(void **state)
{
    ua_test_t *t = begin();
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        wrong += judge_refusal(t, &refusals[i]);
    }
    assert_int_equal(wrong, 0);
    ua_test_close(t);
}

static void what_the_driver_gets(void **state)
{
    static const struct {
        const char *lines;
        const char *params;
    } rows[] = {
        {PG, "host=db dbname=u"},
        {PG SECRET, "host=db dbname=u password='plain-word'"},
        {PG "UserAuthDatabasePasswordFile {}/odd",
         "host=db dbname=u password='it\\'s a \\\\ b;c&d'"},
        {URI SECRET, "postgresql://u@db/u?password=plain-word"},
        {"UserAuthDatabase pgsql postgresql://db/u?user=u\nUserAuthDatabasePasswordFile {}/odd",
         "postgresql://db/u?user=u&password=it%27s%20a%20%5C%20b%3Bc%26d"},
        {MARIA SECRET, "host=db dbname=u pass=plain-word"},
    };

    ua_test_t *t = begin();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const ua_conf_t *conf = resolved(t, rows[i].lines);

        assert_string_equal(conf->database_params, rows[i].params);
        assert_string_equal(conf->key_file, "/var/lib/userauth/userauth.keys");
    }
    assert_string_equal(resolved(t, PG "UserAuthKeyFile /etc/k")->key_file, "/etc/k");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(what_the_driver_gets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
