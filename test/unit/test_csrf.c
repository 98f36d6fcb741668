/* test_csrf.c: whether a submit comes from our own page (contract 4, "Forgery"). */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define BASE         "http://localhost:8080"
#define FIELD_TEXT   86 /* base64url characters of 64 bytes */

typedef enum { NO_FIELD, OWN_FIELD, FOREIGN_FIELD, NONSENSE } field_e;

static const struct {
    const char *comment;
    const char *site, *origin, *mode; /* "" absent */
    field_e field;
    int json_body;
    int status; /* of a resend: 303 or 202 when it passes */
} cases[] = {
    {"a program: no sign of a browser", "", "", "", NO_FIELD, 0, 303},
    {"own page", "same-origin", "", "", OWN_FIELD, 0, 303},
    {"typed by the person", "none", "", "", OWN_FIELD, 0, 303},
    {"CSRF-02: another site", "cross-site", "", "", OWN_FIELD, 0, 403},
    {"CSRF-02: a sibling of the site", "same-site", "", "", OWN_FIELD, 0, 403},
    {"a word nobody knows", "same-origins", "", "", OWN_FIELD, 0, 403},
    {"Sec-Fetch-Site wins over Origin", "same-origin", "http://evil.example", "", OWN_FIELD, 0,
     303},
    {"Sec-Fetch-Site wins over Origin, the other way", "cross-site", BASE, "", OWN_FIELD, 0,
     403},
    {"own origin", "", BASE, "", OWN_FIELD, 0, 303},
    {"own origin by its number", "", "http://127.0.0.1:8080", "", OWN_FIELD, 0, 303},
    {"own origin by its v6 number", "", "http://[::1]:8080", "", OWN_FIELD, 0, 303},
    {"another port", "", "http://localhost:8081", "", OWN_FIELD, 0, 403},
    {"another scheme", "", "https://localhost:8080", "", OWN_FIELD, 0, 403},
    {"another host", "", "http://evil.example", "", OWN_FIELD, 0, 403},
    {"own name as a part", "", "http://localhost:8080.evil.example", "", OWN_FIELD, 0, 403},
    {"origin null says nothing", "", "null", "", OWN_FIELD, 0, 303},
    {"origin null needs the field", "", "null", "", NO_FIELD, 0, 403},
    {"CSRF-03: missing", "same-origin", "", "", NO_FIELD, 0, 403},
    {"CSRF-03: missing, own origin", "", BASE, "", NO_FIELD, 0, 403},
    {"CSRF-03: missing, a browser by its mode", "", "", "navigate", NO_FIELD, 0, 403},
    {"CSRF-03: another browser's", "same-origin", "", "", FOREIGN_FIELD, 0, 403},
    {"CSRF-03: nonsense", "same-origin", "", "", NONSENSE, 0, 403},
    {"JSON needs no field", "same-origin", "", "", NO_FIELD, 1, 202},
    {"JSON of another site", "cross-site", "", "", NO_FIELD, 1, 403},
    {"JSON of another origin", "", "http://evil.example", "", NO_FIELD, 1, 403},
};

/* The field a browser of this jar gets; the jar then holds what it is bound to. */
static const char *field_of(ua_test_t *t)
{
    const char *field = NULL;

    assert_status(t, ua_test_get(t, "/auth/resend"), 200);
    field = ua_test_hidden(t, "csrf");
    assert_non_null(field);
    return apr_pstrdup(t->pool, field);
}

static const char *field_for(ua_test_t *t, field_e kind)
{
    const char *foreign = field_of(t);
    const char *own = NULL;

    apr_table_clear(t->jar);
    own = field_of(t);
    switch (kind) {
    case OWN_FIELD: return own;
    case FOREIGN_FIELD: return foreign;
    case NONSENSE: return "x";
    case NO_FIELD: break;
    }
    return NULL;
}

static int submit(ua_test_t *t, const char *field, int json_body)
{
    if (json_body) {
        return ua_test_post_json(t, "/auth/resend", "{\"email\":\"a@example.org\"}");
    }
    return field
               ? ua_test_post(t, "/auth/resend", "email", "a@example.org", "csrf", field, NULL)
               : ua_test_post(t, "/auth/resend", "email", "a@example.org", NULL);
}

static void tells_own_submits_from_foreign_ones(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", "UserAuthRateLimit mail off", NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *field = field_for(t, cases[i].field);
        const char *before = ua_test_rows(t);
        int status = 0;

        ua_test_header(t, "Sec-Fetch-Site", cases[i].site);
        ua_test_header(t, "Origin", cases[i].origin);
        ua_test_header(t, "Sec-Fetch-Mode", cases[i].mode);
        status = submit(t, field, cases[i].json_body);
        if (status != cases[i].status) {
            fail_msg("%s: %d %s", cases[i].comment, status, t->body);
        }
        if (status == 403) {
            assert_shows(t, "This page was open for a long time. Please send it again.");
            assert_string_equal(ua_test_rows(t), before);
        }
    }
    ua_test_close(t);
}

/* The form again, with a fresh field and what was typed; but nothing that another site typed. */
static void gives_the_form_again(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *field = NULL;

    (void)state;
    field = field_of(t);
    ua_test_header(t, "Sec-Fetch-Site", "same-origin");
    assert_status(t,
                  ua_test_post(t, "/auth/login", "login", "alice", "password", "secret-1",
                               "csrf", "stale", NULL),
                  403);
    assert_shows(t, "value=\"alice\"");
    assert_false(ua_test_shows(t, "secret-1"));
    assert_string_not_equal(ua_test_hidden(t, "csrf"), field);
    ua_test_header(t, "Sec-Fetch-Site", "same-origin");
    assert_status(t,
                  ua_test_post(t, "/auth/login", "login", "alice", "password", "secret-1",
                               "csrf", ua_test_hidden(t, "csrf"), NULL),
                  401);
    ua_test_header(t, "Sec-Fetch-Site", "cross-site");
    assert_status(t, ua_test_post(t, "/auth/login", "login", "mallory", "password", "x", NULL),
                  403);
    assert_false(ua_test_shows(t, "mallory"));
    t->json = 1;
    ua_test_header(t, "Sec-Fetch-Site", "cross-site");
    assert_status(t, ua_test_post_json(t, "/auth/login", "{\"login\":\"alice\"}"), 403);
    assert_value(t, "code", "csrf");
    ua_test_close(t);
}

/* CSRF-03: a field lives and dies with what it is bound to. */
static void is_bound_to_the_session(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *before = NULL;
    const char *first = NULL;

    (void)state;
    ua_test_member(t, "alice");
    before = field_of(t);
    ua_test_login(t, "alice");
    assert_status(t, ua_test_post(t, "/auth/logout", NULL), 403); /* a session and no field */
    assert_status(t, ua_test_post(t, "/auth/logout", "csrf", before, NULL), 403);
    assert_status(t, ua_test_post(t, "/auth/logout", "csrf", "", NULL), 403);
    first = field_of(t);
    ua_test_login(t, "alice"); /* another session */
    assert_status(t, ua_test_post(t, "/auth/logout", "csrf", first, NULL), 403);
    assert_status(
        t,
        ua_test_request(t, UA_METHOD_POST, "/auth/logout", "application/x-www-form-urlencoded",
                        apr_pstrcat(t->pool, "csrf=", first, "&csrf=", field_of(t), NULL)),
        400);
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_status(t, ua_test_post(t, "/auth/logout", "csrf", field_of(t), NULL), 303);
    ua_test_close(t);
}

/* Masked anew each time, so that a compressed page tells nothing of it; each of them is good. */
static void looks_different_on_every_page(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);
    const char *first = field_of(t);
    const char *second = NULL;
    char *altered = NULL;

    (void)state;
    assert_int_equal(strlen(first), FIELD_TEXT);
    second = field_of(t);
    assert_string_not_equal(first, second);
    assert_memory_not_equal(first, second, 43);
    assert_memory_not_equal(first + 43, second + 43, 43);
    altered = apr_pstrdup(t->pool, first);
    altered[60] = altered[60] == 'a' ? 'b' : 'a';
    for (int i = 0; i < 3; i++) {
        ua_test_header(t, "Origin", BASE);
        assert_status(t,
                      submit(t,
                             i == 0   ? first
                             : i == 1 ? second
                                      : altered,
                             0),
                      i < 2 ? 303 : 403);
    }
    ua_test_close(t);
}

static void makes_a_cookie_before_there_is_a_session(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const ua_cookie_t *cookie = NULL;

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    cookie = ua_test_set_cookie(t, "csrf");
    assert_int_equal(cookie->age, 0);
    assert_int_equal(strlen(cookie->value), UA_DIGEST_TEXT);
    assert_false(ua_test_shows(t, cookie->value)); /* the page does not hold it */
    assert_status(t, ua_test_get(t, "/auth/login"), 200);
    assert_null(ua_test_set_cookie(t, "csrf")); /* one is enough */
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_own_submits_from_foreign_ones),
        cmocka_unit_test(gives_the_form_again),
        cmocka_unit_test(is_bound_to_the_session),
        cmocka_unit_test(looks_different_on_every_page),
        cmocka_unit_test(makes_a_cookie_before_there_is_a_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
