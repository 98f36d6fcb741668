/* test_mail_folder.c: files appear whole, once, readable by all, and nothing else is left. */
#include "base/mail_folder.h"

#include <apr_file_io.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME "20261121T083000.000042Z-mail-1"

static apr_pool_t *pool;
static char *folder;

static const ua_mail_t mail = {.id = "mail-1",
                               .date = 1795249800000042,
                               .from_name = "Example",
                               .from_address = "accounts@example.com",
                               .to = "alice@example.org",
                               .reply_to = "",
                               .subject = "Hello",
                               .text = "Hello\n",
                               .html = "<p>J\xC3\xBCrgen</p>\n"};

static int folder_open(void **state)
{
    const char *base;

    (void)state;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS ||
        apr_temp_dir_get(&base, pool) != APR_SUCCESS) {
        return 1;
    }
    folder = apr_pstrcat(pool, base, "/ua-mail-XXXXXX", NULL);
    return mkdtemp(folder) == NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in the folder in order, each followed by a blank. */
static const char *listing(void)
{
    apr_array_header_t *names = apr_array_make(pool, 4, sizeof(const char *));
    apr_finfo_t entry;
    apr_dir_t *dir;

    assert_int_equal(apr_dir_open(&dir, folder, pool), APR_SUCCESS);
    while (apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (strcmp(entry.name, ".") != 0 && strcmp(entry.name, "..") != 0) {
            *(const char **)apr_array_push(names) = apr_pstrcat(pool, entry.name, " ", NULL);
        }
    }
    assert_int_equal(apr_dir_close(dir), APR_SUCCESS);
    qsort(names->elts, (size_t)names->nelts, sizeof(const char *), by_name);
    return apr_array_pstrcat(pool, names, 0);
}

static const char *path_of(const char *name)
{
    return apr_psprintf(pool, "%s/%s", folder, name);
}

static const char *content(const char *name)
{
    char *text = apr_pcalloc(pool, 4096);
    apr_size_t length;
    apr_file_t *file;
    apr_status_t rv;

    assert_int_equal(apr_file_open(&file, path_of(name), APR_FOPEN_READ, 0, pool), APR_SUCCESS);
    rv = apr_file_read_full(file, text, 4095, &length);
    assert_true(rv == APR_SUCCESS || rv == APR_EOF);
    assert_int_equal(apr_file_close(file), APR_SUCCESS);
    return text;
}

static int folder_close(void **state)
{
    char *names = apr_pstrdup(pool, listing());
    char *name;

    (void)state;
    for (name = apr_strtok(names, " ", &names); name; name = apr_strtok(NULL, " ", &names)) {
        (void)apr_file_remove(path_of(name), pool);
    }
    (void)apr_dir_remove(folder, pool);
    apr_pool_destroy(pool);
    return 0;
}

static void mode_check(const char *name)
{
    struct stat status;

    assert_int_equal(stat(path_of(name), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
}

static void test_two_files(void **state)
{
    const char *message;
    apr_size_t length;
    mode_t mask = umask(077);

    (void)state;
    assert_int_equal(ua_mail_to_folder(pool, folder, &mail), APR_SUCCESS);
    umask(mask);
    assert_string_equal(listing(), NAME ".eml " NAME ".html ");
    assert_int_equal(ua_mail_build(&message, &length, pool, &mail), APR_SUCCESS);
    assert_string_equal(content(NAME ".eml"), message);
    assert_string_equal(content(NAME ".html"), mail.html);
    mode_check(NAME ".eml");
    mode_check(NAME ".html");
}

/* MAIL-09's half here: a sender killed after the file and before its own commit. */
static void test_same_mail_again(void **state)
{
    (void)state;
    assert_int_equal(ua_mail_to_folder(pool, folder, &mail), APR_SUCCESS);
    assert_int_equal(ua_mail_to_folder(pool, folder, &mail), APR_SUCCESS);
    assert_string_equal(listing(), NAME ".eml " NAME ".html ");
}

static void test_left_over_of_a_killed_sender(void **state)
{
    (void)state;
    assert_int_equal(symlink("/dev/full", path_of("." NAME ".eml.tmp")), 0); /* not followed */
    assert_int_equal(ua_mail_to_folder(pool, folder, &mail), APR_SUCCESS);
    assert_string_equal(listing(), NAME ".eml " NAME ".html ");
    assert_non_null(strstr(content(NAME ".eml"), "Auto-Submitted"));
}

static void test_refused(void **state)
{
    ua_mail_t bad = mail;

    (void)state;
    bad.id = "../../mail-1";
    assert_int_equal(ua_mail_to_folder(pool, folder, &bad), APR_EINVAL);
    bad = mail;
    bad.to = "a@b.c\r\nX: y";
    assert_int_equal(ua_mail_to_folder(pool, folder, &bad), APR_EINVAL);
    assert_string_equal(listing(), "");
}

static void test_no_folder(void **state)
{
    (void)state;
    assert_true(APR_STATUS_IS_ENOENT(ua_mail_to_folder(pool, path_of("absent"), &mail)));
}

/* A folder in the place of the file: the rename fails, and no temporary file stays. */
static void test_failure_leaves_nothing(void **state)
{
    const char *taken = path_of(NAME ".html");

    (void)state;
    assert_int_equal(apr_dir_make(taken, APR_FPROT_OS_DEFAULT, pool), APR_SUCCESS);
    assert_int_not_equal(ua_mail_to_folder(pool, folder, &mail), APR_SUCCESS);
    assert_string_equal(listing(), NAME ".html ");
    assert_int_equal(apr_dir_remove(taken, pool), APR_SUCCESS);
}

/* ENUM-06: what comes of a mail to nobody; it leaves nothing, and fails as a mail does. */
static void test_without_a_mail(void **state)
{
    (void)state;
    assert_int_equal(ua_mail_folder_try(pool, folder, "mail-1"), APR_SUCCESS);
    assert_string_equal(listing(), "");
    assert_int_equal(symlink("/dev/full", path_of(".mail-1.try.tmp")), 0); /* not followed */
    assert_int_equal(ua_mail_folder_try(pool, folder, "mail-1"), APR_SUCCESS);
    assert_string_equal(listing(), "");
    assert_int_equal(ua_mail_folder_try(pool, path_of("absent"), "mail-1"),
                     ua_mail_to_folder(pool, path_of("absent"), &mail));
    assert_int_equal(apr_dir_make(path_of(".mail-1.try.tmp"), APR_FPROT_OS_DEFAULT, pool),
                     APR_SUCCESS);
    assert_true(APR_STATUS_IS_EEXIST(ua_mail_folder_try(pool, folder, "mail-1")));
    assert_int_equal(apr_dir_remove(path_of(".mail-1.try.tmp"), pool), APR_SUCCESS);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_open, folder_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_two_files),
        IN_FOLDER(test_same_mail_again),
        IN_FOLDER(test_left_over_of_a_killed_sender),
        IN_FOLDER(test_refused),
        IN_FOLDER(test_no_folder),
        IN_FOLDER(test_failure_leaves_nothing),
        IN_FOLDER(test_without_a_mail),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
