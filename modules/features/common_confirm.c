/* common_confirm.c: an address is confirmed: by the link sent to it, by the code beside the link, or by a
 * link that sets a new password. See feature.h. */
#include "feature.h"
#include "domain/event.h"
#include "domain/outbox.h"
#include "domain/username.h"

/* The address before a correction may be another's: what was mailed there, and what happened under it, is none
 * of this account, and would tell by what is missing whether it is used (UserAuthHideAccounts). */
static apr_status_t leave_other_addresses(ua_ctx_t *ctx, const char *id, const char *email)
{
    UA_CHECK(ua_outbox_detach(ctx, id, email));
    UA_CHECK(ua_token_erase_others(ctx, id, email));
    return ua_event_detach(ctx, id, "registered", "address_corrected");
}

apr_status_t ua_account_confirm(ua_req_t *req, const ua_account_t *account, const char *email)
{
    ua_ctx_t *ctx = req->ctx;

    UA_CHECK(ua_account_verify(ctx, account->id, email));
    if (account->corrections > 0) {
        UA_CHECK(leave_other_addresses(ctx, account->id, email));
    }
    UA_CHECK(ua_username_hold(ctx, ua_username_key(ctx->pool, account->username), account->id));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_VERIFY, UA_ENDED_SIBLING));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_DISOWN, UA_ENDED_CHANGE));
    UA_CHECK(ua_event_add(ctx, "verified", account->id, ""));
    return ua_mail_queue(ctx, account, UA_MAIL_WELCOME, NULL, NULL);
}
