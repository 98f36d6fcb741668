/* test_openapi_parts.c: what the API's description refers to: forms, answers, problems, credentials. */
#include "fixture.h"

static json_t *components(ua_test_t *t)
{
    assert_status(t, ua_test_get(t, "/auth/openapi.json"), 200);
    return json_object_get(ua_json_own(t->pool, json_loads(t->body, 0, NULL)), "components");
}

/* The JSON of the member at "a|b|c"; "" without it. */
static const char *text_at(ua_test_t *t, const json_t *value, const char *path)
{
    char *state = NULL;

    for (char *name = apr_strtok(apr_pstrdup(t->pool, path), "|", &state); value && name;
         name = apr_strtok(NULL, "|", &state)) {
        value = json_object_get(value, name);
    }
    return value ? ua_json_text(t->pool, value) : "";
}

#define assert_text(t, parts, path, expected)                                                  \
    assert_string_equal(text_at(t, parts, "schemas|" path), expected)

static void forms(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const json_t *parts = components(t);

    (void)state;
    assert_text(t, parts, "auth-login|required", "[\"login\",\"password\"]");
    assert_text(t, parts, "auth-login|properties|login",
                "{\"type\":\"string\",\"title\":\"Email or username\",\"description\":\"Also "
                "taken as: email username.\"}");
    assert_text(t, parts, "auth-login|properties|password",
                "{\"type\":\"string\",\"format\":\"password\",\"writeOnly\":true,\"title\":"
                "\"Password\"}");
    assert_text(t, parts, "auth-login|properties|remember|enum",
                "[true,false,1,0,\"true\",\"false\",\"1\",\"0\"]");
    assert_text(t, parts, "auth-resend|properties|email|format", "\"email\"");
    assert_text(t, parts, "auth-token|required", "[]");
    ua_test_close(t);
}

static void the_operators_own_fields(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthProfileField company \"Your company\" required",
                                "UserAuthProfileField hobby \"Hobby\" public", NULL);
    const json_t *parts = components(t);

    (void)state;
    assert_text(t, parts, "auth-register|properties|company|title", "\"Your company\"");
    assert_text(t, parts, "auth-register|properties|hobby|title", "\"Hobby\"");
    assert_non_null(strstr(text_at(t, parts, "schemas|auth-register|required"), "company"));
    assert_null(strstr(text_at(t, parts, "schemas|auth-register|required"), "hobby"));
    assert_text(t, parts, "auth-login|properties|company", "");
    ua_test_close(t);
}

static void answers(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const json_t *parts = components(t);

    (void)state;
    assert_text(t, parts, "User|properties|email_verified", "{\"type\":\"boolean\"}");
    assert_text(t, parts, "SignedIn|properties|user",
                "{\"$ref\":\"#/components/schemas/User\"}");
    assert_text(t, parts, "KeySet|properties|keys",
                "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Key\"}}");
    assert_text(t, parts, "Tokens|required",
                "[\"message\",\"token_type\",\"access_token\",\"expires_in\",\"user\"]");
    assert_text(t, parts, "Members|properties|next", "{\"type\":[\"string\",\"null\"]}");
    ua_test_close(t);
}

/* Every code of problems.def, under its status. */
static void problems(void **state)
{
    static const struct {
        const char *code;
        int status;
    } all[] = {

#define UA_PROBLEM(constant, code, status, title, detail) {code, status},
#include "features/problems.def"
#undef UA_PROBLEM
    };
    ua_test_t *t = ua_test_open(NULL);
    const json_t *parts = components(t);

    (void)state;
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) {
        const char *text = text_at(
            t, parts, apr_psprintf(t->pool, "responses|Problem%d|content", all[i].status));

        if (!strstr(text, apr_psprintf(t->pool, "\"%s\"", all[i].code)) ||
            !strstr(text, "application/problem+json")) {
            fail_msg("%s is not among the problems with status %d", all[i].code, all[i].status);
        }
    }
    assert_true(*text_at(t, parts, "responses|Problem401|headers|WWW-Authenticate") != '\0');
    assert_true(*text_at(t, parts, "responses|Problem429|headers|Retry-After") != '\0');
    assert_string_equal(text_at(t, parts, "responses|Problem200"), "");
    ua_test_close(t);
}

static void credentials(void **state)
{
    ua_test_t *t = ua_test_open(NULL);
    const json_t *parts = components(t);

    (void)state;
    assert_string_equal(text_at(t, parts, "securitySchemes|cookie"),
                        "{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"userauth\"}");
    assert_string_equal(text_at(t, parts, "securitySchemes|bearer"),
                        "{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"}");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),       cmocka_unit_test(the_operators_own_fields),
        cmocka_unit_test(answers),     cmocka_unit_test(problems),
        cmocka_unit_test(credentials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
