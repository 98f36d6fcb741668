/* test_cookie.c: COOK-01, COOK-03, ENC-05: strange Cookie headers; and what we set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cookie.h"
#include <string.h>

static const struct {
    const char *comment, *header, *expected;
} reads[] = {
    {"alone", "sid=abc", "abc"},
    {"among others", "a=1; sid=abc; b=2", "abc"},
    {"all characters", "sid=AZaz09._-", "AZaz09._-"},
    {"no blank between", "a=1;sid=abc;b=2", "abc"},
    {"blanks around", " \tsid=abc \t; b=2", "abc"},
    {"twice the same", "sid=abc; sid=abc", "abc"},
    {"COOK-01: twice, different", "sid=abc; a=1; sid=abd", NULL},
    {"COOK-01: twice, one longer", "sid=abc; sid=abcd", NULL},
    {"COOK-01: twice, one empty", "sid=abc; sid=", NULL},
    {"COOK-01: twice, one not ours", "sid=abc; sid=\"abc\"", NULL},
    {"COOK-01: no header", NULL, NULL},
    {"COOK-01: empty", "", NULL},
    {"COOK-01: absent", "a=1; b=2", NULL},
    {"COOK-01: only =", "=", NULL},
    {"COOK-01: only ;", ";;; ;", NULL},
    {"COOK-01: no value", "sid=", NULL},
    {"COOK-01: no =", "sid", NULL},
    {"COOK-01: no = before another", "sid; a=1", NULL},
    {"COOK-01: no name", "=abc; =sid=abc", NULL},
    {"COOK-01: empty pairs around", ";;sid=abc;;", "abc"},
    {"COOK-01: the name is a prefix", "sid2=x; sid-device=y", NULL},
    {"COOK-01: the name is a suffix", "xsid=x; __Host-sid=y", NULL},
    {"COOK-01: the name inside a value", "a=sid=abc", NULL},
    {"COOK-01: another case", "SID=abc", NULL},
    {"COOK-01: a blank before =", "sid =abc", NULL},
    {"COOK-01: a blank inside", "sid=a bc", NULL},
    {"COOK-01: a second =", "sid=a=b", NULL},
    {"COOK-01: two headers joined by a comma", "sid=abc, a=1", NULL},
    {"COOK-01: cut at the end of the header", "a=1; si", NULL},
    {"COOK-03: numbered and counted names", "sid_count=999999999; sid_0=a; sid.1=b", NULL},
    {"ENC-05: quoted", "sid=\"abc\"", NULL},
    {"ENC-05: a backslash", "sid=a\\bc", NULL},
    {"ENC-05: 8-bit", "sid=\xC3\xA4", NULL},
    {"ENC-05: 8-bit elsewhere", "a=\xFF\x80; \xFE=1; sid=abc", "abc"},
    {"ENC-05: a control", "sid=a\001c", NULL},
    {"ENC-05: percent-encoded", "sid=a%62c", NULL},
};

static void same(const char *comment, const char *got, const char *expected)
{
    if (!got != !expected || (got && strcmp(got, expected) != 0)) {
        fail_msg("%s: got %s", comment, got ? got : "none");
    }
}

static void read_one(void **state)
{
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        /* A copy in a block of its own (pool.c): one byte too far is seen. */
        const char *header = reads[i].header ? apr_pstrdup(pool, reads[i].header) : NULL;

        same(reads[i].comment, ua_cookie_get(pool, header, "sid"), reads[i].expected);
    }
    apr_pool_destroy(pool);
}

static void lengths(void **state)
{
    char header[4 + 513 + 1] = "sid=";
    const char *value;
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    memset(header + 4, 'x', 512);
    value = ua_cookie_get(pool, header, "sid");
    assert_non_null(value);
    assert_int_equal(strlen(value), 512);
    header[4 + 512] = 'x';
    assert_null(ua_cookie_get(pool, header, "sid"));
    assert_int_equal(strlen(ua_cookie_get_long(pool, header, "sid", 513)), 513);
    assert_null(ua_cookie_get_long(pool, header, "sid", 512));
    assert_null(ua_cookie_get_long(pool, "sid=a b", "sid", 513));
    apr_pool_destroy(pool);
}

/* COOK-01, COOK-03: 1000 pairs and 8 kB; each prefix of a header is read within its bounds. */
static void many_pairs(void **state)
{
    char *header;
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    header = apr_pstrdup(pool, "");
    for (int i = 0; i < 1000; i++) {
        header = apr_psprintf(pool, "%s%d=x; ", header, i);
    }
    assert_null(ua_cookie_get(pool, header, "sid"));
    assert_string_equal(ua_cookie_get(pool, apr_pstrcat(pool, header, "sid=abc", NULL), "sid"),
                        "abc");
    assert_string_equal(ua_cookie_get(pool, header, "999"), "x");
    for (size_t n = 0; n < sizeof("a=1; sid=abc; b"); n++) {
        const char *cut = apr_pstrmemdup(pool, "a=1; sid=abc; b", n);
        const char *value = ua_cookie_get(pool, cut, "sid");

        assert_int_equal(value != NULL, n > strlen("a=1; sid="));
    }
    apr_pool_destroy(pool);
}

static void written(void **state)
{
    static const struct {
        const char *comment;
        ua_cookie_t cookie;
        const char *expected;
    } cases[] = {
        {"until the browser closes",
         {"userauth", "v", 0, 0},
         "userauth=v; Path=/; HttpOnly; SameSite=Lax"},
        {"under https",
         {"__Host-userauth", "v", 0, 1},
         "__Host-userauth=v; Path=/; HttpOnly; SameSite=Lax; Secure"},
        {"400 days",
         {"__Host-userauth-device", "v", 34560000, 1},
         "__Host-userauth-device=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=34560000"},
        {"deleted",
         {"__Host-userauth", "", 0, 1},
         "__Host-userauth=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"},
        {"deleted, whatever its age",
         {"userauth", "", 60, 0},
         "userauth=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"},
    };

    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        same(cases[i].comment, ua_cookie_text(pool, &cases[i].cookie), cases[i].expected);
    }
    apr_pool_destroy(pool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_one),
        cmocka_unit_test(lengths),
        cmocka_unit_test(many_pairs),
        cmocka_unit_test(written),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
