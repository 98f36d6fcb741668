/* test_disown.c: "Not you? Remove this registration": by a button only, before the address was
 * confirmed, within seven days. */
#include "fixture.h"

/* A registration by a stranger; the token in the mail that the address's owner got. */
static const char *registered(ua_test_t *t)
{
    ua_test_register(t, "mallory");
    assert_non_null(ua_test_mail(t));
    apr_table_clear(t->jar);
    return ua_test_token(t, "disown");
}

static int post(ua_test_t *t, const char *token)
{
    return ua_test_post(t, "/auth/disown", "token", token, NULL);
}

static void removes_the_registration(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *token = registered(t);
    const char *verify = ua_test_token(t, "verify");

    (void)state;
    assert_status(t, ua_test_submit(t, "/auth/disown", "token", token, NULL), 200);
    assert_shows(t, "<h1>The registration is removed</h1>");
    assert_shows(t, "mallory@example.org");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE state = 0"), 0);
    assert_int_equal(ua_test_events(t, "registration_removed"), 1);
    assert_status(t, post(t, token), 410);
    assert_shows(t, "<h1>Link has already been used</h1>");
    assert_status(t, ua_test_post(t, "/auth/verify", "token", verify, NULL), 400);
    assert_shows(t, "<h1>Invalid verification link</h1>"); /* ended by a change */
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    ua_test_register(t, "mallory"); /* name and address are free again */
    ua_test_close(t);
}

/* PRIV-05: no name; the address only in the link that was used, whose tag is judged by it. */
static void leaves_no_name(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);
    const char *found = NULL;
    const char *token = registered(t);

    (void)state;
    assert_status(t, ua_test_post(t, "/auth/resend", "email", "mallory@example.org", NULL),
                  303);
    assert_non_null(ua_test_mail(t));
    assert_status(t, post(t, token), 200);
    found = strstr(ua_test_rows(t), "mallory");
    assert_non_null(found);
    assert_int_equal(strncmp(found, "mallory@example.org", 19), 0);
    assert_null(strstr(found + 1, "mallory"));
    ua_test_close(t);
}

static void answers_a_program(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *token = NULL;

    (void)state;
    t->json = 1;
    token = registered(t);
    assert_status(t, post(t, token), 200);
    assert_string_equal(t->body, "{\"message\":\"The registration is removed.\"}");
    assert_status(t, post(t, token), 410);
    assert_value(t, "code", "token_used");
    assert_value(t, "title", "Link has already been used");
    ua_test_close(t);
}

/* Mails that have not left yet do not either. */
static void stops_mails_on_their_way(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);
    const char *token = registered(t);

    (void)state;
    assert_status(t, ua_test_post(t, "/auth/resend", "email", "mallory@example.org", NULL),
                  303);
    assert_status(t, post(t, token), 200);
    assert_null(ua_test_mail(t));
    ua_test_close(t);
}

/* TOK-11: opening it changes nothing, in the browser that registered or in any other. */
static void does_nothing_on_get(void **state)
{
    static const ua_method_e methods[] = {UA_METHOD_GET, UA_METHOD_HEAD, UA_METHOD_OPTIONS};
    ua_test_t *t = ua_test_open("UserAuthVerifyOnGet any", NULL);
    const char *before = NULL;

    (void)state;
    ua_test_register(t, "mallory");
    assert_non_null(ua_test_mail(t));
    before = ua_test_rows(t);
    t->address = "127.0.0.1";
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        assert_status(t, ua_test_request(t, methods[i], ua_test_link(t, "disown"), "", NULL),
                      i < 2 ? 200 : 204);
    }
    assert_status(t, ua_test_get(t, ua_test_link(t, "disown")), 200);
    assert_shows(t, "<button class=\"danger\">Remove this registration</button>");
    assert_string_equal(ua_test_hidden(t, "token"), ua_test_token(t, "disown"));
    assert_string_equal(ua_test_reply_header(t, "Referrer-Policy"), "no-referrer");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

static void takes_the_token_out_of_the_url(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *token = registered(t);

    (void)state;
    ua_test_header(t, "Sec-Fetch-Dest", "document");
    assert_status(t, ua_test_get(t, ua_test_link(t, "disown")), 303);
    assert_string_equal(ua_test_location(t), "/auth/disown");
    assert_string_equal(ua_test_cookie(t, "link-disown"), token);
    assert_status(t, ua_test_get(t, "/auth/disown"), 200);
    assert_string_equal(ua_test_hidden(t, "token"), token);
    assert_status(t, ua_test_submit(t, "/auth/disown", "token", token, NULL), 200);
    assert_null(ua_test_cookie(t, "link-disown"));
    ua_test_close(t);
}

/* A confirmed account is not removed by the mail of its registration. */
static void ends_when_the_address_is_confirmed(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *token = registered(t);
    const char *before = NULL;

    (void)state;
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  303);
    before = ua_test_rows(t);
    assert_status(t, post(t, token), 400);
    assert_shows(t, "<h1>Invalid link</h1>");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

static void works_for_seven_days(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const char *token = registered(t);

    (void)state;
    t->json = 1;
    ua_test_clock(t, (apr_int64_t)7 * 24 * 3600);
    assert_status(t, post(t, token), 410);
    assert_value(t, "code", "token_expired");
    assert_value(t, "title", "Link has expired");
    assert_value(
        t, "detail",
        "Links like this work for 7 days. If someone else uses your account, set a new "
        "password: that signs everybody out.");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 1);
    ua_test_clock(t, -1);
    assert_status(t, post(t, token), 200);
    ua_test_close(t);
}

static void asks_for_a_token(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/disown"), 400);
    assert_shows(t, "<h1>Invalid link</h1>");
    t->json = 1;
    assert_status(t, ua_test_post(t, "/auth/disown", NULL), 400);
    assert_value(t, "title", "Invalid link");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removes_the_registration),
        cmocka_unit_test(leaves_no_name),
        cmocka_unit_test(answers_a_program),
        cmocka_unit_test(stops_mails_on_their_way),
        cmocka_unit_test(does_nothing_on_get),
        cmocka_unit_test(takes_the_token_out_of_the_url),
        cmocka_unit_test(ends_when_the_address_is_confirmed),
        cmocka_unit_test(works_for_seven_days),
        cmocka_unit_test(asks_for_a_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
