/* test_account.c: accounts: made, confirmed, corrected, signed in to, removed.
 *
 * Cases: INV-2, INV-3, RACE-03, RACE-11, BF-16, TOK-07, DB-07.
 */
#include "domain_site.h"
#include "domain/device.h"
#include "domain/session.h"
#include "domain/token.h"

#define EMAIL "mike@example.org"

static ua_account_t *account_of(ua_ctx_t *ctx, const char *id)
{
    ua_account_t *account = NULL;

    assert_int_equal(ua_account_by_id(&account, ctx, id), APR_SUCCESS);
    return account;
}

/* INV-3, DB-07: the index decides, and the account that was first stays as it was. */
static void unique_by_key(void **state)
{
    static const struct {
        const char *comment, *id, *username, *email_key;
    } cases[] = {
        {"name in another case", "b", "MIKE", "eve@example.org"},
        {"address", "b", "eve", EMAIL},
        {"id", "a", "eve", "eve@example.org"},
    };

    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t account = {
        .id = "a", .username = "mike", .email = EMAIL, .password_hash = "h"};
    const char *rows = NULL;

    assert_int_equal(ua_account_insert(ctx, &account, EMAIL), APR_SUCCESS);
    rows = ua_test_rows(t);
    for (size_t i = 0; i < COUNT(cases); i++) {
        account.id = cases[i].id;
        account.username = cases[i].username;
        assert_failure(ctx, ua_account_insert(ctx, &account, cases[i].email_key),
                       "account_insert");
        assert_null(strstr(ctx->failed, EMAIL)); /* PRIV-03 */
        assert_string_equal(ua_test_rows(t), rows);
    }
}

/* INV-2, TOK-07: only for exactly the address the link was sent to, and once. */
static void verified(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_account(ctx, "mike");
    const char *eve = site_account(ctx, "eve");

    assert_int_equal(ua_account_verify(ctx, mike, "eve@example.org"), APR_NOTFOUND);
    assert_int_equal(ua_account_verify(ctx, mike, "Mike@example.org"), APR_NOTFOUND);
    assert_int_equal(ua_account_verify(ctx, "nobody", EMAIL), APR_NOTFOUND);
    assert_int_equal(account_of(ctx, mike)->enabled, 0);
    assert_int_equal(ua_account_verify(ctx, mike, EMAIL), APR_SUCCESS);
    assert_int_equal(account_of(ctx, mike)->enabled, 1);
    assert_int_equal(account_of(ctx, eve)->enabled, 0);
    assert_int_equal(ua_test_count(t, "SELECT verified FROM account WHERE id = '%s'", mike),
                     t->now);
    ctx->now++;
    assert_int_equal(ua_account_verify(ctx, mike, EMAIL), APR_NOTFOUND);
    assert_int_equal(ua_test_count(t, "SELECT verified FROM account WHERE id = '%s'", mike),
                     t->now);
}

/* Who was shut out by an administrator (enabled = 0 in the table) is not let in by an old link, not
 * removed by one, and not swept away as if never confirmed. */
static void shut_out_is_not_unverified(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");

    ua_test_sql(t, "UPDATE account SET enabled = 0");
    assert_int_equal(ua_account_verify(ctx, mike, EMAIL), APR_NOTFOUND);
    assert_int_equal(ua_account_correct(ctx, mike, "eve@example.org", "eve@example.org"),
                     APR_NOTFOUND);
    assert_int_equal(ua_account_remove(ctx, mike, EMAIL), APR_NOTFOUND);
    assert_int_equal(ua_account_sweep(ctx, mike), APR_NOTFOUND);
    ua_test_sql(
        t, "UPDATE account SET verified = 0, closed = 1"); /* let in by hand, then closed */
    assert_int_equal(ua_account_sweep(ctx, mike), APR_NOTFOUND);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE enabled = 0"), 1);
}

static void corrected(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_account(ctx, "mike");
    const char *eve = site_member(ctx, "eve");
    ua_account_t *account = NULL;

    assert_failure(ctx, ua_account_correct(ctx, mike, "Eve@example.org", "eve@example.org"),
                   "account_correct"); /* INV-3 */
    for (int i = 1; i <= UA_CORRECTIONS; i++) {
        const char *email = apr_psprintf(t->pool, "M%d@example.org", i);
        const char *key = apr_psprintf(t->pool, "m%d@example.org", i);

        assert_int_equal(ua_account_correct(ctx, mike, email, key), APR_SUCCESS);
        assert_int_equal(ua_account_by_email(&account, ctx, key), APR_SUCCESS);
        assert_string_equal(account->email, email);
        assert_int_equal(account->corrections, i);
    }
    assert_int_equal(ua_account_correct(ctx, mike, EMAIL, EMAIL), APR_NOTFOUND);
    assert_string_equal(account_of(ctx, mike)->email, "M3@example.org");
    assert_int_equal(ua_account_by_email(&account, ctx, EMAIL), APR_NOTFOUND);
    assert_int_equal(ua_account_verify(ctx, mike, EMAIL), APR_NOTFOUND);
    assert_int_equal(ua_account_verify(ctx, mike, "M3@example.org"), APR_SUCCESS);
    assert_int_equal(ua_account_correct(ctx, eve, "e@example.org", "e@example.org"),
                     APR_NOTFOUND);
    assert_int_equal(ua_account_correct(ctx, "nobody", "n@example.org", "n@example.org"),
                     APR_NOTFOUND);
}

static void failed_sign_ins(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *eve = site_member(ctx, "eve");

    for (int i = 0; i < 3; i++) {
        assert_int_equal(ua_account_failed(ctx, mike, 0), APR_SUCCESS);
    }
    assert_int_equal(ua_account_failed(ctx, mike, 1), APR_SUCCESS);
    assert_int_equal(ua_account_failed(ctx, "nobody", 0), APR_SUCCESS);
    assert_int_equal(account_of(ctx, mike)->failures, 3);
    assert_int_equal(account_of(ctx, mike)->device_failures, 1);
    assert_int_equal(account_of(ctx, eve)->failures + account_of(ctx, eve)->device_failures, 0);
}

static void signed_in(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    const char *eve = site_account(ctx, "eve");
    ua_account_t *seen = account_of(ctx, mike);
    ua_account_t stale = *seen;

    assert_int_equal(ua_account_failed(ctx, mike, 0), APR_SUCCESS);
    assert_int_equal(ua_account_failed(ctx, mike, 1), APR_SUCCESS);
    assert_int_equal(ua_account_signed_in(ctx, seen), APR_SUCCESS);
    ctx->now += SECONDS(60);
    assert_int_equal(ua_account_signed_in(ctx, seen), APR_SUCCESS);
    seen = account_of(ctx, mike);
    assert_int_equal(seen->last_sign_in, t->now + SECONDS(60));
    assert_int_equal(seen->previous_sign_in, t->now);
    assert_int_equal(seen->failures + seen->device_failures, 0);

    /* BF-16: who hashes the same password anew shuts nobody out who verified the older hash. */
    assert_int_equal(ua_account_rehash(ctx, seen, "newer"), APR_SUCCESS);
    assert_int_equal(ua_account_signed_in(ctx, &stale), APR_SUCCESS);
    /* INV-5: the password that was verified has to be the one that counts now. */
    ua_test_sql(t, "UPDATE account SET password_set = password_set + 1");
    assert_int_equal(ua_account_failed(ctx, mike, 0), APR_SUCCESS);
    assert_int_equal(ua_account_signed_in(ctx, &stale), APR_NOTFOUND);
    assert_int_equal(account_of(ctx, mike)->failures, 1);
    assert_int_equal(ua_account_signed_in(ctx, account_of(ctx, mike)), APR_SUCCESS);
    assert_int_equal(ua_account_signed_in(ctx, account_of(ctx, eve)), APR_NOTFOUND);
    ua_test_sql(t, "UPDATE account SET enabled = 0");
    assert_int_equal(ua_account_signed_in(ctx, account_of(ctx, mike)), APR_NOTFOUND);
}

/* BF-16: of two who rehash the same, the second changes nothing. */
static void rehashed(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_member(ctx, "mike");
    ua_account_t *seen = account_of(ctx, mike);

    (void)site_member(ctx, "eve"); /* has the same hash */
    assert_int_equal(ua_account_rehash(ctx, seen, "first"), APR_SUCCESS);
    assert_int_equal(ua_account_rehash(ctx, seen, "second"), APR_SUCCESS);
    assert_string_equal(account_of(ctx, mike)->password_hash, "first");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account WHERE password_hash = "
                                      "'hash'"),
                     1);
}

/* A link, a session and a browser of an account. */
static void hang_on(ua_ctx_t *ctx, const char *id)
{
    ua_token_t token = {.account_id = id, .purpose = UA_PURPOSE_VERIFY, .email = EMAIL};
    const char *cookie = NULL;
    apr_int64_t age = 0;

    assert_int_equal(ua_token_issue(&token.id, ctx, &token, SECONDS(60)), APR_SUCCESS);
    assert_int_equal(ua_session_start(&cookie, &age, ctx, id, 0), APR_SUCCESS);
    assert_int_equal(ua_device_start(&cookie, ctx, id), APR_SUCCESS);
}

/* Its sessions and browsers are gone; its links stay, to say that they were used. */
static void hangs_on_no_more(ua_test_t *t, const char *id)
{
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM session WHERE account_id = '%s'", id), 0);
    assert_int_equal(
        ua_test_count(t, "SELECT COUNT(*) FROM device WHERE account_id = '%s'", id), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE account_id = '%s'", id),
                     1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 1);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM device"), 1);
}

/* With all that hangs on it, and only while nobody confirmed it. */
static void removed(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_account(ctx, "mike");
    const char *eve = site_member(ctx, "eve");

    hang_on(ctx, mike);
    hang_on(ctx, eve);
    assert_int_equal(ua_account_remove(ctx, mike, "eve@example.org"), APR_NOTFOUND);
    assert_int_equal(ua_account_remove(ctx, eve, "eve@example.org"), APR_NOTFOUND);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 2);
    assert_int_equal(ua_account_remove(ctx, mike, EMAIL), APR_SUCCESS);
    assert_int_equal(ua_account_remove(ctx, mike, EMAIL), APR_NOTFOUND);
    assert_string_equal(ua_test_scalar(t, "SELECT group_concat(id) FROM account"), eve);
    hangs_on_no_more(t, mike);
}

static apr_int64_t count_of(ua_ctx_t *ctx)
{
    apr_int64_t count = -1;

    assert_int_equal(ua_account_count(&count, ctx), APR_SUCCESS);
    return count;
}

static void swept_and_counted(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *rows = NULL;
    ua_account_t *account = NULL;
    const char *old = NULL;

    assert_int_equal(count_of(ctx), 0);
    old = site_account(ctx, "old");
    hang_on(ctx, old);
    hang_on(ctx, site_member(ctx, "member"));
    ctx->now++;
    (void)site_account(ctx, "young");
    assert_int_equal(count_of(ctx), 3);
    assert_int_equal(ua_account_unverified_before(&rows, ctx, t->now, 10), APR_SUCCESS);
    assert_int_equal(rows->nelts, 0);
    assert_int_equal(ua_account_unverified_before(&rows, ctx, t->now + 1, 10), APR_SUCCESS);
    assert_int_equal(rows->nelts, 1);
    assert_string_equal(APR_ARRAY_IDX(rows, 0, ua_row_t)[0], old);
    assert_int_equal(ua_account_sweep(ctx, old), APR_SUCCESS);
    assert_int_equal(ua_account_sweep(ctx, old), APR_NOTFOUND);
    assert_int_equal(count_of(ctx), 2);
    assert_int_equal(ua_account_by_username(&account, ctx, "old"), APR_NOTFOUND);
    hangs_on_no_more(t, old);
    (void)site_account(ctx, "old"); /* name and address are free again */
}

/* Somebody wrote enabled = 1 into the table, and 0 later: what was made meanwhile is not a registration's. */
static void who_was_let_in_by_hand_is_not_swept(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *rows = NULL;
    const char *id = site_account(ctx, "byhand");

    ua_test_elsewhere(t, "UPDATE account SET last_sign_in = 1 WHERE id = '%s'", id);
    assert_int_equal(ua_account_unverified_before(&rows, ctx, t->now + 1, 10), APR_SUCCESS);
    assert_int_equal(rows->nelts, 0);
    assert_int_equal(ua_account_sweep(ctx, id), APR_NOTFOUND);
}

static int verify(ua_ctx_t *ctx, void *id)
{
    return ua_account_verify(ctx, id, EMAIL) == APR_SUCCESS;
}

static int enter(ua_ctx_t *ctx, void *name)
{
    ua_account_t account = {.username = name, .email = EMAIL, .password_hash = "h"};

    return ua_draw_uuid(&account.id, ctx) == APR_SUCCESS &&
           ua_account_insert(ctx, &account, EMAIL) == APR_SUCCESS;
}

/* RACE-03: of all who register one name or address at the same moment, exactly one does. */
static void one_winner(void **state)
{
    ua_test_t *t = *state;
    char name[] = "mike";

    for (int round = 0; round < 10; round++) {
        ua_test_sql(t, "DELETE FROM account");
        assert_int_equal(site_race(t, enter, name), 1);
        assert_int_equal(site_race(t, verify,
                                   apr_pstrdup(t->pool, ua_test_scalar(t, "SELECT id FROM "
                                                                          "account"))),
                         1);
    }
}

static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_account_t *account = NULL;
    apr_array_header_t *rows = NULL;
    ua_account_t mike = {.id = "a", .username = "mike", .email = EMAIL, .password_hash = "h"};
    apr_int64_t count = -1;

    site_break(t, "account");
    assert_failure(ctx, ua_account_by_id(&account, ctx, "a"), "account_by_id");
    assert_failure(ctx, ua_account_by_email(&account, ctx, EMAIL), "account_by_email");
    assert_failure(ctx, ua_account_by_username(&account, ctx, "mike"), "account_by_username");
    assert_failure(ctx, ua_account_insert(ctx, &mike, EMAIL), "account_insert");
    assert_failure(ctx, ua_account_verify(ctx, "a", EMAIL), "account_verify");
    assert_failure(ctx, ua_account_correct(ctx, "a", EMAIL, EMAIL), "account_correct");
    assert_failure(ctx, ua_account_failed(ctx, "a", 0), "account_failure");
    assert_failure(ctx, ua_account_failed(ctx, "a", 1), "account_device_failure");
    assert_failure(ctx, ua_account_signed_in(ctx, &mike), "account_signed_in");
    assert_failure(ctx, ua_account_rehash(ctx, &mike, "new"), "account_rehash");
    assert_failure(ctx, ua_account_remove(ctx, "a", EMAIL), "account_remove_unverified");
    assert_failure(ctx, ua_account_count(&count, ctx), "account_count");
    assert_failure(ctx, ua_account_sweep(ctx, "a"), "account_sweep");
    assert_failure(ctx, ua_account_unverified_before(&rows, ctx, t->now, 1),
                   "account_unverified_before");
    assert_null(account);
    assert_int_equal(count, -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(unique_by_key),
        site_test(verified),
        site_test(shut_out_is_not_unverified),
        site_test(corrected),
        site_test(failed_sign_ins),
        site_test(signed_in),
        site_test(rehashed),
        site_test(removed),
        site_test(swept_and_counted),
        site_test(who_was_let_in_by_hand_is_not_swept),
        site_test(one_winner),
        site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
