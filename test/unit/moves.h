/* moves.h: a person who changes the address of an account, for the tests of profile, change_email and undo.
 *
 * alice@example.org is the owner's; a thief knows her password and has mailboxes of his own. */
#ifndef MOVES_H
#define MOVES_H

#include "fixture.h"
#include "domain/password.h"

#include <apr_file_info.h>
#include <apr_file_io.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define PROFILE      "/dashboard/profile"
#define ALICE        "alice@example.org"
#define DAYS(n)      ((apr_int64_t)(n)*24 * 3600)

/* Sends what waits; the newest mail to this address, also as t->mail; NULL without one. */
static inline const char *letter(ua_test_t *t, const char *email)
{
    const char *mark = apr_pstrcat(t->pool, "To: ", email, "\r\n", NULL);
    const char *newest = "";
    apr_dir_t *dir = NULL;
    apr_finfo_t info;

    (void)ua_test_mail(t);
    t->mail = NULL;
    assert_int_equal(
        apr_dir_open(&dir, apr_pstrcat(t->pool, t->folder, "/mail", NULL), t->pool),
        APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        const char *name = apr_pstrcat(t->pool, "mail/", info.name, NULL);
        const char *data = strstr(name, ".eml") ? ua_test_read(t, name) : "";

        if (strstr(data, mark) && strcmp(name, newest) > 0) {
            newest = name;
            t->mail = data;
        }
    }
    apr_dir_close(dir);
    return t->mail;
}

/* One more confirmed person; nobody is signed in afterwards. */
static inline void join(ua_test_t *t, const char *name)
{
    apr_table_clear(t->jar);
    ua_test_register(t, name);
    assert_non_null(letter(t, apr_pstrcat(t->pool, name, "@example.org", NULL)));
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  303);
    apr_table_clear(t->jar);
}

/* Signs in, whatever the jar held before. */
static inline int log_in(ua_test_t *t, const char *name, const char *password)
{
    apr_table_clear(t->jar);
    return ua_test_post(t, "/auth/login", "login", name, "password", password, NULL);
}

/* A site with a confirmed alice, signed in, and then one more line. */
static inline ua_test_t *site_of_alice(const char *line)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    join(t, "alice");
    assert_null(ua_test_start(t, "UserAuthMailLimit off", line, NULL));
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    return t;
}

/* What the row says. */
static inline const char *address_of(ua_test_t *t, const char *username)
{
    return ua_test_scalar(t, "SELECT email FROM account WHERE username = '%s'", username);
}

/* Asks for another address as the person whose session the jar holds. */
static inline void ask(ua_test_t *t, const char *email)
{
    int json = t->json;

    t->json = 0;
    assert_status(t, ua_test_submit(t, PROFILE, "flags", "1", "email", email, NULL), 303);
    assert_string_equal(ua_test_location(t), PROFILE "?notice=email-pending");
    t->json = json;
}

/* Opens the newest link that was sent there. */
static inline int confirm(ua_test_t *t, const char *email)
{
    assert_non_null(letter(t, email));
    return ua_test_submit(t, "/auth/email", "token", ua_test_token(t, "email"), NULL);
}

/* The whole change; a second passes before and after it, so that mails have an order. */
static inline void move_to(ua_test_t *t, const char *email)
{
    ua_test_clock(t, 1);
    ask(t, email);
    assert_status(t, confirm(t, email), 303);
    ua_test_clock(t, 1);
}

/* The token of the newest undo link that was sent there. */
static inline const char *undo_link(ua_test_t *t, const char *email)
{
    assert_non_null(letter(t, email));
    return ua_test_token(t, "undo");
}

/* From a browser that is not signed in. */
static inline int undo(ua_test_t *t, const char *token, const char *password)
{
    apr_table_clear(t->jar);
    return ua_test_post(t, "/auth/undo", "token", token, "password", password, NULL);
}

/* Another password, in the same rows as any change of it leaves behind. */
static inline void change_password(ua_test_t *t, const char *password)
{
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t *account = NULL;
    ua_req_t req = {.ctx = ctx};
    const char *hash = NULL;

    req.form = apr_table_make(ctx->pool, 1);
    apr_table_setn(req.form, "password", password);
    assert_int_equal(ua_account_by_username(&account, ctx, "alice"), APR_SUCCESS);
    assert_int_equal(ua_new_password_hash(&hash, &req, "password"), APR_SUCCESS);
    assert_int_equal(ua_new_password_set(&req, account, hash), APR_SUCCESS);
    ua_password_leave(ctx);
    ua_db_release(ctx);
}

#endif
