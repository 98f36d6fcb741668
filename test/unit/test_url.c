/* test_url.c: the base URL, what counts as its origin, and percent-encoding.
 *
 * Cases: CFG-03 HOST-02 ENC-01 SQL-05 UNI-10. Return paths have a program of their own: test_url_next.c.
 */
#include "base/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <locale.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define L16   "abcdefghijklmnop"
#define L63   L16 L16 L16 "abcdefghijklmno"
#define LOCAL "http://localhost:8080"
#define SITE  "https://www.example.com"

static const struct {
    const char *typed;
    ua_base_url_t url;
} good[] = {
    {SITE, {SITE, "https", "www.example.com", 443, 0}},
    {SITE "/", {SITE, "https", "www.example.com", 443, 0}},
    {"HTTPS://WWW.Example.COM/", {SITE, "https", "www.example.com", 443, 0}},
    {SITE ":443", {SITE, "https", "www.example.com", 443, 0}},
    {SITE ":8443/", {SITE ":8443", "https", "www.example.com", 8443, 0}},
    {SITE ":80", {SITE ":80", "https", "www.example.com", 80, 0}},
    {"https://INTRANET", {"https://intranet", "https", "intranet", 443, 0}}, /* UNI-10 */
    {"https://xn--bcher-kva.example",
     {"https://xn--bcher-kva.example", "https", "xn--bcher-kva.example", 443, 0}},
    {"https://3com.example", {"https://3com.example", "https", "3com.example", 443, 0}},
    {"https://192.0.2.1:8443", {"https://192.0.2.1:8443", "https", "192.0.2.1", 8443, 0}},
    {"https://[2001:DB8:0::1]", {"https://[2001:db8::1]", "https", "[2001:db8::1]", 443, 0}},
    {"https://" L63 ".example", {"https://" L63 ".example", "https", L63 ".example", 443, 0}},
    {"http://localhost", {"http://localhost", "http", "localhost", 80, 1}},
    {"http://localhost:80/", {"http://localhost", "http", "localhost", 80, 1}},
    {LOCAL, {LOCAL, "http", "localhost", 8080, 1}},
    {"http://app.localhost:8080",
     {"http://app.localhost:8080", "http", "app.localhost", 8080, 1}},
    {"http://127.0.0.1:8080", {"http://127.0.0.1:8080", "http", "127.0.0.1", 8080, 1}},
    {"http://127.9.9.9", {"http://127.9.9.9", "http", "127.9.9.9", 80, 1}},
    {"http://[::1]:8080", {"http://[::1]:8080", "http", "[::1]", 8080, 1}},
    {"http://[0:0:0:0:0:0:0:1]", {"http://[::1]", "http", "[::1]", 80, 1}},
    {"https://localhost:65535", {"https://localhost:65535", "https", "localhost", 65535, 1}},
    {"https://127.example.com",
     {"https://127.example.com", "https", "127.example.com", 443, 0}},
};

/* The last column is a word of the sentence that says why. */
static const struct {
    const char *typed;
    const char *why;
} bad[] = {
    {"", "begin"},
    {"/", "begin"},
    {"www.example.com", "begin"},
    {"//www.example.com", "begin"},
    {"https:", "begin"},
    {"https:/www.example.com", "begin"},
    {"https:www.example.com", "begin"},
    {"ftp://www.example.com", "begin"},
    {"javascript://www.example.com", "begin"},
    {"httpss://www.example.com", "begin"},
    {" https://www.example.com", "begin"},
    {"\thttps://www.example.com", "begin"},
    {"http://www.example.com", "localhost only"},
    {"http://www.example.com:8080", "localhost only"},
    {"http://192.0.2.1", "localhost only"},
    {"http://[2001:db8::1]", "localhost only"},
    {"http://127.example.com", "localhost only"},
    {"http://localhost.example.com", "localhost only"},
    {"http://notlocalhost", "localhost only"},
    {"http://128.0.0.1", "localhost only"},
    {"http://[::ffff:127.0.0.1]", "localhost only"},
    {SITE "//", "path"},
    {SITE "/app", "path"},
    {SITE "/app/", "path"},
    {SITE "?x=1", "path"},
    {SITE "/?x=1", "path"},
    {SITE "?", "path"},
    {SITE "#top", "path"},
    {SITE "\\", "path"},
    {SITE "\\@evil.example", "path"},
    {"https://user@www.example.com", "user name"},
    {"https://user:secret@www.example.com", "user name"},
    {"https://@www.example.com", "user name"},
    {"https://", "begin"},
    {"https:///", "The host"},
    {"https://:443", "The host"},
    {"https://.example.com", "The host"},
    {"https://example.com.", "The host"},
    {"https://example..com", "The host"},
    {"https://-example.com", "The host"},
    {"https://example-.com", "The host"},
    {"https://exam_ple.com", "The host"},
    {"https://exam ple.com", "The host"},
    {"https://www.example.com ", "The host"},
    {"https://www.example.com\n", "The host"},
    {"https://www.example.com\r\nX: y", "The host"},
    {"https://www%2eexample.com", "The host"},
    {"https://*.example.com", "The host"},
    {"https://b\xC3\xBC"
     "cher.example",
     "xn--"},
    {"https://" L63 "a.example", "The host"},
    {"https://" L63 "." L63 "." L63 "." L63, "The host"},
    {"https://127.1", "The host"},
    {"https://2130706433", "The host"},
    {"https://0x7f000001", "The host"},
    {"https://127.0.0.0x1", "The host"},
    {"https://0x", "The host"},
    {"https://127.0.0.256", "The host"},
    {"https://1.2.3.4.5", "The host"},
    {"https://[::1", "The host"},
    {"https://[]", "The host"},
    {"https://[", "The host"},
    {"https://[::1%lo]", "The host"},
    {"https://[www.example.com]", "The host"},
    {"https://::1", "The host"},
    {SITE ":", "port"},
    {SITE ":0", "port"},
    {SITE ":00443", "port"},
    {SITE ":65536", "port"},
    {SITE ":99999999999999999999", "port"},
    {SITE ":-1", "port"},
    {SITE ":+443", "port"},
    {SITE ":443a", "port"},
    {SITE ":44 3", "port"},
    {SITE ":443:443", "port"},
    {"https://[::1]8080", "port"},
    {"https://[::1]]", "port"},
};

/* Fails with what went wrong and with which row. */
static void expect(int passed, const char *what, const char *row)
{
    if (!passed) {
        fail_msg("%s: %s", what, row);
    }
}

static void test_base_good(void **state)
{
    for (apr_size_t i = 0; i < COUNT(good); i++) {
        ua_base_url_t url = {0};
        const char *why = "before";

        expect(ua_base_url_parse(&url, *state, good[i].typed, &why) == APR_SUCCESS, why,
               good[i].typed);
        assert_string_equal(why, "before");
        assert_string_equal(url.text, good[i].url.text);
        assert_string_equal(url.scheme, good[i].url.scheme);
        assert_string_equal(url.host, good[i].url.host);
        assert_int_equal(url.port, good[i].url.port);
        assert_int_equal(url.localhost, good[i].url.localhost);
    }
}

static void test_base_bad(void **state) /* CFG-03 */
{
    for (apr_size_t i = 0; i < COUNT(bad); i++) {
        ua_base_url_t url = {.text = "before"};
        const char *why = NULL;

        expect(ua_base_url_parse(&url, *state, bad[i].typed, &why) == APR_EINVAL, "accepted",
               bad[i].typed);
        assert_string_equal(url.text, "before");
        assert_non_null(why);
        expect(strstr(why, bad[i].why) != NULL, why, bad[i].typed);
        assert_int_equal(why[strlen(why) - 1], '.');
    }
}

static const struct {
    const char *base;
    const char *origin;
    int own;
} origins[] = {
    {SITE, SITE, 1},
    {SITE, SITE ":443", 1},
    {SITE, "HTTPS://WWW.EXAMPLE.COM", 1},
    {SITE ":8443", SITE ":8443", 1},
    {"https://[2001:db8::1]", "https://[2001:db8:0:0::1]", 1},
    {SITE, NULL, 0},
    {SITE, "", 0},
    {SITE, "null", 0},
    {SITE, SITE "/", 0},
    {SITE, SITE "/x", 0},
    {SITE, SITE ":8443", 0},
    {SITE, SITE ":80", 0},
    {SITE, "http://www.example.com", 0},
    {SITE, "http://www.example.com:443", 0},
    {SITE, "https://example.com", 0},
    {SITE, "https://evil.www.example.com", 0},
    {SITE, "https://www.example.com.evil.example", 0},
    {SITE, "https://www.example.com@evil.example", 0},
    {SITE, "https://evil.example@www.example.com", 0},
    {SITE, "https://www.example.com.", 0},
    {SITE, "https://www.example.com evil", 0},
    {SITE, SITE " " SITE, 0},
    {SITE, SITE ", https://evil.example", 0},
    {SITE, "www.example.com", 0},
    {SITE, "//www.example.com", 0},
    {SITE, LOCAL, 0},
    {LOCAL, LOCAL, 1},
    {LOCAL, "http://127.0.0.1:8080", 1},
    {LOCAL, "http://[::1]:8080", 1},
    {"http://127.0.0.1:8080", LOCAL, 1},
    {"http://[::1]:8080", "http://127.0.0.1:8080", 1},
    {LOCAL, "http://localhost", 0},
    {LOCAL, "http://127.0.0.1:8081", 0},
    {LOCAL, "https://localhost:8080", 0},
    {LOCAL, "http://127.0.0.2:8080", 0},
    {"https://localhost:8080", "http://127.0.0.1:8080", 0},
    {LOCAL, "http://app.localhost:8080", 0},
    {LOCAL, "http://evil.example:8080", 0},
    {"http://app.localhost:8080", LOCAL,
     0}, /* each name below localhost is a site of its own */
    {"http://app.localhost:8080", "http://app.localhost:8080", 1},
    {"https://localhost:8443", "https://127.0.0.1:8443",
     0}, /* one origin under plain http only */
};

static ua_base_url_t base_url(apr_pool_t *pool, const char *text)
{
    ua_base_url_t url = {0};
    const char *why = NULL;

    assert_int_equal(ua_base_url_parse(&url, pool, text, &why), APR_SUCCESS);
    return url;
}

static void test_origin(void **state)
{
    for (apr_size_t i = 0; i < COUNT(origins); i++) {
        ua_base_url_t base = base_url(*state, origins[i].base);

        expect(ua_origin_is_own(*state, &base, origins[i].origin) == origins[i].own,
               origins[i].base, origins[i].origin ? origins[i].origin : "none");
    }
}

static const struct {
    const char *referer;
    const char *path;
} referers[] = {
    {SITE "/", "/"},
    {SITE, "/"},
    {SITE "?x=1", "/?x=1"},
    {SITE "/app/page?x=1&y=a%20b", "/app/page?x=1&y=a%20b"},
    {SITE ":443/app#part", "/app"},
    {SITE "#part", "/"},
    {SITE "/search?u=https://other.example/", "/search?u=https://other.example/"},
    {NULL, NULL},
    {"", NULL},
    {"/app", NULL},
    {"about:blank", NULL},
    {"https://evil.example/app", NULL},
    {"https://evil.example/?" SITE "/", NULL},
    {"https://www.example.com@evil.example/", NULL},
    {"https://user@www.example.com/", NULL},
    {"https://www.example.com\\@evil.example/", NULL},
    {"http://www.example.com/app", NULL},
    {SITE ":8443/app", NULL},
    {SITE "//evil.example", NULL},
    {SITE "/\\evil.example", NULL},
    {SITE "\\\\evil.example", NULL},
    {SITE "/%2fevil.example", NULL},
    {SITE "/a%0d%0ab", NULL},
};

static void test_referer(void **state) /* HOST-02 */
{
    ua_base_url_t base = base_url(*state, SITE);

    for (apr_size_t i = 0; i < COUNT(referers); i++) {
        const char *path = ua_referer_path(*state, &base, referers[i].referer);

        if (!referers[i].path) {
            assert_null(path);
            continue;
        }
        assert_non_null(path);
        assert_string_equal(path, referers[i].path);
    }
}

static void test_encode(void **state)
{
    char every[256] = "";
    const char *query = NULL;

    for (int byte = 1; byte < 256; byte++) {
        every[byte - 1] = (char)byte;
    }
    assert_string_equal(ua_url_encode(*state, ""), "");
    assert_string_equal(ua_url_encode(*state, "AZaz09-._~"), "AZaz09-._~");
    assert_string_equal(ua_url_encode(*state, "/a b+c?&=#%"), "%2Fa%20b%2Bc%3F%26%3D%23%25");
    assert_string_equal(ua_url_encode(*state, "\xC3\xBC\r\n\"<'"), "%C3%BC%0D%0A%22%3C%27");
    assert_int_equal(strlen(ua_url_encode(*state, every)), 66 + 189 * 3);
    query = apr_pstrcat(*state, "next=", ua_url_encode(*state, "/a?b=1&c=%2F+\xC3\xBC"), NULL);
    assert_string_equal(ua_query_get(*state, query, "next"), "/a?b=1&c=%2F+\xC3\xBC");
}

static const struct {
    const char *query;
    const char *value;
} queries[] = {
    {"q=1", "1"},
    {"q=", ""},
    {"q", ""},
    {"a=1&q=2&b=3", "2"},
    {"q=1&q=2", "1"},
    {"&&q=1", "1"},
    {"%71=1", "1"},
    {"q=a+b%20c%2B", "a b c+"},
    {"q=a=b", "a=b"},
    {"q=%C3%BC", "\xC3\xBC"},
    {"bad=%zz&%=1&q=1", "1"}, /* another's mistake is not ours */
    {NULL, NULL},
    {"", NULL},
    {"Q=1", NULL},
    {"qq=1", NULL},
    {"a=q", NULL},
    {"q=%", NULL},
    {"q=%zz&q=1", NULL},      /* the first one counts */
    {"q=alice%00evil", NULL}, /* SQL-05 */
    {"q%00=1", NULL},
    {"q=%FF", NULL},    /* ENC-01 */
    {"q=%C0%AF", NULL}, /* ENC-01 */
    {"q=\xFF", NULL},   /* ENC-01 */
    {"q=%1B", NULL},    /* ENC-01 */
};

static void test_query(void **state) /* ENC-01 SQL-05 */
{
    for (apr_size_t i = 0; i < COUNT(queries); i++) {
        const char *value = ua_query_get(*state, queries[i].query, "q");

        if (!queries[i].value) {
            assert_null(value);
            continue;
        }
        assert_non_null(value);
        assert_string_equal(value, queries[i].value);
    }
}

static int setup(void **state)
{
    return apr_pool_create((apr_pool_t **)state, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    apr_pool_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_good), cmocka_unit_test(test_base_bad),
        cmocka_unit_test(test_origin),    cmocka_unit_test(test_referer),
        cmocka_unit_test(test_encode),    cmocka_unit_test(test_query),
    };

    if (!setlocale(LC_ALL, "tr_TR.UTF-8") && !setlocale(LC_ALL, "tr_TR")) { /* UNI-10 */
        setlocale(LC_ALL, "C");
    }
    apr_initialize();
    return cmocka_run_group_tests(tests, setup, teardown);
}
