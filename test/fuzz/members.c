/* members.c: fuzzes the query of the members list (features/members.c): search, cursor and limit. The input is
 * the query.
 *
 * The database is played: what the page asks it for is judged here. A cursor that is accepted is one that we
 * could have made: bounded, of the letters of a username, the rest valid text; and handed out again for those
 * keys it is the same text. A query that can't be read is refused and asks nothing; nor does a search for more
 * than a name holds.
 */
#include "fuzz.h"
#include "base/crypto.h"
#include "base/unicode.h"
#include "domain/member.h"
#include "features/feature.h"
#include "features/features.h"

#include <string.h>

#define KEYS        "0123456789abcdefghijklmnopqrstuvwxyz._-"
#define LONGEST_KEY "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"

static struct {
    int times;
    ua_member_t next; /* the place asked for, and answered */
    int most;
} asked;

static void check_key(const ua_member_t *after)
{
    size_t length = strlen(after->username_key);

    FUZZ_CHECK(length <= 32 && strspn(after->username_key, KEYS) == length, "the key \"%s\"",
               after->username_key);
    FUZZ_CHECK(!after->display_key ||
                   (strlen(after->display_key) <= 1024 &&
                    fuzz_plain_utf8(after->display_key, strlen(after->display_key))),
               "the key of a display name");
}

/* Stands in for domain/member.c: remembers what was asked, and answers the same place as the next page. */
apr_status_t ua_member_list(apr_array_header_t **out, const ua_member_t **next, ua_ctx_t *ctx,
                            const char *prefix, const ua_member_t *after, int most)
{
    ua_member_t *row = NULL;

    FUZZ_CHECK(most >= 1 && most <= 100, "asked for %d", most);
    FUZZ_CHECK(fuzz_plain_utf8(prefix, strlen(prefix)) && ua_utf8_length(prefix) <= 64 &&
                   fuzz_same(prefix, ua_utf8_trim(ctx->pool, prefix)),
               "asked for \"%s\"", prefix);
    asked.times++;
    if (after) {
        check_key(after);
        asked.next = *after;
    }
    else if (*prefix) { /* somebody found by a display name of just these letters */
        asked.next.username_key = LONGEST_KEY;
        FUZZ_CHECK(ua_utf8_fold(&asked.next.display_key, ctx->pool, prefix) == APR_SUCCESS,
                   "fold");
    }
    asked.most = most;
    *out = apr_array_make(ctx->pool, 1, sizeof(ua_member_t));
    row = apr_array_push(*out);
    *row = (ua_member_t){"alice", "Alice", 1, "alice", NULL};
    *next = asked.next.username_key ? &asked.next : NULL;
    return APR_SUCCESS;
}

/* A page for people that searches for more than any name holds, and so finds nobody. */
static int is_too_long(const ua_res_t *res)
{
    return ua_utf8_length(ua_json_get(res->view, "q")) > 64;
}

static ua_res_t *show(ua_req_t *req, const char *query)
{
    apr_pool_t *pool = req->ctx->pool;
    ua_res_t *res = apr_pcalloc(pool, sizeof *res);

    memset(&asked, 0, sizeof asked);
    res->view = ua_json_object(pool);
    res->headers = apr_table_make(pool, 1);
    req->query = query;
    FUZZ_CHECK(ua_feature_members.routes[0].show(res, req) == APR_SUCCESS, "the page fails");
    FUZZ_CHECK(asked.times ==
                   (res->problem == UA_PROBLEM_BAD_REQUEST || is_too_long(res) ? 0 : 1),
               "asked %d times with the problem %d", asked.times, (int)res->problem);
    return res;
}

/* What the page gives out as the next one leads to the same place. */
static void check_next(ua_req_t *req, const ua_res_t *res)
{
    apr_pool_t *pool = req->ctx->pool;
    const ua_member_t first = asked.next;
    const char *cursor = ua_json_get(res->view, "next");
    const char *given = ua_query_get(pool, req->query, "after");

    FUZZ_CHECK((first.username_key != NULL) == (*cursor != 0), "the next page is \"%s\"",
               cursor);
    FUZZ_CHECK(!given || !*given || fuzz_same(given, cursor),
               "\"%s\" is another form of \"%s\"", given, cursor);
    if (*cursor == 0) {
        return;
    }
    FUZZ_CHECK(show(req, apr_pstrcat(pool, "after=", cursor, NULL))->problem == 0,
               "our cursor %s is refused", cursor);
    FUZZ_CHECK(fuzz_same(asked.next.username_key, first.username_key) &&
                   fuzz_same(asked.next.display_key, first.display_key),
               "our cursor %s leads to %s", cursor, asked.next.username_key);
    FUZZ_CHECK(asked.most == 20, "%d without a limit", asked.most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    ua_conf_t conf = {.path = "/auth", .dashboard_path = "/dashboard"};
    ua_ctx_t ctx = {.pool = pool, .conf = &conf};
    ua_req_t req = {.ctx = &ctx, .wants_json = (int)(size % 2)};
    const ua_res_t *res = show(&req, fuzz_rest(&input, pool));

    if (res->problem == UA_PROBLEM_NONE && !is_too_long(res)) {
        check_next(&req, res);
    }
    return 0;
}
