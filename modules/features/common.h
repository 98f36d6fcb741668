/* common.h: the steps that several features take, one file common_*.c a kind. A part of the features'
 * contract: feature.h includes it last, nobody else does.
 */
#ifndef UA_COMMON_H
#define UA_COMMON_H

#include "feature.h"

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

/* common_mail.c: mails, and what limits them. */

/* Where the request came from, for the mails that tell of an act, with more keys of `extra` (or NULL). */
const char *ua_mail_detail(ua_ctx_t *ctx, json_t *extra);

/* Issues the links of a mail and queues it, to `email` or, when NULL, to the account's address.
 * `detail` (or NULL) has more keys for the template; device, address (of the client) and the time are
 * there in any case. */
apr_status_t ua_mail_queue(ua_ctx_t *ctx, const ua_account_t *account, ua_mail_kind_e kind,
                           const char *email, json_t *detail) UA_MUST_USE;

/* Writes the same rows for nobody: a mail of this kind that goes nowhere, and fares like any other. */
apr_status_t ua_mail_decoy(ua_ctx_t *ctx, ua_mail_kind_e kind) UA_MUST_USE;
/* Its links alone, beside a mail that has none. */
apr_status_t ua_mail_decoy_links(ua_ctx_t *ctx, ua_mail_kind_e kind) UA_MUST_USE;

/* The mail that confirms the address of a registration. */
apr_status_t ua_mail_verification(ua_req_t *req, const ua_account_t *account) UA_MUST_USE;

/* A notice of which an account gets at most one in 24 h. */
apr_status_t ua_mail_daily(ua_ctx_t *ctx, const ua_account_t *account,
                           ua_mail_kind_e kind) UA_MUST_USE;
/* The same rows for nobody, as often for one key. */
apr_status_t ua_mail_daily_decoy(ua_ctx_t *ctx, const char *key,
                                 ua_mail_kind_e kind) UA_MUST_USE;

/* Counts one mail to an address. `owner` is the account whose browser asks, or "" for a stranger;
 * each has a bucket of its own. *wait is 0 when the mail may go, else how long until it may. */
apr_status_t ua_mail_take(apr_interval_time_t *wait, ua_req_t *req, const char *email_key,
                          const char *owner) UA_MUST_USE;
apr_status_t ua_mail_peek(apr_interval_time_t *wait, ua_req_t *req, const char *email_key,
                          const char *owner) UA_MUST_USE;

/* A person asks for a mail to an address whose account is `account`, or NULL: the answer's limit, and
 * whether the mail may go. */
typedef struct ua_mail_ask_t {
    apr_interval_time_t wait;   /* > 0: refused */
    int may;                    /* 0: answered as ever, but nothing is sent */
    const ua_account_t *own;    /* this browser's registration of the address, or NULL */
    const ua_account_t *hidden; /* the same, when it is one without a claim on the address */
} ua_mail_ask_t;

/* Counts it: for this browser alone when it has a cookie of the account, else for strangers. */
apr_status_t ua_mail_ask(ua_mail_ask_t *out, ua_req_t *req, const ua_account_t *account,
                         const char *email_key) UA_MUST_USE;

/* 429: when another mail may go, alike for every address. */
void ua_mail_refuse(ua_res_t *res, ua_req_t *req, apr_interval_time_t wait);

/* Counts the mail of a registration, or of its corrected address. Refuses (429) over the limits, but for a
 * wait of a minute at most; *may_tell is 0 when strangers would have to wait at all. */
apr_status_t ua_mail_first(int *may_tell, ua_res_t *res, ua_req_t *req,
                           const char *email_key) UA_MUST_USE;

/* common_registration.c: the account that this browser registered, from its signed cookie. APR_NOTFOUND
 * without a genuine one, and when the account is closed or its address is another by now. */
apr_status_t ua_registration_account(ua_account_t **out, ua_req_t *req) UA_MUST_USE;
/* Where that found an account: when this browser last asked for a mail to its address, in whole seconds. With
 * UserAuthHideAccounts it is all that the browser is told by: what others ask for tells a free address. */
apr_time_t ua_registration_asked(ua_req_t *req);
/* The cookie; again when the address was corrected, or this browser asked for another mail. */
apr_status_t ua_registration_cookie(ua_res_t *res, ua_req_t *req,
                                    const ua_account_t *account) UA_MUST_USE;

/* common_hidden.c: registrations with a used address (UserAuthHideAccounts). */

/* The rows of a verification mail for an account without a claim on its address; what is sent goes to
 * the address's owner, if it `may`. */
apr_status_t ua_hidden_mail(ua_ctx_t *ctx, const ua_account_t *account, int may) UA_MUST_USE;

/* common_confirm.c: in `submit`: enables an unverified account whose address is `email`, holds its name,
 * ends its other verification links, and welcomes. APR_NOTFOUND when another request was first or the
 * address is another by now. */
apr_status_t ua_account_confirm(ua_req_t *req, const ua_account_t *account,
                                const char *email) UA_MUST_USE;

/* common_try.c: one password tried against one account, with the counters, waits and the hash slot of
 * contract 8. The slot is held until a failure is committed, so parallel tries cannot pass the limit. */
typedef struct ua_try_t {
    ua_account_t *account; /* or NULL */
    const char *counter;   /* whose failures count: the name's, or the known browser's */
    int known_device;
    int right;            /* the password is */
    const char *rehashed; /* with today's parameters, or NULL */
    apr_interval_time_t wait;
} ua_try_t;

/* The account of a name or address, or NULL, and what its waits are counted under. */
apr_status_t ua_try_find(ua_account_t **account, const char **key, ua_req_t *req,
                         const char *typed) UA_MUST_USE;

/* The problem account_locked; the way out is offered. */
void ua_refuse_locked(ua_res_t *res, ua_req_t *req, apr_interval_time_t wait);

/* Outside a transaction: takes the slot, reads the counters of `key` (the identifier as typed,
 * normalised), verifies the password typed into `field` for `attempt->account`. A wait is refused in
 * res (429). */
apr_status_t ua_try_verify(ua_try_t *attempt, ua_res_t *res, ua_req_t *req, const char *key,
                           const char *field) UA_MUST_USE;

/* Inside the transaction: counts a failure; the refusal is the caller's. */
apr_status_t ua_try_failed(ua_req_t *req, const ua_try_t *attempt) UA_MUST_USE;

/* Inside the transaction: a success forgets the failures of this account, under each of its names and
 * from this browser; keeps the newer hash. */
apr_status_t ua_try_succeeded(ua_req_t *req, const ua_try_t *attempt) UA_MUST_USE;

/* Forgets the waits under each of an account's names (a reset lifts them). */
apr_status_t ua_try_lift(ua_req_t *req, const ua_account_t *account) UA_MUST_USE;

/* common_fresh.c: a signed-in person gives the password again. */

/* In `check`: verifies the field (type password) for the session's account; 429 during a wait. */
apr_status_t ua_fresh_verify(ua_try_t **out, ua_res_t *res, ua_req_t *req,
                             const char *field) UA_MUST_USE;

/* In `submit`: a wrong password is counted and refused beside the field (422), a right one clears the
 * failures and makes the session fresh: its cookie gets a new secret. Look at res->problem. */
apr_status_t ua_fresh_settle(ua_res_t *res, ua_req_t *req, const ua_try_t *attempt,
                             const char *field) UA_MUST_USE;

/* common_password.c: a new password. */

/* The person's own words, NULL-ended: what the form and the session say of username, email, display_name,
 * and the operator's fields. */
const char *const *ua_new_password_words(ua_req_t *req);
/* The same of a person who has no session. */
const char *const *ua_account_words(ua_req_t *req, const ua_account_t *account);
/* Validator of a field that holds a new password: length, the policy, those words; leaks last, and only
 * when the other fields have no error. */
const char *ua_check_new_password(ua_req_t *req, const char *value);
/* The same with these words (NULL-ended) as the person's own. */
const char *ua_judge_new_password(ua_req_t *req, const char *value, const char *const *words);

/* In `check`: the hash of the new password in `field`. */
apr_status_t ua_new_password_hash(const char **hash, ua_req_t *req,
                                  const char *field) UA_MUST_USE;

/* In `submit`: sets it, remembers the one before for an undo, lifts waits, ends every session, every open
 * reset link and a change of address under way, and tells the owner by mail. APR_NOTFOUND, and nothing
 * done, when another request changed the password meanwhile. */
apr_status_t ua_new_password_set(ua_req_t *req, const ua_account_t *account,
                                 const char *hash) UA_MUST_USE;

/* common_sign_in.c: a person is let in, and out. */

/* A new session with its cookies, and in JSON its API tokens; ends the one of this browser before. */
apr_status_t ua_sign_in(ua_res_t *res, ua_req_t *req, const ua_account_t *account, int remember,
                        int known_device) UA_MUST_USE;

/* Ends the session of a request, of its cookie or its access token, where there is one. A cookie past its own time
 * may have left a session that goes on: that one, too. */
apr_status_t ua_sign_out(ua_req_t *req) UA_MUST_USE;

/* common_tokens.c: API tokens (contract 5). */

/* 401: an access or refresh token that is no good. */
void ua_refuse_token(ua_res_t *res);

/* A first refresh token for the session of this cookie, and the answer below. */
apr_status_t ua_tokens_start(ua_res_t *res, ua_req_t *req, const char *cookie) UA_MUST_USE;
/* Adds a new access token of the session, and `refresh` or NULL, to the answer. */
apr_status_t ua_tokens_answer(ua_res_t *res, ua_req_t *req, const ua_session_t *session,
                              const char *refresh) UA_MUST_USE;

/* common_pending.c: the address that waits until its link is opened: NULL in *out without one. */
apr_status_t ua_pending_find(const ua_token_t **out, ua_ctx_t *ctx,
                             const char *account_id) UA_MUST_USE;
/* How its mail fares, in the words of check-email: queued, sent, delayed, unknown. */
apr_status_t ua_pending_state(const char **out, ua_ctx_t *ctx,
                              const ua_token_t *pending) UA_MUST_USE;
/* Counts the request against the client address; refused in res (429) when the mail may not go. */
apr_status_t ua_pending_may(ua_res_t *res, ua_req_t *req, const char *email_key) UA_MUST_USE;
/* Queues the link. Where the address is another's when it is sent, the mail tells its owner instead. */
apr_status_t ua_pending_send(ua_req_t *req, const ua_account_t *account,
                             const ua_email_t *email) UA_MUST_USE;
/* Ends every such link, mailed or not. */
apr_status_t ua_pending_drop(ua_ctx_t *ctx, const char *account_id, ua_ended_e why) UA_MUST_USE;

/* common_owner.c: the owner of a mailbox and of a password, for links that undo what a thief did. */
typedef struct ua_owner_t {
    ua_token_t *token;
    ua_account_t *account; /* NULL when the link is not good: ua_link_use() says why */
    const char *counter;
    int right;   /* the password is one that the account has or had in the last days */
    int present; /* and it is the one that opens the account */
} ua_owner_t;

/* Validator of that field: with a link that is no good nothing is asked for; ua_link_use() says why. The
 * route's path is the link's purpose. */
const char *ua_check_owner_password(ua_req_t *req, const char *value);
/* In `check`: the link of this purpose and the field `password`; 429 during a wait. */
apr_status_t ua_owner_verify(ua_owner_t **out, ua_res_t *res, ua_req_t *req,
                             const char *purpose) UA_MUST_USE;
/* In `submit`: counts a wrong password and refuses it beside the field (422). */
apr_status_t ua_owner_failed(ua_res_t *res, ua_req_t *req, const ua_owner_t *owner,
                             const char *event) UA_MUST_USE;

/* The problem email_in_use, with what its owner may do instead. */
void ua_refuse_used_email(ua_res_t *res, ua_req_t *req);

/* common_names.c: whether a name or address can be had. `own_id` is who asks, "" for a stranger. */
apr_status_t ua_email_taken(int *taken, ua_ctx_t *ctx, const char *email_key,
                            const char *own_id) UA_MUST_USE;
apr_status_t ua_username_taken(int *taken, ua_ctx_t *ctx, const char *username,
                               const char *own_id) UA_MUST_USE;

/* The same but for accounts, whose table refuses a second one by itself. *held stays 1. */
apr_status_t ua_email_held(int *held, ua_ctx_t *ctx, const char *email_key,
                           const char *own_id) UA_MUST_USE;
apr_status_t ua_username_held(int *held, ua_ctx_t *ctx, const char *username,
                              const char *own_id) UA_MUST_USE;

/* In `submit`: counts a change of the username to another one. Refuses in res after ten a day: each name is
 * held for ever. */
apr_status_t ua_username_move(ua_res_t *res, ua_req_t *req, const char *account_id) UA_MUST_USE;

/* common_profile.c: the operator's own fields. */
typedef struct ua_own_field_t {
    const ua_profile_field_t *field;
    const char *value; /* "" when nothing was told */
} ua_own_field_t;

/* Writes those that were sent. */
apr_status_t ua_own_fields_save(ua_req_t *req, const char *account_id) UA_MUST_USE;
/* All of the site's, in its order, with what this account told: array of ua_own_field_t. */
apr_status_t ua_own_fields_read(apr_array_header_t **out, ua_ctx_t *ctx,
                                const char *account_id) UA_MUST_USE;

/* common_time.c: a time in a view: RFC 3339 for a program, for a page an object with `iso` and `words`. */
void ua_view_time(json_t *view, const ua_req_t *req, const char *name, apr_time_t time);

/* common_limit.c: the route's limit per client address. */

/* Refuses in res when it is reached already. */
apr_status_t ua_limit_peek(ua_res_t *res, ua_req_t *req) UA_MUST_USE;

/* Counts req->counted, inside a transaction. APR_EAGAIN, with the refusal in res, when a success was
 * one too many and may not stand. */
apr_status_t ua_limit_take(ua_res_t *res, ua_req_t *req) UA_MUST_USE;

/* common_token.c: pages that a link in a mail opens. */

/* T of this request: the form's field, the query's, or the cookie's; NULL without any. */
const char *ua_link_token(ua_req_t *req, const char *purpose);

/* The link of this request as it stands, and, when it is good, whom it was sent to; *account stays as it is
 * otherwise. A link that leads nowhere (its account is gone, or changed in what matters) is invalid. Uses
 * nothing up. */
apr_status_t ua_link_find(ua_token_t **out, ua_account_t **account, ua_req_t *req,
                          const char *purpose) UA_MUST_USE;

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
const char *ua_check_username(ua_req_t *req, const char *value);
const char *ua_check_display_name(ua_req_t *req, const char *value);
const char *ua_check_own_field(ua_req_t *req, const char *value); /* at most 255 characters */

#endif
