/* test_gate_token.c: what a backend is told in a signed statement, and that it opens nothing at the gate.
 *
 * Case: JWT-16.
 */
#include "remembered.h"
#include "base/crypto.h"

static const json_t *claims_of(ua_test_t *t, const char *token)
{
    const char *start = strchr(token, '.') + 1;
    const char *part = apr_pstrmemdup(t->pool, start, strcspn(start, "."));
    apr_size_t bytes = strlen(part) * 3 / 4;
    char *text = apr_pcalloc(t->pool, bytes + 1);

    assert_int_equal(ua_base64url_decode((unsigned char *)text, bytes, part), APR_SUCCESS);
    return ua_json_own(t->pool, json_loads(text, 0, NULL));
}

static void it_tells_of_the_session(void **state)
{
    ua_test_t *t = remembered_open("UserAuthTokenAudience https://api.example.org");
    const ua_session_t *session = NULL;
    const char *token = NULL;
    const json_t *claims = NULL;

    (void)state;
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    session = t->req->session;
    assert_int_equal(ua_gate_token(&token, t->app, t->req->ctx, session), APR_SUCCESS);
    claims = claims_of(t, token);
    assert_string_equal(ua_json_get(claims, "sub"), session->account_id);
    assert_string_equal(ua_json_get(claims, "aud"), "https://api.example.org");
    assert_string_equal(ua_json_get(claims, "iss"), t->conf->site);
    assert_string_equal(ua_json_get(claims, "username"), "alice");
    assert_string_equal(ua_json_get(claims, "email"), "alice@example.org");
    assert_string_equal(ua_json_get(claims, "sid"), session->id);
    assert_int_equal(json_integer_value(json_object_get(claims, "iat")), apr_time_sec(t->now));
    ua_test_close(t);
}

static void it_opens_nothing(void **state)
{
    ua_test_t *t = remembered_open(NULL);
    const char *token = NULL;

    (void)state;
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    assert_int_equal(ua_gate_token(&token, t->app, t->req->ctx, t->req->session), APR_SUCCESS);
    ua_test_forget(t, "userauth");
    ua_test_header(t, "Authorization", apr_pstrcat(t->pool, "Bearer ", token, NULL));
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 401);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_of_the_session),
        cmocka_unit_test(it_opens_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
