/* base.c: what base.h promises beyond types. */
#include "base.h"

apr_status_t ua_fail(ua_ctx_t *ctx, apr_status_t rv, const char *what)
{
    ctx->failed = what;
    return rv;
}
