/* test_template_parse.c: lines and tags are found where they are, and counted rightly. */
#include "template_files.h"

static const refusal_t refusals[] = {
    {"a tag without its end",
     "a.html",
     "a.html:2: a tag without its end",
     {{"a.html", "\n{{x}"}}},
    {"two braces at the end of the file",
     "a.html",
     "a.html:1: a tag without its end",
     {{"a.html", "x {{"}}},
    {"an open section",
     "a.html",
     "a.html:2: \"x\" is opened here and never closed",
     {{"a.html", "\n{{#x}}\n\n"}}},
    {"an open block",
     "a.html",
     "a.html:1: \"x\" is opened here and never closed",
     {{"a.html", "{{$x}}"}}},
    {"an open parent",
     "a.html",
     "a.html:1: \"b\" is opened here and never closed",
     {{"a.html", "{{<b}}\n"}, {"b.html", ""}}},
    {"lines are counted through comments, standalone tags, blocks and CR LF",
     "a.html",
     "a.html:12: there is no unescaped tag",
     {{"a.html", "{{!\n\n}}\n{{#x}}\r\n{{/x}}\r\n{{$b}}\n\n  x\n{{/b}}\n\n\n{{{y}}}"}}},
    {"lines are counted in a parent tag",
     "a.html",
     "a.html:5: there is no unescaped tag",
     {{"a.html", "{{<b}}\ntext\n{{$x}}\ny{{/x}}\n{{&z}}{{/b}}"}, {"b.html", ""}}},
    {"lines are counted in a tag of several lines",
     "a.html",
     "a.html:3: there is no unescaped tag",
     {{"a.html", "{{\nx\n}}{{&y}}"}}},
};

static void syntax_is_refused(void **state)
{
    (void)state;
    refusals_check(refusals, sizeof(refusals) / sizeof(refusals[0]));
}

static apr_status_t repeat(apr_pool_t *pool, const char *part, size_t count, const char **why)
{
    size_t length = strlen(part);
    char *text = apr_pcalloc(pool, length * count + 1);
    file_t files[2] = {{"a.html", text}, {NULL, NULL}};
    ua_templates_t *templates;

    for (size_t i = 0; i < count; i++) {
        apr_cpystrn(text + i * length, part, length + 1);
    }
    return files_load(&templates, pool, files, "a.html", why);
}

/* PATH-06: a template of 10^6 tags, and of very many. */
static void tags_are_bounded(void **state)
{
    const char *why = "";
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    assert_int_equal(repeat(pool, "{{x}}", 1000000, &why), APR_EINVAL);
    assert_string_equal(why, "a.html:1: the file is larger than 256 KiB");
    assert_int_equal(repeat(pool, "{{x}}\n", 15000, &why), APR_EINVAL);
    assert_string_equal(why, "a.html:6668: too many tags and lines");
    assert_int_equal(repeat(pool, "{{x}}\n", 6000, &why), APR_SUCCESS);
    apr_pool_destroy(pool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_is_refused),
        cmocka_unit_test(tags_are_bounded),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
