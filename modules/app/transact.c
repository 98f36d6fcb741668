/* transact.c: check and submit of a route: one transaction, tried again on a fresh connection.
 *
 * The values a submit draws come from the request's seed, so that each try writes the same rows. A
 * COMMIT whose answer was lost may have happened: the next try first looks for its own event. */
#include "app.h"
#include "base/generation.h"
#include "domain/account.h"
#include "domain/event.h"
#include "domain/password.h"

#define TRIES 3
/* Each conflict is another one's success. With the pauses between them so many last some 3 s; none is tried again after
 * that time. */
#define CONFLICTS        100
#define LONGEST_CONFLICT apr_time_from_sec(5)

static void start_over(ua_req_t *req, ua_res_t *res)
{
    ua_res_init(res, req);
    apr_table_clear(req->errors);
    apr_array_clear(req->ctx->lines);
    req->counted = 0;
    req->ctx->failed = NULL;
    ua_draw_rewind(req->ctx);
}

/* A session that ended since this request began changes nothing more: its owner was told so. */
static apr_status_t judge_session(ua_res_t *res, ua_req_t *req)
{
    ua_session_t *live = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (req->route->access >= UA_ACCESS_USER) {
        UA_CHECK(ua_account_hold(req->ctx, req->session->account_id));
        rv = ua_session_by_id(&live, req->ctx, req->session->id);
    }
    if (rv == APR_NOTFOUND) {
        ua_refuse(res, UA_PROBLEM_LOGIN_REQUIRED);
        return APR_SUCCESS;
    }
    return rv;
}

/* Whether a try came to its COMMIT, so that the outcome of a failure is unknown; whose sessions that changes. */
typedef struct commit_t {
    int begun;
    apr_array_header_t *changed;
} commit_t;

static apr_status_t attempt(commit_t *commit, ua_req_t *req, ua_res_t *res)
{
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(ua_db_begin(req->ctx, UA_SERIALIZABLE));
    UA_CHECK(judge_session(res, req));
    if (!res->problem) {
        UA_CHECK(req->route->submit(res, req));
    }
    rv = ua_limit_take(res, req);
    if (rv == APR_EAGAIN) {
        ua_db_rollback(req->ctx);
        apr_array_clear(req->ctx->lines);
        return APR_SUCCESS;
    }
    UA_CHECK(rv);
    *commit = (commit_t){1, req->ctx->changed};
    return ua_db_commit(req->ctx);
}

/* A few milliseconds, different for each request, so that rivals do not meet again. */
static void pause_before(ua_req_t *req, int tries)
{
    const unsigned char *seed = req->ctx->draw.seed;
    apr_interval_time_t dice = 1 + seed[(apr_size_t)tries % sizeof req->ctx->draw.seed] % 16;

    apr_sleep(apr_time_from_msec(dice * (tries < 4 ? tries : 4)));
}

static int is_busy(apr_status_t rv)
{
    return rv == APR_EAGAIN || rv == APR_TIMEUP || rv == APR_ENOMEM || rv == UA_CONFLICT;
}

static int is_worth_a_try(int count, apr_status_t rv, apr_time_t begun)
{
    return rv == UA_CONFLICT ? count < CONFLICTS && apr_time_now() - begun < LONGEST_CONFLICT
                             : count < TRIES && !is_busy(rv);
}

static void refuse_failure(const ua_app_t *app, ua_req_t *req, ua_res_t *res, apr_status_t rv)
{
    ua_res_init(res, req);
    apr_array_clear(req->ctx->lines);
    ua_refuse(res, is_busy(rv) ? UA_PROBLEM_BUSY : UA_PROBLEM_STORAGE_UNAVAILABLE);
    res->retry_after = is_busy(rv) ? 5 : 2;
    ua_app_log(app, req->ctx, UA_LOG_ERR,
               apr_psprintf(req->ctx->pool, "UA0101: %s was refused", req->path), rv);
}

static void write_lines(const ua_app_t *app, const ua_ctx_t *ctx)
{
    for (int i = 0; i < ctx->lines->nelts; i++) {
        app->host.event(app->host.baton, APR_ARRAY_IDX(ctx->lines, i, const char *));
    }
}

/* What is known of the tries so far. */
typedef struct tries_t {
    int count;
    int unknown; /* a COMMIT may have happened, or still happen, although its answer was lost */
    apr_status_t rv;
    ua_res_t told;                   /* what that COMMIT's try would have answered … */
    const apr_array_header_t *lines; /* … its event lines … */
    apr_array_header_t *changed;     /* … and whose sessions were others before */
} tries_t;

static void remember(tries_t *tries, const commit_t *commit, const ua_req_t *req,
                     const ua_res_t *res)
{
    tries->unknown = 1;
    if (req->ctx->lines->nelts > 0) { /* no other try can be found */
        tries->told = *res;
        tries->lines = apr_array_copy(req->ctx->pool, req->ctx->lines);
        tries->changed = commit->changed;
    }
}

/* 1 when it has happened: then its answer is told, not that of a later try, which would find it done. Who asked between
 * the lost answer and now may have met the sessions of before. */
static int has_happened(tries_t *tries, ua_req_t *req, ua_res_t *res)
{
    apr_status_t rv = ua_event_happened(req->ctx);

    if (rv == APR_SUCCESS) {
        *res = tries->told;
        apr_array_clear(req->ctx->lines);
        apr_array_cat(req->ctx->lines, tries->lines);
        tries->rv = APR_SUCCESS;
        req->ctx->changed = tries->changed;
        ua_generation_publish(req->ctx);
    }
    else if (rv != APR_NOTFOUND) {
        tries->rv = rv;
    }
    return rv != APR_NOTFOUND;
}

/* One more try, on a fresh connection after the first. While a COMMIT's outcome is unknown nothing is
 * submitted again before the database has said that it did not happen. */
static void try_again(tries_t *tries, ua_req_t *req, ua_res_t *res)
{
    commit_t commit = {0, NULL};

    if (tries->count > 0) {
        ua_db_rollback(req->ctx);
        ua_db_release(req->ctx);
        pause_before(req, tries->count);
    }
    if (tries->unknown && has_happened(tries, req, res)) {
        return;
    }
    start_over(req, res);
    tries->rv = attempt(&commit, req, res);
    if (commit.begun && tries->rv != APR_SUCCESS && tries->rv != UA_CONFLICT) {
        remember(tries, &commit, req, res);
    }
}

static apr_status_t try_submit(ua_req_t *req, ua_res_t *res)
{
    tries_t tries = {.rv = APR_EGENERAL};
    apr_time_t begun = apr_time_now();

    while (
        tries.rv != APR_SUCCESS &&
        (tries.unknown ? tries.count < TRIES : is_worth_a_try(tries.count, tries.rv, begun))) {
        try_again(&tries, req, res);
        tries.count++;
    }
    /* A refusal with an event of its own was written: so that COMMIT did not happen. */
    if (tries.unknown &&
        (tries.rv != APR_SUCCESS || (res->problem && req->ctx->lines->nelts == 0))) {
        apr_status_t rv = tries.rv;

        ua_db_release(req->ctx);
        tries.rv = has_happened(&tries, req, res) ? tries.rv : rv;
    }
    return tries.rv;
}

void ua_transact(const ua_app_t *app, ua_req_t *req, ua_res_t *res)
{
    apr_status_t rv = ua_limit_peek(res, req);

    if (rv == APR_SUCCESS && !res->problem && req->route->check) {
        rv = req->route->check(res, req);
    }
    if (rv == APR_SUCCESS && !res->problem) {
        rv = req->route->reads ? req->route->submit(res, req) : try_submit(req, res);
    }
    if (rv != APR_SUCCESS) {
        ua_db_rollback(req->ctx);
        refuse_failure(app, req, res, rv);
    }
    ua_password_leave(req->ctx);
    write_lines(app, req->ctx);
    if (res->problem == UA_PROBLEM_LOGIN_REQUIRED && req->route->access >= UA_ACCESS_USER) {
        ua_db_release(req->ctx);
        ua_gate_refuse(res, req);
    }
}

static apr_status_t count_once(ua_req_t *req, ua_res_t *res)
{
    UA_CHECK(ua_db_begin(req->ctx, UA_SERIALIZABLE));
    UA_CHECK(ua_limit_take(res, req));
    return ua_db_commit(req->ctx);
}

/* Counted twice does no harm. */
static apr_status_t count(ua_req_t *req, ua_res_t *res)
{
    apr_time_t begun = apr_time_now();
    apr_status_t rv = count_once(req, res);

    for (int tries = 1; rv != APR_SUCCESS && is_worth_a_try(tries, rv, begun); tries++) {
        ua_db_rollback(req->ctx);
        ua_db_release(req->ctx);
        pause_before(req, tries);
        apr_array_clear(req->ctx->lines);
        rv = count_once(req, res);
    }
    return rv;
}

void ua_transact_show(const ua_app_t *app, ua_req_t *req, ua_res_t *res)
{
    apr_status_t rv = req->route->show ? req->route->show(res, req) : APR_SUCCESS;

    if (rv == APR_SUCCESS && req->counted) {
        rv = count(req, res);
    }
    if (rv != APR_SUCCESS) {
        ua_db_rollback(req->ctx);
        refuse_failure(app, req, res, rv);
    }
    write_lines(app, req->ctx);
}
