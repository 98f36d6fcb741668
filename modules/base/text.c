/* text.c: case, lists, durations, times, log lines and client addresses as text.
 *
 * All of it is ASCII by its own rules, whatever the locale of the process. Times are UTC.
 */
#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define SECONDS_A_DAY 86400

typedef struct unit_t {
    char mark;
    apr_int64_t seconds;
    const char *word;
} unit_t;

static const unit_t units[] = {
    {'d', SECONDS_A_DAY, "day"}, {'h', 3600, "hour"}, {'m', 60, "minute"}, {'s', 1, "second"}};

static char lower(char byte)
{
    if (byte >= 'A' && byte <= 'Z') {
        return (char)(byte + ('a' - 'A'));
    }
    return byte;
}

const char *ua_lower(apr_pool_t *pool, const char *text)
{
    char *copy = apr_pstrdup(pool, text);

    for (char *at = copy; *at; at++) {
        *at = lower(*at);
    }
    return copy;
}

static int same_word(const char *word, const char *text, apr_size_t length)
{
    for (apr_size_t i = 0; i < length; i++) {
        if (lower(word[i]) != lower(text[i])) {
            return 0;
        }
    }
    return 1;
}

int ua_listed(const char *list, const char *text)
{
    apr_size_t length = strlen(text);

    for (list += strspn(list, " \t\r\n"); *list; list += strspn(list, " \t\r\n")) {
        apr_size_t word = strcspn(list, " \t\r\n");

        if (word == length && same_word(list, text, length)) {
            return 1;
        }
        list += word;
    }
    return 0;
}

/* How many seconds one of the written unit is; 0 for no unit of ours. */
static apr_int64_t unit_seconds(const char *unit)
{
    if (!unit[0]) {
        return 1;
    }
    for (apr_size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (unit[0] == units[i].mark && !unit[1]) {
            return units[i].seconds;
        }
    }
    return 0;
}

apr_status_t ua_duration_parse(apr_interval_time_t *out, const char *text)
{
    const char *at = text;
    apr_int64_t number = 0, unit, product;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *at - '0', &number)) {
            return APR_EINVAL;
        }
    }
    unit = unit_seconds(at);
    if (at == text || !unit || __builtin_mul_overflow(number, unit, &product) ||
        __builtin_mul_overflow(product, (apr_int64_t)APR_USEC_PER_SEC, &product)) {
        return APR_EINVAL;
    }
    *out = product;
    return APR_SUCCESS;
}

const char *ua_duration_words(apr_pool_t *pool, apr_interval_time_t duration)
{
    apr_int64_t seconds = duration > 0 ? (duration - 1) / APR_USEC_PER_SEC + 1 : 0;
    /* People say "24 hours" of a link, but "7 days". */
    const unit_t *unit = seconds > SECONDS_A_DAY ? units : units + 1;

    while (unit->seconds > 1 && (seconds == 0 || seconds % unit->seconds != 0)) {
        unit++;
    }
    seconds /= unit->seconds;
    return apr_psprintf(pool, "%" APR_INT64_T_FMT " %s%s", seconds, unit->word,
                        seconds == 1 ? "" : "s");
}

const char *ua_wait_words(apr_pool_t *pool, apr_interval_time_t wait)
{
    apr_interval_time_t step = apr_time_from_sec(wait < apr_time_from_sec(100)    ? 1
                                                 : wait < apr_time_from_sec(6000) ? 60
                                                                                  : 3600);

    return ua_duration_words(pool, (wait + step - 1) / step * step);
}

const char *ua_time_rfc3339(apr_pool_t *pool, apr_time_t time)
{
    apr_time_exp_t t;

    if (!time || apr_time_exp_gmt(&t, time) != APR_SUCCESS) {
        return "";
    }
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1,
                        t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

const char *ua_time_words(apr_pool_t *pool, apr_time_t time)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    apr_time_exp_t t;

    if (!time || apr_time_exp_gmt(&t, time) != APR_SUCCESS) {
        return "";
    }
    return apr_psprintf(pool, "%d %s %d at %02d:%02d UTC", t.tm_mday, months[t.tm_mon],
                        t.tm_year + 1900, t.tm_hour, t.tm_min);
}

const char *ua_time_rfc5322(apr_pool_t *pool, apr_time_t time)
{
    apr_time_exp_t t;

    if (apr_time_exp_gmt(&t, time) != APR_SUCCESS) {
        return "";
    }
    return apr_psprintf(pool, "%s, %02d %s %04d %02d:%02d:%02d +0000",
                        apr_day_snames[t.tm_wday], t.tm_mday, apr_month_snames[t.tm_mon],
                        t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

const char *ua_log_escape(apr_pool_t *pool, const char *text, apr_size_t most)
{
    static const char hex[] = "0123456789abcdef";
    apr_size_t length = strlen(text);
    apr_size_t kept = length < most ? length : most;
    char *out = apr_palloc(pool, kept * 4 + sizeof("..."));
    char *to = out;

    for (apr_size_t i = 0; i < kept; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte >= ' ' && byte <= '~' && byte != '"' && byte != '\'' && byte != '\\') {
            *to++ = text[i];
            continue;
        }
        *to++ = '\\';
        *to++ = 'x';
        *to++ = hex[byte >> 4];
        *to++ = hex[byte & 15];
    }
    memcpy(to, length > most ? "..." : "", length > most ? sizeof("...") : 1);
    return out;
}

/* Network order, IPv4 as its v4-mapped form; 0 when it is no address. A zone ("%eth0") is dropped. */
static int address_parse(unsigned char out[16], const char *text)
{
    char bare[INET6_ADDRSTRLEN];
    apr_size_t length = strcspn(text, "%");

    if (length >= sizeof(bare)) {
        return 0;
    }
    memcpy(bare, text, length);
    bare[length] = '\0';
    memset(out, 0, 16);
    memset(out + 10, 0xff, 2);
    return inet_pton(AF_INET, bare, out + 12) == 1 || inet_pton(AF_INET6, bare, out) == 1;
}

static int address_is_v4(const unsigned char address[16])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    return memcmp(address, mapped, sizeof(mapped)) == 0;
}

const char *ua_address_network(apr_pool_t *pool, const char *address)
{
    unsigned char bytes[16];
    char text[INET6_ADDRSTRLEN];

    if (!address_parse(bytes, address)) {
        return apr_pstrdup(pool, address);
    }
    if (address_is_v4(bytes)) {
        inet_ntop(AF_INET, bytes + 12, text, sizeof(text));
        return apr_pstrdup(pool, text);
    }
    memset(bytes + 8, 0, 8);
    inet_ntop(AF_INET6, bytes, text, sizeof(text));
    return apr_pstrcat(pool, text, "/64", NULL);
}

int ua_address_loopback(const char *address)
{
    static const unsigned char one[16] = {[15] = 1};
    unsigned char bytes[16];

    if (!address_parse(bytes, address)) {
        return 0;
    }
    return address_is_v4(bytes) ? bytes[12] == 127 : memcmp(bytes, one, sizeof(one)) == 0;
}
