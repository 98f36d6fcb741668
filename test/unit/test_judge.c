/* test_judge.c: the judgment of a password while it is typed: the registration's, and nothing is kept. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define PAGE         "/auth/strength"

static const struct {
    const char *comment, *json, *acceptable, *text;
} judgments[] = {
    {"nothing", "{}", "false", "Enter a password."},
    {"empty", "{\"password\":\"\"}", "false", "Enter a password."},
    {"short", "{\"password\":\"q7#Zr9x\"}", "false", "Use at least 8 characters."},
    {"BF-15: common", "{\"password\":\"password1\"}", "false",
     "This password is too easy to guess. Use a few words that don't belong together."},
    {"BF-15: on the list", "{\"password\":\"Correct-Horse-Battery-9\"}", "false",
     "This password is on a list of known passwords. Choose another one."},
    {"BF-15: the name", "{\"password\":\"xavierxenophon7\",\"username\":\"xavierxenophon\"}",
     "false",
     "This password is too easy to guess. Use a few words that don't belong together."},
    {"BF-15: the address",
     "{\"password\":\"x.xenophon@example.org\",\"email\":\"x.xenophon@example.org\"}", "false",
     "This password is too easy to guess. Use a few words that don't belong together."},
    {"BF-15: the display name",
     "{\"password\":\"xavierxenophon7\",\"display_name\":\"xavierxenophon\"}", "false",
     "This password is too easy to guess. Use a few words that don't belong together."},
    {"BF-15: part of the name",
     "{\"password\":\"xanthopouloswolfgangus\",\"username\":\"wolfgangus-xanthopoulos1\"}",
     "false",
     "This password is too easy to guess. Use a few words that don't belong together."},
    {"BF-15: part of the address",
     "{\"password\":\"quibblethorpian2024\",\"email\":\"a1@quibblethorpian.example\"}", "false",
     "This password is too easy to guess. Use a few words that don't belong together."},
    {"BF-15: part of the display name in other letters",
     "{\"password\":\"w\\u00f6lfgang\\u00fcsqvist\",\"display_name\":"
     "\"W\\u00d6LFGANG\\u00dcSQVIST "
     "IV\"}",
     "false",
     "This password is too easy to guess. Use a few words that don't belong together."},
    {"BF-15: the site's name", "{\"password\":\"grumblewoodfalconry\"}", "false",
     "This password is too easy to guess. Use a few words that don't belong together."},
    {"BF-15: the operator's own field",
     "{\"password\":\"Schnarrenberg-Ulm\",\"city\":\"Schnarrenberg-Ulm\"}", "false",
     "This password is too easy to guess. Use a few words that don't belong together."},
    {"BF-15: that of nobody", "{\"password\":\"Schnarrenberg-Ulm\"}", "true",
     "Very good: this is very hard to guess."},
    {"BF-15: same letters", "{\"password\":\"1a!A1a!A1a!A1a!A\"}", "false",
     "This password is too easy to guess. Use a few words that don't belong together."},
    {"good", "{\"password\":\"" UA_TEST_PASSWORD "\"}", "true",
     "Very good: this is very hard to guess."},
};

static void judges_as_the_registration(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    ua_test_write(t, "common.txt", "correct-horse-battery-9\n");
    assert_null(ua_test_start(t, "UserAuthPasswordBlocklist {}/common.txt",
                              "UserAuthSiteName \"Grumblewood Falconry Society\"",
                              "UserAuthProfileField city City", NULL));
    for (size_t i = 0; i < COUNT(judgments); i++) {
        assert_status(t, ua_test_post_json(t, PAGE, judgments[i].json), 200);
        if (strcmp(ua_test_value(t, "acceptable"), judgments[i].acceptable) != 0 ||
            strcmp(ua_test_value(t, "text"), judgments[i].text) != 0) {
            fail_msg("%s: %s", judgments[i].comment, t->body);
        }
        assert_string_equal(t->res->type, "application/json");
    }
    ua_test_close(t);
}

/* Whatever it says of a password, a registration with it says the same. */
static void agrees_with_the_registration(void **state)
{
    static const char *const passwords[] = {
        "password1",  "alice-alice-alice", "aaaaaaaaaaaaaaa", "               ",
        "qwertyuiop", "tr0ub4dor&3",       UA_TEST_PASSWORD,  "bright violin moss 4"};
    ua_test_t *t = ua_test_open("UserAuthRateLimit register off", NULL);

    (void)state;
    t->json = 1;
    for (size_t i = 0; i < COUNT(passwords); i++) {
        const char *name = apr_psprintf(t->pool, "alice%d", (int)i);
        const char *email = apr_psprintf(t->pool, "alice%d@example.org", (int)i);
        int fine = 0;

        assert_status(t,
                      ua_test_post(t, PAGE, "password", passwords[i], "username", name, "email",
                                   email, NULL),
                      200);
        fine = strcmp(ua_test_value(t, "acceptable"), "true") == 0;
        assert_int_equal(fine, apr_atoi64(ua_test_value(t, "score")) >= 3);
        assert_status(t,
                      ua_test_post(t, "/auth/register", "username", name, "email", email,
                                   "password", passwords[i], NULL),
                      fine ? 201 : 422);
    }
    ua_test_close(t);
}

/* The operator's own numbers decide; the score stays zxcvbn's. */
static void follows_the_settings(void **state)
{
    ua_test_t *t =
        ua_test_open("UserAuthPasswordMinLength 15", "UserAuthPasswordMinScore 0", NULL);

    (void)state;
    assert_status(t, ua_test_post_json(t, PAGE, "{\"password\":\"aaaaaaaaaaaaaaa\"}"), 200);
    assert_value(t, "acceptable", "true");
    assert_value(t, "score", "0");
    assert_status(t, ua_test_post_json(t, PAGE, "{\"password\":\"mQ4#vT9!xK2$pW\"}"), 200);
    assert_value(t, "acceptable", "false");
    assert_value(t, "text", "Use at least 15 characters.");
    assert_value(t, "score", "4");
    ua_test_close(t);
}

/* BF-08: what is too long for any password is not looked at. */
static void judges_no_novel(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    char *novel = apr_palloc(t->pool, 40001);

    (void)state;
    memset(novel, 'x', 40000);
    novel[40000] = '\0';
    assert_status(
        t, ua_test_post_json(t, PAGE, apr_psprintf(t->pool, "{\"password\":\"%s\"}", novel)),
        200);
    assert_value(t, "text", "Use at most 256 characters.");
    assert_value(t, "score", "0");
    ua_test_close(t);
}

/* A signed-in person's own words are known. */
static void knows_who_is_signed_in(void **state)
{
    static const char guess[] = "{\"password\":\"xavierxenophon7\"}";
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_member(t, "xavierxenophon");
    assert_status(t, ua_test_post_json(t, PAGE, guess), 200);
    assert_value(t, "acceptable", "true");
    ua_test_login(t, "xavierxenophon");
    assert_status(t, ua_test_post_json(t, PAGE, guess), 200);
    assert_value(t, "acceptable", "false");
    ua_test_close(t);
}

/* Nothing is written, counted, set or told. */
static void leaves_no_trace(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit register 1/1h", NULL);
    const char *before = ua_test_rows(t);

    (void)state;
    for (int i = 0; i < 50; i++) {
        assert_status(t, ua_test_post_json(t, PAGE, "{\"password\":\"canary-secret-1\"}"), 200);
        assert_int_equal(t->res->cookies->nelts, 0);
        assert_false(ua_test_shows(t, "canary"));
    }
    assert_string_equal(ua_test_rows(t), before);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM throttle"), 0);
    assert_int_equal(t->events->nelts, 0);
    assert_int_equal(ua_test_logged(t, "canary"), 0); /* INV-6 */
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"), "no-store");
    ua_test_close(t);
}

/* CSRF-01: a page elsewhere learns nothing by it, and a form needs its field. */
static void keeps_the_rules_of_every_post(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, PAGE), 405);
    assert_string_equal(ua_test_reply_header(t, "Allow"), "POST, OPTIONS");
    ua_test_header(t, "Sec-Fetch-Site", "cross-site");
    assert_status(t, ua_test_post_json(t, PAGE, "{\"password\":\"x\"}"), 403);
    assert_value(t, "code", "csrf");
    ua_test_header(t, "Sec-Fetch-Site", "same-origin");
    assert_status(t, ua_test_post_json(t, PAGE, "{\"password\":\"x\"}"), 200);
    ua_test_header(t, "Sec-Fetch-Site", "same-origin");
    assert_status(t, ua_test_post(t, PAGE, "password", "x", NULL), 403);
    assert_status(t, ua_test_post_json(t, PAGE, "{\"password\":[]}"), 400);
    ua_test_close(t);
}

/* The page names the address for its script. */
static void is_asked_by_the_page(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthPath /my", NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/my/register"), 200);
    assert_shows(t, "autocomplete=\"new-password\" required autocapitalize=\"none\" "
                    "spellcheck=\"false\" data-judge=\"/my/strength\"");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_as_the_registration),
        cmocka_unit_test(agrees_with_the_registration),
        cmocka_unit_test(follows_the_settings),
        cmocka_unit_test(judges_no_novel),
        cmocka_unit_test(knows_who_is_signed_in),
        cmocka_unit_test(leaves_no_trace),
        cmocka_unit_test(keeps_the_rules_of_every_post),
        cmocka_unit_test(is_asked_by_the_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
