/* profile.c: a person's own profile: name, address, what members see, the operator's fields. Another
 * address is only asked for here: it is the newest open link of its purpose, kept in no column, until
 * the person opens it (change_email.c). */
#include "feature.h"
#include "base/email.h"
#include "domain/event.h"
#include "domain/username.h"

#include <string.h>

/* What a submit finds: read anew by each try. */
typedef struct work_t {
    ua_account_t *account;
    const ua_token_t *pending; /* the address that waits for its link, or NULL */
    ua_email_t email;          /* as typed; its members are NULL without one */
    int moves; /* to an address that is neither the present nor the pending one */
    int taken; /* another account has it, or had it lately */
} work_t;

/* A name of before stays possible, whatever was reserved since. */
static const char *check_username(ua_req_t *req, const char *value)
{
    int kept = req->session && strcmp(value, req->session->username) == 0;

    return kept ? NULL : ua_check_username(req, value);
}

static const char *check_current(ua_req_t *req, const char *value)
{
    const char *email = ua_field(req, "email");
    int needed = *email && req->session && strcmp(email, req->session->email) != 0 &&
                 !ua_session_fresh(req->session, req->ctx);

    if (*value == '\0') {
        return needed ? "Enter your current password." : NULL;
    }
    return ua_check_password(req, value);
}

/* "flags" says that the two boxes were in the form: a browser does not send one that is not ticked. */
static const ua_field_t fields[] = {
    {"username", "Username", "text", 1, "username",
     "3 to 32 letters, digits, dots, hyphens or underscores.", NULL, check_username},
    {"email", "Email", "email", 1, "email", "A new address has to be confirmed first.", NULL,
     ua_check_email},
    {"display_name", "Display name", "text", 0, "name",
     "Shown to other members beside your username.", NULL, ua_check_display_name},
    {"hidden", "Hide me from the list of members", "checkbox", 0, NULL, NULL, NULL, NULL},
    {"show_email", "Show my email address to members", "checkbox", 0, NULL, NULL, NULL, NULL},
    {"current_password", "Current password", "password", 1, "current-password",
     "Needed to change your email address.", NULL, check_current},
    {"flags", "The boxes are part of the form", "flag", 0, NULL, NULL, NULL, NULL},
    {"cancel_email", "Cancel the change of address", "flag", 0, NULL, NULL, NULL, NULL},
    {"resend_email", "Send the link again", "flag", 0, NULL, NULL, NULL, NULL},
    {0}};

static apr_status_t read_work(work_t *out, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    work_t work = {NULL, NULL, {NULL, NULL}, 0, 0};

    UA_CHECK(ua_account_by_id(&work.account, ctx, req->session->account_id));
    UA_CHECK(ua_pending_find(&work.pending, ctx, work.account->id));
    if (ua_email_parse(&work.email, ctx->pool, ua_field(req, "email")) == APR_SUCCESS) {
        work.moves = strcmp(work.email.address, work.account->email) != 0 &&
                     (!work.pending || strcmp(work.email.address, work.pending->email) != 0);
    }
    *out = work;
    return APR_SUCCESS;
}

/* ---- what is shown ---- */

static apr_status_t add_pending(json_t *view, ua_req_t *req, const work_t *work)
{
    const char *state = NULL;

    json_object_set_new(view, "pending_email", json_null());
    json_object_set_new(view, "pending_email_state", json_null());
    if (!work->pending) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_pending_state(&state, req->ctx, work->pending));
    ua_json_set(view, "pending_email", work->pending->email);
    ua_json_set(view, "pending_email_state", state);
    if (!req->wants_json) {
        ua_json_set_flag(view, "pending_delayed", strcmp(state, "delayed") == 0);
    }
    return APR_SUCCESS;
}

static void add_own_fields(json_t *view, ua_req_t *req, const apr_array_header_t *own)
{
    json_t *values = ua_json_object(req->ctx->pool);

    for (int i = 0; i < own->nelts; i++) {
        const ua_own_field_t *one = &APR_ARRAY_IDX(own, i, ua_own_field_t);

        ua_json_set(values, one->field->name, one->value);
    }
    json_object_set(view, "fields", values);
}

/* The form shows what is stored where nothing was typed. */
static void prefill(ua_req_t *req, const char *name, const char *stored)
{
    if (!apr_table_get(req->form, name)) {
        apr_table_setn(req->form, name, stored);
    }
}

static void prefill_all(ua_req_t *req, const ua_account_t *account,
                        const apr_array_header_t *own)
{
    prefill(req, "username", account->username);
    prefill(req, "email", account->email);
    prefill(req, "display_name", account->display_name);
    if (!ua_field_flag(req, "flags")) { /* else a box that was not sent is not ticked */
        prefill(req, "hidden", account->hidden ? "1" : "");
        prefill(req, "show_email", account->show_email ? "1" : "");
    }
    for (int i = 0; i < own->nelts; i++) {
        const ua_own_field_t *one = &APR_ARRAY_IDX(own, i, ua_own_field_t);

        prefill(req, one->field->name, one->value);
    }
}

static apr_status_t profile_show(ua_res_t *res, ua_req_t *req)
{
    apr_array_header_t *own = NULL;
    work_t work;

    UA_CHECK(read_work(&work, req));
    UA_CHECK(ua_own_fields_read(&own, req->ctx, work.account->id));
    json_object_update(res->view, ua_user_json(req->ctx->pool, work.account));
    ua_json_set_flag(res->view, "hidden", work.account->hidden);
    ua_json_set_flag(res->view, "show_email", work.account->show_email);
    UA_CHECK(add_pending(res->view, req, &work));
    add_own_fields(res->view, req, own);
    if (!req->wants_json) {
        ua_json_set_flag(res->view, "asks_password", !ua_session_fresh(req->session, req->ctx));
        prefill_all(req, work.account, own);
    }
    return APR_SUCCESS;
}

/* ---- what may be done ---- */

/* Another address needs the password, unless it was given lately. */
static apr_status_t profile_check(ua_res_t *res, ua_req_t *req)
{
    ua_try_t *attempt = NULL;
    work_t work;

    req->work = NULL;
    if (*ua_field(req, "current_password") == '\0' ||
        ua_session_fresh(req->session, req->ctx)) {
        return APR_SUCCESS;
    }
    UA_CHECK(read_work(&work, req));
    if (work.moves) {
        UA_CHECK(ua_fresh_verify(&attempt, res, req, "current_password"));
        req->work = attempt;
    }
    return APR_SUCCESS;
}

/* Where accounts are hidden a used address looks free. */
static apr_status_t find_taken(ua_req_t *req, work_t *work)
{
    ua_ctx_t *ctx = req->ctx;
    int username = 0;

    if (work->moves) {
        UA_CHECK(ua_email_taken(&work->taken, ctx, work->email.key, work->account->id));
    }
    if (apr_table_get(req->form, "username")) {
        UA_CHECK(
            ua_username_taken(&username, ctx, ua_field(req, "username"), work->account->id));
    }
    if (work->taken && !ctx->conf->hide_accounts) {
        ua_field_error(req, "email", "Email already in use");
    }
    if (username) {
        ua_field_error(req, "username", "Username already in use");
    }
    return APR_SUCCESS;
}

static void refuse_taken(ua_res_t *res, ua_req_t *req)
{
    if (!apr_table_get(req->errors, "email")) {
        ua_refuse(res, UA_PROBLEM_USERNAME_TAKEN);
        res->detail = "Choose another username.";
        return;
    }
    ua_refuse(res, UA_PROBLEM_EMAIL_IN_USE);
    res->detail =
        "Another account uses this address. Enter another one, or log in to that account.";
    ua_offer(res, "reset", ua_path(req, UA_AREA_PUBLIC, "forgot"), "Reset your password");
    ua_offer(res, "resend", ua_path(req, UA_AREA_PUBLIC, "resend"),
             "Send a new confirmation link");
}

static void refuse_stale(ua_res_t *res, ua_req_t *req)
{
    ua_refuse(res, UA_PROBLEM_REAUTH_REQUIRED);
    res->detail = "To change your email address, enter your current password, too.";
    if (req->wants_json) { /* a person stays here, with what was typed */
        ua_offer(res, "reauth", ua_path(req, UA_AREA_PUBLIC, "reauth"), "Enter your password");
    }
}

/* Last of all questions: from here on the cookie may be another one, so that a form shown again would be
 * out of date. */
static apr_status_t may_move(ua_res_t *res, ua_req_t *req, const work_t *work)
{
    const ua_try_t *attempt = req->work;

    if (!attempt && !ua_session_fresh(req->session, req->ctx)) {
        refuse_stale(res, req);
        return APR_SUCCESS;
    }
    UA_CHECK(ua_pending_may(res, req, work->email.key));
    if (res->problem || !attempt) {
        return APR_SUCCESS;
    }
    return ua_fresh_settle(res, req, attempt, "current_password");
}

/* ---- what is done ---- */

static const char *text_of(const ua_req_t *req, const char *name, const char *stored)
{
    const char *typed = apr_table_get(req->form, name);

    return typed ? typed : stored;
}

static int flag_of(const ua_req_t *req, const char *name, int stored)
{
    int sent = apr_table_get(req->form, name) || ua_field_flag(req, "flags");

    return sent ? ua_field_flag(req, name) : stored;
}

/* 1 in *changed when one of the operator's fields was sent with another value than it has. */
static apr_status_t compare_own(int *changed, ua_req_t *req, const char *account_id)
{
    apr_array_header_t *own = NULL;

    UA_CHECK(ua_own_fields_read(&own, req->ctx, account_id));
    for (int i = 0; i < own->nelts; i++) {
        const ua_own_field_t *one = &APR_ARRAY_IDX(own, i, ua_own_field_t);

        *changed |= strcmp(text_of(req, one->field->name, one->value), one->value) != 0;
    }
    return APR_SUCCESS;
}

static int is_renamed(ua_req_t *req, const ua_account_t *account)
{
    return strcmp(text_of(req, "username", account->username), account->username) != 0;
}

/* Writes all but the address; nothing, and no event, when nothing is new. */
static apr_status_t write_profile(ua_req_t *req, ua_account_t *account)
{
    ua_ctx_t *ctx = req->ctx;
    ua_account_t wanted = *account;
    int renamed = is_renamed(req, account);
    int changed = 0;

    wanted.username = text_of(req, "username", account->username);
    wanted.display_name = text_of(req, "display_name", account->display_name);
    wanted.hidden = flag_of(req, "hidden", account->hidden);
    wanted.show_email = flag_of(req, "show_email", account->show_email);
    changed = renamed || strcmp(wanted.display_name, account->display_name) != 0 ||
              wanted.hidden != account->hidden || wanted.show_email != account->show_email;
    UA_CHECK(compare_own(&changed, req, account->id));
    if (!changed) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_account_set_profile(ctx, &wanted));
    UA_CHECK(ua_own_fields_save(req, account->id));
    UA_CHECK(ua_username_hold(ctx, ua_username_key(ctx->pool, wanted.username), account->id));
    *account = wanted;
    return ua_event_add(ctx, "profile_changed", account->id, renamed ? "username" : "");
}

/* ---- the submits ---- */

static apr_status_t answer(ua_res_t *res, ua_req_t *req, ua_notice_e notice)
{
    ua_go_notice(res, req, 200, req->path, notice);
    return req->wants_json ? profile_show(res, req) : APR_SUCCESS;
}

static apr_status_t cancel(ua_res_t *res, ua_req_t *req, const work_t *work)
{
    ua_ctx_t *ctx = req->ctx;

    if (work->pending) {
        UA_CHECK(ua_pending_drop(ctx, work->account->id, UA_ENDED_CHANGE));
        UA_CHECK(ua_event_add(ctx, "email_change_cancelled", work->account->id, ""));
    }
    return answer(res, req, UA_NOTICE_EMAIL_CANCELLED);
}

static apr_status_t resend(ua_res_t *res, ua_req_t *req, const work_t *work)
{
    ua_email_t email;

    if (!work->pending) { /* confirmed or cancelled meanwhile */
        return answer(res, req, UA_NOTICE_UNCHANGED);
    }
    UA_CHECK(ua_email_parse(&email, req->ctx->pool, work->pending->email));
    UA_CHECK(ua_pending_may(res, req, email.key));
    if (res->problem) {
        return APR_SUCCESS;
    }
    UA_CHECK(ua_pending_send(req, work->account, &email));
    return answer(res, req, UA_NOTICE_EMAIL_RESENT);
}

static apr_status_t move(ua_res_t *res, ua_req_t *req, const work_t *work)
{
    UA_CHECK(ua_pending_drop(req->ctx, work->account->id, UA_ENDED_CHANGE));
    UA_CHECK(ua_pending_send(req, work->account, &work->email));
    return answer(res, req, UA_NOTICE_EMAIL_PENDING);
}

/* A program that names the present address wants to keep it; the page's form holds it in any case. */
static int is_taken_back(const ua_req_t *req, const work_t *work)
{
    return work->pending && work->email.address && !ua_field_flag(req, "flags") &&
           strcmp(work->email.address, work->account->email) == 0;
}

static apr_status_t save(ua_res_t *res, ua_req_t *req, work_t *work)
{
    UA_CHECK(find_taken(req, work));
    if (!apr_is_empty_table(req->errors)) {
        refuse_taken(res, req);
        return APR_SUCCESS;
    }
    if (work->moves) {
        UA_CHECK(may_move(res, req, work));
    }
    if (!res->problem && is_renamed(req, work->account)) {
        UA_CHECK(ua_username_move(res, req, work->account->id));
    }
    if (res->problem) {
        return APR_SUCCESS;
    }
    UA_CHECK(write_profile(req, work->account));
    if (work->moves) {
        return move(res, req, work);
    }
    return is_taken_back(req, work) ? cancel(res, req, work)
                                    : answer(res, req, UA_NOTICE_PROFILE_SAVED);
}

static apr_status_t profile_submit(ua_res_t *res, ua_req_t *req)
{
    work_t work;

    UA_CHECK(read_work(&work, req));
    if (ua_field_flag(req, "cancel_email")) {
        return cancel(res, req, &work);
    }
    if (ua_field_flag(req, "resend_email")) {
        return resend(res, req, &work);
    }
    return save(res, req, &work);
}

static const ua_route_t routes[] = {{.path = "profile",
                                     .area = UA_AREA_PERSONAL,
                                     .access = UA_ACCESS_USER,
                                     .template = "profile.html",
                                     .fields = fields,
                                     .own_fields = 1,
                                     .partial = 1,
                                     .nav = "Profile",
                                     .show = profile_show,
                                     .check = profile_check,
                                     .submit = profile_submit},
                                    {0}};

const ua_feature_t ua_feature_profile = {"profile", routes};
