/* curl_range.c: see curl_range.h.
 *
 * The answer is judged line by line as it arrives and is not kept. Passwords are set rarely, so each
 * lookup has a fresh easy handle and nothing is shared but two counters.
 */
#include "curl_range.h"

#include "crypto.h"

#include <curl/curl.h>

#include <apr_atomic.h>
#include <apr_sha1.h>

#include <string.h>
#include <strings.h>

#define TOTAL_MS     1000
#define FAILURES     3
#define PAUSE        apr_time_from_sec(300)
#define URL_BYTES    2048
#define ANSWER_BYTES 262144 /* 256 KiB */

#define HEX_TEXT    40 /* of a SHA-1 */
#define PREFIX_TEXT 5
#define SUFFIX_TEXT (HEX_TEXT - PREFIX_TEXT)
#define LINE_BYTES  (SUFFIX_TEXT + 1 + 20) /* a 64-bit count and its CR fit */

struct ua_range_t {
    const char *url;
    apr_uint32_t failures; /* in a row; both atomic */
    apr_uint64_t until;    /* the pause's end, or 0 */
};

/* One lookup. Holds secrets: wiped after use. */
typedef struct asking_t {
    char hex[HEX_TEXT + 1];
    char url[URL_BYTES + PREFIX_TEXT + 1];
    char line[LINE_BYTES];
    size_t used;     /* of `line` */
    size_t received; /* bytes of the answer */
    int lines;
    int found;
    const char *wrong; /* with the answer, or NULL */
} asking_t;

static int host_follows(const char *url)
{
    const char *host = NULL;

    if (strncasecmp(url, "https://", 8) == 0) {
        host = url + 8;
    }
    else if (strncasecmp(url, "http://", 7) == 0) {
        host = url + 7;
    }
    return host && *host && !strchr("/?:@", *host);
}

static int url_byte(char byte)
{
    return byte > ' ' && byte < 0x7f && byte != '#';
}

apr_status_t ua_range_create(ua_range_t **out, apr_pool_t *pool, const char *url)
{
    ua_range_t *range;

    if (!host_follows(url) || strlen(url) > URL_BYTES) {
        return APR_EINVAL;
    }
    for (const char *at = url; *at; at++) {
        if (!url_byte(*at)) {
            return APR_EINVAL;
        }
    }
    range = apr_pcalloc(pool, sizeof(*range));
    range->url = apr_pstrdup(pool, url);
    *out = range;
    return APR_SUCCESS;
}

/* 1 when this thread may ask. After a pause the first to come does, and the others see the pause
 * that follows if it fails. A pause cannot outlast its length when the clock is set back. */
static int turn_take(ua_range_t *range, apr_time_t now)
{
    apr_time_t until = (apr_time_t)apr_atomic_read64(&range->until);

    if (until == 0) {
        return 1;
    }
    if (now < until && until - now <= PAUSE) {
        return 0;
    }
    return apr_atomic_cas64(&range->until, (apr_uint64_t)(now + PAUSE), (apr_uint64_t)until) ==
           (apr_uint64_t)until;
}

static void result_count(ua_range_t *range, apr_status_t rv, apr_time_t now)
{
    if (rv == APR_SUCCESS) {
        apr_atomic_set32(&range->failures, 0);
        apr_atomic_set64(&range->until, 0);
        return;
    }
    if (apr_atomic_inc32(&range->failures) + 1 >= FAILURES) {
        apr_atomic_set64(&range->until, (apr_uint64_t)(now + PAUSE));
    }
}

/* SHA-1 because the protocol wants it. */
static void digest_write(char hex[HEX_TEXT + 1], const char *password)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    apr_sha1_ctx_t sha1;

    apr_sha1_init(&sha1);
    apr_sha1_update(&sha1, password, (unsigned int)strlen(password));
    apr_sha1_final(digest, &sha1);
    for (size_t i = 0; i < sizeof(digest); i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[HEX_TEXT] = '\0';
    ua_wipe(&sha1, sizeof(sha1));
    ua_wipe(digest, sizeof(digest));
}

static int all_of(const char *text, size_t length, const char *set)
{
    for (size_t i = 0; i < length; i++) {
        if (!text[i] || !strchr(set, text[i])) {
            return 0;
        }
    }
    return 1;
}

/* "0018A45C4D1DEF81644B54AB7F969B88D65:42": the rest of a digest and how often it leaked. A count of
 * 0 is padding, and says nothing about the digest before it. */
static void line_judge(asking_t *asking)
{
    const char *count = asking->line + SUFFIX_TEXT + 1;
    size_t length = asking->used;

    asking->used = 0;
    asking->lines++;
    if (length && asking->line[length - 1] == '\r') {
        length--;
    }
    if (length <= SUFFIX_TEXT + 1 || asking->line[SUFFIX_TEXT] != ':' ||
        !all_of(asking->line, SUFFIX_TEXT, "0123456789ABCDEFabcdef") ||
        !all_of(count, length - SUFFIX_TEXT - 1, "0123456789")) {
        asking->wrong = "a malformed line";
        return;
    }
    if (strncasecmp(asking->line, asking->hex + PREFIX_TEXT, SUFFIX_TEXT) == 0 &&
        !all_of(count, length - SUFFIX_TEXT - 1, "0")) {
        asking->found = 1;
    }
}

/* libcurl's callback; ends the transfer as soon as something is wrong. */
static size_t answer_take(char *data, size_t size, size_t count, void *baton)
{
    asking_t *asking = baton;
    size_t length = size * count;

    asking->received += length;
    if (asking->received > ANSWER_BYTES) {
        asking->wrong = "too many bytes";
    }
    for (size_t i = 0; i < length && !asking->wrong; i++) {
        if (data[i] == '\n') {
            line_judge(asking);
        }
        else if (asking->used == sizeof(asking->line)) {
            asking->wrong = "a malformed line";
        }
        else {
            asking->line[asking->used++] = data[i];
        }
    }
    return asking->wrong ? 0 : length;
}

static CURLcode numbers_set(CURL *easy)
{
    static const struct {
        CURLoption option;
        long value;
    } rows[] = {
        {CURLOPT_NOSIGNAL, 1},   /* signals belong to the server, and this is a thread */
        {CURLOPT_QUICK_EXIT, 1}, /* or the end waits for a name server that does not answer */
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_CONNECTTIMEOUT_MS, TOTAL_MS},
        {CURLOPT_TIMEOUT_MS, TOTAL_MS},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2}, /* and later */
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
    };

    CURLcode rc = CURLE_OK;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && rc == CURLE_OK; i++) {
        rc = curl_easy_setopt(easy, rows[i].option, rows[i].value);
    }
    return rc;
}

static CURLcode pointers_set(CURL *easy, asking_t *asking, struct curl_slist *headers)
{
    CURLcode rc[] = {
        curl_easy_setopt(easy, CURLOPT_URL, asking->url),
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
        curl_easy_setopt(easy, CURLOPT_PROXY, ""), /* whatever the environment says */
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "mod_userauth"),
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers),
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_take),
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, asking),
    };
    size_t i = 0;

    while (i + 1 < sizeof(rc) / sizeof(rc[0]) && rc[i] == CURLE_OK) {
        i++;
    }
    return rc[i];
}

/* NULL when the list has answered as it should. libcurl's words for a code name no URL. */
static const char *outcome_words(apr_pool_t *pool, asking_t *asking, CURLcode code, long status)
{
    const char *cause = asking->wrong;

    if (status && status != 200) {
        cause = apr_psprintf(pool, "status %ld", status);
    }
    else if (!cause && code != CURLE_OK) {
        return apr_pstrcat(pool, "the list of leaked passwords can't be asked: ",
                           curl_easy_strerror(code), NULL);
    }
    else if (!cause && !asking->lines) {
        cause = "nothing, not even padding";
    }
    return cause ? apr_pstrcat(pool, "the list of leaked passwords answered with ", cause, NULL)
                 : NULL;
}

static apr_status_t easy_cleanup(void *data)
{
    curl_easy_cleanup(data);
    return APR_SUCCESS;
}

static apr_status_t list_cleanup(void *data)
{
    curl_slist_free_all(data);
    return APR_SUCCESS;
}

/* All in `work`, which ends with the lookup; *why is in `pool`. */
static apr_status_t ask_in(apr_pool_t *work, asking_t *asking, apr_pool_t *pool,
                           const char **why)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Add-Padding: true");
    const char *words;
    CURLcode code;
    long status = 0;
    CURL *easy;

    if (!headers) {
        return APR_ENOMEM;
    }
    apr_pool_cleanup_register(work, headers, list_cleanup, apr_pool_cleanup_null);
    easy = curl_easy_init();
    if (!easy) {
        return APR_ENOMEM;
    }
    apr_pool_cleanup_register(work, easy, easy_cleanup, apr_pool_cleanup_null);
    if (numbers_set(easy) != CURLE_OK || pointers_set(easy, asking, headers) != CURLE_OK) {
        return APR_EGENERAL;
    }
    code = curl_easy_perform(easy);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && !asking->wrong && asking->used) {
        line_judge(asking); /* the last, without a line end */
    }
    words = outcome_words(pool, asking, code, status);
    *why = words ? words : *why;
    return words ? APR_EGENERAL : APR_SUCCESS;
}

apr_status_t ua_range_lookup(int *found, ua_range_t *range, apr_pool_t *pool,
                             const char *password, apr_time_t now, const char **why)
{
    const char *cause = "out of memory, or libcurl lacks an option";
    asking_t asking = {.used = 0};
    apr_pool_t *work;
    apr_status_t rv;

    UA_CHECK(apr_pool_create(&work, pool));
    if (!turn_take(range, now)) {
        apr_pool_destroy(work);
        return APR_EAGAIN;
    }
    digest_write(asking.hex, password);
    (void)apr_snprintf(asking.url, sizeof(asking.url), "%s%.*s", range->url, PREFIX_TEXT,
                       asking.hex);
    rv = ask_in(work, &asking, pool, &cause);
    apr_pool_destroy(work);
    result_count(range, rv, now);
    if (rv == APR_SUCCESS) {
        *found = asking.found;
    }
    else {
        *why = cause;
    }
    ua_wipe(&asking, sizeof(asking));
    return rv == APR_SUCCESS ? APR_SUCCESS : APR_EGENERAL;
}
