/* common_confirm.c: an address is confirmed: by the link sent to it, by the code beside the link, or by a
 * link that sets a new password. See feature.h. */
#include "feature.h"
#include "domain/event.h"
#include "domain/username.h"

apr_status_t ua_account_confirm(ua_req_t *req, const ua_account_t *account, const char *email)
{
    ua_ctx_t *ctx = req->ctx;

    UA_CHECK(ua_account_verify(ctx, account->id, email));
    UA_CHECK(ua_username_hold(ctx, ua_username_key(ctx->pool, account->username), account->id));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_VERIFY, UA_ENDED_SIBLING));
    UA_CHECK(ua_token_end(ctx, account->id, UA_PURPOSE_DISOWN, UA_ENDED_CHANGE));
    UA_CHECK(ua_event_add(ctx, "verified", account->id, ""));
    return ua_mail_queue(ctx, account, UA_MAIL_WELCOME, NULL, NULL);
}
