/* strength.c: zxcvbn's estimate as its score 0..4.
 *
 * The estimate takes at most 4.5 ms at 1024 bytes and knows words of English only: text of other
 * scripts counts as random bytes (traps 36). Called by domain/password.c.
 */
#include "strength.h"

#include <string.h>
#include <zxcvbn.h>

#define BYTES_MOST 1024

/* Upper ends, in bits, of the scores 0 to 3: 10^3, 10^6, 10^8 and 10^10 guesses. */
static const double ends[] = {9.965784, 19.931569, 26.575425, 33.219281};

/* zxcvbn's list of words: without empty ones, which match everywhere. */
static const char **word_list(apr_pool_t *pool, const char *const *words)
{
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(const char *));

    for (; words != NULL && *words != NULL; words++) {
        if (**words != '\0') {
            APR_ARRAY_PUSH(list, const char *) = *words;
        }
    }
    APR_ARRAY_PUSH(list, const char *) = NULL;
    return (void *)list->elts;
}

int ua_strength_score(apr_pool_t *pool, const char *password, const char *const *words)
{
    const char *judged = apr_pstrndup(pool, password, BYTES_MOST);
    double bits = ZxcvbnMatch(judged, word_list(pool, words), NULL);
    int score = 0;

    while (score < 4 && bits >= ends[score]) {
        score++;
    }
    return score;
}
