/* url.c: fuzzes return paths, base URLs, Origin and Referer headers and query strings (base/url.c): RED-03.
 *
 * The input is taken for each in turn. The oracle is the URL parser of browsers (oracle.js): an accepted return
 * path stays on the site as it is and however often it is decoded; a site is spelled as a browser would; an
 * origin or referer that counts as the site's own is. Without node, only what is said here is judged.
 */
#include "fuzz.h"
#include "base/unicode.h"
#include "base/url.h"

#include <string.h>

static const char *const sites[] = {"https://www.example.com", "http://localhost:8080",
                                    "https://[2001:db8::1]:8443"};

static void check_next(apr_pool_t *pool, const char *text)
{
    const char *next = ua_next_valid(pool, text);
    size_t length = strlen(text);

    if (!next) {
        return;
    }
    FUZZ_CHECK(fuzz_same(next, text), "\"%s\" becomes \"%s\"", text, next);
    FUZZ_CHECK(length <= UA_NEXT_BYTES && text[0] == '/' && text[1] != '/' &&
                   !strpbrk(text, "\\ \t\r\n") && fuzz_plain_utf8(text, length),
               "accepted: %s", text);
    fuzz_ask(FUZZ_NODE, 'n', FUZZ_TEXTS(next));
}

static void check_base(apr_pool_t *pool, const char *text)
{
    ua_base_url_t untouched = {.text = "untouched"};
    ua_base_url_t base = untouched;
    ua_base_url_t again = {0};
    const char *why = NULL;

    if (ua_base_url_parse(&base, pool, text, &why) != APR_SUCCESS) {
        FUZZ_CHECK(why && strlen(why) > 20 && why[strlen(why) - 1] == '.',
                   "refused without words");
        FUZZ_CHECK(base.text == untouched.text, "a refused base URL changed the result");
        return;
    }
    FUZZ_CHECK(!why, "accepted, and yet \"%s\"", why);
    FUZZ_CHECK(base.port >= 1 && base.port <= 65535, "port %d", base.port);
    FUZZ_CHECK(base.localhost || strcmp(base.scheme, "https") == 0, "%s is plain", text);
    FUZZ_CHECK(ua_base_url_parse(&again, pool, base.text, &why) == APR_SUCCESS &&
                   fuzz_same(again.text, base.text) && again.port == base.port &&
                   again.localhost == base.localhost,
               "\"%s\" is another when read again", base.text);
    FUZZ_CHECK(ua_origin_is_own(pool, &base, base.text), "\"%s\" is not its own", base.text);
    fuzz_ask(FUZZ_NODE, 'b', FUZZ_TEXTS(text, base.text, apr_itoa(pool, base.port)));
}

static void check_headers(apr_pool_t *pool, const char *site, const char *text)
{
    ua_base_url_t base = {0};
    const char *why = NULL;
    const char *path = NULL;

    FUZZ_CHECK(ua_base_url_parse(&base, pool, site, &why) == APR_SUCCESS, "%s: %s", site, why);
    if (ua_origin_is_own(pool, &base, text)) {
        fuzz_ask(FUZZ_NODE, 'o', FUZZ_TEXTS(site, text));
    }
    path = ua_referer_path(pool, &base, text);
    if (path) {
        check_next(pool, path);
        fuzz_ask(FUZZ_NODE, 'r', FUZZ_TEXTS(site, text, path));
    }
}

static void check_query(apr_pool_t *pool, const char *text)
{
    const char *value = ua_query_get(pool, text, "next");
    const char *encoded = ua_url_encode(pool, text);
    const char *query = apr_pstrcat(pool, "a=b&next=", encoded, "&next=c", NULL);
    int valid = ua_utf8_valid(text, strlen(text));

    FUZZ_CHECK(!strpbrk(encoded, "&=+?#/\\ \"'<>") && strlen(encoded) <= 3 * strlen(text),
               "not encoded: %s", encoded);
    FUZZ_CHECK(fuzz_same(ua_query_get(pool, query, "next"), valid ? text : NULL),
               "read back as another from: %s", query);
    if (value) {
        FUZZ_CHECK(fuzz_plain_utf8(value, strlen(value)), "no text: %s", value);
        fuzz_ask(FUZZ_NODE, 'q', FUZZ_TEXTS(text, "next", value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    const char *text = fuzz_rest(&input, pool);

    check_next(pool, text);
    check_base(pool, text);
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        check_headers(pool, sites[i], text);
    }
    check_query(pool, text);
    return 0;
}
