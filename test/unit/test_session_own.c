/* test_session_own.c: sessions as their person sees and renews them: by id, by cookie, in a list.
 *
 * Cases: SESS-02, SESS-05, INV-5, INV-7, AUTHZ-01.
 */
#include "domain_site.h"
#include "domain/session.h"

#define MINUTE SECONDS(60)
#define HOUR   SECONDS(3600)
#define DAY    (24 * HOUR)

static const char *session_start(ua_ctx_t *ctx, const char *account_id, int remember)
{
    const char *cookie = NULL;
    apr_int64_t age = 0;

    assert_int_equal(ua_session_start(&cookie, &age, ctx, account_id, remember), APR_SUCCESS);
    return cookie;
}

static ua_session_t *session_of(ua_ctx_t *ctx, const char *cookie)
{
    ua_session_t *session = NULL;

    assert_int_equal(ua_session_read(&session, ctx, cookie), APR_SUCCESS);
    return session;
}

static apr_status_t by_id(ua_ctx_t *ctx, const char *id)
{
    ua_session_t *session = NULL;
    apr_status_t rv = ua_session_by_id(&session, ctx, id);

    assert_int_equal(rv == APR_SUCCESS, session != NULL);
    return rv;
}

/* A Bearer token's session lives by its cookie's limits, or as long as its tokens can be renewed. */
static void named_by_its_id(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *cookie = session_start(ctx, site_member(ctx, "mike"), 0);
    const char *id = session_of(ctx, cookie)->id;

    assert_int_equal(by_id(ctx, id), APR_SUCCESS);
    assert_int_equal(by_id(ctx, cookie), APR_NOTFOUND);
    assert_int_equal(by_id(ctx, ""), APR_NOTFOUND);
    ctx->now += HOUR;
    assert_int_equal(by_id(ctx, id), APR_NOTFOUND);
    ua_test_sql(t, "UPDATE session SET refresh_until = %" APR_TIME_T_FMT, ctx->now + 1);
    assert_int_equal(by_id(ctx, id), APR_SUCCESS);
    ctx->now++;
    assert_int_equal(by_id(ctx, id), APR_NOTFOUND);
    ctx->now = t->now;
    assert_int_equal(ua_session_end(ctx, cookie), APR_SUCCESS);
    assert_int_equal(by_id(ctx, id), APR_NOTFOUND);
    ua_db_release(ctx);
}

/* Whose it was is known as long as the row stands; a secret that was renewed is nobody's. */
static void owned(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *cookie = session_start(ctx, mike, 0);
    const char *owner = "untouched";

    assert_int_equal(ua_session_end(ctx, cookie), APR_SUCCESS);
    ctx->now += 2 * DAY;
    assert_int_equal(ua_session_owner(&owner, ctx, cookie), APR_SUCCESS);
    assert_string_equal(owner, mike);
    owner = "untouched";
    assert_int_equal(ua_session_owner(&owner, ctx, "unknown"), APR_NOTFOUND);
    assert_int_equal(ua_session_sweep(&(int){0}, ctx, ctx->now), APR_SUCCESS);
    assert_int_equal(ua_session_owner(&owner, ctx, cookie), APR_NOTFOUND);
    assert_string_equal(owner, "untouched");
    ua_db_release(ctx);
}

static void fresh_for_a_while(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *cookie = session_start(ctx, site_member(ctx, "mike"), 0);
    const char *eve = session_start(ctx, site_member(ctx, "eve"), 0);
    const ua_session_t unknown = {.id = "unknown", .account_id = "unknown"};

    ctx->now += 15 * MINUTE - 1;
    assert_int_equal(ua_session_fresh(session_of(ctx, cookie), ctx), 1);
    ctx->now++;
    assert_int_equal(ua_session_fresh(session_of(ctx, cookie), ctx), 0);
    assert_int_equal(ua_session_freshen(ctx, session_of(ctx, cookie)), APR_SUCCESS);
    assert_int_equal(ua_session_fresh(session_of(ctx, cookie), ctx), 1);
    assert_int_equal(session_of(ctx, cookie)->auth_time, ctx->now);
    assert_int_equal(session_of(ctx, eve)->auth_time, t->now);
    assert_int_equal(ua_session_freshen(ctx, &unknown), APR_SUCCESS);
    ua_db_release(ctx);
}

/* SESS-02: the session stays, the old secret is dead, and no limit moves. */
static void renewed(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");

    for (int remember = 0; remember < 2; remember++) {
        const char *old = session_start(ctx, mike, remember);
        ua_session_t *session = session_of(ctx, old);
        ua_session_t *none = NULL;
        const char *cookie = "untouched";
        apr_int64_t age = -1;

        ctx->now += MINUTE;
        session->auth_time = ctx->now;
        assert_int_equal(ua_session_renew(&cookie, &age, ctx, session, old), APR_SUCCESS);
        assert_int_equal(strlen(cookie), UA_DIGEST_TEXT);
        assert_string_not_equal(cookie, old);
        assert_int_equal(age, remember ? 30 * 24 * 3600 - 60 : 0);
        assert_int_equal(ua_session_read(&none, ctx, old), APR_NOTFOUND);
        assert_string_equal(session_of(ctx, cookie)->id, session->id);
        assert_int_equal(session_of(ctx, cookie)->auth_time, ctx->now);
        assert_int_equal(session_of(ctx, cookie)->expires, session->expires);
        assert_int_equal(session_of(ctx, cookie)->last_used, session->last_used);
        /* Another request was first, or the session ended. */
        assert_int_equal(ua_session_renew(&old, &age, ctx, session, old), APR_NOTFOUND);
        assert_int_equal(ua_session_end(ctx, cookie), APR_SUCCESS);
        assert_int_equal(ua_session_renew(&old, &age, ctx, session, cookie), APR_NOTFOUND);
    }
    ua_db_release(ctx);
}

static const ua_place_t *places_of(ua_ctx_t *ctx, const char *account_id, int expected)
{
    apr_array_header_t *places = NULL;

    assert_int_equal(ua_session_places(&places, ctx, account_id), APR_SUCCESS);
    assert_int_equal(places->nelts, expected);
    return (const ua_place_t *)(void *)places->elts;
}

static void listed(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const ua_place_t *places = NULL;
    const char *first = session_start(ctx, mike, 0);
    const char *second = NULL;

    (void)session_start(ctx, site_member(ctx, "eve"), 0);
    ctx->now += MINUTE;
    ctx->agent = "another browser";
    ctx->address = "203.0.113.9";
    second = session_start(ctx, mike, 0);
    places = places_of(ctx, mike, 2); /* last used first */
    assert_string_equal(places[0].id, session_of(ctx, second)->id);
    assert_string_equal(places[0].agent, "another browser");
    assert_string_equal(places[0].address, "203.0.113.9");
    assert_int_equal(places[0].created, ctx->now);
    assert_string_equal(places[1].id, session_of(ctx, first)->id);
    assert_string_equal(places[1].agent, "unit test");
    assert_int_equal(places[1].last_used, t->now);
    assert_int_equal(ua_session_touch(ctx, places[1].id, ctx->now + 1), APR_SUCCESS);
    assert_int_equal(places_of(ctx, mike, 2)[0].last_used, ctx->now + 1);
    assert_int_equal(ua_session_end(ctx, first), APR_SUCCESS);
    assert_string_equal(places_of(ctx, mike, 1)[0].address, "203.0.113.9");
    ctx->now += HOUR;
    (void)places_of(ctx, mike, 0);
    /* One whose API tokens can still be renewed is a place, too. */
    ua_test_sql(t, "UPDATE session SET refresh_until = %" APR_TIME_T_FMT, ctx->now + 1);
    (void)places_of(ctx, mike, 1);
    ctx->now++;
    (void)places_of(ctx, mike, 0);
    ua_db_release(ctx);
}

/* AUTHZ-01: only one's own, only once. INV-5: all but one. */
static void ended_by_their_person(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *eve = site_member(ctx, "eve");
    const char *cookies[3];
    const char *hers = session_start(ctx, eve, 0);
    const char *kept = NULL;

    for (int i = 0; i < 3; i++) {
        cookies[i] = session_start(ctx, mike, i == 2);
    }
    kept = session_of(ctx, cookies[1])->id;
    assert_int_equal(ua_session_end_own(ctx, eve, kept), APR_NOTFOUND);
    assert_int_equal(ua_session_end_own(ctx, mike, "unknown"), APR_NOTFOUND);
    assert_int_equal(ua_session_end_own(ctx, mike, ""), APR_NOTFOUND);
    assert_int_equal(ua_session_end_own(ctx, mike, session_of(ctx, cookies[0])->id),
                     APR_SUCCESS);
    (void)places_of(ctx, mike, 2);
    assert_int_equal(ua_session_end_all(ctx, mike, kept), APR_SUCCESS);
    assert_string_equal(places_of(ctx, mike, 1)[0].id, kept);
    assert_int_equal(ua_session_end_all(ctx, mike, ""), APR_SUCCESS);
    (void)places_of(ctx, mike, 0);
    assert_int_equal(ua_session_end_own(ctx, mike, kept), APR_NOTFOUND); /* ended already */
    assert_non_null(session_of(ctx, hers));
    ua_db_release(ctx);
}

/* INV-7 */
static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *cookie = session_start(ctx, mike, 0);
    ua_session_t *session = session_of(ctx, cookie);
    const char *text = "untouched";
    apr_array_header_t *places = NULL;
    apr_int64_t age = -1;

    site_break(t, "session");
    assert_failure(ctx, ua_session_by_id(&session, ctx, "a"), "session_by_id");
    assert_failure(ctx, ua_session_owner(&text, ctx, cookie), "session_owner");
    assert_failure(ctx, ua_session_renew(&text, &age, ctx, session, cookie), "session_renew");
    assert_failure(ctx, ua_session_freshen(ctx, session), "session_freshen");
    assert_failure(ctx, ua_session_places(&places, ctx, mike), "session_places");
    assert_failure(ctx, ua_session_end_own(ctx, mike, "a"), "session_end_own");
    assert_failure(ctx, ua_session_end_all(ctx, mike, ""), "session_end_account");
    assert_string_equal(text, "untouched");
    assert_int_equal(age, -1);
    assert_null(places);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(named_by_its_id), site_test(owned),  site_test(fresh_for_a_while),
        site_test(renewed),         site_test(listed), site_test(ended_by_their_person),
        site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
