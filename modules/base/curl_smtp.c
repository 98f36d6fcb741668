/* curl_smtp.c: see curl_smtp.h.
 *
 * Connections live in the multi handle, so each message has a fresh easy handle and nothing of one
 * message's settings can leak into the next. The loop around it wakes often enough for alive(). */
#include "curl_smtp.h"
#include "curl_smtp_text.h"
#include "mail_encode.h"

#include <curl/curl.h>

#include <apr_signal.h>

#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_MS 10000 /* until the server greeted, TLS and EHLO included */
#define TOTAL_MS   30000
#define ASK_MS     200

struct ua_smtp_t {
    CURLM *multi;       /* NULL: nothing is kept */
    curl_socket_t idle; /* the connection it keeps, or CURL_SOCKET_BAD */
};

/* One message on its way. */
typedef struct sending_t {
    const ua_smtp_job_t *job;
    const char *command; /* instead of a message, or NULL */
    apr_size_t offset;   /* what libcurl took of the message */
    apr_time_t asked;    /* when alive() was last called */
    apr_time_t until;
    int past_sender;  /* RCPT was said: the server had taken MAIL */
    int at_recipient; /* the last command was RCPT, but for the QUIT that follows a refusal */
    char error[CURL_ERROR_SIZE];
} sending_t;

/* What one try came to. */
typedef struct outcome_t {
    CURLcode code;
    long reply;    /* the server's last, or 0 */
    long connects; /* 0: the kept connection was used */
} outcome_t;

apr_status_t ua_smtp_global_init(void)
{
    struct sigaction old;

    /* libcurl leaves signals alone (CURLOPT_NOSIGNAL), and OpenSSL writes to a closed connection. */
    if (sigaction(SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
        (void)apr_signal(SIGPIPE, SIG_IGN);
    }
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? APR_SUCCESS : APR_EGENERAL;
}

/* curl_multi_cleanup() says QUIT and waits for the answer; a closed reading side spares the wait. */
static apr_status_t connection_close(void *data)
{
    ua_smtp_t *smtp = data;

    if (smtp->idle != CURL_SOCKET_BAD) {
        (void)shutdown(smtp->idle, SHUT_RD);
    }
    (void)curl_multi_cleanup(smtp->multi);
    smtp->multi = NULL;
    smtp->idle = CURL_SOCKET_BAD;
    return APR_SUCCESS;
}

static apr_status_t connection_prepare(ua_smtp_t *smtp)
{
    if (!smtp->multi) {
        smtp->multi = curl_multi_init();
    }
    if (!smtp->multi) {
        return APR_ENOMEM;
    }
    return curl_multi_setopt(smtp->multi, CURLMOPT_MAXCONNECTS, 1L) == CURLM_OK ? APR_SUCCESS
                                                                                : APR_EGENERAL;
}

apr_status_t ua_smtp_create(ua_smtp_t **out, apr_pool_t *pool)
{
    ua_smtp_t *smtp = apr_pcalloc(pool, sizeof(*smtp));

    smtp->idle = CURL_SOCKET_BAD;
    apr_pool_cleanup_register(pool, smtp, connection_close, apr_pool_cleanup_null);
    UA_CHECK(connection_prepare(smtp));
    *out = smtp;
    return APR_SUCCESS;
}

static apr_status_t easy_cleanup(void *data)
{
    curl_easy_cleanup(data);
    return APR_SUCCESS;
}

static apr_status_t list_cleanup(void *data)
{
    curl_slist_free_all(data);
    return APR_SUCCESS;
}

static size_t message_read(char *to, size_t size, size_t count, void *baton)
{
    sending_t *sending = baton;
    apr_size_t left = sending->job->length - sending->offset;
    apr_size_t length = size * count < left ? size * count : left;

    memcpy(to, sending->job->message + sending->offset, length);
    sending->offset += length;
    return length;
}

/* Also called while libcurl waits by itself for the answer to a final dot or to QUIT. */
static int progress(void *baton, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    sending_t *sending = baton;
    apr_time_t now = apr_time_now();

    (void)a, (void)b, (void)c, (void)d;
    if (now > sending->until) {
        return 1;
    }
    if (!sending->job->alive || now - sending->asked < apr_time_from_msec(ASK_MS)) {
        return 0;
    }
    sending->asked = now;
    return sending->job->alive(sending->job->baton);
}

/* Sees each command, to know whose reply the last one is. Shows nothing to anybody. */
static int command_seen(CURL *easy, curl_infotype type, char *data, size_t length, void *baton)
{
    sending_t *sending = baton;

    (void)easy;
    if (type == CURLINFO_HEADER_OUT) {
        int recipient = length >= 4 && memcmp(data, "RCPT", 4) == 0;

        sending->past_sender |= recipient;
        sending->at_recipient =
            recipient || (length >= 4 && sending->at_recipient && memcmp(data, "QUIT", 4) == 0);
    }
    return 0;
}

static CURLcode numbers_set(CURL *easy, const ua_smtp_conf_t *conf, int probe)
{
    const long verify = conf->tls != UA_SMTP_UNVERIFIED;

    const struct {
        CURLoption option;
        long value;
    } rows[] = {
        {CURLOPT_NOSIGNAL, 1}, /* signals belong to the server, and this is a thread */
        {CURLOPT_UPLOAD, !probe},
        {CURLOPT_NOBODY, probe},
        {CURLOPT_VERBOSE, 1}, /* for command_seen() */
        {CURLOPT_NOPROGRESS, 0},
        {CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS},
        {CURLOPT_TIMEOUT_MS, TOTAL_MS},
        {CURLOPT_SERVER_RESPONSE_TIMEOUT, TOTAL_MS / 1000},
        {CURLOPT_USE_SSL, conf->tls == UA_SMTP_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2}, /* and later */
        {CURLOPT_SSL_VERIFYPEER, verify},
        {CURLOPT_SSL_VERIFYHOST, verify ? 2 : 0},
    };

    CURLcode rc = CURLE_OK;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && rc == CURLE_OK; i++) {
        rc = curl_easy_setopt(easy, rows[i].option, rows[i].value);
    }
    return rc;
}

static CURLcode texts_set(CURL *easy, apr_pool_t *pool, const ua_smtp_conf_t *conf,
                          const sending_t *sending)
{
    const char *url = ua_smtp_url(pool, conf->url, conf->helo);

    const struct {
        const char *value;
        CURLoption option;
        int given;
    } rows[] = {
        {url, CURLOPT_URL, 1},
        {"smtp,smtps", CURLOPT_PROTOCOLS_STR, 1},
        {"", CURLOPT_PROXY, 1}, /* whatever the environment says */
        {sending->job->from, CURLOPT_MAIL_FROM, sending->command == NULL},
        {sending->command, CURLOPT_CUSTOMREQUEST, sending->command != NULL},
        {conf->user, CURLOPT_USERNAME, conf->user != NULL},
        {conf->password, CURLOPT_PASSWORD, conf->user && conf->password},
        {conf->ca_file, CURLOPT_CAINFO, conf->ca_file != NULL},
        {NULL, CURLOPT_CAPATH, conf->ca_file != NULL}, /* else the system's would do as well */
    };

    CURLcode rc = CURLE_OK;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && rc == CURLE_OK; i++) {
        if (rows[i].given) {
            rc = curl_easy_setopt(easy, rows[i].option, rows[i].value);
        }
    }
    return rc;
}

static CURLcode callbacks_set(CURL *easy, sending_t *sending, struct curl_slist *recipients)
{
    CURLcode rc[] = {
        curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients),
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)sending->job->length),
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, message_read),
        curl_easy_setopt(easy, CURLOPT_READDATA, sending),
        curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress),
        curl_easy_setopt(easy, CURLOPT_XFERINFODATA, sending),
        curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, command_seen),
        curl_easy_setopt(easy, CURLOPT_DEBUGDATA, sending),
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, sending->error),
    };
    size_t i = 0;

    while (i + 1 < sizeof(rc) / sizeof(rc[0]) && rc[i] == CURLE_OK) {
        i++;
    }
    return rc[i];
}

/* Runs the one transfer to its end. */
static CURLcode transfer_run(CURLM *multi, CURL *easy)
{
    CURLMcode rc = curl_multi_add_handle(multi, easy);
    CURLcode code = CURLE_FAILED_INIT;
    const CURLMsg *message;
    int running = 1;
    int left;

    while (rc == CURLM_OK && running) {
        rc = curl_multi_perform(multi, &running);
        if (rc == CURLM_OK && running) {
            rc = curl_multi_poll(multi, NULL, 0, ASK_MS, NULL);
        }
    }
    while ((message = curl_multi_info_read(multi, &left))) {
        code = message->msg == CURLMSG_DONE ? message->data.result : code;
    }
    return code;
}

/* Asks while the easy handle is still in the multi handle, which knows the connection. */
static void outcome_read(outcome_t *out, ua_smtp_t *smtp, CURL *easy)
{
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &out->reply);
    (void)curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &out->connects);
    (void)curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &smtp->idle);
}

static apr_status_t attempt(outcome_t *out, ua_smtp_t *smtp, apr_pool_t *pool,
                            const ua_smtp_conf_t *conf, sending_t *sending)
{
    int probe = sending->command != NULL;
    struct curl_slist *recipients = probe ? NULL : curl_slist_append(NULL, sending->job->to);
    CURL *easy = curl_easy_init();

    sending->past_sender = 0;
    sending->at_recipient = 0;
    apr_pool_cleanup_register(pool, recipients, list_cleanup, apr_pool_cleanup_null);
    if (!easy || (!probe && !recipients)) {
        return APR_ENOMEM;
    }
    apr_pool_cleanup_register(pool, easy, easy_cleanup, apr_pool_cleanup_null);
    UA_CHECK(connection_prepare(smtp));
    if (numbers_set(easy, conf, probe) != CURLE_OK ||
        texts_set(easy, pool, conf, sending) != CURLE_OK ||
        callbacks_set(easy, sending, recipients) != CURLE_OK) {
        return APR_EGENERAL;
    }
    out->code = transfer_run(smtp->multi, easy);
    outcome_read(out, smtp, easy);
    (void)curl_multi_remove_handle(smtp->multi, easy);
    if (probe && out->code == CURLE_OK && out->reply / 100 != 2) {
        /* libcurl knows commands to which 553 is no refusal. */
        out->code = CURLE_WEIRD_SERVER_REPLY;
        (void)apr_snprintf(sending->error, sizeof sending->error, "Command failed: %ld",
                           out->reply);
    }
    if (out->code != CURLE_OK) {
        /* libcurl 7.88 keeps a connection whose final dot was not answered in time: the late answer
         * would be taken for that to the next message's MAIL. */
        (void)connection_close(smtp);
    }
    return APR_SUCCESS;
}

/* A kept connection that the server had given up by then says nothing about the server. Only while
 * nothing of the message was sent: it cannot have been delivered. */
static int connection_was_stale(const outcome_t *outcome, const sending_t *sending)
{
    return outcome->connects == 0 && sending->offset == 0 &&
           (outcome->reply == 0 || outcome->reply == 421) &&
           (outcome->code == CURLE_SEND_ERROR || outcome->code == CURLE_RECV_ERROR ||
            outcome->code == CURLE_GOT_NOTHING || outcome->code == CURLE_WEIRD_SERVER_REPLY);
}

/* RFC 5321 4.2.1: a mail server has dozens of codes for a recipient it does not want (556 for a domain without mail,
 * 452 for a full mailbox, 501, 504, 555 …), and whoever registers an address picks one. So at RCPT all are that
 * mail's alone, but for the 421 of a server that shuts down; after a text those for good. Not so for a refusal of our
 * greeting, login or sender: an operator can put that right. */
static apr_status_t failure_of(const outcome_t *outcome, const sending_t *sending)
{
    long reply = outcome->reply;
    int at_end = sending->job->message && sending->offset == sending->job->length;

    if (sending->at_recipient && reply / 100 == 4 && reply != 421) {
        return APR_EBUSY;
    }
    if ((sending->at_recipient || at_end) && reply / 100 == 5) {
        return APR_EACCES;
    }
    return sending->past_sender ? APR_INCOMPLETE : APR_EGENERAL;
}

/* Once more by another connection when the kept one was stale. */
static apr_status_t try_twice(outcome_t *out, apr_pool_t *work, ua_smtp_t *smtp,
                              const ua_smtp_conf_t *conf, sending_t *sending)
{
    apr_status_t rv = attempt(out, smtp, work, conf, sending);

    if (rv == APR_SUCCESS && connection_was_stale(out, sending)) {
        rv = attempt(out, smtp, work, conf, sending);
    }
    return rv;
}

/* MAIL, as before a message; then RSET on the same connection, whose outcome says nothing of mails. */
static apr_status_t ask(outcome_t *out, apr_pool_t *work, ua_smtp_t *smtp,
                        const ua_smtp_conf_t *conf, sending_t *sending)
{
    outcome_t ignored = {CURLE_OK, 0, 0};

    sending->command = ua_smtp_mail_command(work, sending->job->from);
    UA_CHECK(try_twice(out, work, smtp, conf, sending));
    if (out->code == CURLE_OK) {
        sending->command = "RSET";
        (void)attempt(&ignored, smtp, work, conf, sending);
    }
    return APR_SUCCESS;
}

/* All in `work`, which ends with the try; *why is in `pool`. */
static apr_status_t send_in(apr_pool_t *work, ua_smtp_t *smtp, apr_pool_t *pool,
                            const ua_smtp_conf_t *conf, sending_t *sending, const char **why)
{
    outcome_t outcome = {CURLE_OK, 0, 0};
    apr_status_t rv = sending->job->message ? try_twice(&outcome, work, smtp, conf, sending)
                                            : ask(&outcome, work, smtp, conf, sending);

    if (rv != APR_SUCCESS || outcome.code == CURLE_OK) {
        return rv;
    }
    *why = ua_smtp_words(pool, (int)outcome.code, outcome.reply, sending->error);
    return failure_of(&outcome, sending);
}

apr_status_t ua_smtp_send(ua_smtp_t *smtp, apr_pool_t *pool, const ua_smtp_conf_t *conf,
                          const ua_smtp_job_t *job, const char **why)
{
    sending_t sending = {.job = job,
                         .until = apr_time_now() + apr_time_from_msec(TOTAL_MS + ASK_MS)};
    const char *cause = "out of memory, or libcurl lacks an option";
    apr_pool_t *work;
    apr_status_t rv;

    /* libcurl passes CR LF in an address through: a second RCPT line for whoever can write one. */
    if ((*job->from && !ua_mail_address_plain(job->from)) ||
        (job->message && !ua_mail_address_plain(job->to))) {
        *why = "an address is not acceptable";
        return APR_EINVAL;
    }
    UA_CHECK(apr_pool_create(&work, pool));
    rv = send_in(work, smtp, pool, conf, &sending, &cause);
    apr_pool_destroy(work);
    if (rv != APR_SUCCESS) {
        *why = cause;
    }
    return rv;
}
