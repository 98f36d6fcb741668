/* fixture.h: one site in a folder of its own, without a web server: for the tests of app and features.
 *
 * A test opens a site from directive lines, sends it requests as a browser or a program would, and
 * looks at replies, rows, mails, log lines and event lines. It owns the clock. What the site logs as
 * an error or warning has to be announced by ua_test_expect(), else ua_test_close() fails the test.
 */
#ifndef UA_TEST_FIXTURE_H
#define UA_TEST_FIXTURE_H

#include "app/app.h"
#include "base/generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

/* The clock at the start of each test: 2026-11-21T08:30:00Z. */
#define UA_TEST_START apr_time_from_sec(1795249800)

/* A password that every default setting accepts, and its hash is cheap in the fixture. */
#define UA_TEST_PASSWORD "purple-monkey-dishwasher-92"

/* A client that is neither on this machine nor known to the site. */
#define UA_TEST_ADDRESS "192.0.2.7"

typedef struct ua_test_look_t ua_test_look_t;

typedef struct ua_test_t {
    apr_pool_t *pool; /* lives until ua_test_close() */
    char folder[64];  /* of this site: userauth.db, userauth.keys, mail/ */
    ua_conf_t *conf;
    ua_app_t *app;
    int row; /* of the directive that was refused, or -1 */

    /* What a request is made of; the test may change these at any time. */
    apr_time_t now;
    const char *address;
    const char *agent;
    int https;
    int json;         /* every request says "Accept: application/json" */
    apr_table_t *jar; /* cookie name -> value, kept from reply to reply */

    /* The last request and its reply; they live until the next request. */
    ua_req_t *req;
    ua_res_t *res;
    const char *body; /* "" without one */

    apr_array_header_t *logs;   /* const char *: "<level> <line>" */
    apr_array_header_t *events; /* const char * */
    const char *mail;           /* the newest mail that ua_test_mail() found, or NULL */

    /* The fixture's own. */
    int told; /* events before the last request */
    apr_pool_t *turn;
    apr_pool_t *site;
    apr_table_t *headers;
    apr_table_t *announced;
    ua_lock_t *writer;
    ua_jobs_t *jobs;
    ua_test_look_t *look;
    apr_uint32_t cause;
    ua_generations_t *generations;
} ua_test_t;

/* ---- the site (fixture.c, fixture_look.c) ---- */

/* A folder without a site yet. */
ua_test_t *ua_test_begin(void);

/* Starts the site, or starts it again over the same folder, from directive lines ended by NULL;
 * "{}" in a line is the folder. Lines come behind these, and a later one replaces an earlier:
 *   UserAuthBaseURL http://localhost:8080      UserAuthDatabase sqlite3 {}/userauth.db
 *   UserAuthMail folder:{}/mail "Example <accounts@example.com>"
 *   UserAuthPasswordHash m=7168,t=5,p=1        (hashed with t=1; rate and mail limits are the defaults)
 * A line "-UserAuthX" leaves that default out. Answers NULL, or why the site can't start. */
const char *ua_test_start(ua_test_t *t, const char *line, ...);

/* Both, ua_test_open(NULL) with the defaults; fails the test when the site can't start. */
ua_test_t *ua_test_open(const char *line, ...);

/* Ends the site and removes the folder. Fails the test when an error was logged that nobody
 * announced, or an announced one was not. */
void ua_test_close(ua_test_t *t);

/* Announces one error or warning line that contains `part`. */
void ua_test_expect(ua_test_t *t, const char *part);

/* A file of the folder, its folders included; and its content. */
void ua_test_write(ua_test_t *t, const char *name, const char *text);
const char *ua_test_read(ua_test_t *t, const char *name);

/* A context at t->now for calls below the app layer; give its connection back yourself. */
ua_ctx_t *ua_test_context(ua_test_t *t);

void ua_test_clock(ua_test_t *t, apr_int64_t seconds);

/* The first column of the first row on a connection of its own, "" without a row or for NULL.
 * `sql` is a printf format. */
const char *ua_test_scalar(ua_test_t *t, const char *sql, ...)
    __attribute__((format(printf, 2, 3)));
apr_int64_t ua_test_count(ua_test_t *t, const char *sql, ...)
    __attribute__((format(printf, 2, 3)));

/* One statement that changes something; all accounts' generations change with it. */
void ua_test_sql(ua_test_t *t, const char *sql, ...) __attribute__((format(printf, 2, 3)));

/* The same by another node, which tells this one nothing. */
void ua_test_elsewhere(ua_test_t *t, const char *sql, ...)
    __attribute__((format(printf, 2, 3)));

/* All rows of all tables but those of counters, as one text: equal before and after means that
 * nothing changed. */
const char *ua_test_rows(ua_test_t *t);

/* How many log lines and event lines contain `part`. */
int ua_test_logged(const ua_test_t *t, const char *part);
int ua_test_events(const ua_test_t *t, const char *part);

/* Runs the mail job once; the newest mail it wrote, as a complete message, or NULL. */
const char *ua_test_mail(ua_test_t *t);

/* Path and query of a link in t->mail: ua_test_link(t, "verify") is "/auth/verify?token=…". */
const char *ua_test_link(ua_test_t *t, const char *purpose);
/* Its token alone. */
const char *ua_test_token(ua_test_t *t, const char *purpose);

/* ---- requests (fixture_request.c) ---- */

/* A header of the next request only. Any that ua_req_t knows; "Cookie" stands in for the jar. */
void ua_test_header(ua_test_t *t, const char *name, const char *value);

/* The next request is a browser's navigation within the site, or a click in a mail. */
void ua_test_browser(ua_test_t *t);

/* One request; `uri` may hold a query. The reply's status. */
int ua_test_request(ua_test_t *t, ua_method_e method, const char *uri, const char *type,
                    const char *body);
int ua_test_get(ua_test_t *t, const char *uri);
int ua_test_head(ua_test_t *t, const char *uri);

/* A request to an application's gated location: 0 when it is let in, else the reply's status. */
int ua_test_gated(ua_test_t *t, ua_method_e method, const char *uri);

/* A form as a program without cookies of a session sends it: names and values ended by NULL. */
int ua_test_post(ua_test_t *t, const char *uri, ...) __attribute__((sentinel));
/* A form as a browser sends it: asks for the page first and adds its hidden field. */
int ua_test_submit(ua_test_t *t, const char *uri, ...) __attribute__((sentinel));
int ua_test_post_json(ua_test_t *t, const char *uri, const char *json);

/* The value of a hidden field of t->body; NULL without it. */
const char *ua_test_hidden(ua_test_t *t, const char *name);

/* The jar's cookie by its bare name ("" is the session's), or NULL. */
const char *ua_test_cookie(ua_test_t *t, const char *name);
void ua_test_forget(ua_test_t *t, const char *name);
/* The same as the last reply set it, or NULL. */
const ua_cookie_t *ua_test_set_cookie(const ua_test_t *t, const char *name);

/* Of the last reply; "" when absent. */
const char *ua_test_location(const ua_test_t *t);
const char *ua_test_reply_header(const ua_test_t *t, const char *name);

/* A member of the last reply's JSON by its dotted path: text, number, "true", "false", "null", the
 * JSON of an object or array; "" when absent. */
const char *ua_test_value(ua_test_t *t, const char *path);

/* 1 when t->body contains the text. */
int ua_test_shows(const ua_test_t *t, const char *text);

/* ---- the journey ---- */

/* Registers <name>@example.org with UA_TEST_PASSWORD; fails the test unless that works. */
void ua_test_register(ua_test_t *t, const char *name);
/* Registers, takes the mail and confirms it; forgets the cookies. */
void ua_test_member(ua_test_t *t, const char *name);
/* Signs in with UA_TEST_PASSWORD; fails the test unless that works. */
void ua_test_login(ua_test_t *t, const char *name);

/* Equal, with the reply's body in the message when not. */
#define assert_status(t, expression, expected)                                                 \
    do {                                                                                       \
        int status_ = (expression);                                                            \
        if (status_ != (expected)) {                                                           \
            print_error("%s: status %d, not %d: %.2000s\n", #expression, status_, (expected),  \
                        (t)->body);                                                            \
        }                                                                                      \
        assert_int_equal(status_, (expected));                                                 \
    } while (0)

#define assert_shows(t, text)                                                                  \
    do {                                                                                       \
        if (!ua_test_shows((t), (text))) {                                                     \
            print_error("not shown: %s\nin: %s\n", (text), (t)->body);                         \
        }                                                                                      \
        assert_true(ua_test_shows((t), (text)));                                               \
    } while (0)

#define assert_value(t, path, expected)                                                        \
    assert_string_equal(ua_test_value((t), (path)), (expected))

#endif
