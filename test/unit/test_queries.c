/* test_queries.c: every statement of queries.h on SQLite: that it can be prepared, keeps to the rules
 * of the file, and finds its rows by an index (MAIL-11, SESS-11).
 */
#include "domain_site.h"

/* May read a whole table: at start, never for a request. */
static const char *const whole_tables[] = {
    "account_count",
    "schema_steps",
    "schema_tables",
};

/* Statements of every request, mail or sign-in, with the index that carries them. */
static const struct {
    const char *label, *plan;
} by_index[] = {
    {"account_by_id", "sqlite_autoindex_account_1 (id=?)"},
    {"account_by_username", "sqlite_autoindex_account_2 (username_key=?)"},
    {"account_by_email", "sqlite_autoindex_account_3 (email_key>?)"},
    {"account_unverified_before", "account_unverified (enabled=? AND created<?)"},
    {"token_get", "sqlite_autoindex_token_1 (id=?)"},
    {"token_use", "sqlite_autoindex_token_1 (id=?)"},
    {"token_end_purpose", "token_account (account_id=? AND purpose=?)"},
    {"token_old", "token_expires (expires<?)"},
    {"token_sweep", "sqlite_autoindex_token_1 (id=?)"},
    {"session_by_digest", "sqlite_autoindex_session_2 (digest=?)"},
    {"session_list", "session_account (account_id=? AND ended=?"},
    {"session_touch", "sqlite_autoindex_session_1 (id=?)"},
    {"device_get", "sqlite_autoindex_device_1 (digest=?)"},
    {"throttle_get", "sqlite_autoindex_throttle_1 (name=?)"},
    {"throttle_hit", "sqlite_autoindex_throttle_1 (name=?)"},
    {"outbox_due", "outbox_due (site=? AND state=? AND due<?)"},
    {"outbox_untried", "outbox_due (site=? AND state=? AND due<?)"},
    {"outbox_claim", "sqlite_autoindex_outbox_1 (id=?)"},
    {"outbox_latest", "outbox_account (account_id=?)"},
    {"outbox_drop_account", "outbox_account (account_id=?)"},
    {"outbox_old", "outbox_created (created<?)"},
    {"outbox_sweep", "sqlite_autoindex_outbox_1 (id=?)"},
    {"event_get", "sqlite_autoindex_event_1 (id=?)"},
    {"event_old", "event_happened (happened<?)"},
    {"event_sweep", "sqlite_autoindex_event_1 (id=?)"},
    {"session_sweep", "sqlite_autoindex_session_1 (id=?)"},
    {"device_sweep", "sqlite_autoindex_device_1 (digest=?)"},
    {"throttle_old", "throttle_touched (touched<?)"},
    {"throttle_sweep", "sqlite_autoindex_throttle_1 (name=?)"},
    {"held_email_old", "held_email_until (until<?)"},
    {"held_email_sweep", "sqlite_autoindex_held_email_1 (digest=?)"},
    {"old_password_old", "old_password_ended (ended<?)"},
    {"old_password_sweep", "sqlite_autoindex_old_password_1 (id=?)"},
};

static int may_read_all(const char *label)
{
    for (size_t i = 0; i < COUNT(whole_tables); i++) {
        if (strcmp(whole_tables[i], label) == 0) {
            return 1;
        }
    }
    return 0;
}

static const ua_query_t *query_of(const char *label)
{
    for (int i = 0; i < UA_QUERIES; i++) {
        if (strcmp(ua_queries[i].label, label) == 0) {
            return &ua_queries[i];
        }
    }
    fail_msg("no query %s", label);
    return NULL;
}

/* A value for each %s and %lld. */
static const ua_arg_t *values_of(apr_pool_t *pool, const char *sql)
{
    apr_array_header_t *args = apr_array_make(pool, 16, sizeof(ua_arg_t));
    ua_arg_t end = {NULL, 0, 1};

    for (const char *at = strchr(sql, '%'); at; at = strchr(at + 1, '%')) {
        if (at[1] != 's' && strncmp(at, "%lld", 4) != 0) {
            fail_msg("neither %%s nor %%lld: %s", sql);
        }
        APR_ARRAY_PUSH(args, ua_arg_t) = at[1] == 's' ? ua_s("x") : ua_n(1);
    }
    APR_ARRAY_PUSH(args, ua_arg_t) = end;
    return (const ua_arg_t *)(const void *)args->elts;
}

/* How SQLite would run it, one line a step. */
static const char *plan_of(ua_ctx_t *ctx, const ua_query_t *query, const char *sql)
{
    ua_query_t explain = *query;
    apr_array_header_t *rows = NULL;
    const char *plan = "";

    explain.sql = apr_pstrcat(ctx->pool, "EXPLAIN QUERY PLAN ", sql, NULL);
    if (ua_db_all(&rows, ctx, &explain, values_of(ctx->pool, sql)) != APR_SUCCESS) {
        fail_msg("%s", ctx->failed);
    }
    for (int i = 0; i < rows->nelts; i++) {
        plan = apr_pstrcat(ctx->pool, plan, APR_ARRAY_IDX(rows, i, ua_row_t)[3], "\n", NULL);
    }
    ua_db_release(ctx);
    return plan;
}

/* A context of a list of its own: statements are remembered by index. */
static ua_ctx_t *explainer(ua_test_t *t)
{
    ua_dbs_conf_t conf = {"sqlite3", t->conf->database[1], 1, UA_QUERIES, t->writer};
    ua_ctx_t *ctx = ua_test_context(t);

    assert_int_equal(ua_dbs_create(&ctx->dbs, &conf), APR_SUCCESS);
    return ctx;
}

static void numbered_and_named(void **state)
{
    (void)state;
    for (int i = 0; i < UA_QUERIES; i++) {
        assert_int_equal(ua_queries[i].index, i);
        assert_ptr_equal(query_of(ua_queries[i].label), &ua_queries[i]); /* none twice */
    }
    assert_string_equal(UA_Q(token_use)->label, "token_use");
}

/* The text runs on every engine: what queries.h says it leaves out. */
static void plain_sql(void **state)
{
    static const char *const words[] = {
        "NULL",   "RETURNING", "CONFLICT", "REPLACE", "LIKE",   "rowid",    "COALESCE",
        "IFNULL", "NOW",       "strftime", "random",  "lower(", "upper(",   "||",
        "OFFSET", "SELECT *",  "\"",       "`",       ";",      "datetime", "IN (",
    };

    (void)state;
    for (int i = 0; i < UA_QUERIES; i++) {
        const char *sql = ua_queries[i].sql;

        for (size_t n = 0; n < COUNT(words); n++) {
            if (strcasestr(sql, words[n])) {
                fail_msg("%s has %s", ua_queries[i].label, words[n]);
            }
        }
        for (const char *at = strchr(sql, '('); at; at = strchr(at + 1, '(')) {
            assert_true(at[-1] == ' ' || at[-1] == '(' || strncmp(at - 5, "COUNT", 5) == 0 ||
                        strncmp(at - 3, "MAX", 3) == 0 || strncmp(at - 3, "MIN", 3) == 0);
        }
        for (const char *at = strchr(sql, '\''); at; at = strchr(at + 2, '\'')) {
            assert_int_equal(at[1], '\''); /* no text but '': the rest is bound */
        }
    }
}

/* SQLite's driver keeps all threads of a child waiting while one reads: so not the sweep, either. */
static void no_whole_tables(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = explainer(t);

    for (int i = 0; i < UA_QUERIES; i++) {
        const char *plan = plan_of(ctx, &ua_queries[i], ua_queries[i].sql);

        if (strstr(plan, "SCAN") && !may_read_all(ua_queries[i].label)) {
            fail_msg("%s reads a whole table: %s", ua_queries[i].label, plan);
        }
    }
    ua_dbs_destroy(ctx->dbs);
}

static void the_right_index(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = explainer(t);

    for (size_t i = 0; i < COUNT(by_index); i++) {
        const ua_query_t *query = query_of(by_index[i].label);
        const char *plan = plan_of(ctx, query, query->sql);

        if (!strstr(plan, by_index[i].plan)) {
            fail_msg("%s: %s", by_index[i].label, plan);
        }
    }
    /* The oldest mail is found without sorting those that wait; other engines need to be told. */
    assert_non_null(strstr(UA_Q(outbox_due)->sql, "ORDER BY due LIMIT"));
    assert_null(strstr(plan_of(ctx, UA_Q(outbox_due), UA_Q(outbox_due)->sql), "B-TREE"));
    ua_dbs_destroy(ctx->dbs);
}

/* What hangs on a removed account is found by an index too. */
static void children_by_index(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = explainer(t);
    const char *tables = ua_test_scalar(t, "SELECT group_concat(m.name, ' ') FROM "
                                           "sqlite_master m, pragma_foreign_key_list(m.name) "
                                           "f WHERE m.type = 'table' AND f.\"table\" = "
                                           "'account' AND f.\"from\" = 'account_id' AND "
                                           "f.on_delete = 'CASCADE'");
    char *state_of = NULL;
    int count = 0;

    for (char *table = apr_strtok(apr_pstrdup(t->pool, tables), " ", &state_of); table;
         table = apr_strtok(NULL, " ", &state_of)) {
        const char *sql =
            apr_psprintf(t->pool, "SELECT 1 FROM %s WHERE account_id = 'x'", table);

        /* A statement is remembered by its index: another one each time. */
        assert_non_null(strstr(plan_of(ctx, &ua_queries[count++], sql), "SEARCH"));
    }
    assert_int_equal(count, 4); /* session, device, profile_field, old_password */
    ua_dbs_destroy(ctx->dbs);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(numbered_and_named), site_test(plain_sql),         site_test(no_whole_tables),
        site_test(the_right_index),    site_test(children_by_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
