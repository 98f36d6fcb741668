/* common_hidden.c: with UserAuthHideAccounts a registration says nothing about whether its address is used.
 *
 * Who registers a used address gets an account like any other that waits to be confirmed, but without a
 * claim on the address: its key is the account's id, its links are mailed to nobody, and the owner of the
 * address hears of it instead. It is swept like the others. See feature.h. */
#include "feature.h"

/* A link like any other, but that no text of it can confirm an address. */
static apr_status_t issue(ua_ctx_t *ctx, const ua_account_t *account, const char *purpose)
{
    ua_token_t token = {.account_id = account->id, .purpose = purpose, .email = ""};
    const char *id = NULL;

    return ua_token_issue(&id, ctx, &token, ua_token_lifetime(ctx->conf, purpose));
}

apr_status_t ua_hidden_mail(ua_ctx_t *ctx, const ua_account_t *account, int may)
{
    ua_outbox_t mail = {.account_id = account->id,
                        .kind = may ? UA_MAIL_TAKEN : UA_MAIL_NOBODY,
                        .email = account->email,
                        .username = account->username,
                        .token_id = "",
                        .disown_id = "",
                        .detail = ua_mail_detail(ctx, NULL),
                        .expires = ctx->now + ctx->conf->verify_lifetime};

    UA_CHECK(issue(ctx, account, UA_PURPOSE_VERIFY));
    UA_CHECK(issue(ctx, account, UA_PURPOSE_DISOWN));
    return ua_outbox_add(ctx, &mail);
}
