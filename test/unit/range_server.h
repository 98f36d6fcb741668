/* range_server.h: a small HTTP server in a thread of a unit program, in the place of the list of
 * leaked passwords. It answers every connection, one after the other, as the test said last.
 */
#ifndef UA_TEST_RANGE_SERVER_H
#define UA_TEST_RANGE_SERVER_H

#include <stddef.h>

typedef enum {
    RANGE_AT_ONCE,   /* then the connection is closed */
    RANGE_PIECES,    /* byte by byte */
    RANGE_ENDLESSLY, /* a byte every 50 ms, over and over, until the client leaves */
    RANGE_SILENTLY   /* nothing, until the client leaves */
} range_manner_e;

/* Both for cmocka's setup and teardown of a group. */
int range_server_start(void **state);
int range_server_stop(void **state);

/* On 127.0.0.1. */
int range_server_port(void);

/* The whole answer with its header, which has to live on; counts anew. */
void range_server_script(const char *answer, size_t length, range_manner_e manner);

/* Connections since then, and what the last one sent. */
int range_server_asked(void);
const char *range_server_request(void);

#endif
