/* test_common_password.c: what a new password has to be, the list of leaked ones included, and what setting
 * one ends. The list is range_server.h. */
#include "passwords.h"

#include "range_server.h"

/* SHA-1 of NEW_PASSWORD is PREFIX SUFFIX. */
#define PREFIX "94344"
#define SUFFIX "C0162CD86B04B2ECA270060DF5DA3BA395C"
#define OTHERS "00D4F6E8FA6EECAD2A3AA415EEC418D38EC:3\r\n"

/* What the list says from now on. */
static void list_answers(ua_test_t *t, const char *status, const char *rows)
{
    const char *answer = apr_psprintf(t->pool, "HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s",
                                      status, (int)strlen(rows), rows);

    range_server_script(answer, strlen(answer), RANGE_AT_ONCE);
}

static void list_knows_it(ua_test_t *t)
{
    list_answers(t, "200 OK", OTHERS SUFFIX ":3\r\n");
}

static const char *list_line(void)
{
    static char line[120];

    (void)apr_snprintf(line, sizeof line,
                       "UserAuthPasswordBreachURL http://127.0.0.1:%d/range/",
                       range_server_port());
    return line;
}

static ua_test_t *site_with_list(void)
{
    return ua_test_open("UserAuthMailLimit off", "UserAuthRateLimit register off", list_line(),
                        NULL);
}

static int join_with(ua_test_t *t, const char *name, const char *password)
{
    return ua_test_post(t, "/auth/register", "username", name, "email",
                        apr_pstrcat(t->pool, name, "@example.org", NULL), "password", password,
                        NULL);
}

static void refuses_leaked_passwords(void **state)
{
    ua_test_t *t = site_with_list();

    (void)state;
    list_knows_it(t);
    t->json = 1;
    assert_status(t, join_with(t, "alice", NEW_PASSWORD), 422);
    assert_value(t, "code", "weak_password");
    assert_value(t, "errors.password",
                 "This password is in a list of leaked passwords. Choose another one.");
    assert_string_not_equal(ua_test_value(t, "suggestion"), "");
    assert_int_equal(range_server_asked(), 1);
    assert_non_null(strstr(range_server_request(), "GET /range/" PREFIX " HTTP/1.1\r\n"));
    assert_null(strstr(range_server_request(), SUFFIX));
    assert_status(t, join_with(t, "alice", UA_TEST_PASSWORD), 201);
    assert_int_equal(range_server_asked(), 2);
    ua_test_close(t);
}

/* Only when a password is set, and after everything that can be judged here. */
static void asks_last(void **state)
{
    ua_test_t *t = site_with_list();

    (void)state;
    list_knows_it(t);
    assert_status(t, join_with(t, "alice", "short"), 422);
    assert_status(t, join_with(t, "alice", "alice@example.org"), 422);
    assert_status(t, join_with(t, "alice", ""), 422);
    assert_status(t, log_in(t, "alice", NEW_PASSWORD), 401);
    assert_status(t, reset(t, "no link", NEW_PASSWORD), 400);
    assert_int_equal(range_server_asked(), 0);
    ua_test_close(t);
}

static int joins_with(ua_test_t *t, const char *field, const char *value)
{
    static const char *const fine[][2] = {{"username", "alice"},
                                          {"email", "alice@example.org"},
                                          {"password_confirm", NEW_PASSWORD},
                                          {"display_name", "Alice"},
                                          {"city", "Ulm"}};

    const char *sent[COUNT(fine)];

    for (size_t i = 0; i < COUNT(fine); i++) {
        sent[i] = strcmp(fine[i][0], field) == 0 ? value : fine[i][1];
    }
    return ua_test_post(t, "/auth/register", "password", NEW_PASSWORD, fine[0][0], sent[0],
                        fine[1][0], sent[1], fine[2][0], sent[2], fine[3][0], sent[3],
                        fine[4][0], sent[4], NULL);
}

/* Nobody asks the list by forms that are refused anyway: fields before the password and behind it. */
static void asks_only_for_a_form_without_other_errors(void **state)
{
    static const char *const bad[][2] = {{"username", "x"},
                                         {"email", "nowhere"},
                                         {"password_confirm", "another"},
                                         {"display_name", "invi\xE2\x80\x8Bsible"},
                                         {"city", ""}};
    ua_test_t *t = ua_test_open("UserAuthProfileField city City required",
                                "UserAuthRateLimit register off", list_line(), NULL);

    (void)state;
    list_knows_it(t);
    t->json = 1;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_status(t, joins_with(t, bad[i][0], bad[i][1]), 422);
        assert_value(t, "code", "invalid_fields");
        if (strcmp(ua_test_value(t, apr_pstrcat(t->pool, "errors.", bad[i][0], NULL)), "") ==
                0 ||
            range_server_asked() != 0) {
            fail_msg("%s: %s", bad[i][0], t->body);
        }
    }
    assert_status(t, joins_with(t, "", ""), 422);
    assert_value(t, "code", "weak_password");
    assert_int_equal(range_server_asked(), 1);
    ua_test_close(t);
}

/* While it is typed a password leaves the machine in no form. */
static void asks_nothing_while_it_is_typed(void **state)
{
    ua_test_t *t = site_with_list();

    (void)state;
    list_knows_it(t);
    assert_status(
        t, ua_test_post_json(t, "/auth/strength", "{\"password\":\"" NEW_PASSWORD "\"}"), 200);
    assert_value(t, "acceptable", "true");
    assert_int_equal(range_server_asked(), 0);
    ua_test_close(t);
}

/* A reset and a change ask, too; a leaked password does not use the link up. */
static void asks_for_every_new_password(void **state)
{
    ua_test_t *t = site_with_list();
    const char *token = NULL;

    (void)state;
    list_knows_it(t);
    join(t, "alice");
    token = reset_link(t, ALICE);
    assert_status(t, reset(t, token, NEW_PASSWORD), 422);
    assert_status(t, reset(t, token, "green-lamps-hum-softly-4"), 303);
    assert_status(t, log_in(t, "alice", "green-lamps-hum-softly-4"), 303);
    assert_status(t, change(t, "green-lamps-hum-softly-4", NEW_PASSWORD), 422);
    assert_shows(t, "This password is in a list of leaked passwords. Choose another one.");
    assert_int_equal(range_server_asked(), 4);
    assert_status(t, change(t, "green-lamps-hum-softly-4", UA_TEST_PASSWORD), 303);
    ua_test_close(t);
}

/* Fails open, with a line each; after three there is a pause of five minutes without any. */
static void goes_on_without_the_list(void **state)
{
    static const char line[] = "UA0106: the list of leaked passwords answered with status 503";
    ua_test_t *t = site_with_list();

    (void)state;
    list_answers(t, "503 Service Unavailable", "");
    for (int i = 0; i < 5; i++) {
        if (i < 3) {
            ua_test_expect(t, line);
        }
        assert_status(t, join_with(t, apr_psprintf(t->pool, "alice%d", i), NEW_PASSWORD), 303);
        assert_int_equal(range_server_asked(), i < 3 ? i + 1 : 3);
        assert_int_equal(ua_test_logged(t, line), i < 3 ? i + 1 : 3);
    }
    list_knows_it(t);
    ua_test_clock(t, 300);
    assert_status(t, join_with(t, "bob", NEW_PASSWORD), 422);
    assert_int_equal(ua_test_logged(t, line), 3);
    assert_int_equal(ua_test_logged(t, NEW_PASSWORD), 0);
    assert_int_equal(ua_test_logged(t, SUFFIX), 0);
    ua_test_close(t);
}

static ua_req_t *request(ua_test_t *t)
{
    static const ua_field_t no_fields = {0};
    ua_req_t *req = apr_pcalloc(t->turn, sizeof *req);

    req->ctx = ua_test_context(t);
    req->cookie = "";
    req->form = apr_table_make(t->turn, 4);
    req->errors = apr_table_make(t->turn, 4);
    req->fields = &no_fields;
    return req;
}

/* Others need the connection while the list thinks. */
static void holds_nothing_while_it_asks(void **state)
{
    ua_test_t *t = site_with_list();
    ua_req_t *req = request(t);
    ua_account_t *account = NULL;

    (void)state;
    list_answers(t, "200 OK", OTHERS);
    assert_int_equal(ua_account_by_id(&account, req->ctx, "nobody"), APR_NOTFOUND);
    assert_non_null(req->ctx->db);
    assert_null(ua_check_new_password(req, NEW_PASSWORD));
    assert_null(req->ctx->db);
    assert_int_equal(req->ctx->slot, -1);
    assert_null(req->suggestion);
    assert_null(req->ctx->warning);
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *typed, *known; /* display name of the form, of the session */
    const char *password;
    int refused;
} words[] = {
    {"nobody's", "", NULL, "Wilhelmina-1889", 0},
    {"typed", "Wilhelmina", NULL, "Wilhelmina1889", 1},
    {"the session's", "", "Wilhelmina", "Wilhelmina1889", 1},
    {"both: what is typed does not hide what is known", "Eve", "Wilhelmina", "Wilhelmina1889",
     1},
};

static void knows_the_persons_words(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthPasswordMinScore 4", NULL);
    static ua_session_t session = {.username = "w", .email = "w@example.org"};

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        ua_req_t *req = request(t);

        apr_table_setn(req->form, "display_name", words[i].typed);
        session.display_name = words[i].known;
        req->session = words[i].known ? &session : NULL;
        if ((ua_check_new_password(req, words[i].password) != NULL) != words[i].refused) {
            fail_msg("%s", words[i].comment);
        }
        assert_int_equal(req->suggestion != NULL, words[i].refused);
        ua_db_release(req->ctx);
    }
    ua_test_close(t);
}

/* What the operator asks for is the person's own, too: in the form, and told long ago. */
static void knows_the_operators_fields(void **state)
{
    static const char city[] = "Schnarrenberg-Ulm";
    ua_test_t *t = ua_test_open("UserAuthProfileField city City", NULL);

    (void)state;
    ua_test_member(t, "alice");
    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", "bob", "email",
                               "bob@example.org", "password", city, "city", city, NULL),
                  422);
    assert_status(t, join_with(t, "bob", city), 303); /* as good as any when it is nobody's */
    ua_test_login(t, "alice");
    assert_status(t, ua_test_submit(t, "/dashboard/profile", "city", city, NULL), 303);
    assert_status(t, change(t, UA_TEST_PASSWORD, "Ulm Schnarrenberg"), 422);
    assert_status(t, ua_test_submit(t, "/dashboard/profile", "city", "", NULL), 303);
    assert_status(t, change(t, UA_TEST_PASSWORD, "Ulm Schnarrenberg"), 303);
    ua_test_close(t);
}

static void judges_by_the_words_it_is_given(void **state)
{
    static const char *const own[] = {"Wilhelmina", NULL};
    ua_test_t *t = ua_test_open("UserAuthPasswordMinScore 4", NULL);
    ua_req_t *req = request(t);

    (void)state;
    apr_table_setn(req->form, "display_name", "Wilhelmina");
    assert_non_null(ua_judge_new_password(req, "Wilhelmina1889", own));
    assert_string_equal(ua_judge_new_password(req, "", own), "Enter a password.");
    assert_null(ua_judge_new_password(req, NEW_PASSWORD, own));
    ua_test_close(t);
}

/* Each step that fails fails the whole. */
static void fails_with_each_of_its_steps(void **state)
{
    static const char *const tables[] = {"old_password", "throttle", "session", "token",
                                         "outbox"};

    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        ua_test_t *t = ua_test_open(NULL);
        ua_account_t *account = NULL;
        ua_req_t *req = NULL;

        join(t, "alice");
        ua_test_sql(t, "ALTER TABLE %s RENAME TO gone", tables[i]);
        req = request(t);
        assert_int_equal(ua_account_by_username(&account, req->ctx, "alice"), APR_SUCCESS);
        assert_int_equal(ua_new_password_set(req, account, "hash"), APR_EGENERAL);
        ua_db_release(req->ctx);
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_leaked_passwords),
        cmocka_unit_test(asks_last),
        cmocka_unit_test(asks_only_for_a_form_without_other_errors),
        cmocka_unit_test(asks_nothing_while_it_is_typed),
        cmocka_unit_test(asks_for_every_new_password),
        cmocka_unit_test(goes_on_without_the_list),
        cmocka_unit_test(holds_nothing_while_it_asks),
        cmocka_unit_test(knows_the_persons_words),
        cmocka_unit_test(knows_the_operators_fields),
        cmocka_unit_test(judges_by_the_words_it_is_given),
        cmocka_unit_test(fails_with_each_of_its_steps),
    };

    return cmocka_run_group_tests(tests, range_server_start, range_server_stop);
}
