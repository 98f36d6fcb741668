/* curl_smtp.h: a message to a mail server. With its kin curl_*.c the only user of libcurl.
 *
 * A ua_smtp_t belongs to one thread; it keeps its connection for the next message.
 */
#ifndef UA_CURL_SMTP_H
#define UA_CURL_SMTP_H

#include "base.h"

typedef enum {
    UA_SMTP_PLAIN, /* never TLS */
    UA_SMTP_TLS, /* STARTTLS (smtp://) or TLS from the start (smtps://), certificate verified */
    UA_SMTP_UNVERIFIED /* TLS demanded, certificate not looked at */
} ua_smtp_tls_e;

typedef struct ua_smtp_conf_t {
    const char *url; /* smtp://host[:port] or smtps://host[:port] */
    ua_smtp_tls_e tls;
    const char *user;     /* or NULL */
    const char *password; /* or NULL */
    const char *ca_file;  /* or NULL: the system's */
    const char *helo;     /* the name given in EHLO: the base URL's host */
} ua_smtp_conf_t;

typedef struct ua_smtp_t ua_smtp_t;

/* Once per process, before threads. There is no counterpart. */
apr_status_t ua_smtp_global_init(void) UA_MUST_USE;

apr_status_t ua_smtp_create(ua_smtp_t **out, apr_pool_t *pool) UA_MUST_USE;

typedef struct ua_smtp_job_t {
    const char *from; /* "": nobody, who is told of nothing */
    const char *to;
    const char
        *message; /* CRLF line ends; NULL: only MAIL and RSET, to see how one would fare */
    apr_size_t length;
    /* Called about every 200 ms while sending; nonzero gives up. May be NULL. */
    int (*alive)(void *baton);
    void *baton;
} ua_smtp_job_t;

/* Sends one message within 10 s to connect and 30 s in all. APR_SUCCESS after the server's 250.
 * Else *why is one sentence for the log (libcurl's words and the SMTP reply code, no address), and
 * the status APR_EGENERAL (try again later), APR_INCOMPLETE (the same, but the server had taken the
 * sender: asking without a message would not have shown it), APR_EINVAL (an address is not acceptable:
 * never try again), APR_EACCES (the server refused the recipient or the text for good: 5xx) or APR_EBUSY (it put
 * this recipient off: 4xx, but for 421). */
apr_status_t ua_smtp_send(ua_smtp_t *smtp, apr_pool_t *pool, const ua_smtp_conf_t *conf,
                          const ua_smtp_job_t *job, const char **why) UA_MUST_USE;

#endif
