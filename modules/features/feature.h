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
#include "base/json.h"
#include "domain/account.h"
#include "domain/domain.h"
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

/* Who may use a route. GUEST: a signed-in person who asks for the form is sent on instead. */
typedef enum { UA_ACCESS_ANY, UA_ACCESS_GUEST, UA_ACCESS_USER, UA_ACCESS_FRESH } ua_access_e;

/* Below which prefix a route lies. */
typedef enum { UA_AREA_PUBLIC, UA_AREA_PERSONAL } ua_area_e;

struct ua_req_t;
struct ua_res_t;

typedef apr_status_t ua_handler_f(struct ua_res_t *res, struct ua_req_t *req);

/* One field of a form. `check` answers NULL or the sentence beside the field. */
typedef struct ua_field_t {
    const char *name;
    const char *label;
    const char *type; /* text, email, password, checkbox, hidden */
    int required;
    const char *autocomplete;
    const char *hint;
    const char *aliases; /* other accepted names, blank-separated, or NULL */
    const char *(*check)(struct ua_req_t *req, const char *value);
} ua_field_t;

typedef struct ua_route_t {
    const char *path; /* below the prefix, "" for the prefix itself; NULL ends a list */
    ua_area_e area;
    ua_access_e access;
    const char *template;     /* page for GET and for a form with errors */
    const ua_field_t *fields; /* ended by a NULL name, or NULL */
    int limited;     /* 1 + ua_rate_e per client address, or 0; counts req->counted outcomes */
    const char *nav; /* label in the bar of the personal pages, or NULL */
    ua_handler_f *show;
    ua_handler_f *check;
    ua_handler_f *submit;
    /* Whether this very GET is to be submitted (contract 3: the verify link), or NULL for never. */
    apr_status_t (*acts_on_get)(int *yes, struct ua_req_t *req);
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
    const char *fetch_site, *fetch_mode, *fetch_dest, *purpose, *requested_with;
    const char *body;
    apr_size_t length;
    apr_status_t body_status; /* APR_SUCCESS; APR_ENOSPC: over the bound; APR_EINVAL: cut off */

    const ua_route_t *route;
    int wants_json;
    const char *network;         /* of the client address: what is counted */
    apr_table_t *form;           /* the fields sent, trimmed but for passwords */
    apr_table_t *errors;         /* field name -> sentence */
    const char *session_cookie;  /* or NULL */
    const ua_session_t *session; /* or NULL */
    const char *next;            /* a valid local path, or NULL */
    int counted;                 /* the outcome counts against the route's limit */
    const char *suggestion;      /* a password that would do, beside a weak one */
    void *work;                  /* what `check` found for `submit` */
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

/* common.c: small steps that several features take. */

/* An empty reply for this request. */
void ua_res_init(ua_res_t *res, const ua_req_t *req);

/* A field's value, "" when absent. */
const char *ua_field(const ua_req_t *req, const char *name);
int ua_field_flag(const ua_req_t *req, const char *name);
void ua_field_error(ua_req_t *req, const char *name, const char *text);

/* Absolute local path of a public or personal page. */
const char *ua_path(const ua_req_t *req, ua_area_e area, const char *path);

/* Says no. The status is the problem's. */
void ua_refuse(ua_res_t *res, ua_problem_e problem);
/* 429 with when to try again. */
void ua_refuse_wait(ua_res_t *res, ua_req_t *req, ua_problem_e problem,
                    apr_interval_time_t wait);
void ua_offer(ua_res_t *res, const char *name, const char *path, const char *text);

/* Success: a browser goes on to `path`, a program gets `json_status` and the notice as message. */
void ua_go(ua_res_t *res, int json_status, const char *path, ua_notice_e notice);
/* The same, with ?notice= in the path. */
void ua_go_notice(ua_res_t *res, ua_req_t *req, int json_status, const char *path,
                  ua_notice_e notice);

/* A cookie of this site by its bare name ("" is the session's, "device", "registration", ...):
 * the __Host- prefix and Secure are added where the site has https. */
const char *ua_site_cookie(const ua_req_t *req, const char *name);
void ua_set_cookie(ua_res_t *res, const ua_req_t *req, const char *name, const char *value,
                   apr_int64_t age);

/* The public object of an account. */
json_t *ua_user_json(apr_pool_t *pool, const ua_account_t *account);

/* common_mail.c: links and mails about an account that is not confirmed yet. */

/* Issues the links of a registration and queues the mail that carries them. */
apr_status_t ua_mail_verification(ua_req_t *req, const ua_account_t *account) UA_MUST_USE;

/* Counts one mail to an address. `owner` is the account whose browser asks, or "" for a stranger;
 * each has a bucket of its own. *wait is 0 when the mail may go, else how long until it may. */
apr_status_t ua_mail_take(apr_interval_time_t *wait, ua_req_t *req, const char *email_key,
                          const char *owner) UA_MUST_USE;
apr_status_t ua_mail_peek(apr_interval_time_t *wait, ua_req_t *req, const char *email_key,
                          const char *owner) UA_MUST_USE;

/* 429: when another mail may go, alike for every address. */
void ua_mail_refuse(ua_res_t *res, ua_req_t *req, apr_interval_time_t wait);

/* The cookie of the browser that registered: whose it is, NULL without a genuine one. */
const char *ua_registration_account(ua_req_t *req);
apr_status_t ua_registration_cookie(ua_res_t *res, ua_req_t *req,
                                    const char *account_id) UA_MUST_USE;

/* common_limit.c: the route's limit per client address. */

/* Refuses in res when it is reached already. */
apr_status_t ua_limit_peek(ua_res_t *res, ua_req_t *req) UA_MUST_USE;

/* Counts req->counted, inside a transaction. APR_EAGAIN, with the refusal in res, when a success was
 * one too many and may not stand. */
apr_status_t ua_limit_take(ua_res_t *res, ua_req_t *req) UA_MUST_USE;

/* common_token.c: pages that a link in a mail opens. */

/* T of this request: the form's field, the query's, or the cookie's; NULL without any. */
const char *ua_link_token(ua_req_t *req, const char *purpose);

/* The page of a link: its address, name and T for the button; or what is wrong with it; or a redirect
 * to the clean path with T in a cookie. Uses nothing up. */
apr_status_t ua_link_show(ua_res_t *res, ua_req_t *req, const char *purpose) UA_MUST_USE;

/* Uses a link up. When (*out)->standing is not UA_TOKEN_GOOD the reply says what is wrong, and the try
 * is counted; else *account is whom it was sent to. */
apr_status_t ua_link_use(ua_token_t **out, ua_account_t **account, ua_res_t *res, ua_req_t *req,
                         const char *purpose) UA_MUST_USE;

/* Forgets the cookie after its token was used. */
void ua_link_done(ua_res_t *res, ua_req_t *req, const char *purpose);

/* Validators of fields. */
const char *ua_check_email(ua_req_t *req, const char *value);
const char *ua_check_password(ua_req_t *req, const char *value);

#endif
