/* test_draft.c: a form sent after its session ended comes back filled in after the sign-in, to the same
 * person, on the same page, once, without secrets; and is not sent by itself. */
#include "places.h"

#define PROFILE "/dashboard/profile"
#define SAYS    "Your changes are not saved yet. Check them and send them again."
#define NAME    "Alice <of> \"Wonderland\" & sons"
#define SHOWN   "value=\"Alice &lt;of&gt; &quot;Wonderland&quot; &amp; sons\""

/* What a browser sends from the profile: its field of forgery is of the page as it was. */
static int send_profile(ua_test_t *t, const char *csrf, const char *name)
{
    ua_test_browser(t);
    ua_test_header(t, "Referer", "http://localhost:8080" PROFILE "?notice=profile-saved");
    return ua_test_post(t, PROFILE, "csrf", csrf, "flags", "1", "username", "alice2", "email",
                        "alice@example.org", "display_name", name, "show_email", "1",
                        "current_password", UA_TEST_PASSWORD, NULL);
}

/* The page of a session that lives, then its end. */
static const char *outlived_page(ua_test_t *t)
{
    const char *csrf = NULL;

    assert_status(t, ua_test_get(t, PROFILE), 200);
    csrf = ua_test_hidden(t, "csrf");
    ua_test_clock(t, HOUR);
    return csrf;
}

/* A site with a draft of alice's in the jar. */
static ua_test_t *site_with_draft(void)
{
    ua_test_t *t = site_of_alice();

    assert_status(t, send_profile(t, outlived_page(t), NAME), 303);
    assert_non_null(ua_test_cookie(t, "draft"));
    return t;
}

static void look_at_profile(ua_test_t *t)
{
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, PROFILE), 200);
}

static void comes_back(void **state)
{
    ua_test_t *t = site_with_draft();
    const char *before = NULL;

    (void)state;
    assert_string_equal(ua_test_location(t), "/auth/login?next=%2Fdashboard%2Fprofile");
    assert_int_equal(ua_test_set_cookie(t, "draft")->age, 600);
    ua_test_login(t, "alice");
    before = ua_test_rows(t);
    look_at_profile(t);
    assert_shows(t, "<p class=\"notice\" role=\"status\">" SAYS "</p>");
    assert_shows(t, SHOWN);
    assert_shows(t, "name=\"username\" value=\"alice2\"");
    assert_shows(t, "name=\"show_email\" value=\"1\" checked");
    assert_false(ua_test_shows(t, UA_TEST_PASSWORD));
    assert_string_equal(ua_test_rows(t), before); /* not sent */
    assert_null(ua_test_cookie(t, "draft"));
    look_at_profile(t); /* once */
    assert_false(ua_test_shows(t, SAYS));
    assert_shows(t, "name=\"username\" value=\"alice\"");
    ua_test_close(t);
}

/* Nothing that could open anything is in the cookie. */
static void holds_no_secret(void **state)
{
    ua_test_t *t = site_with_draft();
    const char *value = ua_test_cookie(t, "draft");
    apr_size_t length = (apr_size_t)(strchr(value, '.') - value);
    unsigned char *text = apr_pcalloc(t->pool, length + 1);

    (void)state;
    value = apr_pstrmemdup(t->pool, value, length);
    assert_int_equal(ua_base64url_decode(text, length / 4 * 3 + length % 4 * 3 / 4, value),
                     APR_SUCCESS);
    assert_non_null(strstr((const char *)text, "\"username\":\"alice2\""));
    assert_null(strstr((const char *)text, "password"));
    assert_null(strstr((const char *)text, "csrf"));
    assert_null(strstr((const char *)text, UA_TEST_PASSWORD));
    ua_test_close(t);
}

/* However the session ended: by time, by its owner elsewhere. */
static void of_an_ended_session(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *csrf = NULL;

    (void)state;
    look_at_profile(t);
    csrf = ua_test_hidden(t, "csrf");
    ua_test_sql(t, "UPDATE session SET ended = 1");
    assert_status(t, send_profile(t, csrf, NAME), 303);
    ua_test_login(t, "alice");
    look_at_profile(t);
    assert_shows(t, SHOWN);
    ua_test_close(t);
}

/* AUTHZ-01: bound to the account; another person's sign-in removes it. */
static void never_for_another_account(void **state)
{
    ua_test_t *t = site_with_draft();
    apr_table_t *jar = t->jar;

    (void)state;
    t->jar = apr_table_make(t->pool, 8);
    ua_test_member(t, "eve");
    t->jar = jar;
    ua_test_login(t, "eve");
    assert_non_null(ua_test_cookie(t, "draft"));
    look_at_profile(t);
    assert_false(ua_test_shows(t, SAYS));
    assert_false(ua_test_shows(t, "Wonderland"));
    assert_null(ua_test_cookie(t, "draft"));
    ua_test_login(t, "alice");
    look_at_profile(t);
    assert_false(ua_test_shows(t, "Wonderland"));
    ua_test_close(t);
}

static void never_on_another_page(void **state)
{
    ua_test_t *t = site_with_draft();

    (void)state;
    ua_test_login(t, "alice");
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, "/dashboard"), 200);
    assert_false(ua_test_shows(t, SAYS));
    assert_status(t, ua_test_get(t, "/auth/reauth"), 200);
    assert_false(ua_test_shows(t, SAYS));
    assert_non_null(ua_test_cookie(t, "draft"));
    look_at_profile(t);
    assert_shows(t, SAYS);
    ua_test_close(t);
}

/* Not for a program, not in advance, not for long. */
static void only_for_whoever_looks(void **state)
{
    ua_test_t *t = site_with_draft();

    (void)state;
    ua_test_login(t, "alice");
    t->json = 1;
    assert_status(t, ua_test_get(t, PROFILE), 200);
    assert_value(t, "username", "alice");
    assert_value(t, "message", "");
    t->json = 0;
    assert_status(t, ua_test_head(t, PROFILE), 200);
    ua_test_header(t, "Sec-Purpose", "prefetch");
    assert_status(t, ua_test_get(t, PROFILE), 200);
    assert_false(ua_test_shows(t, SAYS));
    assert_non_null(ua_test_cookie(t, "draft"));
    ua_test_clock(t, 600); /* a browser that keeps it longer */
    look_at_profile(t);
    assert_false(ua_test_shows(t, SAYS));
    assert_null(ua_test_cookie(t, "draft"));
    ua_test_close(t);
}

static void believes_its_own_only(void **state)
{
    ua_test_t *t = site_with_draft();
    const char *good = apr_pstrdup(t->pool, ua_test_cookie(t, "draft"));
    const char *dot = strchr(good, '.');
    const char *bad[] = {
        "x",
        ".",
        dot,
        apr_pstrmemdup(t->pool, good, (apr_size_t)(dot - good)),
        apr_pstrcat(t->pool, "e30", dot, NULL),
        apr_pstrcat(t->pool, "A", good, NULL),
        apr_pstrcat(t->pool, good, "A", NULL),
        apr_pstrcat(t->pool, apr_pstrmemdup(t->pool, good, strlen(good) - 1), "~", NULL),
    };

    (void)state;
    ua_test_login(t, "alice");
    for (size_t i = 0; i < COUNT(bad); i++) {
        apr_table_set(t->jar, "userauth-draft", bad[i]);
        look_at_profile(t);
        assert_false(ua_test_shows(t, SAYS));
        assert_shows(t, "name=\"username\" value=\"alice\"");
    }
    apr_table_set(t->jar, "userauth-draft", good);
    look_at_profile(t);
    assert_shows(t, SAYS);
    ua_test_close(t);
}

/* What is no form of ours, or of nobody known, leaves none: CSRF. The answer is the same. */
static void leaves_none(void **state)
{
    static const struct {
        const char *comment, *header, *value;
        const char *uri, *field, *csrf;
    } cases[] = {
        {"another site's", "Sec-Fetch-Site", "cross-site", PROFILE, "username", ""},
        {"another origin's", "Origin", "https://evil.example", PROFILE, "username", ""},
        {"without the page's field", "Accept", "text/html", PROFILE, "username", "x"},
        {"of an unknown session", "Cookie", "userauth=AAAA", PROFILE, "username", ""},
        {"without a session", "Cookie", "", PROFILE, "username", ""},
        {"to no page", "Accept", "text/html", "/dashboard/nothing", "username", ""},
        {"secrets only", "Accept", "text/html", PROFILE, "current_password", ""},
        {"a button only", "Accept", "text/html", PROFILE, "cancel_email", ""},
        {"nothing of this form", "Accept", "text/html", PROFILE, "other", ""},
        {"not a form for typing", "Accept", "text/html", "/dashboard/sessions", "session", ""},
    };

    ua_test_t *t = site_of_alice();
    const char *csrf = outlived_page(t);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ua_test_header(t, cases[i].header, cases[i].value);
        assert_status(t,
                      ua_test_post(t, cases[i].uri, "csrf", *cases[i].csrf ? "x" : csrf,
                                   cases[i].field, "1", NULL),
                      303);
        if (ua_test_set_cookie(t, "draft")) {
            fail_msg("%s: leaves a draft", cases[i].comment);
        }
        assert_string_equal(ua_test_location(t), "/auth/login?next=%2Fdashboard");
    }
    assert_status(t, ua_test_post(t, PROFILE, "csrf", csrf, "username", "1", NULL), 303);
    assert_non_null(ua_test_set_cookie(t, "draft"));
    ua_test_close(t);
}

/* Not for programs and scripts, which are told 401. */
static void not_for_programs(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *csrf = outlived_page(t);

    (void)state;
    ua_test_header(t, "Accept", "application/json");
    assert_status(t, ua_test_post(t, PROFILE, "csrf", csrf, "username", "x", NULL), 401);
    assert_null(ua_test_set_cookie(t, "draft"));
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"username\":\"x\"}"), 401);
    assert_null(ua_test_set_cookie(t, "draft"));
    ua_test_header(t, "Sec-Fetch-Mode", "cors");
    assert_status(t, ua_test_post(t, PROFILE, "csrf", csrf, "username", "x", NULL), 401);
    assert_null(ua_test_set_cookie(t, "draft"));
    ua_test_browser(t); /* a body that is no form at all */
    assert_status(t,
                  ua_test_request(t, UA_METHOD_POST, PROFILE,
                                  "application/x-www-form-urlencoded", "username=%ff"),
                  303);
    assert_null(ua_test_set_cookie(t, "draft"));
    ua_test_close(t);
}

/* A cookie of more than 3000 characters is none: dropped, and nothing is said of it. */
static void drops_what_is_too_long(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *csrf = outlived_page(t);
    char *name = apr_pcalloc(t->pool, 4001);
    apr_size_t longest = 0;

    (void)state;
    for (apr_size_t n = 1900; n < 2300; n++) {
        const char *cookie = NULL;

        ua_test_forget(t, "draft");
        memset(name, 'x', n);
        assert_status(t, send_profile(t, csrf, name), 303);
        cookie = ua_test_cookie(t, "draft");
        longest = cookie ? strlen(cookie) : longest;
        assert_true(longest <= 3000);
    }
    assert_true(longest >= 2997);
    assert_null(ua_test_cookie(t, "draft"));
    ua_test_close(t);
}

/* The longest that was left is shown again. */
static void takes_a_long_one(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *csrf = outlived_page(t);
    char *name = apr_pcalloc(t->pool, 1901);

    (void)state;
    memset(name, 'x', 1900);
    assert_status(t, send_profile(t, csrf, name), 303);
    assert_true(strlen(ua_test_cookie(t, "draft")) > 2500);
    ua_test_login(t, "alice");
    look_at_profile(t);
    assert_shows(t, name);
    ua_test_close(t);
}

/* When the owner can't be looked up the answer is as ever; when the page can't be shown it waits. */
static void without_storage(void **state)
{
    ua_test_t *t = site_with_draft();

    (void)state;
    ua_test_login(t, "alice");
    ua_test_sql(t, "ALTER TABLE token RENAME TO away");
    ua_test_expect(t, "UA0101");
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, PROFILE), 503);
    assert_non_null(ua_test_cookie(t, "draft"));
    ua_test_sql(t, "ALTER TABLE away RENAME TO token");
    assert_null(ua_test_start(t, "UserAuthMailLimit off", NULL));
    look_at_profile(t);
    assert_shows(t, SHOWN);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(holds_no_secret),
        cmocka_unit_test(of_an_ended_session),
        cmocka_unit_test(never_for_another_account),
        cmocka_unit_test(never_on_another_page),
        cmocka_unit_test(only_for_whoever_looks),
        cmocka_unit_test(believes_its_own_only),
        cmocka_unit_test(leaves_none),
        cmocka_unit_test(not_for_programs),
        cmocka_unit_test(drops_what_is_too_long),
        cmocka_unit_test(takes_a_long_one),
        cmocka_unit_test(without_storage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
