/* strength.h: how many guesses a password withstands. The only file that includes zxcvbn. */
#ifndef UA_STRENGTH_H
#define UA_STRENGTH_H

#include "base.h"

/* zxcvbn's score 0..4 from its entropy: <9.97 bits 0, <19.93 1, <26.58 2, <33.22 3, else 4; 0 with fewer
 * than 5 different characters. Of a text said over and over one time is judged; of everything the first 50
 * characters (a valid text; nothing else is worth anything). Worst case: strength.c.
 * `words` (NULL-ended, may be NULL; the first 64) are the person's own and the site's: they, their parts of 3
 * and more letters, or letters and digits, and the parts in one are worth nothing to a guesser, in any case.
 * Of an address the last label is no part. */
int ua_strength_score(apr_pool_t *pool, const char *password, const char *const *words);

#endif
