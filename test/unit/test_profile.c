/* test_profile.c: a person's profile: what is shown, what may be changed, what stays. The address has a
 * program of its own, test_profile_email.c. */
#include "moves.h"

#define FIELDS "UserAuthProfileField city \"Home town\" required public"

static const char *own_value(ua_test_t *t, const char *name)
{
    return ua_test_scalar(t, "SELECT value FROM profile_field WHERE name = '%s'", name);
}

static void expect_row(ua_test_t *t, const char *expected)
{
    assert_string_equal(ua_test_scalar(t, "SELECT username || '|' || email || '|' || "
                                          "display_name || '|' || hidden || show_email "
                                          "FROM account WHERE email LIKE 'alice%%'"),
                        expected);
}

/* One field, as a program sends it. */
static int send_one(ua_test_t *t, const char *name, const char *value)
{
    json_t *body = ua_json_object(t->turn);

    ua_json_set(body, name, value);
    return ua_test_post_json(t, PROFILE, ua_json_text(t->pool, body));
}

static void is_for_signed_in_persons(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, PROFILE), 303);
    assert_string_equal(ua_test_location(t), "/auth/login?next=%2Fdashboard%2Fprofile");
    t->json = 1;
    assert_status(t, ua_test_get(t, PROFILE), 401);
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"display_name\":\"x\"}"), 401);
    assert_value(t, "code", "login_required");
    ua_test_close(t);
}

static void shows_what_is_stored(void **state)
{
    ua_test_t *t = site_of_alice("UserAuthProfileField city \"Home town\" public");

    (void)state;
    ua_test_sql(t, "UPDATE account SET display_name = 'Alice <b>', show_email = 1");
    ua_test_sql(t, "INSERT INTO profile_field SELECT id, 'city', 'K\xc3\xb6ln' FROM account");
    assert_status(t, ua_test_get(t, PROFILE), 200);
    assert_shows(t, "<title>Profile · localhost</title>");
    assert_shows(t, "<a href=\"/dashboard/profile\" aria-current=\"page\">Profile</a>");
    assert_shows(t, "name=\"username\" value=\"alice\" autocomplete=\"username\" required");
    assert_shows(t, "name=\"email\" value=\"alice@example.org\"");
    assert_shows(t, "name=\"display_name\" value=\"Alice &lt;b&gt;\"");
    assert_shows(t, "<label for=\"f-city\">Home town <span class=\"optional\">(optional)");
    assert_shows(t, "name=\"city\" value=\"K\xc3\xb6ln\"");
    assert_shows(t, "name=\"hidden\" value=\"1\">");
    assert_shows(t, "name=\"show_email\" value=\"1\" checked>");
    assert_shows(t, "Hide me from the list of members");
    assert_shows(t, "Show my email address to members");
    assert_false(ua_test_shows(t, "current_password"));
    assert_false(ua_test_shows(t, "We sent a link"));
    ua_test_close(t);
}

static void tells_a_program(void **state)
{
    ua_test_t *t = site_of_alice("UserAuthProfileField city Town");

    (void)state;
    t->json = 1;
    assert_status(t, ua_test_get(t, PROFILE), 200);
    assert_string_equal(
        t->body, apr_pstrcat(t->pool, "{\"id\":\"", ua_test_scalar(t, "SELECT id FROM account"),
                             "\",\"username\":\"alice\",\"email\":\"alice@example.org\","
                             "\"email_verified\":true,\"display_name\":\"\",\"hidden\":false,"
                             "\"show_email\":false,\"pending_email\":null,"
                             "\"pending_email_state\":null,\"fields\":{\"city\":\"\"}}",
                             NULL));
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"city\":\"Ulm\",\"hidden\":true}"), 200);
    assert_value(t, "fields.city", "Ulm");
    assert_value(t, "hidden", "true");
    assert_value(t, "username", "alice");
    assert_value(t, "message", "Your profile is saved.");
    ua_test_close(t);
}

static void saves_what_was_typed(void **state)
{
    ua_test_t *t = site_of_alice(FIELDS);

    (void)state;
    assert_status(t,
                  ua_test_submit(t, PROFILE, "flags", "1", "username", " Al.ice-2 ", "email",
                                 ALICE, "display_name", "  \xc3\x84lice ", "city", " Ulm ",
                                 "hidden", "1", "show_email", "on", NULL),
                  303);
    assert_string_equal(ua_test_location(t), PROFILE "?notice=profile-saved");
    expect_row(t, "Al.ice-2|alice@example.org|\xc3\x84lice|11");
    assert_string_equal(ua_test_scalar(t, "SELECT username_key || display_key FROM account"),
                        "al.ice-2\xc3\xa4lice");
    assert_string_equal(own_value(t, "city"), "Ulm");
    assert_int_equal(ua_test_events(t, "\"profile_changed\""), 1);
    assert_int_equal(ua_test_events(t, "\"detail\":\"username\""), 1);
    assert_status(t, ua_test_get(t, PROFILE "?notice=profile-saved"), 200);
    assert_shows(t, "Your profile is saved.");
    assert_status(t, ua_test_get(t, "/dashboard"), 200); /* the session tells the new name */
    assert_shows(t, "<dd>Al.ice-2</dd>");
    assert_status(t, log_in(t, "AL.ICE-2", UA_TEST_PASSWORD), 303);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 401);
    ua_test_close(t);
}

/* Contract 1: an absent text field is left as it is; an unknown one is ignored. */
static void leaves_what_was_not_sent(void **state)
{
    ua_test_t *t = site_of_alice(FIELDS);

    (void)state;
    assert_status(t,
                  ua_test_submit(t, PROFILE, "flags", "1", "hidden", "1", "city", "Ulm",
                                 "display_name", "A", NULL),
                  303);
    expect_row(t, "alice|alice@example.org|A|10");
    assert_status(t, ua_test_submit(t, PROFILE, "display_name", "B", NULL), 303);
    expect_row(t, "alice|alice@example.org|B|10"); /* no "flags": boxes are left, too */
    t->json = 1;
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"show_email\":\"1\",\"x\":\"y\"}"), 200);
    expect_row(t, "alice|alice@example.org|B|11");
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"hidden\":false}"), 200);
    expect_row(t, "alice|alice@example.org|B|01");
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"display_name\":\"\"}"), 200);
    expect_row(t, "alice|alice@example.org||01"); /* optional: may be emptied */
    assert_string_equal(own_value(t, "city"), "Ulm");
    t->json = 0;
    assert_status(t, ua_test_submit(t, PROFILE, "flags", "1", NULL), 303);
    expect_row(t, "alice|alice@example.org||00"); /* a browser's way to say "not ticked" */
    ua_test_close(t);
}

static void writes_nothing_when_nothing_is_new(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *before = NULL;

    (void)state;
    before = ua_test_rows(t);
    assert_status(
        t, ua_test_submit(t, PROFILE, "flags", "1", "username", "alice", "email", ALICE, NULL),
        303);
    assert_string_equal(ua_test_location(t), PROFILE "?notice=profile-saved");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

static const struct {
    const char *name;
    const char *value;
    const char *says;
} refusals[] = {
    {"username", "", "Choose a username."},
    {"username", "  ", "Choose a username."},
    {"username", "al", "Use 3 to 32 characters."},
    {"username", "root", "This username is reserved. Choose another one."},
    {"username", ".alice", "Begin with a letter or a digit."},
    /* UNI-02: look-alikes of bigbird */
    {"username",
     "\xe1\xb4\xae\xe1\xb4\xb5\xe1\xb4\xb3\xe1\xb4\xae\xe1\xb4\xb5\xe1\xb4\xbf\xe1\xb4\xb0",
     "Use only letters A to Z, digits, dots, hyphens and underscores."},
    {"username", "b\xe2\x80\x8digbird",
     "Use only letters A to Z, digits, dots, hyphens and underscores."},
    {"email", "", "Enter your email address."},
    {"email", "alice", "Enter an email address like name@example.com."},
    {"email", "a@example.org\r\nBcc: b@example.org",
     "Enter an email address like name@example.com."},
    {"display_name", "A\xe2\x80\xae", "Leave out invisible characters."},
    {"city", "", "Please fill this in."},
    {"city", "Ulm\nNeu", "Leave out line breaks and invisible characters."},
};

static void refuses_what_cannot_be(void **state)
{
    ua_test_t *t = site_of_alice(FIELDS);
    const char *before = NULL;

    (void)state;
    t->json = 1;
    before = ua_test_rows(t);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        assert_status(t, send_one(t, refusals[i].name, refusals[i].value), 422);
        assert_value(t, "code", "invalid_fields");
        assert_value(t, apr_pstrcat(t->pool, "errors.", refusals[i].name, NULL),
                     refusals[i].says);
        assert_string_equal(ua_test_rows(t), before);
    }
    ua_test_close(t);
}

/* Boundaries of contract 8. */
static void counts_characters(void **state)
{
    ua_test_t *t = site_of_alice(FIELDS);
    char text[256 * 2 + 1] = "";

    (void)state;
    t->json = 1;
    for (size_t i = 0; i < 256; i++) {
        memcpy(text + 2 * i, "\xc3\xa4", 3);
    }
    assert_status(t, send_one(t, "display_name", text + 2 * (256 - 65)), 422);
    assert_value(t, "errors.display_name", "Use at most 64 characters.");
    assert_status(t, send_one(t, "display_name", text + 2 * (256 - 64)), 200);
    assert_status(t, send_one(t, "city", text), 422);
    assert_value(t, "errors.city", "Use at most 255 characters.");
    assert_status(t, send_one(t, "city", text + 2), 200);
    assert_string_equal(own_value(t, "city"), text + 2);
    ua_test_close(t);
}

static void keeps_what_was_typed(void **state)
{
    ua_test_t *t = site_of_alice(FIELDS);

    (void)state;
    ua_test_sql(t, "UPDATE account SET hidden = 1, display_name = 'stored'");
    assert_status(t,
                  ua_test_submit(t, PROFILE, "flags", "1", "username", "al", "show_email", "1",
                                 "city", "", NULL),
                  422);
    assert_shows(t, "name=\"username\" value=\"al\"");
    assert_shows(t, "Use 3 to 32 characters.");
    assert_shows(t, "<a href=\"#f-city\">Home town: Please fill this in.</a>");
    assert_shows(t, "name=\"city\" value=\"\"");
    assert_shows(t, "name=\"hidden\" value=\"1\">"); /* unticked, as it was sent */
    assert_shows(t, "name=\"show_email\" value=\"1\" checked>");
    assert_shows(t, "name=\"display_name\" value=\"stored\""); /* was not sent */
    ua_test_header(t, "Sec-Fetch-Site", "same-origin");        /* a page open for too long */
    assert_status(t, ua_test_post(t, PROFILE, "csrf", "x", "username", "alice2", NULL), 403);
    assert_shows(t, "name=\"username\" value=\"alice2\"");
    assert_shows(t, "name=\"email\" value=\"alice@example.org\"");
    assert_shows(t, "name=\"hidden\" value=\"1\" checked>");
    ua_test_close(t);
}

/* A name that was ever verified stays with its account (contract 8). */
static void keeps_names_apart(void **state)
{
    static const char *const names[] = {"Robert", "BOB", "bObby"};
    ua_test_t *t = site_of_alice(NULL);
    const char *before = NULL;

    (void)state;
    join(t, "bob");
    assert_status(t, log_in(t, "bob", UA_TEST_PASSWORD), 303);
    assert_status(t, ua_test_submit(t, PROFILE, "username", "bobby", NULL), 303);
    assert_status(t, ua_test_submit(t, PROFILE, "username", "robert", NULL), 303);
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    t->json = 1;
    before = ua_test_rows(t);
    for (size_t i = 0; i < COUNT(names); i++) { /* another's name, and those it had before */
        assert_status(t, send_one(t, "username", names[i]), 409);
        assert_value(t, "code", "username_taken");
        assert_value(t, "title", "Username already in use");
        assert_value(t, "errors.username", "Username already in use");
    }
    assert_string_equal(ua_test_rows(t), before);
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"username\":\"alice.two\"}"), 200);
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"username\":\"Alice\"}"), 200);
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"username\":\"ALICE.two\"}"), 200);
    assert_value(t, "username", "ALICE.two"); /* own names of before come back */
    ua_test_close(t);
}

/* A clash changes nothing at all: neither what else was typed nor a change of address begins. */
static void changes_all_or_nothing(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *before = NULL;

    (void)state;
    join(t, "bob");
    assert_null(ua_test_start(t, FIELDS, NULL));
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    before = ua_test_rows(t);
    t->json = 1;
    assert_status(t,
                  ua_test_post_json(t, PROFILE,
                                    "{\"username\":\"bob\",\"email\":\"new@example.org\","
                                    "\"display_name\":\"A\",\"city\":\"Ulm\"}"),
                  409);
    assert_value(t, "code", "username_taken");
    assert_status(
        t,
        ua_test_post_json(t, PROFILE, "{\"username\":\"bob\",\"email\":\"BOB@example.org\"}"),
        409);
    assert_value(t, "code", "email_in_use"); /* first, as at registration */
    assert_value(t, "errors.email", "Email already in use");
    assert_value(t, "errors.username", "Username already in use");
    assert_value(t, "links.resend", "/auth/resend");
    assert_string_equal(ua_test_rows(t), before);
    assert_string_equal(own_value(t, "city"), "");
    ua_test_close(t);
}

/* AUTHZ-01, AUTHZ-02: nothing but the profile, and nobody else's. */
static void takes_no_other_field(void **state)
{
    ua_test_t *t = site_of_alice(NULL);
    const char *before = NULL;
    const char *id = NULL;

    (void)state;
    join(t, "bob");
    id = ua_test_scalar(t, "SELECT id FROM account WHERE username = 'bob'");
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    before = ua_test_rows(t);
    t->json = 1;
    assert_status(
        t,
        ua_test_post_json(
            t, apr_pstrcat(t->pool, PROFILE "?id=", id, NULL),
            apr_pstrcat(t->pool, "{\"id\":\"", id, "\",\"account_id\":\"", id,
                        "\",\"enabled\":0,\"verified\":1,\"email_verified\":true,\"role\":"
                        "\"admin\",\"groups\":\"admin\",\"password_hash\":\"x\",\"password\":"
                        "\"x\",\"created\":1,\"closed\":1,\"failures\":0,\"username_key\":"
                        "\"root\",\"email_key\":\"x\"}",
                        NULL)),
        200);
    assert_value(t, "username", "alice");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

/* What became forbidden or required later locks nobody out of the rest. */
static void bears_with_later_rules(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    assert_null(ua_test_start(t, "UserAuthUsernameReserved alice", FIELDS, NULL));
    t->json = 1;
    assert_status(
        t, ua_test_post_json(t, PROFILE, "{\"username\":\"alice\",\"display_name\":\"A\"}"),
        200);
    assert_status(t, ua_test_post_json(t, PROFILE, "{\"username\":\"Alice\"}"), 422);
    ua_test_close(t);
}

/* Each name is held for ever: nobody takes a dictionary of them. */
static void renames_ten_times_a_day(void **state)
{
    ua_test_t *t = site_of_alice(NULL);

    (void)state;
    for (int i = 0; i < 11; i++) {
        assert_status(
            t,
            ua_test_submit(t, PROFILE, "username", apr_psprintf(t->pool, "alice%d", i), NULL),
            i < 10 ? 303 : 429);
    }
    assert_shows(t, "Too many new usernames");
    assert_status(t, ua_test_submit(t, PROFILE, "display_name", "Alice", NULL), 303);
    ua_test_clock(t, 24 * 3600);
    ua_test_login(t, "alice9");
    assert_status(t, ua_test_submit(t, PROFILE, "username", "alice10", NULL), 303);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_for_signed_in_persons),
        cmocka_unit_test(shows_what_is_stored),
        cmocka_unit_test(tells_a_program),
        cmocka_unit_test(saves_what_was_typed),
        cmocka_unit_test(leaves_what_was_not_sent),
        cmocka_unit_test(writes_nothing_when_nothing_is_new),
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(counts_characters),
        cmocka_unit_test(keeps_what_was_typed),
        cmocka_unit_test(keeps_names_apart),
        cmocka_unit_test(changes_all_or_nothing),
        cmocka_unit_test(takes_no_other_field),
        cmocka_unit_test(bears_with_later_rules),
        cmocka_unit_test(renames_ten_times_a_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
