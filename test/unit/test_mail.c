/* test_mail.c: a message as a strict reader sees it, and mailboxes as an operator writes them. */
#include "base/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID   "6f1c2f0e-0d6f-4a55-9a3e-0d9f0a1b2c3d"
#define DATE 1795249800123456 /* Sat, 21 Nov 2026 08:30:00.123456 UTC */
#define LINK                                                                                   \
    "https://www.example.com/auth/verify?token=" ID                                            \
    ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static apr_pool_t *pool;

static int pool_open(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int pool_close(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

/* Fails with the row's comment. */
static void check(int good, const char *comment, const char *got)
{
    if (!good) {
        fail_msg("%s: got %s", comment, got);
    }
}

static ua_mail_t usual(void)
{
    return (ua_mail_t){.id = ID,
                       .date = DATE,
                       .from_name = "Example",
                       .from_address = "accounts@example.com",
                       .to = "alice@example.org",
                       .reply_to = "",
                       .subject = "Confirm your email address",
                       .text = "Hello alice,\n\n" LINK "\n",
                       .html = "<p>Hello alice</p>\r\n<a href=\"" LINK "\">Confirm</a>\n"};
}

static const char *build(const ua_mail_t *mail)
{
    const char *message = NULL;
    apr_size_t length = 0;

    assert_int_equal(ua_mail_build(&message, &length, pool, mail), APR_SUCCESS);
    assert_int_equal(strlen(message), length);
    return message;
}

/* The strict reader: every line ends with CRLF, has at most 998 octets, all ASCII. */
static void strict_lines(const char *message)
{
    size_t column = 0;

    for (; *message; message++) {
        assert_true((unsigned char)*message < 0x80);
        if (*message == '\r') {
            assert_int_equal(message[1], '\n');
            assert_true(column <= 998);
            column = 0;
            message++;
            continue;
        }
        assert_int_not_equal(*message, '\n');
        column++;
    }
    assert_int_equal(column, 0);
}

/* The names of the header fields up to the blank line, each followed by ";". */
static const char *header_names(const char *message)
{
    const char *names = "";

    while (memcmp(message, "\r\n", 2) != 0) {
        const char *end = strstr(message, "\r\n");

        assert_true(end - message <= 78);
        if (*message != ' ') {
            const char *colon = strchr(message, ':');

            assert_true(colon && colon < end);
            names = apr_pstrcat(
                pool, names, apr_pstrndup(pool, message, (size_t)(colon - message)), ";", NULL);
        }
        message = end + 2;
    }
    return names;
}

/* MAIL-12 */
static void test_whole_message(void **state)
{
    ua_mail_t mail = usual();
    const char *message = build(&mail);

    (void)state;
    assert_string_equal(message, "From: Example <accounts@example.com>\r\n"
                                 "To: alice@example.org\r\n"
                                 "Subject: Confirm your email address\r\n"
                                 "Date: Sat, 21 Nov 2026 08:30:00 +0000\r\n"
                                 "Message-ID: <" ID "@example.com>\r\n"
                                 "MIME-Version: 1.0\r\n"
                                 "Auto-Submitted: auto-generated\r\n"
                                 "Content-Type: multipart/alternative;\r\n"
                                 " boundary=\"=_" ID ".0\"\r\n"
                                 "\r\n"
                                 "--=_" ID ".0\r\n"
                                 "Content-Type: text/plain; charset=UTF-8\r\n"
                                 "Content-Transfer-Encoding: 7bit\r\n"
                                 "\r\n"
                                 "Hello alice,\r\n\r\n" LINK "\r\n"
                                 "\r\n"
                                 "--=_" ID ".0\r\n"
                                 "Content-Type: text/html; charset=UTF-8\r\n"
                                 "Content-Transfer-Encoding: 7bit\r\n"
                                 "\r\n"
                                 "<p>Hello alice</p>\r\n<a href=\"" LINK "\">Confirm</a>\r\n"
                                 "\r\n"
                                 "--=_" ID ".0--\r\n");
    strict_lines(message);
}

static void test_optional_headers(void **state)
{
    ua_mail_t mail = usual();

    (void)state;
    mail.from_name = "";
    mail.reply_to = "help@example.com";
    assert_non_null(strstr(build(&mail), "From: accounts@example.com\r\nTo:"));
    assert_non_null(strstr(build(&mail), "\r\nReply-To: help@example.com\r\n"));
}

/* SMTP-02: whatever a person typed, the header set is the template's. */
static void test_no_header_added(void **state)
{
    static const char *const evil[] = {
        "x\r\nBcc: evil@x.example",
        "x\nBcc: evil@x.example",
        "x\rBcc: evil@x.example",
        "x\r\n\r\nbody",
        "=?utf-8?B?DQpCY2M6IGV2aWxAeA==?=",
        "\xC2\x85"
        "Bcc: evil@x.example\xE2\x80\xA8"
        "Bcc: evil@x.example",
        "\xE2\x80\xAE"
        "J\xC3\xBCrgen"
        "\xE2\x80\xAC",
        "\" <evil@x.example>, \"",
        "\\",
        "\xff\xfe\xC3",
        "                                                                                      "
        "  x",
    };
    ua_mail_t mail = usual();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
        const char *message;

        mail.subject = evil[i];
        mail.from_name = evil[i];
        mail.reply_to = "help@example.com";
        message = build(&mail);
        strict_lines(message);
        assert_string_equal(header_names(message), "From;To;Reply-To;Subject;Date;Message-ID;"
                                                   "MIME-Version;Auto-Submitted;Content-Type;");
    }
}

static void test_long_names_fold(void **state)
{
    char text[1001];
    ua_mail_t mail = usual();

    (void)state;
    memset(text, 'x', sizeof(text));
    text[1000] = '\0';
    mail.subject = text;
    mail.from_name = text;
    (void)header_names(build(&mail)); /* no line over 78 */
    memset(text, ',', 60);
    text[60] = '\0';
    (void)header_names(build(&mail));
}

static void test_refused(void **state)
{
    static const struct {
        const char *id, *from, *to, *reply_to;
        const char *comment;
    } rows[] = {
        {ID, "a@b.example", "c@d.example\r\nBcc: e@f.example", "", "a header in To"},
        {ID, "a@b.example>", "c@d.example", "", "bracket in From"},
        {ID, "a@b.example", "c@d.example, e@f.example", "", "two in To"},
        {ID, "a@b.example", "c@d.example", "x y@z.example", "blank in Reply-To"},
        {ID, "a@b.example", "c@d\xC3\xBC.example", "", "not ASCII"},
        {ID, "", "c@d.example", "", "no sender"},
        {ID, "a@b.example", "", "", "no recipient"},
        {"", "a@b.example", "c@d.example", "", "no id"},
        {"../x", "a@b.example", "c@d.example", "", "an id that leaves the folder"},
        {"x\r\ny", "a@b.example", "c@d.example", "", "an id with a line end"},
        {ID ID, "a@b.example", "c@d.example", "", "an id too long for a boundary"},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ua_mail_t mail = usual();
        const char *out = "untouched";
        apr_size_t length = 7;

        mail.id = rows[i].id;
        mail.from_address = rows[i].from;
        mail.to = rows[i].to;
        mail.reply_to = rows[i].reply_to;
        check(ua_mail_build(&out, &length, pool, &mail) == APR_EINVAL, rows[i].comment,
              "a message");
        assert_string_equal(out, "untouched");
        assert_int_equal(length, 7);
    }
}

/* SMTP-03 */
static void test_parts(void **state)
{
    char line[2001];
    ua_mail_t mail = usual();
    const char *message;

    (void)state;
    memset(line, 'x', sizeof(line));
    line[2000] = '\0';
    mail.text = apr_pstrcat(pool, ".\n", line, "\n..\n", NULL);
    mail.html = "<p>J\xC3\xBCrgen</p>\n<a href=\"/?a=b\">.</a>";
    message = build(&mail);
    strict_lines(message);
    assert_null(strstr(message, "7bit"));
    assert_non_null(strstr(message, "\r\n\r\n.\r\nxxxxx"));
    assert_non_null(strstr(message, "x=\r\nx"));
    assert_non_null(strstr(message, "x\r\n..\r\n\r\n--"));
    assert_non_null(strstr(message, "<p>J=C3=BCrgen</p>\r\n<a href=3D\"/?a=3Db\">.</a>\r\n--"));
}

/* A part cannot end early by naming the boundary. */
static void test_boundary(void **state)
{
    ua_mail_t mail = usual();
    const char *message;

    (void)state;
    mail.text = "a\n--=_" ID ".0--\nb\n";
    mail.html = "<p>=_" ID ".1</p>";
    message = build(&mail);
    assert_non_null(strstr(message, "boundary=\"=_" ID ".2\""));
    assert_non_null(strstr(message, "\r\n--=_" ID ".2--\r\n"));
}

static void test_mailbox(void **state)
{
    static const struct {
        const char *text;
        const char *name; /* NULL: refused */
        const char *address;
        const char *comment;
    } rows[] = {
        {"Example <accounts@example.com>", "Example", "accounts@example.com", "usual"},
        {"\"A, B\" <a@b.example>", "A, B", "a@b.example", "quoted"},
        {"a@b.example", "", "a@b.example", "bare"},
        {"<a@b.example>", "", "a@b.example", "brackets only"},
        {"  Example   Site  <a@b.example>  ", "Example   Site", "a@b.example", "blanks around"},
        {"Example<a@b.example>", "Example", "a@b.example", "no blank"},
        {"\"A\"<a@b.example>", "A", "a@b.example", "no blank after quotes"},
        {"\"a \\\"b\\\" \\\\\" <a@b.example>", "a \"b\" \\", "a@b.example", "escapes"},
        {"\"x <y@z>\" <a@b.example>", "x <y@z>", "a@b.example", "brackets within quotes"},
        {"B\xC3\xBC"
         "cher Inc. <a@b.example>",
         "B\xC3\xBC"
         "cher Inc.",
         "a@b.example", "UTF-8"},
        {"", NULL, NULL, "nothing"},
        {"   ", NULL, NULL, "blanks"},
        {"Example", NULL, NULL, "no address"},
        {"Example <>", NULL, NULL, "empty address"},
        {"Example <", NULL, NULL, "an open bracket"},
        {"Example <a@b.example", NULL, NULL, "not closed"},
        {"Example <a@b.example> x", NULL, NULL, "something behind"},
        {"\"Example <a@b.example>", NULL, NULL, "quotes not closed"},
        {"\"Example\\", NULL, NULL, "an escape of nothing"},
        {"\"Example\"", NULL, NULL, "a quoted name only"},
        {"\"A\" B <a@b.example>", NULL, NULL, "quoted and not"},
        {"A, B <a@b.example>", NULL, NULL, "a comma without quotes"},
        {"a@b.example, c@d.example", NULL, NULL, "two"},
        {"A <a@b.example>, B <c@d.example>", NULL, NULL, "two with names"},
        {"A <a b@c.example>", NULL, NULL, "blank in the address"},
        {"A\r\nBcc: x <a@b.example>", NULL, NULL, "a second header"},
        {"A <a@b\xC3\xBC.example>", NULL, NULL, "address not ASCII"},
    };

    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *name = "untouched";
        const char *address = "untouched";
        apr_status_t rv = ua_mailbox_parse(&name, &address, pool, rows[i].text);

        check(rv == (rows[i].name ? APR_SUCCESS : APR_EINVAL), rows[i].comment, name);
        check(strcmp(name, rows[i].name ? rows[i].name : "untouched") == 0, rows[i].comment,
              name);
        check(strcmp(address, rows[i].name ? rows[i].address : "untouched") == 0,
              rows[i].comment, address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_message),   cmocka_unit_test(test_optional_headers),
        cmocka_unit_test(test_no_header_added), cmocka_unit_test(test_long_names_fold),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_parts),
        cmocka_unit_test(test_boundary),        cmocka_unit_test(test_mailbox),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, pool_open, pool_close);
}
