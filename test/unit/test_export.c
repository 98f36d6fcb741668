/* test_export.c: everything stored about a person in one file: complete, of that person only, only after the
 * password was given lately, and without anything that opens the account.
 *
 * Cases: PRIV-09, AUTHZ-01, AUTHZ-03, SESS-01.
 */
#include "places.h"

#define EXPORT "/dashboard/export"

/* The file as JSON; it lives until the next request. */
static json_t *file_of(ua_test_t *t)
{
    json_t *file = ua_json_own(t->turn, json_loads(t->body, 0, NULL));

    assert_non_null(file);
    return file;
}

/* A member by its path: "account.email". */
static const char *text_at(json_t *value, const char *list, size_t at, const char *name)
{
    return ua_json_get(json_array_get(json_object_get(value, list), at), name);
}

static ua_test_t *site_of_a_life(void)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off",
                                "UserAuthProfileField city \"City\" public", NULL);

    ua_test_member(t, "alice");
    t->agent = FIREFOX;
    t->address = "198.51.100.4";
    ua_test_login(t, "alice");
    ua_test_clock(t, 60);
    t->jar = apr_table_make(t->pool, 8);
    ua_test_login(t, "alice");
    assert_status(t,
                  ua_test_submit(t, "/dashboard/profile", "display_name", "Alice \xC3\x96",
                                 "city", "Graz", NULL),
                  303);
    ua_test_sql(t, "INSERT INTO profile_field SELECT id, 'shoe', '42' FROM account");
    ua_test_sql(t, "UPDATE session SET ended = created + 1000000 WHERE created = (SELECT "
                   "MIN(created) FROM session)");
    return t;
}

static void is_a_download(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    assert_status(t, ua_test_get(t, EXPORT), 200);
    assert_string_equal(t->res->type, "application/json");
    assert_string_equal(ua_test_reply_header(t, "Content-Disposition"),
                        "attachment; filename=\"localhost-alice.json\"");
    assert_string_equal(ua_test_reply_header(t, "Cache-Control"), "no-store");
    assert_string_equal(ua_test_reply_header(t, "X-Content-Type-Options"), "nosniff");
    assert_non_null(file_of(t));
    assert_value(t, "site", "http://localhost:8080");
    assert_value(t, "exported", "2026-11-21T08:30:00Z");
    t->json = 1; /* the same for a program */
    assert_status(t, ua_test_get(t, EXPORT), 200);
    assert_value(t, "account.username", "alice");
    ua_test_close(t);
}

/* PRIV-09: complete. */
static void the_account(void **state)
{
    ua_test_t *t = site_of_a_life();

    (void)state;
    ua_test_sql(t, "UPDATE account SET member_of = 'staff,editors'");
    assert_status(t, ua_test_get(t, EXPORT), 200);
    assert_value(t, "account.id", ua_test_scalar(t, "SELECT id FROM account"));
    assert_value(t, "account.username", "alice");
    assert_value(t, "account.email", "alice@example.org");
    assert_value(t, "account.email_verified", "true");
    assert_value(t, "account.display_name", "Alice \xC3\x96");
    assert_value(t, "account.hidden", "false");
    assert_value(t, "account.show_email", "false");
    assert_value(t, "account.registered_from", UA_TEST_ADDRESS);
    assert_value(t, "account.created", "2026-11-21T08:30:00Z");
    assert_value(t, "account.verified", "2026-11-21T08:30:00Z");
    assert_value(t, "account.password_set", "2026-11-21T08:30:00Z");
    assert_value(t, "account.last_sign_in", "2026-11-21T08:31:00Z");
    assert_value(t, "account.previous_sign_in", "2026-11-21T08:30:00Z");
    assert_value(t, "account.failed_sign_ins", "0");
    assert_value(t, "account.groups", "staff,editors");
    assert_value(t, "fields.city", "Graz");
    assert_value(t, "fields.shoe", "42"); /* the operator asks for it no more */
    ua_test_close(t);
}

static void places_and_browsers(void **state)
{
    ua_test_t *t = site_of_a_life();
    json_t *file = NULL;

    (void)state;
    assert_status(t, ua_test_get(t, EXPORT), 200);
    file = file_of(t);
    assert_int_equal(json_array_size(json_object_get(file, "sessions")), 2);
    assert_string_equal(text_at(file, "sessions", 0, "id"), own_id(t));
    assert_string_equal(text_at(file, "sessions", 0, "agent"), FIREFOX);
    assert_string_equal(text_at(file, "sessions", 0, "address"), "198.51.100.4");
    assert_string_equal(text_at(file, "sessions", 0, "signed_in_by"), "pwd");
    assert_string_equal(text_at(file, "sessions", 0, "created"), "2026-11-21T08:31:00Z");
    assert_string_equal(text_at(file, "sessions", 0, "last_used"), "2026-11-21T08:31:00Z");
    assert_string_equal(text_at(file, "sessions", 0, "password_given"), "2026-11-21T08:31:00Z");
    assert_string_equal(text_at(file, "sessions", 0, "expires"), "2026-11-22T08:31:00Z");
    assert_string_equal(text_at(file, "sessions", 0, "ended"), "");
    assert_string_equal(text_at(file, "sessions", 0, "api_tokens_expire"), "");
    assert_string_equal(text_at(file, "sessions", 1, "ended"), "2026-11-21T08:30:01Z");
    assert_int_equal(json_array_size(json_object_get(file, "known_browsers")), 2);
    assert_string_equal(text_at(file, "known_browsers", 0, "created"), "2026-11-21T08:30:00Z");
    ua_test_close(t);
}

static void mails_links_events(void **state)
{
    ua_test_t *t = site_of_a_life();
    json_t *file = NULL;
    size_t mails = (size_t)ua_test_count(t, "SELECT COUNT(*) FROM outbox");
    size_t links = (size_t)ua_test_count(t, "SELECT COUNT(*) FROM token");
    size_t events = (size_t)ua_test_count(t, "SELECT COUNT(*) FROM event");

    (void)state;
    assert_true(mails >= 3 && links >= 3 && events >= 5);
    assert_status(t, ua_test_get(t, EXPORT), 200);
    file = file_of(t);
    assert_int_equal(json_array_size(json_object_get(file, "mails")), mails);
    assert_int_equal(json_array_size(json_object_get(file, "links")), links);
    assert_int_equal(json_array_size(json_object_get(file, "events")), events);
    assert_string_equal(text_at(file, "mails", mails - 1, "to"), "alice@example.org");
    assert_non_null(strstr(t->body, "{\"mail\":\"verify\",\"to\":\"alice@example.org\","
                                    "\"greeting\":\"alice\",\"detail\":\"{\\\"device\\\":"));
    assert_non_null(strstr(text_at(file, "mails", 0, "detail"), "\"address\":\""));
    assert_int_equal(json_array_size(json_object_get(file, "old_passwords")), 0);
    assert_non_null(strstr(t->body, "{\"purpose\":\"verify\",\"to\":\"alice@example.org\","
                                    "\"created\":\"2026-11-21T08:30:00Z\",\"expires\":"
                                    "\"2026-11-22T08:30:00Z\",\"ended\":"
                                    "\"2026-11-21T08:30:00Z\"}"));
    assert_non_null(strstr(t->body, "{\"event\":\"registered\",\"detail\":\"\",\"address\":"
                                    "\"" UA_TEST_ADDRESS "\","));
    ua_test_close(t);
}

/* PRIV-09, INV-6: no hash, no digest, no link that works. */
static void no_secrets(void **state)
{
    static const char *const columns[] = {"password_hash FROM account", "digest FROM session",
                                          "digest FROM device", "digest FROM held_name",
                                          "id FROM token WHERE state = 0"};
    ua_test_t *t = site_of_a_life();

    (void)state;
    assert_status(t, ua_test_get(t, EXPORT), 200);
    for (size_t i = 0; i < COUNT(columns); i++) {
        const char *secret = ua_test_scalar(t, "SELECT %s", columns[i]);

        assert_true(strlen(secret) > 20);
        assert_null(strstr(t->body, secret));
    }
    assert_null(strstr(t->body, ua_test_cookie(t, "")));
    assert_null(strstr(t->body, "argon2"));
    ua_test_close(t);
}

/* AUTHZ-01: nobody else's, whatever is asked for. */
static void ones_own_only(void **state)
{
    ua_test_t *t = site_of_a_life();
    const char *hers = ua_test_scalar(t, "SELECT id FROM account");

    (void)state;
    t->jar = apr_table_make(t->pool, 8);
    t->address = UA_TEST_ADDRESS;
    (void)ua_test_mail(t); /* what waits for alice */
    ua_test_member(t, "eve");
    ua_test_login(t, "eve");
    assert_status(t, ua_test_get(t, apr_pstrcat(t->pool, EXPORT "?user=alice&id=", hers, NULL)),
                  200);
    assert_value(t, "account.username", "eve");
    assert_null(strstr(t->body, "alice"));
    assert_null(strstr(t->body, hers));
    assert_null(strstr(t->body, "198.51.100.4"));
    ua_test_close(t);
}

static void asks_for_the_password_first(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    grow_stale(t);
    assert_status(t, ua_test_get(t, EXPORT), 303);
    assert_string_equal(ua_test_location(t), "/auth/reauth?next=%2Fdashboard%2Fexport");
    t->json = 1;
    assert_status(t, ua_test_get(t, EXPORT), 403);
    assert_value(t, "code", "reauth_required");
    assert_null(strstr(t->body, "alice"));
    t->json = 0;
    assert_int_equal(ua_test_events(t, "\"exported\""), 0);
    assert_status(
        t,
        ua_test_submit(t, "/auth/reauth", "password", UA_TEST_PASSWORD, "next", EXPORT, NULL),
        303);
    assert_string_equal(ua_test_location(t), EXPORT);
    assert_status(t, ua_test_get(t, EXPORT), 200);
    ua_test_close(t);
}

/* AUTHZ-03 */
static void not_for_strangers(void **state)
{
    ua_test_t *t = site_of_alice();

    (void)state;
    apr_table_clear(t->jar);
    assert_status(t, ua_test_get(t, EXPORT), 303);
    t->json = 1;
    assert_status(t, ua_test_get(t, EXPORT), 401);
    ua_test_close(t);
}

/* A look at the headers takes nothing along and writes nothing. */
static void notes_what_was_taken(void **state)
{
    ua_test_t *t = site_of_alice();
    const char *before = ua_test_rows(t);

    (void)state;
    assert_int_equal(ua_test_head(t, EXPORT), 200);
    assert_status(t, ua_test_request(t, UA_METHOD_OPTIONS, EXPORT, "", ""), 204);
    assert_string_equal(ua_test_rows(t), before);
    assert_status(t, ua_test_submit(t, EXPORT, NULL), 405);
    assert_string_equal(ua_test_reply_header(t, "Allow"), "GET, HEAD, OPTIONS");
    assert_string_equal(ua_test_scalar(t, "SELECT COUNT(*) FROM event WHERE kind = 'exported'"),
                        "1");
    assert_int_equal(ua_test_events(t, "\"event\":\"exported\""), 1);
    ua_test_close(t);
}

static void without_storage(void **state)
{
    static const char *const tables[] = {"profile_field", "device", "outbox", "token", "event"};

    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        ua_test_t *t = site_of_alice();

        ua_test_sql(t, "ALTER TABLE %s RENAME TO away", tables[i]);
        ua_test_expect(t, "UA0101");
        t->json = 1;
        assert_status(t, ua_test_get(t, EXPORT), 503);
        assert_value(t, "code", "storage_unavailable");
        assert_null(strstr(t->body, "alice"));
        assert_string_equal(ua_test_reply_header(t, "Content-Disposition"), "");
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_download),
        cmocka_unit_test(the_account),
        cmocka_unit_test(places_and_browsers),
        cmocka_unit_test(mails_links_events),
        cmocka_unit_test(no_secrets),
        cmocka_unit_test(ones_own_only),
        cmocka_unit_test(asks_for_the_password_first),
        cmocka_unit_test(not_for_strangers),
        cmocka_unit_test(notes_what_was_taken),
        cmocka_unit_test(without_storage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
