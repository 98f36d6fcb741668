/* test_members.c: the pages of the members: list, search, pages, and one profile each.
 * Cases: ENUM-11, SQL-02, SQL-06, AUTHZ-01, AUTHZ-03, AUTHZ-05, XSS-01.
 */
#include "places.h"
#include "base/text.h"

#define MEMBERS "/dashboard/members"

/* A confirmed person who never signed in. */
static void add(ua_test_t *t, const char *username, const char *display_name)
{
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t account = {
        .username = username, .display_name = display_name, .password_hash = "hash"};

    assert_int_equal(ua_draw_uuid(&account.id, ctx), APR_SUCCESS);
    account.email = apr_pstrcat(t->pool, ua_lower(t->pool, username), "@example.org", NULL);
    account.address = "192.0.2.99";
    account.created = t->now;
    assert_int_equal(ua_account_insert(ctx, &account, account.email), APR_SUCCESS);
    assert_int_equal(ua_account_verify(ctx, account.id, account.email), APR_SUCCESS);
    ua_db_release(ctx);
}

/* m01, m02, … behind alice. */
static ua_test_t *site_of_many(int many)
{
    ua_test_t *t = site_of_alice();

    for (int i = 1; i <= many; i++) {
        add(t, apr_psprintf(t->pool, "m%02d", i), "Some Body");
    }
    return t;
}

static const char *asking(ua_test_t *t, const char *query)
{
    return apr_pstrcat(t->pool, MEMBERS "?", query, NULL);
}

/* Exactly the contract's members. */
static void tells_a_program(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    add(t, "Bob", "Bob \xC3\x96");
    t->json = 1;
    assert_status(t, ua_test_get(t, MEMBERS), 200);
    assert_string_equal(
        t->body, "{\"members\":[{\"username\":\"alice\",\"display_name\":\"\","
                 "\"member_since\":\"2026-11-21\"},{\"username\":\"Bob\",\"display_name\":"
                 "\"Bob \xC3\x96\",\"member_since\":\"2026-11-21\"}],\"next\":null}");
    ua_test_close(t);
}

static void shows_a_page(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    add(t, "Bob", "<b>Bob</b>");
    assert_status(t, ua_test_get(t, MEMBERS), 200);
    assert_shows(t, "<h1>Members</h1>");
    assert_shows(t, "aria-current=\"page\">Members</a>");
    assert_shows(t, "<form method=\"get\" action=\"/dashboard/members\"");
    assert_shows(t, "<label for=\"f-q\">");
    assert_shows(t, "<a href=\"/dashboard/members/Bob\">Bob</a>");
    assert_shows(t, "data-label=\"Display name\">&lt;b&gt;Bob&lt;/b&gt;</td>"); /* XSS-01 */
    assert_shows(t, "<time datetime=\"2026-11-21\">21 November 2026</time>");
    assert_false(ua_test_shows(t, "example.org"));
    assert_false(ua_test_shows(t, "Next page"));
    ua_test_close(t);
}

/* Walks all pages; the usernames seen, with a blank behind each. */
static const char *walk(ua_test_t *t, const char *query, int *pages)
{
    const char *names = "";
    const char *next = "";

    t->json = 1;
    for (*pages = 0; strcmp(next, "null") != 0 && *pages < 99; *pages += 1) {
        const char *path = apr_pstrcat(t->pool, MEMBERS "?", query, "&after=", next, NULL);

        assert_status(t, ua_test_get(t, path), 200);
        for (size_t i = 0; i < entries(t, "members"); i++) {
            names = apr_pstrcat(t->pool, names, entry_value(t, "members", i, "username"), " ",
                                NULL);
        }
        next = apr_pstrdup(t->pool, ua_test_value(t, "next"));
    }
    return names;
}

static void in_pages(void **state)
{
    ua_test_t *t = site_of_many(6); /* seven with alice */
    int pages = 0;

    (void)state;
    assert_string_equal(walk(t, "limit=3", &pages), "alice m01 m02 m03 m04 m05 m06 ");
    assert_int_equal(pages, 3);
    assert_string_equal(walk(t, "limit=7", &pages), "alice m01 m02 m03 m04 m05 m06 ");
    assert_int_equal(pages, 1); /* no empty page at the end */
    assert_string_equal(walk(t, "q=M&limit=1", &pages), "m01 m02 m03 m04 m05 m06 ");
    assert_int_equal(pages, 6);
    assert_string_equal(walk(t, "q=some+b&limit=4", &pages), "m01 m02 m03 m04 m05 m06 ");
    ua_test_close(t);
}

static void twenty_at_once(void **state)
{
    ua_test_t *t = site_of_many(20);

    (void)state;
    t->json = 1;
    assert_status(t, ua_test_get(t, MEMBERS), 200);
    assert_int_equal(entries(t, "members"), 20);
    assert_status(t, ua_test_get(t, asking(t, "limit=100")), 200);
    assert_int_equal(entries(t, "members"), 21);
    ua_test_close(t);
}

/* The page's links keep what was searched for. */
static void pages_of_a_search(void **state)
{
    ua_test_t *t = site_of_many(3);
    const char *next = NULL;
    const char *start = NULL;

    (void)state;
    assert_status(t, ua_test_get(t, asking(t, "q=Some%20Body&limit=2")), 200);
    assert_shows(t, "name=\"q\" value=\"Some Body\"");
    start = strstr(t->body, MEMBERS "?q=Some%20Body&amp;after=");
    assert_non_null(start);
    next = apr_pstrmemdup(t->pool, start, strcspn(start, "\""));
    next = apr_pstrcat(t->pool, MEMBERS "?q=Some%20Body&", strstr(next, "after="), NULL);
    start = strstr(next, "&amp;limit=2");
    assert_non_null(start);
    next = apr_pstrcat(t->pool, apr_pstrmemdup(t->pool, next, (apr_size_t)(start - next)),
                       "&limit=2", NULL);
    assert_status(t, ua_test_get(t, next), 200);
    assert_shows(t, "/dashboard/members/m03");
    assert_false(ua_test_shows(t, "/dashboard/members/m02"));
    assert_false(ua_test_shows(t, "Next page"));
    assert_shows(t, "First page");
    ua_test_close(t);
}

static void nobody_found(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    assert_status(t, ua_test_get(t, asking(t, "q=%3Ci%3E")), 200);
    assert_shows(t, "Nobody's name begins with “&lt;i&gt;”.");
    assert_shows(t, "Show all members");
    ua_test_sql(t, "UPDATE account SET hidden = 1");
    assert_status(t, ua_test_get(t, MEMBERS), 200);
    assert_shows(t, "Nobody is listed yet.");
    t->json = 1;
    assert_status(t, ua_test_get(t, MEMBERS), 200);
    assert_string_equal(t->body, "{\"members\":[],\"next\":null}");
    ua_test_close(t);
}

/* SQL-06, SQL-02 */
static void refuses_nonsense(void **state)
{
    static const char *const queries[] = {
        "limit=0", "limit=101", "limit=-1", "limit=9223372036854775808", "limit=1e1",
        "limit=", "limit=+5", "limit=%2B5", "limit=10%20", "limit=a", "limit=0x10",
        "limit=(select 1)", "after=%", "after=!",
        "after=YQ==", "after=YWxpY2U=", "after=YWxpY2", "after=JyBPUg",
        "after=YWxpY2VhbGljZWFsaWNlYWxpY2VhbGljZWFsaWNlYWxpY2U", "after=YQA", "after=QWxpY2U",
        "q=%ff", "q=%C3", "q=%00", "q=a%00b", "q=%zz", "q=%0", "q=%ED%A0%80",
        /* 65 characters */
        "q=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    ua_test_t *t = site_of_alice();

    (void)state;
    t->json = 1;
    for (size_t i = 0; i < COUNT(queries); i++) {
        print_message("%s\n", queries[i]);
        assert_status(t, ua_test_get(t, asking(t, queries[i])), 400);
        assert_value(t, "code", "bad_request");
    }
    t->json = 0;
    assert_status(t, ua_test_get(t, asking(t, "limit=101")), 400);
    assert_shows(t, "<h1>Bad request</h1>");
    ua_test_close(t);
}

static void takes_the_rest(void **state)
{
    static const char *const queries[] = {
        "q=", "q", "after=", "limit=1", "limit=100", "limit=007", "q=%25", "q=_", "q=%5C",
        "q=%5B", "sort=(select%201)&page=-1&order=1", "q=%20%20", "xq=%ff",
        /* 64 characters of four bytes */
        "q=%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80"
        "%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80"
        "%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80"
        "%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80"
        "%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80"
        "%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80"
        "%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80"
        "%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80"
        "%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80"
        "%F0%9F%98%80"};
    ua_test_t *t = site_of_alice();

    (void)state;
    t->json = 1;
    for (size_t i = 0; i < COUNT(queries); i++) {
        print_message("%s\n", queries[i]);
        assert_status(t, ua_test_get(t, asking(t, queries[i])), 200);
    }
    ua_test_close(t);
}

/* ---- one profile ---- */

/* A site with two fields of the operator's, and Bob, who filled in both. */
static ua_test_t *site_with_bob(void)
{
    ua_test_t *t = site_of_alice();

    assert_null(ua_test_start(t, "UserAuthMailLimit off",
                              "UserAuthProfileField city \"City\" public",
                              "UserAuthProfileField phone \"Phone\"", NULL));
    add(t, "Bob", "Bobby");
    ua_test_sql(t, "INSERT INTO profile_field SELECT id, 'city', 'Graz & Linz' FROM account "
                   "WHERE username = 'Bob'");
    ua_test_sql(t, "INSERT INTO profile_field SELECT id, 'phone', '555-0199' FROM account "
                   "WHERE username = 'Bob'");
    return t;
}

static void shows_a_profile(void **state)
{
    ua_test_t *t = site_with_bob();

    (void)state;
    assert_status(t, ua_test_get(t, MEMBERS "/bOB"), 200); /* any case */
    assert_shows(t, "<h1>Bobby</h1>");
    assert_shows(t, "<dd>Bob</dd>");
    assert_shows(t, "<time datetime=\"2026-11-21\">");
    assert_shows(t, "<dt>City</dt><dd>Graz &amp; Linz</dd>");
    assert_false(ua_test_shows(t, "555-0199"));
    assert_false(ua_test_shows(t, "bob@example.org"));
    t->json = 1;
    assert_status(t, ua_test_get(t, MEMBERS "/bob"), 200);
    assert_string_equal(t->body,
                        "{\"username\":\"Bob\",\"display_name\":\"Bobby\","
                        "\"member_since\":\"2026-11-21\",\"fields\":[{\"name\":\"city\","
                        "\"label\":\"City\",\"value\":\"Graz & Linz\"}]}");
    ua_test_close(t);
}

/* Only if its owner chose so. */
static void shows_the_address_by_choice(void **state)
{
    ua_test_t *t = site_with_bob();

    (void)state;
    ua_test_sql(t, "UPDATE account SET show_email = 1 WHERE username = 'Bob'");
    assert_status(t, ua_test_get(t, MEMBERS "/bob"), 200);
    assert_shows(t, "<dd>bob@example.org</dd>");
    t->json = 1;
    assert_status(t, ua_test_get(t, MEMBERS "/bob"), 200);
    assert_value(t, "email", "bob@example.org");
    assert_status(t, ua_test_get(t, MEMBERS), 200); /* never in the list */
    assert_false(ua_test_shows(t, "example.org"));
    ua_test_close(t);
}

/* ENUM-11: the same page for all who are not to be seen, and for nobody. */
static void others_are_not_found(void **state)
{
    static const char *const states[] = {
        "UPDATE account SET hidden = 1 WHERE username = 'Bob'",
        "UPDATE account SET hidden = 0, enabled = 0, verified = 0 WHERE username = 'Bob'",
        "UPDATE account SET enabled = 0, verified = 5, closed = 6 WHERE username = 'Bob'",
        "UPDATE account SET closed = 0 WHERE username = 'Bob'", /* shut out */
        "UPDATE account SET enabled = 1, verified = 0 WHERE username = 'Bob'"};
    ua_test_t *t = site_with_bob();

    (void)state;
    t->json = 1;
    for (size_t i = 0; i < COUNT(states); i++) {
        const char *body = NULL;

        ua_test_sql(t, "%s", states[i]);
        assert_status(t, ua_test_get(t, MEMBERS "/nob"), 404);
        body = apr_pstrdup(t->pool, t->body);
        assert_status(t, ua_test_get(t, MEMBERS "/bob"), 404);
        assert_string_equal(t->body, body);
        assert_value(t, "code", "not_found");
    }
    t->json = 0;
    assert_status(t, ua_test_get(t, MEMBERS "/bob"), 404);
    assert_shows(t, "<h1>Page not found</h1>");
    ua_test_close(t);
}

/* AUTHZ-05, AUTHZ-01: a name and nothing else leads to a person. */
static void only_by_name(void **state)
{
    static const char *const names[] = {
        "bob@example.org", "Bob%00", "' OR '1'='1", "%25", "_ob", "Bob/",
        "bob/x",           "..",     "bo b"};
    ua_test_t *t = site_with_bob();
    const char *id = ua_test_scalar(t, "SELECT id FROM account WHERE username = 'Bob'");

    (void)state;
    t->json = 1;
    assert_status(t, ua_test_get(t, apr_pstrcat(t->pool, MEMBERS "/", id, NULL)), 404);
    for (size_t i = 0; i < COUNT(names); i++) {
        int status = ua_test_get(t, apr_pstrcat(t->pool, MEMBERS "/", names[i], NULL));

        print_message("%s: %d\n", names[i], status);
        assert_true(status == 404 || (status == 308 && strcmp(names[i], "Bob/") == 0));
    }
    assert_status(t, ua_test_get(t, MEMBERS "/bob"), 200);
    assert_null(strstr(t->body, id));
    ua_test_close(t);
}

static void oneself_hidden(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    assert_status(t, ua_test_get(t, MEMBERS "/alice"), 200);
    assert_shows(t, "<h1>alice</h1>"); /* no display name */
    ua_test_sql(t, "UPDATE account SET hidden = 1");
    assert_status(t, ua_test_get(t, MEMBERS "/alice"), 404);
    t->jar = apr_table_make(t->pool, 8);
    (void)ua_test_mail(t); /* what waits for alice */
    ua_test_member(t, "eve");
    ua_test_login(t, "eve");
    assert_status(t, ua_test_get(t, MEMBERS "/alice"), 404);
    ua_test_close(t);
}

/* ENUM-11, AUTHZ-03: a stranger learns nothing, not even who exists. */
static void not_for_strangers(void **state)
{
    ua_test_t *t = site_with_bob();
    const char *paths[] = {MEMBERS, MEMBERS "/bob", MEMBERS "/nobody", MEMBERS "?limit=101"};

    (void)state;
    apr_table_clear(t->jar);
    t->json = 1;
    for (size_t i = 0; i < COUNT(paths); i++) {
        assert_status(t, ua_test_get(t, paths[i]), 401);
        assert_value(t, "code", "login_required");
    }
    ua_test_close(t);
}

static void without_storage(void **state)
{
    ua_test_t *t = site_with_bob();

    (void)state;
    t->json = 1;
    ua_test_sql(t, "ALTER TABLE profile_field RENAME TO away");
    ua_test_expect(t, "UA0101");
    assert_status(t, ua_test_get(t, MEMBERS "/bob"), 503);
    assert_value(t, "code", "storage_unavailable");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_a_program),
        cmocka_unit_test(shows_a_page),
        cmocka_unit_test(in_pages),
        cmocka_unit_test(twenty_at_once),
        cmocka_unit_test(pages_of_a_search),
        cmocka_unit_test(nobody_found),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(takes_the_rest),
        cmocka_unit_test(shows_a_profile),
        cmocka_unit_test(shows_the_address_by_choice),
        cmocka_unit_test(others_are_not_found),
        cmocka_unit_test(only_by_name),
        cmocka_unit_test(oneself_hidden),
        cmocka_unit_test(not_for_strangers),
        cmocka_unit_test(without_storage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
