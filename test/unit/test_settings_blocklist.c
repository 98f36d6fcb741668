/* test_settings_blocklist.c: the file of UserAuthPasswordBlocklist, as people's editors write it. */
#include "settings_lines.h"

#include <apr_file_io.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define LINE         "UserAuthPasswordBlocklist {}/list"
#define BOM          "\xef\xbb\xbf"
#define BLOCKED      "This password is on a list of known passwords. Choose another one."

/* BF-15: the list is searched by halves, so it has to be in order and in one case. */
static void is_sorted(void **state)
{
    ua_test_t *t = ua_test_begin();
    const ua_conf_t *conf = NULL;

    (void)state;
    ua_test_write(t, "list", "zebra crossing\r\nApple Pie 1\n\nmango\nlast without end");
    conf = resolved(t, LINE);
    assert_int_equal(conf->blocklist_count, 4);
    assert_string_equal(conf->blocklist[0], "apple pie 1");
    assert_string_equal(conf->blocklist[1], "last without end");
    assert_string_equal(conf->blocklist[2], "mango");
    assert_string_equal(conf->blocklist[3], "zebra crossing");
    ua_test_close(t);
}

/* One word comes of each file, whatever stands around it; NULL: none. */
static const struct {
    const char *text;
    const char *word;
    const char *comment;
} files[] = {
    {BOM "mango\n", "mango", "a byte order mark"},
    {BOM, NULL, "nothing else"},
    {BOM " Mango", "mango", "a mark and a blank"},
    {"", NULL, "an empty file"},
    {"\n\r\n\r\r\n", NULL, "line ends"},
    {" \t \n\t\r\n", NULL, "lines of blanks"},
    {"mango\r", "mango", "an old line end"},
    {"  mango\t \r\n", "mango", "blanks at both ends"},
    {"red  mango \n", "red  mango", "blanks within stay"},
    {"red\tmango\n", "red\tmango", "a tab within stays"},
    {"\xc2\xa0mango\xe3\x80\x80\n", "mango", "blanks of Unicode"},
    {"\xc2\xa0\n", NULL, "nothing but such a blank"},
    {"CAF\xc3\x89\n", "caf\xc3\xa9", "another case, beyond ASCII"},
    {"cafe\xcc\x81\n", "caf\xc3\xa9", "decomposed"},
    {"CAFE\xcc\x81\n", "caf\xc3\xa9", "decomposed, in another case"},
    {"STRA\xe1\xba\x9e"
     "E\n",
     "strasse", "full folding"},
    {"\xce\x90\n", "\xce\x90", "one that grows while it is folded"},
    {"\xff\xfe\nmango\n", "mango", "a line that is no UTF-8"},
    {"mango\nma\xe4ngo\n", "mango", "a line of Latin-1"},
    {"man\x01go\nmango\n", "mango", "a line with a control character"},
};

static void finds_the_words(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        const ua_conf_t *conf = NULL;

        print_message("%s\n", files[i].comment);
        ua_test_write(t, "list", files[i].text);
        conf = resolved(t, LINE);
        assert_non_null(conf->blocklist);
        assert_int_equal(conf->blocklist_count, files[i].word ? 1 : 0);
        if (files[i].word) {
            assert_string_equal(conf->blocklist[0], files[i].word);
        }
    }
    ua_test_close(t);
}

/* A NUL ends neither the list nor a word early. */
static void a_nul_costs_one_line(void **state)
{
    static const char text[] = "apple\npe\0ar\nmango\n";
    ua_test_t *t = ua_test_begin();
    const char *path = apr_pstrcat(t->pool, t->folder, "/list", NULL);
    const ua_conf_t *conf = NULL;
    apr_file_t *file = NULL;

    (void)state;
    assert_int_equal(
        apr_file_open(&file, path, APR_FOPEN_CREATE | APR_FOPEN_WRITE, APR_OS_DEFAULT, t->pool),
        APR_SUCCESS);
    assert_int_equal(apr_file_write_full(file, text, sizeof text - 1, NULL), APR_SUCCESS);
    assert_int_equal(apr_file_close(file), APR_SUCCESS);
    conf = resolved(t, LINE);
    assert_int_equal(conf->blocklist_count, 2);
    assert_string_equal(conf->blocklist[0], "apple");
    assert_string_equal(conf->blocklist[1], "mango");
    ua_test_close(t);
}

/* 256 characters of four bytes can be a password, 9 000 bytes in one line can't. */
static void a_line_beyond_every_password_is_skipped(void **state)
{
    ua_test_t *t = ua_test_begin();
    char *most = apr_pcalloc(t->pool, 1025);
    char *more = apr_pcalloc(t->pool, 9001);
    const ua_conf_t *conf = NULL;

    (void)state;
    for (int i = 0; i < 256; i++) {
        memcpy(most + 4 * i, "\xf0\x9f\xa5\xad", 4);
    }
    memset(more, 'x', 9000);
    ua_test_write(t, "list", apr_pstrcat(t->pool, more, "\n", most, "\n", NULL));
    conf = resolved(t, LINE);
    assert_int_equal(conf->blocklist_count, 1);
    assert_string_equal(conf->blocklist[0], most);
    ua_test_close(t);
}

static void refused_at_once(ua_test_t *t)
{
    ua_conf_t *conf = NULL;
    int row = 0;
    const char *err = resolve(t, &conf, &row, LINE);

    assert_non_null(err);
    assert_non_null(strstr(err, "/list can't be read, or is over 64 MiB"));
    assert_int_equal(row, UA_D_password_blocklist);
}

/* A pipe nobody writes to would hold up the start for ever. */
static void what_is_no_list_is_refused(void **state)
{
    ua_test_t *t = ua_test_begin();
    const char *path = apr_pstrcat(t->pool, t->folder, "/list", NULL);

    (void)state;
    ua_test_write(t, "list", "mango\n");
    assert_int_equal(truncate(path, (off_t)64 * 1024 * 1024 + 1), 0);
    refused_at_once(t);
    assert_int_equal(unlink(path), 0);
    refused_at_once(t);
    assert_int_equal(mkfifo(path, 0600), 0);
    refused_at_once(t);
    ua_test_close(t);
}

/* BF-15, the whole way: passwords that score well are refused because they are on the list, in
 * whatever case and composition. */
static void a_blocked_password_is_refused(void **state)
{
    static const struct {
        const char *listed;
        const char *password;
    } rows[] = {
        {"Purple-Monkey-Dishwasher-92\n", UA_TEST_PASSWORD},
        {BOM "  purple-monkey-dishwasher-92  \n", UA_TEST_PASSWORD},
        {"purple-caf\xc3\xa9-dishwasher-92\n", "Purple-CAFE\xcc\x81-dishwasher-92"},
        {"PURPLE-CAFE\xcc\x81-DISHWASHER-92\n", "purple-caf\xc3\xa9-dishwasher-92"},
        {"purple-\xd0\xbf\xd0\xb0\xd1\x80-dishwasher-92\n",
         "purple-\xd0\x9f\xd0\x90\xd0\xa0-dishwasher-92"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ua_test_t *t = ua_test_begin();

        ua_test_write(t, "list", rows[i].listed);
        assert_null(ua_test_start(t, LINE, NULL));
        t->json = 1;
        assert_status(t,
                      ua_test_post(t, "/auth/register", "username", "alice", "email",
                                   "alice@example.org", "password", rows[i].password, NULL),
                      422);
        assert_value(t, "code", "weak_password");
        assert_value(t, "errors.password", BLOCKED);
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_sorted),
        cmocka_unit_test(finds_the_words),
        cmocka_unit_test(a_nul_costs_one_line),
        cmocka_unit_test(a_line_beyond_every_password_is_skipped),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(a_blocked_password_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
