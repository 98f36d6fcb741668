/* mail.c: see mail.h. The order of the header fields is the usual one; the parts follow RFC 2046
 * 5.1.4, the plainest first.
 */
#include "mail.h"

#include "mail_encode.h"
#include "text.h"

#include <apr_lib.h>

#include <string.h>

#define ID_LENGTH 60 /* the boundary, of at most 70 characters (RFC 2046 5.1.1), holds it */

static int id_valid(const char *id)
{
    const char *c;

    for (c = id; *c; c++) {
        if (!apr_isalnum(*c) && *c != '-' && *c != '_') {
            return 0;
        }
    }
    return c > id && c - id <= ID_LENGTH;
}

static int mail_valid(const ua_mail_t *mail)
{
    return id_valid(mail->id) && ua_mail_address_plain(mail->from_address) &&
           ua_mail_address_plain(mail->to) &&
           (!*mail->reply_to || ua_mail_address_plain(mail->reply_to));
}

/* A line that no part holds. Quoted-printable never has "=_"; a 7bit part could. */
static const char *boundary_choose(apr_pool_t *pool, const ua_mail_t *mail)
{
    const char *boundary;
    int i = 0;

    do {
        boundary = apr_psprintf(pool, "=_%s.%d", mail->id, i++);
    } while (strstr(mail->text, boundary) || strstr(mail->html, boundary));
    return boundary;
}

static const char *headers(apr_pool_t *pool, const ua_mail_t *mail, const char *boundary)
{
    const char *name = ua_mail_phrase(pool, mail->from_name);
    const char *from = *name ? apr_pstrcat(pool, name, " <", mail->from_address, ">", NULL)
                             : mail->from_address;
    const char *id =
        apr_pstrcat(pool, "<", mail->id, strchr(mail->from_address, '@'), ">", NULL);
    const char *type =
        apr_pstrcat(pool, "multipart/alternative; boundary=\"", boundary, "\"", NULL);

    return apr_pstrcat(
        pool, ua_mail_header(pool, "From", from), ua_mail_header(pool, "To", mail->to),
        *mail->reply_to ? ua_mail_header(pool, "Reply-To", mail->reply_to) : "",
        ua_mail_header(pool, "Subject", ua_mail_text(pool, mail->subject)),
        ua_mail_header(pool, "Date", ua_time_rfc5322(pool, mail->date)),
        ua_mail_header(pool, "Message-ID", id), ua_mail_header(pool, "MIME-Version", "1.0"),
        ua_mail_header(pool, "Auto-Submitted", "auto-generated"),
        ua_mail_header(pool, "Content-Type", type), NULL);
}

static const char *part(apr_pool_t *pool, const char *boundary, const char *type,
                        const char *content)
{
    const char *lines = ua_mail_lines(pool, content);
    int plain = ua_mail_7bit(lines);

    return apr_pstrcat(
        pool, "\r\n--", boundary, "\r\nContent-Type: ", type,
        "; charset=UTF-8\r\nContent-Transfer-Encoding: ", plain ? "7bit" : "quoted-printable",
        "\r\n\r\n", plain ? lines : ua_mail_quoted_printable(pool, lines), NULL);
}

apr_status_t ua_mail_build(const char **out, apr_size_t *length, apr_pool_t *pool,
                           const ua_mail_t *mail)
{
    const char *boundary;
    const char *message;

    if (!mail_valid(mail)) {
        return APR_EINVAL;
    }
    boundary = boundary_choose(pool, mail);
    message = apr_pstrcat(
        pool, headers(pool, mail, boundary), part(pool, boundary, "text/plain", mail->text),
        part(pool, boundary, "text/html", mail->html), "\r\n--", boundary, "--\r\n", NULL);
    *out = message;
    *length = strlen(message);
    return APR_SUCCESS;
}

/* The text between the quotes `text` begins with, and what stands behind them; NULL when they do
 * not end. */
static const char *quoted_name(apr_pool_t *pool, const char *text, const char **rest)
{
    char *out = apr_palloc(pool, strlen(text));
    char *to = out;

    for (text++; *text && *text != '"'; text++) {
        text += *text == '\\' && text[1];
        *to++ = *text;
    }
    *to = '\0';
    *rest = *text ? text + 1 : text;
    return *text ? out : NULL;
}

/* The words before the "<", and the rest from there; NULL when they want quotes (RFC 5322 3.2.3). */
static const char *bare_name(apr_pool_t *pool, const char *text, const char **rest)
{
    char *name = apr_pstrndup(pool, text, strcspn(text, "<"));
    apr_size_t end = strlen(name);

    *rest = text + end;
    while (end && name[end - 1] == ' ') {
        name[--end] = '\0';
    }
    return strpbrk(name, "()>[]:;@\\,\"") ? NULL : name;
}

/* `text` without blanks at both ends; NULL when it holds a control. */
static const char *trimmed(apr_pool_t *pool, const char *text)
{
    const char *from = text + strspn(text, " \t");
    apr_size_t length = strlen(from);
    apr_size_t i;

    while (length && (from[length - 1] == ' ' || from[length - 1] == '\t')) {
        length--;
    }
    for (i = 0; i < length; i++) {
        if ((unsigned char)from[i] < 0x20 || from[i] == 0x7f) {
            return NULL;
        }
    }
    return apr_pstrndup(pool, from, length);
}

apr_status_t ua_mailbox_parse(const char **name, const char **address, apr_pool_t *pool,
                              const char *text)
{
    const char *whole = trimmed(pool, text);
    const char *words = "";
    const char *rest = whole;

    if (whole && (*whole == '"' || strchr(whole, '<'))) {
        words = *whole == '"' ? quoted_name(pool, whole, &rest) : bare_name(pool, whole, &rest);
        rest += strspn(rest, " ");
        if (!words || rest[0] != '<' || rest[strlen(rest) - 1] != '>') {
            return APR_EINVAL;
        }
        rest = apr_pstrndup(pool, rest + 1, strlen(rest) - 2);
    }
    if (!rest || !ua_mail_address_plain(rest)) {
        return APR_EINVAL;
    }
    *name = words;
    *address = rest;
    return APR_SUCCESS;
}
