/* test_form.c: bodies into fields, and the bodies that no browser sends.
 *
 * Cases: BODY-02 BODY-08 BODY-10 BODY-12 ENC-01 ENC-02 SQL-05 UNI-10. Memory of the JSON parser is
 * counted; that of the form parser is bounded because nothing is made before the pairs are counted.
 */
#include "base/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <jansson.h>
#include <locale.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

typedef apr_status_t (*parser_t)(apr_table_t **, apr_pool_t *, const char *, apr_size_t);

typedef struct body_t {
    const char *text;
    apr_size_t length;
    const char *comment;
} body_t;

typedef struct good_t {
    const char *body;
    const char *fields;
} good_t;

#define BODY(text, comment)                                                                    \
    {                                                                                          \
        text, sizeof(text) - 1, comment                                                        \
    }

/* The fields as "name=value;" in order, for comparing. */
static const char *fields_text(apr_pool_t *pool, const apr_table_t *table)
{
    const apr_array_header_t *pairs = apr_table_elts(table);
    const apr_table_entry_t *pair = (const apr_table_entry_t *)(const void *)pairs->elts;
    const char *text = "";

    for (int i = 0; i < pairs->nelts; i++) {
        text = apr_pstrcat(pool, text, pair[i].key, "=", pair[i].val, ";", NULL);
    }
    return text;
}

static const good_t good_forms[] = {
    {"", ""},
    {"a=1", "a=1;"},
    {"a=1&b=2", "a=1;b=2;"},
    {"a=1&&b=2&", "a=1;b=2;"},
    {"flag", "flag=;"},
    {"flag=", "flag=;"},
    {"=", "=;"},
    {"=nameless", "=nameless;"},
    {"a=b=c", "a=b=c;"},
    {"a=x+y%20z", "a=x y z;"},
    {"a=%2B%26%3D%25", "a=+&=%;"},
    {"a=%c3%BC", "a=\xC3\xBC;"},
    {"a=\xC3\xBC", "a=\xC3\xBC;"},
    {"a=1%0D%0A2%09", "a=1\r\n2\t;"},
    {"%61=1", "a=1;"},
    {"a=%2541", "a=%41;"},   /* decoded once */
    {"a=1;b=2", "a=1;b=2;"}, /* a semicolon separates nothing: one field "1;b=2" */
    {"a[]=1&a[0]=2", "a[]=1;a[0]=2;"},
};

static const body_t bad_forms[] = {
    BODY("a=%", "escape cut short"),
    BODY("a=%4", "escape cut short"),
    BODY("a=%4&b=1", "escape cut by the next pair"),
    BODY("a=%zz", "no hexadecimal digits"),
    BODY("a=%u0041", "not the escape of any standard"),
    BODY("a=100%", "a bare percent sign"),
    BODY("%zz=1", "in the name"),
    BODY("a=1&a=2", "BODY-08 twice"),
    BODY("a=1&a=1", "BODY-08 twice the same"),
    BODY("a=1&b=2&a=", "BODY-08 twice, not side by side"),
    BODY("a=1&%61=2", "BODY-08 twice, once encoded"),
    BODY("a=1&A=2", "BODY-08 UNI-10 twice but for case"),
    BODY("id=1&ID=2", "BODY-08 UNI-10 twice but for the case of an i"),
    BODY("a&a", "BODY-08 twice without a value"),
    BODY("=1&=2", "BODY-08 BODY-02 no name, twice"),
    BODY("password=correct%00x", "ENC-02 NUL, encoded"),
    BODY("login=alice\0evil", "SQL-05 NUL as it is"),
    BODY("login=alice%00evil", "SQL-05 NUL, encoded"),
    BODY("na%00me=1", "NUL in the name"),
    BODY("a=1\0", "NUL at the end"),
    BODY("\0", "NUL alone"),
    BODY("a=%C0%AF", "ENC-01 overlong"),
    BODY("a=%C0%80", "ENC-01 overlong NUL"),
    BODY("a=%ED%A0%80", "ENC-01 surrogate"),
    BODY("a=%F4%90%80%80", "ENC-01 above U+10FFFF"),
    BODY("a=%C3", "ENC-01 truncated"),
    BODY("a=%C3&b=%BC", "ENC-01 a character cut in two"),
    BODY("a=%C2%85", "ENC-01 C1"),
    BODY("a=%01", "ENC-01 C0"),
    BODY("a=%7F", "ENC-01 DEL"),
    BODY("a=%EF%BF%BF", "ENC-01 noncharacter"),
    BODY("a=%CD%B8", "ENC-01 unassigned"),
    BODY("a=\xFF", "ENC-01 no UTF-8, not encoded"),
    BODY("%FF=a", "ENC-01 in the name"),
};

static const good_t good_json[] = {
    {"{}", ""},
    {" \r\n\t{ } \n", ""},
    {"{\"a\":\"1\"}", "a=1;"},
    {"{\"a\":\"\",\"b\":\"x y+%20\"}", "a=;b=x y+%20;"},
    {"{\"on\":true,\"off\":false,\"one\":1,\"zero\":0}", "on=1;off=0;one=1;zero=0;"},
    {"{\"a\":\"\\u00fc\\ud83d\\ude00\\n\"}", "a=\xC3\xBC\xF0\x9F\x98\x80\n;"},
    {"{\"\\u0061\":\"\xC3\xBC\"}", "a=\xC3\xBC;"},
    {"{\"\":\"nameless\"}", "=nameless;"},
};

static const body_t bad_json[] = {
    BODY("", "nothing"),
    BODY("{", "not ended"),
    BODY("{\"a\"}", "no value"),
    BODY("{\"a\":\"1\",}", "trailing comma"),
    BODY("{a:\"1\"}", "name without quotes"),
    BODY("{\"a\":\"1\"}x", "BODY-10 trailing junk"),
    BODY("{\"a\":\"1\"}{}", "BODY-10 a second object"),
    BODY("{\"a\":\"1\"}\0", "BODY-10 NUL behind it"),
    BODY("\xEF\xBB\xBF{\"a\":\"1\"}", "BODY-10 BOM"),
    BODY("[]", "BODY-10 array"),
    BODY("[{\"a\":\"1\"}]", "BODY-10 array"),
    BODY("null", "null"),
    BODY("{\"a\":null}", "null in a field"),
    BODY("{\"a\":2}", "another number"),
    BODY("{\"a\":1.0}", "a real number"),
    BODY("{\"a\":1e400}", "BODY-10 more than a double holds"),
    BODY("{\"a\":18446744073709551617}", "2^64+1 is not 1"),
    BODY("{\"a\":NaN}", "BODY-10 NaN"),
    BODY("{\"a\":Infinity}", "infinity"),
    BODY("{\"a\":01}", "leading zero"),
    BODY("{\"a\":[\"1\"]}", "array in a field"),
    BODY("{\"a\":{}}", "object in a field"),
    BODY("{\"a\":{\"$ne\":\"\"}}", "object in a field"),
    BODY("{\"a\":\"1\",\"a\":\"2\"}", "BODY-08 BODY-10 duplicate"),
    BODY("{\"a\":\"1\",\"\\u0061\":\"1\"}", "BODY-08 duplicate, once escaped"),
    BODY("{\"a\":\"1\",\"A\":\"2\"}", "BODY-08 UNI-10 duplicate but for case"),
    BODY("{\"id\":\"1\",\"ID\":\"2\"}", "BODY-08 UNI-10 duplicate but for the case of an i"),
    BODY("{\"__proto__\":\"1\",\"a\":{\"a\":1,\"a\":2}}", "duplicate further in"),
    BODY("{\"password\":\"correct\\u0000x\"}", "BODY-10 ENC-02 NUL escape"),
    BODY("{\"a\\u0000b\":\"1\"}", "BODY-10 NUL escape in the name"),
    BODY("{\"login\":\"alice\0evil\"}", "SQL-05 NUL as it is"),
    BODY("{\"a\":\"\\ud800\"}", "BODY-10 lone surrogate"),
    BODY("{\"a\":\"\\udc00\"}", "BODY-10 lone surrogate"),
    BODY("{\"a\":\"\\ud800\\ud800\"}", "BODY-10 two high surrogates"),
    BODY("{\"a\":\"line\nbreak\"}", "control as it is"),
    BODY("{\"a\":\"\\u0001\"}", "ENC-01 C0"),
    BODY("{\"a\":\"\\u0085\"}", "ENC-01 C1"),
    BODY("{\"a\":\"\\u0085\",\"b\":\"1\"}", "ENC-01 C1 before a good field"),
    BODY("{\"a\":\"\\ufffe\"}", "ENC-01 noncharacter"),
    BODY("{\"a\":\"\\u0378\"}", "ENC-01 unassigned"),
    BODY("{\"a\":\"\xC0\xAF\"}", "ENC-01 overlong"),
    BODY("{\"a\":\"\xED\xA0\x80\"}", "ENC-01 surrogate"),
    BODY("{\"a\":\"\xFF\"}", "ENC-01 no UTF-8"),
    BODY("{\"\xFF\":\"a\"}", "ENC-01 in the name"),
    BODY("{\"a\":\"1\"/**/}", "comment"),
    BODY("a=1", "a form"),
};

static void refuse_all(apr_pool_t *pool, parser_t parse, const body_t *bodies, apr_size_t count)
{
    for (apr_size_t i = 0; i < count; i++) {
        apr_table_t *untouched = apr_table_make(pool, 1);
        apr_table_t *table = untouched;

        if (parse(&table, pool, bodies[i].text, bodies[i].length) == APR_EINVAL &&
            table == untouched) {
            continue;
        }
        fail_msg("accepted: %s: %s", bodies[i].comment, bodies[i].text);
    }
}

static void accept_all(apr_pool_t *pool, parser_t parse, const good_t *rows, apr_size_t count)
{
    for (apr_size_t i = 0; i < count; i++) {
        apr_table_t *table = NULL;
        apr_size_t length = strlen(rows[i].body);

        assert_int_equal(parse(&table, pool, rows[i].body, length), APR_SUCCESS);
        assert_string_equal(fields_text(pool, table), rows[i].fields);
    }
}

static void test_form_good(void **state)
{
    accept_all(*state, ua_form_parse, good_forms, COUNT(good_forms));
}

static void test_form_bad(void **state) /* BODY-08 ENC-01 ENC-02 SQL-05 UNI-10 */
{
    refuse_all(*state, ua_form_parse, bad_forms, COUNT(bad_forms));
}

static void test_json_good(void **state)
{
    accept_all(*state, ua_form_parse_json, good_json, COUNT(good_json));
}

static void test_json_bad(void **state) /* BODY-08 BODY-10 ENC-01 ENC-02 SQL-05 UNI-10 */
{
    refuse_all(*state, ua_form_parse_json, bad_json, COUNT(bad_json));
}

/* `count` pairs in both notations. */
static const char *pairs_text(apr_pool_t *pool, int count, int json)
{
    char *text = apr_pcalloc(pool, (apr_size_t)count * 16 + 2);
    char *end = text;

    for (int i = 0; i < count; i++) {
        end += json ? apr_snprintf(end, 17, ",\"n%d\":\"v\"", i)
                    : apr_snprintf(end, 17, "&n%d=v", i);
    }
    if (json) {
        *text = '{';
        *end = '}';
    }
    return json ? text : text + 1;
}

static void test_pairs(void **state) /* BODY-02 */
{
    apr_table_t *table = NULL;

    for (int json = 0; json < 2; json++) {
        parser_t parse = json ? ua_form_parse_json : ua_form_parse;
        const char *most = pairs_text(*state, UA_BODY_PAIRS, json);
        const char *more = pairs_text(*state, UA_BODY_PAIRS + 1, json);

        assert_int_equal(parse(&table, *state, most, strlen(most)), APR_SUCCESS);
        assert_int_equal(apr_table_elts(table)->nelts, UA_BODY_PAIRS);
        assert_string_equal(apr_table_get(table, "n63"), "v");
        assert_int_equal(parse(&table, *state, more, strlen(more)), APR_EINVAL);
    }
}

static void test_empty_pairs(void **state) /* BODY-02 */
{
    char *text = apr_palloc(*state, UA_BODY_BYTES);
    apr_table_t *table = NULL;

    memset(text, '&', UA_BODY_BYTES);
    assert_int_equal(ua_form_parse(&table, *state, text, UA_BODY_PAIRS - 1), APR_SUCCESS);
    assert_int_equal(apr_table_elts(table)->nelts, 0);
    assert_int_equal(ua_form_parse(&table, *state, text, UA_BODY_PAIRS), APR_EINVAL);
    assert_int_equal(ua_form_parse(&table, *state, text, UA_BODY_BYTES), APR_EINVAL);
    for (int i = 0; i < UA_BODY_BYTES; i += 2) {
        text[i] = '=';
    }
    assert_int_equal(ua_form_parse(&table, *state, text, 4), APR_EINVAL);
    assert_int_equal(ua_form_parse(&table, *state, text, UA_BODY_BYTES), APR_EINVAL);
}

/* One byte only is there to be read: more would be an error of the sanitizer. */
static void test_length(void **state) /* BODY-02 1, 4, 16 MB */
{
    static const apr_size_t lengths[] = {UA_BODY_BYTES + 1, 1 << 20, 4 << 20, 16 << 20};
    char *byte = apr_pcalloc(*state, 1);
    apr_table_t *table = NULL;

    for (apr_size_t i = 0; i < COUNT(lengths); i++) {
        assert_int_equal(ua_form_parse(&table, *state, byte, lengths[i]), APR_EINVAL);
        assert_int_equal(ua_form_parse_json(&table, *state, byte, lengths[i]), APR_EINVAL);
    }
    assert_int_equal(ua_form_parse(&table, *state, NULL, 0), APR_SUCCESS);
    assert_int_equal(ua_form_parse_json(&table, *state, NULL, 0), APR_EINVAL);
    byte = apr_palloc(*state, UA_BODY_BYTES);
    memset(byte, 'x', UA_BODY_BYTES);
    byte[1] = '=';
    assert_int_equal(ua_form_parse(&table, *state, byte, UA_BODY_BYTES), APR_SUCCESS);
    assert_int_equal(strlen(apr_table_get(table, "x")), UA_BODY_BYTES - 2);
}

static json_malloc_t json_take;
static apr_size_t json_taken;

static void *count_take(size_t size)
{
    json_taken += size;
    return json_take(size);
}

/* All that jansson ever takes for one body, freed or not, stays below 4 MB. */
static void test_json_memory(void **state) /* BODY-10 */
{
    static const char *const units[] = {"[", "{\"a\":", "[[],", "\"k\":1,", "\"",
                                        "0", "\\u0041", ",",    "{\"a\":["};
    char *text = apr_palloc(*state, 100001);
    json_free_t give = NULL;

    json_get_alloc_funcs(&json_take, &give);
    json_set_alloc_funcs(count_take, give);
    for (apr_size_t unit = 0; unit < COUNT(units); unit++) {
        apr_size_t size = strlen(units[unit]);
        apr_table_t *table = NULL;

        for (apr_size_t i = 0; i < 100000; i++) {
            text[i] = units[unit][i % size];
        }
        json_taken = 0;
        assert_int_equal(ua_form_parse_json(&table, *state, text, UA_BODY_BYTES), APR_EINVAL);
        assert_int_equal(ua_form_parse_json(&table, *state, text, 100000), APR_EINVAL);
        assert_in_range(json_taken, 1, 4 << 20);
    }
    json_set_alloc_funcs(json_take, give);
}

/* As many keys as fit, all different, and then one depth after another around jansson's own limit. */
static void test_json_large(void **state) /* BODY-10 */
{
    const char *keys = pairs_text(*state, 5000, 1);
    apr_table_t *table = NULL;

    assert_in_range(strlen(keys), 50000, UA_BODY_BYTES);
    assert_int_equal(ua_form_parse_json(&table, *state, keys, strlen(keys)), APR_EINVAL);
    keys = apr_psprintf(*state, "{}%*s", UA_BODY_BYTES - 1, "");
    assert_int_equal(ua_form_parse_json(&table, *state, keys, UA_BODY_BYTES), APR_SUCCESS);
    assert_int_equal(ua_form_parse_json(&table, *state, keys, UA_BODY_BYTES + 1), APR_EINVAL);
    for (int depth = 1; depth <= 16384; depth *= 2) {
        char *text = apr_palloc(*state, (apr_size_t)depth * 2 + 7);

        memset(text, '[', (apr_size_t)depth + 5);
        apr_cpystrn(text, "{\"a\":", 6);
        text[5] = '[';
        memset(text + 5 + depth, ']', (apr_size_t)depth);
        text[5 + 2 * depth] = '}';
        assert_int_equal(ua_form_parse_json(&table, *state, text, (apr_size_t)depth * 2 + 6),
                         APR_EINVAL);
    }
}

/* Good bodies with up to three bytes changed, in a fixed order: no crash, and only valid text passes. */
static void test_changed(void **state) /* BODY-12 ENC-01 */
{
    static const char bytes[] = "a=&%40+{}[]\":,\\u \n\x01\xC3\xBC\xFF";
    apr_uint32_t seed = 20261121;
    int passed[2] = {0};

    for (apr_size_t round = 0; round < 20000; round++) {
        int json = (int)(round & 1);
        const char *model = json ? good_json[round / 2 % COUNT(good_json)].body
                                 : good_forms[round / 2 % COUNT(good_forms)].body;
        apr_size_t length = strlen(model);
        apr_table_t *table = NULL;
        apr_pool_t *pool = NULL;
        char *body = NULL;

        assert_int_equal(apr_pool_create(&pool, *state), APR_SUCCESS);
        body = apr_pmemdup(pool, model, length);
        for (apr_size_t i = round % 4; i > 0 && length > 0; i--) {
            seed = seed * 1664525 + 1013904223;
            body[(seed >> 8) % length] = bytes[(seed >> 20) % sizeof bytes];
        }
        if ((json ? ua_form_parse_json : ua_form_parse)(&table, pool, body, length) ==
            APR_SUCCESS) {
            assert_null(strpbrk(fields_text(pool, table), "\x01\xFF"));
            passed[json]++;
        }
        apr_pool_destroy(pool);
    }
    assert_in_range(passed[0], 3000, 9900);
    assert_in_range(passed[1], 500, 9900);
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
        cmocka_unit_test(test_form_good),  cmocka_unit_test(test_form_bad),
        cmocka_unit_test(test_json_good),  cmocka_unit_test(test_json_bad),
        cmocka_unit_test(test_pairs),      cmocka_unit_test(test_empty_pairs),
        cmocka_unit_test(test_length),     cmocka_unit_test(test_json_memory),
        cmocka_unit_test(test_json_large), cmocka_unit_test(test_changed),
    };

    if (!setlocale(LC_ALL, "tr_TR.UTF-8") && !setlocale(LC_ALL, "tr_TR")) { /* UNI-10 */
        setlocale(LC_ALL, "C");
    }
    apr_initialize();
    return cmocka_run_group_tests(tests, setup, teardown);
}
