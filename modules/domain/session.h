/* session.h: where a person is signed in: the table `session`.
 *
 * The cookie is 256 random bits; the row holds their SHA-256. A session ends by an act, after
 * `idle` without use, or at `expires`; ended rows stay until they are swept.
 */
#ifndef UA_SESSION_H
#define UA_SESSION_H

#include "domain.h"

typedef struct ua_session_t {
    const char *id; /* public: names the session, opens nothing */
    apr_time_t created;
    apr_time_t last_used;
    apr_interval_time_t idle; /* ends after so long without use */
    apr_time_t expires;       /* the cookie's end in any case */
    apr_time_t auth_time;     /* when a password was last given */
    apr_time_t refresh_until; /* API tokens can be renewed until then; 0: there are none */
    const char *amr;          /* how the person signed in (RFC 8176), blank-separated */
    const char *account_id;
    const char *username;
    const char *email;
    const char *display_name;
    apr_time_t last_sign_in;
    apr_time_t previous_sign_in;
    const char *groups; /* names separated by commas */
} ua_session_t;

/* A place where a person is signed in, for the person's own list. */
typedef struct ua_place_t {
    const char *id;
    const char *agent; /* as the browser sent it: untrusted */
    const char *address;
    apr_time_t created;
    apr_time_t last_used;
} ua_place_t;

/* A new session; *cookie is the secret for the browser, *age its Max-Age in seconds (0: until the
 * browser closes). The oldest sessions over UserAuthSessionLimit end. */
apr_status_t ua_session_start(const char **cookie, apr_int64_t *age, ua_ctx_t *ctx,
                              const char *account_id, int remember) UA_MUST_USE;

/* The live session of a cookie. APR_NOTFOUND: unknown, ended, idle too long, past its time, or its
 * account may not sign in. */
apr_status_t ua_session_read(ua_session_t **out, ua_ctx_t *ctx, const char *cookie) UA_MUST_USE;

/* The live session of an id (a Bearer token's `sid`); as above, but it lives as long as its API tokens
 * can be renewed, too. */
apr_status_t ua_session_by_id(ua_session_t **out, ua_ctx_t *ctx, const char *id) UA_MUST_USE;

/* Whose session a cookie is or was; APR_NOTFOUND when it is unknown or swept. */
apr_status_t ua_session_owner(const char **account_id, ua_ctx_t *ctx,
                              const char *cookie) UA_MUST_USE;

/* 1 when a password was given within UserAuthFreshTime. */
int ua_session_fresh(const ua_session_t *session, const ua_ctx_t *ctx);

/* Another secret for the same session, with session->auth_time. *age as above. APR_NOTFOUND when the
 * session ended meanwhile. */
apr_status_t ua_session_renew(const char **cookie, apr_int64_t *age, ua_ctx_t *ctx,
                              const ua_session_t *session, const char *old_cookie) UA_MUST_USE;

/* The password was given just now in a session whose cookie is not at hand: its secret stays. */
apr_status_t ua_session_freshen(ua_ctx_t *ctx, const ua_session_t *session) UA_MUST_USE;

/* Where an account is signed in: array of ua_place_t, last used first. */
apr_status_t ua_session_places(apr_array_header_t **out, ua_ctx_t *ctx,
                               const char *account_id) UA_MUST_USE;

/* All that is stored of an account's sessions, ended ones included, newest first: array of ua_row_t with
 * id, agent, address, amr, created, last_used, auth_time, expires, refresh_until, ended. */
apr_status_t ua_session_history(apr_array_header_t **rows, ua_ctx_t *ctx,
                                const char *account_id) UA_MUST_USE;

/* Ends one session of this account: APR_NOTFOUND when it has none of that id. */
apr_status_t ua_session_end_own(ua_ctx_t *ctx, const char *account_id,
                                const char *id) UA_MUST_USE;

/* Ends every session of an account but `kept` ("" for none), and with them their API tokens. */
apr_status_t ua_session_end_all(ua_ctx_t *ctx, const char *account_id,
                                const char *kept) UA_MUST_USE;

/* Ends the session of a cookie; harmless when there is none. */
apr_status_t ua_session_end(ua_ctx_t *ctx, const char *cookie) UA_MUST_USE;

/* Notes that a session was in use at `used`. A cookie that had been idle too long by then stays ended:
 * only API tokens can have been in use. */
apr_status_t ua_session_touch(ua_ctx_t *ctx, const char *id, apr_time_t used) UA_MUST_USE;

/* Removes rows ended or expired before `then`. */
apr_status_t ua_session_sweep(int *more, ua_ctx_t *ctx, apr_time_t then) UA_MUST_USE;

#endif
