/* form.h: bodies into fields: application/x-www-form-urlencoded and one flat JSON object.
 *
 * Strict: nothing is repaired or replaced. The caller has bounded the body to UA_BODY_BYTES.
 */
#ifndef UA_FORM_H
#define UA_FORM_H

#include "base.h"

#define UA_BODY_BYTES 65536
#define UA_BODY_PAIRS 64

/* Both: APR_SUCCESS, or APR_EINVAL for a bad percent-escape, text that ua_utf8_valid() refuses, a
 * NUL, a name given twice, more than UA_BODY_PAIRS pairs (empty ones count).
 * Fields are found in the table by exact name (names are compared without case by apr_table_t, so
 * two names that differ in case only are "given twice"). */
apr_status_t ua_form_parse(apr_table_t **out, apr_pool_t *pool, const char *body,
                           apr_size_t length) UA_MUST_USE;

/* Values are strings, true/false (as "1"/"0") and the numbers 0 and 1; a null, another number,
 * array or object, a duplicate key, a BOM, and anything after the object are APR_EINVAL. */
apr_status_t ua_form_parse_json(apr_table_t **out, apr_pool_t *pool, const char *body,
                                apr_size_t length) UA_MUST_USE;

/* 1 when a value of a table from ua_form_parse_json() was true, false, 0 or 1, and no string. */
int ua_form_was_flag(const char *value);

#endif
