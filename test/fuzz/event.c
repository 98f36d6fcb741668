/* event.c: fuzzes the line of the event log (domain/event.c). The input is 6 bytes of time, then kind, account,
 * detail, client address, site, request and User-Agent with form feeds between.
 *
 * The database is played: what is written to it is judged as well. The oracle loads the line: one line, one flat
 * JSON object of just the members that belong there, which gives the texts back; what is no UTF-8 is left out.
 */
#include "fuzz.h"
#include "base/json.h"
#include "base/unicode.h"
#include "domain/event.h"

#include <string.h>
#include <time.h>

#define AGENT_BYTES 255

typedef struct given_t {
    const char *kind, *account, *detail;
} given_t;

static struct {
    int times;
    const char *id;
    given_t given;
} written;

/* Stand in for base/db.c and domain/sweep.c: nothing is found, and what is inserted is looked at. */
apr_status_t ua_db_exec(ua_ctx_t *ctx, int *rows, const ua_query_t *query, const ua_arg_t *args)
{
    const char *agent = args[6].text;
    size_t kept = strlen(agent);

    FUZZ_CHECK(!rows && fuzz_same(query->label, "event_insert") && args[8].end,
               "another statement");
    FUZZ_CHECK(fuzz_same(args[1].text, ctx->conf->site) &&
                   fuzz_same(args[2].text, written.given.account) &&
                   fuzz_same(args[3].text, written.given.kind) && !args[4].text &&
                   args[4].number == ctx->now && fuzz_same(args[5].text, ctx->address) &&
                   fuzz_same(args[7].text, written.given.detail),
               "another row");
    FUZZ_CHECK(kept <= AGENT_BYTES && strncmp(agent, ctx->agent, kept) == 0 &&
                   fuzz_plain_utf8(agent, kept),
               "the User-Agent \"%s\"", agent);
    FUZZ_CHECK(kept == strlen(ctx->agent) || kept > AGENT_BYTES - 4 ||
                   !ua_utf8_valid(ctx->agent, strlen(ctx->agent)),
               "%zu bytes of the User-Agent \"%s\"", kept, ctx->agent);
    written.id = args[0].text;
    written.times++;
    return APR_SUCCESS;
}

apr_status_t ua_db_one(ua_row_t *out, ua_ctx_t *ctx, const ua_query_t *query,
                       const ua_arg_t *args)
{
    (void)out;
    (void)ctx;
    (void)query;
    (void)args;
    return APR_NOTFOUND;
}

apr_status_t ua_db_all(apr_array_header_t **out, ua_ctx_t *ctx, const ua_query_t *query,
                       const ua_arg_t *args)
{
    (void)query;
    (void)args;
    *out = apr_array_make(ctx->pool, 1, sizeof(ua_row_t));
    return APR_SUCCESS;
}

apr_int64_t ua_row_number(ua_row_t row, int column)
{
    (void)row;
    return column;
}

/* Nothing is swept. */
apr_status_t ua_sweep(int *more, ua_ctx_t *ctx, const ua_query_t *old, const ua_query_t *remove,
                      const ua_arg_t *times)
{
    (void)ctx;
    (void)old;
    (void)remove;
    (void)times;
    *more = 0;
    return APR_SUCCESS;
}

/* 1 when every byte belongs to a well-formed code point, controls included. */
static int is_utf8(const char *text)
{
    for (size_t left = strlen(text), step = 0; left > 0; text += step, left -= step) {
        uint32_t point = 0;

        step = fuzz_code_point(&point, (const uint8_t *)text, left);
        if (step == 0) {
            return 0;
        }
    }
    return 1;
}

/* The member is the text, or absent when there is none that JSON could hold. 1 when it is there. */
static size_t check_member(const json_t *object, const char *name, const char *text)
{
    const json_t *value = json_object_get(object, name);

    FUZZ_CHECK((value != NULL) == is_utf8(text), "\"%s\" of \"%s\" is %s", name, text,
               value ? "there" : "absent");
    FUZZ_CHECK(!value || fuzz_same(json_string_value(value), text), "\"%s\" is not \"%s\"",
               name, text);
    return value != NULL;
}

static void check_line(const ua_ctx_t *ctx, const char *line, const given_t *given)
{
    const json_t *object =
        ua_json_own(ctx->pool, json_loads(line, JSON_REJECT_DUPLICATES, NULL));
    time_t seconds = (time_t)apr_time_sec(ctx->now);
    char when[64] = "";
    size_t members = 0;
    struct tm tm;

    for (const char *at = line; *at; at++) {
        FUZZ_CHECK((unsigned char)*at >= 0x20, "a control in: %s", line);
    }
    FUZZ_CHECK(json_is_object(object), "no object: %s", line);
    FUZZ_CHECK(!ctx->now || (gmtime_r(&seconds, &tm) &&
                             strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0),
               "no time");
    members += check_member(object, "time", when);
    members += check_member(object, "event", given->kind);
    members += check_member(object, "site", ctx->conf->site);
    members += check_member(object, "address", ctx->address);
    members += check_member(object, "account", given->account);
    members += check_member(object, "detail", given->detail);
    members += check_member(object, "request", ctx->id);
    FUZZ_CHECK(json_object_size(object) == members, "more than it should hold: %s", line);
}

static void add(ua_ctx_t *ctx, const given_t *given)
{
    int count = ctx->lines->nelts;

    written.given = *given;
    FUZZ_CHECK(ua_event_add(ctx, given->kind, given->account, given->detail) == APR_SUCCESS &&
                   written.times == count + 1 && ctx->lines->nelts == count + 1,
               "not one row and one line");
    FUZZ_CHECK(count == 0 ? fuzz_same(written.id, ctx->id) : ua_uuid_valid(written.id),
               "the row's id is \"%s\"", written.id);
    check_line(ctx, APR_ARRAY_IDX(ctx->lines, count, const char *), given);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ready;
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    ua_conf_t conf = {0};
    ua_ctx_t ctx = {.pool = pool, .conf = &conf, .draw.seed = {1}};
    given_t given = {0};

    ready = ready || ua_crypto_init() == APR_SUCCESS;
    for (int i = 0; i < 6; i++) {
        ctx.now = ctx.now << 8 | (apr_time_t)fuzz_byte(&input);
    }
    ctx.now *= 1000; /* to the year 10889 */
    given.kind = fuzz_part(&input, pool);
    given.account = fuzz_part(&input, pool);
    given.detail = fuzz_part(&input, pool);
    ctx.address = fuzz_part(&input, pool);
    conf.site = fuzz_part(&input, pool);
    ctx.id = fuzz_part(&input, pool);
    ctx.agent = fuzz_rest(&input, pool);
    ctx.lines = apr_array_make(pool, 2, sizeof(const char *));
    written.times = 0;
    FUZZ_CHECK(ready, "no crypto");
    add(&ctx, &given);
    add(&ctx, &given);
    return 0;
}
