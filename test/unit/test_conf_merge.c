/* test_conf_merge.c: settings over scopes, their defaults, and rates. */
#include "conf_lines.h"

static const char *text_in(const ua_conf_t *conf, int row)
{
    const char *value = NULL;

    memcpy((void *)&value, (const char *)conf + ua_directives[row].offset, sizeof value);
    return value;
}

static int is_number(const ua_directive_t *row)
{
    return row->kind == UA_KIND_NUMBER || row->kind == UA_KIND_TIME ||
           row->kind == UA_KIND_CHOICE;
}

static void merged_words(void **state)
{
    ua_conf_t *under = ua_conf_create(pool);
    ua_conf_t *over = ua_conf_create(pool);
    ua_conf_t *merged = NULL;

    (void)state;
    assert_null(set(under, "u:1", "UserAuthSiteName", "Under", NULL));
    assert_null(set(under, "u:2", "UserAuthSessionLimit", "7", NULL));
    assert_null(set(under, "u:3", "UserAuthFreshTime", "5m", NULL));
    assert_null(set(under, "u:4", "UserAuthDatabase", "sqlite3", "/under", NULL));
    assert_null(set(under, "u:5", "UserAuthRemoteUser", "id", NULL));
    assert_null(set(under, "u:6", "UserAuthMailLimit", "off", NULL));
    assert_null(set(over, "o:1", "UserAuthSiteName", "Over", NULL));
    assert_null(set(over, "o:2", "UserAuthRemoteUser", "username", NULL));
    merged = ua_conf_merge(pool, under, over);
    assert_string_equal(merged->site_name, "Over");
    assert_string_equal(merged->where[UA_D_site_name], "o:1");
    assert_int_equal(merged->remote_user, UA_REMOTE_USERNAME); /* 0, and yet set */
    assert_int_equal(merged->session_limit, 7);
    assert_string_equal(merged->where[UA_D_session_limit], "u:2");
    assert_int_equal(merged->fresh_time, 300 * SECOND);
    assert_string_equal(merged->database[0], "sqlite3");
    assert_string_equal(merged->database[1], "/under");
    assert_string_equal(merged->mail_limit, "off");
    assert_null(merged->key_file);
    assert_int_equal(merged->own, 2);
    assert_string_equal(under->site_name, "Under");
    assert_null(over->where[UA_D_session_limit]);
}

static void merged_lists(void **state)
{
    static const struct {
        const char *comment, *under, *over, *expected, *where;
    } cases[] = {
        {"neither", NULL, NULL, NULL, NULL},
        {"inherited", "staff", NULL, "staff", "u:1"},
        {"its own", NULL, "team", "team", "o:1"},
        {"joined, the outer first", "staff", "team", "staff,team", "o:1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ua_conf_t *under = ua_conf_create(pool);
        ua_conf_t *over = ua_conf_create(pool);
        ua_conf_t *merged = NULL;

        if (cases[i].under) {
            assert_null(set(under, "u:1", "UserAuthUsernameReserved", cases[i].under, NULL));
        }
        if (cases[i].over) {
            assert_null(set(over, "o:1", "UserAuthUsernameReserved", cases[i].over, NULL));
        }
        merged = ua_conf_merge(pool, under, over);
        if (!cases[i].expected) {
            assert_null(merged->username_reserved);
            continue;
        }
        assert_string_equal(apr_array_pstrcat(pool, merged->username_reserved, ','),
                            cases[i].expected);
        if (!merged->where[UA_D_username_reserved]) {
            fail_msg("%s: nobody knows which line", cases[i].comment);
        }
        assert_string_equal(merged->where[UA_D_username_reserved], cases[i].where);
        /* What is added to the merged list is not added to the one inherited. */
        assert_null(set(merged, "m:1", "UserAuthUsernameReserved", "press", NULL));
        assert_int_equal(under->username_reserved ? under->username_reserved->nelts : 0,
                         cases[i].under != NULL);
    }
}

/* Each default is what an administrator could have written, and yields to what was written. */
static void defaults(void **state)
{
    ua_conf_t *bare = ua_conf_create(pool);
    ua_conf_t *written = ua_conf_create(pool);

    (void)state;
    ua_conf_defaults(bare, pool);
    for (int i = 0; i < UA_DIRECTIVES; i++) {
        const ua_directive_t *row = &ua_directives[i];

        if (!row->initial) {
            assert_null(text_in(bare, i));
            continue;
        }
        assert_null(ua_conf_set(written, pool, i, 1, &row->initial, "a.conf:1"));
        if (is_number(row)) {
            assert_int_equal(number_in(bare, i), number_in(written, i));
        }
        else {
            assert_string_equal(text_in(bare, i), text_in(written, i));
        }
        assert_null(bare->where[i]);
    }
    assert_null(SET(written, "UserAuthSessionLimit", "7"));
    ua_conf_defaults(written, pool);
    assert_int_equal(written->session_limit, 7);
    assert_int_equal(bare->own, 0);
}

/* The numbers of contract 8. */
static void contract_numbers(void **state)
{
    ua_conf_t *conf = ua_conf_create(pool);

    (void)state;
    ua_conf_defaults(conf, pool);
    assert_string_equal(conf->path, "/auth");
    assert_string_equal(conf->dashboard_path, "/dashboard");
    assert_string_equal(conf->mail_limit, "1/1m 5/1h 10/24h");
    assert_string_equal(conf->password_hash, "m=19456,t=2,p=1");
    assert_int_equal(conf->verify_lifetime, 24 * HOUR);
    assert_int_equal(conf->disown_lifetime, 7 * DAY);
    assert_int_equal(conf->unverified_lifetime, 7 * DAY);
    assert_int_equal(conf->session_idle, HOUR);
    assert_int_equal(conf->session_lifetime, 24 * HOUR);
    assert_int_equal(conf->remember_lifetime, 30 * DAY);
    assert_int_equal(conf->fresh_time, 15 * 60 * SECOND);
    assert_int_equal(conf->session_limit, 50);
    assert_int_equal(conf->lock_after, 5);
    assert_int_equal(conf->lock_wait, 30 * SECOND);
    assert_int_equal(conf->lock_disable, 50);
    assert_int_equal(conf->password_min_length, 8);
    assert_int_equal(conf->password_min_score, 3);
    assert_int_equal(conf->hash_queue, 64);
    assert_int_equal(conf->retention, 90 * DAY);
    assert_int_equal(conf->database_connections, 4);
    assert_int_equal(conf->remote_user, UA_REMOTE_USERNAME);
    assert_int_equal(conf->verify_on_get, UA_GET_AUTO);
}

static void rates(void **state)
{
    static const struct {
        const char *text;
        apr_int64_t count;
        apr_interval_time_t duration; /* -1: refused */
    } cases[] = {
        {"30/5m", 30, 300 * SECOND},
        {"1/1s", 1, SECOND},
        {"20/3600", 20, HOUR},
        {"999999999/7d", 999999999, 7 * DAY},
        {"off", 0, 0},
        {"OFF", 0, 0},
        {"", 0, -1},
        {"30", 0, -1},
        {"30/", 0, -1},
        {"/5m", 0, -1},
        {"0/5m", 0, -1},
        {"30/0", 0, -1},
        {"-1/5m", 0, -1},
        {"30/-5m", 0, -1},
        {"1e9/5m", 0, -1},
        {"30 /5m", 0, -1},
        {" 30/5m", 0, -1},
        {"30/5m ", 0, -1},
        {"30/5m/1", 0, -1},
        {"30/5x", 0, -1},
        {"1000000000/5m", 0, -1},
        {"o f f", 0, -1},
        {"offer", 0, -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ua_rate_t rate = {77, 77};
        apr_status_t rv = ua_rate_parse(&rate, cases[i].text);
        int wrong = cases[i].duration < 0;

        if (rv != (wrong ? APR_EINVAL : APR_SUCCESS) ||
            rate.count != (wrong ? 77 : cases[i].count) ||
            rate.duration != (wrong ? 77 : cases[i].duration)) {
            fail_msg("\"%s\": status %d", cases[i].text, rv);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        pool_test(merged_words),     pool_test(merged_lists), pool_test(defaults),
        pool_test(contract_numbers), pool_test(rates),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
