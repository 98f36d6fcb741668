/* test_common.c: small steps of several features: fields, answers, cookies, the checks of fields. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A request that no dispatch has seen, and an empty reply. */
static ua_req_t *request(ua_test_t *t, ua_res_t *res)
{
    ua_req_t *req = apr_pcalloc(t->turn, sizeof *req);

    req->ctx = ua_test_context(t);
    req->path = req->query = req->cookie = "";
    req->form = apr_table_make(t->turn, 4);
    req->errors = apr_table_make(t->turn, 4);
    ua_res_init(res, req);
    return req;
}

static void reads_fields(void **state)
{
    static const struct {
        const char *value;
        int flag;
    } flags[] = {{"1", 1}, {"true", 1}, {"on", 1},    {"yes", 1}, {"TRUE", 1},
                 {"0", 0}, {"", 0},     {"false", 0}, {"11", 0},  {"no", 0}};

    ua_test_t *t = ua_test_open(NULL);
    ua_res_t res;
    ua_req_t *req = request(t, &res);

    (void)state;
    assert_string_equal(ua_field(req, "absent"), "");
    assert_int_equal(ua_field_flag(req, "absent"), 0);
    for (size_t i = 0; i < COUNT(flags); i++) {
        apr_table_setn(req->form, "remember", flags[i].value);
        assert_string_equal(ua_field(req, "remember"), flags[i].value);
        assert_int_equal(ua_field_flag(req, "remember"), flags[i].flag);
    }
    ua_field_error(req, "email", "first");
    ua_field_error(req, "email", "second");
    assert_string_equal(apr_table_get(req->errors, "email"), "second");
    ua_test_close(t);
}

static void builds_paths(void **state)
{
    ua_test_t *t =
        ua_test_open("UserAuthPath /account", "UserAuthDashboardPath /members/home", NULL);
    ua_res_t res;
    const ua_req_t *req = request(t, &res);

    (void)state;
    assert_string_equal(ua_path(req, UA_AREA_PUBLIC, "login"), "/account/login");
    assert_string_equal(ua_path(req, UA_AREA_PUBLIC, ""), "/account");
    assert_string_equal(ua_path(req, UA_AREA_PERSONAL, ""), "/members/home");
    assert_string_equal(ua_path(req, UA_AREA_PERSONAL, "x"), "/members/home/x");
    ua_test_close(t);
}

/* Contract 2. */
static const struct {
    ua_problem_e problem;
    int status;
} problems[] = {
    {UA_PROBLEM_INVALID_FIELDS, 422},
    {UA_PROBLEM_WEAK_PASSWORD, 422},
    {UA_PROBLEM_EMAIL_IN_USE, 409},
    {UA_PROBLEM_USERNAME_TAKEN, 409},
    {UA_PROBLEM_INVALID_CREDENTIALS, 401},
    {UA_PROBLEM_EMAIL_NOT_VERIFIED, 403},
    {UA_PROBLEM_TOKEN_INVALID, 400},
    {UA_PROBLEM_TOKEN_EXPIRED, 410},
    {UA_PROBLEM_TOKEN_USED, 410},
    {UA_PROBLEM_RATE_LIMITED, 429},
    {UA_PROBLEM_ACCOUNT_LOCKED, 429},
    {UA_PROBLEM_CSRF, 403},
    {UA_PROBLEM_LOGIN_REQUIRED, 401},
    {UA_PROBLEM_REAUTH_REQUIRED, 403},
    {UA_PROBLEM_BUSY, 503},
    {UA_PROBLEM_STORAGE_UNAVAILABLE, 503},
    {UA_PROBLEM_PAYLOAD_TOO_LARGE, 413},
    {UA_PROBLEM_UNSUPPORTED_MEDIA_TYPE, 415},
    {UA_PROBLEM_BAD_REQUEST, 400},
    {UA_PROBLEM_NOT_FOUND, 404},
    {UA_PROBLEM_METHOD_NOT_ALLOWED, 405},
    {UA_PROBLEM_FORBIDDEN, 403},
};

static void refuses_with_the_contracts_statuses(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_int_equal(COUNT(problems) + 1, UA_PROBLEMS);
    for (size_t i = 0; i < COUNT(problems); i++) {
        ua_res_t res;

        (void)request(t, &res);
        res.location = "/somewhere";
        ua_refuse(&res, problems[i].problem);
        assert_int_equal(res.status, problems[i].status);
        assert_int_equal(res.problem, problems[i].problem);
        assert_null(res.location);
    }
    ua_test_close(t);
}

static const struct {
    apr_interval_time_t wait;
    apr_int64_t seconds;
    const char *detail;
} waits[] = {
    {1, 1, "Please try again in 1 second."}, /* rounded up: who waits so long is let in */
    {APR_USEC_PER_SEC, 1, "Please try again in 1 second."},
    {APR_USEC_PER_SEC + 1, 2, "Please try again in 2 seconds."},
    {apr_time_from_sec(3600), 3600, "Please try again in 1 hour."},
};

static void says_when_to_try_again(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(waits); i++) {
        ua_res_t res;
        ua_req_t *req = request(t, &res);

        ua_refuse_wait(&res, req, UA_PROBLEM_RATE_LIMITED, waits[i].wait);
        assert_int_equal(res.status, 429);
        assert_int_equal(res.retry_after, waits[i].seconds);
        assert_string_equal(res.detail, waits[i].detail);
    }
    ua_test_close(t);
}

static void goes_on_after_a_success(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_res_t res;
    ua_req_t *req = request(t, &res);

    (void)state;
    ua_go(&res, 201, "/auth/check-email", UA_NOTICE_REGISTERED);
    assert_int_equal(res.status, 303);
    assert_int_equal(res.json_status, 201);
    assert_int_equal(res.notice, UA_NOTICE_REGISTERED);
    assert_string_equal(res.location, "/auth/check-email");
    ua_go_notice(&res, req, 200, "/auth/login", UA_NOTICE_LOGGED_OUT);
    assert_string_equal(res.location, "/auth/login?notice=logged-out");
    ua_offer(&res, "resend", "/auth/resend", "Send a new link");
    ua_offer(&res, "login", "/auth/login", "Log in");
    assert_int_equal(res.links->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(res.links, 1, ua_link_t).path, "/auth/login");
    ua_test_close(t);
}

static const struct {
    const char *base_url;
    const char *name, *cookie;
    int secure;
} cookies[] = {
    {"UserAuthBaseURL http://localhost:8080", "", "userauth", 0},
    {"UserAuthBaseURL http://localhost:8080", "device", "userauth-device", 0},
    {"UserAuthBaseURL https://www.example.com", "", "__Host-userauth", 1},
    {"UserAuthBaseURL https://localhost:8443", "device", "__Host-userauth-device", 1},
};

static void names_cookies_for_the_site(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cookies); i++) {
        ua_test_t *t = ua_test_open(cookies[i].base_url, NULL);
        ua_res_t res;
        const ua_req_t *req = request(t, &res);
        const ua_cookie_t *set = NULL;

        assert_string_equal(ua_site_cookie(req, cookies[i].name), cookies[i].cookie);
        ua_set_cookie(&res, req, cookies[i].name, "value", 60);
        set = &APR_ARRAY_IDX(res.cookies, 0, ua_cookie_t);
        assert_string_equal(set->name, cookies[i].cookie);
        assert_string_equal(set->value, "value");
        assert_int_equal(set->age, 60);
        assert_int_equal(set->secure, cookies[i].secure);
        ua_test_close(t);
    }
}

static void shows_the_public_part_of_an_account(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_account_t account = {.id = "1",
                            .username = "alice",
                            .email = "alice@example.org",
                            .display_name = "A",
                            .enabled = 1,
                            .password_hash = "secret",
                            .address = "192.0.2.1"};

    (void)state;
    assert_string_equal(ua_json_text(t->turn, ua_user_json(t->turn, &account)),
                        "{\"id\":\"1\",\"username\":\"alice\",\"email\":\"alice@example.org\","
                        "\"email_verified\":true,\"display_name\":\"A\"}");
    ua_test_close(t);
}

static void checks_addresses(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_res_t res;
    ua_req_t *req = request(t, &res);
    char *labels = apr_pcalloc(t->turn, 260);

    (void)state;
    for (int i = 0; i < 251; i++) {
        labels[i] = i % 50 == 49 ? '.' : 'a';
    }
    assert_null(ua_check_email(req, "alice@example.org"));
    assert_string_equal(ua_check_email(req, ""), "Enter your email address.");
    assert_string_equal(ua_check_email(req, "alice@"),
                        "Enter an email address like name@example.com.");
    assert_null(ua_check_email(req, apr_pstrcat(t->turn, "a@", labels, "b", NULL))); /* 254 */
    assert_string_equal(ua_check_email(req, apr_pstrcat(t->turn, "a@", labels, "bb", NULL)),
                        "An email address has at most 254 characters.");
    ua_test_close(t);
}

/* BF-08: length first. */
static void checks_the_length_of_passwords(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_res_t res;
    ua_req_t *req = request(t, &res);
    char *text = apr_pcalloc(t->turn, 2000);

    (void)state;
    assert_string_equal(ua_check_password(req, ""), "Enter a password.");
    memset(text, 'x', 256);
    assert_null(ua_check_password(req, text));
    text[256] = 'x';
    assert_string_equal(ua_check_password(req, text), "Use at most 256 characters.");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(builds_paths),
        cmocka_unit_test(refuses_with_the_contracts_statuses),
        cmocka_unit_test(says_when_to_try_again),
        cmocka_unit_test(goes_on_after_a_success),
        cmocka_unit_test(names_cookies_for_the_site),
        cmocka_unit_test(shows_the_public_part_of_an_account),
        cmocka_unit_test(checks_addresses),
        cmocka_unit_test(checks_the_length_of_passwords),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
