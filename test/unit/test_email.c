/* test_email.c: addresses, and what people put in the place of one.
 *
 * Cases: SMTP-01 UNI-01 UNI-04 UNI-10 ENC-01. Every attack is one row; what passes is checked to be
 * ASCII without anything that ends a line, a command or a header, and to be its own canonical form.
 */
#include "base/email.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <locale.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define L16 "abcdefghijklmnop"
#define L63 L16 L16 L16 "abcdefghijklmno"
#define L64 L16 L16 L16 L16

static const struct {
    const char *typed;
    const char *address;
    const char *key;
} good[] = {
    {"mike@example.org", "mike@example.org", "mike@example.org"},
    {"Mike@EXAMPLE.ORG", "Mike@example.org", "mike@example.org"},             /* UNI-01 */
    {"MIKE@example.org", "MIKE@example.org", "mike@example.org"},             /* UNI-01 */
    {"I.IRMAK@EXAMPLE.INFO", "I.IRMAK@example.info", "i.irmak@example.info"}, /* UNI-10 */
    {" \t mike@example.org \t", "mike@example.org", "mike@example.org"},
    {"a+b.c_d-e@x.example", "a+b.c_d-e@x.example", "a+b.c_d-e@x.example"},
    {"+-a.-b-@x.example", "+-a.-b-@x.example",
     "+-a.-b-@x.example"}, /* only the first is an option's */
    {"!#$%&'*+-/=?^_`{|}~@x.example", "!#$%&'*+-/=?^_`{|}~@x.example",
     "!#$%&'*+-/=?^_`{|}~@x.example"},
    {"100%@x.example", "100%@x.example", "100%@x.example"},
    {"a%20b@x.example", "a%20b@x.example", "a%20b@x.example"},
    {L64 "@x.example", L64 "@x.example", L64 "@x.example"},
    {"a@" L63 ".example", "a@" L63 ".example", "a@" L63 ".example"},
    {"a@1-2.3.example", "a@1-2.3.example", "a@1-2.3.example"},
    {"b\xC3\xBC"
     "cher",
     NULL, NULL}, /* no @ */
    {"x@b\xC3\xBC"
     "cher.example",
     "x@xn--bcher-kva.example", "x@xn--bcher-kva.example"}, /* UNI-04 */
    {"x@bu\xCC\x88"
     "cher.example",
     "x@xn--bcher-kva.example", "x@xn--bcher-kva.example"}, /* UNI-04 NFD */
    {"x@B\xC3\x9C"
     "CHER.example",
     "x@xn--bcher-kva.example", "x@xn--bcher-kva.example"}, /* UNI-04 */
    {"x@xn--bcher-kva.example", "x@xn--bcher-kva.example",
     "x@xn--bcher-kva.example"}, /* UNI-04 */
    {"x@XN--BCHER-KVA.Example", "x@xn--bcher-kva.example",
     "x@xn--bcher-kva.example"}, /* UNI-04 */
    {"x@xn--BCHER-kva.example", "x@xn--bcher-kva.example",
     "x@xn--bcher-kva.example"}, /* UNI-04 */
    {"x@fa\xC3\x9F.example", "x@xn--fa-hia.example",
     "x@xn--fa-hia.example"}, /* not "fass": non-transitional */
    {"x@\xEF\xBD\x85xample.org", "x@example.org", "x@example.org"}, /* UNI-01 fullwidth e */
    {"x@example\xE3\x80\x82org", "x@example.org", "x@example.org"}, /* ideographic full stop */
    {"x@\xE2\x84\xAA"
     "elvin.example",
     "x@kelvin.example", "x@kelvin.example"}, /* UNI-01 Kelvin sign */
    {"x@m\xC4\xB1ke.example", "x@xn--mke-jua.example",
     "x@xn--mke-jua.example"}, /* UNI-01 not mike.example */
    {"mike@exampIe.org", "mike@exampie.org",
     "mike@exampie.org"}, /* UNI-01 a capital i is no l */
    {"x@\xD0\xBF\xD1\x80\xD0\xB8\xD0\xBC\xD0\xB5\xD1\x80.\xD1\x80\xD1\x84",
     "x@xn--e1afmkfd.xn--p1ai", "x@xn--e1afmkfd.xn--p1ai"},
};

static const struct {
    const char *typed;
    const char *comment;
} bad[] = {
    {"", "nothing"},
    {"   ", "blanks"},
    {"@", "only the sign"},
    {"mike", "no sign"},
    {"@example.org", "no local part"},
    {"mike@", "no domain"},
    {"mike@localhost", "one label"},
    {"mike@org", "one label"},
    {"mike@@example.org", "two signs"},
    {"a@b@example.org", "two signs"},
    {"a.example.org@", "sign at the end"},
    {".mike@example.org", "dot first"},
    {"mike.@example.org", "dot last"},
    {"mi..ke@example.org", "two dots"},
    {"-@example.org", "an option to sendmail"},
    {"-mike@example.org", "an option to sendmail"},
    {" -OQueueDirectory=x@example.org", "an option to sendmail behind a blank"},
    {L64 "a@x.example", "local part of 65 bytes"},
    {"a@" L63 "a.example", "label of 64 bytes"},
    {"mike@.example.org", "empty label first"},
    {"mike@example.org.", "root dot"},
    {"mike@example..org", "empty label"},
    {"mike@-example.org", "hyphen first"},
    {"mike@example-.org", "hyphen last"},
    {"mike@exam_ple.org", "underscore"},
    {"mike@example.o!rg", "no letter, digit or hyphen"},
    {"mike@127.0.0.1", "an address without brackets"},
    {"mike@2130706433.0x7f", "a number as the last label"},
    {"mike@[127.0.0.1]", "literal address"},
    {"mike@[IPv6:::1]", "literal address"},
    {"\"mike\"@example.org", "quoted string"},
    {"\"mike\\\"@evil.example\"@example.org", "quoted string"},
    {"mike(comment)@example.org", "comment"},
    {"mike@example.org(comment)", "comment"},
    {"mike@example.org,eve@evil.example", "two addresses"},
    {"mike@example.org;eve@evil.example", "two addresses"},
    {"mike@example.org eve@evil.example", "two addresses"},
    {"@relay.example:mike@example.org", "source route"},
    {"mike:x@example.org", "colon"},
    {"mi ke@example.org", "blank inside"},
    {"mike @example.org", "blank before the sign"},
    {"mike@ example.org", "blank after the sign"},
    {"mike@example.org\\", "backslash"},
    {"mike@example.org/x", "slash"},
    {"mailto:mike@example.org", "a link"},
    {"<mike@example.org>", "angle brackets"},
    {"Mike <mike@example.org>", "display name"},
    {"<a@b.example> NOTIFY=SUCCESS", "SMTP-01 parameter"},
    {"a@b.example> NOTIFY=SUCCESS", "SMTP-01 parameter"},
    {"a@b.example NOTIFY=SUCCESS", "SMTP-01 parameter"},
    {"a@b.c>\r\nRCPT TO:<evil@x", "SMTP-01 a second recipient"},
    {"a@b.example>\r\nRCPT TO:<evil@x.example", "SMTP-01 a second recipient"},
    {"a@b.example\r\nBcc: evil@x.example", "SMTP-01 a second header"},
    {"a@b.example\r\n", "SMTP-01 CR LF at the end"},
    {"\r\na@b.example", "SMTP-01 CR LF at the start"},
    {"a\r\n@b.example", "SMTP-01 CR LF before the sign"},
    {"a@b\r\n.example", "SMTP-01 CR LF in the domain"},
    {"a@b.example\n", "SMTP-01 bare LF"},
    {"a\nb@b.example", "SMTP-01 bare LF"},
    {"a@b.example\r", "SMTP-01 bare CR"},
    {"a\rb@b.example", "SMTP-01 bare CR"},
    {"a%0d%0aRCPT@b.example", "SMTP-01 encoded"},
    {"a%0D%0ARCPT@b.example", "SMTP-01 encoded"},
    {"a%00@b.example", "SMTP-01 encoded NUL"},
    {"a%1b@b.example", "encoded escape"},
    {"%%7f@b.example", "encoded DEL behind another sign"},
    {"a@b.example%0d%0aRCPT", "SMTP-01 encoded"},
    {"a@b.example\xE2\x80\xA8", "SMTP-01 U+2028 at the end"},
    {"a\xE2\x80\xA8@b.example", "SMTP-01 U+2028"},
    {"a@b\xE2\x80\xA9.example", "SMTP-01 U+2029"},
    {"a@b.example\xC2\x85", "SMTP-01 U+0085 at the end"},
    {"a\xC2\x85@b.example", "SMTP-01 U+0085"},
    {"a\t@b.example", "tab inside"},
    {"a\x0B@b.example", "vertical tab"},
    {"a\x1B@b.example", "escape"},
    {"a\x7F@b.example", "DEL"},
    {"a@b\x01.example", "C0 in the domain"},
    {"m\xC4\xB1ke@example.org", "UNI-01 dotless i in the local part"},
    {"\xEF\xBD\x8Dike@example.org", "UNI-01 fullwidth m in the local part"},
    {"mi\xE2\x84\xAA"
     "e@example.org",
     "UNI-01 Kelvin sign in the local part"},
    {"j\xC3\xBCrgen@example.org", "local part not ASCII"},
    {"mike\xEF\xBC\xA0"
     "example.org",
     "fullwidth sign"},
    {"mike@evil.example\xEF\xBC\xA0"
     "example.org",
     "fullwidth sign in the domain"},
    {"mike@a\xE2\x84\x80"
     "b.example",
     "U+2100 maps to a/c"},
    {"mike@evil.example\xEF\xBC\x8F.example.org", "fullwidth slash"},
    {"mike@a\xEF\xBC\xBF"
     "b.example",
     "fullwidth underscore"},
    {"mike@a\xC2\xA0"
     "b.example",
     "no-break space maps to a blank"},
    {"mike@\xE2\x80\xAE"
     "a\xE2\x80\xAC.example",
     "direction mark"},
    {"mike@a\xE2\x80\x8D"
     "b.example",
     "joiner out of its context"},
    {"mike@\xF0\x9F\x98\x80.example", "IDNA2008 knows no emoji"},
    {"mike@xn--.example", "A-label without content"},
    {"mike@xn--a.example", "A-label of a control"},
    {"mike@xn--abc.example", "A-label that nothing maps to"},
    {"mike@xn--1ch.example", "A-label of a sign that IDNA refuses"},
    {"mike@\xE2\x89\xA0.example", "the same sign as it is"},
    {"mike@a\xE2\x89\xAE.example", "a sign made of a bracket"},
    {"mike@xn--cafe-fva.example", "A-label of text that is not composed"},
    {"mike@xn--example-.example", "A-label of ASCII"},
    {"mike@xn--ls8h.example", "A-label of an emoji"},
    {"mike@xn--b\xC3\xBC.example", "A-label prefix before other letters"},
    {"mike@\xCC\x81"
     "a.example",
     "begins with a combining mark"},
    {"mike@b\xC3.example", "ENC-01 truncated"},
    {"mike@\xC0\xAF.example", "ENC-01 overlong"},
    {"mike@\xED\xA0\x80.example", "ENC-01 surrogate"},
    {"mi\xFFke@example.org", "ENC-01 no UTF-8"},
    {"mike@caf\xE9.example", "ENC-01 Latin-1"},
};

/* What may ever be stored, said a second time: printable ASCII, one "@", none of what SMTP or a header reads. */
static void assert_inert(const char *address)
{
    assert_true(strlen(address) <= UA_EMAIL_BYTES);
    assert_null(strpbrk(address, "<>()[]\\,;:\" \t\r\n"));
    assert_ptr_equal(strchr(address, '@'), strrchr(address, '@'));
    for (const char *at = address; *at; at++) {
        assert_in_range((unsigned char)*at, 0x21, 0x7e);
    }
}

/* Fails with what went wrong and with which row. */
static void expect(int passed, const char *what, const char *row)
{
    if (!passed) {
        fail_msg("%s: %s", what, row);
    }
}

static void test_accepted(void **state) /* UNI-01 UNI-04 UNI-10 */
{
    for (apr_size_t i = 0; i < COUNT(good); i++) {
        ua_email_t email = {"before", "before"};
        ua_email_t again = {0};
        apr_status_t rv = ua_email_parse(&email, *state, good[i].typed);

        if (!good[i].address) {
            assert_int_equal(rv, APR_EINVAL);
            continue;
        }
        expect(rv == APR_SUCCESS, "refused", good[i].typed);
        assert_string_equal(email.address, good[i].address);
        assert_string_equal(email.key, good[i].key);
        assert_inert(email.address);
        assert_int_equal(ua_email_parse(&again, *state, email.address), APR_SUCCESS);
        assert_string_equal(again.address, email.address);
        assert_int_equal(ua_email_parse(&again, *state, email.key), APR_SUCCESS);
        assert_string_equal(again.key, email.key);
        assert_string_equal(again.address, email.key);
    }
}

static void test_refused(void **state) /* SMTP-01 UNI-01 ENC-01 */
{
    for (apr_size_t i = 0; i < COUNT(bad); i++) {
        ua_email_t email = {"before", "before"};

        expect(ua_email_parse(&email, *state, bad[i].typed) == APR_EINVAL, bad[i].comment,
               bad[i].typed);
        assert_string_equal(email.address, "before");
        assert_string_equal(email.key, "before");
    }
}

/* A good address with one byte changed is refused, or stays inert. */
static void assert_byte(apr_pool_t *pool, apr_size_t place, int byte)
{
    char text[] = "mike@example.org";
    ua_email_t email = {0};

    text[place] = (char)byte;
    if (ua_email_parse(&email, pool, text) != APR_SUCCESS) {
        return;
    }
    assert_inert(email.address);
    assert_true((byte > 0x20 && byte < 0x7f) ||
                ((byte == ' ' || byte == '\t') && (place == 0 || place == sizeof text - 2)));
}

static void test_every_byte(void **state) /* SMTP-01 */
{
    for (apr_size_t place = 0; place < strlen("mike@example.org"); place++) {
        for (int byte = 1; byte < 256; byte++) {
            assert_byte(*state, place, byte);
        }
    }
}

static void test_bounds(void **state)
{
    apr_pool_t *pool = *state;
    const char *long_domain = L63 "." L63 "." L63 ".";
    char *flood = apr_palloc(pool, 65537);
    ua_email_t email = {0};

    /* 192 bytes of domain so far; 254 is the most in all. */
    assert_int_equal(
        ua_email_parse(&email, pool,
                       apr_pstrcat(pool, L16 L16 L16 "abcdef@", long_domain, "example", NULL)),
        APR_SUCCESS);
    assert_int_equal(strlen(email.address), UA_EMAIL_BYTES);
    assert_int_equal(
        ua_email_parse(&email, pool,
                       apr_pstrcat(pool, L16 L16 L16 "abcdefg@", long_domain, "example", NULL)),
        APR_EINVAL);
    memset(flood, 'a', 65536);
    flood[65536] = 0;
    flood[1] = '@';
    assert_int_equal(ua_email_parse(&email, pool, flood), APR_EINVAL);
    for (int i = 2; i < 65536; i += 2) {
        flood[i] = '\xC3';
        flood[i + 1] = '\xBC';
    }
    assert_int_equal(ua_email_parse(&email, pool, flood), APR_EINVAL);
}

static int setup(void **state)
{
    return apr_pool_create((apr_pool_t **)state, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    apr_pool_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_bounds),
    };

    if (!setlocale(LC_ALL, "tr_TR.UTF-8") && !setlocale(LC_ALL, "tr_TR")) { /* UNI-10 */
        setlocale(LC_ALL, "C");
    }
    apr_initialize();
    return cmocka_run_group_tests(tests, setup, teardown);
}
