/* test_negotiate.c: whether a request wants JSON and what its body is (contract 1, "Formats"). */
#include "fixture.h"

#include <apr_general.h>

static apr_pool_t *pool;

static int wants_json(ua_method_e method, const char *accept, const char *type)
{
    ua_ctx_t ctx = {.pool = pool};
    ua_req_t req = {.ctx = &ctx, .method = method, .accept = accept, .content_type = type};

    return ua_wants_json(&req);
}

static const struct {
    const char *accept;
    int json;
    const char *comment;
} accepts[] = {
    {"", 0, "none: a person"},
    {"*/*", 0, "anything: HTML (curl)"},
    {"application/json", 1, "a program"},
    {"APPLICATION/Json", 1, "types have no case (RFC 9110 8.3.1)"},
    {" application/json ", 1, "blanks"},
    {"\tapplication/json\t;q=1", 1, "tabs"},
    {"application/json;charset=utf-8", 1, "a parameter"},
    {"application/json, */*", 1, "named beats anything"},
    {"*/*, application/json", 1, "in either order"},
    {"application/json, text/plain, */*", 1, "what axios sends"},
    {"application/problem+json", 1, "an error is wanted in JSON"},
    {"application/json, application/problem+json;q=0.5", 1, "both"},
    {"application/problem+json;q=0, application/json", 1, "only one of them refused"},
    {"application/json, application/problem+json;q=0", 1, "only the other refused"},
    {"text/html", 0, "a browser"},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", 0,
     "what browsers send"},
    {"application/json, text/html", 1, "both alike: JSON was named"},
    {"text/html, application/json", 1, "in either order"},
    {"text/html, application/json;q=0.9", 0, "HTML is more welcome"},
    {"text/html;q=0.8, application/json;q=0.9", 1, "JSON is more welcome"},
    {"application/xhtml+xml, application/json;q=0.9", 0, "XHTML is HTML here"},
    {"text/html;q=0.1, application/xhtml+xml;q=0.9, application/json;q=0.5", 0,
     "the best of both"},
    {"application/json;q=0", 0, "refused (RFC 9110 12.4.2)"},
    {"application/json;q=0.000", 0, "refused at length"},
    {"application/json;q=0.001", 1, "barely"},
    {"application/json; Q=0.5, text/html", 0, "q has no case either"},
    {"application/json; q=0.5 , text/html; q=0.4", 1, "blanks around"},
    {"text/html; q=0.5, application/json; version=2; q=0.4", 0, "q behind a parameter"},
    {"application/json;faq=0, text/html;q=0.5", 1, "a parameter that only ends in q"},
    {"application/json;q=-1, text/html", 0, "no weight at all"},
    {"application/jsonp", 0, "another type that begins alike"},
    {"application/json-seq", 0, "and another"},
    {"application/jso", 0, "cut short"},
    {"application/*", 0, "a range names nothing"},
    {"text/json", 0, "not a registered type"},
    {"image/png", 0, "neither: a person's page"},
    {",,,", 0, "empty ranges"},
    {",application/json,", 1, "among empty ranges"},
    {";q=1", 0, "no type"},
};

static void accept_headers(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++) {
        int json = wants_json(UA_METHOD_GET, accepts[i].accept, "");

        if (json != accepts[i].json) {
            print_error("%s: \"%s\" gives %s\n", accepts[i].comment, accepts[i].accept,
                        json ? "JSON" : "HTML");
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* A JSON body is answered in JSON, whatever else is accepted. */
static void bodies(void **state)
{
    static const struct {
        ua_method_e method;
        const char *accept;
        const char *type;
        int json;
    } rows[] = {
        {UA_METHOD_POST, "", "application/json", 1},
        {UA_METHOD_POST, "*/*", "application/json; charset=utf-8", 1},
        {UA_METHOD_POST, "text/html", "Application/JSON", 1},
        {UA_METHOD_POST, "application/json", "application/x-www-form-urlencoded", 1},
        {UA_METHOD_POST, "", "application/x-www-form-urlencoded", 0},
        {UA_METHOD_POST, "", "application/jsonp", 0},
        {UA_METHOD_POST, "", "", 0},
        {UA_METHOD_OTHER, "", "application/json", 1}, /* refused, but in its language */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(wants_json(rows[i].method, rows[i].accept, rows[i].type),
                         rows[i].json);
    }
}

static void content_types(void **state)
{
    static const struct {
        const char *type;
        int json;
        int form;
    } rows[] = {
        {"application/json", 1, 0},
        {"application/json;charset=utf-8", 1, 0},
        {"application/json ; charset=utf-8", 1, 0},
        {" application/json", 1, 0},
        {"APPLICATION/JSON", 1, 0},
        {"application/x-www-form-urlencoded", 0, 1},
        {"application/x-www-form-urlencoded; charset=UTF-8", 0, 1},
        {"Application/X-WWW-Form-URLEncoded", 0, 1},
        {"application/x-www-form-urlencodedx", 0, 0},
        {"application/jsonx", 0, 0},
        {"application/ld+json", 0, 0},
        {"text/plain;application/json", 0, 0}, /* what a foreign form can send without asking */
        {"text/plain", 0, 0},
        {"multipart/form-data; boundary=x", 0, 0},
        {"application", 0, 0},
        {"", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(ua_is_json(rows[i].type), rows[i].json);
        assert_int_equal(ua_is_form(rows[i].type), rows[i].form);
    }
}

/* The whole way: the same page in each form. */
static void one_page_in_two_forms(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    assert_string_equal(t->res->type, "text/html; charset=utf-8");
    ua_test_header(t, "Accept", "application/json");
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    assert_string_equal(t->res->type, "application/json");
    assert_status(t, ua_test_post_json(t, "/auth/login", "{}"), 422);
    assert_string_equal(t->res->type, "application/problem+json");
    ua_test_close(t);
}

static int set_up(void **state)
{
    (void)state;
    (void)apr_initialize();
    return apr_pool_create(&pool, NULL) == APR_SUCCESS ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_headers),
        cmocka_unit_test(bodies),
        cmocka_unit_test(content_types),
        cmocka_unit_test(one_page_in_two_forms),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
