/* jwt_parse.c: see jwt_parse.h. cjose accepts padding, altered trailing bits, duplicate members and any
 * header it does not know; all that is refused here. */
#include "jwt_parse.h"
#include "crypto.h"
#include "json.h"

#include <string.h>

#define SIGNATURE_BYTES 64

/* How many bytes `length` characters of base64url hold; a remainder of 1 is never canonical. */
static apr_size_t decoded_length(apr_size_t length)
{
    return length / 4 * 3 + (length % 4 == 0 ? 0 : length % 4 - 1);
}

/* One part as bytes, ended by a NUL; NULL when it is not canonical. */
static char *decode(apr_pool_t *pool, const char *part, apr_size_t length, apr_size_t *bytes)
{
    char *out = NULL;

    *bytes = decoded_length(length);
    out = apr_pcalloc(pool, *bytes + 1);
    if (length == 0 || ua_base64url_decode((unsigned char *)out, *bytes,
                                           apr_pstrmemdup(pool, part, length)) != APR_SUCCESS) {
        return NULL;
    }
    return out;
}

static json_t *load(apr_pool_t *pool, const char *text, apr_size_t length)
{
    return text ? ua_json_own(pool, json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL))
                : NULL;
}

static int is_our_header(const json_t *header)
{
    return json_is_object(header) && json_object_size(header) == 3 &&
           strcmp(ua_json_get(header, "alg"), "ES256") == 0 &&
           strcmp(ua_json_get(header, "typ"), "at+jwt") == 0 && *ua_json_get(header, "kid");
}

/* A third dot is no character of the signature. */
apr_status_t ua_jwt_parse(ua_jwt_parts_t *out, apr_pool_t *pool, const char *text)
{
    const char *first = strchr(text, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    ua_jwt_parts_t parts = {0};
    apr_size_t bytes = 0;
    const json_t *header = NULL;
    const char *header_text = NULL;

    if (strlen(text) > UA_JWT_LONGEST || !second ||
        !decode(pool, second + 1, strlen(second + 1), &bytes) || bytes != SIGNATURE_BYTES) {
        return APR_EACCES;
    }
    parts.payload = decode(pool, first + 1, (apr_size_t)(second - first - 1), &parts.length);
    header_text = decode(pool, text, (apr_size_t)(first - text), &bytes);
    header = load(pool, header_text, bytes);
    if (!parts.payload || !is_our_header(header)) {
        return APR_EACCES;
    }
    parts.kid = ua_json_get(header, "kid");
    *out = parts;
    return APR_SUCCESS;
}

/* Seconds as a claim; 0 is none. */
static apr_time_t time_claim(const json_t *claims, const char *name)
{
    const json_t *value = json_object_get(claims, name);
    json_int_t seconds = json_is_integer(value) ? json_integer_value(value) : 0;

    return seconds > 0 && seconds < ((json_int_t)1 << 40) ? apr_time_from_sec(seconds) : 0;
}

static const char *words_claim(apr_pool_t *pool, const json_t *claims, const char *name)
{
    const json_t *list = json_object_get(claims, name);
    const char *words = "";

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));

        if (!word) {
            return NULL;
        }
        words = apr_pstrcat(pool, words, i > 0 ? " " : "", word, NULL);
    }
    return json_is_array(list) ? words : NULL;
}

/* 1 when nothing that every token of ours has is missing; all of them work from their issue on. */
static int is_whole(const ua_jwt_t *token, const json_t *claims)
{
    return *token->issuer && *token->audience && *token->username && token->amr &&
           token->issued > 0 && token->expires > token->issued &&
           token->expires - token->issued <= UA_JWT_LIFE && token->auth_time > 0 &&
           time_claim(claims, "nbf") == token->issued && ua_uuid_valid(token->subject) &&
           ua_uuid_valid(token->session) && ua_uuid_valid(token->id);
}

apr_status_t ua_jwt_parse_claims(ua_jwt_t *out, apr_pool_t *pool, const char *payload,
                                 apr_size_t length)
{
    json_t *claims = load(pool, payload, length);
    ua_jwt_t token = {.issuer = ua_json_get(claims, "iss"),
                      .subject = ua_json_get(claims, "sub"),
                      .audience = ua_json_get(claims, "aud"),
                      .issued = time_claim(claims, "iat"),
                      .expires = time_claim(claims, "exp"),
                      .id = ua_json_get(claims, "jti"),
                      .session = ua_json_get(claims, "sid"),
                      .auth_time = time_claim(claims, "auth_time"),
                      .amr = words_claim(pool, claims, "amr"),
                      .username = ua_json_get(claims, "username")};

    if (!json_is_object(claims) || !is_whole(&token, claims)) {
        return APR_EACCES;
    }
    *out = token;
    return APR_SUCCESS;
}
