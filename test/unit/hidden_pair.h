/* hidden_pair.h: two people who register with UserAuthHideAccounts, one with a free address and one with a
 * used one, step by step: whatever they are answered has to be the same.
 */
#ifndef HIDDEN_PAIR_H
#define HIDDEN_PAIR_H

#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HIDE         "UserAuthHideAccounts on"

/* A site with the member alice. */
static inline ua_test_t *open_site(const char *line)
{
    ua_test_t *t = ua_test_open(HIDE, line, NULL);

    ua_test_member(t, "alice");
    ua_test_clock(t, 3600); /* whatever was mailed is long ago */
    return t;
}

static inline int post(ua_test_t *t, const char *name, const char *email)
{
    return ua_test_post(t, "/auth/register", "username", name, "email", email, "password",
                        UA_TEST_PASSWORD, "display_name", "Typed Words", NULL);
}

/* A text without what differs between two people: names, ids, the forgery field. */
static inline const char *neutral(ua_test_t *t, const char *text, const char *name,
                                  const char *email)
{
    const char *parts[] = {email, name};
    char *plain = apr_pstrdup(t->pool, text);
    char *at = NULL;

    for (size_t i = 0; i < COUNT(parts); i++) {
        while ((at = strstr(plain, parts[i])) != NULL) {
            *at = '?';
            memmove(at + 1, at + strlen(parts[i]), strlen(at + strlen(parts[i])) + 1);
        }
    }
    for (at = strstr(plain, "name=\"csrf\" value=\""); at;
         at = strstr(at + 1, "name=\"csrf\" value=\"")) {
        memset(at + strlen("name=\"csrf\" value=\""), '#', 86);
    }
    if ((at = strstr(plain, "\"id\":\"")) != NULL) {
        memset(at + strlen("\"id\":\""), '#', 36);
    }
    return plain;
}

/* Status, headers and body of the last reply. */
static inline const char *reply(ua_test_t *t, const char *name, const char *email)
{
    const apr_array_header_t *entries = apr_table_elts(t->res->headers);
    const char *text = apr_psprintf(t->pool, "%d %s\n", t->res->status, ua_test_location(t));

    for (int i = 0; i < entries->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);
        const char *value = e->val;

        if (strcmp(e->key, "Set-Cookie") == 0) { /* its name and attributes */
            value = apr_pstrcat(t->pool, apr_pstrndup(t->pool, value, strcspn(value, "=")),
                                strchr(value, ';'), NULL);
        }
        text = apr_pstrcat(t->pool, text, e->key, ": ", value, "\n", NULL);
    }
    return apr_pstrcat(t->pool, text, neutral(t, t->body, name, email), NULL);
}

/* How many rows there are in each table. */
static inline const char *sizes(ua_test_t *t)
{
    static const char *const tables[] = {"account", "token", "outbox", "event", "throttle"};
    const char *text = "";

    for (size_t i = 0; i < COUNT(tables); i++) {
        text = apr_psprintf(t->pool, "%s%s %" APR_INT64_T_FMT "\n", text, tables[i],
                            ua_test_count(t, "SELECT COUNT(*) FROM %s WHERE 1 = 1", tables[i]));
    }
    return text;
}

/* Two people in two browsers, step by step: one has a free address, the other one that is used. */
typedef struct pair_t {
    ua_test_t *t;
    const char *names[2], *emails[2];
    apr_table_t *jars[2];
} pair_t;

static inline pair_t pair_of(ua_test_t *t)
{
    pair_t pair = {t,
                   {"frieda", "uschi"},
                   {"frieda@example.org", "Alice@example.org"},
                   {apr_table_make(t->pool, 4), apr_table_make(t->pool, 4)}};

    return pair;
}

/* Equal, or where they differ. */
static inline void expect_alike(const char *a, const char *b)
{
    size_t at = 0;

    while (a[at] && a[at] == b[at]) {
        at++;
    }
    if (a[at] != b[at]) {
        at = at > 40 ? at - 40 : 0;
        fail_msg("free: %.120s\nused: %.120s", a + at, b + at);
    }
}

typedef int step_f(ua_test_t *t, const char *name, const char *email);

/* Both take the step; the replies are the same. */
static inline int both(const pair_t *pair, step_f *step)
{
    ua_test_t *t = pair->t;
    const char *replies[2] = {NULL, NULL};
    int status = 0;

    for (int i = 0; i < 2; i++) {
        t->jar = pair->jars[i];
        status = step(t, pair->names[i], pair->emails[i]);
        replies[i] = reply(t, pair->names[i], pair->emails[i]);
    }
    expect_alike(replies[0], replies[1]);
    return status;
}

static inline int look(ua_test_t *t, const char *name, const char *email)
{
    (void)name;
    (void)email;
    return ua_test_get(t, "/auth/check-email");
}

static inline int resend(ua_test_t *t, const char *name, const char *email)
{
    (void)name;
    return ua_test_post(t, "/auth/resend", "email", email, NULL);
}

static inline int login_by_name(ua_test_t *t, const char *name, const char *email)
{
    (void)email;
    return ua_test_post(t, "/auth/login", "login", name, "password", UA_TEST_PASSWORD, NULL);
}

static inline int login_by_address(ua_test_t *t, const char *name, const char *email)
{
    (void)name;
    return ua_test_post(t, "/auth/login", "login", email, "password", UA_TEST_PASSWORD "!",
                        NULL);
}

static inline int again(ua_test_t *t, const char *name, const char *email)
{
    (void)email;
    return post(t, name, "somebody-else@example.org");
}

static inline int type_code(ua_test_t *t, const char *name, const char *email)
{
    (void)name;
    (void)email;
    return ua_test_post(t, "/auth/verify", "code", "00000000", NULL);
}

#endif
