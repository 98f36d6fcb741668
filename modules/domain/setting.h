/* setting.h: facts about the database itself, by name: the fingerprint of its keys. */
#ifndef UA_SETTING_H
#define UA_SETTING_H

#include "domain.h"

/* APR_NOTFOUND when it was never set. */
apr_status_t ua_setting_get(const char **out, ua_ctx_t *ctx, const char *name) UA_MUST_USE;
/* Sets it, whether it was set or not. */
/* Fails when there is one of this name. */
apr_status_t ua_setting_add(ua_ctx_t *ctx, const char *name, const char *value) UA_MUST_USE;
apr_status_t ua_setting_put(ua_ctx_t *ctx, const char *name, const char *value) UA_MUST_USE;

#endif
