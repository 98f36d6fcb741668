/* smtp_servers.h: the SMTP servers of test/http as children of a unit program.
 *
 * Run from the top of the tree. Each server has a port and a folder of its own, and ends with us: at
 * the latest when its standard input does. Everything fails the test that it cannot do.
 */
#ifndef UA_TEST_SMTP_SERVERS_H
#define UA_TEST_SMTP_SERVERS_H

#include "base/curl_smtp.h"

#include <apr_thread_proc.h>

#include <jansson.h>

typedef struct server_t {
    const char *folder;
    const char *address; /* localhost:<port> */
    const char *ca_file;
    apr_proc_t process;
} server_t;

/* A new folder for everything written, and its end. */
const char *server_folder_make(apr_pool_t *pool);
void server_folder_remove(apr_pool_t *pool, const char *path);

/* Starts a script with its arguments (the first is its folder); several can start at once. */
void server_launch(server_t *server, apr_pool_t *pool, const char *const *args);

/* Waits until it answers; then the other members are known. */
void server_await(server_t *server, apr_pool_t *pool);
void server_stop(server_t *server);

/* The mode of a bad_smtp.py that was started with `--control <control>`. */
void server_mode_set(apr_pool_t *pool, const char *control, const char *mode);

/* A file's whole text. */
const char *server_file(apr_pool_t *pool, const char *path);

/* How many messages a server has kept, and the envelope of the last. */
size_t server_kept(apr_pool_t *pool, const server_t *server);
const json_t *server_last(apr_pool_t *pool, const server_t *server);
const char *envelope_text(const json_t *envelope, const char *member);
json_int_t envelope_connection(const json_t *envelope);

#define FROM  "accounts@example.com"
#define TO    "alice@example.org"
#define HELLO "From: " FROM "\r\nTo: " TO "\r\nSubject: Hello\r\n\r\nHello\r\n"

/* A server of ours as a configuration, and a message as a job from FROM to TO. */
ua_smtp_conf_t server_conf(apr_pool_t *pool, const char *scheme, const server_t *server,
                           ua_smtp_tls_e tls);
ua_smtp_job_t job_of(const char *message);

/* Sends HELLO in a pool that ends with it; *why is "untouched" when ua_smtp_send() left it alone. */
apr_status_t hello_send(ua_smtp_t *smtp, apr_pool_t *pool, const ua_smtp_conf_t *conf,
                        const char **why) UA_MUST_USE;

/* The same, which has to succeed. */
void hello_sent(ua_smtp_t *smtp, apr_pool_t *pool, const ua_smtp_conf_t *conf);

#endif
