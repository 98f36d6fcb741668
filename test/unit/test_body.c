/* test_body.c: the body of a submit: media types, bounds, strictness, and its fields. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define FORM         "application/x-www-form-urlencoded"

static const struct {
    const char *comment;
    const char *type, *body;
    int status;
    const char *code;
} bodies[] = {
    {"a form", FORM, "email=a%40example.org", 202, ""},
    {"a form in a charset", FORM "; charset=UTF-8", "email=a%40example.org", 202, ""},
    {"the type in capitals", "Application/X-WWW-Form-Urlencoded", "email=a@example.org", 202,
     ""},
    {"JSON", "application/json", "{\"email\":\"a@example.org\"}", 202, ""},
    {"JSON in a charset", "application/json;charset=utf-8", "{\"email\":\"a@example.org\"}",
     202, ""},
    {"CSRF-05: text", "text/plain", "email=a@example.org", 415, "unsupported_media_type"},
    {"CSRF-05: text that is JSON", "text/plain", "{\"email\":\"a@example.org\"}", 415,
     "unsupported_media_type"},
    {"CSRF-05: multipart", "multipart/form-data; boundary=x", "--x--", 415,
     "unsupported_media_type"},
    {"CSRF-05: no type", "", "email=a@example.org", 415, "unsupported_media_type"},
    {"a type that only begins so", "application/jsonx", "{}", 415, "unsupported_media_type"},
    {"nothing at all", "", "", 422, "invalid_fields"},
    {"BODY-08: a name twice", FORM, "email=a@example.org&email=b@example.org", 400,
     "bad_request"},
    {"BODY-08: a name twice in JSON", "application/json",
     "{\"email\":\"a@example.org\",\"email\":\"b@example.org\"}", 400, "bad_request"},
    {"BODY-10: an array", "application/json", "[]", 400, "bad_request"},
    {"BODY-10: nested", "application/json", "{\"email\":{\"a\":1}}", 400, "bad_request"},
    {"BODY-10: a number", "application/json", "{\"email\":7}", 400, "bad_request"},
    {"BODY-10: a flag for a text", "application/json", "{\"email\":true}", 400, "bad_request"},
    {"BODY-10: 1 for a text", "application/json", "{\"email\":1}", 400, "bad_request"},
    {"BODY-10: null", "application/json", "{\"email\":null}", 400, "bad_request"},
    {"BODY-10: trailing junk", "application/json", "{} x", 400, "bad_request"},
    {"BODY-10: empty", "application/json", "", 400, "bad_request"},
    {"ENC-02: a NUL", FORM, "email=a%00b", 400, "bad_request"},
    {"SQL-05: a NUL in JSON", "application/json", "{\"email\":\"alice\\u0000evil\"}", 400,
     "bad_request"},
    {"ENC-01: overlong UTF-8", FORM, "email=%c0%af", 400, "bad_request"},
    {"ENC-01: a surrogate", FORM, "email=%ed%a0%80", 400, "bad_request"},
    {"BODY-02: pairs of nothing", FORM, "=&=&=&=&email=a@example.org", 400, "bad_request"},
    {"a broken escape", FORM, "email=%4", 400, "bad_request"},
};

static void judges_bodies(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    (void)state;
    t->json = 1;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        const char *before = ua_test_rows(t);
        int status =
            ua_test_request(t, UA_METHOD_POST, "/auth/resend", bodies[i].type, bodies[i].body);

        if (status != bodies[i].status) {
            fail_msg("%s: %d %s", bodies[i].comment, status, t->body);
        }
        assert_value(t, "code", bodies[i].code);
        if (status != 202) {
            assert_string_equal(ua_test_rows(t), before);
        }
    }
    ua_test_close(t);
}

/* M5, BODY-02: 64 at most. */
/* Contract 1: a flag is true, false, 1 or 0, also as text. */
static void judges_flags(void **state)
{
    static const struct {
        const char *value;
        int status;
    } rows[] = {
        {"true", 401},      {"false", 401}, {"1", 401},      {"0", 401},
        {"\"1\"", 401},     {"\"\"", 401},  {"\"on\"", 401}, {"\"false\"", 401},
        {"\"maybe\"", 400}, {"\"2\"", 400}, {"2", 400},      {"null", 400},
    };

    ua_test_t *t = ua_test_open("UserAuthLockAfter 50", NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = ua_test_post_json(
            t, "/auth/login",
            apr_psprintf(t->pool, "{\"login\":\"a\",\"password\":\"b\",\"remember\":%s}",
                         rows[i].value));

        if (status != rows[i].status) {
            fail_msg("%s: %d %s", rows[i].value, status, t->body);
        }
    }
    ua_test_close(t);
}

/* BODY-10: what no page shows is a text, too, unless it is a flag. */
static void judges_hidden_fields(void **state)
{
    static const struct {
        const char *path, *body;
        int status;
    } rows[] = {
        {"/auth/login", "{\"login\":\"a\",\"password\":\"b\",\"next\":true}", 400},
        {"/auth/login", "{\"login\":\"a\",\"password\":\"b\",\"next\":\"1\"}", 401},
        {"/auth/token", "{\"refresh_token\":true}", 400},
        {"/auth/token", "{\"refresh_token\":0}", 400},
        {"/auth/token", "{\"refresh_token\":\"0\"}", 401},
        {"/dashboard/sessions", "{\"session\":1}", 400},
        {"/dashboard/sessions", "{\"session\":\"1\"}", 404},
        {"/dashboard/sessions", "{\"others\":true,\"all\":0}", 200},
        {"/dashboard/sessions", "{\"others\":\"1\"}", 200},
        {"/dashboard/profile", "{\"cancel_email\":1,\"resend_email\":false}", 200},
    };

    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    t->json = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = ua_test_post_json(t, rows[i].path, rows[i].body);

        if (status != rows[i].status) {
            fail_msg("%s: %d %s", rows[i].body, status, t->body);
        }
    }
    ua_test_close(t);
}

static void bounds_the_number_of_pairs(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *body = "";

    (void)state;
    for (int i = 0; i < 63; i++) {
        body = apr_psprintf(t->pool, "%sa%d=&", body, i);
    }
    assert_status(t,
                  ua_test_request(t, UA_METHOD_POST, "/auth/resend", FORM,
                                  apr_pstrcat(t->pool, body, "email=a@example.org", NULL)),
                  303);
    assert_status(t,
                  ua_test_request(t, UA_METHOD_POST, "/auth/resend", FORM,
                                  apr_pstrcat(t->pool, body, "&email=b@example.org", NULL)),
                  400);
    ua_test_close(t);
}

/* What the edge said of the body is told before anything of it is looked at. */
static void tells_of_bodies_that_were_not_read(void **state)
{
    static const struct {
        apr_status_t status;
        ua_problem_e problem;
    } rows[] = {{APR_ENOSPC, UA_PROBLEM_PAYLOAD_TOO_LARGE},
                {APR_EINVAL, UA_PROBLEM_BAD_REQUEST},
                {APR_TIMEUP, UA_PROBLEM_BAD_REQUEST},
                {APR_SUCCESS, UA_PROBLEM_NONE}};

    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_status(t, ua_test_get(t, "/auth/resend"), 200);
        t->req->content_type = FORM;
        t->req->body = "email=a";
        t->req->length = 7;
        t->req->body_status = rows[i].status;
        ua_res_init(t->res, t->req);
        ua_body_read(t->res, t->req);
        assert_int_equal(t->res->problem, rows[i].problem);
        assert_string_equal(ua_field(t->req, "email"), rows[i].problem ? "" : "a");
    }
    ua_test_close(t);
}

/* The form of a route as the feature sees it. */
static void read_form(ua_test_t *t, const char *uri, const char *body)
{
    assert_status(t, ua_test_get(t, uri), 200);
    t->req->method = UA_METHOD_POST;
    t->req->content_type = FORM;
    t->req->body = body;
    t->req->length = strlen(body);
    ua_res_init(t->res, t->req);
    ua_body_read(t->res, t->req);
    assert_int_equal(t->res->problem, UA_PROBLEM_NONE);
}

static void trims_all_but_passwords(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    read_form(t, "/auth/login", "login=+alice%e3%80%80&password=+secret+");
    assert_string_equal(ua_field(t->req, "login"), "alice");
    assert_string_equal(ua_field(t->req, "password"), " secret ");
    ua_test_close(t);
}

static void knows_other_names_of_a_field(void **state)
{
    static const struct {
        const char *body, *login;
    } rows[] = {
        {"email=a", "a"},
        {"username=b", "b"},
        {"email=a&username=b", "a"},         /* the first of the accepted names */
        {"login=c&email=a&username=b", "c"}, /* its own name wins */
        {"name=d", ""},
    };

    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        read_form(t, "/auth/login", rows[i].body);
        assert_string_equal(ua_field(t->req, "login"), rows[i].login);
    }
    ua_test_close(t);
}

static void prefers_the_bodys_next(void **state)
{
    static const struct {
        const char *comment;
        const char *uri, *body, *next; /* or NULL */
    } rows[] = {
        {"none", "/auth/login", "login=a", NULL},
        {"the query's", "/auth/login?next=%2Fa", "login=a", "/a"},
        {"the body's", "/auth/login?next=%2Fa", "next=/b", "/b"},
        {"a bad one in the body", "/auth/login?next=%2Fa", "next=//evil.example", NULL},
        {"a control behind it", "/auth/login", "next=/b%0d%0a", NULL},
        {"a bad one in the query", "/auth/login?next=%2F%2Fevil.example", "login=a", NULL},
    };

    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        read_form(t, rows[i].uri, rows[i].body);
        if (rows[i].next ? !t->req->next || strcmp(t->req->next, rows[i].next) != 0
                         : t->req->next != NULL) {
            fail_msg("%s: %s", rows[i].comment, t->req->next ? t->req->next : "(none)");
        }
    }
    ua_test_close(t);
}

/* On a POST the query's fields are ignored. */
static void ignores_fields_of_the_query(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    t->json = 1;
    assert_status(t, ua_test_post(t, "/auth/resend?email=a%40example.org", NULL), 422);
    assert_value(t, "errors.email", "Enter your email address.");
    ua_test_close(t);
}

/* A field that may be left out is not judged when it is; a flag in JSON is a truth value. */
static void judges_each_field_by_its_row(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    t->json = 1;
    assert_status(t, ua_test_post_json(t, "/auth/register", "{\"username\":\"x\"}"), 422);
    assert_value(t, "errors.username", "Use 3 to 32 characters.");
    assert_value(t, "errors.email", "Enter your email address.");
    assert_value(t, "errors.password", "Enter a password.");
    assert_value(t, "errors.display_name", "");
    assert_value(t, "errors.password_confirm", "");
    assert_value(t, "code", "invalid_fields");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_bodies),
        cmocka_unit_test(judges_flags),
        cmocka_unit_test(judges_hidden_fields),
        cmocka_unit_test(bounds_the_number_of_pairs),
        cmocka_unit_test(tells_of_bodies_that_were_not_read),
        cmocka_unit_test(trims_all_but_passwords),
        cmocka_unit_test(knows_other_names_of_a_field),
        cmocka_unit_test(prefers_the_bodys_next),
        cmocka_unit_test(ignores_fields_of_the_query),
        cmocka_unit_test(judges_each_field_by_its_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
