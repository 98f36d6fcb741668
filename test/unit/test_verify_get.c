/* test_verify_get.c: what opening the link of a verification mail does: it confirms at once where the
 * setting says so, never for a prefetch or a HEAD, and the token leaves the address bar. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

typedef enum { STRANGER, OWN_BROWSER, OTHER_BROWSER } browser_e;

static const struct {
    const char *comment;
    const char *setting;  /* or NULL: nothing is configured */
    const char *base_url; /* or NULL: http://localhost:8080 */
    const char *address;  /* of the client that opens the link; 192.0.2.7 registered */
    browser_e browser;
    int confirms;
} cases[] = {
    {"auto, a stranger", NULL, NULL, "192.0.2.9", STRANGER, 0},
    {"auto, the browser that registered", NULL, NULL, "192.0.2.9", OWN_BROWSER, 1},
    {"auto, the browser that registered another account", NULL, NULL, "192.0.2.9",
     OTHER_BROWSER, 0},
    {"auto, this machine under a localhost base URL", NULL, NULL, "127.0.0.1", STRANGER, 1},
    {"auto, this machine by IPv6", NULL, NULL, "::1", STRANGER, 1},
    {"auto, this machine under another base URL", NULL, "https://www.example.com", "127.0.0.1",
     STRANGER, 0},
    {"auto, the address that registered", NULL, NULL, "192.0.2.7", STRANGER, 0},
    {"browser, own", "browser", NULL, "192.0.2.9", OWN_BROWSER, 1},
    {"browser, this machine counts nothing", "browser", NULL, "127.0.0.1", STRANGER, 0},
    {"address, the one that registered", "address", NULL, "192.0.2.7", STRANGER, 1},
    {"address, another", "address", NULL, "192.0.2.8", STRANGER, 0},
    {"address, own browser elsewhere", "address", NULL, "192.0.2.9", OWN_BROWSER, 1},
    {"any", "any", NULL, "192.0.2.9", STRANGER, 1},
    {"never, own browser on this machine", "never", NULL, "127.0.0.1", OWN_BROWSER, 0},
};

/* Opens the site, registers, takes the mail; the jar is the browser's that will open the link. */
static ua_test_t *prepare(const char *setting, const char *base_url, browser_e browser)
{
    ua_test_t *t = ua_test_begin();
    const char *get = setting ? apr_pstrcat(t->pool, "UserAuthVerifyOnGet ", setting, NULL)
                              : "UserAuthVerifyOnGet auto";

    if (base_url) {
        assert_null(ua_test_start(
            t, get, apr_pstrcat(t->pool, "UserAuthBaseURL ", base_url, NULL), NULL));
        t->https = 1;
    }
    else {
        assert_null(setting ? ua_test_start(t, get, NULL) : ua_test_start(t, NULL));
    }
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    if (browser != OWN_BROWSER) {
        apr_table_clear(t->jar);
    }
    if (browser == OTHER_BROWSER) {
        ua_test_register(t, "mallory");
    }
    return t;
}

static apr_int64_t enabled(ua_test_t *t)
{
    return ua_test_count(t, "SELECT enabled FROM account WHERE username = 'alice'");
}

static void confirms_as_the_setting_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ua_test_t *t = prepare(cases[i].setting, cases[i].base_url, cases[i].browser);
        int status = 0;

        t->address = cases[i].address;
        status = ua_test_get(t, ua_test_link(t, "verify"));
        if (status != (cases[i].confirms ? 303 : 200) || enabled(t) != cases[i].confirms) {
            fail_msg("%s: %d %s", cases[i].comment, status, t->body);
        }
        if (cases[i].confirms) {
            assert_string_equal(ua_test_location(t), "/auth/login?notice=verified");
        }
        else {
            assert_shows(t, "Confirm my email address");
        }
        ua_test_close(t);
    }
}

/* IPv6: the same /64 is the same address. */
static void takes_a_v6_network_for_one_address(void **state)
{
    static const struct {
        const char *address;
        int confirms;
    } clients[] = {{"2001:db8:1:3::1", 0}, {"2001:db8:1:2:ffff::9", 1}};

    ua_test_t *t = ua_test_open("UserAuthVerifyOnGet address", NULL);

    (void)state;
    t->address = "2001:db8:1:2::1";
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    apr_table_clear(t->jar);
    for (size_t i = 0; i < COUNT(clients); i++) {
        t->address = clients[i].address;
        assert_status(t, ua_test_get(t, ua_test_link(t, "verify")),
                      clients[i].confirms ? 303 : 200);
        assert_int_equal(enabled(t), clients[i].confirms);
    }
    ua_test_close(t);
}

/* A cookie that somebody made up is no browser that registered. */
static void believes_genuine_cookies_only(void **state)
{
    ua_test_t *t = prepare("browser", NULL, OWN_BROWSER);
    const char *genuine = ua_test_cookie(t, "registration");
    char *forged = apr_pstrdup(t->pool, genuine);
    const char *values[] = {ua_test_scalar(t, "SELECT id FROM account"), forged, "x"};

    (void)state;
    forged[strlen(forged) - 3] = forged[strlen(forged) - 3] == 'a' ? 'b' : 'a';
    for (size_t i = 0; i < COUNT(values); i++) {
        ua_test_header(t, "Cookie",
                       apr_pstrcat(t->pool, "userauth-registration=", values[i], NULL));
        assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 200);
        assert_int_equal(enabled(t), 0);
    }
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
    ua_test_close(t);
}

static const struct {
    const char *comment;
    ua_method_e method;
    const char *header, *value;
    int status;
} looks[] = {
    {"HEAD", UA_METHOD_HEAD, "Accept", "*/*", 200},
    {"OPTIONS", UA_METHOD_OPTIONS, "Accept", "*/*", 204},
    {"Sec-Purpose: prefetch", UA_METHOD_GET, "Sec-Purpose", "prefetch", 200},
    {"Sec-Purpose: prefetch;prerender", UA_METHOD_GET, "Sec-Purpose", "prefetch;prerender",
     200},
    {"Purpose: prefetch", UA_METHOD_GET, "Purpose", "prefetch", 200},
};

/* TOK-11: whatever the setting and the browser. */
static void changes_nothing_for_a_prefetch_or_a_head(void **state)
{
    ua_test_t *t = prepare("any", NULL, OWN_BROWSER);
    const char *before = ua_test_rows(t);

    (void)state;
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < COUNT(looks); i++) {
            ua_test_header(t, looks[i].header, looks[i].value);
            assert_status(
                t, ua_test_request(t, looks[i].method, ua_test_link(t, "verify"), "", NULL),
                looks[i].status);
        }
    }
    assert_string_equal(ua_test_rows(t), before);
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
    assert_int_equal(enabled(t), 1);
    ua_test_close(t);
}

/* Contract 3: the token leaves the address bar, into a cookie of 10 minutes. */
static void takes_the_token_out_of_the_url(void **state)
{
    ua_test_t *t = prepare(NULL, NULL, STRANGER);
    const char *token = ua_test_token(t, "verify");

    (void)state;
    ua_test_header(t, "Sec-Fetch-Dest", "document");
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
    assert_string_equal(ua_test_location(t), "/auth/verify");
    assert_int_equal(ua_test_set_cookie(t, "link-verify")->age, 600);
    assert_string_equal(ua_test_cookie(t, "link-verify"), token);
    ua_test_browser(t);
    assert_status(t, ua_test_get(t, "/auth/verify"), 200);
    assert_string_equal(ua_test_hidden(t, "token"), token);
    assert_string_equal(ua_test_reply_header(t, "Referrer-Policy"), "same-origin");
    assert_int_equal(enabled(t), 0);
    assert_status(t, ua_test_submit(t, "/auth/verify", "token", token, NULL), 303);
    assert_null(ua_test_cookie(t, "link-verify"));
    assert_int_equal(enabled(t), 1);
    ua_test_close(t);
}

/* Any other client gets the page itself, and its own URL goes nowhere. */
static void shows_the_page_to_other_clients(void **state)
{
    ua_test_t *t = prepare(NULL, NULL, STRANGER);

    (void)state;
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 200);
    assert_string_equal(ua_test_hidden(t, "token"), ua_test_token(t, "verify"));
    assert_string_equal(ua_test_reply_header(t, "Referrer-Policy"), "no-referrer");
    assert_shows(t, "alice@example.org");
    assert_null(ua_test_cookie(t, "link-verify"));
    ua_test_close(t);
}

/* The hidden field wins over the cookie. */
static void prefers_the_forms_token(void **state)
{
    ua_test_t *t = prepare(NULL, NULL, STRANGER);

    (void)state;
    ua_test_header(t, "Sec-Fetch-Dest", "document");
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
    assert_status(t, ua_test_post(t, "/auth/verify", "token", "another", NULL), 400);
    assert_int_equal(enabled(t), 0);
    assert_status(t, ua_test_post(t, "/auth/verify", NULL), 303); /* the cookie's */
    assert_int_equal(enabled(t), 1);
    ua_test_close(t);
}

static void puts_no_nonsense_into_a_cookie(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    ua_test_header(t, "Sec-Fetch-Dest", "document");
    assert_status(t, ua_test_get(t, "/auth/verify?token=a%0d%0aSet-Cookie:%20x%3dy"), 303);
    assert_string_equal(ua_test_cookie(t, "link-verify"), "invalid");
    assert_status(t, ua_test_get(t, "/auth/verify"), 400);
    assert_shows(t, "Invalid verification link");
    ua_test_close(t);
}

static void asks_for_a_token(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/verify"), 400);
    assert_shows(t, "<h1>Invalid verification link</h1>");
    t->json = 1;
    assert_status(t, ua_test_get(t, "/auth/verify"), 400);
    assert_value(t, "code", "token_invalid");
    ua_test_close(t);
}

/* The page judges as the submit does, and its verdict uses nothing up. */
static void shows_that_a_link_was_used(void **state)
{
    ua_test_t *t = prepare("any", NULL, STRANGER);
    const char *before = NULL;

    (void)state;
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
    before = ua_test_rows(t);
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 410);
    assert_shows(t, "<h1>Verification link has already been used</h1>");
    assert_string_equal(ua_test_rows(t), before);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confirms_as_the_setting_says),
        cmocka_unit_test(takes_a_v6_network_for_one_address),
        cmocka_unit_test(believes_genuine_cookies_only),
        cmocka_unit_test(changes_nothing_for_a_prefetch_or_a_head),
        cmocka_unit_test(takes_the_token_out_of_the_url),
        cmocka_unit_test(shows_the_page_to_other_clients),
        cmocka_unit_test(prefers_the_forms_token),
        cmocka_unit_test(puts_no_nonsense_into_a_cookie),
        cmocka_unit_test(asks_for_a_token),
        cmocka_unit_test(shows_that_a_link_was_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
