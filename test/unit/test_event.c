/* test_event.c: what happened, as a row and as a line (INV-10, SMTP-07). */
#include "domain_site.h"
#include "base/unicode.h"
#include "domain/event.h"

static const char *line(const ua_ctx_t *ctx, int n)
{
    return APR_ARRAY_IDX(ctx->lines, n, const char *);
}

static const char *member(json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value ? value : "(none)";
}

static void row_and_line(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    json_t *object = NULL;

    assert_int_equal(ua_event_add(ctx, "login", "account", "password"), APR_SUCCESS);
    assert_string_equal(ua_test_scalar(t,
                                       "SELECT id || ' ' || kind || ' ' || account_id || ' ' "
                                       "|| detail || ' ' || address || ' ' || agent FROM "
                                       "event"),
                        apr_pstrcat(t->pool, ctx->id, " login account password ",
                                    UA_TEST_ADDRESS " unit test", NULL));
    assert_string_equal(ua_test_scalar(t, "SELECT site FROM event"), t->conf->site);
    assert_int_equal(ua_test_count(t, "SELECT happened FROM event"), t->now);

    assert_int_equal(ctx->lines->nelts, 1);
    object = json_loads(line(ctx, 0), 0, NULL);
    assert_string_equal(member(object, "time"), "2026-11-21T08:30:00Z");
    assert_string_equal(member(object, "event"), "login");
    assert_string_equal(member(object, "site"), t->conf->site);
    assert_string_equal(member(object, "address"), UA_TEST_ADDRESS);
    assert_string_equal(member(object, "account"), "account");
    assert_string_equal(member(object, "detail"), "password");
    assert_string_equal(member(object, "request"), ctx->id);
    json_decref(object);
    assert_null(strstr(line(ctx, 0), "unit test")); /* nothing typed */
}

/* SMTP-07: whatever is in it, a line is one line. */
static void one_line_each(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    json_t *object = NULL;

    ctx->address = "a\r\nb\x1B[31m";
    assert_int_equal(ua_event_add(ctx, "login", "acc", "say \"no\"\n"), APR_SUCCESS);
    for (const char *at = line(ctx, 0); *at; at++) {
        assert_true(*at >= ' ' && *at < 0x7F);
    }
    object = json_loads(line(ctx, 0), 0, NULL);
    assert_string_equal(member(object, "address"), ctx->address);
    assert_string_equal(member(object, "detail"), "say \"no\"\n");
    json_decref(object);
}

/* The first event of a request has its id: so a retry finds out whether it happened (design 4). */
static void the_first_tells(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_ctx_t *other = ua_test_context(t);

    assert_int_equal(ua_event_happened(ctx), APR_NOTFOUND);
    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(ua_event_add(ctx, "login", "a", ""), APR_SUCCESS);
    ua_db_rollback(ctx);
    assert_int_equal(ua_event_happened(ctx), APR_NOTFOUND);

    apr_array_clear(ctx->lines);
    ua_draw_rewind(ctx);
    assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
    assert_int_equal(ua_event_add(ctx, "login", "a", ""), APR_SUCCESS);
    assert_int_equal(ua_event_add(ctx, "device", "a", ""), APR_SUCCESS);
    assert_int_equal(ua_event_add(ctx, "rehash", "a", ""), APR_SUCCESS);
    assert_int_equal(ua_db_commit(ctx), APR_SUCCESS);
    assert_int_equal(ctx->lines->nelts, 3);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event"), 3);
    assert_string_equal(ua_test_scalar(t, "SELECT kind FROM event WHERE id = '%s'", ctx->id),
                        "login");
    assert_int_equal(ua_event_happened(ctx), APR_SUCCESS);
    assert_int_equal(ua_event_happened(other), APR_NOTFOUND);
}

/* At most 255 bytes of a User-Agent, and still text: PostgreSQL takes nothing else. */
static void long_agents(void **state)
{
    static const struct {
        const char *comment, *piece;
        int pieces;
    } cases[] = {
        {"letters", "a", 1000},
        {"two bytes each", "\xC3\xA9", 500},
        {"four bytes each", "\xF0\x9F\x98\x80", 250},
        {"no text at all", "\xFF\xC3", 3},
    };

    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        ua_ctx_t *ctx = ua_test_context(t);
        const char *agent = "";

        for (int n = 0; n < cases[i].pieces; n++) {
            agent = apr_pstrcat(t->pool, agent, cases[i].piece, NULL);
        }
        ctx->agent = agent;
        assert_int_equal(ua_event_add(ctx, "login", "a", ""), APR_SUCCESS);
        agent = ua_test_scalar(t, "SELECT agent FROM event WHERE id = '%s'", ctx->id);
        if (strlen(agent) > 255 || !ua_utf8_valid(agent, strlen(agent))) {
            fail_msg("%s: %d bytes, no text", cases[i].comment, (int)strlen(agent));
        }
        ua_db_release(ctx);
    }
}

static void swept(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    assert_int_equal(ua_event_add(ctx, "login", "a", ""), APR_SUCCESS);
    assert_int_equal(ua_event_sweep(&(int){0}, ctx, t->now), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event"), 1);
    assert_int_equal(ua_event_sweep(&(int){0}, ctx, t->now + 1), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event"), 0);
}

/* The newest first, of this account only, and no more than asked for. */
static void listed(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *list = NULL;
    const ua_event_t *events = NULL;

    for (int i = 0; i < 4; i++) {
        assert_int_equal(ua_event_add(ctx, "login", i == 3 ? "other" : "acc",
                                      apr_psprintf(t->pool, "%d", i)),
                         APR_SUCCESS);
        ctx->now++;
    }
    assert_int_equal(ua_event_list(&list, ctx, "acc", 2), APR_SUCCESS);
    assert_int_equal(list->nelts, 2);
    events = (const ua_event_t *)(void *)list->elts;
    assert_string_equal(events[0].detail, "2");
    assert_string_equal(events[1].detail, "1");
    assert_string_equal(events[0].kind, "login");
    assert_string_equal(events[0].address, UA_TEST_ADDRESS);
    assert_string_equal(events[0].agent, "unit test");
    assert_int_equal(events[0].happened, t->now + 2);
    assert_int_equal(strlen(events[0].id), 36);
}

/* PRIV-04: what is kept of an erased account says nothing of the person. */
static void forgotten(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    assert_int_equal(ua_event_add(ctx, "login", "acc", "new_device"), APR_SUCCESS);
    assert_int_equal(ua_event_add(ctx, "login", "other", "new_device"), APR_SUCCESS);
    assert_int_equal(ua_event_forget(ctx, "acc"), APR_SUCCESS);
    assert_string_equal(ua_test_scalar(t, "SELECT kind || '|' || address || agent || detail "
                                          "FROM event WHERE account_id = 'acc'"),
                        "login|");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event WHERE address <> ''"), 1);
}

static void detached(void **state)
{
    static const char *const kinds[] = {"registered", "login_failed", "address_corrected",
                                        "reset_requested"};
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    for (size_t i = 0; i < COUNT(kinds); i++) {
        assert_int_equal(ua_event_add(ctx, kinds[i], "acc", ""), APR_SUCCESS);
        assert_int_equal(ua_event_add(ctx, kinds[i], "other", ""), APR_SUCCESS);
    }
    assert_int_equal(ua_event_detach(ctx, "acc", "registered", "address_corrected"),
                     APR_SUCCESS);
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(kind) FROM (SELECT kind FROM event WHERE "
                          "account_id = 'acc' ORDER BY kind)"),
        "address_corrected,registered");
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(kind) FROM (SELECT kind FROM event WHERE "
                          "account_id = '' ORDER BY kind)"),
        "login_failed,reset_requested");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM event WHERE account_id = 'other'"),
                     4);
}

/* No line about what did not happen. */
static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *list = NULL;

    site_break(t, "event");
    assert_failure(ctx, ua_event_add(ctx, "login", "a", ""), "event_insert");
    assert_int_equal(ctx->lines->nelts, 0);
    assert_failure(ctx, ua_event_happened(ctx), "event_get");
    assert_failure(ctx, ua_event_sweep(&(int){0}, ctx, t->now), "event_old");
    assert_failure(ctx, ua_event_list(&list, ctx, "a", 1), "event_list");
    assert_null(list);
    assert_failure(ctx, ua_event_forget(ctx, "a"), "event_forget");
    assert_failure(ctx, ua_event_detach(ctx, "a", "b", "c"), "event_detach");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(row_and_line), site_test(one_line_each), site_test(the_first_tells),
        site_test(long_agents),  site_test(swept),         site_test(listed),
        site_test(forgotten),    site_test(detached),      site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
