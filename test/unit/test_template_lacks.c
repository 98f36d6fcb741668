/* test_template_lacks.c: CFG-06, a form that posts never loads without its forgery field. */
#include "template_files.h"

static const struct {
    const char *comment;
    int lacks;
    file_t files[4];
} cases[] = {
    {"no form", 0, {{"a.html", "<p>method=\"post\"</p>"}}},
    {"with the field",
     0,
     {{"a.html", "<form method=\"post\"><input value=\"{{csrf}}\"></form>"}}},
    {"without", 1, {{"a.html", "<form method=\"post\"></form>"}}},
    {"capitals", 1, {{"a.html", "<FORM class=x METHOD='POST'></FORM>"}}},
    {"no quotes, line breaks", 1, {{"a.html", "<form\n method = post\n>\n</form>"}}},
    {"get", 0, {{"a.html", "<form method=\"get\"></form>"}}},
    {"dialog", 0, {{"a.html", "<form method=dialog></form>"}}},
    {"no method is get", 0, {{"a.html", "<form action=\"/q\"></form>"}}},
    {"get, but a button posts",
     1,
     {{"a.html", "<form><button formmethod=post>x</button></form>"}}},
    {"a method from the view", 1, {{"a.html", "<form method=\"{{m}}\"></form>"}}},
    {"not a form", 0, {{"a.html", "<formula method=post></formula>"}}},
    {"another variable", 1, {{"a.html", "<form method=post>{{csrf2}}{{page.csrf}}</form>"}}},
    {"the field before the form", 1, {{"a.html", "{{csrf}}<form method=post></form>"}}},
    {"the field behind the form", 1, {{"a.html", "<form method=post></form>{{csrf}}"}}},
    {"the second form lacks it",
     1,
     {{"a.html", "<form method=post>{{csrf}}</form><form method=post></form>"}}},
    {"never closed", 1, {{"a.html", "<form method=post>"}}},
    {"an empty variable inside the tag", 1, {{"a.html", "<f{{.}}orm method=post></form>"}}},
    {"an empty variable inside the method", 1, {{"a.html", "<form met{{x}}hod=post></form>"}}},
    {"a form inside a comment has the field",
     1,
     {{"a.html", "<!-- <form>{{csrf}} --><form method=post></form>"}}},
    {"a formula, then a form", 1, {{"a.html", "<formula><form method=post></form>"}}},
    {"in a comment of ours", 1, {{"a.html", "<form method=post>{{! {{csrf}}</form>"}}},
    {"the field in a partial",
     0,
     {{"a.html", "<form method=post>{{>f}}</form>"}, {"f.html", "<i>{{csrf}}</i>"}}},
    {"the form in a parent",
     0,
     {{"a.html", "{{<l}}{{$b}}{{csrf}}{{/b}}{{/l}}"},
      {"l.html", "<form method=post>{{$b}}{{/b}}</form>"}}},
    {"the page fills away the field",
     1,
     {{"a.html", "{{<l}}{{$b}}x{{/b}}{{/l}}"},
      {"l.html", "<form method=post>{{$b}}{{csrf}}{{/b}}</form>"}}},
    {"a tag of several pieces",
     1,
     {{"a.html", "<form {{#x}}class=\"y\"{{/x}} {{>m}}></form>"},
      {"m.html", "method=\"post\""}}},
};

/* The page a.html in a pool of its own. */
static ua_templates_t *loaded(apr_pool_t **pool, const char *comment, const file_t *files)
{
    ua_templates_t *templates = NULL;
    const char *why = "";

    apr_pool_create(pool, NULL);
    if (files_load(&templates, *pool, files, "a.html", &why) != APR_SUCCESS) {
        fail_msg("%s: %s", comment, why);
    }
    return templates;
}

static void form_check(size_t i)
{
    file_t files[5] = {{NULL, NULL}};
    ua_templates_t *templates;
    apr_pool_t *pool;

    memcpy(files, cases[i].files, sizeof(cases[i].files));
    templates = loaded(&pool, cases[i].comment, files);
    if (ua_template_lacks(templates, "a.html", "csrf") != cases[i].lacks) {
        fail_msg("%s", cases[i].comment);
    }
    apr_pool_destroy(pool);
}

static void forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        form_check(i);
    }
}

static void unknown_page(void **state)
{
    static const file_t files[] = {{"a.html", ""}, {NULL, NULL}};
    apr_pool_t *pool;
    ua_templates_t *templates = loaded(&pool, "the page", files);

    (void)state;
    assert_int_equal(ua_template_lacks(templates, "b.html", "csrf"), 1);
    assert_int_equal(ua_template_says(templates, "b.html", "csrf"), 0);
    apr_pool_destroy(pool);
}

/* A mail that is to carry a link. */
static void variables(void **state)
{
    static const file_t files[] = {{"a.html", "{{>b}}"},
                                   {"b.html", "{{#x}}{{<c}}{{$y}}{{link}}{{/y}}{{/c}}{{/x}}"},
                                   {"c.html", "{{$y}}{{unseen}}{{/y}}{{links}}"},
                                   {NULL, NULL}};
    apr_pool_t *pool;
    ua_templates_t *templates = loaded(&pool, "the page", files);

    (void)state;
    assert_int_equal(ua_template_says(templates, "a.html", "link"), 1);
    assert_int_equal(ua_template_says(templates, "a.html", "unseen"), 0);
    assert_int_equal(ua_template_says(templates, "a.html", "lin"), 0);
    apr_pool_destroy(pool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(unknown_page),
        cmocka_unit_test(variables),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
