/* curl_smtp_text.c: see curl_smtp_text.h. */
#include "curl_smtp_text.h"

#include <curl/curl.h>

#include <apr_escape.h>

#include <string.h>

/* What libcurl says of a refused command of the caller's own. */
#define COMMAND "Command failed: "

/* libcurl takes the name for EHLO from the URL's path. */
const char *ua_smtp_url(apr_pool_t *pool, const char *url, const char *helo)
{
    apr_size_t length = strlen(url);

    if (!helo ||
        helo[strspn(helo,
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-[]:")]) {
        helo = "";
    }
    if (*helo == '[') {
        helo = apr_pstrcat(pool, "[IPv6:", helo + 1, NULL);
    }
    else if (*helo && !helo[strspn(helo, "0123456789.")]) {
        helo = apr_pstrcat(pool, "[", helo, "]", NULL);
    }
    while (length && url[length - 1] == '/') {
        length--;
    }
    return apr_psprintf(pool, "%.*s/%s", (int)length, url, helo);
}

/* libcurl decodes percent signs in such a command. */
const char *ua_smtp_mail_command(apr_pool_t *pool, const char *from)
{
    return apr_pstrcat(pool, "MAIL FROM:<", apr_pescape_urlencoded(pool, from), ">", NULL);
}

/* libcurl's words hold the milliseconds of a vain connect, and an errno of chance when the server hangs up. */
static const char *cause_words(CURLcode code, long reply, const char *error)
{
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return "stopped before the mail server took the message";
    }
    /* A refused command is a CURLE_SEND_ERROR too, and libcurl's words name it. */
    if (code == CURLE_RECV_ERROR || (code == CURLE_SEND_ERROR && reply < 400)) {
        return "the mail server closed the connection";
    }
    if (code == CURLE_WEIRD_SERVER_REPLY && !*error) {
        return "the mail server refused the message";
    }
    if (!*error || code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT) {
        return curl_easy_strerror(code);
    }
    return error;
}

const char *ua_smtp_words(apr_pool_t *pool, int code, long reply, const char *error)
{
    const char *words = cause_words((CURLcode)code, reply, error);

    if (strncmp(words, COMMAND, strlen(COMMAND)) == 0) {
        words = apr_pstrcat(pool, "MAIL failed: ", words + strlen(COMMAND), NULL);
    }
    return reply ? apr_psprintf(pool, "%s (reply %ld)", words, reply)
                 : apr_pstrdup(pool, words);
}
