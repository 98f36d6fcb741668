/* test_jwt_person.c: the person of a request as a signed statement for a backend.
 *
 * Case: JWT-16: what it says, and that it is no access token.
 */
#include "jwt_forge.h"

static ua_jwt_person_t person(void)
{
    const ua_jwt_person_t alice = {.issuer = ISSUER,
                                   .subject = ACCOUNT,
                                   .audience = AUDIENCE,
                                   .issued = NOW,
                                   .id = TOKEN,
                                   .username = "alice",
                                   .auth_time = NOW - 200 * SECOND,
                                   .session = SESSION,
                                   .email = "alice@example.com",
                                   .name = "Alice \"山\"",
                                   .groups = "staff,admins"};

    return alice;
}

static const char *signed_by(const ua_jwt_person_t *one)
{
    const char *text = NULL;

    assert_int_equal(ua_jwt_sign_person(&text, pool, keys, one), APR_SUCCESS);
    return text;
}

static void what_it_says(void **state)
{
    const ua_jwt_person_t alice = person();
    const char *text = signed_by(&alice);

    (void)state;
    assert_string_equal(part_text(text, 0),
                        "{\"alg\":\"ES256\",\"kid\":\"G5bGkOB2zc2Ydeqx\",\"typ\":\"JWT\"}");
    assert_string_equal(
        part_text(text, 1),
        "{\"iss\":\"" ISSUER "\",\"sub\":\"" ACCOUNT "\",\"aud\":\"" AUDIENCE
        "\",\"iat\":1728043200,\"nbf\":1728043200,\"exp\":1728043260,\"jti\":\"" TOKEN
        "\",\"auth_time\":1728043000,\"username\":\"alice\",\"sid\":\"" SESSION
        "\",\"email\":\"alice@example.com\",\"name\":\"Alice "
        "\\\"山\\\"\",\"groups\":[\"staff\",\"admins\"]}");
}

/* Basic credentials have no session. */
static void what_it_leaves_out(void **state)
{
    ua_jwt_person_t nobody = person();
    const char *claims = NULL;

    (void)state;
    nobody.session = nobody.name = nobody.groups = "";
    claims = part_text(signed_by(&nobody), 1);
    assert_null(strstr(claims, "sid"));
    assert_null(strstr(claims, "name\":\"\""));
    assert_non_null(strstr(claims, "\"groups\":[]"));
}

/* A backend that leaks one has leaked no key to the site. */
static void no_access_token(void **state)
{
    const ua_jwt_person_t alice = person();
    ua_jwt_t out;

    (void)state;
    assert_int_equal(ua_jwt_verify(&out, pool, keys, signed_by(&alice), &wanted), APR_EACCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says),
        cmocka_unit_test(what_it_leaves_out),
        cmocka_unit_test(no_access_token),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
