/* url.c: see url.h.
 *
 * Two halves. A site (scheme, host, port) is read exactly, so that what is written in the configuration
 * and what a browser sends can be compared as text. A return path is not parsed but judged: whatever a
 * browser (WHATWG URL: tabs dropped, "\" is "/"), a proxy or an application behind it makes of it by
 * decoding it once more, and again, has to stay a path of this site.
 */
#include "url.h"
#include "text.h"
#include "unicode.h"

#include <apr_escape.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define LOWER      "abcdefghijklmnopqrstuvwxyz"
#define DIGITS     "0123456789"
#define HEX        DIGITS "abcdefABCDEF"
#define UNRESERVED LOWER DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ-._~"

#define HOST_BYTES  253
#define LABEL_BYTES 63
/* How many times a return path is decoded; one that is still encoded then is refused. */
#define DECODE_ROUNDS 4

#define WHY_SCHEME "It has to begin with https:// (or, on localhost only, with http://)."
#define WHY_PLAIN  "Plain http:// is accepted on localhost only; write https://."
#define WHY_USER   "It must not hold a user name or password."
#define WHY_PATH   "It has to end after host and port: no path, query or fragment."
#define WHY_HOST                                                                               \
    "The host has to be a name (a-z, 0-9, hyphens and dots; international ones in their xn-- " \
    "form), a full IPv4 address or an IPv6 address in brackets."
#define WHY_PORT "The port has to be a number from 1 to 65535."

/* ---- a site: scheme, host, port ---- */

static int is_ipv4(const char *host)
{
    struct in_addr address;

    return inet_pton(AF_INET, host, &address) == 1;
}

/* A browser reads a host whose last label is a number as an IPv4 address, "127.1" and "0x7f.1" too. */
static int ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *label = dot ? dot + 1 : host;

    if (strncmp(label, "0x", 2) == 0) {
        return label[2 + strspn(label + 2, HEX)] == 0;
    }
    return label[strspn(label, DIGITS)] == 0;
}

static int is_label(const char *label, apr_size_t length)
{
    if (length == 0 || length > LABEL_BYTES || strspn(label, LOWER DIGITS "-") < length) {
        return 0;
    }
    return label[0] != '-' && label[length - 1] != '-';
}

static const char *next_label(const char *label)
{
    const char *dot = strchr(label, '.');

    return dot ? dot + 1 : NULL;
}

static int is_name(const char *host)
{
    if (strlen(host) > HOST_BYTES) {
        return 0;
    }
    for (const char *label = host; label; label = next_label(label)) {
        if (!is_label(label, strcspn(label, "."))) {
            return 0;
        }
    }
    return 1;
}

/* "[::1]" in the shortest form that inet_ntop() writes, or NULL. */
static const char *ipv6_read(apr_pool_t *pool, const char *host)
{
    const char *inside = apr_pstrmemdup(pool, host + 1, strlen(host) - 2);
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (inet_pton(AF_INET6, inside, &address) != 1) {
        return NULL;
    }
    return apr_pstrcat(pool, "[", inet_ntop(AF_INET6, &address, text, sizeof text), "]", NULL);
}

/* The host in its one spelling, or NULL. */
static const char *host_read(apr_pool_t *pool, const char *host)
{
    if (host[0] == '[') {
        return ipv6_read(pool, host);
    }
    if (ends_in_number(host)) {
        return is_ipv4(host) ? host : NULL;
    }
    return is_name(host) ? host : NULL;
}

static int is_localhost(const char *host)
{
    const char *tail = strrchr(host, '.');

    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0) {
        return 1;
    }
    return (tail && strcmp(tail, ".localhost") == 0) ||
           (strncmp(host, "127.", 4) == 0 && is_ipv4(host));
}

/* ":8080" or "" into a number; 0 for anything else. */
static int port_read(const char *text, int standard)
{
    apr_size_t length = strlen(text);
    int port = 0;

    if (length == 0) {
        return standard;
    }
    if (text[0] != ':' || text[1] == '0' || length > 6 ||
        strspn(text + 1, DIGITS) != length - 1) {
        return 0;
    }
    port = (int)strtol(text + 1, NULL, 10);
    return port <= 65535 ? port : 0;
}

/* Splits "host[:port]" and reads both. NULL, or why not. */
static const char *authority_read(ua_base_url_t *out, apr_pool_t *pool, const char *text)
{
    int standard = out->scheme[4] == 's' ? 443 : 80;
    apr_size_t length = text[0] == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":");

    if (strpbrk(text, "/\\?#")) {
        return WHY_PATH;
    }
    if (strchr(text, '@')) {
        return WHY_USER;
    }
    out->host =
        length <= strlen(text) ? host_read(pool, apr_pstrmemdup(pool, text, length)) : NULL;
    if (!out->host) {
        return WHY_HOST;
    }
    out->port = port_read(text + length, standard);
    if (out->port == 0) {
        return WHY_PORT;
    }
    out->localhost = is_localhost(out->host);
    out->text = apr_pstrcat(pool, out->scheme, "://", out->host, NULL);
    if (out->port != standard) {
        out->text = apr_psprintf(pool, "%s:%d", out->text, out->port);
    }
    return NULL;
}

/* Reads exactly "scheme://host[:port]", case aside. NULL, or why not. */
static const char *site_read(ua_base_url_t *out, apr_pool_t *pool, const char *text)
{
    const char *lower = ua_lower(pool, text);

    if (strncmp(lower, "https://", 8) == 0) {
        out->scheme = "https";
        return authority_read(out, pool, lower + 8);
    }
    if (strncmp(lower, "http://", 7) == 0) {
        out->scheme = "http";
        return authority_read(out, pool, lower + 7);
    }
    return WHY_SCHEME;
}

apr_status_t ua_base_url_parse(ua_base_url_t *out, apr_pool_t *pool, const char *text,
                               const char **why)
{
    apr_size_t length = strlen(text);
    ua_base_url_t site = {0};
    const char *wrong = NULL;

    length -= length > 0 && text[length - 1] == '/';
    wrong = site_read(&site, pool, apr_pstrmemdup(pool, text, length));
    if (!wrong && site.scheme[4] != 's' && !site.localhost) {
        wrong = WHY_PLAIN;
    }
    if (wrong) {
        *why = wrong;
        return APR_EINVAL;
    }
    *out = site;
    return APR_SUCCESS;
}

/* The three names of the own machine. "*.localhost" is not among them: there each name is a site. */
static int is_own_machine(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "[::1]") == 0;
}

int ua_origin_is_own(apr_pool_t *pool, const ua_base_url_t *base, const char *origin)
{
    ua_base_url_t site = {0};

    if (!origin || site_read(&site, pool, origin)) {
        return 0;
    }
    if (strcmp(site.text, base->text) == 0) {
        return 1;
    }
    return strcmp(base->scheme, "http") == 0 && strcmp(site.scheme, "http") == 0 &&
           is_own_machine(base->host) && is_own_machine(site.host) && site.port == base->port;
}

const char *ua_referer_path(apr_pool_t *pool, const ua_base_url_t *base, const char *referer)
{
    const char *mark = referer ? strstr(referer, "://") : NULL;
    const char *path = mark ? mark + 3 + strcspn(mark + 3, "/\\?#") : NULL;
    apr_size_t length = 0;

    if (!path || !ua_origin_is_own(
                     pool, base, apr_pstrmemdup(pool, referer, (apr_size_t)(path - referer)))) {
        return NULL;
    }
    length = strcspn(path, "#");
    return ua_next_valid(pool, apr_pstrcat(pool, *path == '/' ? "" : "/",
                                           apr_pstrmemdup(pool, path, length), NULL));
}

/* ---- return paths ---- */

static int hex_value(char digit)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *at = digit ? strchr(digits, digit) : NULL;

    return at ? (int)((at - digits) % 16) : -1;
}

/* The byte that "%41" at `at` stands for; -1 when it is no escape. The text ends in a NUL. */
static int escape_value(const char *at)
{
    int high = at[0] == '%' ? hex_value(at[1]) : -1;
    int low = high >= 0 ? hex_value(at[2]) : -1;

    return low >= 0 ? high * 16 + low : -1;
}

/* Decodes all escapes once, in place; what is no escape stays. The new length. */
static apr_size_t decode_once(char *text, apr_size_t length)
{
    apr_size_t made = 0;

    for (apr_size_t i = 0; i < length; i++) {
        int value = escape_value(text + i);

        text[made] = text[i];
        if (value >= 0) {
            text[made] = (char)value;
            i += 2;
        }
        made++;
    }
    text[made] = 0;
    return made;
}

/* A control, also as C1 or as one written in more bytes than it needs (so could be "/" and "\"). */
static int is_bad_byte(const unsigned char *at)
{
    if (at[0] < 0x20 || at[0] == 0x7f || at[0] == '\\') {
        return 1;
    }
    if (at[0] == 0xc0 || at[0] == 0xc1) {
        return at[1] >= 0x80 && at[1] < 0xc0;
    }
    return (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) ||
           (at[0] == 0xe0 && at[1] >= 0x80 && at[1] < 0xa0) ||
           (at[0] == 0xf0 && at[1] >= 0x80 && at[1] < 0x90);
}

static int is_harmless(const char *text, apr_size_t length, int path)
{
    for (apr_size_t i = 0; i < length; i++) {
        if (is_bad_byte((const unsigned char *)text + i)) {
            return 0;
        }
    }
    /* Removing dot segments makes "//" of nothing but "//", so this is the rule for those as well. */
    return !path || !strstr(text, "//");
}

/* Judges one part as it is, decoded once, twice and so on until nothing changes. */
static int part_harmless(apr_pool_t *pool, const char *part, apr_size_t length, int path)
{
    char *text = apr_pstrmemdup(pool, part, length);

    for (int round = 0; round <= DECODE_ROUNDS; round++) {
        apr_size_t before = length;

        if (!is_harmless(text, length, path)) {
            return 0;
        }
        length = decode_once(text, length);
        if (length == before) {
            return 1;
        }
    }
    return 0;
}

static int escapes_complete(const char *text, apr_size_t length)
{
    for (apr_size_t i = 0; i < length; i++) {
        if (text[i] == '%' && escape_value(text + i) < 0) {
            return 0;
        }
    }
    return 1;
}

/* The query and fragment may hold "//" (another address as a value); nothing else is different there. */
const char *ua_next_valid(apr_pool_t *pool, const char *next)
{
    apr_size_t length = next ? strlen(next) : 0;
    apr_size_t path = next ? strcspn(next, "?#") : 0;

    if (length == 0 || length > UA_NEXT_BYTES || next[0] != '/' || strchr(next, ' ')) {
        return NULL;
    }
    if (!ua_utf8_valid(next, length) || ua_utf8_deceptive(next) ||
        !escapes_complete(next, path)) {
        return NULL;
    }
    if (!part_harmless(pool, next, path, 1) ||
        !part_harmless(pool, next + path, length - path, 0)) {
        return NULL;
    }
    return next;
}

/* ---- percent-encoding ---- */

const char *ua_url_encode(apr_pool_t *pool, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *made = apr_palloc(pool, strlen(text) * 3 + 1);
    char *end = made;

    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (strchr(UNRESERVED, *at)) {
            *end++ = (char)*at;
            continue;
        }
        *end++ = '%';
        *end++ = digits[*at >> 4];
        *end++ = digits[*at & 15];
    }
    *end = 0;
    return made;
}

const char *ua_query_get(apr_pool_t *pool, const char *query, const char *name)
{
    char *rest = query ? apr_pstrdup(pool, query) : NULL;

    while (rest) {
        char *value = strsep(&rest, "&");
        const char *key = apr_punescape_url(pool, strsep(&value, "="), NULL, NULL, 1);
        const char *text = NULL;

        if (!key || strcmp(key, name) != 0) {
            continue;
        }
        text = apr_punescape_url(pool, value ? value : "", NULL, NULL, 1);
        return text && ua_utf8_valid(text, strlen(text)) ? text : NULL;
    }
    return NULL;
}
