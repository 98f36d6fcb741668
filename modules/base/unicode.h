/* unicode.h: UTF-8 as people type it. The only file that includes libunistring.
 *
 * No function depends on the locale.
 */
#ifndef UA_UNICODE_H
#define UA_UNICODE_H

#include "base.h"

/* 1 when `length` bytes are text we accept: well-formed UTF-8 (RFC 3629: no overlong form, surrogate
 * or number above U+10FFFF), no NUL, no C0 or C1 control but tab, LF, CR, no noncharacter, no
 * unassigned code point. */
int ua_utf8_valid(const char *text, apr_size_t length);

/* Code points in a valid text. */
apr_size_t ua_utf8_length(const char *text);

/* The canonical composition (NFC) of a valid text. Idempotent. */
apr_status_t ua_utf8_nfc(const char **out, apr_pool_t *pool, const char *text) UA_MUST_USE;

/* What names are compared and searched by: case folded (Unicode's full folding), then NFC. */
apr_status_t ua_utf8_fold(const char **out, apr_pool_t *pool, const char *text) UA_MUST_USE;

/* `text` without white space (Unicode's) at both ends. */
const char *ua_utf8_trim(apr_pool_t *pool, const char *text);

/* The longest start of `text` that is valid and at most `most` bytes: for what a program sent. */
const char *ua_utf8_cut(apr_pool_t *pool, const char *text, apr_size_t most);

/* 1 when a valid text has a line break, a control, or an invisible character that has no place in a
 * name shown to others (Unicode's format characters and default ignorable ones, but for U+FE0F). */
int ua_utf8_deceptive(const char *text);

/* The next code point of a valid text and what follows it; NULL at its end. */
const char *ua_utf8_next(apr_uint32_t *point, const char *text);

/* 1 for letters of any script, and the marks that belong to them (Unicode's Alphabetic). */
int ua_utf8_is_letter(apr_uint32_t point);

#endif
