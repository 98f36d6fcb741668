/* settings_blocklist.c: the file of UserAuthPasswordBlocklist, one password a line, for the search by
 * halves of domain/password.c. Called by settings.c.
 *
 * A list may be as large as the file: words are made in the bytes they were read into where they fit,
 * and what a line needs besides is given back after it. */
#include "settings.h"
#include "base/unicode.h"
#include "domain/password.h"

#include <apr_file_io.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES ((apr_off_t)64 * 1024 * 1024)
/* More than any password, however it is composed and in whatever case. */
#define LINE_BYTES ((apr_size_t)8 * UA_PASSWORD_BYTES)
#define BOM        "\xef\xbb\xbf"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int is_end(char byte)
{
    return byte == '\n' || byte == '\r';
}

static int is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* 1 for printable ASCII, of which case is all that can differ. */
static int is_plain(const char *word, apr_size_t length)
{
    for (apr_size_t i = 0; i < length; i++) {
        if (word[i] < ' ' || word[i] > '~') {
            return 0;
        }
    }
    return 1;
}

static void lower(char *word)
{
    for (; *word; word++) {
        *word = (char)(*word >= 'A' && *word <= 'Z' ? *word + ('a' - 'A') : *word);
    }
}

/* What a password is compared by: normalised, then folded. NULL for what is no text. */
static const char *folded(const char *word, apr_size_t length, apr_pool_t *scratch)
{
    const char *text = NULL;

    if (!ua_utf8_valid(word, length) ||
        ua_utf8_nfc(&text, scratch, ua_utf8_trim(scratch, word)) != APR_SUCCESS ||
        ua_utf8_fold(&text, scratch, text) != APR_SUCCESS) {
        return NULL;
    }
    return *text ? text : NULL;
}

/* A line that ends with a NUL in the place of its line end. */
static void add_line(apr_array_header_t *words, apr_pool_t *scratch, char *word,
                     apr_size_t length)
{
    const char *text = NULL;

    while (length > 0 && is_blank(*word)) {
        word++;
        length--;
    }
    while (length > 0 && is_blank(word[length - 1])) {
        word[--length] = '\0';
    }
    if (length == 0 || length > LINE_BYTES) {
        return;
    }
    if (is_plain(word, length)) {
        lower(word);
        APR_ARRAY_PUSH(words, const char *) = word;
        return;
    }
    text = folded(word, length, scratch);
    if (text) {
        APR_ARRAY_PUSH(words, const char *) = strlen(text) <= length
                                                  ? memcpy(word, text, strlen(text) + 1)
                                                  : apr_pstrdup(words->pool, text);
    }
    apr_pool_clear(scratch);
}

static int count_lines(const char *at, const char *end)
{
    int count = 0;

    for (int ended = 1; at < end; at++) {
        count += ended && !is_end(*at);
        ended = is_end(*at);
    }
    return count;
}

/* `end` may be written to. */
static void add_lines(apr_array_header_t *words, apr_pool_t *scratch, char *at, char *end)
{
    while (at < end) {
        char *stop = at;

        while (stop < end && !is_end(*stop)) {
            stop++;
        }
        *stop = '\0';
        add_line(words, scratch, at, (apr_size_t)(stop - at));
        at = stop + 1;
    }
}

/* The whole file and a byte more. Nothing but a plain file is opened: a pipe would hold up the start. */
static apr_status_t read_whole(char **text, apr_size_t *length, apr_pool_t *pool,
                               const char *path)
{
    apr_file_t *file = NULL;
    apr_finfo_t info = {0};
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_TYPE | APR_FINFO_SIZE, pool);

    if (rv != APR_SUCCESS || info.filetype != APR_REG || info.size > FILE_BYTES) {
        return rv != APR_SUCCESS ? rv : APR_EINVAL;
    }
    UA_CHECK(apr_file_open(&file, path, APR_FOPEN_READ, APR_OS_DEFAULT, pool));
    *text = apr_pcalloc(pool, (apr_size_t)info.size + 1);
    rv = info.size > 0 ? apr_file_read_full(file, *text, (apr_size_t)info.size, length)
                       : APR_SUCCESS;
    apr_file_close(file);
    return rv;
}

const char *ua_settings_blocklist(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    apr_array_header_t *words = NULL;
    apr_pool_t *scratch = NULL;
    char *text = NULL;
    apr_size_t length = 0;
    apr_size_t mark = 0;

    *row = UA_D_password_blocklist;
    if (!conf->password_blocklist) {
        return NULL;
    }
    if (read_whole(&text, &length, pool, conf->password_blocklist) != APR_SUCCESS ||
        apr_pool_create(&scratch, pool) != APR_SUCCESS) {
        return apr_psprintf(pool,
                            "UserAuthPasswordBlocklist: %s can't be read, or is over 64 MiB",
                            conf->password_blocklist);
    }
    mark = strncmp(text, BOM, strlen(BOM)) == 0 ? strlen(BOM) : 0;
    words = apr_array_make(pool, count_lines(text, text + length), sizeof(const char *));
    add_lines(words, scratch, text + mark, text + length);
    apr_pool_destroy(scratch);
    qsort(words->elts, (size_t)words->nelts, sizeof(const char *), by_text);
    conf->blocklist = (const char *const *)(void *)words->elts;
    conf->blocklist_count = (apr_size_t)words->nelts;
    return NULL;
}
