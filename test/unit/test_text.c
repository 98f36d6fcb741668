/* test_text.c: text in and out, by tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include <string.h>

#define SECOND ((apr_interval_time_t)1000000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

static apr_pool_t *pool;

static void hold(int holds, const char *comment, const char *got)
{
    if (!holds) {
        fail_msg("%s: got %s", comment, got);
    }
}

static void lower_case(void **state)
{
    (void)state;
    assert_string_equal(ua_lower(pool, "AZaz@[`{09 \xC3\x84"), "azaz@[`{09 \xC3\x84");
    assert_string_equal(ua_lower(pool, ""), "");
}

static void listed(void **state)
{
    static const struct {
        const char *comment, *list, *text;
        int expected;
    } cases[] = {
        {"first", "admin root", "admin", 1},
        {"last, other case", "admin Root", "rOOT", 1},
        {"in the middle, several blanks", " a \t b\n c ", "b", 1},
        {"absent", "admin root", "roo", 0},
        {"longer", "admin root", "roots", 0},
        {"two words are not one", "admin root", "admin root", 0},
        {"nothing", "admin root", "", 0},
        {"no list", "", "admin", 0},
        {"blanks only", "  ", "", 0},
        {"bytes above ASCII keep their case", "\xC3\x84", "\xC3\xA4", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        hold(ua_listed(cases[i].list, cases[i].text) == cases[i].expected, cases[i].comment,
             "the other");
    }
}

static void duration_parsed(void **state)
{
    static const struct {
        const char *text;
        apr_interval_time_t expected;
    } good[] = {
        {"90", 90 * SECOND},
        {"90s", 90 * SECOND},
        {"15m", 900 * SECOND},
        {"24h", DAY},
        {"7d", 7 * DAY},
        {"0", 0},
        {"007", 7 * SECOND},
        {"9223372036854", 9223372036854 * SECOND},
        {"106751991d", 106751991 * DAY},
    };

    static const char *const bad[] = {
        "",
        "s",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1 s",
        "1.5",
        "1sm",
        "1S",
        "1w",
        "0x10",
        "1ms",
        "\xD9\xA1",
        "1\n",
        "1,0s",
        "m1",
        "--",
        "106751992d",
        "9223372036855",
        "9223372036854775808",
        "99999999999999999999999999d",
        "18446744073709551616",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        apr_interval_time_t out = -1;

        assert_int_equal(ua_duration_parse(&out, good[i].text), APR_SUCCESS);
        hold(out == good[i].expected, good[i].text, apr_ltoa(pool, out));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        apr_interval_time_t out = -1;

        hold(ua_duration_parse(&out, bad[i]) == APR_EINVAL, bad[i], "no refusal");
        hold(out == -1, bad[i], "a touched output");
    }
}

static void duration_in_words(void **state)
{
    static const struct {
        apr_interval_time_t duration;
        const char *expected;
    } cases[] = {
        {30 * SECOND, "30 seconds"},
        {SECOND, "1 second"},
        {60 * SECOND, "1 minute"},
        {90 * SECOND, "90 seconds"},
        {120 * SECOND, "2 minutes"},
        {HOUR, "1 hour"},
        {90 * (60 * SECOND), "90 minutes"},
        {DAY, "24 hours"},
        {DAY + HOUR, "25 hours"},
        {2 * DAY, "2 days"},
        {7 * DAY, "7 days"},
        {1, "1 second"},
        {59 * SECOND + 1, "1 minute"},
        {60 * SECOND + 1, "61 seconds"},
        {0, "0 seconds"},
        {-SECOND, "0 seconds"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(ua_duration_words(pool, cases[i].duration), cases[i].expected);
    }
}

static void waits(void **state)
{
    static const struct {
        apr_interval_time_t wait;
        const char *expected;
    } cases[] = {
        {0, "0 seconds"},
        {1, "1 second"},
        {59 * SECOND + 1, "1 minute"},
        {99 * SECOND, "99 seconds"},
        {100 * SECOND, "2 minutes"},
        {3538 * SECOND, "59 minutes"},
        {3541 * SECOND, "1 hour"},
        {HOUR - SECOND, "1 hour"},
        {HOUR + 1, "61 minutes"},
        {100 * (60 * SECOND), "2 hours"},
        {DAY - SECOND, "24 hours"},
        {DAY + 1, "25 hours"},
        {2 * DAY - SECOND, "2 days"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(ua_wait_words(pool, cases[i].wait), cases[i].expected);
    }
}

static void times(void **state)
{
    static const struct {
        apr_time_t seconds;
        const char *rfc3339, *words, *rfc5322;
    } cases[] = {
        {1795249800, "2026-11-21T08:30:00Z", "21 November 2026 at 08:30 UTC",
         "Sat, 21 Nov 2026 08:30:00 +0000"},
        {951782399, "2000-02-28T23:59:59Z", "28 February 2000 at 23:59 UTC",
         "Mon, 28 Feb 2000 23:59:59 +0000"},
        {951782400, "2000-02-29T00:00:00Z", "29 February 2000 at 00:00 UTC",
         "Tue, 29 Feb 2000 00:00:00 +0000"},
        {1, "1970-01-01T00:00:01Z", "1 January 1970 at 00:00 UTC",
         "Thu, 01 Jan 1970 00:00:01 +0000"},
        {1767225599, "2025-12-31T23:59:59Z", "31 December 2025 at 23:59 UTC",
         "Wed, 31 Dec 2025 23:59:59 +0000"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        apr_time_t time = apr_time_from_sec(cases[i].seconds) + 999999;

        assert_string_equal(ua_time_rfc3339(pool, time), cases[i].rfc3339);
        assert_string_equal(ua_time_words(pool, time), cases[i].words);
        assert_string_equal(ua_time_rfc5322(pool, time), cases[i].rfc5322);
    }
    assert_string_equal(ua_time_rfc3339(pool, 0), "");
    assert_string_equal(ua_time_words(pool, 0), "");
}

static void log_lines(void **state)
{
    static const struct {
        const char *comment, *text;
        apr_size_t most;
        const char *expected;
    } cases[] = {
        {"plain", "GET /auth ~!", 100, "GET /auth ~!"},
        {"SMTP-07: CR LF, ESC", "a\r\nb\033[0m", 100, "a\\x0d\\x0ab\\x1b[0m"},
        {"quotes and backslash", "\"'\\", 100, "\\x22\\x27\\x5c"},
        {"8-bit and DEL", "\xC3\xA4\x7F\xFF", 100, "\\xc3\\xa4\\x7f\\xff"},
        {"just fits", "abcd", 4, "abcd"},
        {"cut", "abcde", 4, "abcd..."},
        {"cut between escapes", "\n\n\n", 2, "\\x0a\\x0a..."},
        {"cut to nothing", "a", 0, "..."},
        {"empty", "", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *out = ua_log_escape(pool, cases[i].text, cases[i].most);

        hold(strcmp(out, cases[i].expected) == 0, cases[i].comment, out);
    }
}

static void addresses(void **state)
{
    static const struct {
        const char *address, *network;
        int loopback;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", 0},
        {"::ffff:192.0.2.1", "192.0.2.1", 0},
        {"::FFFF:c000:0201", "192.0.2.1", 0},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", 0},
        {"2001:DB8:1:2::9", "2001:db8:1:2::/64", 0},
        {"2001:db8:1:3::9", "2001:db8:1:3::/64", 0},
        {"fe80::1%eth0", "fe80::/64", 0},
        {"127.0.0.1", "127.0.0.1", 1},
        {"127.255.255.254", "127.255.255.254", 1},
        {"128.0.0.1", "128.0.0.1", 0},
        {"::ffff:127.0.0.1", "127.0.0.1", 1},
        {"::1", "::/64", 1},
        {"::2", "::/64", 0},
        {"::127.0.0.1", "::/64", 0},
        {"::", "::/64", 0},
        {"", "", 0},
        {"127.0.0.1.5", "127.0.0.1.5", 0},
        {"127.1", "127.1", 0},
        {"localhost", "localhost", 0},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *network = cases[i].network ? cases[i].network : cases[i].address;

        assert_string_equal(ua_address_network(pool, cases[i].address), network);
        hold(ua_address_loopback(cases[i].address) == cases[i].loopback, cases[i].address,
             "the other");
    }
}

static int pool_make(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int pool_drop(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lower_case, pool_make, pool_drop),
        cmocka_unit_test_setup_teardown(listed, pool_make, pool_drop),
        cmocka_unit_test_setup_teardown(duration_parsed, pool_make, pool_drop),
        cmocka_unit_test_setup_teardown(duration_in_words, pool_make, pool_drop),
        cmocka_unit_test_setup_teardown(waits, pool_make, pool_drop),
        cmocka_unit_test_setup_teardown(times, pool_make, pool_drop),
        cmocka_unit_test_setup_teardown(log_lines, pool_make, pool_drop),
        cmocka_unit_test_setup_teardown(addresses, pool_make, pool_drop),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
