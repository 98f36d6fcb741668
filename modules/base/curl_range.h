/* curl_range.h: whether a password is in a list of leaked ones, asked by the range API of Have I
 * Been Pwned (https://haveibeenpwned.com/API/v3#PwnedPasswords).
 *
 * The list's server learns the first 5 of the 40 characters of the password's SHA-1, which hundreds
 * of leaked passwords share, and answers with all of theirs; padding hides which those are from
 * whoever sees the answer's length. SHA-1 is the protocol's choice and secures nothing here.
 */
#ifndef UA_CURL_RANGE_H
#define UA_CURL_RANGE_H

#include "base.h"

/* One per process and site, used by several threads at once. */
typedef struct ua_range_t ua_range_t;

/* Asks nobody. The five characters are appended to `url`: "https://api.pwnedpasswords.com/range/".
 * APR_EINVAL unless it begins with http:// or https:// and a host, is printable ASCII without blanks
 * and "#", and at most 2048 bytes long. */
apr_status_t ua_range_create(ua_range_t **out, apr_pool_t *pool, const char *url) UA_MUST_USE;

/* *found is 1 when the password (UTF-8) is in the list, else 0. Takes 1 s at most. `pool` only
 * gets *why.
 * APR_EAGAIN: nothing was asked, because of a pause: 5 minutes from `now` after 3 failures in a row,
 * then again after each failure of the one try that follows a pause; a success ends that.
 * Another failure is APR_EGENERAL: *why is one sentence for the log, without the password and any
 * part of its digest. ua_smtp_global_init() comes first, once per process. */
apr_status_t ua_range_lookup(int *found, ua_range_t *range, apr_pool_t *pool,
                             const char *password, apr_time_t now,
                             const char **why) UA_MUST_USE;

#endif
