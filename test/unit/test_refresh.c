/* test_refresh.c: refresh tokens: each use replaces one, and a token used twice gives itself away.
 *
 * Cases: RACE-06, JWT-10, INV-6, INV-7.
 */
#include "domain_site.h"
#include "domain/refresh.h"

#define DAY (24 * SECONDS(3600))

/* A session of mike's and its first token. */
static const char *refresh_start(ua_test_t *t, ua_ctx_t *ctx)
{
    const char *cookie = NULL;
    const char *secret = NULL;
    apr_int64_t age = 0;

    assert_int_equal(ua_session_start(&cookie, &age, ctx, site_member(ctx, "mike"), 0),
                     APR_SUCCESS);
    assert_int_equal(
        ua_refresh_start(&secret, ctx, ua_test_scalar(t, "SELECT id FROM session")),
        APR_SUCCESS);
    return secret;
}

/* The successor; fails the test without one. */
static const char *renew(ua_ctx_t *ctx, const char *secret)
{
    const char *id = NULL;
    const char *next = NULL;

    assert_int_equal(ua_refresh_use(&id, &next, ctx, secret), APR_SUCCESS);
    assert_true(ua_uuid_valid(id));
    return next;
}

/* What is said; a refusal gives no successor, and names the session only when it is to end. */
static apr_status_t refused(ua_ctx_t *ctx, const char *secret)
{
    const char *id = NULL;
    const char *next = NULL;
    apr_status_t rv = ua_refresh_use(&id, &next, ctx, secret);

    assert_true(rv == APR_NOTFOUND || rv == APR_EACCES);
    assert_null(next);
    assert_int_equal(id != NULL, rv == APR_EACCES);
    return rv;
}

/* INV-6: 256 bits, of which the rows hold nothing usable. */
static void opaque(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *first = refresh_start(t, ctx);
    const char *second = renew(ctx, first);
    const char *digest = NULL;

    assert_int_equal(strlen(first), UA_DIGEST_TEXT);
    assert_int_equal(strlen(second), UA_DIGEST_TEXT);
    assert_string_not_equal(first, second);
    assert_null(strstr(ua_test_rows(t), first));
    assert_null(strstr(ua_test_rows(t), second));
    assert_int_equal(ua_digest_text(&digest, t->pool, second), APR_SUCCESS);
    assert_string_equal(ua_test_scalar(t, "SELECT successor FROM refresh WHERE used > 0"),
                        digest);
    assert_int_equal(refused(ctx, digest), APR_NOTFOUND);
    assert_int_equal(refused(ctx, ua_test_scalar(t, "SELECT id FROM session")), APR_NOTFOUND);
    assert_int_equal(refused(ctx, ""), APR_NOTFOUND);
}

static void a_chain(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *secret = refresh_start(t, ctx);

    for (int i = 0; i < 20; i++) {
        ctx->now += SECONDS(300);
        secret = renew(ctx, secret);
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM refresh"), 21);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM refresh WHERE used = 0"), 1);
}

/* 14 days without use, 30 in any case; the moment itself is too late. */
static void limits(void **state)
{
    static const struct {
        const char *comment;
        apr_time_t steps[4]; /* between uses; 0 ends them */
        apr_time_t last;     /* after the last of them */
        int good;
    } cases[] = {
        {"the last microsecond", {0}, 14 * DAY - 1, 1},
        {"idle", {0}, 14 * DAY, 0},
        {"used meanwhile", {10 * DAY}, 14 * DAY - 1, 1},
        {"idle since", {10 * DAY}, 14 * DAY, 0},
        {"used to the end, the last microsecond", {10 * DAY, 10 * DAY}, 10 * DAY - 1, 1},
        {"used to the end", {10 * DAY, 10 * DAY}, 10 * DAY, 0},
        {"used shortly before the end", {10 * DAY, 10 * DAY, 10 * DAY - 1}, 1, 0},
    };

    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        ua_ctx_t *ctx = ua_test_context(t);
        const char *secret = NULL;

        ua_test_sql(t, "DELETE FROM account");
        secret = refresh_start(t, ctx);
        for (int n = 0; n < 4 && cases[i].steps[n] > 0; n++) {
            ctx->now += cases[i].steps[n];
            secret = renew(ctx, secret);
        }
        ctx->now += cases[i].last;
        print_message("%s\n", cases[i].comment);
        if (cases[i].good) {
            (void)renew(ctx, secret);
        }
        else {
            assert_int_equal(refused(ctx, secret), APR_NOTFOUND);
        }
        ua_db_release(ctx);
    }
}

/* A client whose answer was lost asks again. */
static void the_same_successor_within_ten_seconds(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *first = refresh_start(t, ctx);
    const char *second = renew(ctx, first);

    assert_string_equal(renew(ctx, first), second);
    ctx->now += SECONDS(10) - 1;
    assert_string_equal(renew(ctx, first), second);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM refresh"), 2);
    ctx->now += 1;
    assert_int_equal(refused(ctx, first), APR_EACCES);
}

/* JWT-10 */
static void not_once_the_successor_was_used(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *first = refresh_start(t, ctx);
    const char *third = renew(ctx, renew(ctx, first));

    assert_int_equal(refused(ctx, first), APR_EACCES);
    assert_int_equal(ua_session_end_all(ctx, ua_test_scalar(t, "SELECT id FROM account"), ""),
                     APR_SUCCESS);
    assert_int_equal(refused(ctx, third), APR_NOTFOUND);
    assert_int_equal(refused(ctx, first), APR_NOTFOUND);
}

/* A successor that can't be told, or is not there, is none to answer with. */
static void not_when_the_rows_do_not_fit(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *first = refresh_start(t, ctx);

    (void)renew(ctx, first);
    ua_test_sql(t, "DELETE FROM refresh WHERE used = 0");
    assert_int_equal(refused(ctx, first), APR_EACCES);
    ua_test_sql(t, "UPDATE refresh SET successor = 'other'");
    assert_int_equal(refused(ctx, first), APR_EACCES);
}

typedef struct race_t {
    const char *secret;
    char next[RIVALS][UA_DIGEST_TEXT + 1];
    apr_uint32_t count;
} race_t;

static int use(ua_ctx_t *ctx, void *data)
{
    race_t *race = data;
    const char *id = NULL;
    const char *next = NULL;

    if (ua_db_begin(ctx, UA_SERIALIZABLE) != APR_SUCCESS ||
        ua_refresh_use(&id, &next, ctx, race->secret) != APR_SUCCESS) {
        return 0;
    }
    apr_cpystrn(race->next[__atomic_fetch_add(&race->count, 1, __ATOMIC_SEQ_CST)], next,
                sizeof race->next[0]);
    return ua_db_commit(ctx) == APR_SUCCESS;
}

/* RACE-06: one family, whoever comes first. */
static void one_successor(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    race_t race = {.secret = refresh_start(t, ctx)};

    ua_db_release(ctx);
    for (int round = 0; round < 20; round++) {
        race.count = 0;
        assert_int_equal(site_race(t, use, &race), RIVALS);
        for (int i = 1; i < RIVALS; i++) {
            assert_string_equal(race.next[i], race.next[0]);
        }
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM refresh"), round + 2);
        race.secret = apr_pstrdup(t->pool, race.next[0]);
    }
}

/* INV-7 */
static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *secret = refresh_start(t, ctx);
    const char *id = NULL;
    const char *next = NULL;

    ua_db_release(ctx);
    ua_test_sql(t, "CREATE TRIGGER broken BEFORE INSERT ON refresh BEGIN SELECT RAISE(ABORT, "
                   "'disk on fire'); END");
    assert_failure(ctx, ua_refresh_use(&id, &next, ctx, secret), "refresh_insert");
    assert_failure(ctx, ua_refresh_start(&next, ctx, "x"), "refresh_insert");
    ua_db_release(ctx);
    site_break(t, "refresh");
    assert_failure(ctx, ua_refresh_use(&id, &next, ctx, secret), "refresh_get");
    assert_null(id);
    assert_null(next);
    ua_db_release(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        site_test(opaque),
        site_test(a_chain),
        site_test(limits),
        site_test(the_same_successor_within_ten_seconds),
        site_test(not_once_the_successor_was_used),
        site_test(not_when_the_rows_do_not_fit),
        site_test(one_successor),
        site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
