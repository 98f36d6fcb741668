/* mail_encode.h: how text becomes header fields (RFC 5322, RFC 2047) and parts (RFC 2045) of a mail.
 *
 * Used by mail.c, and by curl_smtp.c for the address check. Every result lives in the pool.
 */
#ifndef UA_MAIL_ENCODE_H
#define UA_MAIL_ENCODE_H

#include "base.h"

/* 1 for one address that cannot leave its place in a header or in an SMTP command: printable ASCII
 * with exactly one "@" inside, no blank, none of < > ( ) [ ] : ; , \ " and at most 254 bytes. */
int ua_mail_address_plain(const char *address);

/* Free text (a subject) as the value of a header: as it is when printable ASCII that folds well and
 * cannot be taken for an encoded word, else encoded words. Controls, CR and LF among them, become
 * one blank; a byte that is not UTF-8 becomes "?". */
const char *ua_mail_text(apr_pool_t *pool, const char *text);

/* A display name likewise: atoms, a quoted string, or encoded words. */
const char *ua_mail_phrase(apr_pool_t *pool, const char *name);

/* "Name: value" and CRLF, folded at blanks to at most 76 columns; a longer word gets its own line.
 * The value has single blanks only. */
const char *ua_mail_header(apr_pool_t *pool, const char *name, const char *value);

/* Every LF, CR and CRLF as CRLF. */
const char *ua_mail_lines(apr_pool_t *pool, const char *text);

/* 1 when a text with CRLF line ends may travel as 7bit: ASCII, lines of at most 998 octets. */
int ua_mail_7bit(const char *lines);

/* A text with CRLF line ends as quoted-printable (RFC 2045 6.7), lines of at most 76 columns. */
const char *ua_mail_quoted_printable(apr_pool_t *pool, const char *lines);

#endif
