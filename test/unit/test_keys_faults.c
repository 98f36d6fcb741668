/* test_keys_faults.c: the key file on a disk that is full or broken.
 *
 * It is written whole or not at all, nothing half made stays in its folder, and each refusal says so in a sentence.
 * Case: INV-4.
 */
#include "crypto_faults.h"

#include "base/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAULT_WRITE_FILE 128
#define FAULT_FLUSH      256
#define FAULT_CLOSE      512
#define FAULT_LOOK       1024
#define FAULT_READ       2048
#define SHORT            (-1) /* half of it is written */

/* What the next call of a kind answers: 0 when it is made. */
static int answer_of(int kind)
{
    int done = 0;
    int rc = fault_of(kind, &done);

    errno = rc > 0 ? rc : errno;
    return rc;
}

ssize_t write(int fd, const void *data, size_t length)
{
    ssize_t (*real)(int, const void *, size_t) = NULL;
    int rc = answer_of(FAULT_WRITE_FILE);

    FIND_REAL(real, "write");
    return rc > 0 ? -1 : real(fd, data, rc == SHORT ? length / 2 : length);
}

int fsync(int fd)
{
    int (*real)(int) = NULL;

    FIND_REAL(real, "fsync");
    return answer_of(FAULT_FLUSH) ? -1 : real(fd);
}

int close(int fd)
{
    int (*real)(int) = NULL;
    int rc = 0;

    FIND_REAL(real, "close");
    rc = real(fd);
    return answer_of(FAULT_CLOSE) ? -1 : rc;
}

int fstat(int fd, struct stat *info)
{
    int (*real)(int, struct stat *) = NULL;

    FIND_REAL(real, "fstat");
    return answer_of(FAULT_LOOK) ? -1 : real(fd, info);
}

ssize_t read(int fd, void *data, size_t length)
{
    ssize_t (*real)(int, void *, size_t) = NULL;

    FIND_REAL(real, "read");
    return answer_of(FAULT_READ) ? -1 : real(fd, data, length);
}

static apr_pool_t *pool;
static char folder[] = "/tmp/ua-test-keys-XXXXXX";

static const char *path(void)
{
    return apr_pstrcat(pool, folder, "/keys", NULL);
}

/* How many files there are in the folder. */
static int files(void)
{
    DIR *dir = opendir(folder);
    int count = 0;

    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        count += entry->d_name[0] != '.';
    }
    assert_int_equal(closedir(dir), 0);
    return count;
}

static apr_status_t act(apr_status_t (*call)(ua_keys_t **, apr_pool_t *, const char *,
                                             const char **),
                        const char **why, fault_t fault)
{
    ua_keys_t *keys = NULL;
    apr_status_t rv = APR_SUCCESS;

    *why = "";
    faults_off();
    faults_add(fault);
    rv = call(&keys, pool, path(), why);
    faults_off();
    assert_int_equal(keys != NULL, rv == APR_SUCCESS);
    return rv;
}

static void none_or_a_whole_one(void **state)
{
    static const fault_t rows[] = {
        {.kinds = FAULT_WRITE_FILE, .times = 1, .rc = ENOSPC},
        {.kinds = FAULT_WRITE_FILE, .times = 1, .rc = SHORT},
        {.kinds = FAULT_FLUSH, .times = 1, .rc = EIO},
        {.kinds = FAULT_CLOSE, .times = 1, .rc = EIO},
    };
    const char *why = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(act(ua_keys_create, &why, rows[i]), APR_EINVAL);
        assert_non_null(strstr(why, "cannot be written"));
        assert_non_null(strstr(why, path()));
        assert_int_equal(files(), 0);
    }
    assert_int_equal(act(ua_keys_create, &why, (fault_t){.kinds = FAULT_CRYPTO, .times = 1}),
                     APR_EGENERAL);
    assert_int_equal(files(), 0);
    assert_int_equal(act(ua_keys_create, &why, (fault_t){0}), APR_SUCCESS);
    assert_int_equal(files(), 1);
}

static void a_file_that_cannot_be_read(void **state)
{
    const char *why = NULL;

    (void)state;
    assert_int_equal(
        act(ua_keys_read, &why, (fault_t){.kinds = FAULT_LOOK, .times = 1, .rc = EIO}),
        APR_EINVAL);
    assert_non_null(strstr(why, "cannot be examined"));
    assert_int_equal(
        act(ua_keys_read, &why, (fault_t){.kinds = FAULT_READ, .times = 1, .rc = EIO}),
        APR_EINVAL);
    assert_non_null(strstr(why, "cannot be read"));
    /* A signal is no fault. */
    assert_int_equal(
        act(ua_keys_read, &why, (fault_t){.kinds = FAULT_READ, .times = 3, .rc = EINTR}),
        APR_SUCCESS);
}

static int setup(void **state)
{
    (void)state;
    return apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS ||
           ua_crypto_init() != APR_SUCCESS || !mkdtemp(folder);
}

static int teardown(void **state)
{
    int rc = unlink(path()) | rmdir(folder);

    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return rc;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_or_a_whole_one),
        cmocka_unit_test(a_file_that_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
