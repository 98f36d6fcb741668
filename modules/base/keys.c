/* keys.c: the key file: reading with suspicion, writing at once or not at all, deriving.
 *
 * A secret that others can read or guess is worse than no start, so each refusal says in one
 * sentence what to do. Called by app/ at start, in the parent; the keys are wiped with their pool.
 */
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_BYTES   32
#define PREFIX         "userauth-key-1 "
#define PREFIX_BYTES   (sizeof(PREFIX) - 1)
#define LINE_BYTES     (PREFIX_BYTES + UA_DIGEST_TEXT + 1)
#define DISTINCT_LEAST 16 /* fewer different bytes in a random secret: once in 10^13 */
#define OTHERS         (S_IRWXG | S_IRWXO)

static apr_status_t wipe_keys(void *data)
{
    ua_keys_t *keys = data;

    ua_wipe(keys->token, sizeof(keys->token));
    ua_wipe(keys->csrf, sizeof(keys->csrf));
    ua_wipe(keys->cookie, sizeof(keys->cookie));
    ua_wipe(keys->throttle, sizeof(keys->throttle));
    ua_wipe(keys->refresh, sizeof(keys->refresh));
    ua_wipe(keys->jwt, sizeof(keys->jwt));
    return APR_SUCCESS;
}

apr_status_t ua_keys_derive(ua_keys_t **out, apr_pool_t *pool, const unsigned char secret[32])
{
    ua_keys_t *keys = apr_pcalloc(pool, sizeof(*keys));

    apr_pool_cleanup_register(pool, keys, wipe_keys, apr_pool_cleanup_null);
    UA_CHECK(ua_hmac(keys->token, secret, UA_PARTS("userauth-key-1", "token")));
    UA_CHECK(ua_hmac(keys->csrf, secret, UA_PARTS("userauth-key-1", "csrf")));
    UA_CHECK(ua_hmac(keys->cookie, secret, UA_PARTS("userauth-key-1", "cookie")));
    UA_CHECK(ua_hmac(keys->throttle, secret, UA_PARTS("userauth-key-1", "throttle")));
    UA_CHECK(ua_hmac(keys->refresh, secret, UA_PARTS("userauth-key-1", "refresh")));
    UA_CHECK(ua_hmac(keys->jwt, secret, UA_PARTS("userauth-key-1", "jwt")));
    UA_CHECK(ua_hmac_text(&keys->fingerprint, pool, secret,
                          UA_PARTS("userauth-key-1", "fingerprint")));
    *out = keys;
    return APR_SUCCESS;
}

static int distinct(const unsigned char *bytes, apr_size_t length)
{
    unsigned char seen[256] = {0};
    int count = 0;

    for (apr_size_t i = 0; i < length; i++) {
        count += !seen[bytes[i]];
        seen[bytes[i]] = 1;
    }
    return count;
}

/* 1 when all 32 bytes are printable: somebody's words, not a generator's bits. */
static int is_words(const unsigned char *secret)
{
    for (int i = 0; i < SECRET_BYTES; i++) {
        if (secret[i] < 0x20 || secret[i] > 0x7E) {
            return 0;
        }
    }
    return 1;
}

/* 1 for a sample such as 00 01 02 03 ...: the same step from each byte to the next. */
static int is_series(const unsigned char *secret)
{
    unsigned char step = (unsigned char)(secret[1] - secret[0]);

    for (int i = 1; i < SECRET_BYTES; i++) {
        if ((unsigned char)(secret[i] - secret[i - 1]) != step) {
            return 0;
        }
    }
    return 1;
}

static int is_weak(const unsigned char *secret, const char *text)
{
    return distinct(secret, SECRET_BYTES) < DISTINCT_LEAST ||
           distinct((const unsigned char *)text, UA_DIGEST_TEXT) < DISTINCT_LEAST ||
           is_words(secret) || is_series(secret);
}

static apr_status_t refuse(const char **why, const char *sentence)
{
    *why = sentence;
    return APR_EINVAL;
}

/* A check of the file itself, on the open descriptor, so that it is the file that is read. */
static apr_status_t file_check(int fd, apr_pool_t *pool, const char *path, const char **why)
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        return refuse(why, apr_psprintf(pool, "The key file \"%s\" cannot be examined.", path));
    }
    if (!S_ISREG(info.st_mode)) {
        return refuse(why, apr_psprintf(pool,
                                        "The key file \"%s\" is not a plain file: name "
                                        "another path, or remove it to have one made.",
                                        path));
    }
    if (info.st_uid != 0 && info.st_uid != geteuid()) {
        return refuse(why, apr_psprintf(pool,
                                        "The key file \"%s\" belongs to another user: run "
                                        "\"chown root %s\".",
                                        path, path));
    }
    if ((info.st_mode & OTHERS) != 0) {
        return refuse(why, apr_psprintf(pool,
                                        "The key file \"%s\" is open to other users: run "
                                        "\"chmod 600 %s\".",
                                        path, path));
    }
    return APR_SUCCESS;
}

/* Fills at most `most` bytes and says how many; -1 on a read error. */
static ssize_t read_all(int fd, char *buffer, apr_size_t most)
{
    apr_size_t have = 0;

    while (have < most) {
        ssize_t got = read(fd, buffer + have, most - have);
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        have += got > 0 ? (apr_size_t)got : 0;
    }
    return (ssize_t)have;
}

/* `line` is the whole file, ended by NUL: one line, its end included or not. */
static apr_status_t parse(unsigned char secret[SECRET_BYTES], char *line, apr_pool_t *pool,
                          const char *path, const char **why)
{
    char *text = line + PREFIX_BYTES;

    if (strncmp(line, PREFIX, PREFIX_BYTES) != 0) {
        text = line + strlen(line);
    }
    if (strlen(text) == UA_DIGEST_TEXT + 1 && text[UA_DIGEST_TEXT] == '\n') {
        text[UA_DIGEST_TEXT] = '\0';
    }
    if (ua_base64url_decode(secret, SECRET_BYTES, text) != APR_SUCCESS) {
        return refuse(why, apr_psprintf(pool,
                                        "The key file \"%s\" does not hold one line "
                                        "\"userauth-key-1 \" with 43 characters behind it: "
                                        "copy it again from another node or a backup.",
                                        path));
    }
    if (is_weak(secret, text)) {
        return refuse(why, apr_psprintf(pool,
                                        "The key file \"%s\" holds a secret that can be "
                                        "guessed: remove it to have a random one made.",
                                        path));
    }
    return APR_SUCCESS;
}

static apr_status_t read_open(ua_keys_t **out, apr_pool_t *pool, int fd, const char *path,
                              const char **why)
{
    unsigned char secret[SECRET_BYTES];
    char line[LINE_BYTES + 2] = "";
    ssize_t length;
    apr_status_t rv;

    UA_CHECK(file_check(fd, pool, path, why));
    length = read_all(fd, line, LINE_BYTES + 1);
    if (length < 0) {
        return refuse(why, apr_psprintf(pool, "The key file \"%s\" cannot be read.", path));
    }
    if (strlen(line) != (apr_size_t)length) {
        line[0] = '\0'; /* a NUL inside: what stands before it is not the file */
    }
    rv = parse(secret, line, pool, path, why);
    ua_wipe(line, sizeof(line));
    if (rv == APR_SUCCESS) {
        rv = ua_keys_derive(out, pool, secret);
    }
    ua_wipe(secret, sizeof(secret));
    return rv;
}

apr_status_t ua_keys_read(ua_keys_t **out, apr_pool_t *pool, const char *path, const char **why)
{
    /* O_NONBLOCK: a named pipe in its place must not stop the start. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    apr_status_t rv;

    if (fd < 0 && errno == ENOENT) {
        return APR_ENOENT;
    }
    if (fd < 0 && errno == ELOOP) {
        return refuse(why, apr_psprintf(pool,
                                        "The key file \"%s\" is a symbolic link: name the "
                                        "file itself.",
                                        path));
    }
    if (fd < 0) {
        return refuse(why, apr_psprintf(pool,
                                        "The key file \"%s\" cannot be opened by this user: "
                                        "run \"chown root %s\" and start as root.",
                                        path, path));
    }
    rv = read_open(out, pool, fd, path, why);
    (void)close(fd);
    return rv;
}

/* A new random secret as the file's line, in `line`. */
static apr_status_t line_make(char line[LINE_BYTES + 1], apr_pool_t *pool)
{
    unsigned char secret[SECRET_BYTES];

    UA_CHECK(ua_random(secret, sizeof(secret)));
    (void)apr_snprintf(line, LINE_BYTES + 1, PREFIX "%s\n",
                       ua_base64url(pool, secret, sizeof(secret)));
    ua_wipe(secret, sizeof(secret));
    return APR_SUCCESS;
}

/* Writes and flushes a file that nobody else knows of yet. 0, or an errno. */
static int write_new(const char *path, const char *line)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    ssize_t done;
    int rc;

    if (fd < 0) {
        return errno;
    }
    done = write(fd, line, LINE_BYTES);
    rc = done == (ssize_t)LINE_BYTES && fsync(fd) == 0 ? 0 : ENOSPC;
    return close(fd) == 0 ? rc : errno;
}

/* A name that just appeared in a folder survives a crash only when the folder is flushed too. */
static void flush_folder(apr_pool_t *pool, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *folder =
        slash ? apr_pstrmemdup(pool, path, (apr_size_t)(slash - path) + 1) : ".";
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

apr_status_t ua_keys_create(ua_keys_t **out, apr_pool_t *pool, const char *path,
                            const char **why)
{
    const char *draft = apr_psprintf(pool, "%s.%ld", path, (long)getpid());
    char line[LINE_BYTES + 1];
    int rc;

    UA_CHECK(line_make(line, pool));
    (void)unlink(draft); /* of a process with this number that died here */
    rc = write_new(draft, line);
    ua_wipe(line, sizeof(line));
    if (rc == 0 && link(draft, path) != 0) { /* link, unlike rename, replaces nothing */
        rc = errno;
    }
    (void)unlink(draft);
    if (rc == EEXIST) {
        return APR_EEXIST;
    }
    if (rc != 0) {
        return refuse(why, apr_psprintf(pool,
                                        "The key file \"%s\" cannot be written (%s): make "
                                        "its folder writable or name another path.",
                                        path, apr_strerror(rc, apr_palloc(pool, 128), 128)));
    }
    flush_folder(pool, path);
    return ua_keys_read(out, pool, path, why);
}
