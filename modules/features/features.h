/* features.h: the list of features. A new one is a line here and a file beside it. */
#ifndef UA_FEATURES_H
#define UA_FEATURES_H

#include "feature.h"

#define UA_FEATURES(X)                                                                         \
    X(register)                                                                                \
    X(check_email)                                                                             \
    X(verify)                                                                                  \
    X(resend)                                                                                  \
    X(disown)                                                                                  \
    X(login)                                                                                   \
    X(logout)                                                                                  \
    X(forgot)                                                                                  \
    X(reset)                                                                                   \
    X(reauth)                                                                                  \
    X(change_email)                                                                            \
    X(undo)                                                                                    \
    X(restore)                                                                                 \
    X(api_token)                                                                               \
    X(jwks)                                                                                    \
    X(openapi)                                                                                 \
    X(me)                                                                                      \
    X(judge)                                                                                   \
    X(dashboard)                                                                               \
    X(profile)                                                                                 \
    X(change_password)                                                                         \
    X(members)                                                                                 \
    X(sessions)                                                                                \
    X(activity)                                                                                \
    X(export)                                                                                  \
    X(close)                                                                                   \
    X(health)

#define DECLARE(name) extern const ua_feature_t ua_feature_##name;
UA_FEATURES(DECLARE)
#undef DECLARE

/* common_basic.c: what the gate runs for Basic credentials; no page has it. */
extern const ua_route_t ua_basic_route;

#endif
