/* test_token_list.c: the links of one account together: which are open, what ends or erases them; and the
 * code beside a verification link. */
#include "domain_site.h"
#include "domain/token.h"

#define HOUR SECONDS(3600)

static const char *link_to(ua_ctx_t *ctx, const char *id, const char *purpose,
                           const char *email)
{
    ua_token_t token = {.account_id = id, .purpose = purpose, .email = email};
    const char *token_id = NULL;

    assert_int_equal(ua_token_issue(&token_id, ctx, &token, HOUR), APR_SUCCESS);
    return token_id;
}

static apr_array_header_t *list(ua_ctx_t *ctx, const char *id, const char *purpose)
{
    apr_array_header_t *tokens = NULL;

    assert_int_equal(ua_token_list(&tokens, ctx, id, purpose), APR_SUCCESS);
    return tokens;
}

static void open_ones_are_listed(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *tokens = NULL;
    const char *ids[25];

    assert_int_equal(list(ctx, "acc", UA_PURPOSE_VERIFY)->nelts, 0);
    for (int i = 0; i < 25; i++) {
        ids[i] = link_to(ctx, "acc", UA_PURPOSE_VERIFY, "mike@example.org");
        ctx->now += SECONDS(1);
    }
    (void)link_to(ctx, "acc", UA_PURPOSE_EMAIL, "new@example.org");
    (void)link_to(ctx, "other", UA_PURPOSE_VERIFY, "eve@example.org");
    tokens = list(ctx, "acc", UA_PURPOSE_VERIFY);
    assert_int_equal(tokens->nelts, 20); /* the newest first */
    for (int i = 0; i < 20; i++) {
        const ua_token_t *token = &APR_ARRAY_IDX(tokens, i, ua_token_t);

        assert_string_equal(token->id, ids[24 - i]);
        assert_string_equal(token->account_id, "acc");
        assert_string_equal(token->purpose, UA_PURPOSE_VERIFY);
        assert_string_equal(token->email, "mike@example.org");
        assert_int_equal(token->expires, t->now + SECONDS(24 - i) + HOUR);
        assert_int_equal(token->standing, UA_TOKEN_GOOD);
    }
    assert_int_equal(ua_token_use(ctx, &APR_ARRAY_IDX(tokens, 0, ua_token_t)), APR_SUCCESS);
    assert_string_equal(APR_ARRAY_IDX(list(ctx, "acc", UA_PURPOSE_VERIFY), 0, ua_token_t).id,
                        ids[23]);
    ctx->now = t->now + SECONDS(20) + HOUR; /* those issued up to then have expired */
    assert_int_equal(list(ctx, "acc", UA_PURPOSE_VERIFY)->nelts, 3);
}

static void all_but_one_purpose_end(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *reset = link_to(ctx, "acc", UA_PURPOSE_RESET, "mike@example.org");
    const char *undo = link_to(ctx, "acc", UA_PURPOSE_UNDO, "old@example.org");
    const char *other = link_to(ctx, "other", UA_PURPOSE_RESET, "eve@example.org");
    static const char sql[] = "SELECT state FROM token WHERE id = '%s'";

    assert_int_equal(ua_token_end_all(ctx, "acc", UA_PURPOSE_UNDO, UA_ENDED_CHANGE),
                     APR_SUCCESS);
    assert_int_equal(ua_test_count(t, sql, reset), UA_ENDED_CHANGE);
    assert_int_equal(ua_test_count(t, sql, undo), UA_ENDED_OPEN);
    assert_int_equal(ua_test_count(t, sql, other), UA_ENDED_OPEN);
    assert_int_equal(ua_token_end_all(ctx, "acc", "", UA_ENDED_SIBLING), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, sql, reset), UA_ENDED_CHANGE); /* ends once */
    assert_int_equal(ua_test_count(t, sql, undo), UA_ENDED_SIBLING);
    assert_int_equal(ua_test_count(t, sql, other), UA_ENDED_OPEN);
}

static void erased_and_forgotten(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *kept = link_to(ctx, "acc", UA_PURPOSE_DISOWN, "mike@example.org");

    (void)link_to(ctx, "acc", UA_PURPOSE_VERIFY, "mike@example.org");
    (void)link_to(ctx, "other", UA_PURPOSE_VERIFY, "eve@example.org");
    assert_int_equal(ua_token_forget(ctx, "acc", kept), APR_SUCCESS);
    assert_string_equal(ua_test_scalar(t, "SELECT id FROM token WHERE email = "
                                          "'mike@example.org'"),
                        kept);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE email <> ''"), 2);
    assert_int_equal(ua_token_erase(ctx, "acc"), APR_SUCCESS);
    assert_string_equal(ua_test_scalar(t, "SELECT group_concat(account_id) FROM token"),
                        "other");
}

static void those_of_other_addresses_are_erased(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_token_t rows[] = {{.account_id = "acc", .email = "mike@example.org"},
                         {.account_id = "acc", .email = "eve@example.org"},
                         {.account_id = "acc", .email = ""},
                         {.account_id = "other", .email = "eve@example.org"}};
    const char *id = NULL;

    for (size_t i = 0; i < COUNT(rows); i++) {
        rows[i].purpose = UA_PURPOSE_VERIFY;
        assert_int_equal(ua_token_issue(&id, ctx, &rows[i], HOUR), APR_SUCCESS);
    }
    assert_int_equal(ua_token_erase_others(ctx, "acc", "mike@example.org"), APR_SUCCESS);
    assert_string_equal(
        ua_test_scalar(t, "SELECT group_concat(line) FROM (SELECT account_id || ' ' || email "
                          "AS line FROM token ORDER BY line)"),
        "acc mike@example.org,other eve@example.org");
}

/* Each purpose has the setting's lifetime (contract 8). */
static void lifetimes(void **state)
{
    static const struct {
        const char *purpose;
        int hours;
    } rows[] = {{UA_PURPOSE_VERIFY, 24},      {UA_PURPOSE_EMAIL, 24},
                {UA_PURPOSE_RESET, 1},        {UA_PURPOSE_UNDO, 7 * 24},
                {UA_PURPOSE_RESTORE, 7 * 24}, {UA_PURPOSE_DISOWN, 7 * 24}};

    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ua_token_lifetime(t->conf, rows[i].purpose), rows[i].hours * HOUR);
    }
}

/* Eight digits, keyed: whoever reads the rows can't tell them, and no two mails share one but by chance. */
static void codes(void **state)
{
    ua_test_t *t = *state;
    ua_token_t token = {.id = "11111111-1111-4111-8111-111111111111",
                        .account_id = "acc",
                        .purpose = UA_PURPOSE_VERIFY,
                        .email = "mike@example.org"};
    ua_token_t others[] = {token, token, token};
    unsigned char secret[32] = {1};
    ua_keys_t *keys = NULL;
    const char *code = NULL;
    const char *again = NULL;

    others[0].id = "11111111-1111-4111-8111-111111111112";
    others[1].account_id = "other";
    others[2].email = "eve@example.org";
    assert_int_equal(ua_token_code(&code, t->pool, t->app->keys, &token), APR_SUCCESS);
    assert_int_equal(ua_token_code(&again, t->pool, t->app->keys, &token), APR_SUCCESS);
    assert_string_equal(code, again);
    assert_int_equal(strlen(code), 8);
    assert_int_equal(strspn(code, "0123456789"), 8);
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(ua_token_code(&again, t->pool, t->app->keys, &others[i]), APR_SUCCESS);
        assert_string_not_equal(code, again);
    }
    assert_int_equal(ua_keys_derive(&keys, t->pool, secret), APR_SUCCESS);
    assert_int_equal(ua_token_code(&again, t->pool, keys, &token), APR_SUCCESS);
    assert_string_not_equal(code, again);
}

static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    apr_array_header_t *tokens = NULL;

    site_break(t, "token");
    assert_failure(ctx, ua_token_list(&tokens, ctx, "a", UA_PURPOSE_VERIFY), "token_latest");
    assert_null(tokens);
    assert_failure(ctx, ua_token_end_all(ctx, "a", "", UA_ENDED_CHANGE), "token_end_account");
    assert_failure(ctx, ua_token_erase(ctx, "a"), "token_erase");
    assert_failure(ctx, ua_token_erase_others(ctx, "a", "b"), "token_erase_others");
    assert_failure(ctx, ua_token_forget(ctx, "a", ""), "token_forget");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(open_ones_are_listed),
        site_test(all_but_one_purpose_end),
        site_test(erased_and_forgotten),
        site_test(those_of_other_addresses_are_erased),
        site_test(lifetimes),
        site_test(codes),
        site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
