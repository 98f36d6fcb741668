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

/* trap 36: of a very long password 1024 bytes are judged. */
static void test_long(void **state)
{
    char text[100001];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    memcpy(text + 1024, "xK9#mQ2$vL7pWz", 14);
    assert_int_equal(ua_strength_score(pool, text, NULL),
                     ua_strength_score(pool, apr_pstrndup(pool, text, 1024), NULL));
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
        cmocka_unit_test(test_scores),          cmocka_unit_test(test_own_words),
        cmocka_unit_test(test_words_of_others), cmocka_unit_test(test_long),
        cmocka_unit_test(test_any_bytes),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
