/* strength.h: how many guesses a password withstands. The only file that includes zxcvbn. */
#ifndef UA_STRENGTH_H
#define UA_STRENGTH_H

#include "base.h"

/* zxcvbn's score 0..4 from its entropy: <9.97 bits 0, <19.93 1, <26.58 2, <33.22 3, else 4.
 * `words` (NULL-ended, may be NULL) are the person's own and the site's: worth nothing to a guesser.
 * They are compared without regard to ASCII case. At most 1024 bytes of password are judged. */
int ua_strength_score(apr_pool_t *pool, const char *password, const char *const *words);

#endif
