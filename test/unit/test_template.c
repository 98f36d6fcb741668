/* test_template.c: rendering, with the official Mustache suite (MIT, test/data/mustache-spec).
 *
 * Whatever the suite asks that our templates refuse by design is listed by name with its reason.
 */
#include "template_files.h"
#include <stdio.h>
#include <stdlib.h>

#define SUITE_RUN 122

static const char unescaped[] = "there is no unescaped tag";
static const char recursion[] = "includes itself";

/* Cases of the suite that must be refused at load, and the words of the refusal. */
static const struct {
    const char *file, *name, *reason;
} refused[] = {
    {"interpolation", "Triple Mustache", unescaped},
    {"interpolation", "Ampersand", unescaped},
    {"interpolation", "Triple Mustache Integer Interpolation", unescaped},
    {"interpolation", "Ampersand Integer Interpolation", unescaped},
    {"interpolation", "Triple Mustache Decimal Interpolation", unescaped},
    {"interpolation", "Ampersand Decimal Interpolation", unescaped},
    {"interpolation", "Triple Mustache Null Interpolation", unescaped},
    {"interpolation", "Ampersand Null Interpolation", unescaped},
    {"interpolation", "Triple Mustache Context Miss Interpolation", unescaped},
    {"interpolation", "Ampersand Context Miss Interpolation", unescaped},
    {"interpolation", "Dotted Names - Triple Mustache Interpolation", unescaped},
    {"interpolation", "Dotted Names - Ampersand Interpolation", unescaped},
    {"interpolation", "Implicit Iterators - Triple Mustache", unescaped},
    {"interpolation", "Implicit Iterators - Ampersand", unescaped},
    {"interpolation", "Triple Mustache - Surrounding Whitespace", unescaped},
    {"interpolation", "Ampersand - Surrounding Whitespace", unescaped},
    {"interpolation", "Triple Mustache - Standalone", unescaped},
    {"interpolation", "Ampersand - Standalone", unescaped},
    {"interpolation", "Triple Mustache With Padding", unescaped},
    {"interpolation", "Ampersand With Padding", unescaped},
    {"sections", "Implicit Iterator - Triple mustache", unescaped},
    {"sections", "Implicit Iterator - Ampersand", unescaped},
    {"partials", "Failed Lookup", "does not exist"}, /* a typing error must not pass silently */
    {"partials", "Recursion", recursion},
    {"partials", "Standalone Indentation",
     unescaped}, /* ours: "values keep their line breaks" */
    {"~inheritance", "Triple Mustache", unescaped},
    {"~inheritance", "Recursion", recursion},
};

#define REFUSED (sizeof(refused) / sizeof(refused[0]))

static const char *reason_of(const char *file, const char *name)
{
    for (size_t i = 0; i < REFUSED; i++) {
        if (strcmp(refused[i].file, file) == 0 && strcmp(refused[i].name, name) == 0) {
            return refused[i].reason;
        }
    }
    return NULL;
}

static json_t *suite_read(const char *file)
{
    const char *data = getenv("UA_TEST_DATA");
    char path[1024];
    json_error_t error;
    json_t *suite;

    (void)snprintf(path, sizeof(path), "%s/mustache-spec/%s.json", data ? data : "test/data",
                   file);
    suite = json_load_file(path, 0, &error);
    if (!suite) {
        fail_msg("%s: %s", path, error.text);
    }
    return suite;
}

/* The case's template as page.html and its partials beside it. */
static void case_files(file_t *files, apr_pool_t *pool, json_t *test)
{
    const char *name;
    json_t *text;
    int count = 0;

    files[count].name = "page.html";
    files[count++].text = json_string_value(json_object_get(test, "template"));
    json_object_foreach(json_object_get(test, "partials"), name, text)
    {
        files[count].name = apr_pstrcat(pool, name, ".html", NULL);
        files[count++].text = json_string_value(text);
    }
    files[count].name = NULL;
}

/* 0 when the case was refused at load; else 1, and its text. */
static int case_render(const char **text, const char **why, apr_pool_t *pool, json_t *test)
{
    ua_templates_t *templates = NULL;
    file_t files[8];

    case_files(files, pool, test);
    if (files_load(&templates, pool, files, "page.html", why) != APR_SUCCESS) {
        return 0;
    }
    assert_int_equal(
        ua_template_render(text, pool, templates, "page.html", json_object_get(test, "data")),
        APR_SUCCESS);
    return 1;
}

/* Returns 1 when the case was rendered as expected, 0 when it was refused as expected. */
static int case_run(const char *file, json_t *test)
{
    const char *name = json_string_value(json_object_get(test, "name"));
    const char *reason = reason_of(file, name);
    const char *why = "", *text = "";
    apr_pool_t *pool;
    int rendered;

    apr_pool_create(&pool, NULL);
    rendered = case_render(&text, &why, pool, test);
    if (rendered != !reason || (reason && !strstr(why, reason))) {
        fail_msg("%s, %s: refused: %s", file, name, why);
    }
    if (rendered && strcmp(text, json_string_value(json_object_get(test, "expected"))) != 0) {
        fail_msg("%s, %s: got <%s>", file, name, text);
    }
    apr_pool_destroy(pool);
    return rendered;
}

static const char *const suites[] = {"comments", "interpolation", "inverted",
                                     "partials", "sections",      "~inheritance"};

static void the_official_suite(void **state)
{
    size_t ran = 0, all = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        json_t *suite = suite_read(suites[i]), *test;
        size_t at;

        json_array_foreach(json_object_get(suite, "tests"), at, test)
        {
            ran += (size_t)case_run(suites[i], test);
            all++;
        }
        json_decref(suite);
    }
    assert_int_equal(ran, SUITE_RUN);
    assert_int_equal(all - ran, REFUSED);
}

/* One case with only the first `length` bytes of its template. */
static void case_cut(json_t *test, size_t length)
{
    const char *why = NULL, *text = NULL;
    ua_templates_t *templates;
    file_t files[8];
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    case_files(files, pool, test);
    files[0].text = apr_pstrmemdup(pool, files[0].text, length);
    if (files_load(&templates, pool, files, "page.html", &why) != APR_SUCCESS) {
        assert_non_null(why);
    }
    else {
        assert_int_equal(ua_template_render(&text, pool, templates, "page.html",
                                            json_object_get(test, "data")),
                         APR_SUCCESS);
        assert_non_null(text);
    }
    apr_pool_destroy(pool);
}

static void case_cuts(json_t *test)
{
    size_t length = json_string_length(json_object_get(test, "template"));

    for (size_t n = 0; n < length; n++) {
        case_cut(test, n);
    }
}

/* Each template of the suite, cut anywhere: refused or rendered, never out of bounds. */
static void cut_templates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        json_t *suite = suite_read(suites[i]), *test;
        size_t at;

        json_array_foreach(json_object_get(suite, "tests"), at, test)
        {
            case_cuts(test);
        }
        json_decref(suite);
    }
}

static const struct {
    const char *comment, *name, *view, *expected;
    file_t files[4];
} renderings[] = {
    {"XSS-01: text and attribute",
     "a.html",
     "{\"x\":\"<img src='x' onerror=\\\"y\\\">&\"}",
     "<b title=\"&lt;img src=&#39;x&#39; onerror=&quot;y&quot;&gt;&amp;\">",
     {{"a.html", "<b title=\"{{x}}\">"}}},
    {"XSS-01: a value is never read as a template",
     "a.html",
     "{\"x\":\"{{y}}{{>b}}\",\"y\":\"no\"}",
     "{{y}}{{&gt;b}}",
     {{"a.html", "{{x}}"}}},
    {"XSS-01: escaped in a partial, in a block and as an item",
     "a.html",
     "{\"x\":\"<\",\"l\":[\">\"]}",
     "&lt;&lt;&gt;",
     {{"a.html", "{{<l}}{{$b}}{{x}}{{#l}}{{.}}{{/l}}{{/b}}{{/l}}"},
      {"l.html", "{{>p}}{{$b}}{{/b}}"},
      {"p.html", "{{x}}"}}},
    {"XSS-03: raw in a text", "a.txt", "{\"x\":\"<&'>\"}", "<&'>", {{"a.txt", "{{x}}"}}},
    {"PATH-06: percent signs are text",
     "a.html",
     "{\"x\":\"%n%s\"}",
     "%n%s %d %n%s",
     {{"a.html", "{{x}} %d %n%s"}}},
    {"PATH-06: an unknown name is empty", "a.txt", "{}", "<>", {{"a.txt", "<{{x}}{{y.z}}>"}}},
    {"partials in folders",
     "mail/v.txt",
     "{}",
     "Hi\n-- \nUs\n",
     {{"mail/v.txt", "Hi\n{{>mail/footer}}\n"}, {"mail/footer.txt", "-- \nUs\n"}}},
    {"values keep their line breaks",
     "a.txt",
     "{\"x\":\"<\\n->\"}",
     "\\\n |\n <\n->\n |\n/\n",
     {{"a.txt", "\\\n {{>p}}\n/\n"}, {"p.txt", "|\n{{x}}\n|\n"}}},
    {"no blanks on empty lines",
     "a.txt",
     "{}",
     "  a\n\n  b\n",
     {{"a.txt", "  {{>p}}\n"}, {"p.txt", "a\n\nb\n"}}},
    {"truth of numbers, texts and objects",
     "a.txt",
     "{\"z\":0,\"n\":-1,\"e\":\"\",\"t\":\"x\",\"o\":{},\"f\":0.5}",
     "!z n !e t o f",
     {{"a.txt", "{{^z}}!z{{/z}}{{#z}}z{{/z}} {{#n}}n{{/n}} {{^e}}!e{{/e}}{{#e}}e{{/e}} "
                "{{#t}}t{{/t}} {{#o}}o{{/o}} {{#f}}f{{/f}}"}}},
    {"flags, objects and lists as values",
     "a.txt",
     "{\"t\":true,\"f\":false,\"o\":{\"a\":1},\"l\":[1]}",
     "true false .",
     {{"a.txt", "{{t}} {{f}} {{o}}{{l}}."}}},
    {"large and negative numbers",
     "a.txt",
     "{\"a\":-9223372036854775807,\"b\":0.1}",
     "-9223372036854775807 0.1",
     {{"a.txt", "{{a}} {{b}}"}}},
    {"a block of the page does not leak into what the page uses inside it",
     "a.html",
     "{}",
     "<[own]>",
     {{"a.html", "{{<l}}{{$c}}{{>p}}{{/c}}{{/l}}"},
      {"l.html", "<{{$c}}{{/c}}>"},
      {"p.html", "{{<l2}}{{$c}}own{{/c}}{{/l2}}"},
      {"l2.html", "[{{$c}}{{/c}}]"}}},
    {"an empty block leaves no line",
     "a.txt",
     "{}",
     "a\nb\n",
     {{"a.txt", "{{<l}}{{/l}}\n"}, {"l.txt", "a\n  {{$x}}{{/x}}\nb\n"}}},
    {"a block inside a line",
     "a.html",
     "{\"e\":1}",
     "  <main><p>\n    x</main>\n",
     {{"a.html", "  {{<l}}\n{{$c}}\n    {{#e}}\n    <p>\n      x{{/e}}{{/c}}\n{{/l}}\n"},
      {"l.html", "<main>{{$c}}{{/c}}</main>\n"}}},
    {"a file inside a block keeps its own blanks",
     "a.txt",
     "{}",
     "  a\n",
     {{"a.txt", "{{<l}}\n{{$c}}\n    {{>p}}\n{{/c}}\n{{/l}}"},
      {"l.txt", "{{$c}}{{/c}}"},
      {"p.txt", "  a\n"}}},
    {"a partial inside a line is not indented",
     "a.txt",
     "{}",
     "  x1\n2\n",
     {{"a.txt", "  {{>p}}\n"}, {"p.txt", "x{{>q}}\n"}, {"q.txt", "1\n2"}}},
    {"a parent with text behind it",
     "a.txt",
     "{}",
     "  one\ntwo tail\n",
     {{"a.txt", "  {{<p}}{{/p}} tail\n"}, {"p.txt", "one\ntwo"}}},
    {"a byte order mark is dropped", "a.txt", "{}", "x", {{"a.txt", "\xEF\xBB\xBFx"}}},
    {"an empty file", "a.txt", "{}", "", {{"a.txt", ""}}},
    {"a missing view", "a.txt", NULL, "[]", {{"a.txt", "[{{.}}{{x}}{{#x}}y{{/x}}]"}}},
};

static void own_case(size_t i)
{
    const char *why = "", *text = NULL;
    ua_templates_t *templates;
    json_t *view = renderings[i].view ? json_loads(renderings[i].view, 0, NULL) : NULL;
    file_t files[5] = {{NULL, NULL}};
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    memcpy(files, renderings[i].files, sizeof(renderings[i].files));
    if (files_load(&templates, pool, files, renderings[i].name, &why) != APR_SUCCESS) {
        fail_msg("%s: %s", renderings[i].comment, why);
    }
    assert_int_equal(ua_template_render(&text, pool, templates, renderings[i].name, view),
                     APR_SUCCESS);
    if (strcmp(text, renderings[i].expected) != 0) {
        fail_msg("%s: got <%s>", renderings[i].comment, text);
    }
    json_decref(view);
    apr_pool_destroy(pool);
}

static void our_own_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(renderings) / sizeof(renderings[0]); i++) {
        own_case(i);
    }
}

/* One item renders 1024 bytes: 1024 of them are the most. */
static apr_status_t render_items(int count, const char **text, apr_pool_t *pool)
{
    char line[1025] = {0};
    file_t files[2] = {{"a.txt", NULL}, {NULL, NULL}};
    json_t *view = json_pack("{s:[]}", "l"), *list = json_object_get(view, "l");
    ua_templates_t *templates;
    const char *why = "";
    apr_status_t rv;

    memset(line, 'x', 1024);
    files[0].text = apr_pstrcat(pool, "{{#l}}", line, "{{/l}}", NULL);
    for (int i = 0; i < count; i++) {
        json_array_append_new(list, json_integer(i));
    }
    assert_int_equal(files_load(&templates, pool, files, "a.txt", &why), APR_SUCCESS);
    rv = ua_template_render(text, pool, templates, "a.txt", view);
    json_decref(view);
    return rv;
}

static void output_is_bounded(void **state)
{
    const char *text = NULL;
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    assert_int_equal(render_items(1025, &text, pool), APR_ENOMEM);
    assert_null(text);
    assert_int_equal(render_items(1024, &text, pool), APR_SUCCESS);
    assert_int_equal(strlen(text), 1024 * 1024);
    apr_pool_destroy(pool);
}

static void unknown_names(void **state)
{
    static const file_t files[] = {{"a.txt", "{{>b}}"}, {"b.txt", "b"}, {NULL, NULL}};
    const char *text = NULL, *why = "";
    ua_templates_t *templates;
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    assert_int_equal(files_load(&templates, pool, files, "a.txt", &why), APR_SUCCESS);
    assert_int_equal(ua_template_render(&text, pool, templates, "c.txt", NULL), APR_NOTFOUND);
    assert_null(text);
    assert_int_equal(ua_template_render(&text, pool, templates, "b.txt", NULL), APR_SUCCESS);
    assert_string_equal(text, "b");
    apr_pool_destroy(pool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_official_suite), cmocka_unit_test(cut_templates),
        cmocka_unit_test(our_own_cases),      cmocka_unit_test(output_is_bounded),
        cmocka_unit_test(unknown_names),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
