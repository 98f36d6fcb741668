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
    apr_time_t auth_time;     /* when a password was last given */
    const char *account_id;
    const char *username;
    const char *email;
    const char *display_name;
    apr_time_t last_sign_in;
    apr_time_t previous_sign_in;
} ua_session_t;

/* A new session; *cookie is the secret for the browser, *age its Max-Age in seconds (0: until the
 * browser closes). The oldest sessions over UserAuthSessionLimit end. */
apr_status_t ua_session_start(const char **cookie, apr_int64_t *age, ua_ctx_t *ctx,
                              const char *account_id, int remember) UA_MUST_USE;

/* The live session of a cookie. APR_NOTFOUND: unknown, ended, idle too long, past its time, or its
 * account may not sign in. */
apr_status_t ua_session_read(ua_session_t **out, ua_ctx_t *ctx, const char *cookie) UA_MUST_USE;

/* Ends the session of a cookie; harmless when there is none. */
apr_status_t ua_session_end(ua_ctx_t *ctx, const char *cookie) UA_MUST_USE;

/* Notes that a session was in use at `used`. */
apr_status_t ua_session_touch(ua_ctx_t *ctx, const char *id, apr_time_t used) UA_MUST_USE;

/* Removes rows ended or expired before `then`. */
apr_status_t ua_session_sweep(ua_ctx_t *ctx, apr_time_t then) UA_MUST_USE;

#endif
