/* test_template_load.c: files that are missing, unreadable, not text, or without end. */
#include "template_files.h"

static const refusal_t refusals[] = {
    {"CFG-06: a page that is missing",
     "a.html",
     "a.html: this template does not exist",
     {{"b.html", ""}}},
    {"CFG-06: a partial that is missing",
     "a.html",
     "a.html:2: \"fieldx.html\" does not exist",
     {{"a.html", "\n{{>fieldx}}"}}},
    {"CFG-06: a parent that is missing, in a partial",
     "a.html",
     "b.html:1: \"c/d.html\" does not exist",
     {{"a.html", "\n{{>b}}"}, {"b.html", "{{<c/d}}{{/c/d}}"}}},
    {"a text does not include pages",
     "a.txt",
     "a.txt:1: \"b.txt\" does not exist",
     {{"a.txt", "{{>b}}"}, {"b.html", ""}}},
    {"CFG-06: bad UTF-8",
     "a.html",
     "a.html:2: the text is not UTF-8",
     {{"a.html", "x\n\xC0\xAF"}}},
    {"CFG-06: a surrogate",
     "a.html",
     "b.html:1: the text is not UTF-8",
     {{"a.html", "{{>b}}"}, {"b.html", "\xED\xA0\x80"}}},
    {"CFG-06: cut off",
     "a.html",
     "a.html:1: the text is not UTF-8",
     {{"a.html", "\xE2\x82\n"}}},
    {"a control character",
     "a.html",
     "a.html:3: the text holds a control character",
     {{"a.html", "\n\n\001"}}},
    {"neither .html nor .txt",
     "a.xml",
     "a.xml: this template is neither .html nor .txt",
     {{"a.xml", ""}}},
    {"a suffix alone",
     ".html",
     ".html: this template is neither .html nor .txt",
     {{".html", ""}}},
    {"PATH-06: a file in itself",
     "a.html",
     "a.html:1: \"a.html\" includes itself",
     {{"a.html", "{{>a}}"}}},
    {"PATH-06: a file in itself through others",
     "a.html",
     "c.html:2: \"b.html\" includes itself",
     {{"a.html", "{{>b}}"}, {"b.html", "{{<c}}{{/c}}"}, {"c.html", "\n{{$x}}{{>b}}{{/x}}"}}},
};

static void bad_files_are_refused(void **state)
{
    (void)state;
    refusals_check(refusals, sizeof(refusals) / sizeof(refusals[0]));
}

/* Each file uses the next one twice: 2^n copies of the last. */
static apr_status_t doubled(apr_pool_t *pool, int count, const char *last, const char **why)
{
    file_t files[20];
    ua_templates_t *templates;

    for (int i = 0; i < count; i++) {
        files[i].name = apr_psprintf(pool, "f%d.txt", i);
        files[i].text = apr_psprintf(pool, "{{>f%d}}\n{{>f%d}}", i + 1, i + 1);
    }
    files[count - 1].text = last;
    files[count].name = NULL;
    return files_load(&templates, pool, files, "f0.txt", why);
}

static void unfolding_is_bounded(void **state)
{
    const char *why = "";
    char *large;
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    large = apr_pcalloc(pool, 200001);
    memset(large, 'x', 200000);
    assert_int_equal(doubled(pool, 11, "x", &why), APR_SUCCESS);
    assert_int_equal(doubled(pool, 15, "x", &why), APR_EINVAL);
    assert_non_null(strstr(why, " becomes too large"));
    assert_int_equal(doubled(pool, 3, large, &why), APR_SUCCESS);
    assert_int_equal(doubled(pool, 4, large, &why), APR_EINVAL);
    assert_non_null(strstr(why, " becomes too large"));
    assert_int_equal(doubled(pool, 17, "x", &why), APR_EINVAL);
    assert_string_equal(why, "f15.txt:1: \"f16.txt\" is the end of too long a chain of files");
    apr_pool_destroy(pool);
}

/* A chain of files is bounded, not their number. */
static void many_files(void **state)
{
    file_t files[22] = {{"a.txt", ""}};
    ua_templates_t *templates;
    const char *why = "";
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    for (int i = 1; i <= 20; i++) {
        files[0].text = apr_psprintf(pool, "%s{{>f%d}}", files[0].text, i);
        files[i].name = apr_psprintf(pool, "f%d.txt", i);
        files[i].text = "x";
    }
    assert_int_equal(files_load(&templates, pool, files, "a.txt", &why), APR_SUCCESS);
    apr_pool_destroy(pool);
}

/* Three files of 25 sections within each other. */
static void depth_is_bounded(void **state)
{
    file_t files[4] = {{"a.txt", "{{>b}}"}, {"b.txt", "{{>c}}"}, {"c.txt", "x"}, {NULL, NULL}};
    ua_templates_t *templates;
    const char *why = "";
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    for (int i = 0; i < 75; i++) {
        files[i % 3].text = apr_pstrcat(pool, "{{#s}}", files[i % 3].text, "{{/s}}", NULL);
    }
    assert_int_equal(files_load(&templates, pool, files, "a.txt", &why), APR_EINVAL);
    assert_string_equal(why, "c.txt:1: here \"a.txt\" becomes too deep");
    assert_int_equal(files_load(&templates, pool, files, "b.txt", &why), APR_SUCCESS);
    apr_pool_destroy(pool);
}

typedef struct asked_t {
    int times;
    apr_status_t rv;
} asked_t;

/* Counts how often it is asked; "b.txt" fails with asked->rv. */
static apr_status_t counting_source(void *baton, apr_pool_t *pool, const char *name,
                                    const char **text, apr_size_t *length, const char **where)
{
    asked_t *asked = baton;

    asked->times++;
    *where = apr_pstrcat(pool, "/etc/templates/", name, NULL);
    *text = strcmp(name, "b.txt") == 0 ? "b" : "\n{{>b}}{{>b}}";
    *length = strlen(*text);
    return strcmp(name, "b.txt") == 0 ? asked->rv : APR_SUCCESS;
}

static void a_file_is_read_once(void **state)
{
    static const char *const names[] = {"a.txt", "b.txt", "a.txt", "c.txt", NULL};
    asked_t asked = {0, APR_SUCCESS};
    ua_templates_t *templates = NULL;
    const char *why = NULL;
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    assert_int_equal(ua_templates_load(&templates, pool, names, counting_source, &asked, &why),
                     APR_SUCCESS);
    assert_int_equal(asked.times, 3);
    assert_null(why);
    templates = NULL;
    asked.rv = APR_EACCES;
    assert_int_equal(ua_templates_load(&templates, pool, names, counting_source, &asked, &why),
                     APR_EINVAL);
    assert_string_equal(why,
                        "/etc/templates/a.txt:2: \"b.txt\" cannot be read: Permission denied");
    assert_null(templates);
    apr_pool_destroy(pool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(unfolding_is_bounded),
        cmocka_unit_test(many_files),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(a_file_is_read_once),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
