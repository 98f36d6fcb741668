/* username.h: which names can be registered, and who holds a name for good.
 *
 * 3..32 of A-Z a-z 0-9 . _ -, the first a letter or digit, not "www.…"; unique without regard to
 * case. A name that was ever verified stays with its account: a keyed digest remembers it.
 */
#ifndef UA_USERNAME_H
#define UA_USERNAME_H

#include "domain.h"

/* NULL when `name` can be registered here, else the sentence for the person. */
const char *ua_username_refusal(const ua_conf_t *conf, const char *name);

/* What is unique and looked up: the name in lower case. */
const char *ua_username_key(apr_pool_t *pool, const char *name);

/* Whose the name is: APR_SUCCESS and the account's id, or APR_NOTFOUND. */
apr_status_t ua_username_holder(const char **account_id, ua_ctx_t *ctx,
                                const char *key) UA_MUST_USE;

/* Remembers the name for the account, once. */
apr_status_t ua_username_hold(ua_ctx_t *ctx, const char *key,
                              const char *account_id) UA_MUST_USE;

#endif
