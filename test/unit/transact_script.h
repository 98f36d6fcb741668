/* transact_script.h: a route whose submit does what a script says, for the tests of transact.c.
 *
 * So every order of faults can be played. Include it in one source file of a program only: it brings
 * the functions of db_faults.h.
 */
#ifndef TRANSACT_SCRIPT_H
#define TRANSACT_SCRIPT_H

#include "fixture.h"
#include "db_faults.h"

#include "base/generation.h"
#include "domain/event.h"
#include "domain/password.h"
#include "domain/throttle.h"

#define TRIES 3

/* What the route's functions do and what they saw. */
static struct {
    apr_status_t check;         /* what it answers */
    apr_status_t submit[TRIES]; /* what each try answers */
    ua_problem_e refuses;       /* check refuses so */
    ua_problem_e problem;       /* submit refuses so, or UA_PROBLEM_NONE */
    ua_problem_e late;          /* … but the first try; a later one refuses so */
    int happens; /* … for it finds the event of the first one, which it did not write */
    int counts;  /* the outcome counts against the limit */
    int fills;   /* a rival takes the last of the limit between check and submit */
    int quiet;   /* writes no event */
    const char *changes; /* whose sessions the first try changes */
    ua_test_t *ends;     /* the session ends during check */
    int checks;
    int tries;
    const char *drawn[TRIES];
    int stale; /* a try began with what an earlier one left */
} script;

static inline apr_status_t take(ua_req_t *req)
{
    apr_interval_time_t wait = 0;
    const char *name = NULL;

    UA_CHECK(ua_throttle_name(&name, req->ctx, "rate-register", req->network));
    return ua_throttle_take(&wait, req->ctx, name, &req->ctx->conf->rates[UA_RATE_REGISTER]);
}

static inline apr_status_t check(ua_res_t *res, ua_req_t *req)
{
    script.checks++;
    UA_CHECK(ua_password_enter(req->ctx));
    if (script.fills) {
        UA_CHECK(take(req));
    }
    if (script.ends) {
        ua_test_sql(script.ends, "UPDATE session SET ended = 1");
    }
    if (script.refuses) {
        ua_refuse(res, script.refuses);
    }
    return script.check;
}

static inline apr_status_t submit(ua_res_t *res, ua_req_t *req)
{
    const char *id = NULL;
    int try = script.tries++;

    script.stale += res->cookies->nelts + apr_table_elts(req->errors)->nelts +
                    req->ctx->lines->nelts + req->counted + (req->ctx->failed != NULL);
    UA_CHECK(ua_draw_uuid(&id, req->ctx));
    script.drawn[try] = apr_pstrdup(req->ctx->pool, id);
    ua_set_cookie(res, req, "probe", id, 0);
    ua_field_error(req, "probe", "an error of this try");
    req->counted = script.counts;
    if (!script.quiet) {
        UA_CHECK(ua_event_add(req->ctx, "probe", "", ""));
        UA_CHECK(ua_event_add(req->ctx, "probe_two", "", ""));
    }
    if (script.changes && try == 0) {
        ua_generation_change(req->ctx, script.changes);
    }
    if (script.happens && try > 0) {
        apr_array_clear(req->ctx->lines);
    }
    if (script.problem || (script.late && try > 0)) {
        ua_refuse(res, script.problem ? script.problem : script.late);
    }
    return script.submit[try] ? ua_fail(req->ctx, script.submit[try], "scripted") : APR_SUCCESS;
}

static const ua_route_t route = {
    .path = "probe", .limited = 1 + UA_RATE_REGISTER, .check = check, .submit = submit};

/* A request as dispatch hands it on. */
static inline void prepare(ua_test_t *t)
{
    t->req = apr_pcalloc(t->turn, sizeof *t->req);
    t->res = apr_pcalloc(t->turn, sizeof *t->res);
    t->req->ctx = ua_test_context(t);
    t->req->path = "/auth/probe";
    t->req->network = UA_TEST_ADDRESS;
    t->req->accept = t->req->requested_with = t->req->fetch_mode = "";
    t->req->content_type = t->req->uri = "";
    t->req->form = apr_table_make(t->turn, 4);
    t->req->errors = apr_table_make(t->turn, 4);
    t->req->route = &route;
    ua_res_init(t->res, t->req);
}

/* Plays the script; the status. The slot is left whatever happens. */
static inline int play(ua_test_t *t)
{
    script.checks = script.tries = script.stale = 0;
    prepare(t);
    ua_transact(t->app, t->req, t->res);
    ua_db_release(t->req->ctx);
    faults_off();
    assert_int_equal(t->req->ctx->slot, -1);
    assert_int_equal(script.stale, 0);
    return t->res->status;
}

/* A site with two hash slots and one registration an hour. */
static inline ua_test_t *begin(void)
{
    ua_test_t *t = ua_test_open("UserAuthRateLimit register 1/1h", NULL);
    apr_uintptr_t area = (apr_uintptr_t)apr_pcalloc(t->pool, ua_slots_size(1, 1) + 64);

    memset(&script, 0, sizeof script);
    faults_off();
    area = (area + 63) & ~(apr_uintptr_t)63;
    assert_int_equal(ua_slots_init(&t->app->slots, (void *)area, 1, 1), APR_SUCCESS);
    return t;
}

static inline apr_int64_t happened(ua_test_t *t)
{
    return ua_test_count(t, "SELECT COUNT(*) FROM event WHERE kind = 'probe'");
}

/* It is done, once, and said once. */
static inline void assert_done(ua_test_t *t)
{
    assert_int_equal(t->res->problem, UA_PROBLEM_NONE);
    assert_int_equal(happened(t), 1);
    assert_int_equal(ua_test_events(t, "\"event\":\"probe\""), 1);
    assert_int_equal(ua_test_events(t, "\"event\":\"probe_two\""), 1);
    assert_int_equal(t->res->cookies->nelts, 1);
    assert_int_equal(ua_test_logged(t, "UA01"), 0);
}

/* Nothing is done, nothing is said, and the log has one line about it. */
static inline void assert_undone(ua_test_t *t, ua_problem_e problem, apr_int64_t retry_after)
{
    assert_int_equal(t->res->status, 503);
    assert_int_equal(t->res->problem, problem);
    assert_int_equal(t->res->retry_after, retry_after);
    assert_int_equal(happened(t), 0);
    assert_int_equal(t->events->nelts, 0);
    assert_int_equal(t->res->cookies->nelts, 0);
    assert_int_equal(ua_test_logged(t, "UA0101: /auth/probe was refused"), 1);
    assert_int_equal(t->logs->nelts, 1);
}

#endif
