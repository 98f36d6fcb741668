/* db_stuck.c: ends what a database server does not answer. libpq and MariaDB's client wait without a bound for a server
 * that stands still, and with them the request: its socket is shut down, which the client takes for a lost connection.
 *
 * ua_dbs_rescue() runs on a thread that never asks a database; the mutex keeps a socket from being closed, and its
 * number from being another one's, in between. */
#include "db_conn.h"

#include <sys/socket.h>

apr_status_t ua_db_watch(ua_db_t *db)
{
    ua_dbs_t *dbs = db->dbs;

    apr_thread_mutex_lock(dbs->mutex);
    dbs->holders[dbs->made++] = db;
    apr_thread_mutex_unlock(dbs->mutex);
    return APR_SUCCESS;
}

void ua_db_unwatch(ua_db_t *db)
{
    ua_dbs_t *dbs = db->dbs;

    apr_thread_mutex_lock(dbs->mutex);
    for (int i = 0; i < dbs->made; i++) {
        if (dbs->holders[i] == db) {
            dbs->holders[i] = dbs->holders[--dbs->made];
        }
    }
    apr_thread_mutex_unlock(dbs->mutex);
}

void ua_db_socket(ua_db_t *db, int socket)
{
    apr_thread_mutex_lock(db->dbs->mutex);
    db->socket = socket;
    apr_thread_mutex_unlock(db->dbs->mutex);
}

void ua_db_asks(ua_db_t *db)
{
    db->asked = db->socket >= 0 ? apr_time_now() : 0;
}

void ua_db_heard(ua_db_t *db)
{
    db->asked = 0;
}

int ua_dbs_rescue(ua_dbs_t *dbs, apr_time_t now)
{
    int ended = 0;

    apr_thread_mutex_lock(dbs->mutex);
    for (int i = 0; i < dbs->made; i++) {
        ua_db_t *db = dbs->holders[i];
        apr_time_t asked = db->asked;

        if (asked > 0 && db->socket >= 0 && now - asked > UA_DB_PATIENCE) {
            (void)shutdown(db->socket, SHUT_RDWR);
            db->asked = 0;
            ended++;
        }
    }
    apr_thread_mutex_unlock(dbs->mutex);
    return ended;
}
