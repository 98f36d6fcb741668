/* test_unicode.c: UTF-8 as people type it, and as attackers do.
 *
 * Cases: ENC-01 ENC-02 UNI-06 UNI-07 UNI-10 SMTP-01 (the line breaks). The whole program runs under a
 * Turkish locale where there is one: nothing may depend on it.
 */
#include "base/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <locale.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

typedef struct bytes_t {
    const char *text;
    apr_size_t length;
    const char *comment;
} bytes_t;

#define BYTES(text, comment)                                                                   \
    {                                                                                          \
        text, sizeof(text) - 1, comment                                                        \
    }

static const bytes_t good[] = {
    BYTES("", "nothing at all"),
    BYTES("Zebra 42 ~", "ASCII"),
    BYTES("one\ttwo\r\nthree", "tab, CR, LF"),
    BYTES("b\xC3\xBC"
          "cher",
          "two bytes"),
    BYTES("\xE2\x82\xAC", "three bytes"),
    BYTES("\xF0\x9F\x98\x80", "four bytes"),
    BYTES("e\xCC\x81", "a combining mark"),
    BYTES("\xED\x9F\xBB\xEE\x80\x80",
          "U+D7FB and U+E000: the last before the surrogates, the first after"),
    BYTES("\xEF\xBF\xBD", "U+FFFD itself may be typed"),
    BYTES("\xF4\x8F\xBF\xBD", "U+10FFFD, the last private character"),
    BYTES("\xE2\x80\xA8",
          "U+2028 is text; where no line break belongs, ua_utf8_deceptive() says so"),
};

static const bytes_t bad[] = {
    BYTES("\0", "NUL alone"),
    BYTES("correct\0x", "ENC-02 NUL in the middle"),
    BYTES("alice\0evil", "SQL-05 NUL in the middle"),
    BYTES("tail\0", "NUL at the end"),
    BYTES("\x01", "C0"),
    BYTES("a\x0B", "vertical tab"),
    BYTES("a\x0C", "form feed"),
    BYTES("a\x1B[31m", "escape sequence"),
    BYTES("a\x1F", "last C0"),
    BYTES("a\x7F", "DEL"),
    BYTES("a\xC2\x80", "first C1"),
    BYTES("a\xC2\x85", "NEXT LINE"),
    BYTES("a\xC2\x9F", "last C1"),
    BYTES("\x80", "lone continuation"),
    BYTES("\xBF", "lone continuation, last"),
    BYTES("\xFE", "never a byte of UTF-8"),
    BYTES("\xFF", "never a byte of UTF-8"),
    BYTES("\xC0\xAF", "overlong slash, two bytes"),
    BYTES("\xC0\x80", "overlong NUL (Java's)"),
    BYTES("\xC1\xBF", "overlong U+007F"),
    BYTES("\xE0\x80\xAF", "overlong slash, three bytes"),
    BYTES("\xE0\x9F\xBF", "overlong U+07FF"),
    BYTES("\xF0\x80\x80\xAF", "overlong slash, four bytes"),
    BYTES("\xF0\x8F\xBF\xBF", "overlong U+FFFF"),
    BYTES("\xF8\x88\x80\x80\x80", "five bytes"),
    BYTES("\xFC\x84\x80\x80\x80\x80", "six bytes"),
    BYTES("\xED\xA0\x80", "first surrogate"),
    BYTES("\xED\xBF\xBF", "last surrogate"),
    BYTES("\xED\xA0\xBD\xED\xB8\x80", "CESU-8: a pair of surrogates"),
    BYTES("\xF4\x90\x80\x80", "U+110000"),
    BYTES("\xF7\xBF\xBF\xBF", "U+1FFFFF"),
    BYTES("\xC3", "truncated after 1 of 2"),
    BYTES("\xE2\x82", "truncated after 2 of 3"),
    BYTES("\xF0\x9F\x98", "truncated after 3 of 4"),
    BYTES("\xC3"
          "a",
          "no continuation"),
    BYTES("\xE2\x82"
          "a",
          "no second continuation"),
    BYTES("\xEF\xB7\x90", "noncharacter U+FDD0"),
    BYTES("\xEF\xB7\xAF", "noncharacter U+FDEF"),
    BYTES("\xEF\xBF\xBE", "noncharacter U+FFFE"),
    BYTES("\xEF\xBF\xBF", "noncharacter U+FFFF"),
    BYTES("\xF0\x9F\xBF\xBE", "noncharacter U+1FFFE"),
    BYTES("\xF4\x8F\xBF\xBF", "noncharacter U+10FFFF"),
    BYTES("\xCD\xB8", "unassigned U+0378"),
    BYTES("\xED\x9F\xBF", "unassigned U+D7FF"),
    BYTES("\xF3\xA0\x82\x80", "unassigned U+E0080"),
    BYTES("caf\xE9", "Latin-1"),
};

/* Fails with what went wrong and with which row. */
static void expect(int passed, const char *what, const char *row)
{
    if (!passed) {
        fail_msg("%s: %s", what, row);
    }
}

static void test_valid(void **state)
{
    (void)state;
    for (apr_size_t i = 0; i < COUNT(good); i++) {
        expect(ua_utf8_valid(good[i].text, good[i].length), "refused", good[i].comment);
    }
    assert_true(ua_utf8_valid(NULL, 0));
    assert_true(ua_utf8_valid("ab\xFF", 2)); /* the length decides, not the terminator */
}

static void test_invalid(void **state) /* ENC-01 ENC-02 SQL-05 */
{
    (void)state;
    for (apr_size_t i = 0; i < COUNT(bad); i++) {
        expect(!ua_utf8_valid(bad[i].text, bad[i].length), "accepted", bad[i].comment);
    }
}

/* Every text of one or two bytes against the definition of RFC 3629, written out here once more. */
static void test_short_texts(void **state) /* ENC-01 */
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        char one[1] = {(char)first};
        int plain =
            (first >= 0x20 && first < 0x7f) || first == '\t' || first == '\n' || first == '\r';

        assert_int_equal(ua_utf8_valid(one, 1), plain);
        for (unsigned second = 0x80; second < 0xC0 && first >= 0x80; second++) {
            char two[2] = {(char)first, (char)second};
            unsigned point = (first & 0x1F) << 6 | (second & 0x3F);
            int known =
                first < 0xC2 || first > 0xDF || point < 0x250; /* all assigned up to here */
            int fine = first >= 0xC2 && first <= 0xDF && point >= 0xA0;

            assert_true(!known || ua_utf8_valid(two, 2) == fine);
        }
    }
}

static void test_length(void **state) /* UNI-07 */
{
    char emoji[15 * 4 + 1] = "";
    char marks[1 + 1000 * 2 + 1] = "a";

    (void)state;
    for (int i = 0; i < 15; i++) {
        strncat(emoji, "\xF0\x9F\x98\x80", sizeof emoji - strlen(emoji) - 1);
    }
    for (int i = 0; i < 1000; i++) {
        marks[1 + 2 * i] = '\xCC';
        marks[2 + 2 * i] = '\x81';
    }
    assert_int_equal(ua_utf8_length(""), 0);
    assert_int_equal(ua_utf8_length("abc"), 3);
    assert_int_equal(ua_utf8_length(emoji), 15);
    assert_int_equal(ua_utf8_length(marks), 1001);
    assert_int_equal(ua_utf8_length("\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"),
                     3); /* joined by ZWJ */
}

static const struct {
    const char *text;
    const char *composed;
    const char *comment;
} forms[] = {
    {"", "", "nothing"},
    {"plain", "plain", "ASCII"},
    {"e\xCC\x81", "\xC3\xA9", "UNI-06 e + acute"},
    {"\xC3\xA9", "\xC3\xA9", "UNI-06 already composed"},
    {"A\xCC\x8A", "\xC3\x85", "A + ring"},
    {"\xE2\x84\xAB", "\xC3\x85", "Angstrom sign is canonically A with ring"},
    {"\xE2\x84\xAA", "K", "Kelvin sign is canonically K"},
    {"\xE1\x84\x80\xE1\x85\xA1", "\xEA\xB0\x80", "Hangul"},
    {"a\xCC\xA3\xCC\x87", "\xE1\xBA\xA1\xCC\x87", "marks in order"},
    {"a\xCC\x87\xCC\xA3", "\xE1\xBA\xA1\xCC\x87", "marks out of order"},
    {"\xF0\x9D\x85\xA0", "\xF0\x9D\x85\x98\xF0\x9D\x85\xA5\xF0\x9D\x85\xAE",
     "U+1D160 grows to three times"},
    {"\xEF\xAC\x81", "\xEF\xAC\x81", "UNI-06 the fi ligature stays: no compatibility folding"},
    {"\xEF\xBC\xA1", "\xEF\xBC\xA1", "UNI-06 fullwidth A stays"},
    {"\xE2\x91\xA0", "\xE2\x91\xA0", "UNI-06 circled one stays"},
    {"\xC2\xBD", "\xC2\xBD", "UNI-06 one half stays"},
    {"I\xC4\xB1i\xC4\xB0", "I\xC4\xB1i\xC4\xB0",
     "UNI-10 the four Turkish letters stay as they are"},
};

static void test_nfc(void **state) /* UNI-06 */
{
    for (apr_size_t i = 0; i < COUNT(forms); i++) {
        const char *once = NULL;
        const char *twice = NULL;

        assert_int_equal(ua_utf8_nfc(&once, *state, forms[i].text), APR_SUCCESS);
        assert_string_equal(once, forms[i].composed);
        assert_int_equal(ua_utf8_nfc(&twice, *state, once), APR_SUCCESS);
        assert_string_equal(twice, once);
    }
}

/* The worst growth over a whole body, and the most marks on one letter. */
static void test_nfc_large(void **state) /* UNI-07 */
{
    apr_pool_t *pool = *state;
    apr_size_t length = 65536;
    char *text = apr_palloc(pool, length + 1);
    const char *out = NULL;

    for (apr_size_t i = 0; i < length; i++) {
        text[i] = "\xF0\x9D\x85\xA0"[i % 4];
    }
    text[length] = 0;
    assert_int_equal(ua_utf8_nfc(&out, pool, text), APR_SUCCESS);
    assert_int_equal(strlen(out), 3 * length);
    for (apr_size_t i = 0; i < length; i += 4) {
        text[i] = '\xCC';
        text[i + 1] = '\x87';
        text[i + 2] = '\xCC';
        text[i + 3] = '\xA3';
    }
    assert_int_equal(ua_utf8_nfc(&out, pool, text), APR_SUCCESS);
    assert_int_equal(strlen(out), length);
    assert_memory_equal(out, "\xCC\xA3\xCC\xA3", 4);
    assert_memory_equal(out + length - 4, "\xCC\x87\xCC\x87", 4);
}

/* f(f(x)) = f(x), and the result is still a text we accept, for every letter with every common mark. */
static void test_nfc_idempotent(void **state)
{
    apr_pool_t *pool = *state;

    for (int letter = 'A'; letter <= 'z'; letter++) {
        for (int mark = 0; mark < 0x30; mark++) {
            const char *text =
                apr_psprintf(pool, "%c\xCC%c\xCC\xA7", letter, (char)(0x80 + mark));
            const char *once = NULL;
            const char *twice = NULL;

            assert_int_equal(ua_utf8_nfc(&once, pool, text), APR_SUCCESS);
            assert_int_equal(ua_utf8_nfc(&twice, pool, once), APR_SUCCESS);
            assert_string_equal(once, twice);
            assert_true(ua_utf8_valid(once, strlen(once)));
        }
    }
}

static const struct {
    const char *text;
    const char *trimmed;
    const char *comment;
} edges[] = {
    {"", "", "nothing"},
    {"  ", "", "only blanks"},
    {"\xE3\x80\x80", "", "only an ideographic space"},
    {"a", "a", "nothing to do"},
    {"  a b \t\r\n", "a b", "ASCII"},
    {"\xC2\xA0"
     "a\xC2\xA0",
     "a", "no-break space"},
    {"\xE3\x80\x80\xE2\x80\x83"
     "a\xE2\x80\xA8\xE2\x80\xAF",
     "a", "ideographic, em, line separator, narrow"},
    {"\xC2\x85"
     "a\xC2\x85",
     "a", "NEXT LINE"},
    {"\xC3\xA9 ", "\xC3\xA9", "ends in a letter of two bytes"},
    {"\xE2\x80\x8B"
     "a",
     "\xE2\x80\x8B"
     "a",
     "zero width space is no white space"},
    {" \xFF ", "\xFF", "a broken byte is kept, for ua_utf8_valid() to refuse"},
};

static void test_trim(void **state)
{
    for (apr_size_t i = 0; i < COUNT(edges); i++) {
        assert_string_equal(ua_utf8_trim(*state, edges[i].text), edges[i].trimmed);
    }
}

static const char *const honest[] = {
    "",
    "Anna Meyer",
    "J\xC3\xBCrgen O'Neil-\xC3\x85",
    "\xE5\xB1\xB1\xE7\x94\xB0",
    "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
    "e\xCC\x81",
    "\xF0\x9F\x98\x80",
    "a\xE2\x80\x8A"
    "b",
    "a\xE2\x80\x90"
    "b",
    "a\xE2\x81\x9F"
    "b",
    "a\xE2\x81\xB0",
    "\xEF\xBB\xBC",
    "\xC2\xA0",
};

static const char *const sly[] = {
    "a\nb",
    "a\rb",
    "a\tb",
    "a\x1B[0m",
    "a\x7F",
    "a\xC2\x85"
    "b",
    "a\xC2\x9B"
    "b",
    "a\xE2\x80\x8B"
    "b",
    "a\xE2\x80\x8D"
    "b",
    "a\xE2\x80\x8F"
    "b",
    "a\xE2\x80\xA8"
    "b",
    "a\xE2\x80\xA9"
    "b",
    "a\xE2\x80\xAA"
    "b\xE2\x80\xAC",
    "evil\xE2\x80\xAE"
    "gpj.exe\xE2\x80\xAC",
    "a\xE2\x81\xA0"
    "b",
    "a\xE2\x81\xA6"
    "b\xE2\x81\xA9",
    "a\xE2\x81\xA9",
    "\xEF\xBB\xBF"
    "a",
};

static void test_deceptive(void **state) /* SMTP-01: LF, CR, U+0085, U+2028 */
{
    (void)state;
    for (apr_size_t i = 0; i < COUNT(honest); i++) {
        assert_false(ua_utf8_deceptive(honest[i]));
    }
    for (apr_size_t i = 0; i < COUNT(sly); i++) {
        assert_true(ua_utf8_deceptive(sly[i]));
    }
}

/* "a", e with acute, Alef, U+1F600: one of each length; letters but for the last. */
static void test_points(void **state)
{
    static const apr_uint32_t points[] = {'a', 0xE9, 0x5D0, 0x1F600};
    const char *text = "a\xC3\xA9\xD7\x90\xF0\x9F\x98\x80";

    (void)state;
    for (apr_size_t i = 0; i < COUNT(points); i++) {
        apr_uint32_t point = 0;

        text = ua_utf8_next(&point, text);
        assert_int_equal(point, points[i]);
        assert_int_equal(ua_utf8_is_letter(point), i < 3);
    }
    assert_null(ua_utf8_next(&(apr_uint32_t){0}, text));
    assert_false(ua_utf8_is_letter('1'));
}

static int setup(void **state)
{
    return apr_pool_create((apr_pool_t **)state, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    apr_pool_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_short_texts),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_nfc),
        cmocka_unit_test(test_nfc_large),
        cmocka_unit_test(test_nfc_idempotent),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_deceptive),
        cmocka_unit_test(test_points),
    };

    if (!setlocale(LC_ALL, "tr_TR.UTF-8") && !setlocale(LC_ALL, "tr_TR")) { /* UNI-10 */
        setlocale(LC_ALL, "C");
    }
    apr_initialize();
    return cmocka_run_group_tests(tests, setup, teardown);
}
