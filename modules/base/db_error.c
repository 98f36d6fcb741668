/* db_error.c: what may be logged of a database's error text.
 *
 * Traps: error texts carry values, such as `Key (email)=(x) already exists` (12). A value may
 * itself hold quotes, so a statement's text is cut at the first one instead of being paired up.
 * Called by db.c and db_list.c.
 */
#include "db_conn.h"

#include <string.h>

#define TEXT_MOST 200
#define CUT       "\"'`()[]{}\n\r"
#define QUOTE     '"'
#define ELIDED    "\"...\""
#define LINE_END  "\n\r"
#define TRAILING  " \t:,."
#define UNKNOWN   "no text"

/* The first `length` bytes, without the blanks and punctuation that a cut leaves behind. */
static const char *trimmed(apr_pool_t *pool, const char *text, apr_size_t length)
{
    while (length > 0 && strchr(TRAILING, text[length - 1]) != NULL) {
        length--;
    }
    return length > 0 ? apr_pstrmemdup(pool, text, length) : UNKNOWN;
}

static apr_size_t bounded(apr_size_t length)
{
    return length < TEXT_MOST ? length : TEXT_MOST;
}

const char *ua_db_error_text(apr_pool_t *pool, const char *text)
{
    if (text == NULL) {
        return UNKNOWN;
    }
    return trimmed(pool, text, bounded(strcspn(text, CUT)));
}

const char *ua_db_connect_text(apr_pool_t *pool, const char *text)
{
    const char *out = "";

    if (text == NULL) {
        return UNKNOWN;
    }
    text = apr_pstrmemdup(pool, text, bounded(strcspn(text, LINE_END)));
    for (const char *quote = strchr(text, QUOTE); quote != NULL; quote = strchr(text, QUOTE)) {
        const char *end = strchr(quote + 1, QUOTE);
        out = apr_pstrcat(pool, out, apr_pstrmemdup(pool, text, (apr_size_t)(quote - text)),
                          ELIDED, NULL);
        text = end ? end + 1 : "";
    }
    out = apr_pstrcat(pool, out, text, NULL);
    return trimmed(pool, out, strlen(out));
}
