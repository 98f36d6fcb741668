/* rival.h: a site whose engine knows conflicts: SQLite has one writer, and none. Include it in one source file of a program
 * only.
 */
#ifndef RIVAL_H
#define RIVAL_H

#include "fixture.h"
#include "base/db_conn.h"

#define RIVAL 1213 /* what a call has to fail with (db_faults.h), as MariaDB calls it */

static ua_engine_t rival_engine;

static apr_status_t rival_judge(int rc, const char *text)
{
    (void)text;
    return rc == RIVAL ? UA_CONFLICT : APR_EGENERAL;
}

static inline ua_test_t *rival_site(void)
{
    ua_test_t *t = ua_test_open(NULL);

    rival_engine = *t->app->dbs->engine;
    rival_engine.judge = rival_judge;
    t->app->dbs->engine = &rival_engine;
    return t;
}

#endif
