/* test_common_token.c: pages that a link in a mail opens: where their token comes from, how it leaves
 * the address bar, and what is said about one that is not good. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static ua_req_t *request(ua_test_t *t, ua_res_t *res)
{
    ua_req_t *req = apr_pcalloc(t->turn, sizeof *req);

    req->ctx = ua_test_context(t);
    req->method = UA_METHOD_GET;
    req->path = "/auth/verify";
    req->query = req->cookie = req->fetch_dest = "";
    req->form = apr_table_make(t->turn, 4);
    ua_res_init(res, req);
    return req;
}

static const struct {
    const char *comment;
    ua_method_e method;
    const char *field, *query, *cookie; /* or NULL */
    const char *token;                  /* or NULL */
} sources[] = {
    {"nowhere", UA_METHOD_GET, NULL, "", "", NULL},
    {"the link itself", UA_METHOD_GET, NULL, "token=q", "userauth-link-verify=c", "q"},
    {"the clean page", UA_METHOD_GET, NULL, "", "userauth-link-verify=c", "c"},
    {"another purpose's cookie", UA_METHOD_GET, NULL, "", "userauth-link-disown=c", NULL},
    {"the hidden field wins", UA_METHOD_POST, "f", "token=q", "userauth-link-verify=c", "f"},
    {"an empty field wins too", UA_METHOD_POST, "", "token=q", "userauth-link-verify=c", ""},
    {"a POST's query is ignored", UA_METHOD_POST, NULL, "token=q", "", NULL},
    {"a POST without a field", UA_METHOD_POST, NULL, "token=q", "userauth-link-verify=c", "c"},
    {"HEAD as GET", UA_METHOD_HEAD, NULL, "x=1&token=q", "", "q"},
};

static void finds_the_token(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(sources); i++) {
        ua_res_t res;
        ua_req_t *req = request(t, &res);
        const char *token = NULL;

        req->method = sources[i].method;
        req->query = sources[i].query;
        req->cookie = sources[i].cookie;
        if (sources[i].field) {
            apr_table_setn(req->form, "token", sources[i].field);
        }
        token = ua_link_token(req, "verify");
        if (sources[i].token ? !token || strcmp(token, sources[i].token) != 0 : token != NULL) {
            fail_msg("%s: %s", sources[i].comment, token ? token : "(none)");
        }
    }
    ua_test_close(t);
}

static const struct {
    const char *comment;
    const char *query, *dest;
    int json;
    const char *cookie; /* or NULL: not redirected */
} visits[] = {
    {"a browser's page", "token=abc.DEF-_9", "document", 0, "abc.DEF-_9"},
    {"the clean page", "", "document", 0, NULL},
    {"a program", "token=abc", "", 0, NULL},
    {"a script", "token=abc", "empty", 0, NULL},
    {"a frame", "token=abc", "iframe", 0, NULL},
    {"JSON", "token=abc", "document", 1, NULL},
    {"what no token has", "token=a%3Bb", "document", 0, "invalid"},
    {"nothing at all: the cookie is taken away", "token=", "document", 0, ""},
    {"longer than any token",
     "token="
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "document", 0, "invalid"},
};

static void moves_the_token_into_a_cookie(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(visits); i++) {
        ua_res_t res;
        ua_req_t *req = request(t, &res);
        int cleaned = 0;

        req->query = visits[i].query;
        req->fetch_dest = visits[i].dest;
        req->wants_json = visits[i].json;
        cleaned = ua_link_cleaned(&res, req, "verify");
        if (cleaned != (visits[i].cookie != NULL) || res.cookies->nelts != cleaned) {
            fail_msg("%s", visits[i].comment);
        }
        if (cleaned) {
            const ua_cookie_t *cookie = &APR_ARRAY_IDX(res.cookies, 0, ua_cookie_t);

            assert_string_equal(cookie->name, "userauth-link-verify");
            assert_string_equal(cookie->value, visits[i].cookie);
            assert_int_equal(cookie->age, 600);
            assert_string_equal(res.location, "/auth/verify");
            assert_int_equal(res.status, 303);
        }
    }
    ua_test_close(t);
}

/* Contract 2. */
static const struct {
    const char *purpose;
    ua_token_e standing;
    int status;
    const char *title; /* or NULL: that of problems.def */
    const char *offer; /* the first, or NULL */
} verdicts[] = {
    {"verify", UA_TOKEN_INVALID, 400, "Invalid verification link", "resend"},
    {"verify", UA_TOKEN_EXPIRED, 410, "Verification link has expired", "resend"},
    {"verify", UA_TOKEN_USED, 410, "Verification link has already been used", "login"},
    {"disown", UA_TOKEN_INVALID, 400, NULL, NULL},
    {"disown", UA_TOKEN_EXPIRED, 410, NULL, NULL},
    {"disown", UA_TOKEN_USED, 410, NULL, NULL},
};

static void says_what_is_wrong(void **state)
{
    ua_test_t *t = ua_test_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(verdicts); i++) {
        ua_token_t token = {.purpose = verdicts[i].purpose, .standing = verdicts[i].standing};
        ua_res_t res;
        ua_req_t *req = request(t, &res);

        ua_link_refuse(&res, req, &token);
        assert_int_equal(res.status, verdicts[i].status);
        assert_int_equal(req->counted, 1);
        assert_string_equal(res.template, "problem.html");
        if (verdicts[i].title) {
            assert_string_equal(res.title, verdicts[i].title);
        }
        else {
            assert_null(res.title);
        }
        assert_int_equal(res.links->nelts > 0, verdicts[i].offer != NULL);
        if (verdicts[i].offer) {
            assert_string_equal(APR_ARRAY_IDX(res.links, 0, ua_link_t).name, verdicts[i].offer);
        }
    }
    ua_test_close(t);
}

static void tells_how_long_links_work(void **state)
{
    ua_test_t *t =
        ua_test_open("UserAuthVerifyLifetime 90m", "UserAuthDisownLifetime 2d", NULL);
    ua_token_t token = {.purpose = "verify", .standing = UA_TOKEN_EXPIRED};
    ua_res_t res;
    ua_req_t *req = request(t, &res);

    (void)state;
    ua_link_refuse(&res, req, &token);
    assert_string_equal(res.detail,
                        "Links like this work for 90 minutes. We can send you a new one.");
    token.purpose = "disown";
    ua_link_refuse(&res, req, &token);
    assert_string_equal(res.detail, "Links like this work for 2 days.");
    ua_test_close(t);
}

static void forgets_the_cookie_of_a_used_token(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_res_t res;
    ua_req_t *req = request(t, &res);

    (void)state;
    ua_link_done(&res, req, "verify");
    assert_int_equal(res.cookies->nelts, 0); /* there was none */
    req->cookie = "userauth-link-verify=abc";
    ua_link_done(&res, req, "disown");
    assert_int_equal(res.cookies->nelts, 0);
    ua_link_done(&res, req, "verify");
    assert_string_equal(APR_ARRAY_IDX(res.cookies, 0, ua_cookie_t).name,
                        "userauth-link-verify");
    assert_string_equal(APR_ARRAY_IDX(res.cookies, 0, ua_cookie_t).value, "");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_token),
        cmocka_unit_test(moves_the_token_into_a_cookie),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(tells_how_long_links_work),
        cmocka_unit_test(forgets_the_cookie_of_a_used_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
