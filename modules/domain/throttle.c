/* throttle.c: see throttle.h. */
#include "throttle.h"

#define LONGEST_WAIT apr_time_from_sec(3600)

typedef struct counter_t {
    int exists;
    apr_int64_t hits;
    apr_time_t since;
    apr_time_t until;
} counter_t;

apr_status_t ua_throttle_name(const char **out, ua_ctx_t *ctx, const char *kind,
                              const char *value)
{
    const char *digest = NULL;

    UA_CHECK(ua_hmac_text(&digest, ctx->pool, ctx->keys->throttle, UA_PARTS(kind, value)));
    *out = apr_pstrcat(ctx->pool, kind, ":", digest, NULL);
    return APR_SUCCESS;
}

static apr_status_t read_counter(counter_t *out, ua_ctx_t *ctx, const char *name)
{
    ua_row_t row = NULL;
    counter_t found = {0, 0, 0, 0};
    apr_status_t rv = ua_db_one(&row, ctx, UA_Q(throttle_get), UA_ARGS(ua_s(name)));

    if (rv == APR_SUCCESS) {
        found.exists = 1;
        found.hits = ua_row_number(row, 0);
        found.since = ua_row_number(row, 1);
        found.until = ua_row_number(row, 2);
    }
    else if (rv != APR_NOTFOUND) {
        return rv;
    }
    *out = found;
    return APR_SUCCESS;
}

/* 1 when the window is over, or so far ahead that the clock was set back. Requests commit in another
 * order than they came in, so `since` may lie a little after ctx->now. */
static int is_over(const counter_t *c, const ua_ctx_t *ctx, const ua_rate_t *rate)
{
    return ctx->now >= c->since + rate->duration || ctx->now + rate->duration < c->since;
}

/* Microseconds until the window of a full counter is over; 0 when one more fits. */
static apr_interval_time_t wait_of(const counter_t *c, const ua_ctx_t *ctx,
                                   const ua_rate_t *rate)
{
    if (!c->exists || rate->duration == 0 || is_over(c, ctx, rate) || c->hits < rate->count) {
        return 0;
    }
    return c->since + rate->duration - ctx->now;
}

apr_status_t ua_throttle_peek(apr_interval_time_t *wait, ua_ctx_t *ctx, const char *name,
                              const ua_rate_t *rate)
{
    counter_t c;

    UA_CHECK(read_counter(&c, ctx, name));
    *wait = wait_of(&c, ctx, rate);
    return APR_SUCCESS;
}

static apr_status_t insert(ua_ctx_t *ctx, const char *name, apr_int64_t hits)
{
    return ua_db_exec(ctx, NULL, UA_Q(throttle_insert),
                      UA_ARGS(ua_s(name), ua_n(hits), ua_n(ctx->now), ua_n(0), ua_n(ctx->now)));
}

static apr_status_t hit(ua_ctx_t *ctx, const char *name, apr_int64_t hits)
{
    return ua_db_exec(ctx, NULL, UA_Q(throttle_hit),
                      UA_ARGS(ua_n(hits), ua_n(ctx->now), ua_s(name)));
}

static apr_status_t count(ua_ctx_t *ctx, const char *name, const counter_t *c,
                          const ua_rate_t *rate, apr_int64_t hits)
{
    if (!c->exists) {
        return insert(ctx, name, hits);
    }
    if (is_over(c, ctx, rate)) {
        return ua_db_exec(ctx, NULL, UA_Q(throttle_restart),
                          UA_ARGS(ua_n(hits), ua_n(ctx->now), ua_n(ctx->now), ua_s(name)));
    }
    return hit(ctx, name, hits);
}

apr_status_t ua_throttle_take(apr_interval_time_t *wait, ua_ctx_t *ctx, const char *name,
                              const ua_rate_t *rate)
{
    counter_t c;
    apr_interval_time_t left = 0;

    UA_CHECK(read_counter(&c, ctx, name));
    left = wait_of(&c, ctx, rate);
    if (left == 0) {
        UA_CHECK(count(ctx, name, &c, rate, 1));
    }
    *wait = left;
    return APR_SUCCESS;
}

apr_status_t ua_throttle_hold(ua_ctx_t *ctx, const char *name)
{
    int rows = 0;

    UA_CHECK(ua_db_exec(ctx, &rows, UA_Q(throttle_hold), UA_ARGS(ua_n(ctx->now), ua_s(name))));
    return rows > 0 ? APR_SUCCESS : insert(ctx, name, 0);
}

apr_status_t ua_throttle_room(apr_int64_t *room, apr_interval_time_t *wait, ua_ctx_t *ctx,
                              const char *name, const ua_rate_t *rate)
{
    counter_t c;

    UA_CHECK(read_counter(&c, ctx, name));
    *wait = wait_of(&c, ctx, rate);
    *room = !c.exists || is_over(&c, ctx, rate) ? rate->count
            : *wait > 0                         ? 0
                                                : rate->count - c.hits;
    return APR_SUCCESS;
}

apr_status_t ua_throttle_add(ua_ctx_t *ctx, const char *name, const ua_rate_t *rate,
                             apr_int64_t hits)
{
    counter_t c;

    UA_CHECK(read_counter(&c, ctx, name));
    return count(ctx, name, &c, rate, hits);
}

static apr_status_t wait_until(ua_ctx_t *ctx, const char *name, apr_time_t until)
{
    return ua_db_exec(ctx, NULL, UA_Q(throttle_wait), UA_ARGS(ua_n(until), ua_s(name)));
}

apr_status_t ua_wait_peek(apr_interval_time_t *wait, apr_int64_t *failures, ua_ctx_t *ctx,
                          const char *name)
{
    counter_t c;

    UA_CHECK(read_counter(&c, ctx, name));
    if (c.until > ctx->now + LONGEST_WAIT) { /* the clock was set back: from now on, then */
        c.until = ctx->now + LONGEST_WAIT;
        UA_CHECK(wait_until(ctx, name, c.until));
    }
    *wait = c.until > ctx->now ? c.until - ctx->now : 0;
    *failures = c.hits;
    return APR_SUCCESS;
}

/* lock_wait, doubled for each failure past lock_after, at most an hour. */
static apr_interval_time_t next_wait(const ua_conf_t *conf, apr_int64_t hits)
{
    apr_interval_time_t wait = conf->lock_wait;

    if (hits < conf->lock_after) {
        return 0;
    }
    for (apr_int64_t i = conf->lock_after; i < hits && wait < LONGEST_WAIT; i++) {
        wait *= 2;
    }
    return wait < LONGEST_WAIT ? wait : LONGEST_WAIT;
}

apr_status_t ua_wait_failed(apr_interval_time_t *wait, ua_ctx_t *ctx, const char *name)
{
    counter_t c;
    apr_interval_time_t next = 0;

    UA_CHECK(read_counter(&c, ctx, name));
    UA_CHECK(c.exists ? hit(ctx, name, 1) : insert(ctx, name, 1));
    next = next_wait(ctx->conf, c.hits + 1);
    if (next > 0) {
        UA_CHECK(wait_until(ctx, name, ctx->now + next));
    }
    *wait = next;
    return APR_SUCCESS;
}

apr_status_t ua_throttle_clear(ua_ctx_t *ctx, const char *name)
{
    return ua_db_exec(ctx, NULL, UA_Q(throttle_clear), UA_ARGS(ua_s(name)));
}

apr_status_t ua_throttle_sweep(int *more, ua_ctx_t *ctx, apr_time_t then)
{
    return ua_sweep(more, ctx, UA_Q(throttle_old), UA_Q(throttle_sweep),
                    UA_ARGS(ua_n(then), ua_n(ctx->now)));
}
