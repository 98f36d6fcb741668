/* agent.c: fuzzes the words for a User-Agent header (base/agent.c).
 *
 * The oracle is the list of all words that may ever come out: "browser", "browser on system", "A browser on
 * system", a program, or "Unknown device". So no byte of the header can.
 */
#include "fuzz.h"
#include "base/agent.h"

#include <string.h>

static const char programs[] =
    "|curl|wget|Python|Go program|Java program|Android app|PowerShell|"
    "Unknown device|";
static const char browsers[] =
    "|Edge|Opera|Samsung Internet|Vivaldi|Yandex Browser|DuckDuckGo|Firefox|"
    "Chrome|Internet Explorer|Safari|";
static const char systems[] =
    "|iPod|iPhone|iPad|iPhone or iPad|TV|Windows|Android|ChromeOS|Mac|FreeBSD|"
    "OpenBSD|Linux|";

static int is_one_of(apr_pool_t *pool, const char *list, const char *words, size_t length)
{
    const char *word = apr_pstrcat(pool, "|", apr_pstrmemdup(pool, words, length), "|", NULL);

    return !memchr(words, '|', length) && strstr(list, word) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    const char *agent = fuzz_rest(&input, pool);
    const char *words = ua_agent_words(pool, agent);
    const char *on = strstr(words, " on ");
    size_t before = on ? (size_t)(on - words) : strlen(words);

    if (on) {
        FUZZ_CHECK(
            is_one_of(pool, browsers, words, before) ||
                (before == strlen("A browser") && strncmp(words, "A browser", before) == 0),
            "\"%s\" begins with no browser", words);
        FUZZ_CHECK(is_one_of(pool, systems, on + 4, strlen(on + 4)), "\"%s\" ends in no system",
                   words);
    }
    else {
        FUZZ_CHECK(is_one_of(pool, programs, words, before) ||
                       is_one_of(pool, browsers, words, before),
                   "\"%s\" is neither program nor browser", words);
    }
    FUZZ_CHECK(fuzz_same(words, ua_agent_words(pool, apr_pstrdup(pool, agent))),
               "\"%s\" only the first time", words);
    return 0;
}
