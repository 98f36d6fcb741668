/* curl_smtp_text.h: texts for libcurl and from it. Ground floor: only base.h below it; for curl_smtp.c.
 *
 * Of libcurl's results the number alone is handed over, so that nobody else needs its header.
 */
#ifndef UA_CURL_SMTP_TEXT_H
#define UA_CURL_SMTP_TEXT_H

#include "base.h"

/* The URL of a server that is greeted by this name (or NULL). A literal address is written as RFC 5321 4.1.3
 * wants it; a name that cannot be one is left out. */
const char *ua_smtp_url(apr_pool_t *pool, const char *url, const char *helo);

/* MAIL with this sender (RFC 5321 4.1.1.2) as a command of the caller's own. */
const char *ua_smtp_mail_command(apr_pool_t *pool, const char *from);

/* One sentence for a CURLcode other than CURLE_OK, the server's last reply (0: none) and libcurl's own words (or
 * ""): the same for the same cause, whether a mail or ua_smtp_mail_command() met it. No address. */
const char *ua_smtp_words(apr_pool_t *pool, int code, long reply, const char *error);

#endif
