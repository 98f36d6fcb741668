/* email.c: see email.h.
 *
 * Stricter than RFC 5322 on purpose: what is left after these checks cannot end an SMTP command, a mail
 * header or a log line, whatever the mail library does with it (libcurl 7.88 hands CR LF on to the
 * server). Only the domain may be typed in other scripts; it is stored as the DNS knows it.
 */
#include "email.h"
#include "text.h"

#include <idn2.h>
#include <string.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define ATEXT  LOWER DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'*+-/=?^_`{|}~"

#define LOCAL_BYTES 64
/* Longer than any typed form of 254 bytes can be: a label's byte never stands for more than 4 typed. */
#define TYPED_BYTES (LOCAL_BYTES + 4 * UA_EMAIL_BYTES)

/* "%0d" and its kin: harmless here, a line break to whoever decodes the address once more. */
static int has_encoded_control(const char *text)
{
    for (const char *at = strchr(text, '%'); at; at = strchr(at + 1, '%')) {
        if ((at[1] == '0' || at[1] == '1') && at[2] && strchr(DIGITS "abcdefABCDEF", at[2])) {
            return 1;
        }
        if (at[1] == '7' && (at[2] == 'f' || at[2] == 'F')) {
            return 1;
        }
    }
    return 0;
}

/* "=?…?=" (RFC 2047): plain characters here, but some software behind us decodes them. */
static int has_encoded_word(const char *local)
{
    const char *begin = strstr(local, "=?");

    return begin && strstr(begin + 2, "?=");
}

/* RFC 5322 3.2.3 dot-atom; RFC 5321 4.5.3.1.1 for the length. */
static int local_valid(const char *local)
{
    apr_size_t length = strlen(local);

    if (length == 0 || length > LOCAL_BYTES || strspn(local, ATEXT ".") != length) {
        return 0;
    }
    if (local[0] == '.' || local[length - 1] == '.' || strstr(local, "..")) {
        return 0;
    }
    /* Postfix and others refuse it: a program they deliver to would take it for an option. */
    if (local[0] == '-') {
        return 0;
    }
    return !has_encoded_word(local) && !has_encoded_control(local);
}

/* RFC 1123 2.1 in lower case, at least two labels; their lengths and hyphens the library has checked.
 * The last label begins with a letter, as all of the DNS do: no number, no IPv4 address. */
static int domain_valid(const char *domain)
{
    const char *last = strrchr(domain, '.');

    if (domain[0] == '.' || strstr(domain, "..") || domain[strspn(domain, LOWER DIGITS "-.")]) {
        return 0;
    }
    return last && last[1] && strchr(LOWER, last[1]);
}

static apr_status_t idn_release(void *data)
{
    idn2_free(data);
    return APR_SUCCESS;
}

static const char *idn_lookup(apr_pool_t *pool, const char *typed, int more)
{
    int flags = IDN2_NONTRANSITIONAL | IDN2_ALABEL_ROUNDTRIP | more;
    uint8_t *made = NULL;

    if (idn2_lookup_u8((const uint8_t *)typed, &made, flags) != IDN2_OK) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, made, idn_release, apr_pool_cleanup_null);
    return (const char *)made;
}

/* The domain in A-labels, or NULL. By itself the library keeps what is no letter (a slash made of U+2100,
 * U+2260, which IDNA2008 refuses); with its rule against that it drops it silently. So both must agree. */
static const char *domain_ascii(apr_pool_t *pool, const char *typed)
{
    const char *kept = idn_lookup(pool, typed, 0);
    const char *dropped = idn_lookup(pool, typed, IDN2_USE_STD3_ASCII_RULES);

    return kept && dropped && strcmp(kept, dropped) == 0 ? kept : NULL;
}

static const char *without_blanks(apr_pool_t *pool, const char *text)
{
    const char *start = text + strspn(text, " \t");
    apr_size_t length = strlen(start);

    while (length > 0 && (start[length - 1] == ' ' || start[length - 1] == '\t')) {
        length--;
    }
    return apr_pstrmemdup(pool, start, length);
}

apr_status_t ua_email_parse(ua_email_t *out, apr_pool_t *pool, const char *text)
{
    const char *typed = without_blanks(pool, text);
    const char *at = strchr(typed, '@');
    const char *local = NULL;
    const char *domain = NULL;
    const char *address = NULL;

    if (!at || strlen(typed) > TYPED_BYTES) {
        return APR_EINVAL;
    }
    local = apr_pstrmemdup(pool, typed, (apr_size_t)(at - typed));
    domain = local_valid(local) ? domain_ascii(pool, at + 1) : NULL;
    if (!domain || !domain_valid(domain)) {
        return APR_EINVAL;
    }
    address = apr_pstrcat(pool, local, "@", domain, NULL);
    if (strlen(address) > UA_EMAIL_BYTES) {
        return APR_EINVAL;
    }
    out->address = address;
    out->key = ua_lower(pool, address);
    return APR_SUCCESS;
}
