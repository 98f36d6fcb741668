/* remembered.h: a person whose session a process has read a moment ago, for the tests of the session cache.
 *
 * Whether a request asked the database shows in a name that was changed behind the site's back. */
#ifndef REMEMBERED_H
#define REMEMBERED_H

#include "api_client.h"
#include "domain/account.h"
#include "domain/session.h"

#define REMEMBERED_NEWS "read again"

static inline ua_test_t *remembered_open(const char *line)
{
    ua_test_t *t = ua_test_open(line, NULL);

    ua_test_member(t, "alice");
    ua_test_login(t, "alice");
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    ua_test_elsewhere(t, "UPDATE account SET display_name = '" REMEMBERED_NEWS "'");
    return t;
}

/* 1 when a request that passes has asked the database. */
static inline int remembered_asks(ua_test_t *t)
{
    assert_int_equal(ua_test_gated(t, UA_METHOD_GET, "/app"), 0);
    return strcmp(t->req->session->display_name, REMEMBERED_NEWS) == 0;
}

#endif
