/* passwords.h: a person who forgets or changes a password, for the tests of forgot, reset, change_password
 * and common_password. */
#ifndef PASSWORDS_H
#define PASSWORDS_H

#include "moves.h"

#define NEW_PASSWORD "seven-quiet-otters-paint-12"
#define CHANGED      "/auth/login?notice=password-changed"

static inline int forgot(ua_test_t *t, const char *email)
{
    return ua_test_post(t, "/auth/forgot", "email", email, NULL);
}

/* Asks for a link; its token. A second passes, so that mails have an order. */
static inline const char *reset_link(ua_test_t *t, const char *email)
{
    const char *mail = NULL;

    ua_test_clock(t, 1);
    assert_status(t, forgot(t, email), t->json ? 202 : 303);
    mail = letter(t, email);
    assert_non_null(mail);
    assert_non_null(strstr(mail, "Reset your password"));
    return apr_pstrdup(t->pool, ua_test_token(t, "reset"));
}

/* Sets a new password, a second later. */
static inline int reset(ua_test_t *t, const char *token, const char *password)
{
    ua_test_clock(t, 1);
    return ua_test_post(t, "/auth/reset", "token", token, "password", password, NULL);
}

/* The status of a sign-in, in a jar of its own. */
static inline int opens(ua_test_t *t, const char *name, const char *password)
{
    apr_table_t *jar = t->jar;
    int status = 0;

    t->jar = apr_table_make(t->pool, 4);
    status = ua_test_post(t, "/auth/login", "login", name, "password", password, NULL);
    t->jar = jar;
    return status == 303 || status == 200;
}

/* Whether the session of the jar still is one. */
static inline int is_signed_in(ua_test_t *t)
{
    return ua_test_gated(t, UA_METHOD_GET, "/app") == 0;
}

/* A signed-in person's form. */
static inline int change(ua_test_t *t, const char *present, const char *password)
{
    return ua_test_submit(t, "/dashboard/password", "current_password", present, "password",
                          password, NULL);
}

static inline apr_int64_t notices(ua_test_t *t)
{
    return ua_test_count(t, "SELECT COUNT(*) FROM outbox WHERE kind = 'password-changed'");
}

#endif
