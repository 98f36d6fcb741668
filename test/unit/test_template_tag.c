/* test_template_tag.c: what a tag may not be, and where; each refusal names file and line. */
#include "template_files.h"

static const refusal_t refusals[] = {
    {"three braces",
     "a.html",
     "a.html:2: there is no unescaped tag",
     {{"a.html", "x\n{{{x}}}"}}},
    {"ampersand", "a.txt", "a.txt:1: there is no unescaped tag", {{"a.txt", "{{& x}}"}}},
    {"unescaped inside a parent tag",
     "a.txt",
     "a.txt:1: there is no unescaped tag",
     {{"a.txt", "{{<b}}{{{x}}}{{/b}}"}, {"b.txt", ""}}},
    {"other delimiters",
     "a.html",
     "a.html:1: the delimiters cannot be changed",
     {{"a.html", "{{=<% %>=}}"}}},
    {"a name with a blank",
     "a.html",
     "a.html:1: a name is made of letters, digits, _ and -, and dots between",
     {{"a.html", "{{a b}}"}}},
    {"a tag without a name",
     "a.html",
     "a.html:1: a name is made of letters, digits, _ and -, and dots between",
     {{"a.html", "{{}}"}}},
    {"two dots",
     "a.html",
     "a.html:1: a name is made of letters, digits, _ and -, and dots between",
     {{"a.html", "{{#a..b}}{{/a..b}}"}}},
    {"a dot at the end",
     "a.html",
     "a.html:3: a name is made of letters, digits, _ and -, and dots between",
     {{"a.html", "\n\n{{a.}}"}}},
    {"PATH-01: up the folders",
     "a.html",
     "a.html:1: a file is named by letters, digits, _ and -, and / between",
     {{"a.html", "{{>../a}}"}}},
    {"PATH-01: from the root",
     "a.html",
     "a.html:1: a file is named by letters, digits, _ and -, and / between",
     {{"a.html", "{{</etc/passwd}}{{//etc/passwd}}"}}},
    {"a block with a dot",
     "a.html",
     "a.html:1: a block is named by letters, digits, _ and -",
     {{"a.html", "{{$a.b}}{{/a.b}}"}}},
    {"closing nothing",
     "a.html",
     "a.html:2: a closing tag, but nothing is open",
     {{"a.html", "\n{{/a}}"}}},
    {"closing another",
     "a.html",
     "a.html:3: {{/b}} is expected here: it was opened in line 2",
     {{"a.html", "{{#a}}\n{{#b}}\n{{/a}}{{/b}}"}}},
    {"a variable in a parent tag",
     "a.html",
     "a.html:2: inside a parent tag only {{$block}} may stand",
     {{"a.html", "{{<b}}\n{{x}}{{/b}}"}, {"b.html", ""}}},
    {"a section in a parent tag",
     "a.html",
     "a.html:1: inside a parent tag only {{$block}} may stand",
     {{"a.html", "{{<b}}{{#x}}{{/x}}{{/b}}"}, {"b.html", ""}}},
    {"a block filled twice",
     "a.html",
     "a.html:2: this block is already filled above",
     {{"a.html", "{{<b}}{{$x}}{{/x}}\n{{$x}}{{/x}}{{/b}}"}, {"b.html", ""}}},
};

static void tags_are_refused(void **state)
{
    (void)state;
    refusals_check(refusals, sizeof(refusals) / sizeof(refusals[0]));
}

/* `count` sections within each other. */
static apr_status_t nest(apr_pool_t *pool, int count, const char **why)
{
    file_t files[2] = {{"a.txt", ""}, {NULL, NULL}};
    ua_templates_t *templates;

    for (int i = 0; i < count; i++) {
        files[0].text = apr_pstrcat(pool, "{{#a}}", files[0].text, "{{/a}}", NULL);
    }
    return files_load(&templates, pool, files, "a.txt", why);
}

static void depth_is_bounded(void **state)
{
    const char *why = "";
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    assert_int_equal(nest(pool, 32, &why), APR_SUCCESS);
    assert_int_equal(nest(pool, 33, &why), APR_EINVAL);
    assert_string_equal(why, "a.txt:1: too many sections within sections");
    apr_pool_destroy(pool);
}

static void names_are_bounded(void **state)
{
    char tag[80] = "{{";
    file_t files[2] = {{"a.txt", tag}, {NULL, NULL}};
    ua_templates_t *templates;
    const char *why = "";
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    memset(tag + 2, 'n', 64);
    memcpy(tag + 66, "}}", 3);
    assert_int_equal(files_load(&templates, pool, files, "a.txt", &why), APR_SUCCESS);
    memcpy(tag + 66, "n}}", 4);
    assert_int_equal(files_load(&templates, pool, files, "a.txt", &why), APR_EINVAL);
    apr_pool_destroy(pool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(names_are_bounded),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
