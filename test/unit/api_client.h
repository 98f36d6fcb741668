/* api_client.h: a program that signs in for API tokens, for the tests of what takes and gives them. */
#ifndef API_CLIENT_H
#define API_CLIENT_H

#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define INVALID      "Bearer error=\"invalid_token\""

typedef struct api_t {
    const char *access, *refresh, *cookie, *session_id;
} api_t;

static inline const char *api_kept(ua_test_t *t, const char *path)
{
    return apr_pstrdup(t->pool, ua_test_value(t, path));
}

/* Signs in with JSON; leaves no cookie in the jar. */
static inline api_t api_login(ua_test_t *t, const char *name)
{
    api_t api = {0};

    apr_table_clear(t->jar);
    assert_status(
        t,
        ua_test_post_json(t, "/auth/login",
                          apr_pstrcat(t->pool, "{\"login\":\"", name,
                                      "\",\"password\":\"" UA_TEST_PASSWORD "\"}", NULL)),
        200);
    api.access = api_kept(t, "access_token");
    api.refresh = api_kept(t, "refresh_token");
    api.cookie = apr_pstrdup(t->pool, ua_test_cookie(t, ""));
    api.session_id = apr_pstrdup(
        t->pool, ua_test_scalar(t, "SELECT id FROM session ORDER BY created DESC, rowid DESC"));
    apr_table_clear(t->jar);
    return api;
}

/* A site with alice, and her tokens. */
static inline ua_test_t *api_open(api_t *api, const char *line)
{
    ua_test_t *t = ua_test_open(line, NULL);

    ua_test_member(t, "alice");
    *api = api_login(t, "alice");
    return t;
}

/* The next request carries this access token, and as cookie `cookie` or none. */
static inline void api_carry(ua_test_t *t, const char *access, const char *cookie)
{
    ua_test_header(t, "Authorization", apr_pstrcat(t->pool, "Bearer ", access, NULL));
    if (cookie) {
        ua_test_header(t, "Cookie", apr_pstrcat(t->pool, "userauth=", cookie, NULL));
    }
}

/* Whether an access token passes the gate: 0, or the reply's status. */
static inline int api_gated(ua_test_t *t, const char *access)
{
    api_carry(t, access, NULL);
    return ua_test_gated(t, UA_METHOD_GET, "/app");
}

static inline int api_renew(ua_test_t *t, const char *refresh)
{
    return ua_test_post_json(
        t, "/auth/token", apr_pstrcat(t->pool, "{\"refresh_token\":\"", refresh, "\"}", NULL));
}

/* A refusal that tells a program to begin anew. */
#define assert_no_good(t, call)                                                                \
    do {                                                                                       \
        assert_status(t, call, 401);                                                           \
        assert_string_equal(ua_test_reply_header(t, "WWW-Authenticate"), INVALID);             \
    } while (0)

#endif
