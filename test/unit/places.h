/* places.h: one person signed in with several browsers, for the tests of sessions and what they show. */
#ifndef PLACES_H
#define PLACES_H

#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOUR         ((apr_int64_t)3600)
#define FIREFOX                                                                                \
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"

/* A site with a confirmed alice, signed in. */
static inline ua_test_t *site_of_alice(void)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    return t;
}

/* Another browser, in which `name` signs in; the jar of the one before. */
static inline apr_table_t *signed_in_elsewhere(ua_test_t *t, const char *name)
{
    apr_table_t *before = t->jar;

    t->jar = apr_table_make(t->pool, 8);
    ua_test_login(t, name);
    return before;
}

/* The id of the session whose cookie the jar holds, whether it lives or not. */
static inline const char *own_id(ua_test_t *t)
{
    const char *digest = NULL;

    assert_int_equal(ua_digest_text(&digest, t->pool, ua_test_cookie(t, "")), APR_SUCCESS);
    return apr_pstrdup(t->pool,
                       ua_test_scalar(t, "SELECT id FROM session WHERE digest = '%s'", digest));
}

static inline int is_ended(ua_test_t *t, const char *id)
{
    return ua_test_count(t, "SELECT ended > 0 FROM session WHERE id = '%s'", id) == 1;
}

/* The password was given too long ago for what a stolen session must not do. */
static inline void grow_stale(ua_test_t *t)
{
    ua_test_clock(t, 15 * 60);
}

/* A member of an entry of a list in the last reply's JSON. */
static inline const char *entry_value(ua_test_t *t, const char *list, size_t at,
                                      const char *name)
{
    json_t *body = ua_json_own(t->turn, json_loads(t->body, 0, NULL));
    json_t *value = json_object_get(json_array_get(json_object_get(body, list), at), name);

    if (json_is_boolean(value)) {
        return json_is_true(value) ? "true" : "false";
    }
    return value ? json_string_value(value) : "";
}

static inline size_t entries(ua_test_t *t, const char *list)
{
    json_t *body = ua_json_own(t->turn, json_loads(t->body, 0, NULL));

    assert_true(json_is_array(json_object_get(body, list)));
    return json_array_size(json_object_get(body, list));
}

#endif
