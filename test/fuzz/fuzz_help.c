/* fuzz_help.c: the pool, the parts of an input and a plain UTF-8 decoder for the fuzz targets: see fuzz.h.
 *
 * Uses nothing of the module, so that a fault there can't hide itself here.
 */
#include "fuzz.h"

#include <apr_general.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fuzz_replaying;

apr_pool_t *fuzz_pool(void)
{
    static apr_pool_t *pool;

    if (pool) {
        apr_pool_clear(pool);
        return pool;
    }
    FUZZ_CHECK(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS,
               "no pool");
    return pool;
}

void fuzz_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("FINDING: ", stderr);
    vfprintf(stderr, format, args);
    fputs("\n", stderr);
    va_end(args);
    abort();
}

int fuzz_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

unsigned fuzz_byte(fuzz_input_t *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

const char *fuzz_part(fuzz_input_t *input, apr_pool_t *pool)
{
    const uint8_t *end = input->left ? memchr(input->at, FUZZ_BETWEEN, input->left) : NULL;
    size_t length = end ? (size_t)(end - input->at) : input->left;
    const char *text = apr_pstrmemdup(pool, (const char *)input->at, length);

    length += end != NULL;
    input->at += length;
    input->left -= length;
    return text;
}

const char *fuzz_rest(fuzz_input_t *input, apr_pool_t *pool)
{
    const char *text = apr_pstrmemdup(pool, (const char *)input->at, input->left);

    input->left = 0;
    return text;
}

size_t fuzz_code_point(uint32_t *point, const uint8_t *at, size_t left)
{
    static const struct {
        uint8_t from, to;  /* first bytes */
        uint8_t low, high; /* second byte */
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0x80, 0xbf, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};

    size_t form = 0;

    while (form < sizeof forms / sizeof *forms && left > 0 &&
           (at[0] < forms[form].from || at[0] > forms[form].to)) {
        form++;
    }
    if (form == sizeof forms / sizeof *forms || left < forms[form].length || left == 0) {
        return 0;
    }
    *point = forms[form].length == 1 ? at[0] : at[0] & (0x7fU >> forms[form].length);
    for (size_t i = 1; i < forms[form].length; i++) {
        if (at[i] < (i == 1 ? forms[form].low : 0x80) ||
            at[i] > (i == 1 ? forms[form].high : 0xbf)) {
            return 0;
        }
        *point = *point << 6 | (at[i] & 0x3fU);
    }
    return forms[form].length;
}

int fuzz_plain_utf8(const char *text, size_t length)
{
    const uint8_t *at = (const uint8_t *)text;

    while (length > 0) {
        uint32_t point = 0;
        size_t step = fuzz_code_point(&point, at, length);

        if (step == 0 || (point < 0x20 && point != '\t' && point != '\n' && point != '\r') ||
            (point >= 0x7f && point < 0xa0)) {
            return 0;
        }
        at += step;
        length -= step;
    }
    return 1;
}

/* The checksum is FNV-1a's. */
int fuzz_chosen(const uint8_t *data, size_t size, unsigned many)
{
    uint64_t sum = 0xcbf29ce484222325U;

    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ data[i]) * 0x100000001b3U;
    }
    return fuzz_replaying || (sum >> 32) % many == 0;
}
