/* unicode.c: see unicode.h.
 *
 * Reads code points with libunistring, whose tables are those of one fixed version of Unicode; none of
 * the calls here looks at the locale. A code point assigned after that version is refused, because its
 * canonical form is not known yet: two spellings of one name could then both be registered.
 */
#include "unicode.h"

#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* UAX #15: canonical composition lengthens UTF-8 to at most three times its bytes (U+1D160). */
#define NFC_GROWTH 3
/* Full case folding lengthens to three times at most (CaseFolding.txt), before that. */
#define FOLD_GROWTH 9

static int is_control(ucs4_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

/* Noncharacters are unassigned (Cn) too; surrogates never get this far. */
static int is_accepted(ucs4_t point)
{
    if (is_control(point)) {
        return point == '\t' || point == '\n' || point == '\r';
    }
    return !uc_is_general_category_withtable(point, UC_CATEGORY_MASK_Cn);
}

/* What nobody sees, what means another thing to everybody, or what starts a new line. U+FE0F makes an
 * emoji of the character before it. */
static int is_deceptive(ucs4_t point)
{
    return is_control(point) || point == 0x2028 || point == 0x2029 || point == 0x2800 ||
           (point != 0xfe0f && uc_is_property_default_ignorable_code_point(point)) ||
           uc_is_general_category_withtable(point, UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Co);
}

int ua_utf8_valid(const char *text, apr_size_t length)
{
    const uint8_t *at = (const uint8_t *)text;

    if (u8_check(at, length)) {
        return 0;
    }
    while (length > 0) {
        ucs4_t point = 0;
        int step = u8_mbtouc(&point, at, length);

        if (!is_accepted(point)) {
            return 0;
        }
        at += step;
        length -= (apr_size_t)step;
    }
    return 1;
}

apr_size_t ua_utf8_length(const char *text)
{
    return u8_mbsnlen((const uint8_t *)text, strlen(text));
}

apr_status_t ua_utf8_nfc(const char **out, apr_pool_t *pool, const char *text)
{
    apr_size_t length = strlen(text);
    apr_size_t room = length * NFC_GROWTH + 1;
    apr_size_t made = room;
    uint8_t *buffer = apr_palloc(pool, room);

    /* The result always fits, so the library never hands back a block of its own. */
    if (u8_normalize(UNINORM_NFC, (const uint8_t *)text, length, buffer, &made) != buffer ||
        made >= room) {
        return APR_ENOMEM;
    }
    buffer[made] = 0;
    *out = (const char *)buffer;
    return APR_SUCCESS;
}

apr_status_t ua_utf8_fold(const char **out, apr_pool_t *pool, const char *text)
{
    apr_size_t length = strlen(text);
    apr_size_t room = length * FOLD_GROWTH + 1;
    apr_size_t made = room;
    uint8_t *buffer = apr_palloc(pool, room);

    if (u8_casefold((const uint8_t *)text, length, NULL, UNINORM_NFC, buffer, &made) !=
            buffer ||
        made >= room) {
        return APR_ENOMEM;
    }
    buffer[made] = 0;
    *out = (const char *)buffer;
    return APR_SUCCESS;
}

const char *ua_utf8_trim(apr_pool_t *pool, const char *text)
{
    const uint8_t *start = (const uint8_t *)text;
    const uint8_t *end = start + strlen(text);
    const uint8_t *next = NULL;
    ucs4_t point = 0;

    while ((next = u8_next(&point, start)) && uc_is_property_white_space(point)) {
        start = next;
    }
    while ((next = u8_prev(&point, end, start)) && uc_is_property_white_space(point)) {
        end = next;
    }
    return apr_pstrmemdup(pool, (const char *)start, (apr_size_t)(end - start));
}

const char *ua_utf8_cut(apr_pool_t *pool, const char *text, apr_size_t most)
{
    const uint8_t *start = (const uint8_t *)text;
    apr_size_t length = strlen(text);
    apr_size_t kept = 0;

    while (kept < length) {
        ucs4_t point = 0;
        int step = u8_mbtoucr(&point, start + kept, length - kept);

        if (step <= 0 || kept + (apr_size_t)step > most || !is_accepted(point)) {
            break;
        }
        kept += (apr_size_t)step;
    }
    return apr_pstrmemdup(pool, text, kept);
}

int ua_utf8_deceptive(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    ucs4_t point = 0;

    while ((at = u8_next(&point, at))) {
        if (is_deceptive(point)) {
            return 1;
        }
    }
    return 0;
}

const char *ua_utf8_next(apr_uint32_t *point, const char *text)
{
    return (const char *)u8_next(point, (const uint8_t *)text);
}

int ua_utf8_is_letter(apr_uint32_t point)
{
    return uc_is_property_alphabetic(point);
}
