/* common_password.c: a new password: what it has to be, and what setting it ends. */
#include "feature.h"
#include "base/curl_range.h"
#include "domain/event.h"
#include "domain/old_password.h"
#include "domain/password.h"

/* A look-up takes up to a second: nothing that others wait for is held meanwhile. What can't be asked
 * stops nobody. */
static int is_leaked(ua_ctx_t *ctx, const char *normal)
{
    const char *why = NULL;
    int found = 0;
    apr_status_t rv = APR_SUCCESS;

    if (!ctx->range) {
        return 0;
    }
    ua_db_release(ctx);
    rv = ua_range_lookup(&found, ctx->range, ctx->pool, normal, ctx->now, &why);
    ctx->warning = why; /* NULL unless it failed just now */
    return rv == APR_SUCCESS && found;
}

/* Whether the rest of the form has no error: the fields before the password are judged already, those behind
 * it here, once more than otherwise. */
static int is_all_that_matters(ua_req_t *req, const char *password)
{
    int behind = 0;

    if (!apr_is_empty_table(req->errors)) {
        return 0;
    }
    for (const ua_field_t *field = req->fields; field->name; field++) {
        const char *value = ua_field(req, field->name);

        if (behind && field->check && (*value || field->required) && field->check(req, value)) {
            return 0;
        }
        behind = behind || value == password;
    }
    return 1;
}

/* The look-up comes last: a form that is refused anyway asks nobody else. */
static const char *refusal_of(ua_req_t *req, const char *value, const char *normal,
                              const char *const *words)
{
    const char *refusal = ua_password_refusal(NULL, req->ctx, normal, words);

    if (!refusal && is_all_that_matters(req, value) && is_leaked(req->ctx, normal)) {
        refusal = "This password is in a list of leaked passwords. Choose another one.";
    }
    return refusal;
}

const char *ua_judge_new_password(ua_req_t *req, const char *value, const char *const *words)
{
    const char *normal = NULL;
    const char *refusal = ua_password_length_refusal(value);

    if (refusal) {
        return refusal;
    }
    if (ua_password_normal(&normal, req->ctx, value) != APR_SUCCESS) {
        return "This password can't be used. Choose another one.";
    }
    refusal = refusal_of(req, value, normal, words);
    if (refusal && ua_password_suggest(&req->suggestion, req->ctx) != APR_SUCCESS) {
        req->suggestion = NULL;
    }
    return refusal;
}

static void add_word(apr_array_header_t *words, const char *word)
{
    if (word && *word) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
}

/* The operator's fields as typed, else as told before. When they can't be read the request fails at its
 * next step. */
static void add_own_fields(apr_array_header_t *words, ua_req_t *req, const char *account_id)
{
    const apr_array_header_t *own = req->ctx->conf->profile_fields;
    apr_array_header_t *told = NULL;

    if (own && account_id && ua_own_fields_read(&told, req->ctx, account_id) != APR_SUCCESS) {
        told = NULL;
    }
    for (int i = 0; own && i < own->nelts; i++) {
        const char *typed =
            apr_table_get(req->form, APR_ARRAY_IDX(own, i, ua_profile_field_t).name);

        add_word(words, typed || !told ? typed : APR_ARRAY_IDX(told, i, ua_own_field_t).value);
    }
}

static const char *const *end(apr_array_header_t *words)
{
    APR_ARRAY_PUSH(words, const char *) = NULL;
    return (const char *const *)(void *)words->elts;
}

const char *const *ua_account_words(ua_req_t *req, const ua_account_t *account)
{
    apr_array_header_t *words = apr_array_make(req->ctx->pool, 16, sizeof(const char *));

    add_word(words, account->username);
    add_word(words, account->email);
    add_word(words, account->display_name);
    add_own_fields(words, req, account->id);
    return end(words);
}

const char *const *ua_new_password_words(ua_req_t *req)
{
    apr_array_header_t *words = apr_array_make(req->ctx->pool, 16, sizeof(const char *));
    const ua_session_t *s = req->session;

    add_word(words, ua_field(req, "username"));
    add_word(words, ua_field(req, "email"));
    add_word(words, ua_field(req, "display_name"));
    if (s) {
        add_word(words, s->username);
        add_word(words, s->email);
        add_word(words, s->display_name);
    }
    add_own_fields(words, req, s ? s->account_id : NULL);
    return end(words);
}

const char *ua_check_new_password(ua_req_t *req, const char *value)
{
    return ua_judge_new_password(req, value, ua_new_password_words(req));
}

apr_status_t ua_new_password_hash(const char **hash, ua_req_t *req, const char *field)
{
    const char *normal = NULL;

    UA_CHECK(ua_password_normal(&normal, req->ctx, ua_field(req, field)));
    return ua_password_hash(hash, req->ctx, normal);
}

/* Who knew the old password, or asked for a link before, gets nowhere with it. Links that undo a change of
 * address or say "this wasn't me" stay: they are the owner's. */
static apr_status_t end_access(ua_ctx_t *ctx, const ua_account_t *account)
{
    UA_CHECK(ua_session_end_all(ctx, account->id, ""));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_RESET, UA_ENDED_CHANGE));
    UA_CHECK(ua_outbox_drop_all(ctx, account->id, UA_MAIL_RESET));
    return ua_pending_drop(ctx, account->id, UA_ENDED_CHANGE);
}

apr_status_t ua_new_password_set(ua_req_t *req, const ua_account_t *account, const char *hash)
{
    ua_ctx_t *ctx = req->ctx;

    UA_CHECK(ua_account_set_password(ctx, account, hash));
    if (account->verified > 0) { /* before that it may have been anybody's */
        UA_CHECK(ua_old_password_add(ctx, account->id, account->password_hash));
    }
    UA_CHECK(ua_try_lift(req, account));
    UA_CHECK(end_access(ctx, account));
    return ua_mail_queue(ctx, account, UA_MAIL_PASSWORD_CHANGED, NULL, NULL);
}
