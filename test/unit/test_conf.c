/* test_conf.c: directives set, merged and given defaults, by tables (CFG-04).
 *
 * What the directives mean together is app/settings.c's and tested there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/conf.h"

#include <apr_general.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table)   (sizeof(table) / sizeof *(table))
#define SECOND         ((apr_int64_t)1000000)
#define HOUR           (3600 * SECOND)
#define DAY            (24 * HOUR)
#define SET(conf, ...) set(conf, "a.conf:1", __VA_ARGS__, NULL)

static apr_pool_t *pool;

static int index_of(const char *name)
{
    int i = 0;

    while (i < UA_DIRECTIVES && strcmp(ua_directives[i].name, name) != 0) {
        i++;
    }
    if (i == UA_DIRECTIVES) {
        fail_msg("no such directive: %s", name);
    }
    return i;
}

/* One line of a configuration: the directive's name and its words. */
static const char *set(ua_conf_t *conf, const char *where, const char *name, ...)
{
    const char *words[20];
    int count = 0;
    va_list rest;

    va_start(rest, name);
    for (const char *word = va_arg(rest, const char *); word; word = va_arg(rest, char *)) {
        words[count++] = word;
    }
    va_end(rest);
    return ua_conf_set(conf, pool, index_of(name), count, words, where);
}

static apr_int64_t number_in(const ua_conf_t *conf, int row)
{
    apr_int64_t value = 0;

    memcpy(&value, (const char *)conf + ua_directives[row].offset, sizeof value);
    return value;
}

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

/* A refused word leaves everything as it was, and the sentence names the directive. */
static void refused(const char *name, const char *word)
{
    ua_conf_t *conf = ua_conf_create(pool);
    ua_conf_t *before = NULL;
    const char *why = NULL;

    ua_conf_defaults(conf, pool);
    before = apr_pmemdup(pool, conf, sizeof *conf);
    why = SET(conf, name, word);
    if (!why || strncmp(why, name, strlen(name)) != 0) {
        fail_msg("%s \"%s\": %s", name, word, why ? why : "taken");
    }
    assert_memory_equal(conf, before, sizeof *conf);
}

static void taken(const char *name, const char *word, apr_int64_t expected)
{
    ua_conf_t *conf = ua_conf_create(pool);
    const char *why = SET(conf, name, word);

    if (why || number_in(conf, index_of(name)) != expected) {
        fail_msg("%s %s: %s", name, word, why ? why : "another value");
    }
}

static void rows_are_sound(void **state)
{
    (void)state;
    for (int i = 0; i < UA_DIRECTIVES; i++) {
        const ua_directive_t *row = &ua_directives[i];

        assert_int_equal(strncmp(row->name, "UserAuth", 8), 0);
        assert_int_equal(index_of(row->name), i); /* no name twice */
        assert_true(strlen(row->help) > 10 && row->help[strlen(row->help) - 1] != '.');
        assert_true(row->smallest <= row->largest);
        assert_int_equal(row->kind == UA_KIND_CHOICE, row->choices != NULL);
        assert_true(row->offset < offsetof(ua_conf_t, where));
    }
}

/* CFG-04 for every number. */
static void numbers(void **state)
{
    static const char *const wrong[] = {
        "-1", "300x", "1e9", "", " 1", "1 ", "0x5", "5.0", "+5", "4,0", "9999999999999999999"};

    (void)state;
    for (int i = 0; i < UA_DIRECTIVES; i++) {
        const ua_directive_t *row = &ua_directives[i];

        if (row->kind != UA_KIND_NUMBER) {
            continue;
        }
        taken(row->name, apr_ltoa(pool, (long)row->smallest), row->smallest);
        taken(row->name, apr_ltoa(pool, (long)row->largest), row->largest);
        refused(row->name, apr_ltoa(pool, (long)row->smallest - 1));
        refused(row->name, apr_ltoa(pool, (long)row->largest + 1));
        for (size_t n = 0; n < COUNT(wrong); n++) {
            refused(row->name, wrong[n]);
        }
    }
    assert_string_equal(SET(ua_conf_create(pool), "UserAuthSessionLimit", "1001"),
                        "UserAuthSessionLimit is a whole number from 1 to 1000, not \"1001\"");
}

/* CFG-04 for every duration. */
static void times(void **state)
{
    static const char *const wrong[] = {"0",   "-1",   "",  "1x",
                                        "1e9", "24 h", "h", "99999999999d"};

    (void)state;
    for (int i = 0; i < UA_DIRECTIVES; i++) {
        const ua_directive_t *row = &ua_directives[i];

        if (row->kind != UA_KIND_TIME) {
            continue;
        }
        taken(row->name, apr_psprintf(pool, "%ds", (int)row->smallest), row->smallest * SECOND);
        taken(row->name, apr_psprintf(pool, "%d", (int)row->largest), row->largest * SECOND);
        refused(row->name, apr_psprintf(pool, "%ds", (int)row->smallest - 1));
        refused(row->name, apr_psprintf(pool, "%ds", (int)row->largest + 1));
        for (size_t n = 0; n < COUNT(wrong); n++) {
            refused(row->name, wrong[n]);
        }
    }
    assert_string_equal(SET(ua_conf_create(pool), "UserAuthFreshTime", "25h"),
                        "UserAuthFreshTime is a duration such as 90s, 15m, 24h or 7d, from 1 "
                        "second to 1 day, not \"25h\"");
}

static void choices(void **state)
{
    static const struct {
        const char *name, *word;
        apr_int64_t expected;
    } cases[] = {
        {"UserAuthVerifyOnGet", "auto", UA_GET_AUTO},
        {"UserAuthVerifyOnGet", "browser", UA_GET_BROWSER},
        {"UserAuthVerifyOnGet", "ADDRESS", UA_GET_ADDRESS},
        {"UserAuthVerifyOnGet", "any", UA_GET_ANY},
        {"UserAuthVerifyOnGet", "Never", UA_GET_NEVER},
        {"UserAuthRemoteUser", "username", UA_REMOTE_USERNAME},
        {"UserAuthRemoteUser", "id", UA_REMOTE_ID},
        {"UserAuthRemoteUser", "email", UA_REMOTE_EMAIL},
        {"UserAuthMailTLS", "unverified", 3},
    };

    static const char *const wrong[] = {"",  "an", "anyone", "auto|any",
                                        "|", "1",  " any",   "a n y"};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        taken(cases[i].name, cases[i].word, cases[i].expected);
    }
    for (size_t i = 0; i < COUNT(wrong); i++) {
        refused("UserAuthVerifyOnGet", wrong[i]);
    }
    assert_string_equal(SET(ua_conf_create(pool), "UserAuthRemoteUser", "name"),
                        "UserAuthRemoteUser is one of username|id|email, not \"name\"");
}

static void words(void **state)
{
    ua_conf_t *conf = ua_conf_create(pool);

    (void)state;
    assert_null(SET(conf, "UserAuthSiteName", "The Example Club"));
    assert_string_equal(conf->site_name, "The Example Club");
    assert_null(SET(conf, "UserAuthMailLimit", "1/1m", "5/1h", "10/24h"));
    assert_string_equal(conf->mail_limit, "1/1m 5/1h 10/24h");
    assert_null(SET(conf, "UserAuthMailLimit", "off"));
    assert_string_equal(conf->mail_limit, "off");
    assert_null(SET(conf, "UserAuthDatabase", "sqlite3", "/a/b c.db"));
    assert_string_equal(conf->database[0], "sqlite3");
    assert_string_equal(conf->database[1], "/a/b c.db");
    assert_null(SET(conf, "UserAuthUsernameReserved", "staff", "team"));
    assert_null(SET(conf, "UserAuthUsernameReserved", "press"));
    assert_int_equal(conf->username_reserved->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(conf->username_reserved, 0, char *), "staff team");
    assert_string_equal(APR_ARRAY_IDX(conf->username_reserved, 1, char *), "press");
    refused("UserAuthSiteName", "");
    refused("UserAuthMailLimit", "");
}

/* How many words a line may have, by kind; the sentence repeats what the directive is for. */
static void word_counts(void **state)
{
    static const struct {
        const char *name, *says;
        int fewest, most;
    } cases[] = {
        {"UserAuthBaseURL", "one argument", 1, 1},
        {"UserAuthSessionLimit", "one argument", 1, 1},
        {"UserAuthFreshTime", "one argument", 1, 1},
        {"UserAuthRemoteUser", "one argument", 1, 1},
        {"UserAuthDatabase", "two arguments", 2, 2},
        {"UserAuthMail", "two arguments", 2, 2},
        {"UserAuthMailLimit", "one or more arguments", 1, 16},
        {"UserAuthUsernameReserved", "one or more arguments", 1, 16},
    };

    const char *line[17];

    (void)state;
    for (int i = 0; i < 17; i++) {
        line[i] = "1";
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        int row = index_of(cases[i].name);

        for (int n = 0; n <= 17; n++) {
            ua_conf_t *conf = ua_conf_create(pool);
            const char *why = ua_conf_set(conf, pool, row, n, line, "a.conf:1");
            const char *begin =
                apr_pstrcat(pool, cases[i].name, " takes ", cases[i].says, ": ", NULL);
            int fits = n >= cases[i].fewest && n <= cases[i].most;

            assert_int_equal(why && strncmp(why, begin, strlen(begin)) == 0, !fits);
            assert_int_equal(fits || !conf->where[row], 1);
        }
    }
}

static void later_lines(void **state)
{
    ua_conf_t *conf = ua_conf_create(pool);
    int row = UA_D_session_limit;

    (void)state;
    assert_int_equal(conf->own, 0);
    assert_null(set(conf, "a.conf:1", "UserAuthSessionLimit", "7", NULL));
    assert_null(set(conf, "a.conf:9", "UserAuthSessionLimit", "8", NULL));
    assert_int_equal(conf->session_limit, 8);
    assert_string_equal(conf->where[row], "a.conf:9");
    assert_non_null(set(conf, "a.conf:12", "UserAuthSessionLimit", "x", NULL));
    assert_string_equal(conf->where[row], "a.conf:9");
    assert_int_equal(conf->own, 2);
    assert_null(set(conf, NULL, "UserAuthSessionLimit", "9", NULL)); /* by nobody's line */
    assert_int_equal(conf->own, 2);
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

static int pool_make(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int pool_drop(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

#define pool_test(function) cmocka_unit_test_setup_teardown(function, pool_make, pool_drop)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        pool_test(rows_are_sound),
        pool_test(numbers),
        pool_test(times),
        pool_test(choices),
        pool_test(words),
        pool_test(word_counts),
        pool_test(later_lines),
        pool_test(merged_words),
        pool_test(merged_lists),
        pool_test(defaults),
        pool_test(contract_numbers),
        pool_test(rates),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
