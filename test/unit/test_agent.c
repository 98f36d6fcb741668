/* test_agent.c: headers of real browsers and programs, of strangers, and of people with bad intent. */
#include "base/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MOZILLA "Mozilla/5.0 "
#define WIN     MOZILLA "(Windows NT 10.0; Win64; x64"
#define MAC     MOZILLA "(Macintosh; Intel Mac OS X 10_15_7"
#define LINUX   MOZILLA "(X11; Linux x86_64"
#define DROID   MOZILLA "(Linux; Android 10; K"
#define IPHONE  MOZILLA "(iPhone; CPU iPhone OS 17_5_1 like Mac OS X"
#define IPAD    MOZILLA "(iPad; CPU OS 17_5 like Mac OS X"
#define BLINK   ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
#define WEBKIT  ") AppleWebKit/605.1.15 (KHTML, like Gecko) "

typedef struct row_t {
    const char *agent;
    const char *words;
} row_t;

static const row_t desktops[] = {
    {WIN "; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Windows"},
    {MOZILLA "(Macintosh; Intel Mac OS X 10.15; rv:132.0) Gecko/20100101 Firefox/132.0",
     "Firefox on Mac"},
    {LINUX "; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Linux"},
    {MOZILLA "(X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
     "Firefox on Linux"},
    {MOZILLA "(X11; FreeBSD amd64; rv:132.0) Gecko/20100101 Firefox/132.0",
     "Firefox on FreeBSD"},
    {MOZILLA "(X11; OpenBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0",
     "Firefox on OpenBSD"},
    {WIN BLINK "Safari/537.36", "Chrome on Windows"},
    {MAC BLINK "Safari/537.36", "Chrome on Mac"},
    {LINUX BLINK "Safari/537.36", "Chrome on Linux"},
    {MOZILLA "(X11; CrOS x86_64 14541.0.0" BLINK "Safari/537.36", "Chrome on ChromeOS"},
    {LINUX ") AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
     "Chrome on Linux"},
    {LINUX ") AppleWebKit/537.36 (KHTML, like Gecko) Ubuntu Chromium/80.0 Safari/537.36",
     "Chrome on Linux"},
    {MAC WEBKIT "Version/17.6 Safari/605.1.15", "Safari on Mac"},
    {WIN BLINK "Safari/537.36 Edg/131.0.0.0", "Edge on Windows"},
    {MAC BLINK "Safari/537.36 Edg/131.0.0.0", "Edge on Mac"},
    {WIN ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36 "
         "Edge/18.19582",
     "Edge on Windows"},
    {WIN BLINK "Safari/537.36 OPR/115.0.0.0", "Opera on Windows"},
    {LINUX BLINK "Safari/537.36 OPR/115.0.0.0", "Opera on Linux"},
    {"Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18", "Opera on Windows"},
    {LINUX BLINK "Safari/537.36 Vivaldi/7.0.3495.6", "Vivaldi on Linux"},
    {WIN BLINK "YaBrowser/24.10.0.0 Safari/537.36", "Yandex Browser on Windows"},
    {MAC WEBKIT "Version/17.6 Safari/605.1.15 Ddg/17.6", "DuckDuckGo on Mac"},
    {MOZILLA "(Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
     "Internet Explorer on Windows"},
    {"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", "Internet Explorer on Windows"},
    /* GNOME Web and Konqueror, which we don't name */
    {LINUX WEBKIT "Version/17.0 Safari/605.1.15", "A browser on Linux"},
    {MOZILLA "(X11; Linux) KHTML/4.14.38 (like Gecko) Konqueror/4.14", "A browser on Linux"},
    {"Links (2.29; Linux 6.1.0 x86_64; GNU C 12.2; text)", "A browser on Linux"},
};

static const row_t mobiles[] = {
    {MOZILLA "(Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0", "Firefox on Android"},
    {DROID BLINK "Mobile Safari/537.36", "Chrome on Android"},
    {DROID BLINK "Mobile Safari/537.36 EdgA/131.0.0.0", "Edge on Android"},
    {DROID BLINK "Mobile Safari/537.36 OPR/76.2.4027.73374", "Opera on Android"},
    {"Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16",
     "Opera on Android"},
    {DROID ") AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 "
           "Mobile Safari/537.36",
     "Samsung Internet on Android"},
    {DROID ") AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.0.0 Mobile "
           "DuckDuckGo/5 Safari/537.36",
     "DuckDuckGo on Android"},
    {MOZILLA "(Linux; Android 14; Pixel 8 Build/AP2A.240905.003; wv) AppleWebKit/537.36 "
             "(KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.39 Mobile Safari/537.36",
     "Android app"},
    {MOZILLA "(Linux; U; Android 4.0.3; de-de; GT-I9100 Build/IML74K) AppleWebKit/534.30 "
             "(KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
     "A browser on Android"},
    {IPHONE WEBKIT "Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"},
    {IPAD WEBKIT "Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPad"},
    {MOZILLA "(iPod touch; CPU iPhone OS 15_8 like Mac OS X" WEBKIT
             "Version/15.6 Mobile/15E148 Safari/604.1",
     "Safari on iPod"},
    {IPHONE WEBKIT "CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1", "Chrome on iPhone"},
    {IPAD WEBKIT "CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1", "Chrome on iPad"},
    {MAC WEBKIT "CriOS/131 Version/11.1.1 Safari/605.1.15", "Chrome on iPhone or iPad"},
    {IPHONE WEBKIT "FxiOS/132.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone"},
    {MAC WEBKIT "FxiOS/132.0 Safari/605.1.15", "Firefox on iPhone or iPad"},
    {IPHONE WEBKIT "Version/17.0 EdgiOS/130.0.2849.80 Mobile/15E148 Safari/604.1",
     "Edge on iPhone"},
    {MAC WEBKIT "Version/17.0 EdgiOS/130.0.2849.80 Safari/605.1.15", "Edge on iPhone or iPad"},
    {IPHONE WEBKIT "Version/17.5 Mobile/15E148 Safari/604.1 OPT/5.1.1", "Opera on iPhone"},
    {IPHONE WEBKIT "Version/17.5 Mobile/15E148 Safari/604.1 OPX/2.6.4", "Opera on iPhone"},
    {IPHONE WEBKIT "OPiOS/16.0.15.124050 Mobile/15E148 Safari/9537.53", "Opera on iPhone"},
    {IPHONE WEBKIT "Mobile/15E148", "A browser on iPhone"}, /* a page within an application */
    {MOZILLA "(Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 "
             "(KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063",
     "Edge on Windows"},
    {MOZILLA "(SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) "
             "SamsungBrowser/3.0 Chrome/76.0.3809.146 TV Safari/537.36",
     "Samsung Internet on TV"},
    {MOZILLA "(Web0S; Linux/SmartTV" BLINK "Safari/537.36", "Chrome on TV"},
};

static const row_t tools[] = {
    {"curl/7.88.1", "curl"},
    {"curl", "curl"},
    {"Wget/1.21.3", "wget"},
    {"Wget/1.20.3 (linux-gnu)", "wget"},
    {"Wget2/2.1.0", "wget"},
    {"Wget", "wget"},
    {"Python-urllib/3.11", "Python"},
    {"python-requests/2.32.3", "Python"},
    {"python-httpx/0.27.2", "Python"},
    {"Python/3.11 aiohttp/3.9.1", "Python"},
    {"HomeAssistant/2024.11 aiohttp/3.11.0 Python/3.12", "Python"},
    {"Go-http-client/1.1", "Go program"},
    {"Go-http-client/2.0", "Go program"},
    {"Java/17.0.12", "Java program"},
    {"Java-http-client/21.0.4", "Java program"},
    {"Apache-HttpClient/4.5.14 (Java/17.0.12)", "Java program"},
    {"okhttp/4.12.0", "Android app"},
    {"Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP2A.240905.003)", "Android app"},
    {MOZILLA "(Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.963",
     "PowerShell"},
    {MOZILLA "(Windows NT 10.0; Microsoft Windows 10.0.22631; en-US) PowerShell/7.4.6",
     "PowerShell"},
};

static const row_t junk[] = {
    {"", "Unknown device"},
    {" ", "Unknown device"},
    {"-", "Unknown device"},
    {"Mozilla/5.0", "Unknown device"},
    {"Mozilla/5.0 (compatible)", "Unknown device"},
    {"curling-iron/1.0", "Unknown device"},
    {"Wget23", "Unknown device"},
    {"JavaScript", "Unknown device"},
    {"not curl/8.0", "Unknown device"},
    {"Edg/131", "Unknown device"},
    {"Mozilla/5.0 NotEdg/131", "Unknown device"},
    {"Mozilla/5.0 Safari/605.1.15", "Unknown device"},
    {"Mozilla/5.0 Firefox/132.0", "Firefox"}, /* a browser, and nobody knows where */
    {"Chrome/131.0.0.0", "Chrome"},
    {"Windows", "A browser on Windows"},
};

/* XSS-07: what a person would see if a byte of the header came through. */
static const row_t hostile[] = {
    {"<script>alert(1)</script>", "Unknown device"},
    {"<script>alert(1)</script> Firefox/1 (Windows)", "Firefox on Windows"},
    {"Mozilla/5.0 (\"><img src=x onerror=alert(1)>; Linux) Firefox/<b>1</b>",
     "Firefox on Linux"},
    {"curl/<b>8</b>", "curl"},
    {"Firefox on Windows", "A browser on Windows"},
    {"{{csrf}} {{#a}} Android", "A browser on Android"},
    {"%s%n%s%n Linux", "A browser on Linux"},
    {"x\r\nSet-Cookie: a=b\r\n\r\n iPhone", "A browser on iPhone"},
    {"\xE2\x80\xAE"
     "xoferiF \xF0\x9F\x98\x80 Macintosh",
     "A browser on Mac"},
    {"\xFF\xFE\x80\x01\x7f", "Unknown device"},
    {"Please call 0800 555 at once, your account is in danger", "Unknown device"},
};

static void check(const char *agent, const char *words)
{
    apr_pool_t *pool;
    const char *got;

    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    /* A copy in a block of its own (pool.c): one byte too far is seen. */
    got = ua_agent_words(pool, apr_pstrdup(pool, agent));
    if (strcmp(got, words) != 0) {
        fail_msg("%s: got %s, not %s", agent, got, words);
    }
    apr_pool_destroy(pool);
}

static void check_all(const row_t *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(rows[i].agent, rows[i].words);
    }
}

#define CHECK_ALL(rows) check_all(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_desktops(void **state)
{
    (void)state;
    CHECK_ALL(desktops);
}

static void test_mobiles(void **state)
{
    (void)state;
    CHECK_ALL(mobiles);
}

static void test_tools(void **state)
{
    (void)state;
    CHECK_ALL(tools);
}

static void test_junk(void **state)
{
    (void)state;
    CHECK_ALL(junk);
}

static void test_hostile(void **state)
{
    (void)state;
    CHECK_ALL(hostile);
}

/* A header is cut to 255 bytes before it is stored: every cut of every row has to be harmless. What
 * comes out is a sentence of letters and blanks, whatever went in. */
static void test_every_cut(void **state)
{
    static const struct {
        const row_t *rows;
        size_t count;
    } tables[] = {
        {desktops, sizeof(desktops) / sizeof(desktops[0])},
        {mobiles, sizeof(mobiles) / sizeof(mobiles[0])},
        {hostile, sizeof(hostile) / sizeof(hostile[0])},
    };

    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ";
    apr_pool_t *pool;

    (void)state;
    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (size_t n = 0; n < tables[i].count * 255; n++) {
            const char *agent = tables[i].rows[n / 255].agent;
            const char *words = ua_agent_words(pool, apr_pstrndup(pool, agent, n % 255));

            assert_int_equal(strspn(words, letters), strlen(words));
            assert_in_range(strlen(words), 4, 40);
        }
    }
    apr_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_desktops), cmocka_unit_test(test_mobiles),
        cmocka_unit_test(test_tools),    cmocka_unit_test(test_junk),
        cmocka_unit_test(test_hostile),  cmocka_unit_test(test_every_cut),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
