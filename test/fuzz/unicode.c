/* unicode.c: fuzzes UTF-8, normal forms and folding (base/unicode.c). The input is a text.
 *
 * The first oracle is a plain decoder: what is accepted is well-formed, what is cut off is the longest start
 * that is. The second is Python's own Unicode tables (oracle.py), of the same version as libunistring's in
 * Debian 12: assigned, NFC, fold, blanks, letters and what deceives.
 */
#include "fuzz.h"
#include "base/unicode.h"

#include <string.h>

/* The longest start that is valid and at most `most` bytes. */
static size_t valid_start(const char *text, size_t most)
{
    size_t length = strlen(text);
    size_t kept = 0;

    while (kept < length) {
        uint32_t point = 0;
        size_t step = fuzz_code_point(&point, (const uint8_t *)text + kept, length - kept);

        if (step == 0 || kept + step > most || !ua_utf8_valid(text + kept, step)) {
            break;
        }
        kept += step;
    }
    return kept;
}

static void check_cut(apr_pool_t *pool, const char *text, size_t most)
{
    const char *cut = ua_utf8_cut(pool, text, most);
    size_t kept = valid_start(text, most);

    FUZZ_CHECK(strlen(cut) == kept && strncmp(cut, text, kept) == 0,
               "cut at %zu after %zu, not %zu", most, strlen(cut), kept);
}

/* '1' for each letter, '0' for each other code point, both ways of walking being the same. */
static const char *letters_of(apr_pool_t *pool, const char *text)
{
    size_t left = strlen(text);
    char *letters = apr_pcalloc(pool, left + 1);
    char *end = letters;
    apr_uint32_t point = 0;

    for (const char *next = ua_utf8_next(&point, text); next;
         next = ua_utf8_next(&point, text)) {
        uint32_t own = 0;
        size_t step = fuzz_code_point(&own, (const uint8_t *)text, left);

        FUZZ_CHECK(own == point && text + step == next, "U+%04X is read as U+%04X", own, point);
        *end++ = ua_utf8_is_letter(point) ? '1' : '0';
        left -= step;
        text = next;
    }
    FUZZ_CHECK(left == 0, "%zu bytes are never read", left);
    return letters;
}

static void check_valid(apr_pool_t *pool, const char *text)
{
    const char *nfc = NULL;
    const char *fold = NULL;
    const char *again = NULL;
    const char *trimmed = ua_utf8_trim(pool, text);
    int deceptive = ua_utf8_deceptive(text);

    FUZZ_CHECK(ua_utf8_nfc(&nfc, pool, text) == APR_SUCCESS &&
                   ua_utf8_fold(&fold, pool, text) == APR_SUCCESS,
               "no normal form");
    FUZZ_CHECK(ua_utf8_valid(nfc, strlen(nfc)) && ua_utf8_valid(fold, strlen(fold)),
               "the normal form is not valid");
    FUZZ_CHECK(ua_utf8_nfc(&again, pool, nfc) == APR_SUCCESS && fuzz_same(again, nfc),
               "NFC of NFC is another");
    FUZZ_CHECK(ua_utf8_fold(&again, pool, nfc) == APR_SUCCESS && fuzz_same(again, fold),
               "NFC is folded to another");
    FUZZ_CHECK(ua_utf8_fold(&again, pool, fold) == APR_SUCCESS && fuzz_same(again, fold),
               "folded twice is another");
    FUZZ_CHECK(fuzz_same(ua_utf8_trim(pool, trimmed), trimmed), "trimmed twice is another");
    fuzz_ask(FUZZ_PYTHON, 'u',
             FUZZ_TEXTS(text, "1", nfc, fold, trimmed,
                        apr_psprintf(pool, "%" APR_SIZE_T_FMT, ua_utf8_length(text)),
                        deceptive ? "1" : "0", letters_of(pool, text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    int valid = ua_utf8_valid((const char *)data, size);
    int plain =
        fuzz_plain_utf8((const char *)data, size) && (size == 0 || !memchr(data, 0, size));
    const char *text = fuzz_rest(&input, pool);

    FUZZ_CHECK(plain || !valid, "accepted: not well-formed, or with a control");
    check_cut(pool, text, size);
    check_cut(pool, text, size / 2);
    if (valid) {
        check_valid(pool, text);
    }
    else if (plain) {
        fuzz_ask(FUZZ_PYTHON, 'u', FUZZ_TEXTS(text, "0", "", "", "", "0", "0", ""));
    }
    return 0;
}
