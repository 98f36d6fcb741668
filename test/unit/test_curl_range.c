/* test_curl_range.c: the lookup of leaked passwords: what is asked, what is understood, the pause.
 *
 * The list is range_server.h. test_curl_range_faults.c has the one that misbehaves.
 */
#include "base/curl_range.h"

#include "base/curl_smtp.h"

#include "range_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* SHA-1 of "hunter22" is PREFIX SUFFIX. */
#define PASSWORD "hunter22"
#define PREFIX   "60B3A"
#define SUFFIX   "F8BFE3735623C7D4A5EF749BB6AC1A4413A"
#define OTHER    "0018A45C4D1DEF81644B54AB7F969B88D65"
#define PADDING  "00D4F6E8FA6EECAD2A3AA415EEC418D38EC"
#define OK200    "HTTP/1.1 200 OK\r\n"
#define BAD503   "HTTP/1.1 503 Service Unavailable\r\n"
#define LENGTH   "Content-Length: "
#define NOW      apr_time_from_sec(1795000000)
#define THREADS  8
#define PAUSE    apr_time_from_sec(300)

static apr_pool_t *pool;

static void server_says(const char *answer)
{
    range_server_script(answer, strlen(answer), RANGE_AT_ONCE);
}

static int test_open(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL);
}

static int test_close(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static ua_range_t *range_of(const char *url)
{
    ua_range_t *range = NULL;

    assert_int_equal(ua_range_create(&range, pool, url), APR_SUCCESS);
    return range;
}

static ua_range_t *range_here(void)
{
    return range_of(apr_psprintf(pool, "http://127.0.0.1:%d/range/", range_server_port()));
}

static void fails(ua_range_t *range, apr_time_t now)
{
    int before = range_server_asked();
    const char *why = NULL;
    int found = 7;

    assert_int_equal(ua_range_lookup(&found, range, pool, PASSWORD, now, &why), APR_EGENERAL);
    assert_int_equal(found, 7);
    assert_string_equal(why, "the list of leaked passwords answered with status 503");
    assert_int_equal(range_server_asked(), before + 1);
}

/* Has to be refused unasked. */
static void pauses(ua_range_t *range, apr_time_t now)
{
    const char *why = "untouched";
    int before = range_server_asked();
    int found = 7;

    assert_int_equal(ua_range_lookup(&found, range, pool, PASSWORD, now, &why), APR_EAGAIN);
    assert_int_equal(found, 7);
    assert_string_equal(why, "untouched");
    assert_int_equal(range_server_asked(), before);
}

static int found_at(ua_range_t *range, apr_time_t now)
{
    const char *why = "untouched";
    int found = 7;

    if (ua_range_lookup(&found, range, pool, PASSWORD, now, &why) != APR_SUCCESS) {
        fail_msg("%s", why);
    }
    assert_string_equal(why, "untouched");
    return found;
}

static const char *with_length(const char *body)
{
    return apr_psprintf(pool, OK200 LENGTH "%d\r\n\r\n%s", (int)strlen(body), body);
}

static void test_answers(void **state)
{
    static const struct {
        const char *comment, *body;
        int found;
    } rows[] = {
        {"found", OTHER ":3\r\n" SUFFIX ":42\r\n" PADDING ":0\r\n", 1},
        {"not found", OTHER ":3\r\n" PADDING ":0\r\n", 0},
        {"padding is no leak", OTHER ":3\r\n" SUFFIX ":0\r\n", 0},
        {"padding in more digits", SUFFIX ":000\r\n", 0},
        {"a real row after padding of that name", SUFFIX ":0\r\n" SUFFIX ":1\r\n", 1},
        {"a real row before it", SUFFIX ":1\r\n" SUFFIX ":0\r\n", 1},
        {"first", SUFFIX ":1\r\n" OTHER ":3\r\n", 1},
        {"last, no line end", OTHER ":3\r\n" SUFFIX ":1", 1},
        {"last, half a line end", OTHER ":3\r\n" SUFFIX ":1\r", 1},
        {"alone", SUFFIX ":10", 1},
        {"LF", OTHER ":3\n" SUFFIX ":1\n", 1},
        {"LF, not found", OTHER ":3\n" PADDING ":0\n", 0},
        {"lower case", "f8bfe3735623c7d4a5ef749bb6ac1a4413a:1\r\n", 1},
        {"mixed case", "f8bfE3735623c7D4A5EF749bb6ac1a4413A:1\r\n", 1},
        {"a count of 64 bits", SUFFIX ":18446744073709551615\n", 1},
        {"another last digit", "F8BFE3735623C7D4A5EF749BB6AC1A4413B:1\r\n", 0},
        {"another first digit", "08BFE3735623C7D4A5EF749BB6AC1A4413A:1\r\n", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *answers[] = {
            with_length(rows[i].body),
            apr_pstrcat(pool, OK200 "Connection: close\r\n\r\n", rows[i].body, NULL),
            apr_pstrcat(pool, "HTTP/1.0 200 OK\r\n\r\n", rows[i].body, NULL),
            apr_psprintf(pool, OK200 "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n",
                         (unsigned)strlen(rows[i].body), rows[i].body),
        };

        for (size_t n = 0; n < 2 * COUNT(answers); n++) {
            const char *answer = answers[n / 2];

            range_server_script(answer, strlen(answer), n % 2 ? RANGE_PIECES : RANGE_AT_ONCE);
            if (found_at(range_here(), NOW) != rows[i].found || range_server_asked() != 1) {
                fail_msg("%s, way %d", rows[i].comment, (int)n);
            }
        }
    }
}

/* Five characters and nothing else: the whole request is known. */
static void test_request(void **state)
{
    static const struct {
        const char *password, *path, *prefix;
    } rows[] = {
        {PASSWORD, "/range/", PREFIX},
        {"password", "/range/", "5BAA6"},
        {"", "/", "DA39A"},
        {"Passw\xC3\xB6rter \xC3\xA4hneln", "/mirror?sha1=", "B6185"},
    };

    (void)state;
    server_says(with_length(OTHER ":3\r\n"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *host = apr_psprintf(pool, "127.0.0.1:%d", range_server_port());
        const char *why;
        int found;

        assert_int_equal(
            ua_range_lookup(&found,
                            range_of(apr_pstrcat(pool, "http://", host, rows[i].path, NULL)),
                            pool, rows[i].password, NOW, &why),
            APR_SUCCESS);
        assert_string_equal(range_server_request(),
                            apr_psprintf(pool,
                                         "GET %s%s HTTP/1.1\r\nHost: %s\r\n"
                                         "User-Agent: mod_userauth\r\nAccept: */*\r\n"
                                         "Add-Padding: true\r\n\r\n",
                                         rows[i].path, rows[i].prefix, host));
    }
}

#define FAILING BAD503 LENGTH "0\r\n\r\n"
#define WORKING OK200 LENGTH "38\r\n\r\n" SUFFIX ":7\n"

static void fails_thrice(ua_range_t *range, apr_time_t now)
{
    server_says(FAILING);
    fails(range, now);
    fails(range, now);
    fails(range, now);
}

static void test_pause(void **state)
{
    ua_range_t *range = range_here();

    (void)state;
    fails_thrice(range, NOW);
    pauses(range, NOW);
    server_says(WORKING); /* is not even noticed */
    pauses(range, NOW + 1);
    pauses(range, NOW + PAUSE - 1);
    assert_int_equal(found_at(range_here(), NOW), 1); /* another site's */
    assert_int_equal(found_at(range, NOW + PAUSE), 1);
    assert_int_equal(found_at(range, NOW + PAUSE), 1);
}

static void test_one_try_after_a_pause(void **state)
{
    ua_range_t *range = range_here();

    (void)state;
    fails_thrice(range, NOW);
    fails(range, NOW + PAUSE + 5);
    pauses(range, NOW + PAUSE + 5);
    pauses(range, NOW + 2 * PAUSE + 4);
    fails(range, NOW + 2 * PAUSE + 5);
    pauses(range, NOW + 3 * PAUSE);
    server_says(WORKING);
    assert_int_equal(found_at(range, NOW + 3 * PAUSE + 5), 1);
    fails_thrice(range, NOW + 3 * PAUSE + 6); /* counted anew */
    pauses(range, NOW + 3 * PAUSE + 6);
}

static void test_success_resets_the_count(void **state)
{
    ua_range_t *range = range_here();

    (void)state;
    for (int i = 0; i < 4; i++) {
        server_says(FAILING);
        fails(range, NOW);
        fails(range, NOW + 2 * PAUSE); /* in a row, however far apart */
        server_says(WORKING);
        assert_int_equal(found_at(range, NOW), 1);
    }
}

static void test_clock_set_back(void **state)
{
    ua_range_t *range = range_here();

    (void)state;
    fails_thrice(range, NOW);
    pauses(range, NOW);
    server_says(WORKING);
    assert_int_equal(found_at(range, NOW - 1), 1);
}

typedef struct one_t {
    ua_range_t *range;
    apr_status_t rv;
    int found;
} one_t;

static void *lookup_main(void *data)
{
    one_t *one = data;
    apr_pool_t *own;
    const char *why;

    if (apr_pool_create(&own, NULL) == APR_SUCCESS) {
        one->rv = ua_range_lookup(&one->found, one->range, own, PASSWORD, NOW + PAUSE, &why);
        apr_pool_destroy(own);
    }
    return NULL;
}

/* How many of as many threads came to this status; *found is what they found together. */
static int threads_with(apr_status_t rv, ua_range_t *range, int *found)
{
    one_t ones[THREADS];
    pthread_t threads[THREADS];
    int count = 0;

    *found = 0;
    for (size_t i = 0; i < THREADS; i++) {
        ones[i] = (one_t){range, APR_ENOMEM, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, lookup_main, &ones[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        count += ones[i].rv == rv;
        *found += ones[i].found;
    }
    return count;
}

static void test_threads(void **state)
{
    ua_range_t *range = range_here();
    int found;

    (void)state;
    server_says(WORKING);
    assert_int_equal(threads_with(APR_SUCCESS, range, &found), THREADS);
    assert_int_equal(found, THREADS);
    assert_int_equal(range_server_asked(), THREADS);
}

/* After a pause one thread tries, while the others go on pausing. */
static void test_threads_after_a_pause(void **state)
{
    ua_range_t *range = range_here();
    int found;

    (void)state;
    fails_thrice(range, NOW);
    server_says(FAILING);
    assert_int_equal(threads_with(APR_EAGAIN, range, &found), THREADS - 1);
    assert_int_equal(range_server_asked(), 1);
    pauses(range, NOW + PAUSE);
}

static void test_create(void **state)
{
    static const char *const good[] = {"https://api.pwnedpasswords.com/range/",
                                       "HTTP://localhost:8080/?p=", "http://[::1]/"};
    static const char *const bad[] = {"",
                                      "https://",
                                      "https:///range/",
                                      "http://:80/",
                                      "http://?x",
                                      "ftp://a/",
                                      "file:///a",
                                      "api.example/",
                                      "smtp://a/",
                                      "http:/a/",
                                      "http://a/#",
                                      "http://a b",
                                      "http://a/\r\nX:",
                                      "http://a/\xC3\xA4",
                                      " http://a/",
                                      "http://a/\x7f",
                                      "http://@/"};
    ua_range_t *range = NULL;
    char *text = apr_pcalloc(pool, 2050);

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        (void)range_of(good[i]);
    }
    memset(text, 'a', 2049);
    memcpy(text, "http://", 7);
    for (size_t i = 0; i <= COUNT(bad); i++) {
        const char *url = i < COUNT(bad) ? bad[i] : text;

        if (ua_range_create(&range, pool, url) != APR_EINVAL || range) {
            fail_msg("%s was taken", url);
        }
    }
    text[2048] = '\0';
    (void)range_of(text);
}

static int start(void **state)
{
    assert_int_equal(ua_smtp_global_init(), APR_SUCCESS);
    return range_server_start(state);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, test_open, test_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_answers),
        EACH(test_request),
        EACH(test_pause),
        EACH(test_one_try_after_a_pause),
        EACH(test_success_resets_the_count),
        EACH(test_clock_set_back),
        EACH(test_threads),
        EACH(test_threads_after_a_pause),
        EACH(test_create),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, start, range_server_stop);
}
