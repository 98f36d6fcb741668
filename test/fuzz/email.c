/* email.c: fuzzes addresses of mail (base/email.c). The input is what a person types.
 *
 * The oracle spells out what an accepted address is made of, byte by byte; that it can stand in a header and in
 * an SMTP command; that typing it again, with blanks or in capitals, gives the same key. The domain in ASCII is
 * the one of browsers (oracle.js) and of another implementation of IDNA2008 (oracle.py), where they are there.
 */
#include "fuzz.h"
#include "base/email.h"
#include "base/mail_encode.h"

#include <string.h>

static int is_letter(char byte)
{
    return byte >= 'a' && byte <= 'z';
}

static int is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* RFC 5322 3.2.3, and no "-" first. */
static void check_local(const char *address, size_t length)
{
    FUZZ_CHECK(length >= 1 && length <= 64 && address[0] != '-' && address[length - 1] != '.',
               "%s: the part before the @", address);
    for (size_t i = 0; i < length; i++) {
        char byte = address[i];

        FUZZ_CHECK(is_letter((char)(byte | 0x20)) || is_digit(byte) ||
                       (byte == '.' && i > 0 && address[i - 1] != '.') ||
                       (byte != '.' && strchr("!#$%&'*+-/=?^_`{|}~", byte)),
                   "%s: byte %d", address, byte);
    }
}

/* RFC 1035 2.3.1 in lower case, two labels at least, the last no number. */
static void check_domain(const char *domain)
{
    const char *label = domain;
    int labels = 0;

    for (const char *at = domain;; at++) {
        size_t length = (size_t)(at - label);

        if (*at != '.' && *at != 0) {
            FUZZ_CHECK(is_letter(*at) || is_digit(*at) || *at == '-', "%s: byte %d", domain,
                       *at);
            continue;
        }
        FUZZ_CHECK(length >= 1 && length <= 63 && label[0] != '-' && at[-1] != '-',
                   "%s: label %d", domain, labels);
        labels++;
        if (*at == 0) {
            break;
        }
        label = at + 1;
    }
    FUZZ_CHECK(labels >= 2 && is_letter(*label), "%s: the last label", domain);
}

static void check_again(apr_pool_t *pool, const ua_email_t *email, const char *text)
{
    ua_email_t again = {0};

    FUZZ_CHECK(ua_email_parse(&again, pool, text) == APR_SUCCESS, "\"%s\" is refused", text);
    FUZZ_CHECK(fuzz_same(again.key, email->key), "\"%s\" has another key than %s", text,
               email->address);
}

static const char *capitals(apr_pool_t *pool, const char *text)
{
    char *copy = apr_pstrdup(pool, text);

    for (char *at = copy; *at; at++) {
        *at = is_letter(*at) ? (char)(*at & ~0x20) : *at;
    }
    return copy;
}

static const char *without_blanks(apr_pool_t *pool, const char *text)
{
    size_t length = strlen(text += strspn(text, " \t"));

    for (; length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t');) {
        length--;
    }
    return apr_pstrmemdup(pool, text, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    const char *text = fuzz_rest(&input, pool);
    const char *typed = without_blanks(pool, text);
    ua_email_t email = {"untouched", "untouched"};
    const char *at = NULL;

    if (ua_email_parse(&email, pool, text) != APR_SUCCESS) {
        FUZZ_CHECK(fuzz_same(email.address, "untouched"), "a refused one changed the result");
        return 0;
    }
    at = strchr(email.address, '@');
    FUZZ_CHECK(at && strlen(email.address) <= 254 && ua_mail_address_plain(email.address),
               "no address: %s", email.address);
    FUZZ_CHECK(strncmp(typed, email.address, (size_t)(at - email.address) + 1) == 0,
               "%s has another name than %s", email.address, typed);
    check_local(email.address, (size_t)(at - email.address));
    check_domain(at + 1);
    FUZZ_CHECK(fuzz_same(capitals(pool, email.key), capitals(pool, email.address)) &&
                   fuzz_same(strchr(email.key, '@'), at),
               "the key of %s is %s", email.address, email.key);
    check_again(pool, &email, email.address);
    check_again(pool, &email, email.key);
    check_again(pool, &email, capitals(pool, email.address));
    check_again(pool, &email, apr_pstrcat(pool, " \t", text, " ", NULL));
    fuzz_ask(FUZZ_NODE, 'd', FUZZ_TEXTS(strchr(typed, '@') + 1, at + 1));
    fuzz_ask(FUZZ_PYTHON, 'd', FUZZ_TEXTS(strchr(typed, '@') + 1, at + 1));
    return 0;
}
