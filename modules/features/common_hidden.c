/* common_hidden.c: with UserAuthHideAccounts a registration says nothing about whether its address is used.
 *
 * Who registers a used address gets an account like any other that waits to be confirmed, but without a
 * claim on the address: its key is the account's id, its links are mailed to nobody, and the owner of the
 * address hears of it instead. It is swept like the others. See feature.h. */
#include "feature.h"
#include "base/email.h"

#include <string.h>

/* A link like any other, but that no text of it can confirm an address. */
static apr_status_t issue(ua_ctx_t *ctx, const ua_account_t *account, const char *purpose)
{
    ua_token_t token = {.account_id = account->id, .purpose = purpose, .email = ""};
    const char *id = NULL;

    return ua_token_issue(&id, ctx, &token, ua_token_lifetime(ctx->conf, purpose));
}

/* Who has the address; NULL when it is only held, or free again. */
static apr_status_t find_owner(ua_account_t **out, ua_ctx_t *ctx, const char *email_key)
{
    apr_status_t rv = ua_account_by_email(out, ctx, email_key);

    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t ua_hidden_mail(ua_req_t *req, const ua_account_t *account, const char *email_key,
                            int may)
{
    ua_ctx_t *ctx = req->ctx;
    ua_account_t *owner = NULL;
    ua_outbox_t nobody = {.account_id = account->id,
                          .kind = UA_MAIL_NOBODY,
                          .email = "",
                          .username = "",
                          .token_id = "",
                          .disown_id = "",
                          .detail = "",
                          .expires = ctx->now + ctx->conf->verify_lifetime};

    UA_CHECK(find_owner(&owner, ctx, email_key));
    UA_CHECK(issue(ctx, account, UA_PURPOSE_VERIFY));
    UA_CHECK(issue(ctx, account, UA_PURPOSE_DISOWN));
    return owner && may && owner->closed == 0
               ? ua_mail_queue(ctx, owner, UA_MAIL_TAKEN, NULL, NULL)
               : ua_outbox_add(ctx, &nobody);
}

/* When its last mail would have been queued; 0 when that is so long ago that its link has expired. */
static apr_status_t last_mail(apr_time_t *out, ua_ctx_t *ctx, const ua_account_t *account)
{
    apr_array_header_t *links = NULL;

    UA_CHECK(ua_token_list(&links, ctx, account->id, UA_PURPOSE_VERIFY));
    *out = links->nelts > 0
               ? APR_ARRAY_IDX(links, 0, ua_token_t).expires - ctx->conf->verify_lifetime
               : 0;
    return APR_SUCCESS;
}

apr_status_t ua_hidden_state(ua_sending_e *out, ua_ctx_t *ctx, const ua_account_t *account)
{
    ua_sending_e sending = UA_SENDING_UNKNOWN;
    ua_account_t *owner = NULL;
    apr_time_t queued = 0;
    ua_email_t email;

    UA_CHECK(ua_email_parse(&email, ctx->pool, account->email));
    UA_CHECK(find_owner(&owner, ctx, email.key));
    if (owner && strcmp(owner->id, account->id) == 0) {
        return APR_SUCCESS; /* has its address, and its own mails */
    }
    UA_CHECK(last_mail(&queued, ctx, account));
    if (owner) { /* the mail of this very request, if there was one */
        UA_CHECK(
            ua_outbox_state_at(&sending, ctx, owner->id, UA_MAIL_TAKEN, owner->email, queued));
    }
    if (sending == UA_SENDING_UNKNOWN) {
        UA_CHECK(ua_outbox_state(&sending, ctx, account->id, UA_MAIL_NOBODY, ""));
    }
    *out = sending;
    return APR_SUCCESS;
}
