/* test_url_next.c: return paths. The guard against open redirects.
 *
 * Cases: RED-01 HOST-02 ENC-01 SMTP-05. Three ways: tables of what must and must not pass, the payloads in
 * test/data/open-redirect.txt, and every combination of four pieces. What passes in the last two is judged
 * by an oracle that shares no code with url.c: it does what a WHATWG URL parser does, on the value as it
 * is and on what is left after each further decoding. Run from the top of the tree.
 */
#include "base/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define ORACLE_CONTROLS                                                                        \
    "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x10\x11\x12\x13\x14"         \
    "\x15\x16\x17\x18\x19\x1A\x1B\x1C\x1D\x1E\x1F\x7F"
#define PAYLOADS "test/data/open-redirect.txt"

static const char *const good[] = {
    "/",
    "/app/page?x=1&y=a%20b#frag",
    "/dashboard/members?q=%C3%A9",
    "/a/b%2Fc",
    "/search?u=https://other.example/",
    "/search?u=https%3A%2F%2Fother.example%2F",
    "/p?q=100%25",
    "/p?q=100%",
    "/p?q=%zz",
    "/100%25/x",
    "/a/",
    "/a/../b",
    "/a?b#//c",
    "/a?b=//c",
    "/a/?b",
    "/caf%C3%A9",
    "/caf\xC3\xA9",
    "/caf%E9", /* Latin-1, as old sites have it */
    "/%C0%C9?%C2a&%E0a&%F0a",
    "/%C3%BC%C2%A7%E0%A4%A8%F0%9F%98%80",
    "/~user/index.html;v=1?a[]=1&b=%5B%5D",
    "/wiki/a:b@c,d!e$f'g(h)*i+j",
    "/..a/.b/c..",
    "/%25252541", /* decoded four times */
};

static const struct {
    const char *next;
    const char *comment;
} bad[] = {
    {"", "nothing"},
    {"a", "no slash"},
    {" /a", "blank first"},
    {"/a b", "blank inside"},
    {"/a ", "blank last"},
    {"//evil.example", "another host"},
    {"/\\evil.example", "another host to a browser"},
    {"\\/evil.example", "backslash first"},
    {"/a\\b", "backslash"},
    {"/a?b=\\", "backslash in the query"},
    {"/a#\\", "backslash in the fragment"},
    {"/%5Cevil.example", "backslash, encoded"},
    {"/a?b=%5C", "backslash, encoded, in the query"},
    {"/%255cevil.example", "backslash, doubly encoded"},
    {"/%25255cevil.example", "backslash, three times"},
    {"/%2525255cevil.example", "backslash, four times"},
    {"/%2525252541", "encoded more often than we follow"},
    {"/%2Fevil.example", "slash, encoded"},
    {"/%252fevil.example", "slash, doubly encoded"},
    {"/a//b", "contract 1: no // in a path"},
    {"/a/%2Fb", "nor half of it encoded"},
    {"/a%2f%2fb", "nor all of it"},
    {"/.//evil.example", "dot segment"},
    {"/..//evil.example", "dot segment"},
    {"/a/..//evil.example", "dot segment"},
    {"/%2e%2e//evil.example", "dot segment, encoded"},
    {"/%2e%2e%2f%2fevil.example", "all of it encoded"},
    {"/\t/evil.example", "tab"},
    {"/\n/evil.example", "LF"},
    {"/\r/evil.example", "CR"},
    {"/a\n", "LF last"},
    {"\n/a", "LF first"},
    {"\t//evil.example", "tab first"},
    {"\x01//evil.example", "C0 first"},
    {"/\x0B/evil.example", "vertical tab"},
    {"/\x0C/evil.example", "form feed"},
    {"/a\x1F", "C0"},
    {"/a\x7F", "DEL"},
    {"/%09/evil.example", "tab, encoded"},
    {"/%0A/evil.example", "LF, encoded"},
    {"/%00", "NUL, encoded"},
    {"/%2500", "NUL, doubly encoded"},
    {"/a?b=%0D%0ASet-Cookie:c", "SMTP-05 a header"},
    {"/a#%0d%0aSet-Cookie:c", "SMTP-05 a header"},
    {"/a?b=%250a", "SMTP-05 doubly encoded"},
    {"/a%7F", "DEL, encoded"},
    {"/a%C2%85", "C1, encoded"},
    {"/a\xC2\x85", "C1"},
    {"/a\xE2\x80\xA8", "U+2028"},
    {"/a\xE2\x80\xAE"
     "b\xE2\x80\xAC",
     "direction mark"},
    {"/\xEF\xBB\xBF/evil.example", "BOM"},
    {"/%c0%afevil.example", "overlong slash"},
    {"/%e0%80%af", "overlong slash"},
    {"/%f0%80%80%af", "overlong slash"},
    {"/%c1%9c", "overlong backslash"},
    {"/\xC0\xAF"
     "evil.example",
     "ENC-01 overlong slash"},
    {"/\xED\xA0\x80", "ENC-01 surrogate"},
    {"/caf\xE9", "ENC-01 Latin-1"},
    {"/\xFF", "ENC-01 no UTF-8"},
    {"/%", "escape cut short"},
    {"/%4", "escape cut short"},
    {"/%zz", "no escape"},
    {"/%u002f", "no escape"},
    {"/%%32%66evil.example", "an escape made of escapes"},
    {"/%25%32%66evil.example", "an escape made of escapes"},
};

/* Fails with what went wrong and with which row. */
static void expect(int passed, const char *what, const char *row)
{
    if (!passed) {
        fail_msg("%s: %s", what, row);
    }
}

/* ---- the oracle ---- */

/* WHATWG URL, basic parser: C0 and blanks stripped at both ends, tab, LF and CR removed everywhere. */
static char *oracle_strip(apr_pool_t *pool, const char *text)
{
    char *made = apr_pcalloc(pool, strlen(text) + 1);
    apr_size_t length = 0;

    while (*text && (unsigned char)*text <= ' ') {
        text++;
    }
    for (; *text; text++) {
        if (!strchr("\t\n\r", *text)) {
            made[length++] = *text;
        }
    }
    while (length > 0 && (unsigned char)made[length - 1] <= ' ') {
        made[--length] = 0;
    }
    return made;
}

static int oracle_listed(const char *const *words, const char *segment)
{
    while (*words && strcasecmp(*words, segment) != 0) {
        words++;
    }
    return *words != NULL;
}

/* The path after "path state": dot segments, also encoded ones, removed. */
static const char *oracle_path(apr_pool_t *pool, char *path)
{
    static const char *const single[] = {".", "%2e", NULL};
    static const char *const twice[] = {"..", ".%2e", "%2e.", "%2e%2e", NULL};
    const char *made = "";

    strsep(&path, "/");
    while (path) {
        const char *segment = strsep(&path, "/");

        if (oracle_listed(twice, segment)) {
            const char *slash = strrchr(made, '/');

            made = apr_pstrmemdup(pool, made, slash ? (apr_size_t)(slash - made) : 0);
        }
        else if (!oracle_listed(single, segment)) {
            made = apr_pstrcat(pool, made, "/", segment, NULL);
            continue;
        }
        made = path ? made : apr_pstrcat(pool, made, "/", NULL);
    }
    return made;
}

/* 1 when a browser at the own site stays there, on an absolute path that is none of another host either. */
static int oracle_stays(apr_pool_t *pool, const char *text)
{
    char *url = oracle_strip(pool, text);

    url[strcspn(url, "?#")] = 0;
    for (char *at = strchr(url, '\\'); at; at = strchr(at, '\\')) {
        *at = '/';
    }
    return url[0] == '/' && url[1] != '/' && strncmp(oracle_path(pool, url), "//", 2) != 0;
}

static int oracle_hex(const char *at)
{
    char digits[3] = "";

    apr_cpystrn(digits, at, sizeof digits);
    return strspn(digits, "0123456789abcdefABCDEF") == 2 ? (int)strtol(digits, NULL, 16) : -1;
}

/* Decoded once; NULL when that gives a NUL. */
static const char *oracle_decode(apr_pool_t *pool, const char *text)
{
    char *made = apr_pcalloc(pool, strlen(text) + 1);
    char *end = made;

    while (*text) {
        int byte = *text == '%' ? oracle_hex(text + 1) : -1;

        if (byte == 0) {
            return NULL;
        }
        *end = *text++;
        if (byte > 0) {
            *end = (char)byte;
            text += 2;
        }
        end++;
    }
    return made;
}

static int oracle_harmless(apr_pool_t *pool, const char *text)
{
    for (int round = 0; round < 8; round++) {
        if (!text || !oracle_stays(pool, text) || strpbrk(text, ORACLE_CONTROLS "\\")) {
            return 0;
        }
        text = oracle_decode(pool, text);
    }
    return 1;
}

static void test_oracle(void **state)
{
    static const char *const evil[] = {
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        " //evil.example",
        "\x01//evil.example",
        "/.//evil.example",
        "/..//evil.example",
        "/a/..//evil.example",
        "/%2e%2e//evil.example",
        "/%2E//evil.example",
        "/a/.%2e//evil.example",
        "/%2fevil.example",
        "/%5cevil.example",
        "/%252fevil.example",
        "/%09/evil.example",
        "/%00",
        "/a\nb",
        "a",
        "",
        "?a",
        "/%2525252fevil.example",
    };

    for (apr_size_t i = 0; i < COUNT(evil); i++) {
        expect(!oracle_harmless(*state, evil[i]), "the oracle is blind", evil[i]);
    }
    for (apr_size_t i = 0; i < COUNT(good); i++) {
        assert_true(oracle_harmless(*state, good[i]));
    }
    assert_string_equal(oracle_path(*state, apr_pstrdup(*state, "/a/./b/../c/%2E%2e/d/..")),
                        "/a/");
    assert_string_equal(oracle_path(*state, apr_pstrdup(*state, "/../a/.")), "/a/");
}

/* ---- the tests ---- */

static void test_good(void **state)
{
    for (apr_size_t i = 0; i < COUNT(good); i++) {
        const char *next = ua_next_valid(*state, good[i]);

        expect(next != NULL, "refused", good[i]);
        assert_string_equal(next, good[i]);
    }
}

static void test_bad(void **state) /* RED-01 HOST-02 ENC-01 SMTP-05 */
{
    for (apr_size_t i = 0; i < COUNT(bad); i++) {
        expect(!ua_next_valid(*state, bad[i].next), bad[i].comment, bad[i].next);
    }
    assert_null(ua_next_valid(*state, NULL));
}

static void test_length(void **state)
{
    char text[UA_NEXT_BYTES + 2] = "/";

    memset(text + 1, 'a', UA_NEXT_BYTES - 1);
    assert_non_null(ua_next_valid(*state, text));
    text[UA_NEXT_BYTES] = 'a';
    assert_null(ua_next_valid(*state, text));
}

/* Each byte, alone and encoded, in the place where it is the most dangerous. */
static void test_every_byte(void **state) /* RED-01 */
{
    for (int byte = 1; byte < 256; byte++) {
        const char *raw = apr_psprintf(*state, "/%c/evil.example", byte);
        const char *encoded = apr_psprintf(*state, "/%%%02x/evil.example", (unsigned)byte);
        const char *doubly = apr_psprintf(*state, "/%%25%02x/evil.example", (unsigned)byte);
        int printable = byte >= 0x20 && byte != 0x7f && !strchr("\\/", byte);

        assert_int_equal(ua_next_valid(*state, encoded) != NULL, printable);
        assert_int_equal(ua_next_valid(*state, doubly) != NULL, printable);
        assert_int_equal(ua_next_valid(*state, raw) != NULL,
                         printable && byte < 0x7f && !strchr(" %", byte));
    }
}

static void test_payloads(void **state) /* RED-01 */
{
    FILE *file = fopen(PAYLOADS, "r");
    char line[4096];
    int refused = 0;
    int local = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        const char *next = NULL;

        line[strcspn(line, "\n")] = 0;
        next = ua_next_valid(*state, line);
        refused += !next;
        local += next != NULL;
        expect(!next || oracle_harmless(*state, next), "accepted", line);
    }
    assert_int_equal(fclose(file), 0);
    assert_in_range(refused, 700, 100000);
    assert_in_range(local, 60, 200); /* those that only look bad */
}

/* All ways to put four pieces behind a slash: what passes is harmless, and enough passes to say so. */
static void test_combined(void **state) /* RED-01 */
{
    static const char *const pieces[] = {"",  "/",  "\\",  "%2f", "%5C", "%252f",
                                         ".", "..", "%2e", "a",   "%09", "\t",
                                         "%", "25", "2f",  "?",   "@"};
    apr_size_t count = COUNT(pieces);
    int passed = 0;

    for (apr_size_t i = 0; i < count * count * count * count; i++) {
        char text[64] = "";
        apr_pool_t *pool = NULL;
        const char *next = NULL;

        assert_int_equal(apr_pool_create(&pool, *state), APR_SUCCESS);
        apr_snprintf(text, sizeof text, "/%s%s%s%s", pieces[i % count],
                     pieces[i / count % count], pieces[i / count / count % count],
                     pieces[i / count / count / count]);
        next = ua_next_valid(pool, text);
        passed += next != NULL;
        expect(!next || oracle_harmless(pool, next), "accepted", text);
        apr_pool_destroy(pool);
    }
    assert_in_range(passed, 5000, 50000);
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
        cmocka_unit_test(test_oracle),     cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),        cmocka_unit_test(test_length),
        cmocka_unit_test(test_every_byte), cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_combined),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, setup, teardown);
}
