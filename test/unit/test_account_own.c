/* test_account_own.c: what a person changes of an account that is confirmed: profile, address, password; and
 * its end: closed, restored, erased.
 *
 * Cases: INV-3, INV-5, AUTHZ-03, PRIV-05, RACE-10.
 */
#include "domain_site.h"
#include "domain/session.h"
#include "domain/token.h"

#define EMAIL "mike@example.org"
#define DAY   SECONDS(86400)

static ua_account_t *account_of(ua_ctx_t *ctx, const char *id)
{
    ua_account_t *account = NULL;

    assert_int_equal(ua_account_by_id(&account, ctx, id), APR_SUCCESS);
    return account;
}

static void profile(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t *mike = account_of(ctx, site_member(ctx, "mike"));
    ua_account_t changed = *mike;
    ua_account_t *found = NULL;

    (void)site_member(ctx, "eve");
    changed.username = "Mike.O";
    changed.display_name = "MIKE \xC3\x96";
    changed.hidden = changed.show_email = 1;
    changed.email = "not@example.org"; /* not for it to say */
    changed.enabled = 0;
    assert_int_equal(ua_account_set_profile(ctx, &changed), APR_SUCCESS);
    assert_int_equal(ua_account_by_username(&found, ctx, "mike.o"), APR_SUCCESS);
    assert_string_equal(found->username, "Mike.O");
    assert_string_equal(found->display_name, "MIKE \xC3\x96");
    assert_string_equal(found->email, EMAIL);
    assert_int_equal(found->hidden + found->show_email + found->enabled, 3);
    assert_string_equal(ua_test_scalar(t, "SELECT display_key FROM account WHERE hidden = 1"),
                        "mike \xC3\xB6");
    changed.username = "EVE"; /* INV-3 */
    assert_failure(ctx, ua_account_set_profile(ctx, &changed), "account_set_profile");
    ua_test_sql(t, "UPDATE account SET enabled = 0");
    assert_int_equal(ua_account_set_profile(ctx, mike), APR_NOTFOUND);
    assert_string_equal(account_of(ctx, mike->id)->username, "Mike.O");
}

/* Of two who change it at once the second has seen another address. */
static void address(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t *mike = account_of(ctx, site_member(ctx, "mike"));
    ua_account_t *found = NULL;

    (void)site_member(ctx, "eve");
    assert_failure(ctx, ua_account_set_email(ctx, mike, "Eve@example.org", "eve@example.org"),
                   "account_set_email");
    assert_int_equal(ua_account_set_email(ctx, mike, "M@example.org", "m@example.org"),
                     APR_SUCCESS);
    assert_int_equal(ua_account_by_email(&found, ctx, "m@example.org"), APR_SUCCESS);
    assert_string_equal(found->email, "M@example.org");
    assert_int_equal(ua_account_by_email(&found, ctx, EMAIL), APR_NOTFOUND);
    assert_int_equal(ua_account_set_email(ctx, mike, "x@example.org", "x@example.org"),
                     APR_NOTFOUND);
    assert_int_equal(ua_account_close(ctx, mike->id), APR_SUCCESS);
    assert_int_equal(ua_account_set_email(ctx, found, "x@example.org", "x@example.org"),
                     APR_NOTFOUND);
    assert_string_equal(account_of(ctx, mike->id)->email, "M@example.org");
}

/* INV-5: not over one that was set meanwhile; and it switches the password on again. */
static void password(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t *seen = account_of(ctx, site_member(ctx, "mike"));
    const ua_account_t *now = NULL;

    assert_int_equal(ua_account_failed(ctx, seen->id, 0), APR_SUCCESS);
    assert_int_equal(ua_account_failed(ctx, seen->id, 1), APR_SUCCESS);
    assert_int_equal(ua_account_password_off(ctx, seen->id), APR_SUCCESS);
    assert_int_equal(account_of(ctx, seen->id)->password_off, 1);
    assert_int_equal(ua_account_signed_in(ctx, account_of(ctx, seen->id)), APR_NOTFOUND);
    ctx->now += SECONDS(1);
    assert_int_equal(ua_account_set_password(ctx, seen, "new"), APR_SUCCESS);
    now = account_of(ctx, seen->id);
    assert_string_equal(now->password_hash, "new");
    assert_int_equal(now->password_set, t->now + SECONDS(1));
    assert_int_equal(now->password_off + now->failures + now->device_failures, 0);
    assert_int_equal(ua_account_signed_in(ctx, now), APR_SUCCESS);
    assert_int_equal(ua_account_set_password(ctx, seen, "newer"), APR_NOTFOUND);
    assert_string_equal(account_of(ctx, seen->id)->password_hash, "new");
    assert_int_equal(ua_account_close(ctx, seen->id), APR_SUCCESS);
    assert_int_equal(ua_account_set_password(ctx, now, "newer"), APR_NOTFOUND);
    assert_int_equal(ua_account_password_off(ctx, seen->id), APR_SUCCESS);
    assert_int_equal(account_of(ctx, seen->id)->password_off, 0);
}

static void stripped_and_cleared(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const ua_account_t *now = NULL;

    ua_test_sql(t, "UPDATE account SET display_name = 'M', display_key = 'm', hidden = 1, "
                   "show_email = 1, failures = 3, device_failures = 4");
    assert_int_equal(ua_account_strip(ctx, mike), APR_SUCCESS);
    assert_int_equal(ua_account_clear_failures(ctx, mike), APR_SUCCESS);
    now = account_of(ctx, mike);
    assert_string_equal(now->display_name, "");
    assert_string_equal(ua_test_scalar(t, "SELECT display_key FROM account"), "");
    assert_int_equal(now->hidden + now->show_email + now->failures + now->device_failures, 0);
    assert_string_equal(now->username, "mike");
    assert_string_equal(now->email, EMAIL);
}

/* AUTHZ-03: nobody signs in; only an open account closes, and only a closed one comes back. */
static void closed_and_restored(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *young = site_account(ctx, "young");

    assert_int_equal(ua_account_restore(ctx, mike), APR_NOTFOUND);
    assert_int_equal(ua_account_close(ctx, young), APR_NOTFOUND);
    assert_int_equal(ua_account_close(ctx, "nobody"), APR_NOTFOUND);
    assert_int_equal(ua_account_close(ctx, mike), APR_SUCCESS);
    ctx->now += SECONDS(5);
    assert_int_equal(ua_account_close(ctx, mike), APR_NOTFOUND);
    assert_int_equal(account_of(ctx, mike)->closed, t->now);
    assert_int_equal(account_of(ctx, mike)->enabled, 0);
    assert_int_equal(ua_account_signed_in(ctx, account_of(ctx, mike)), APR_NOTFOUND);
    assert_int_equal(ua_account_sweep(ctx, mike), APR_NOTFOUND);
    assert_int_equal(ua_account_sweep(ctx, young), APR_SUCCESS);
    assert_int_equal(ua_account_failed(ctx, mike, 0), APR_SUCCESS);
    assert_int_equal(ua_account_restore(ctx, mike), APR_SUCCESS);
    assert_int_equal(ua_account_restore(ctx, mike), APR_NOTFOUND);
    assert_int_equal(account_of(ctx, mike)->enabled, 1);
    assert_int_equal(account_of(ctx, mike)->closed + account_of(ctx, mike)->failures, 0);
    ua_test_sql(t, "UPDATE account SET enabled = 0"); /* shut out by an administrator */
    assert_int_equal(ua_account_close(ctx, mike), APR_NOTFOUND);
    assert_int_equal(ua_account_restore(ctx, mike), APR_NOTFOUND);
}

static int told(ua_ctx_t *ctx, apr_time_t then, int most)
{
    apr_array_header_t *rows = NULL;

    assert_int_equal(ua_account_closed_before(&rows, ctx, then, most), APR_SUCCESS);
    return rows->nelts;
}

static void told_when_over(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *ids[] = {site_member(ctx, "a1"), site_member(ctx, "a2"),
                         site_member(ctx, "a3")};
    ua_token_t token = {.account_id = ids[0], .purpose = UA_PURPOSE_UNDO, .email = EMAIL};
    const char *token_id = NULL;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(ua_account_close(ctx, ids[i]), APR_SUCCESS);
    }
    assert_int_equal(told(ctx, t->now, 10), 0);
    assert_int_equal(told(ctx, t->now + 1, 10), 2);
    assert_int_equal(told(ctx, t->now + 1, 1), 1);
    assert_int_equal(ua_token_issue(&token_id, ctx, &token, DAY), APR_SUCCESS);
    assert_int_equal(told(ctx, t->now + 1, 10), 1); /* may be a thief's deed */
    ctx->now += DAY;
    assert_int_equal(told(ctx, t->now + 1, 10), 2);
    ctx->now -= 1;
    assert_int_equal(told(ctx, t->now + 1, 10), 1);
    assert_int_equal(ua_token_end_all(ctx, ids[0], "", UA_ENDED_CHANGE), APR_SUCCESS);
    assert_int_equal(told(ctx, t->now + 1, 10), 2);
}

/* PRIV-05; and never an open one, whoever asks. */
static void erased(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *eve = site_member(ctx, "eve");
    const char *cookie = NULL;
    apr_int64_t age = 0;

    assert_int_equal(ua_session_start(&cookie, &age, ctx, mike, 0), APR_SUCCESS);
    assert_int_equal(ua_session_start(&cookie, &age, ctx, eve, 0), APR_SUCCESS);
    assert_int_equal(ua_account_erase(ctx, mike), APR_NOTFOUND);
    assert_int_equal(ua_account_close(ctx, mike), APR_SUCCESS);
    assert_int_equal(ua_account_erase(ctx, mike), APR_SUCCESS);
    assert_int_equal(ua_account_erase(ctx, mike), APR_NOTFOUND);
    assert_string_equal(ua_test_scalar(t, "SELECT group_concat(id) FROM account"), eve);
    assert_string_equal(ua_test_scalar(t, "SELECT group_concat(account_id) FROM session"), eve);
}

static int shut(ua_ctx_t *ctx, void *id)
{
    return ua_account_close(ctx, id) == APR_SUCCESS;
}

static int wipe(ua_ctx_t *ctx, void *id)
{
    return ua_account_erase(ctx, id) == APR_SUCCESS;
}

/* RACE-10: of all who close or erase it at the same moment, exactly one does. */
static void one_winner(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    for (int round = 0; round < 5; round++) {
        char *id = apr_pstrdup(t->pool, site_member(ctx, "mike"));

        ua_db_release(ctx);
        assert_int_equal(site_race(t, shut, id), 1);
        assert_int_equal(site_race(t, wipe, id), 1);
    }
}

/* INV-7 */
static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t mike = {.id = "a", .username = "mike", .email = EMAIL, .display_name = ""};
    apr_array_header_t *rows = NULL;

    site_break(t, "account");
    assert_failure(ctx, ua_account_set_profile(ctx, &mike), "account_set_profile");
    assert_failure(ctx, ua_account_set_email(ctx, &mike, EMAIL, EMAIL), "account_set_email");
    assert_failure(ctx, ua_account_set_password(ctx, &mike, "h"), "account_set_password");
    assert_failure(ctx, ua_account_password_off(ctx, "a"), "account_password_off");
    assert_failure(ctx, ua_account_clear_failures(ctx, "a"), "account_clear_failures");
    assert_failure(ctx, ua_account_strip(ctx, "a"), "account_strip");
    assert_failure(ctx, ua_account_close(ctx, "a"), "account_close");
    assert_failure(ctx, ua_account_restore(ctx, "a"), "account_restore");
    assert_failure(ctx, ua_account_closed_before(&rows, ctx, 1, 1), "account_closed_before");
    assert_failure(ctx, ua_account_erase(ctx, "a"), "account_erase");
    assert_null(rows);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(profile),
        site_test(address),
        site_test(password),
        site_test(stripped_and_cleared),
        site_test(closed_and_restored),
        site_test(told_when_over),
        site_test(erased),
        site_test(one_winner),
        site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
