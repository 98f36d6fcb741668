/* test_conf.c: single directives, by tables (CFG-04). test_conf_merge.c has scopes and defaults.
 *
 * What the directives mean together is app/settings.c's and tested there.
 */
#include "conf_lines.h"

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
        for (size_t n = row->smallest == 0 ? 1 : 0; n < COUNT(wrong); n++) {
            refused(row->name, wrong[n]);
        }
    }
    assert_string_equal(SET(ua_conf_create(pool), "UserAuthFreshTime", "25h"),
                        "UserAuthFreshTime is a duration such as 90s, 15m, 24h or 7d, from 1 "
                        "second to 24 hours, not \"25h\"");
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
    assert_string_equal(APR_ARRAY_IDX(conf->username_reserved, 0, char *), "staff\nteam");
    assert_string_equal(APR_ARRAY_IDX(conf->username_reserved, 1, char *), "press");
    assert_null(SET(conf, "UserAuthProfileField", "phone", "Not public", "required"));
    assert_string_equal(APR_ARRAY_IDX(conf->profile_field_lines, 0, char *),
                        "phone\nNot public\nrequired");
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        pool_test(rows_are_sound), pool_test(numbers), pool_test(times),
        pool_test(choices),        pool_test(words),   pool_test(word_counts),
        pool_test(later_lines),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
