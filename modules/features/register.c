/* register.c: a stranger asks for an account. The account is made but can do nothing until the link
 * in the mail is followed. Uses username, password, account, outbox; answers as contract 1 and 2. */
#include "feature.h"
#include "base/email.h"
#include "domain/event.h"

#include <string.h>

typedef struct work_t {
    ua_account_t account;
    ua_email_t email;
    int hidden; /* the address is used, and nobody is told */
    int tries;
} work_t;

static const char *check_confirmation(ua_req_t *req, const char *value)
{
    int given = apr_table_get(req->form, "password_confirm") != NULL;

    return given && strcmp(value, ua_field(req, "password")) != 0
               ? "The two passwords are not the same."
               : NULL;
}

static const ua_field_t fields[] = {
    {"username", "Username", "text", 1, "username",
     "3 to 32 letters, digits, dots, hyphens or underscores. Other members can see it.", NULL,
     ua_check_username},
    {"email", "Email", "email", 1, "email", "We send a link to this address to confirm it.",
     NULL, ua_check_email},
    {"password", "Password", "password", 1, "new-password",
     "A few words that don't belong together are easy to remember and hard to guess.", NULL,
     ua_check_new_password},
    {"password_confirm", "Password again", "password", 0, "new-password", NULL, NULL,
     check_confirmation},
    {"display_name", "Display name", "text", 0, "name",
     "Shown to other members beside your username.", NULL, ua_check_display_name},
    {0}};

/* Where each row has a lock, rivals that look for a name nobody has would wait for each other: the first try looks only
 * for what no table refuses by itself, since the accounts were looked at before. */
static apr_status_t look(int *email, int *username, ua_req_t *req, work_t *work)
{
    ua_ctx_t *ctx = req->ctx;

    if (work->tries == 1 && work->account.password_hash && !ua_db_alone(ctx)) {
        *email = work->hidden;
        UA_CHECK(ua_email_held(email, ctx, work->email.key, ""));
        return ua_username_held(username, ctx, work->account.username, "");
    }
    UA_CHECK(ua_email_taken(email, ctx, work->email.key, ""));
    return ua_username_taken(username, ctx, work->account.username, "");
}

/* Notes in req->errors which names are taken; an unverified account's count too. With
 * UserAuthHideAccounts an address is not told to be taken, a username is. */
static apr_status_t find_taken(ua_req_t *req, work_t *work)
{
    int email = 0;
    int username = 0;

    UA_CHECK(look(&email, &username, req, work));
    work->hidden = email && req->ctx->conf->hide_accounts;
    if (email && !work->hidden) {
        ua_field_error(req, "email", "Email already in use");
    }
    if (username) {
        ua_field_error(req, "username", "Username already in use");
    }
    return APR_SUCCESS;
}

static int has_errors(const ua_req_t *req)
{
    return !apr_is_empty_table(req->errors);
}

static void refuse_taken(ua_res_t *res, ua_req_t *req)
{
    if (apr_table_get(req->errors, "email")) {
        ua_refuse_used_email(res, req);
    }
    else {
        ua_refuse(res, UA_PROBLEM_USERNAME_TAKEN);
        res->detail = "Choose another username.";
    }
    req->counted = 1;
}

/* Reads what was typed and hashes the password, before any transaction. */
static apr_status_t register_check(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    work_t *work = apr_pcalloc(ctx->pool, sizeof *work);

    (void)res;
    UA_CHECK(ua_email_parse(&work->email, ctx->pool, ua_field(req, "email")));
    work->account.username = ua_field(req, "username");
    work->account.email = work->email.address;
    work->account.display_name = ua_field(req, "display_name");
    work->account.address = ctx->address;
    work->account.created = ctx->now;
    req->work = work;
    UA_CHECK(find_taken(req, work));
    if (has_errors(req)) { /* no hash for what is refused anyway */
        return APR_SUCCESS;
    }
    return ua_new_password_hash(&work->account.password_hash, req, "password");
}

/* Counts for this browser, too. */
static apr_status_t send_mail(ua_req_t *req, const work_t *work, int may_tell)
{
    const char *key = work->email.key;
    apr_interval_time_t ignored = 0;

    UA_CHECK(ua_mail_take(&ignored, req, key, work->account.id));
    return work->hidden ? ua_hidden_mail(req->ctx, &work->account, may_tell)
                        : ua_mail_verification(req, &work->account);
}

/* The account, which can do nothing yet; one without a claim on its address never will. */
static apr_status_t insert(ua_req_t *req, work_t *work)
{
    ua_account_t *account = &work->account;

    UA_CHECK(ua_draw_uuid(&account->id, req->ctx));
    UA_CHECK(
        ua_account_insert(req->ctx, account, work->hidden ? account->id : work->email.key));
    return ua_own_fields_save(req, account->id);
}

/* No mail may go there now, perhaps because a rival has just registered: then that is told. */
static apr_status_t explain(ua_res_t *res, ua_req_t *req, work_t *work)
{
    work->tries++;
    UA_CHECK(find_taken(req, work));
    if (has_errors(req)) {
        res->retry_after = 0;
        res->detail = NULL;
        refuse_taken(res, req);
    }
    return APR_SUCCESS;
}

static apr_status_t register_submit(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;
    work_t *work = req->work;
    int may_tell = 0;

    work->tries++;
    UA_CHECK(find_taken(req, work));
    if (has_errors(req)) {
        refuse_taken(res, req);
        return APR_SUCCESS;
    }
    if (!work->account.password_hash) { /* the name became free between check and submit */
        ua_refuse(res, UA_PROBLEM_BUSY);
        res->retry_after = 1;
        return APR_SUCCESS;
    }
    UA_CHECK(ua_mail_first(&may_tell, res, req, work->email.key));
    if (res->problem) {
        return explain(res, req, work);
    }
    UA_CHECK(insert(req, work));
    UA_CHECK(send_mail(req, work, may_tell));
    UA_CHECK(ua_event_add(ctx, "registered", work->account.id, ""));
    UA_CHECK(ua_registration_cookie(res, req, &work->account));
    req->counted = 1;
    ua_json_set(res->view, "mail", "queued");
    json_object_set(res->view, "user", ua_user_json(ctx->pool, &work->account));
    ua_go(res, 201, ua_path(req, UA_AREA_PUBLIC, "check-email"), UA_NOTICE_REGISTERED);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {{.path = "register",
                                     .access = UA_ACCESS_GUEST,
                                     .template = "register.html",
                                     .fields = fields,
                                     .own_fields = 1,
                                     .limited = 1 + UA_RATE_REGISTER,
                                     .check = register_check,
                                     .submit = register_submit},
                                    {0}};

const ua_feature_t ua_feature_register = {"register", routes};
