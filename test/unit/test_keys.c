/* test_keys.c: the key file: what is refused, and with which remedy; making one; deriving.
 *
 * Cases: CFG-01, CFG-02, JWT-13 (secrets that are short, alike, words or a sample).
 */
#include "base/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define GOOD         "qE5hQx0vT8m3ZkWcR1nYp7uJ4sLbDfGa9iOe2VtXwHM"

typedef struct place_t {
    apr_pool_t *pool;
    char folder[64];
    const char *path;
} place_t;

static int setup(void **state)
{
    place_t *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    assert_int_equal(apr_pool_create(&place->pool, NULL), APR_SUCCESS);
    apr_cpystrn(place->folder, "/tmp/ua-test-keys-XXXXXX", sizeof(place->folder));
    assert_non_null(mkdtemp(place->folder));
    place->path = apr_pstrcat(place->pool, place->folder, "/userauth.keys", NULL);
    *state = place;
    return ua_crypto_init() != APR_SUCCESS;
}

static int teardown(void **state)
{
    place_t *place = *state;

    (void)unlink(place->path);
    assert_int_equal(rmdir(place->folder), 0); /* no draft is left behind */
    apr_pool_destroy(place->pool);
    free(place);
    return 0;
}

static void write_file(const place_t *place, const char *text, size_t length)
{
    int fd = open(place->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    assert_int_equal(close(fd), 0);
    assert_int_equal(chmod(place->path, 0600), 0);
}

static void refused(const place_t *place, const char *reason)
{
    ua_keys_t *keys = NULL;
    const char *why = NULL;

    assert_int_equal(ua_keys_read(&keys, place->pool, place->path, &why), APR_EINVAL);
    assert_null(keys);
    assert_non_null(why);
    assert_non_null(strstr(why, reason));
    assert_non_null(strstr(why, place->path));
    assert_null(strstr(why, GOOD));
    assert_int_equal(why[strlen(why) - 1], '.');
}

static const struct {
    const char *text;
    const char *reason; /* NULL: accepted */
    const char *comment;
} contents[] = {
    {"userauth-key-1 " GOOD "\n", NULL, "right"},
    {"userauth-key-1 " GOOD, NULL, "without line end"},
    {"", "does not hold", "CFG-01 empty"},
    {"    \n", "does not hold", "CFG-01 only spaces"},
    {"userauth-key-1 \n", "does not hold", "CFG-01 nothing behind the name"},
    {"userauth-key-1 qE5hQx0vT8m3ZkWcR1nYpw\n", "does not hold", "CFG-01 16 bytes"},
    {"userauth-key-1 " GOOD "x\n", "does not hold", "one long"},
    {"userauth-key-1 " GOOD "\n\n", "does not hold", "an empty line more"},
    {"userauth-key-1 " GOOD "\nuserauth-key-1 " GOOD "\n", "does not hold", "two lines"},
    {"userauth-key-1 " GOOD "=\n", "does not hold", "padding"},
    {"userauth-key-1  " GOOD "\n", "does not hold", "two blanks"},
    {"userauth-key-2 " GOOD "\n", "does not hold", "another version"},
    {GOOD "\n", "does not hold", "no name"},
    {"userauth-key-1 qE5hQx0vT8m3ZkWcR1nYp7uJ4sLbDfGa9iOe2VtXwHN\n", "does not hold",
     "unused bits set"},
    {"userauth-key-1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", "guessed", "CFG-01 zeros"},
    {"userauth-key-1 __________________________________________8\n", "guessed", "CFG-01 ones"},
    {"userauth-key-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", "guessed",
     "JWT-13 the sample 00 01 02"},
    {"userauth-key-1 Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA\n", "guessed",
     "JWT-13 the same backwards"},
    {"userauth-key-1 Y2hhbmdlbWVjaGFuZ2VtZWNoYW5nZW1lY2hhbmdlbWU\n", "guessed",
     "JWT-13 changeme, four times"},
    {"userauth-key-1 VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wZWQgb3Zlci4\n", "guessed",
     "JWT-13 a sentence of 32 characters"},
    {"userauth-key-1 wduH97_B24f3v8Hbh_e_wduH97_B24f3v8Hbh_e_wds\n", "guessed",
     "JWT-13 five bytes again and again"},
    {"userauth-key-1 changeme-changeme-changeme-changeme-changem\n", "does not hold",
     "JWT-13 words in the place of base64url"},
    {"userauth-key-1 changeme-changeme-changeme-changeme-changeg\n", "guessed",
     "JWT-13 the same, canonical"},
};

static void test_contents(void **state)
{
    const place_t *place = *state;

    for (size_t i = 0; i < COUNT(contents); i++) {
        write_file(place, contents[i].text, strlen(contents[i].text));
        if (contents[i].reason == NULL) {
            ua_keys_t *keys = NULL;
            const char *why = NULL;
            assert_int_equal(ua_keys_read(&keys, place->pool, place->path, &why), APR_SUCCESS);
            assert_non_null(keys);
            assert_null(why);
            continue;
        }
        refused(place, contents[i].reason);
    }
}

static void test_nul_inside(void **state)
{
    static const char text[] = "userauth-key-1 " GOOD "\n\0x";

    write_file(*state, text, sizeof(text));
    refused(*state, "does not hold");
}

static void test_absent(void **state)
{
    const place_t *place = *state;
    ua_keys_t *keys = NULL;
    const char *why = NULL;

    assert_int_equal(ua_keys_read(&keys, place->pool, place->path, &why), APR_ENOENT);
    assert_null(keys);
    assert_null(why);
}

/* CFG-02 */
static void test_modes(void **state)
{
    static const mode_t modes[] = {0640, 0620, 0610, 0604, 0602, 0601, 0644, 0777};
    const place_t *place = *state;

    write_file(place, contents[0].text, strlen(contents[0].text));
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(chmod(place->path, modes[i]), 0);
        refused(place, "chmod 600");
    }
}

/* CFG-02: also a link to a good file, since who may change the link changes the key. */
static void test_kinds_of_file(void **state)
{
    const place_t *place = *state;
    const char *target = apr_pstrcat(place->pool, place->folder, "/target", NULL);

    write_file(place, contents[0].text, strlen(contents[0].text));
    assert_int_equal(rename(place->path, target), 0);
    assert_int_equal(symlink(target, place->path), 0);
    refused(place, "symbolic link");
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(unlink(target), 0);
    assert_int_equal(mkdir(place->path, 0700), 0);
    refused(place, "not a plain file");
    assert_int_equal(rmdir(place->path), 0);
    assert_int_equal(mkfifo(place->path, 0600), 0);
    refused(place, "not a plain file");
}

/* CFG-02: only root can give a file away, so only root can see this. */
static void test_owner(void **state)
{
    const place_t *place = *state;

    write_file(place, contents[0].text, strlen(contents[0].text));
    if (geteuid() != 0) {
        return;
    }
    assert_int_equal(chown(place->path, 65534, 65534), 0);
    refused(place, "chown root");
}

static void test_create(void **state)
{
    const place_t *place = *state;
    ua_keys_t *made = NULL;
    ua_keys_t *read = NULL;
    ua_keys_t *again = NULL;
    const char *why = NULL;
    struct stat info;

    assert_int_equal(ua_keys_create(&made, place->pool, place->path, &why), APR_SUCCESS);
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_nlink, 1);
    assert_int_equal(ua_keys_read(&read, place->pool, place->path, &why), APR_SUCCESS);
    assert_string_equal(made->fingerprint, read->fingerprint);
    assert_memory_equal(made->token, read->token, UA_DIGEST_BYTES);
    assert_int_equal(ua_keys_create(&again, place->pool, place->path, &why), APR_EEXIST);
    assert_null(again);
    assert_int_equal(ua_keys_read(&again, place->pool, place->path, &why), APR_SUCCESS);
    assert_string_equal(made->fingerprint, again->fingerprint);
    assert_null(why);
}

/* Of several processes that start at once, one makes the file; a mask of 0 opens it to nobody. */
static void test_create_at_once(void **state)
{
    const place_t *place = *state;
    mode_t mask = umask(0);
    ua_keys_t *keys = NULL;
    const char *why = NULL;
    struct stat info;
    int made = 0;

    for (int i = 0; i < 4; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            apr_status_t rv = ua_keys_create(&keys, place->pool, place->path, &why);
            _exit(rv == APR_SUCCESS ? 1 : rv == APR_EEXIST ? 0 : 2);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status = 0;
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        made += WEXITSTATUS(status);
    }
    (void)umask(mask);
    assert_int_equal(made, 1);
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(ua_keys_read(&keys, place->pool, place->path, &why), APR_SUCCESS);
}

static void test_create_nowhere(void **state)
{
    const place_t *place = *state;
    const char *path = apr_pstrcat(place->pool, place->folder, "/none/userauth.keys", NULL);
    ua_keys_t *keys = NULL;
    const char *why = NULL;

    assert_int_equal(ua_keys_create(&keys, place->pool, path, &why), APR_EINVAL);
    assert_null(keys);
    assert_non_null(strstr(why, "cannot be written"));
}

/* A purpose's key tells nothing of another's, and each comes from the secret alone. */
static void test_derive(void **state)
{
    static const unsigned char secrets[2][32] = {{1}, {2}};
    const place_t *place = *state;
    ua_keys_t *keys[3] = {NULL};

    for (int i = 0; i < 3; i++) {
        assert_int_equal(ua_keys_derive(&keys[i], place->pool, secrets[i / 2]), APR_SUCCESS);
    }
    assert_memory_equal(keys[0]->token, keys[1]->token, UA_DIGEST_BYTES);
    assert_string_equal(keys[0]->fingerprint, keys[1]->fingerprint);
    assert_string_not_equal(keys[0]->fingerprint, keys[2]->fingerprint);
    assert_memory_not_equal(keys[0]->token, keys[2]->token, UA_DIGEST_BYTES);
    assert_memory_not_equal(keys[0]->token, keys[0]->csrf, UA_DIGEST_BYTES);
    assert_memory_not_equal(keys[0]->token, keys[0]->cookie, UA_DIGEST_BYTES);
    assert_memory_not_equal(keys[0]->token, keys[0]->throttle, UA_DIGEST_BYTES);
    assert_memory_not_equal(keys[0]->csrf, keys[0]->cookie, UA_DIGEST_BYTES);
    assert_memory_not_equal(keys[0]->csrf, keys[0]->throttle, UA_DIGEST_BYTES);
    assert_memory_not_equal(keys[0]->cookie, keys[0]->throttle, UA_DIGEST_BYTES);
    assert_int_equal(strlen(keys[0]->fingerprint), UA_DIGEST_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nul_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kinds_of_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_nowhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_derive, setup, teardown),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
