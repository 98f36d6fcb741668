/* pace.c: an answer that arrives slowly: for who asks a busy server again and again, so that the refusals do not take the
 * processors from everybody else. The kernel holds its packets back (SO_MAX_PACING_RATE, socket(7)), and mpm_event
 * waits for the end without a thread; where it is otherwise the answer goes out at once. Called by reply.c. */
#include "edge.h"

#include <ap_mpm.h>
#include <apr_portable.h>
#include <http_core.h>
#include <http_protocol.h>
#include <sys/socket.h>

/* Linux paces a connection from its eleventh packet on: the last four of these leave a third of a second apart. */
#define PACKETS  14
#define A_SECOND 3

#ifdef SO_MAX_PACING_RATE

/* Bytes a second of all that the connection sends. 0 when it can't be had. */
static int set_rate(conn_rec *c, unsigned rate)
{
    apr_os_sock_t socket = -1;
    int async = 0;

    return !c->master && ap_mpm_query(AP_MPMQ_IS_ASYNC, &async) == APR_SUCCESS && async &&
           apr_os_sock_get(&socket, ap_get_conn_socket(c)) == APR_SUCCESS &&
           setsockopt(socket, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate) == 0;
}

#else

static int set_rate(conn_rec *c, unsigned rate)
{
    (void)c;
    (void)rate;
    return 0;
}

#endif

void ua_edge_write_slowly(request_rec *r, const char *text, apr_size_t length)
{
    apr_size_t piece = length / PACKETS + 1;

    if (!set_rate(r->connection, (unsigned)piece * A_SECOND)) {
        piece = length;
    }
    for (; length > piece; length -= piece, text += piece) {
        (void)ap_rwrite(text, (int)piece, r);
        (void)ap_rflush(r);
    }
    (void)ap_rwrite(text, (int)length, r);
}
