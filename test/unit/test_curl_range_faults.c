/* test_curl_range_faults.c: a list of leaked passwords that answers wrongly, slowly or not at all.
 *
 * Every case has to be a failure, never "not found". No case waits for a time but for the lookup's
 * own second. Run from the top of the tree (smtp_servers.h lends its TLS server).
 */
#include "base/curl_range.h"

#include "range_server.h"
#include "smtp_servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* SHA-1 of "hunter22" is 60B3A SUFFIX. */
#define PASSWORD "hunter22"
#define SUFFIX   "F8BFE3735623C7D4A5EF749BB6AC1A4413A"
#define OTHER    "0018A45C4D1DEF81644B54AB7F969B88D65"
#define LEAKED   SUFFIX ":42\r\n"
#define OK200    "HTTP/1.1 200 OK\r\n"
#define CLOSE    OK200 "\r\n" /* the answer ends with the connection */
#define LENGTH   "Content-Length: "
#define MOST     (256 * 1024)
#define NOW      apr_time_from_sec(1795000000)

static apr_pool_t *pool;

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

static const char *here(const char *path)
{
    return apr_psprintf(pool, "http://127.0.0.1:%d%s", range_server_port(), path);
}

static apr_status_t lookup(int *found, const char *url, const char **why)
{
    ua_range_t *range;

    assert_int_equal(ua_range_create(&range, pool, url), APR_SUCCESS);
    return ua_range_lookup(found, range, pool, PASSWORD, NOW, why);
}

#define LATE "Timeout was reached"

/* Has to fail with `words` in a sentence that gives nothing away, and leave the output alone. On a busy
 * machine a handshake may take longer than the second of a look-up: then it is asked again.
 * How many look-ups there were. */
static int fails(const char *comment, const char *url, const char *words)
{
    const char *why = "untouched";
    int found = 7;
    int tries = 0;

    do {
        if (lookup(&found, url, &why) != APR_EGENERAL || found != 7) {
            fail_msg("%s: did not fail", comment);
        }
    } while (strstr(why, LATE) && strcmp(words, LATE) != 0 && ++tries < 20);
    if (!strstr(why, words) || strncmp(why, "the list of leaked passwords ", 29) != 0) {
        fail_msg("%s: got %s", comment, why);
    }
    if (strstr(why, PASSWORD) || strstr(why, "60B3A") || strstr(why, "F8BFE") ||
        strstr(why, "range/") || strpbrk(why, "\r\n")) {
        fail_msg("%s: gives away %s", comment, why);
    }
    return tries + 1;
}

/* Each holds the leaked password's line, which must not count. */
static void test_wrong_status(void **state)
{
    static const struct {
        const char *status, *words;
    } rows[] = {
        {"500 Internal Server Error", "status 500"},
        {"404 Not Found", "status 404"},
        {"429 Too Many Requests", "status 429"},
        {"203 Non-Authoritative", "status 203"},
        {"201 Created", "status 201"},
        {"401 Unauthorized\r\nWWW-Authenticate: Basic realm=x", "status 401"},
        {"302 Found\r\nLocation: /elsewhere", "status 302"},
        {"301 Moved\r\nLocation: http://127.0.0.1/", "status 301"},
        {"307 Temporary\r\nLocation: /elsewhere", "status 307"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *bodies[] = {LEAKED, "<html><body>Sorry</body></html>"};

        for (size_t n = 0; n < COUNT(bodies); n++) {
            const char *answer =
                apr_psprintf(pool, "HTTP/1.1 %s\r\n" LENGTH "%d\r\n\r\n%s", rows[i].status,
                             (int)strlen(bodies[n]), bodies[n]);
            int lookups = 0;

            range_server_script(answer, strlen(answer), RANGE_AT_ONCE);
            lookups = fails(rows[i].status, here("/range/"), rows[i].words);
            assert_in_range(range_server_asked(), 1, lookups); /* nobody followed */
        }
    }
}

#define MALFORMED "answered with a malformed line"

static void test_malformed(void **state)
{
    static const struct {
        const char *comment, *answer, *words;
    } rows[] = {
        {"closes at once", "", "can't be asked"},
        {"no HTTP", "220 mail.example.com ESMTP\r\n" LEAKED, "can't be asked"},
        {"HTTP/0.9", LEAKED, "can't be asked"},
        {"a header cut short", OK200 "Content-Le", "nothing, not even padding"},
        {"a body cut short", OK200 LENGTH "100\r\n\r\n" LEAKED, "can't be asked"},
        {"a chunk cut short", OK200 "Transfer-Encoding: chunked\r\n\r\n29\r\n" SUFFIX ":42\r\n",
         "can't be asked"},
        {"no body", CLOSE, "nothing, not even padding"},
        {"an empty body", OK200 LENGTH "0\r\n\r\n", "nothing, not even padding"},
        {"an empty line", CLOSE "\r\n", MALFORMED},
        {"an empty line between", CLOSE OTHER ":1\r\n\r\n" LEAKED, MALFORMED},
        {"an empty line after a match", CLOSE LEAKED "\r\n", MALFORMED},
        {"a page", CLOSE "<html>\n" LEAKED "</html>\n", MALFORMED},
        {"JSON", CLOSE "{\"" SUFFIX "\":1}", MALFORMED},
        {"the whole digest", CLOSE "60B3A" SUFFIX ":1\r\n", MALFORMED},
        {"a digit too few", CLOSE "8BFE3735623C7D4A5EF749BB6AC1A4413A:1\r\n", MALFORMED},
        {"no digit", CLOSE "G8BFE3735623C7D4A5EF749BB6AC1A4413A:1\r\n", MALFORMED},
        {"no count", CLOSE SUFFIX ":\r\n", MALFORMED},
        {"no colon", CLOSE SUFFIX "\r\n", MALFORMED},
        {"another colon", CLOSE SUFFIX ";1\r\n", MALFORMED},
        {"a negative count", CLOSE SUFFIX ":-1\r\n", MALFORMED},
        {"a count in words", CLOSE SUFFIX ":many\r\n", MALFORMED},
        {"a count with a dot", CLOSE SUFFIX ":1.0\r\n", MALFORMED},
        {"a count that never ends", CLOSE SUFFIX ":111111111111111111111\r\n", MALFORMED},
        {"a blank in front", CLOSE " " LEAKED, MALFORMED},
        {"a blank behind", CLOSE SUFFIX ":1 \r\n", MALFORMED},
        {"CR CR LF", CLOSE SUFFIX ":1\r\r\n", MALFORMED},
        {"CR only", CLOSE OTHER ":1\r" SUFFIX ":1\r", MALFORMED},
        {"malformed after a match", CLOSE LEAKED "oops\r\n", MALFORMED},
        {"the last line malformed", CLOSE LEAKED OTHER ":", MALFORMED},
        {"the last line cut", CLOSE LEAKED "0018A45C", MALFORMED},
        {"a BOM", CLOSE "\xEF\xBB\xBF" LEAKED, MALFORMED},
        {"compressed unasked", CLOSE "\x1f\x8b\x08\xff\xff", MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        range_server_script(rows[i].answer, strlen(rows[i].answer), RANGE_AT_ONCE);
        fails(rows[i].comment, here("/range/"), rows[i].words);
        range_server_script(rows[i].answer, strlen(rows[i].answer), RANGE_PIECES);
        fails(rows[i].comment, here("/range/"), rows[i].words);
    }
}

/* A NUL is no end of the line. */
static void test_nul(void **state)
{
    static const char inside[] = CLOSE SUFFIX ":1\0\r\n";
    static const char colon[] = CLOSE SUFFIX "\0:1\r\n";
    static const char digest[] = CLOSE "\0" LEAKED;

    (void)state;
    range_server_script(inside, sizeof(inside) - 1, RANGE_AT_ONCE);
    fails("in the count", here("/range/"), MALFORMED);
    range_server_script(colon, sizeof(colon) - 1, RANGE_AT_ONCE);
    fails("for the colon", here("/range/"), MALFORMED);
    range_server_script(digest, sizeof(digest) - 1, RANGE_AT_ONCE);
    fails("in the digest", here("/range/"), MALFORMED);
}

/* An answer whose body is `bytes` of good lines, the leaked one first. */
static const char *answer_of(int bytes, int say_length)
{
    const char *header =
        say_length ? apr_psprintf(pool, OK200 LENGTH "%d\r\n\r\n", bytes) : CLOSE;
    char *answer = apr_palloc(pool, strlen(header) + (size_t)bytes + 1);
    char *to = apr_cpystrn(answer, header, strlen(header) + 1);
    char *end = to + bytes;

    to = apr_cpystrn(to, SUFFIX ":7\n", 100);
    while (end - to > 100) {
        to = apr_cpystrn(to, OTHER ":3\n", 100);
    }
    /* 100 or less: two lines whose counts fill it */
    to = apr_cpystrn(to, OTHER ":", 100);
    while (end - to > 43) {
        *to++ = '1';
    }
    to = apr_cpystrn(to, "\n" OTHER ":", 100);
    while (end - to > 0) {
        *to++ = '1';
    }
    *to = '\0';
    assert_int_equal(strlen(answer), strlen(header) + (size_t)bytes);
    return answer;
}

static void test_too_long(void **state)
{
    (void)state;
    for (int say_length = 0; say_length < 2; say_length++) {
        const char *most = answer_of(MOST, say_length);
        const char *more = answer_of(MOST + 1, say_length);
        const char *why = "";
        int found = 0;

        range_server_script(most, strlen(most), RANGE_AT_ONCE);
        assert_int_equal(lookup(&found, here("/range/"), &why), APR_SUCCESS);
        assert_int_equal(found, 1);
        range_server_script(more, strlen(more), RANGE_AT_ONCE);
        fails("a byte too many", here("/range/"), "answered with too many bytes");
    }
}

/* The server behaves so until the lookup gives up; the words say that its second had passed. */
static void test_slow(void **state)
{
    (void)state;
    range_server_script("", 0, RANGE_SILENTLY);
    fails("silent", here("/range/"), LATE);
    assert_in_range(range_server_asked(), 0, 1); /* 0: too busy to hear of it in time */
    range_server_script(CLOSE LEAKED, strlen(CLOSE LEAKED), RANGE_ENDLESSLY);
    fails("a byte now and then", here("/range/"), LATE);
    assert_in_range(range_server_asked(), 0, 1); /* 0: too busy to hear of it in time */
}

static void test_nobody_listens(void **state)
{
    struct sockaddr_storage address = {.ss_family = AF_INET};
    socklen_t length = sizeof(struct sockaddr_in);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    char port[8];

    (void)state;
    ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(getnameinfo((struct sockaddr *)&address, length, NULL, 0, port,
                                 sizeof(port), NI_NUMERICSERV),
                     0);
    fails("nobody", apr_pstrcat(pool, "http://127.0.0.1:", port, "/", NULL), "connect");
    assert_int_equal(close(listener), 0);
}

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int asked, released, waited_in_vain, done;
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Stands in for the library's: a name server that says nothing until the test lets it, or for 20 s. */
__attribute__((visibility("default"))) int getaddrinfo(const char *restrict name,
                                                       const char *restrict service,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict out)
{
    struct timespec until;

    (void)service, (void)hints, (void)out;
    if (!name || strcmp(name, "slow.example") != 0) {
        return EAI_NONAME;
    }
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&names.lock);
    names.asked = 1;
    while (!names.released && !names.waited_in_vain) {
        names.waited_in_vain =
            pthread_cond_timedwait(&names.changed, &names.lock, &until) == ETIMEDOUT;
    }
    names.done = 1;
    pthread_cond_broadcast(&names.changed);
    pthread_mutex_unlock(&names.lock);
    return EAI_AGAIN;
}

/* The lookup is over while the name server is still thinking. */
static void test_slow_name_server(void **state)
{
    (void)state;
    fails("an unknown name", "http://nowhere.example/", "resolve");
    fails("a slow name server", "http://slow.example/", LATE);
    pthread_mutex_lock(&names.lock);
    assert_true(names.asked);
    assert_false(names.done);
    names.released = 1;
    pthread_cond_broadcast(&names.changed);
    while (!names.done) {
        pthread_cond_wait(&names.changed, &names.lock);
    }
    pthread_mutex_unlock(&names.lock);
    assert_false(names.waited_in_vain);
}

/* TLS to somebody whose certificate nobody signed. */
static void test_certificate(void **state)
{
    const char *folder = server_folder_make(pool);
    server_t server;

    (void)state;
    server_launch(&server, pool,
                  (const char *[]){"test/http/smtp_server.py",
                                   apr_pstrcat(pool, folder, "/smtps", NULL), "--tls", "smtps",
                                   "--certificates", apr_pstrcat(pool, folder, "/tls", NULL),
                                   NULL});
    server_await(&server, pool);
    fails("a stranger's certificate", apr_pstrcat(pool, "https://", server.address, "/", NULL),
          "certificate");
    server_stop(&server);
    server_folder_remove(pool, folder);
}

/* Nobody asked for a proxy, whatever the environment says. */
static void test_no_proxy(void **state)
{
    const char *why = "";
    int found = 0;

    (void)state;
    range_server_script(CLOSE LEAKED, strlen(CLOSE LEAKED), RANGE_AT_ONCE);
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("all_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(lookup(&found, here("/range/"), &why), APR_SUCCESS);
    assert_int_equal(found, 1);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("all_proxy"), 0);
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
        EACH(test_wrong_status),     EACH(test_malformed),   EACH(test_nul),
        EACH(test_too_long),         EACH(test_slow),        EACH(test_nobody_listens),
        EACH(test_slow_name_server), EACH(test_certificate), EACH(test_no_proxy),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, start, range_server_stop);
}
