/* mail.c: fuzzes the builder of mails and the sender's mailbox (base/mail.c, base/mail_encode.c): SMTP-06.
 *
 * The input is the sender's name, subject, text, HTML part, receiver, address for answers and id, with form feeds
 * between; the first is also read as a mailbox. Said here: no line is too long, no byte but ASCII, exactly the
 * fields asked for, two parts. For one mail in eight, and each of the corpus, Python's parser at its strictest
 * (oracle.py) decodes the fields and both texts.
 */
#include "fuzz.h"
#include "base/mail.h"
#include "base/mail_encode.h"

#include <string.h>

#define SENDER   "accounts@example.com"
#define TYPE_END "boundary=\""
#define DATE     apr_time_from_sec(1728043200)

/* RFC 5322 2.1.1. */
static void check_lines(const char *message, size_t length)
{
    size_t column = 0;

    FUZZ_CHECK(strlen(message) == length, "%zu bytes, not %zu", length, strlen(message));
    for (const char *at = message; *at; at++) {
        FUZZ_CHECK((unsigned char)*at < 0x80, "byte %d", *at);
        FUZZ_CHECK(*at != '\n' || (at > message && at[-1] == '\r'), "LF without CR");
        FUZZ_CHECK(*at != '\r' || at[1] == '\n', "CR without LF");
        column = *at == '\n' || *at == '\r' ? 0 : column + 1;
        FUZZ_CHECK(column <= 998, "a line is too long");
    }
}

/* The fields up to the next empty line are these, in this order, and no others; what follows that line. */
static const char *check_fields(const char *at, const char *const *names)
{
    for (; strncmp(at, "\r\n", 2) != 0; at = strstr(at, "\r\n") + 2) {
        size_t length = *names ? strlen(*names) : 0;

        if (*at == ' ') {
            FUZZ_CHECK(strspn(at, " ") < strcspn(at, "\r"), "a folded line is empty");
            continue;
        }
        FUZZ_CHECK(*names && strncmp(at, *names, length) == 0 && at[length] == ':' &&
                       strchr(" \r", at[length + 1]),
                   "not the field \"%s\": %s", *names ? *names : "", at);
        names++;
    }
    FUZZ_CHECK(!*names, "the field \"%s\" is missing", *names);
    return at + 2;
}

/* The parts stand between lines that begin with "--" and the boundary, and nothing else does so. */
static void check_form(apr_pool_t *pool, const ua_mail_t *mail, const char *message)
{
    static const char *const all[] = {
        "From",       "To",           "Reply-To",       "Subject",      "Date",
        "Message-ID", "MIME-Version", "Auto-Submitted", "Content-Type", NULL};
    const char *fields[sizeof all / sizeof *all] = {NULL};
    const char *const part_fields[] = {"Content-Type", "Content-Transfer-Encoding", NULL};
    const char *rest = NULL;
    const char *mark =
        strstr(strstr(message, "\r\nContent-Type: multipart/alternative;"), TYPE_END) +
        strlen(TYPE_END);
    const char *line =
        apr_pstrcat(pool, "\r\n--", apr_pstrmemdup(pool, mark, strcspn(mark, "\"")), NULL);
    int parts = 0;

    for (int i = 0, n = 0; all[i]; i++) {
        if (*mail->reply_to || strcmp(all[i], "Reply-To") != 0) {
            fields[n++] = all[i];
        }
    }
    rest = check_fields(message, fields);
    for (rest = strstr(rest - 2, line); rest && strncmp(rest + strlen(line), "\r\n", 2) == 0;
         parts++) {
        rest = strstr(check_fields(rest + strlen(line) + 2, part_fields) - 2, line);
    }
    FUZZ_CHECK(parts == 2 && rest && fuzz_same(rest + strlen(line), "--\r\n"), "%d parts",
               parts);
}

static void check_mailbox(apr_pool_t *pool, const char *text)
{
    const char *name = NULL;
    const char *address = NULL;
    const char *again = NULL;
    const char *same = NULL;
    const char *written = NULL;

    if (ua_mailbox_parse(&name, &address, pool, text) != APR_SUCCESS) {
        FUZZ_CHECK(!name && !address, "a refused mailbox changed the result");
        return;
    }
    FUZZ_CHECK(ua_mail_address_plain(address), "the address \"%s\"", address);
    for (const char *at = name; *at; at++) {
        FUZZ_CHECK((unsigned char)*at >= 0x20 && *at != 0x7f, "a control in the name");
    }
    written = "\"";
    for (const char *at = name; *at; at++) {
        written = apr_psprintf(pool, "%s%s%c", written, strchr("\"\\", *at) ? "\\" : "", *at);
    }
    written = apr_pstrcat(pool, written, "\" <", address, ">", NULL);
    FUZZ_CHECK(ua_mailbox_parse(&again, &same, pool, written) == APR_SUCCESS &&
                   fuzz_same(again, name) && fuzz_same(same, address),
               "another when written %s", written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    const char *first = fuzz_part(&input, pool);
    ua_mail_t mail = {.date = DATE, .from_address = SENDER, .from_name = first};
    const char *message = "untouched";
    apr_size_t length = 0;
    const char *given[3];
    int good = 0;

    check_mailbox(pool, first);
    mail.subject = fuzz_part(&input, pool);
    mail.text = fuzz_part(&input, pool);
    mail.html = fuzz_part(&input, pool);
    for (int i = 0; i < 3; i++) {
        given[i] = fuzz_part(&input, pool);
    }
    mail.to = *given[0] ? given[0] : "alice@example.net";
    mail.reply_to = given[1];
    mail.id = *given[2] ? given[2] : "1";
    good =
        ua_mail_address_plain(mail.to) &&
        (!*mail.reply_to || ua_mail_address_plain(mail.reply_to)) && strlen(mail.id) <= 60 &&
        strspn(mail.id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
            strlen(mail.id);
    FUZZ_CHECK(
        ua_mail_build(&message, &length, pool, &mail) == (good ? APR_SUCCESS : APR_EINVAL),
        "a mail to %s with the id %s is %s", mail.to, mail.id, good ? "refused" : "made");
    if (good) {
        check_lines(message, length);
        check_form(pool, &mail, message);
    }
    if (good && fuzz_chosen(data, size, 8)) {
        fuzz_ask(FUZZ_PYTHON, 'm',
                 FUZZ_TEXTS(message, mail.from_name, mail.from_address, mail.to, mail.reply_to,
                            mail.subject, mail.text, mail.html, mail.id));
    }
    return 0;
}
