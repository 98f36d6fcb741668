/* feature.h: the contract of the features: one file per verb, each exporting one ua_feature_t.
 *
 * A feature is a list of routes. Dispatch (app/dispatch.c) has already applied a route's access,
 * same-origin rule, fields and limits when it calls `check` (reads, hashes; no transaction) and then
 * `submit` (inside one transaction, tried again after a failure). Both answer APR_SUCCESS with the
 * outcome in the reply, "the form has errors" included, or a failure of the machine.
 */
#ifndef UA_FEATURE_H
#define UA_FEATURE_H

#include "base/base.h"
#include "base/conf.h"
#include "base/cookie.h"
#include "base/email.h"
#include "base/json.h"
#include "domain/account.h"
#include "domain/domain.h"
#include "domain/outbox.h"
#include "domain/session.h"
#include "domain/token.h"

typedef enum {
    UA_METHOD_GET,
    UA_METHOD_HEAD,
    UA_METHOD_POST,
    UA_METHOD_OPTIONS,
    UA_METHOD_OTHER
} ua_method_e;

typedef enum {

#define UA_PROBLEM(constant, ...) UA_PROBLEM_##constant,
#include "problems.def"
#undef UA_PROBLEM
    UA_PROBLEMS
} ua_problem_e;

typedef enum {

#define UA_NOTICE(constant, ...) UA_NOTICE_##constant,
#include "notices.def"
#undef UA_NOTICE
    UA_NOTICES
} ua_notice_e;

/* Who may use a route. GUEST: a signed-in person who asks for the form is sent on instead. FRESH: one
 * who gave the password within UserAuthFreshTime. */
typedef enum { UA_ACCESS_ANY, UA_ACCESS_GUEST, UA_ACCESS_USER, UA_ACCESS_FRESH } ua_access_e;

/* Below which prefix a route lies. */
typedef enum { UA_AREA_PUBLIC, UA_AREA_PERSONAL } ua_area_e;

/* The access token of a request. GOOD: it is the session's. BAD: it opens nothing. OTHER: the cookie is
 * another session's. Without GOOD and NONE there is no session. */
typedef enum { UA_BEARER_NONE, UA_BEARER_GOOD, UA_BEARER_BAD, UA_BEARER_OTHER } ua_bearer_e;

struct ua_req_t;
struct ua_res_t;

typedef apr_status_t ua_handler_f(struct ua_res_t *res, struct ua_req_t *req);

/* One field of a form. `check` answers NULL or the sentence beside the field. */
typedef struct ua_field_t {
    const char *name;
    const char *label;
    const char *type; /* text, email, password, checkbox, hidden, flag (a hidden one) */
    int required;
    const char *autocomplete;
    const char *hint;
    const char *aliases; /* other accepted names, blank-separated, or NULL */
    const char *(*check)(struct ua_req_t *req, const char *value);
} ua_field_t;

typedef struct ua_route_t {
    /* Below the prefix, "" for the prefix itself; "members/" + "*" takes one more segment as
     * req->param; NULL ends a list. */
    const char *path;
    ua_area_e area;
    ua_access_e access;
    const char *template;     /* page for GET and for a form with errors */
    const ua_field_t *fields; /* ended by a NULL name, or NULL */
    int own_fields;           /* the operator's (UserAuthProfileField) come behind them */
    int partial; /* an absent field is left as it is, not judged; a required one can't be emptied */
    int limited;     /* 1 + ua_rate_e per client address, or 0; counts req->counted outcomes */
    const char *nav; /* label in the bar of the personal pages, or NULL */
    ua_handler_f *show;
    ua_handler_f *check;
    ua_handler_f *submit;
    int reads; /* submitting changes nothing: there is no transaction */
    /* Whether this very GET is to be submitted (contract 3: the verify link), or NULL for never. */
    apr_status_t (*acts_on_get)(int *yes, struct ua_req_t *req);
    int silent; /* asking is no use of the session: it does not live on by it */
} ua_route_t;

typedef struct ua_feature_t {
    const char *name;
    const ua_route_t *routes;
} ua_feature_t;

/* One request, independent of any server. The edge fills the first part, dispatch the second. */
typedef struct ua_req_t {
    ua_ctx_t *ctx;
    ua_method_e method;
    const char *path;  /* decoded */
    const char *query; /* as sent, "" without one */
    const char *uri;   /* path and query as sent */
    int https;
    const char *cookie, *accept, *content_type, *origin, *referer; /* headers, "" when absent */
    const char *fetch_site, *fetch_mode, *fetch_dest, *fetch_user, *purpose, *requested_with;
    const char *authorization;
    const char *body;
    apr_size_t length;
    apr_status_t body_status; /* APR_SUCCESS; APR_ENOSPC: over the bound; APR_EINVAL: cut off */

    const ua_route_t *route;
    const char *param;        /* the last segment of the path, where the route takes one */
    const ua_field_t *fields; /* of the route, the operator's included; never NULL */
    int wants_json;
    const char *network;         /* of the client address: what is counted */
    apr_table_t *form;           /* the fields sent, trimmed but for passwords */
    apr_table_t *errors;         /* field name -> sentence */
    const char *session_cookie;  /* or NULL */
    const ua_session_t *session; /* or NULL */
    ua_bearer_e bearer;
    const char *next;       /* a valid local path, or NULL */
    int counted;            /* the outcome counts against the route's limit */
    const char *suggestion; /* a password that would do, beside a weak one */
    void *work;             /* what `check` found for `submit` */
} ua_req_t;

typedef struct ua_link_t {
    const char *name; /* in JSON: "resend" */
    const char *path; /* "/auth/resend" */
    const char *text; /* in HTML: "Send a new link" */
} ua_link_t;

typedef struct ua_res_t {
    int status;
    ua_problem_e problem;
    const char *title;           /* instead of the problem's, or NULL */
    const char *detail;          /* likewise */
    apr_array_header_t *links;   /* ua_link_t: what else can be done */
    const char *location;        /* for a redirect of a browser */
    ua_notice_e notice;          /* message of a JSON success */
    int json_status;             /* of a JSON success; 0: 200 */
    const char *template;        /* another page than the route's */
    json_t *view;                /* what the page shows; in JSON the answer itself */
    apr_array_header_t *cookies; /* ua_cookie_t */
    apr_table_t *headers;
    apr_int64_t retry_after; /* seconds, or 0 */
    int refresh;             /* the page asks again after so many seconds, or 0 */
    const char *raw;         /* a finished body (an asset), with `type` */
    apr_size_t raw_length;
    const char *type;
} ua_res_t;

#include "common.h"

#endif
