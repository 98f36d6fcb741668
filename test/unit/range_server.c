/* range_server.c: see range_server.h. */
#include "range_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct script_t {
    const char *answer;
    size_t length;
    range_manner_e manner;
} script_t;

static struct {
    pthread_mutex_t lock; /* of the next three */
    script_t script;
    int asked;
    char request[4096];
    int listener;
    int port;
    pthread_t thread;
} http = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* 1 when the client has left within the time; -1 is for ever. */
static int left_within(int client, int ms)
{
    struct pollfd poller = {.fd = client, .events = POLLIN};
    char byte;

    return poll(&poller, 1, ms) == 1 && recv(client, &byte, 1, 0) <= 0;
}

static void answer_send(int client, const script_t *script)
{
    size_t at = 0;

    while (at < script->length) {
        size_t step = script->manner == RANGE_AT_ONCE ? script->length - at : 1;
        ssize_t sent = send(client, script->answer + at, step, MSG_NOSIGNAL);

        if (sent <= 0 || (script->manner == RANGE_ENDLESSLY && left_within(client, 50))) {
            return;
        }
        at += (size_t)sent;
        if (script->manner == RANGE_ENDLESSLY && at == script->length) {
            at = 0;
        }
    }
}

static void client_serve(int client)
{
    char request[sizeof(http.request)] = "";
    size_t used = 0;
    ssize_t got = 1;
    script_t script;

    while (got > 0 && !strstr(request, "\r\n\r\n")) {
        got = recv(client, request + used, sizeof(request) - 1 - used, 0);
        used += got > 0 ? (size_t)got : 0;
    }
    pthread_mutex_lock(&http.lock);
    http.asked++;
    memcpy(http.request, request, sizeof(request));
    script = http.script;
    pthread_mutex_unlock(&http.lock);
    if (script.manner == RANGE_SILENTLY) {
        (void)left_within(client, -1);
    }
    else {
        answer_send(client, &script);
    }
    (void)close(client);
}

static void *http_main(void *data)
{
    int client;

    while ((client = accept(http.listener, NULL, NULL)) >= 0) {
        client_serve(client);
    }
    return data;
}

int range_server_start(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    (void)state;
    http.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(http.listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(http.listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(listen(http.listener, 64), 0);
    http.port = ntohs(address.sin_port);
    return pthread_create(&http.thread, NULL, http_main, NULL);
}

int range_server_stop(void **state)
{
    (void)state;
    assert_int_equal(shutdown(http.listener, SHUT_RDWR), 0); /* ends accept() */
    assert_int_equal(pthread_join(http.thread, NULL), 0);
    return close(http.listener);
}

int range_server_port(void)
{
    return http.port;
}

void range_server_script(const char *answer, size_t length, range_manner_e manner)
{
    pthread_mutex_lock(&http.lock);
    http.script = (script_t){answer, length, manner};
    http.asked = 0;
    pthread_mutex_unlock(&http.lock);
}

int range_server_asked(void)
{
    int asked;

    pthread_mutex_lock(&http.lock);
    asked = http.asked;
    pthread_mutex_unlock(&http.lock);
    return asked;
}

const char *range_server_request(void)
{
    return http.request;
}
