/* test_common_token.c: pages that a link in a mail opens: where their token comes from, how it leaves
 * the address bar, and what is said about one that is not good. */
#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static ua_req_t *request(ua_test_t *t, ua_res_t *res)
{
    ua_req_t *req = apr_pcalloc(t->turn, sizeof *req);

    req->ctx = ua_test_context(t);
    req->path = "/auth/verify";
    req->route = ua_route_find(req->ctx->conf, req->path);
    req->query = req->cookie = req->fetch_site = req->fetch_dest = "";
    req->form = apr_table_make(t->turn, 4);
    ua_res_init(res, req);
    return req;
}

static int same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
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
        int cleaned = visits[i].cookie != NULL;

        req->query = visits[i].query;
        req->fetch_dest = visits[i].dest;
        req->wants_json = visits[i].json;
        assert_int_equal(ua_link_show(&res, req, "verify"), APR_SUCCESS);
        ua_db_release(req->ctx);
        if (res.status != (cleaned ? 303 : 400) || res.cookies->nelts != cleaned) {
            fail_msg("%s: %d", visits[i].comment, res.status);
        }
        if (cleaned) {
            const ua_cookie_t *cookie = &APR_ARRAY_IDX(res.cookies, 0, ua_cookie_t);

            assert_string_equal(cookie->name, "userauth-link-verify");
            assert_string_equal(cookie->value, visits[i].cookie);
            assert_int_equal(cookie->age, 600);
            assert_string_equal(res.location, "/auth/verify");
            assert_int_equal(req->counted, 0);
        }
    }
    ua_test_close(t);
}

#define RESET_USED                                                                             \
    "Each link works once. If you set a new password with it, you can log in. If not, we can " \
    "send you a new one."
#define RESET_INVALID                                                                          \
    "This link isn't complete, or your account changed since we sent it. We can send you a "   \
    "new one."
#define OUT "If someone else uses your account, set a new password: that signs everybody out."

/* Contract 2 and 3: the state is judged in this order: unknown, used, ended by a change, too late. */
static const struct {
    const char *comment;
    const char *purpose;
    const char *change; /* of its row */
    int status;
    const char *title;  /* or NULL: that of problems.def */
    const char *offer;  /* the names, blank-separated */
    const char *detail; /* or NULL: that of problems.def */
} verdicts[] = {
    {"good", "verify", "state = 0", 200, NULL, "", NULL},
    {"used", "verify", "state = 1", 410, "Verification link has already been used", "login",
     "Each link works once. If you opened it before, your address is confirmed and you can log "
     "in."},
    {"ended by a sibling's use", "verify", "state = 2", 410,
     "Verification link has already been used", "login",
     "Each link works once. If you opened it before, your address is confirmed and you can log "
     "in."},
    {"ended by a change", "verify", "state = 3", 400, "Invalid verification link",
     "resend register", NULL},
    {"too late", "verify", "expires = created", 410, "Verification link has expired", "resend",
     "Links like this work for 90 minutes. We can send you a new one."},
    {"used and too late", "verify", "state = 1, expires = created", 410,
     "Verification link has already been used", "login",
     "Each link works once. If you opened it before, your address is confirmed and you can log "
     "in."},
    {"changed and too late", "verify", "state = 3, expires = created", 400,
     "Invalid verification link", "resend register", NULL},
    {"another address", "verify", "email = 'mallory@example.org'", 400,
     "Invalid verification link", "resend register", NULL},
    {"another account", "verify", "account_id = 'x'", 400, "Invalid verification link",
     "resend register", NULL},
    {"another purpose", "verify", "purpose = 'reset'", 400, "Invalid verification link",
     "resend register", NULL},
    {"good", "reset", "state = 0", 200, NULL, "", NULL},
    {"used", "reset", "state = 1", 410, "Password reset link has already been used",
     "login reset", RESET_USED},
    {"ended by a sibling's use", "reset", "state = 2", 410,
     "Password reset link has already been used", "login reset", RESET_USED},
    {"ended by a change", "reset", "state = 3", 400, "Invalid password reset link", "reset",
     RESET_INVALID},
    {"another purpose", "reset", "purpose = 'verify'", 400, "Invalid password reset link",
     "reset", RESET_INVALID},
    {"too late", "reset", "expires = created", 410, "Password reset link has expired", "reset",
     "Links like this work for 30 minutes. We can send you a new one."},
    {"used and too late", "reset", "state = 1, expires = created", 410,
     "Password reset link has already been used", "login reset", RESET_USED},
    {"good", "disown", "state = 0", 200, NULL, "", NULL},
    {"used", "disown", "state = 1", 410, NULL, "reset",
     "Each link works once. If you removed a registration with it, there is nothing left to "
     "do. If you signed everybody out, set a new password to log in."},
    {"ended by a change", "disown", "state = 3", 400, NULL, "reset",
     "This link isn't complete, or the account changed since we sent it. " OUT},
    {"too late", "disown", "expires = created", 410, NULL, "reset",
     "Links like this work for 2 days. " OUT},
};

/* The mail with such a link is the newest. */
static void ask_for_reset(ua_test_t *t)
{
    ua_test_clock(t, 60);
    assert_status(t, ua_test_post(t, "/auth/forgot", "email", "alice@example.org", NULL), 303);
    assert_non_null(ua_test_mail(t));
}

static const char *offers(ua_test_t *t, const ua_res_t *res)
{
    const char *names = "";

    for (int i = 0; i < res->links->nelts; i++) {
        names = apr_pstrcat(t->turn, names, i ? " " : "",
                            APR_ARRAY_IDX(res->links, i, ua_link_t).name, NULL);
    }
    return names;
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(verdicts); i++) {
        ua_test_t *t = ua_test_open("UserAuthVerifyLifetime 90m", "UserAuthDisownLifetime 2d",
                                    "UserAuthResetLifetime 30m", NULL);
        ua_res_t res;
        ua_req_t *req = NULL;
        const char *offer = NULL;

        ua_test_register(t, "alice");
        assert_non_null(ua_test_mail(t));
        if (strcmp(verdicts[i].purpose, "reset") == 0) {
            ask_for_reset(t);
        }
        ua_test_sql(t, "UPDATE token SET %s WHERE purpose = '%s'", verdicts[i].change,
                    verdicts[i].purpose);
        req = request(t, &res);
        req->query = strchr(ua_test_link(t, verdicts[i].purpose), '?') + 1;
        assert_int_equal(ua_link_show(&res, req, verdicts[i].purpose), APR_SUCCESS);
        ua_db_release(req->ctx);
        offer = offers(t, &res);
        if (res.status != verdicts[i].status || !same(res.title, verdicts[i].title) ||
            !same(res.detail, verdicts[i].detail) || !same(offer, verdicts[i].offer)) {
            fail_msg("%s, %s: %d %s, %s, %s", verdicts[i].purpose, verdicts[i].comment,
                     res.status, res.title ? res.title : "", res.detail ? res.detail : "",
                     offer);
        }
        assert_int_equal(req->counted, res.status != 200);
        ua_test_close(t);
    }
}

/* TOK-09: a reset link leads on only for who can sign in with its password, from the mailbox it has now. */
static void finds_whom_it_leads_to(void **state)
{
    static const struct {
        const char *change; /* of the account */
        int good;
    } rows[] = {{"enabled = 0", 1}, /* never confirmed */
                {"enabled = 1, verified = 1", 1},
                {"enabled = 1, verified = 1, password_off = 1", 1},
                {"enabled = 0, verified = 1", 0},
                {"enabled = 0, verified = 1, closed = 1", 0},
                {"email = 'bob@example.org'", 0},
                {"id = 'another'", 0}};

    ua_account_t none = {.id = "untouched"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ua_test_t *t = ua_test_open(NULL);
        ua_account_t *account = &none;
        ua_token_t *token = NULL;
        ua_req_t *req = NULL;
        ua_res_t res;

        ua_test_register(t, "alice");
        ask_for_reset(t);
        ua_test_sql(t, "UPDATE account SET %s", rows[i].change);
        req = request(t, &res);
        req->query = strchr(ua_test_link(t, "reset"), '?') + 1;
        assert_int_equal(ua_link_find(&token, &account, req, "reset"), APR_SUCCESS);
        ua_db_release(req->ctx);
        assert_int_equal(token->standing, rows[i].good ? UA_TOKEN_GOOD : UA_TOKEN_INVALID);
        assert_string_equal(account->username ? account->username : account->id,
                            rows[i].good ? "alice" : "untouched");
        ua_test_close(t);
    }
}

static void shows_whose_link_it_is(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_res_t res;
    ua_req_t *req = NULL;

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    for (int json = 0; json < 2; json++) {
        req = request(t, &res);
        req->wants_json = json;
        req->query = strchr(ua_test_link(t, "disown"), '?') + 1;
        assert_int_equal(ua_link_show(&res, req, "disown"), APR_SUCCESS);
        ua_db_release(req->ctx);
        assert_string_equal(ua_json_get(res.view, "email"), json ? "" : "alice@example.org");
        assert_string_equal(ua_json_get(res.view, "username"), json ? "" : "alice");
        assert_string_equal(ua_json_get(res.view, "token"),
                            json ? "" : ua_test_token(t, "disown"));
    }
    ua_test_close(t);
}

/* One use of the verify link in a transaction of its own. */
static ua_token_e use(ua_test_t *t, ua_res_t *res, ua_account_t **account)
{
    ua_req_t *req = request(t, res);
    ua_token_t *token = NULL;

    req->query = strchr(ua_test_link(t, "verify"), '?') + 1;
    assert_int_equal(ua_db_begin(req->ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(ua_link_use(&token, account, res, req, "verify"), APR_SUCCESS);
    assert_int_equal(ua_db_commit(req->ctx), APR_SUCCESS);
    ua_db_release(req->ctx);
    assert_int_equal(req->counted, token->standing != UA_TOKEN_GOOD);
    return token->standing;
}

/* INV-1, and the second try leaves an event (TOK-01). */
static void uses_a_link_once(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_account_t *account = NULL;
    ua_res_t res;

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    assert_int_equal(use(t, &res, &account), UA_TOKEN_GOOD);
    assert_string_equal(account->username, "alice");
    assert_int_equal(res.status, 200);
    assert_int_equal(use(t, &res, &account), UA_TOKEN_USED);
    assert_int_equal(res.status, 410);
    assert_string_equal(
        ua_test_scalar(t, "SELECT detail FROM event WHERE kind = 'token_refused'"), "verify");
    ua_test_sql(t, "UPDATE token SET state = 0");
    ua_test_sql(t, "DELETE FROM account");
    assert_int_equal(use(t, &res, &account), UA_TOKEN_INVALID); /* leads nowhere */
    assert_int_equal(res.status, 400);
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

/* BF: what counts as a failed check of a token. Another site's page makes no tries for its visitor. */
static void counts_tries(void **state)
{
    static const struct {
        const char *comment, *path, *site, *dest;
        int counts;
    } rows[] = {
        {"a program", "/auth/verify?token=bad", "", "", 1},
        {"a link in a mail", "/auth/reset?token=bad", "none", "document", 1},
        {"another site's link", "/auth/verify?token=bad", "cross-site", "document", 1},
        {"another site's picture", "/auth/verify?token=bad", "cross-site", "image", 0},
        {"another site's frame", "/auth/verify?token=bad", "cross-site", "iframe", 0},
        {"no token", "/auth/reset", "", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = ua_test_open(NULL);

        t->json = 1;
        if (*rows[i].dest) {
            ua_test_header(t, "Sec-Fetch-Site", rows[i].site);
            ua_test_header(t, "Sec-Fetch-Dest", rows[i].dest);
        }
        assert_status(t, ua_test_get(t, rows[i].path), 400);
        if (ua_test_count(t, "SELECT COUNT(*) FROM throttle") != rows[i].counts) {
            fail_msg("%s", rows[i].comment);
        }
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_token),
        cmocka_unit_test(moves_the_token_into_a_cookie),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(finds_whom_it_leads_to),
        cmocka_unit_test(shows_whose_link_it_is),
        cmocka_unit_test(uses_a_link_once),
        cmocka_unit_test(forgets_the_cookie_of_a_used_token),
        cmocka_unit_test(counts_tries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
