/* mail_encode.c: see mail_encode.h. No state, no locale. */
#include "mail_encode.h"

#include <apr_base64.h>
#include <apr_lib.h>

#include <string.h>

#define LINE_COLUMNS  76  /* RFC 2047 2 for encoded words, RFC 2045 6.7 for quoted-printable */
#define LINE_OCTETS   998 /* RFC 5322 2.1.1 */
#define WORD_LENGTH   66  /* fits behind the longest name of a header */
#define ADDRESS_BYTES 254
#define ENCODED_BYTES 36 /* 48 characters of base64: one encoded word fits behind "Subject: " */

static int is_printable(char c)
{
    return c >= 0x20 && c < 0x7f;
}

int ua_mail_address_plain(const char *address)
{
    const char *at = strchr(address, '@');
    const char *c;

    if (!at || at == address || !at[1] || strchr(at + 1, '@')) {
        return 0;
    }
    for (c = address; *c; c++) {
        if (!is_printable(*c) || strchr(" <>()[]:;,\\\"", *c)) {
            return 0;
        }
    }
    return c - address <= ADDRESS_BYTES;
}

/* Octets of the code point at `at`, 0 when it is not well-formed (RFC 3629 4). */
static apr_size_t code_point_length(const char *at)
{
    static const struct {
        unsigned char to;        /* the last lead of this row */
        unsigned char low, high; /* the second octet */
        unsigned char length;
    } leads[] = {{0x7F, 0x00, 0xFF, 1}, {0xC1, 0x00, 0x00, 0}, {0xDF, 0x80, 0xBF, 2},
                 {0xE0, 0xA0, 0xBF, 3}, {0xEC, 0x80, 0xBF, 3}, {0xED, 0x80, 0x9F, 3},
                 {0xEF, 0x80, 0xBF, 3}, {0xF0, 0x90, 0xBF, 4}, {0xF3, 0x80, 0xBF, 4},
                 {0xF4, 0x80, 0x8F, 4}, {0xFF, 0x00, 0x00, 0}};

    const unsigned char *octets = (const unsigned char *)at;
    apr_size_t row = 0;

    while (octets[0] > leads[row].to) {
        row++;
    }
    for (apr_size_t i = 1; i < leads[row].length; i++) {
        if (octets[i] < (i == 1 ? leads[row].low : 0x80) ||
            octets[i] > (i == 1 ? leads[row].high : 0xBF)) {
            return 0;
        }
    }
    return leads[row].length;
}

/* One blank for each run of controls, "?" for a byte that is not UTF-8. */
static const char *without_controls(apr_pool_t *pool, const char *text)
{
    char *out = apr_palloc(pool, strlen(text) + 1);
    char *to = out;
    int control = 0;

    while (*text) {
        apr_size_t length = code_point_length(text);
        int was = control;

        control = (unsigned char)*text < 0x20 || *text == 0x7f;
        if (!control && length) {
            memcpy(to, text, length);
            to += length;
        }
        else if (!control || !was) {
            *to++ = control ? ' ' : '?';
        }
        text += length ? length : 1;
    }
    *to = '\0';
    return out;
}

/* 1 for words of printable ASCII with single blanks between, none so long that it cannot be folded,
 * and none that a reader could take for an encoded word. */
static int is_plain(const char *text)
{
    apr_size_t length = 0; /* of the word that ends here */

    if (!*text || strstr(text, "=?")) {
        return !*text;
    }
    for (; *text; text++) {
        if (!is_printable(*text) || (*text == ' ' && !length)) {
            return 0;
        }
        length = *text == ' ' ? 0 : length + 1;
        if (length > WORD_LENGTH) {
            return 0;
        }
    }
    return length > 0;
}

static const char *encoded_word(apr_pool_t *pool, const char *text, apr_size_t length)
{
    char *out = apr_palloc(pool, (apr_size_t)apr_base64_encode_len((int)length));

    (void)apr_base64_encode_binary(out, (const unsigned char *)text, (int)length);
    return apr_pstrcat(pool, "=?UTF-8?B?", out, "?=", NULL);
}

/* Words of whole code points: RFC 2047 5 forbids to split one. Blanks between encoded words do not
 * count when read. */
static const char *encoded_words(apr_pool_t *pool, const char *text)
{
    apr_array_header_t *words = apr_array_make(pool, 4, sizeof(const char *));

    while (*text) {
        apr_size_t length = 0;

        while (text[length] && length + code_point_length(text + length) <= ENCODED_BYTES) {
            length += code_point_length(text + length);
        }
        *(const char **)apr_array_push(words) = encoded_word(pool, text, length);
        text += length;
    }
    return apr_array_pstrcat(pool, words, ' ');
}

const char *ua_mail_text(apr_pool_t *pool, const char *text)
{
    const char *clean = without_controls(pool, text);

    return is_plain(clean) ? clean : encoded_words(pool, clean);
}

const char *ua_mail_phrase(apr_pool_t *pool, const char *name)
{
    const char *clean = without_controls(pool, name);
    const char *c;
    int quoted = 0;

    if (!is_plain(clean) || strpbrk(clean, "\"\\")) {
        return encoded_words(pool, clean);
    }
    for (c = clean; *c; c++) {
        quoted = quoted || !(apr_isalnum(*c) || strchr(" !#$%&'*+-/=?^_`{|}~", *c));
    }
    return quoted ? apr_pstrcat(pool, "\"", clean, "\"", NULL) : clean;
}

const char *ua_mail_header(apr_pool_t *pool, const char *name, const char *value)
{
    char *out = apr_palloc(pool, strlen(name) + strlen(value) * 3 + sizeof(":\r\n \r\n"));
    char *to = apr_cpystrn(out, name, strlen(name) + 1);
    apr_size_t column = strlen(name) + 1;

    *to++ = ':';
    while (*value) {
        apr_size_t length = strcspn(value, " ");
        int fold = column + 1 + length > LINE_COLUMNS;

        to = apr_cpystrn(to, fold ? "\r\n " : " ", sizeof("\r\n "));
        memcpy(to, value, length);
        to += length;
        column = fold ? 1 + length : column + 1 + length;
        value += length + (value[length] == ' ');
    }
    (void)apr_cpystrn(to, "\r\n", sizeof("\r\n"));
    return out;
}

const char *ua_mail_lines(apr_pool_t *pool, const char *text)
{
    char *out = apr_palloc(pool, strlen(text) * 2 + 1);
    char *to = out;

    for (; *text; text++) {
        if (*text != '\r' && *text != '\n') {
            *to++ = *text;
            continue;
        }
        *to++ = '\r';
        *to++ = '\n';
        text += *text == '\r' && text[1] == '\n';
    }
    *to = '\0';
    return out;
}

int ua_mail_7bit(const char *lines)
{
    apr_size_t column = 0;

    for (; *lines; lines++) {
        if ((unsigned char)*lines >= 0x80) {
            return 0;
        }
        column = *lines == '\n' || *lines == '\r' ? 0 : column + 1;
        if (column > LINE_OCTETS) {
            return 0;
        }
    }
    return 1;
}

/* Blanks stay but at the end of a line, where a relay may drop them. */
static int needs_quoting(const char *at)
{
    if (*at == ' ' || *at == '\t') {
        return at[1] == '\r' || at[1] == '\0';
    }
    return !is_printable(*at) || *at == '=';
}

const char *ua_mail_quoted_printable(apr_pool_t *pool, const char *lines)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = apr_palloc(pool, strlen(lines) * 4 + 1); /* "=XX" each, "=CRLF" once in 73 */
    char *to = out;
    apr_size_t column = 0;

    for (; *lines; lines++) {
        int quoted = needs_quoting(lines);

        if (lines[0] == '\r' && lines[1] == '\n') {
            to = apr_cpystrn(to, "\r\n", sizeof("\r\n"));
            column = 0;
            lines++;
            continue;
        }
        if (column + (quoted ? 3 : 1) > LINE_COLUMNS - 1) { /* one column for the "=" itself */
            to = apr_cpystrn(to, "=\r\n", sizeof("=\r\n"));
            column = 0;
        }
        if (quoted) {
            *to++ = '=';
            *to++ = hex[(unsigned char)*lines >> 4];
            *to++ = hex[(unsigned char)*lines & 15];
        }
        else {
            *to++ = *lines;
        }
        column += quoted ? 3 : 1;
    }
    *to = '\0';
    return out;
}
