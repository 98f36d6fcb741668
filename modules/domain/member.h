/* member.h: what members see of each other: rows of `account` that are confirmed, open and not hidden. */
#ifndef UA_MEMBER_H
#define UA_MEMBER_H

#include "domain.h"

typedef struct ua_member_t {
    const char *username;
    const char *display_name;
    apr_time_t since; /* when the address was confirmed */
    const char *username_key;
    const char *display_key; /* of a search that found this name; else NULL */
} ua_member_t;

/* At most `most` members behind `after` (NULL: from the first), whose username or display name begins with
 * `prefix` ("": all), without regard to case; nothing in it is a wildcard. Usernames come first, in their order,
 * then display names in theirs, without those whose usernames were shown. `*next`: where the next page begins,
 * NULL when this is the last; only the keys in it and in `after` mean anything. A page looks at few rows however
 * many there are, so one may hold less than `most`, even nobody, and still have a next one: behind hundreds that
 * were found by both their names. Array of ua_member_t. */
apr_status_t ua_member_list(apr_array_header_t **out, const ua_member_t **next, ua_ctx_t *ctx,
                            const char *prefix, const ua_member_t *after, int most) UA_MUST_USE;

#endif
