/* username.c: fuzzes which names can be registered (domain/username.c). The input is a name, and behind a form
 * feed the words of UserAuthUsernameReserved.
 *
 * The oracle spells the rules out byte by byte. What is accepted stays so in capitals and in lower case, and
 * its key is the same for all three.
 */
#include "fuzz.h"
#include "domain/username.h"

#include <string.h>

static int is_letter_or_digit(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

/* The other case of all letters, by `bit`: 0x20 to lower, 0 to upper. */
static const char *in_case(apr_pool_t *pool, const char *name, char bit)
{
    char *text = apr_pstrdup(pool, name);

    for (char *at = text; *at; at++) {
        if ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z') {
            *at = (char)((*at & ~0x20) | bit);
        }
    }
    return text;
}

/* 1 when it is one of the words of a list, all in lower case. */
static int is_word_of(apr_pool_t *pool, const char *list, const char *name)
{
    char *rest = apr_pstrdup(pool, list);

    for (char *word = strsep(&rest, " \t\r\n"); word; word = strsep(&rest, " \t\r\n")) {
        if (*word && strcmp(word, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static int is_good(apr_pool_t *pool, const char *name, const char *reserved)
{
    static const char always[] = "nobody anonymous abuse webmaster postmaster security help "
                                 "support system root administrator admin";
    const char *lower = in_case(pool, name, 0x20);
    size_t length = 0;

    for (; name[length]; length++) {
        if (!is_letter_or_digit(name[length]) &&
            (length == 0 ||
             (name[length] != '.' && name[length] != '_' && name[length] != '-'))) {
            return 0;
        }
    }
    return length >= 3 && length <= 32 && strncmp(lower, "www.", 4) != 0 &&
           !is_word_of(pool, always, lower) &&
           !is_word_of(pool, in_case(pool, reserved, 0x20), lower);
}

static void check(const ua_conf_t *conf, const char *name, int good)
{
    const char *refusal = ua_username_refusal(conf, name);

    FUZZ_CHECK((refusal == NULL) == good, "\"%s\" is refused by \"%s\"", name,
               refusal ? refusal : "nothing");
    FUZZ_CHECK(!refusal || (strlen(refusal) > 10 && strlen(refusal) < 100 &&
                            refusal[strlen(refusal) - 1] == '.'),
               "\"%s\" is no sentence", refusal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    const char *name = fuzz_part(&input, pool);
    const char *reserved = fuzz_rest(&input, pool);
    const char *lower = in_case(pool, name, 0x20);
    const char *upper = in_case(pool, name, 0);
    ua_conf_t *conf = ua_conf_create(pool);
    int good = is_good(pool, name, reserved);

    if (*reserved) {
        conf->username_reserved = apr_array_make(pool, 1, sizeof(const char *));
        APR_ARRAY_PUSH(conf->username_reserved, const char *) = reserved;
    }
    check(conf, name, good);
    check(conf, lower, good);
    check(conf, upper, good);
    if (good) {
        FUZZ_CHECK(fuzz_same(ua_username_key(pool, name), lower), "the key of %s", name);
        FUZZ_CHECK(fuzz_same(ua_username_key(pool, upper), lower), "the key of %s", upper);
    }
    return 0;
}
