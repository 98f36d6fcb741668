/* fuzz_replay.c: the main function of a fuzz target without libFuzzer: runs each file of its corpus once.
 *
 * A target's corpus is test/fuzz/corpus/NAME, NAME being that of the program. Each file is named before it
 * runs, so that the last line tells which one failed. Fails when there was nothing to run.
 */
#include "fuzz.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In a block of exactly its size, so that the sanitizer sees who reads behind the end. */
static void replay(const char *path, apr_size_t length, apr_pool_t *pool)
{
    apr_file_t *file = NULL;
    uint8_t *data = malloc(length);

    FUZZ_CHECK(length == 0 || data, "no memory for %s", path);
    FUZZ_CHECK(
        apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_OS_DEFAULT, pool) ==
                APR_SUCCESS &&
            (length == 0 || apr_file_read_full(file, data, length, NULL) == APR_SUCCESS) &&
            apr_file_close(file) == APR_SUCCESS,
        "%s can't be read", path);
    (void)LLVMFuzzerTestOneInput(data, length);
    free(data);
}

int main(int argc, const char *const *argv)
{
    const char *name = argc > 0 && strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    apr_pool_t *pool = NULL;
    apr_dir_t *folder = NULL;
    apr_finfo_t info;
    const char *path = NULL;
    int count = 0;

    fuzz_replaying = 1;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    FUZZ_CHECK(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS,
               "no pool");
    path = apr_pstrcat(pool, "test/fuzz/corpus/", name, NULL);
    FUZZ_CHECK(apr_dir_open(&folder, path, pool) == APR_SUCCESS, "%s is no folder", path);
    while (apr_dir_read(&info, APR_FINFO_TYPE | APR_FINFO_SIZE | APR_FINFO_NAME, folder) ==
           APR_SUCCESS) {
        if (info.filetype == APR_REG) {
            const char *file = apr_pstrcat(pool, path, "/", info.name, NULL);

            printf("%s\n", file);
            replay(file, (apr_size_t)info.size, pool);
            count++;
        }
    }
    FUZZ_CHECK(count > 0, "%s is empty", path);
    apr_dir_close(folder);
    apr_pool_destroy(pool);
    return 0;
}
