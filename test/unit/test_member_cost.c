/* test_member_cost.c: what a page of members costs on SQLite, in steps of its machine, never in time: as much
 * on a site of 5 000 members as on one of 500, at any depth and with any search; and that paging to the end
 * meets everybody once, also where most have both names alike.
 */
#include "domain_site.h"
#include "domain/member.h"

#include <dlfcn.h>

#define FEW  500
#define MANY 5000

/* sqlite3.h: SQLITE_TRACE_PROFILE, SQLITE_STMTSTATUS_VM_STEP */
#define PROFILE 0x02U
#define VM_STEP 4

typedef int trace_f(unsigned what, void *data, void *statement, void *time);
typedef int opened_f(void *db, char **error, const void *api);

static int (*trace)(void *db, unsigned what, trace_f *each, void *data);
static int (*status_of)(void *statement, int what, int reset);
static int steps;

static int count(unsigned what, void *data, void *statement, void *time)
{
    (void)what;
    (void)data;
    (void)time;
    steps += status_of(statement, VM_STEP, 1);
    return 0;
}

static int opened(void *db, char **error, const void *api)
{
    (void)error;
    (void)api;
    return trace(db, PROFILE, count, NULL);
}

/* Those of every connection that is opened from now on. */
static void count_steps(void)
{
    void *library = dlopen("libsqlite3.so.0", RTLD_NOW);
    int (*on_open)(opened_f * call) = NULL;

    assert_non_null(library);
    *(void **)&trace = dlsym(library, "sqlite3_trace_v2");
    *(void **)&status_of = dlsym(library, "sqlite3_stmt_status");
    *(void **)&on_open = dlsym(library, "sqlite3_auto_extension");
    assert_true(trace && status_of && on_open);
    assert_int_equal(on_open(opened), 0);
}

/* Accounts <username>000001, …; `name`, `enabled` (and confirmed) and `hidden` are SQL, with i for the number. */
typedef struct crowd_t {
    const char *username, *name, *enabled, *hidden;
} crowd_t;

static void fill(ua_test_t *t, const crowd_t *crowd, int many)
{
    ua_test_sql(t,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
                "INSERT INTO account (id, username, username_key, email, email_key, "
                "display_name, display_key, enabled, hidden, verified, password_hash, "
                "password_set, failures, device_failures, corrections, address, created, "
                "last_sign_in, previous_sign_in) SELECT '%s' || i, "
                "'%s' || substr(1000000 + i, 2), '%s' || substr(1000000 + i, 2), '%s' || i, "
                "'%s' || i, %s, lower(%s), %s, %s, %s, 'x', 1, 0, 0, 0, '192.0.2.1', 1, 1, 1 "
                "FROM n",
                many, crowd->username, crowd->username, crowd->username, crowd->username,
                crowd->username, crowd->name, crowd->name, crowd->enabled, crowd->hidden,
                crowd->enabled);
}

/* A search and where it goes on; ###### stands for the number of one of the crowd. */
typedef struct page_t {
    const char *prefix;
    const char *after_username; /* NULL: the first page */
    const char *after_display;
    int back; /* the number: so many before the last one; -1: the one in the middle */
} page_t;

static const char *numbered(apr_pool_t *pool, const char *pattern, int number)
{
    const char *at = pattern ? strstr(pattern, "######") : NULL;

    return at ? apr_psprintf(pool, "%.*s%06d%s", (int)(at - pattern), pattern, number, at + 6)
              : pattern;
}

/* The steps of this page among so many. */
static int cost_of(const crowd_t *crowd, const page_t *page, int many)
{
    ua_test_t *t = ua_test_open(NULL);
    ua_ctx_t *ctx = ua_test_context(t);
    int number = page->back < 0 ? many / 2 : many - page->back;
    ua_member_t after = {.username_key = numbered(t->pool, page->after_username, number),
                         .display_key = numbered(t->pool, page->after_display, number)};
    const ua_member_t *next = NULL;
    apr_array_header_t *list = NULL;
    int cost = 0;

    fill(t, crowd, many);
    fill(t, &(crowd_t){"zed", "'Zed'", "1", "0"}, 50);
    steps = 0;
    assert_int_equal(ua_member_list(&list, &next, ctx, page->prefix,
                                    page->after_username ? &after : NULL, 20),
                     APR_SUCCESS);
    cost = steps;
    ua_db_release(ctx);
    ua_test_close(t);
    return cost;
}

static void expect_the_same(const char *what, const crowd_t *crowd, const page_t *pages)
{
    int differences = 0;

    for (const page_t *page = pages; page->prefix; page++) {
        int few = cost_of(crowd, page, FEW);
        int many = cost_of(crowd, page, MANY);

        print_message("%s: q=%s after=%s/%s: %d steps among %d, %d among %d\n", what,
                      page->prefix, page->after_username ? page->after_username : "",
                      page->after_display ? page->after_display : "", few, FEW, many, MANY);
        assert_true(few > 0 || page > pages); /* they are counted at all */
        differences += many > few + few / 5;
    }
    assert_int_equal(differences, 0);
}

/* user000001, "User 000001" */
static void names_alike(void **state)
{
    static const page_t pages[] = {
        {"", NULL, NULL, 0},
        {"", "user######", NULL, -1},
        {"", "user######", NULL, 10},
        {"user", NULL, NULL, 0},
        {"user", "user######", NULL, -1},
        {"user", "user######", NULL, 10}, /* the last by username */
        {"user", "user######", NULL, 0},
        {"user", "zzz", NULL, 0},
        {"user", "user######", "user ######", -1},
        {"user", "user######", "user ######", 10},
        {"zed", NULL, NULL, 0},          /* behind all others */
        {"zed", "user######", NULL, -1}, /* of another search */
        {"zed", "user######", "user ######", -1},
        {"a", NULL, NULL, 0},
        {"a", "zzz", "zzz", 0},
        {"zzz", NULL, NULL, 0},
        {0},
    };

    (void)state;
    expect_the_same("alike", &(crowd_t){"user", "'User ' || substr(1000000 + i, 2)", "1", "0"},
                    pages);
}

/* Everybody is Anna. */
static void one_name(void **state)
{
    static const page_t pages[] = {
        {"an", NULL, NULL, 0},
        {"an", "user######", "anna", -1},
        {"an", "user######", "anna", 10},
        {"anna", NULL, NULL, 0},
        {"anna", "user######", "anna", -1},
        {"anna", "user######", "anna", 0},
        {"an", "zzz", NULL, 0},
        {"zed", NULL, NULL, 0},
        {0},
    };

    (void)state;
    expect_the_same("Anna", &(crowd_t){"user", "'Anna'", "1", "0"}, pages);
}

/* Who is not listed is not even looked at. */
static void not_listed(void **state)
{
    static const page_t pages[] = {
        {"", NULL, NULL, 0},
        {"user", NULL, NULL, 0},
        {"user", "user######", NULL, -1},
        {"an", NULL, NULL, 0},
        {"an", "user######", "anna", -1},
        {"zed", NULL, NULL, 0},
        {0},
    };

    (void)state;
    expect_the_same("hidden", &(crowd_t){"user", "'Anna'", "1", "1"}, pages);
    expect_the_same("unconfirmed", &(crowd_t){"user", "'Anna'", "0", "0"}, pages);
}

/* Pages to the end; how often each account was met is added to its `failures`. How many pages. */
static int walk(ua_test_t *t, const char *prefix, int most)
{
    const ua_member_t *next = NULL;
    int pages = 0;

    do {
        ua_ctx_t *ctx = ua_test_context(t);
        apr_array_header_t *list = NULL;
        const char *met = "''";

        assert_int_equal(ua_member_list(&list, &next, ctx, prefix, next, most), APR_SUCCESS);
        assert_in_range(list->nelts, 0, most);
        ua_db_release(ctx);
        for (int i = 0; i < list->nelts; i++) {
            met = apr_pstrcat(ctx->pool, met, ", '",
                              APR_ARRAY_IDX(list, i, ua_member_t).username, "'", NULL);
        }
        ua_test_sql(t, "UPDATE account SET failures = failures + 1 WHERE username IN (%s)",
                    met);
        assert_true(++pages < 2000);
    } while (next);
    return pages;
}

/* Each of them once, nobody else. The prefix is of plain letters. */
static void expect_each_once(ua_test_t *t, const char *prefix, int most)
{
    ua_test_sql(t, "UPDATE account SET failures = 0");
    (void)walk(t, prefix, most);
    assert_int_equal(
        ua_test_count(t,
                      "SELECT COUNT(*) FROM account WHERE failures <> (enabled = 1 AND "
                      "hidden = 0 AND (substr(username_key, 1, %d) = '%s' OR "
                      "substr(display_key, 1, %d) = '%s'))",
                      (int)strlen(prefix), prefix, (int)strlen(prefix), prefix),
        0);
}

static void everybody_once(void **state)
{
    static const crowd_t crowds[] = {
        {"user", "'User ' || substr(1000000 + i, 2)", "1", "0"}, /* found by both names */
        {"u", "'User'", "1", "0"},
        {"zoe", "'User ' || (i * 7 % 450)", "1", "0"}, /* between them */
        {"use.", "'zoe'", "1", "0"},
        {"usez", "''", "i % 2", "0"},
        {"usey", "'User'", "1", "i % 2"},
    };
    static const char *const prefixes[] = {"", "u", "user", "user ", "user 0", "zoe", "zz"};
    static const int sizes[] = {3, 20, 100};
    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(crowds); i++) {
        fill(t, &crowds[i], i == 0 ? 450 : 90);
    }
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        for (size_t n = 0; n < COUNT(sizes); n++) {
            expect_each_once(t, prefixes[i], sizes[n]);
        }
    }
}

/* What is skipped is no more than what was shown before: the way to the end is at most twice as long. */
static void few_short_pages(void **state)
{
    ua_test_t *t = *state;

    fill(t, &(crowd_t){"user", "'User ' || i", "1", "0"}, 1000);
    assert_in_range(walk(t, "user", 20), 50, 56);
    assert_in_range(walk(t, "user", 100), 10, 16);
    ua_test_sql(t, "DELETE FROM account WHERE username > 'user000190'");
    assert_int_equal(walk(t, "user", 19), 10); /* none where a page looks at them all */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_alike), cmocka_unit_test(one_name), cmocka_unit_test(not_listed),
        site_test(everybody_once),     site_test(few_short_pages),
    };

    count_steps();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
