/* jwt_person.c: the person of a request as a signed statement for a backend: see jwt.h. */
#include "jwt.h"
#include "json.h"
#include "jwt_parse.h"

static void set_known(json_t *claims, const char *name, const char *value)
{
    if (*value) {
        ua_json_set(claims, name, value);
    }
}

apr_status_t ua_jwt_sign_person(const char **out, apr_pool_t *pool, ua_jwt_keys_t *keys,
                                const ua_jwt_person_t *person)
{
    json_t *claims = ua_json_object(pool);

    ua_json_set(claims, "iss", person->issuer);
    ua_json_set(claims, "sub", person->subject);
    ua_json_set(claims, "aud", person->audience);
    ua_json_set_number(claims, "iat", apr_time_sec(person->issued));
    ua_json_set_number(claims, "nbf", apr_time_sec(person->issued));
    ua_json_set_number(claims, "exp", apr_time_sec(person->issued + UA_JWT_PERSON_LIFE));
    ua_json_set(claims, "jti", person->id);
    ua_json_set_number(claims, "auth_time", apr_time_sec(person->auth_time));
    ua_json_set(claims, "username", person->username);
    set_known(claims, "sid", person->session);
    set_known(claims, "email", person->email);
    set_known(claims, "name", person->name);
    json_object_set_new(claims, "groups", ua_jwt_words(pool, person->groups, ","));
    return ua_jwt_sign_claims(out, pool, keys, "JWT", ua_json_text(pool, claims),
                              person->issued);
}
