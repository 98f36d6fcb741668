/* agent.h: a User-Agent header in words for a person, for mails and the list of sessions.
 *
 * The header is a claim of whoever sent it. Only fixed words ever come out of here, never a byte of
 * the header, so nobody can write into a mail or a page through it.
 */
#ifndef UA_AGENT_H
#define UA_AGENT_H

#include "base.h"

/* "Firefox on Windows", "Safari on iPhone", "curl", "Android app", "A browser on Linux" when only
 * the system is known, "Chrome" when only the browser is; "Unknown device" for all else and for "".
 * Any bytes up to the NUL. */
const char *ua_agent_words(apr_pool_t *pool, const char *agent);

#endif
