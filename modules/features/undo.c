/* undo.c: the owner of an address takes back that his account was moved away from it: the link sent there
 * and a password of the last days bring the address back and shut everybody out.
 *
 * Whoever moved the account may have changed its password and its address again, closed it, or made
 * failed sign-ins by the hundred. None of that stops this: replaced passwords count too, the oldest link
 * wins over later ones, a closed account opens, and failures are counted for the link alone. */
#include "feature.h"
#include "domain/device.h"
#include "domain/event.h"
#include "domain/held_email.h"
#include "domain/throttle.h"
#include "base/text.h"

#include <string.h>

/* As many links ua_token_list() tells at once, the newest. */
#define LISTED 20

static const ua_field_t fields[] = {{"token", "Link", "hidden", 0, NULL, NULL, NULL, NULL},
                                    {"password", "Password", "password", 1, "current-password",
                                     NULL, NULL, ua_check_owner_password},
                                    {0}};

static apr_status_t undo_show(ua_res_t *res, ua_req_t *req)
{
    ua_ctx_t *ctx = req->ctx;

    UA_CHECK(ua_link_show(res, req, UA_PURPOSE_UNDO));
    if (!res->problem && !res->location && !req->wants_json) {
        ua_json_set_flag(res->view, "can_undo", 1);
        ua_json_set(res->view, "lifetime",
                    ua_duration_words(ctx->pool, ctx->conf->undo_lifetime));
    }
    return APR_SUCCESS;
}

static apr_status_t undo_check(ua_res_t *res, ua_req_t *req)
{
    ua_owner_t *owner = NULL;

    UA_CHECK(ua_owner_verify(&owner, res, req, UA_PURPOSE_UNDO));
    req->work = owner;
    return APR_SUCCESS;
}

/* ---- what is undone ---- */

static int place_of(const apr_array_header_t *tokens, const char *id)
{
    int i = 0;

    while (i < tokens->nelts && strcmp(APR_ARRAY_IDX(tokens, i, ua_token_t).id, id) != 0) {
        i++;
    }
    return i;
}

static apr_status_t end_first(ua_ctx_t *ctx, const apr_array_header_t *tokens, int count)
{
    for (int i = 0; i < count; i++) {
        UA_CHECK(ua_token_use(ctx, &APR_ARRAY_IDX(tokens, i, ua_token_t)));
    }
    return APR_SUCCESS;
}

/* Links sent when the account had been moved on are those of whoever moved it: they end. Earlier ones stay:
 * their owner may take the account back from this one. */
static apr_status_t end_later_links(ua_ctx_t *ctx, const ua_token_t *used)
{
    apr_array_header_t *open = NULL;
    int place = LISTED;

    while (place == LISTED) {
        UA_CHECK(ua_token_list(&open, ctx, used->account_id, UA_PURPOSE_UNDO));
        place = place_of(open, used->id);
        if (place == open->nelts && place < LISTED) { /* another request was first with it */
            return APR_SUCCESS;
        }
        UA_CHECK(end_first(ctx, open, place));
    }
    return APR_SUCCESS;
}

static apr_status_t give_back(ua_ctx_t *ctx, const ua_account_t *account,
                              const ua_email_t *email)
{
    if (account->closed > 0) {
        UA_CHECK(ua_account_restore(ctx, account->id));
    }
    UA_CHECK(ua_account_set_email(ctx, account, email->address, email->key));
    return ua_held_email_release(ctx, email->key);
}

/* Nobody is signed in any more, no password opens the account, no link but earlier undo links works. */
static apr_status_t shut_out(ua_ctx_t *ctx, const ua_account_t *account)
{
    UA_CHECK(ua_device_forget(ctx, account->id));
    UA_CHECK(ua_account_password_off(ctx, account->id));
    UA_CHECK(ua_session_end_all(ctx, account->id, ""));
    UA_CHECK(ua_token_end_all(ctx, account->id, UA_PURPOSE_UNDO, UA_ENDED_CHANGE));
    UA_CHECK(ua_outbox_drop_all(ctx, account->id, UA_MAIL_EMAIL));
    return ua_outbox_drop_all(ctx, account->id, UA_MAIL_RESET);
}

static apr_status_t tell_both(ua_ctx_t *ctx, const ua_account_t *account,
                              const ua_email_t *email)
{
    json_t *detail = ua_json_object(ctx->pool);

    ua_json_set(detail, "old_email", email->address);
    UA_CHECK(ua_mail_queue(ctx, account, UA_MAIL_EMAIL_UNDONE, email->address, detail));
    return strcmp(account->email, email->address) == 0
               ? APR_SUCCESS
               : ua_mail_queue(ctx, account, UA_MAIL_EMAIL_UNDONE, NULL, detail);
}

static apr_status_t take_back(ua_req_t *req, const ua_account_t *account,
                              const ua_email_t *email, const char *counter)
{
    ua_ctx_t *ctx = req->ctx;

    UA_CHECK(give_back(ctx, account, email));
    UA_CHECK(shut_out(ctx, account));
    UA_CHECK(tell_both(ctx, account, email));
    UA_CHECK(ua_throttle_clear(ctx, counter));
    return ua_event_add(ctx, "email_undone", account->id,
                        account->closed > 0 ? "restored" : "");
}

/* The address is kept for its owner as long as the link works; only a shorter UserAuthUndoLifetime given
 * meanwhile leads here. */
static void refuse_taken(ua_res_t *res)
{
    ua_refuse(res, UA_PROBLEM_EMAIL_IN_USE);
    res->detail = "Another account has this address now. Please ask whoever runs this site.";
    res->template = "problem.html";
}

/* Uses the link up, the later ones first: a list names only open ones. */
static apr_status_t use(ua_token_t **token, ua_account_t **account, ua_res_t *res,
                        ua_req_t *req)
{
    const char *text = ua_link_token(req, UA_PURPOSE_UNDO);

    UA_CHECK(ua_token_read(token, req->ctx, UA_PURPOSE_UNDO, text));
    if ((*token)->standing == UA_TOKEN_GOOD) {
        UA_CHECK(end_later_links(req->ctx, *token));
    }
    return ua_link_use(token, account, res, req, UA_PURPOSE_UNDO);
}

static apr_status_t undo(ua_res_t *res, ua_req_t *req, const ua_owner_t *owner)
{
    ua_account_t *account = NULL;
    ua_token_t *token = NULL;
    ua_email_t email;
    int taken = 0;

    UA_CHECK(ua_email_parse(&email, req->ctx->pool, owner->token->email));
    UA_CHECK(ua_email_taken(&taken, req->ctx, email.key, owner->account->id));
    if (taken) {
        refuse_taken(res);
        return APR_SUCCESS;
    }
    UA_CHECK(use(&token, &account, res, req));
    if (token->standing != UA_TOKEN_GOOD) { /* another request was first */
        return APR_SUCCESS;
    }
    UA_CHECK(take_back(req, account, &email, owner->counter));
    ua_link_done(res, req, UA_PURPOSE_UNDO);
    ua_go_notice(res, req, 200, ua_path(req, UA_AREA_PUBLIC, "login"), UA_NOTICE_EMAIL_UNDONE);
    return APR_SUCCESS;
}

static apr_status_t undo_submit(ua_res_t *res, ua_req_t *req)
{
    const ua_owner_t *owner = req->work;
    ua_account_t *account = NULL;
    ua_token_t *token = NULL;

    if (!owner->account) { /* says what is wrong with the link */
        return ua_link_use(&token, &account, res, req, UA_PURPOSE_UNDO);
    }
    return owner->right ? undo(res, req, owner)
                        : ua_owner_failed(res, req, owner, "undo_failed");
}

static const ua_route_t routes[] = {{.path = "undo",
                                     .template = "undo.html",
                                     .fields = fields,
                                     .limited = 1 + UA_RATE_TOKEN,
                                     .show = undo_show,
                                     .check = undo_check,
                                     .submit = undo_submit},
                                    {0}};

const ua_feature_t ua_feature_undo = {"undo", routes};
