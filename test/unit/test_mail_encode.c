/* test_mail_encode.c: header fields, encoded words, quoted-printable, and the address check. */
#include "base/mail_encode.h"

#include <apr_base64.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FIFTY "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"

static apr_pool_t *pool;

static int pool_open(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int pool_close(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

/* Fails with the row's comment. */
static void check(int good, const char *comment, const char *got)
{
    if (!good) {
        fail_msg("%s: got %s", comment, got);
    }
}

/* SMTP-01, trap 30 */
static void test_address(void **state)
{
    static const struct {
        const char *address;
        int plain;
        const char *comment;
    } rows[] = {
        {"alice@example.com", 1, "usual"},
        {"a.b+c_d-e!#$%&'*/=?^`{|}~@x.example", 1, "every character of an atom"},
        {"root@localhost", 1, "one label: not for this check to judge"},
        {"", 0, "nothing"},
        {"alice", 0, "no @"},
        {"@example.com", 0, "no local part"},
        {"alice@", 0, "no domain"},
        {"a@b@c.example", 0, "two @"},
        {"a@b.c>\r\nRCPT TO:<evil@x", 0, "a second command"},
        {"a@b.c\r\nBcc: evil@x", 0, "a second header"},
        {"a@b.c\n", 0, "bare LF"},
        {"a@b.c\r", 0, "bare CR"},
        {"a@b.c\t", 0, "tab"},
        {"a b@c.example", 0, "blank"},
        {"<a@b.c> NOTIFY=SUCCESS", 0, "a parameter of RCPT"},
        {"a@b.c>", 0, "closing bracket"},
        {"a@b.c,d", 0, "two addresses in To"},
        {"g:a@b.c;", 0, "a group"},
        {"a(x)@b.c", 0, "a comment"},
        {"\"a\"@b.c", 0, "quoted local part"},
        {"a\\@b.c", 0, "backslash"},
        {"a@[127.0.0.1]", 0, "literal address"},
        {"a@b\xC3\xBC.example", 0, "not ASCII"},
        {"a@b.c\xE2\x80\xA8", 0, "U+2028"},
        {"a@b.c\xC2\x85", 0, "U+0085"},
        {"a@b.c\x7f", 0, "DEL"},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check(ua_mail_address_plain(rows[i].address) == rows[i].plain, rows[i].comment,
              rows[i].address);
    }
}

static void test_address_length(void **state)
{
    char address[256];

    (void)state;
    memset(address, 'a', sizeof(address));
    address[1] = '@';
    address[254] = '\0';
    assert_true(ua_mail_address_plain(address));
    address[254] = 'a';
    address[255] = '\0';
    assert_false(ua_mail_address_plain(address));
}

/* SMTP-02 */
static void test_text(void **state)
{
    static const struct {
        const char *text;
        const char *value;
        const char *comment;
    } rows[] = {
        {"Confirm your email address", "Confirm your email address", "plain stays readable"},
        {"", "", "nothing"},
        {"J\xC3\xBCrgen", "=?UTF-8?B?SsO8cmdlbg==?=", "not ASCII"},
        {"=?utf-8?B?YQ==?=", "=?UTF-8?B?PT91dGYtOD9CP1lRPT0/PQ==?=", "looks encoded already"},
        {"a  b", "=?UTF-8?B?YSAgYg==?=", "two blanks would not survive folding"},
        {" a", "=?UTF-8?B?IGE=?=", "a leading blank would be lost"},
        {"a ", "=?UTF-8?B?YSA=?=", "a trailing blank would be lost"},
        {"a\r\nBcc: x@y.example", "a Bcc: x@y.example", "CR LF is one blank"},
        {"a\n\t\x01\x7f"
         "b",
         "a b", "so is any run of controls"},
        {"\r\n", "=?UTF-8?B?IA==?=", "nothing but controls"},
        {"a\xff"
         "b",
         "a?b", "not UTF-8"},
        {"a\xC3", "a?", "cut in the middle of a character"},
        {"\xE2\x80\xAE"
         "a\xE2\x80\xAC",
         "=?UTF-8?B?4oCuYeKArA==?=", "a mark that turns the direction"},
        {"\xC2\x85", "=?UTF-8?B?woU=?=", "U+0085 is no line end of a header"},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *value = ua_mail_text(pool, rows[i].text);

        check(strcmp(value, rows[i].value) == 0, rows[i].comment, value);
    }
}

static void test_phrase(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *comment;
    } rows[] = {
        {"", "", "none"},
        {"Example Site", "Example Site", "atoms"},
        {"Smith, John", "\"Smith, John\"", "a comma divides addresses"},
        {"Example Inc.", "\"Example Inc.\"", "a dot is no atom"},
        {"a@b.c", "\"a@b.c\"", "not to be taken for the address"},
        {"x <evil@x.example>", "\"x <evil@x.example>\"", "nor this"},
        {"say \"hi\"", "=?UTF-8?B?c2F5ICJoaSI=?=", "quotes inside"},
        {"a\\", "=?UTF-8?B?YVw=?=", "backslash at the end"},
        {"\xE2\x98\x83", "=?UTF-8?B?4piD?=", "not ASCII"},
        {"=?x?=", "=?UTF-8?B?PT94Pz0=?=", "looks encoded already"},
        {"a\r\nTo: b", "\"a To: b\"", "a second header"},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *value = ua_mail_phrase(pool, rows[i].name);

        check(strcmp(value, rows[i].value) == 0, rows[i].comment, value);
    }
}

/* Puts the words together again as a mail program does; each has to be whole characters. */
static const char *decoded(const char *value)
{
    const char *out = "";

    while (*value) {
        char *end;
        char *bytes;
        int length;

        assert_memory_equal(value, "=?UTF-8?B?", 10);
        end = strstr(value + 10, "?=");
        assert_non_null(end);
        assert_true(end + 2 - value <= 75);
        bytes = apr_pcalloc(pool, 100);
        length = apr_base64_decode(bytes,
                                   apr_pstrndup(pool, value + 10, (size_t)(end - value - 10)));
        assert_int_not_equal(bytes[0] & 0xC0, 0x80);
        out = apr_pstrcat(pool, out, apr_pstrndup(pool, bytes, (size_t)length), NULL);
        value = end + 2;
        assert_true(*value == ' ' || *value == '\0');
        value += *value == ' ';
    }
    return out;
}

/* SMTP-02: 1000 characters of 1 to 4 octets */
static void test_words_of_whole_characters(void **state)
{
    static const char *const characters[] = {"a", "\xC3\xBC", "\xE2\x82\xAC",
                                             "\xF0\x9F\x98\x80"};
    const char *text = "\xC3\xBC";
    unsigned i;

    (void)state;
    for (i = 0; i < 1000; i++) {
        text = apr_pstrcat(pool, text, characters[(i * i + i / 3) % 4], NULL);
    }
    assert_string_equal(decoded(ua_mail_text(pool, text)), text);
}

static void lines_check(const char *header, size_t most)
{
    const char *end;

    assert_int_not_equal(header[0], ' ');
    while ((end = strstr(header, "\r\n"))) {
        assert_true((size_t)(end - header) <= most);
        assert_true((size_t)(end - header) > strspn(header, " "));
        header = end + 2;
        assert_true(*header == '\0' || *header == ' ');
    }
    assert_int_equal(*header, '\0');
}

static void test_header(void **state)
{
    static const struct {
        const char *value;
        const char *header;
        const char *comment;
    } rows[] = {
        {"short", "Subject: short\r\n", "one line"},
        {FIFTY " 6789 123456789012", "Subject: " FIFTY " 6789\r\n 123456789012\r\n",
         "folded at a blank"},
        {FIFTY " 678901234567890", "Subject: " FIFTY " 678901234567890\r\n",
         "exactly 75 columns"},
        {FIFTY " 6789012345678901", "Subject: " FIFTY " 6789012345678901\r\n",
         "76 columns fit"},
        {FIFTY " 67890123456789012", "Subject: " FIFTY "\r\n 67890123456789012\r\n",
         "77 do not"},
        {FIFTY FIFTY, "Subject:\r\n " FIFTY FIFTY "\r\n", "a word that nothing can fold"},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *header = ua_mail_header(pool, "Subject", rows[i].value);

        check(strcmp(header, rows[i].header) == 0, rows[i].comment, header);
        lines_check(header, 101);
    }
}

static void test_long_text_folds(void **state)
{
    char text[1001];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(text) - 1; i++) {
        text[i] = i % 17 == 16 ? ' ' : 'x';
    }
    text[1000] = '\0';
    lines_check(ua_mail_header(pool, "Subject", ua_mail_text(pool, text)), 76);
    memset(text, 'x', sizeof(text) - 1);
    lines_check(ua_mail_header(pool, "Subject", ua_mail_text(pool, text)), 76);
    assert_string_equal(decoded(ua_mail_text(pool, text)), text);
}

static void test_lines(void **state)
{
    static const struct {
        const char *text;
        const char *lines;
        const char *comment;
    } rows[] = {
        {"", "", "nothing"},
        {"a\nb\n", "a\r\nb\r\n", "LF"},
        {"a\r\nb", "a\r\nb", "CRLF stays"},
        {"a\rb", "a\r\nb", "CR"},
        {"\n\r\n\r", "\r\n\r\n\r\n", "each once"},
        {"\r\r\n", "\r\n\r\n", "CR before CRLF"},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *lines = ua_mail_lines(pool, rows[i].text);

        check(strcmp(lines, rows[i].lines) == 0, rows[i].comment, lines);
    }
}

static void test_7bit(void **state)
{
    char line[2001];

    (void)state;
    memset(line, 'x', sizeof(line));
    line[998] = '\0';
    assert_true(ua_mail_7bit(line));
    assert_true(ua_mail_7bit(apr_pstrcat(pool, line, "\r\n", line, "\r\n", NULL)));
    line[998] = 'x';
    line[999] = '\0';
    assert_false(ua_mail_7bit(line));
    assert_false(ua_mail_7bit(apr_pstrcat(pool, "a\r\n", line, "\r\n", NULL)));
    assert_true(ua_mail_7bit(""));
    assert_false(ua_mail_7bit("a\r\n\xC3\xBC"));
}

/* SMTP-03 */
static void test_quoted_printable(void **state)
{
    static const struct {
        const char *lines;
        const char *encoded;
        const char *comment;
    } rows[] = {
        {"", "", "nothing"},
        {"J\xC3\xBC\r\n", "J=C3=BC\r\n", "8 bit"},
        {"a=b", "a=3Db", "the sign itself"},
        {"a b\tc", "a b\tc", "blanks within a line"},
        {"a \r\nb\t", "a=20\r\nb=09", "blanks at its end"},
        {".\r\n", ".\r\n", "a dot is the transport's matter"},
        {"\x01\x7f", "=01=7F", "controls"},
        {FIFTY "1234567890123456789012345\r\n", FIFTY "1234567890123456789012345\r\n",
         "75 columns"},
        {FIFTY "12345678901234567890123456", FIFTY "1234567890123456789012345=\r\n6",
         "76 do not"},
        {FIFTY "1234567890123456789012\xC3\xBC", FIFTY "1234567890123456789012=C3=\r\n=BC",
         "a soft end never splits =XX"},
        {FIFTY "12345678901234567890123\xC3\xBC", FIFTY "12345678901234567890123=\r\n=C3=BC",
         "nor makes a line of 77"},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *encoded = ua_mail_quoted_printable(pool, rows[i].lines);

        check(strcmp(encoded, rows[i].encoded) == 0, rows[i].comment, encoded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_address_length),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_phrase),
        cmocka_unit_test(test_words_of_whole_characters),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_long_text_folds),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_7bit),
        cmocka_unit_test(test_quoted_printable),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, pool_open, pool_close);
}
