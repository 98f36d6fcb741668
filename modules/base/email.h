/* email.h: an address as a person types it, in the form it is stored and mailed to.
 * The only file that includes libidn2. */
#ifndef UA_EMAIL_H
#define UA_EMAIL_H

#include "base.h"

#define UA_EMAIL_BYTES 254

typedef struct ua_email_t {
    const char *address; /* local part as typed @ domain in lower-case ASCII (IDNA A-labels) */
    const char *key;     /* the address in lower case: what is unique, and what is looked up */
} ua_email_t;

/* One dot-atom local part of RFC 5322 (ASCII, <= 64 bytes, no "-" first) @ a domain of at least two labels
 * (IDNA2008 with UTS 46 mapping, non-transitional; <= 63 bytes a label); no quoted string, comment,
 * literal address, blank or control. Blanks at both ends are dropped first. APR_EINVAL otherwise. */
apr_status_t ua_email_parse(ua_email_t *out, apr_pool_t *pool, const char *text) UA_MUST_USE;

#endif
