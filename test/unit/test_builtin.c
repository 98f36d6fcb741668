/* test_builtin.c: every file of templates/ and schema/ travels inside the module, byte by byte.
 *
 * Runs at the top of the tree, as `make unit` does, and compares with the files there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/builtin.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int on_disk;

static void is_the_file(const ua_builtin_t *file)
{
    char part[4096];
    FILE *stream = fopen(file->name, "rb");
    apr_size_t at = 0;
    apr_size_t got = 0;

    if (!stream) {
        fail_msg("%s: not at the top of the tree, or gone", file->name);
        return;
    }
    while ((got = fread(part, 1, sizeof part, stream)) > 0) {
        if (at + got > file->length || memcmp(file->data + at, part, got) != 0) {
            fail_msg("%s: other bytes", file->name);
        }
        at += got;
    }
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(at, file->length);
}

static void all_are_files(void **state)
{
    const char *before = "";

    (void)state;
    assert_non_null(ua_builtin_all()->name);
    for (const ua_builtin_t *file = ua_builtin_all(); file->name; file++) {
        assert_true(strcmp(before, file->name) < 0); /* schema steps run in this order */
        before = file->name;
        is_the_file(file);
        assert_int_equal(file->data[file->length], '\0'); /* readers may take it for text */
        assert_true(strstr(file->name, "/assets/") || strlen(file->data) == file->length);
    }
}

static int is_builtin(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    const ua_builtin_t *file = kind == FTW_F ? ua_builtin_find(path) : NULL;

    (void)where;
    if (kind == FTW_F) {
        on_disk++;
        if (!file || file->length != (apr_size_t)info->st_size) {
            print_error("%s: not inside the module\n", path);
            return 1;
        }
    }
    return 0;
}

static void all_files_are_there(void **state)
{
    int built_in = 0;

    (void)state;
    on_disk = 0;
    assert_int_equal(nftw("templates", is_builtin, 8, FTW_PHYS), 0);
    assert_int_equal(nftw("schema", is_builtin, 8, FTW_PHYS), 0);
    for (const ua_builtin_t *file = ua_builtin_all(); file->name; file++) {
        built_in++;
    }
    assert_int_equal(built_in, on_disk);
}

static void found_by_name(void **state)
{
    static const char *const absent[] = {"",
                                         "templates",
                                         "templates/",
                                         "templates/login",
                                         "templates/login.html ",
                                         "Templates/login.html",
                                         "/templates/login.html",
                                         "login.html",
                                         "templates/../templates/login.html"};
    const ua_builtin_t *file = ua_builtin_find("templates/login.html");

    (void)state;
    assert_non_null(file);
    assert_string_equal(file->name, "templates/login.html");
    for (const ua_builtin_t *each = ua_builtin_all(); each->name; each++) {
        assert_ptr_equal(ua_builtin_find(each->name), each);
    }
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_null(ua_builtin_find(absent[i]));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_files),
        cmocka_unit_test(all_files_are_there),
        cmocka_unit_test(found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
