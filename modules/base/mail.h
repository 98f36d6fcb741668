/* mail.h: one message of RFC 5322 with a text and an HTML part.
 *
 * One builder for both transports (mail_folder.h, curl_smtp.h), so that what a test reads in the
 * folder is what SMTP sends.
 */
#ifndef UA_MAIL_H
#define UA_MAIL_H

#include "base.h"

typedef struct ua_mail_t {
    const char *id; /* unique: 1..60 of A-Z a-z 0-9 - _; in Message-ID and the file's name */
    apr_time_t date;
    const char *from_name;    /* may be "" ; any UTF-8 */
    const char *from_address; /* checked by ua_email_parse() */
    const char *to;           /* likewise */
    const char *reply_to;     /* likewise, or "" */
    const char *subject;      /* any UTF-8 */
    const char *text;         /* UTF-8, LF or CRLF */
    const char *html;
} ua_mail_t;

/* The complete message with CRLF line ends: From, To, Subject, Date, Message-ID (at the sender's
 * domain), MIME-Version, Auto-Submitted: auto-generated, multipart/alternative. Headers are encoded
 * by RFC 2047 where not printable ASCII and folded below 78 columns; a part is 7bit when it is ASCII
 * with lines <= 998 octets, else quoted-printable. CR, LF and NUL cannot add a header.
 * APR_EINVAL for another id, and for an address with a byte that is not printable ASCII, a blank,
 * "<" or ">", or another character that RFC 5322 gives a meaning in headers. */
apr_status_t ua_mail_build(const char **out, apr_size_t *length, apr_pool_t *pool,
                           const ua_mail_t *mail) UA_MUST_USE;

/* "Example <accounts@example.com>", "\"A, B\" <a@b.example>" or a bare address. APR_EINVAL. */
apr_status_t ua_mailbox_parse(const char **name, const char **address, apr_pool_t *pool,
                              const char *text) UA_MUST_USE;

#endif
