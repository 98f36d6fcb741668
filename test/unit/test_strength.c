/* test_strength.c: scores of passwords that people choose, and of ones they should.
 *
 * The contract asks for a score of 3 (26.6 bits) with the person's own and the site's words known.
 */
#include "base/strength.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define WORDS(...)   ((const char *const[]){__VA_ARGS__, NULL})

static apr_pool_t *pool;

static int setup(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static const struct {
    const char *password;
    int least;
    int most;
    const char *comment;
} passwords[] = {
    {"", 0, 0, "nothing"},
    {"password", 0, 0, "the first guess"},
    {"Password1", 0, 1, "what a rule of composition gives"},
    {"P@ssw0rd!", 0, 1, "the same in another spelling"},
    {"12345678", 0, 0, "a series"},
    {"qwertyuiop", 0, 1, "a row of keys"},
    {"aaaaaaaaaaaaaaaa", 0, 1, "one letter"},
    {"19840315", 0, 1, "a birthday"},
    {"sunshine7", 0, 1, "a word and a digit"},
    {"correct horse battery staple", 3, 4, "four words"},
    {"xK9#mQ2$vL7pWz", 4, 4, "random"},
    {"tundra-olive-cactus-wagon", 4, 4, "a passphrase"},
};

static void test_scores(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(passwords); i++) {
        assert_in_range(ua_strength_score(pool, passwords[i].password, NULL),
                        passwords[i].least, passwords[i].most);
    }
}

/* What is good for others is bad for whom it describes. */
static void test_own_words(void **state)
{
    const struct {
        const char *password;
        const char *const *words;
        const char *comment;
    } rows[] = {
        {"grzegvondryx", WORDS("grzegvondryx"), "the username"},
        {"GrzegVondryx", WORDS("grzegvondryx"), "in another case"},
        {"grzegvondryx", WORDS("GRZEGVONDRYX"), "the word in another case"},
        {"grzegvondryx", WORDS("", "x", "grzegvondryx"), "behind an empty word"},
        {"grzegvondryx@bzdymix.example", WORDS("grzegvondryx@bzdymix.example"), "the address"},
        {"bzdymix12", WORDS("grzegvondryx", "bzdymix"), "the site's word and two digits"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_in_range(ua_strength_score(pool, rows[i].password, NULL), 3, 4);
        assert_in_range(ua_strength_score(pool, rows[i].password, rows[i].words), 0, 2);
    }
}

static void test_words_of_others(void **state)
{
    static const char random[] = "xK9#mQ2$vL7pWz";

    (void)state;
    assert_int_equal(ua_strength_score(pool, random, WORDS("mike", "example")), 4);
    assert_int_equal(ua_strength_score(pool, random, (const char *const[]){NULL}), 4);
    assert_int_equal(ua_strength_score(pool, random, WORDS("")), 4);
}

/* Any part of what a person or a site is called, in any order and spelling (contract 8, BF-15). */
static const struct {
    const char *password;
    const char *word;
} parts[] = {
    {"grumblewoodfalconry", "Grumblewood Falconry Society"},
    {"grumblewoodfalconrysociety", "Grumblewood Falconry Society"},
    {"falconry-grumblewood", "Grumblewood Falconry Society"},
    {"Grumblewood2024", "Grumblewood Falconry Society"},
    {"xanthopouloswolfgangus", "Wolfgangus Xanthopoulos"},
    {"WolfgangusXanthopoulos1", "Wolfgangus Xanthopoulos"},
    {"wolfgangusxanthopoulos", "wolfgangus-xanthopoulos1"},
    {"w4ndererqn0madic", "qn0madic.w4nderer"},
    {"xanthopoulos1985", "wolfgangus.xanthopoulos@example.org"},
    {"quibblethorpian2024", "a1@mail.quibblethorpian.example"},
    {"schnarrenberg ulm", "Schnarrenberg-Ulm"},
    {"zqliwuxutk", "Zq Li Wu Xu Tk"}, /* parts too short to count, but for their whole */
    {"w\xC3\xB6lfgang\xC3\xBCsqvist", "W\xC3\x96LFGANG\xC3\x9CSQVIST"},
    {"W\xC3\x96LFGANG\xC3\x9CSQVIST", "w\xC3\xB6lfgang\xC3\xBCsqvist"},
    {"\xD0\xA8\xD0\xA2\xD0\xAB\xD0\xA4\xD0\x93\xD0\x96\xD0\xAA\xD0\xA9\xD0\xAC\xD0\xAE",
     "\xD1\x88\xD1\x82\xD1\x8B\xD1\x84\xD0\xB3\xE2\x80\x94\xD0\xB6\xD1\x8A\xD1\x89\xD1\x8C\xD1"
     "\x8E"},
};

static void test_parts_of_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        const char *password = parts[i].password;

        if (ua_strength_score(pool, password, NULL) < 3 ||
            ua_strength_score(pool, password, WORDS(parts[i].word)) > 2) {
            fail_msg("%s of %s: %d, %d", password, parts[i].word,
                     ua_strength_score(pool, password, NULL),
                     ua_strength_score(pool, password, WORDS(parts[i].word)));
        }
    }
}

/* Every address ends like many others: that says nothing about a person. */
static void test_last_label(void **state)
{
    static const char password[] = "qvxtravelersinsurance";

    (void)state;
    assert_int_equal(ua_strength_score(pool, password, WORDS("a1@b2.travelersinsurance")),
                     ua_strength_score(pool, password, NULL));
}

/* As many texts as are looked at, each longer than is read: the last word is known still. */
static void test_many_words(void **state)
{
    const char *words[70] = {NULL};
    char *text = apr_palloc(pool, 4001);

    (void)state;
    for (int i = 0; i < 4000; i++) {
        text[i] = (char)(i % 4 == 3 ? ' ' : 'a' + (i * 7 + i / 26) % 26);
    }
    text[4000] = '\0';
    for (int i = 0; i < 63; i++) {
        words[i] = text + i * 5;
    }
    words[63] = "xanthopouloswolfgangus";
    assert_in_range(ua_strength_score(pool, "xanthopouloswolfgangus", words), 0, 2);
    assert_int_equal(ua_strength_score(pool, "xK9#mQ2$vL7pWz", words), 4);
}

static char *repeated(const char *unit, int times)
{
    char *text = apr_pstrdup(pool, "");

    while (times-- > 0) {
        text = apr_pstrcat(pool, text, unit, NULL);
    }
    return text;
}

/* BF-15: same letters. Few characters are few, however many bytes they take. */
static void test_few_characters(void **state)
{
    static const struct {
        const char *unit;
        int times;
    } few[] = {
        {"\xF0\x9F\x98\x80", 8},
        {"\xF0\x9F\x98\x80", 15},
        {"\xE5\xAF\x86\xE7\xA0\x81", 4},
        {"1a!A", 4},
        {"1a!A", 64},
        {"\xC3\xA9", 15},
        {"abba", 30},
        {"12", 128},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(few); i++) {
        if (ua_strength_score(pool, repeated(few[i].unit, few[i].times), NULL) != 0) {
            fail_msg("%s", few[i].unit);
        }
    }
    assert_in_range(ua_strength_score(pool, "q7Zr!q7Zrr!7q", NULL), 3, 4); /* five of them */
    assert_int_equal(ua_strength_score(pool,
                                       "\xE5\xAF\x86\xE7\xA0\x81\xE5\xAD\xA6\xE5\xBE\x88"
                                       "\xE9\x9A\xBE\xE6\x87\x82\xE4\xBD\x86\xE5\xA5\xBD",
                                       NULL),
                     4); /* eight */
}

/* A password that is one text over and over is as good as that text, the last time cut off or not. */
static void test_repetition(void **state)
{
    static const struct {
        const char *password, *unit;
    } rows[] = {
        {"kQ7!zkQ7!zkQ7!zkQ7!z", "kQ7!z"},
        {"kQ7!zkQ7!zkQ7!zkQ", "kQ7!z"},
        {"plum7plum7", "plum7"},
        {"xK9#mQ2$vL7pWzxK9#mQ2$vL7pWz", "xK9#mQ2$vL7pWz"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ua_strength_score(pool, rows[i].password, NULL),
                         ua_strength_score(pool, rows[i].unit, NULL));
    }
}

/* trap 36: what comes behind the first 50 characters costs nothing and does not count. */
static void test_long(void **state)
{
    char *same = repeated("aaaab", 20);

    (void)state;
    assert_int_equal(
        ua_strength_score(pool, apr_pstrcat(pool, same, "xK9#mQ2$vL7pWz", NULL), NULL), 0);
    assert_int_equal(
        ua_strength_score(pool, apr_pstrcat(pool, "xK9#mQ2$vL7pWz", same, NULL), NULL), 4);
}

/* Of a text of the person that is longer than what is judged, the start is known. */
static void test_long_words(void **state)
{
    static const char text[] = "Vrelkaqumbrixostephalanthoryngequilbradoxumaterifolthenguzwick";

    (void)state;
    assert_int_equal(ua_strength_score(pool, text, NULL), 4);
    assert_in_range(ua_strength_score(pool, text, WORDS(text)), 0, 2);
}

/* Of many digits in a row some are judged: zxcvbn takes seconds to follow a walk over the number pad. */
static void test_digits(void **state)
{
    (void)state;
    assert_int_equal(ua_strength_score(pool, repeated("12124", 20), NULL),
                     ua_strength_score(pool, "12124", NULL));
    assert_int_equal(ua_strength_score(pool, "829417503628576193304728159462", NULL), 4);
    assert_in_range(
        ua_strength_score(pool, "+4930829417503628576193", WORDS("+4930829417503628576193")), 0,
        2);
}

/* A row that is cut inside what it repeats, or inside a year, seems better than it is. */
static void test_cut_digits(void **state)
{
    static const char *const weak[] = {
        "741987741987741987a",      "741987741987741987741987741987abc",
        "102030102030102030qwerty", "20019200192001920019qwerty",
        "12345678909872001x",       "a741852741852741852741852",
    };

    (void)state;
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
        print_message("%s\n", weak[i]);
        assert_in_range(ua_strength_score(pool, weak[i], NULL), 0, 2);
    }
    assert_int_equal(ua_strength_score(pool, "48210593761048236517", NULL), 4);
    assert_int_equal(ua_strength_score(pool, "48210593761048236517velvet", NULL), 4);
}

static void test_any_bytes(void **state)
{
    char text[256];

    (void)state;
    for (int i = 1; i < 256; i++) {
        text[i - 1] = (char)i;
    }
    text[255] = '\0';
    assert_in_range(ua_strength_score(pool, text, WORDS("\xC3\xA4\xC3\xB6", "\xFF\xFE")), 0, 4);
    assert_in_range(ua_strength_score(pool, "\xC3", WORDS("\xC3")), 0, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_own_words),
        cmocka_unit_test(test_words_of_others),
        cmocka_unit_test(test_parts_of_words),
        cmocka_unit_test(test_last_label),
        cmocka_unit_test(test_many_words),
        cmocka_unit_test(test_few_characters),
        cmocka_unit_test(test_repetition),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_cut_digits),
        cmocka_unit_test(test_any_bytes),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
