/* test_token.c: links in mails: how a token stands, what binds it, who uses it up.
 *
 * Cases: TOK-01, TOK-02, TOK-05, TOK-07, TOK-10, RACE-01, CLK-01, INV-1.
 */
#include "domain_site.h"
#include "domain/token.h"

#define LIFETIME SECONDS(24 * 3600)

typedef struct link_t {
    ua_test_t *t;
    ua_ctx_t *ctx;
    ua_token_t token; /* as issued */
    const char *text;
} link_t;

/* A link of a new account. */
static link_t link_make(ua_test_t *t, const char *purpose)
{
    link_t link = {t, ua_test_context(t), {.purpose = purpose}, NULL};

    link.token.account_id = site_account(link.ctx, "mike");
    link.token.email = "mike@example.org";
    assert_int_equal(ua_token_issue(&link.token.id, link.ctx, &link.token, LIFETIME),
                     APR_SUCCESS);
    assert_int_equal(ua_token_text(&link.text, t->pool, t->app->keys, &link.token),
                     APR_SUCCESS);
    return link;
}

static ua_token_e standing(const link_t *link, const char *purpose, const char *text)
{
    ua_token_t *token = NULL;

    assert_int_equal(ua_token_read(&token, link->ctx, purpose, text), APR_SUCCESS);
    assert_string_equal(token->purpose, purpose);
    if (token->standing == UA_TOKEN_INVALID && strcmp(text ? text : "", link->text) != 0) {
        assert_string_equal(token->account_id, "");
        assert_string_equal(token->email, "");
    }
    return token->standing;
}

static ua_token_e verify_standing(const link_t *link)
{
    return standing(link, UA_PURPOSE_VERIFY, link->text);
}

static void issued(void **state)
{
    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);
    ua_token_t *token = NULL;
    const char *second = NULL;

    assert_int_equal(strlen(link.text), UA_UUID_TEXT + 1 + UA_DIGEST_TEXT);
    assert_int_equal(strncmp(link.text, link.token.id, UA_UUID_TEXT), 0);
    assert_int_equal(ua_token_read(&token, link.ctx, UA_PURPOSE_VERIFY, link.text),
                     APR_SUCCESS);
    assert_int_equal(token->standing, UA_TOKEN_GOOD);
    assert_string_equal(token->id, link.token.id);
    assert_string_equal(token->account_id, link.token.account_id);
    assert_string_equal(token->email, "mike@example.org");
    assert_string_equal(ua_test_scalar(t, "SELECT site FROM token"), t->conf->site);
    assert_int_equal(ua_test_count(t, "SELECT created FROM token"), t->now);
    assert_int_equal(ua_test_count(t, "SELECT expires - created FROM token"), LIFETIME);
    assert_int_equal(ua_test_count(t, "SELECT state + ended FROM token"), 0);
    assert_int_equal(ua_token_issue(&second, link.ctx, &link.token, LIFETIME), APR_SUCCESS);
    assert_string_not_equal(second, link.token.id);
    assert_int_equal(verify_standing(&link), UA_TOKEN_GOOD); /* a newer one ends no older */
}

/* TOK-02: good until its last microsecond, for the page and for the use alike. */
static void expiry(void **state)
{
    static const struct {
        const char *comment;
        apr_time_t after;
        ua_token_e expected;
    } cases[] = {
        {"at once", 0, UA_TOKEN_GOOD},
        {"23:59:59", LIFETIME - SECONDS(1), UA_TOKEN_GOOD},
        {"the last microsecond", LIFETIME - 1, UA_TOKEN_GOOD},
        {"exactly 24:00:00", LIFETIME, UA_TOKEN_EXPIRED},
        {"24:00:01", LIFETIME + SECONDS(1), UA_TOKEN_EXPIRED},
        {"a year", 366 * LIFETIME, UA_TOKEN_EXPIRED},
        {"CLK-01: the clock went back", -SECONDS(3600), UA_TOKEN_GOOD},
    };

    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);

    for (size_t i = 0; i < COUNT(cases); i++) {
        int good = cases[i].expected == UA_TOKEN_GOOD;

        ua_test_sql(t, "UPDATE token SET state = 0, ended = 0");
        link.ctx->now = t->now + cases[i].after;
        if (verify_standing(&link) != cases[i].expected ||
            ua_token_use(link.ctx, &link.token) != (good ? APR_SUCCESS : APR_NOTFOUND)) {
            fail_msg("%s", cases[i].comment);
        }
        assert_int_equal(ua_test_count(t, "SELECT state FROM token"), good);
        assert_int_equal(ua_test_count(t, "SELECT ended FROM token"), good ? link.ctx->now : 0);
    }
}

/* The order of contract 2: tag, used, ended by a change, expired. */
static void judged_in_order(void **state)
{
    static const struct {
        ua_ended_e ended;
        int expired;
        ua_token_e expected;
    } cases[] = {
        {UA_ENDED_OPEN, 0, UA_TOKEN_GOOD},      {UA_ENDED_OPEN, 1, UA_TOKEN_EXPIRED},
        {UA_ENDED_USED, 0, UA_TOKEN_USED},      {UA_ENDED_USED, 1, UA_TOKEN_USED},
        {UA_ENDED_SIBLING, 0, UA_TOKEN_USED},   {UA_ENDED_SIBLING, 1, UA_TOKEN_USED},
        {UA_ENDED_CHANGE, 0, UA_TOKEN_INVALID}, {UA_ENDED_CHANGE, 1, UA_TOKEN_INVALID},
    };

    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);
    char *forged = apr_pstrdup(t->pool, link.text);
    char *last = forged + strlen(forged) - 2;

    *last = *last == 'A' ? 'B' : 'A';
    for (size_t i = 0; i < COUNT(cases); i++) {
        ua_test_sql(t, "UPDATE token SET state = %d", (int)cases[i].ended);
        link.ctx->now = t->now + (cases[i].expired ? LIFETIME : 0);
        assert_int_equal(verify_standing(&link), cases[i].expected);
        assert_int_equal(standing(&link, UA_PURPOSE_VERIFY, forged), UA_TOKEN_INVALID);
        if (cases[i].expected != UA_TOKEN_GOOD) {
            assert_int_equal(ua_token_use(link.ctx, &link.token), APR_NOTFOUND);
            assert_int_equal(ua_test_count(t, "SELECT state FROM token"), cases[i].ended);
        }
    }
}

/* Nothing but the very text is a link. */
static void other_texts(void **state)
{
    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);
    const char *texts[] = {
        NULL,
        "",
        ".",
        link.token.id,
        link.text + UA_UUID_TEXT + 1,
        apr_pstrcat(t->pool, link.token.id, ".", NULL),
        apr_pstrcat(t->pool, link.text, "A", NULL),
        apr_pstrcat(t->pool, link.text, "=", NULL),
        apr_pstrcat(t->pool, " ", link.text, NULL),
        apr_pstrmemdup(t->pool, link.text, strlen(link.text) - 1),
        apr_psprintf(t->pool, "%s-%s", link.token.id, link.text + UA_UUID_TEXT + 1),
        apr_psprintf(t->pool, "%s.%s", "' OR '1'='1' OR id = '--------------", /* 36 */
                     link.text + UA_UUID_TEXT + 1),
        apr_psprintf(t->pool, "%s.%s", "00000000-0000-4000-8000-000000000000",
                     link.text + UA_UUID_TEXT + 1),
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(standing(&link, UA_PURPOSE_VERIFY, texts[i]), UA_TOKEN_INVALID);
    }
    for (size_t i = 0; link.text[i]; i++) { /* each character counts, its case too */
        char *text = apr_pstrdup(t->pool, link.text);

        text[i] = (char)(text[i] ^ 0x20);
        assert_int_equal(standing(&link, UA_PURPOSE_VERIFY, text), UA_TOKEN_INVALID);
    }
    assert_int_equal(verify_standing(&link), UA_TOKEN_GOOD);
}

/* TOK-05: a token of one purpose is nothing for another, and not by renaming its row either. */
static void bound_to_purpose(void **state)
{
    static const char *const purposes[] = {UA_PURPOSE_VERIFY, UA_PURPOSE_DISOWN};
    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(purposes); i++) {
        link_t link = link_make(t, purposes[i]);

        for (size_t n = 0; n < COUNT(purposes); n++) {
            assert_int_equal(standing(&link, purposes[n], link.text),
                             n == i ? UA_TOKEN_GOOD : UA_TOKEN_INVALID);
        }
        ua_test_sql(t, "UPDATE token SET purpose = '%s'", purposes[1 - i]);
        assert_int_equal(standing(&link, purposes[1 - i], link.text), UA_TOKEN_INVALID);
        ua_test_sql(t, "DELETE FROM token");
        ua_test_sql(t, "DELETE FROM account");
    }
}

/* TOK-07, RACE-04: who can write the row still cannot turn it to another account or address. */
static void bound_to_its_row(void **state)
{
    static const char *const changes[] = {
        "UPDATE token SET email = 'Mike@example.org'",
        "UPDATE token SET email = 'eve@example.org'",
        "UPDATE token SET account_id = (SELECT id FROM account WHERE username = 'eve')",
        "UPDATE token SET id = '00000000-0000-4000-8000-000000000000'",
    };
    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);
    ua_token_t moved = link.token;

    (void)site_account(link.ctx, "eve");
    for (size_t i = 0; i < COUNT(changes); i++) {
        ua_test_sql(t, "%s", changes[i]);
        assert_int_equal(verify_standing(&link), UA_TOKEN_INVALID);
        ua_test_sql(t,
                    "UPDATE token SET id = '%s', email = 'mike@example.org', account_id = '%s'",
                    link.token.id, link.token.account_id);
        assert_int_equal(verify_standing(&link), UA_TOKEN_GOOD);
    }
    /* The bounds between what is tagged count: "a" + "bc" is not "ab" + "c". */
    moved.account_id = apr_pstrcat(t->pool, link.token.account_id, "m", NULL);
    moved.email = "ike@example.org";
    assert_int_equal(ua_token_text(&moved.id, t->pool, t->app->keys, &moved), APR_SUCCESS);
    assert_string_not_equal(moved.id, link.text);
}

/* TOK-10: the rows give no link, and neither does another server's key. */
static void rows_give_no_link(void **state)
{
    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);
    const char *tag = link.text + UA_UUID_TEXT + 1;
    const char *rows = ua_test_rows(t);
    unsigned char secret[32] = {1};
    ua_keys_t *keys = NULL;
    const char *other = NULL;

    assert_non_null(strstr(rows, link.token.id));
    assert_null(strstr(rows, tag));
    assert_null(strstr(rows, ua_base64url(t->pool, t->app->keys->token, UA_DIGEST_BYTES)));
    /* Digests of what stands in the row, plain or keyed with nothing. */
    assert_int_equal(ua_digest_text(&other, t->pool, link.token.id), APR_SUCCESS);
    assert_string_not_equal(other, tag);
    assert_int_equal(ua_hmac_text(&other, t->pool, (const unsigned char[32]){0},
                                  UA_PARTS(link.token.purpose, link.token.id,
                                           link.token.account_id, link.token.email)),
                     APR_SUCCESS);
    assert_string_not_equal(other, tag);
    assert_int_equal(ua_keys_derive(&keys, t->pool, secret), APR_SUCCESS);
    assert_int_equal(ua_token_text(&other, t->pool, keys, &link.token), APR_SUCCESS);
    assert_string_not_equal(other, link.text);
    assert_int_equal(standing(&link, UA_PURPOSE_VERIFY, other), UA_TOKEN_INVALID);
}

/* TOK-01, CLK-01: used stays used, whatever the clock says. */
static void used_once(void **state)
{
    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);
    ua_token_t other = link.token;

    assert_int_equal(ua_token_issue(&other.id, link.ctx, &other, LIFETIME), APR_SUCCESS);
    assert_int_equal(ua_token_use(link.ctx, &link.token), APR_SUCCESS);
    link.ctx->now -= SECONDS(25 * 3600);
    assert_int_equal(ua_token_use(link.ctx, &link.token), APR_NOTFOUND);
    assert_int_equal(verify_standing(&link), UA_TOKEN_USED);
    assert_int_equal(ua_test_count(t, "SELECT state FROM token WHERE id = '%s'", other.id), 0);
}

/* Ends the open ones of one account and purpose, and only these. */
static void ended(void **state)
{
    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);
    ua_token_t used = link.token;
    ua_token_t disown = link.token;
    ua_token_t eves = link.token;

    disown.purpose = UA_PURPOSE_DISOWN;
    eves.account_id = site_account(link.ctx, "eve");
    assert_int_equal(ua_token_issue(&used.id, link.ctx, &used, LIFETIME), APR_SUCCESS);
    assert_int_equal(ua_token_issue(&disown.id, link.ctx, &disown, LIFETIME), APR_SUCCESS);
    assert_int_equal(ua_token_issue(&eves.id, link.ctx, &eves, LIFETIME), APR_SUCCESS);
    assert_int_equal(ua_token_use(link.ctx, &used), APR_SUCCESS);
    link.ctx->now += SECONDS(60);
    assert_int_equal(
        ua_token_end(link.ctx, link.token.account_id, UA_PURPOSE_VERIFY, UA_ENDED_CHANGE),
        APR_SUCCESS);
    assert_int_equal(verify_standing(&link), UA_TOKEN_INVALID);
    assert_int_equal(ua_test_count(t, "SELECT ended FROM token WHERE id = '%s'", link.token.id),
                     t->now + SECONDS(60));
    assert_int_equal(ua_test_count(t, "SELECT state FROM token WHERE id = '%s'", used.id),
                     UA_ENDED_USED);
    assert_int_equal(ua_test_count(t, "SELECT ended FROM token WHERE id = '%s'", used.id),
                     t->now);
    assert_int_equal(ua_test_count(t,
                                   "SELECT COUNT(*) FROM token WHERE state = 0 AND id IN "
                                   "('%s', '%s')",
                                   disown.id, eves.id),
                     2);
}

static void swept(void **state)
{
    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);

    assert_int_equal(ua_token_sweep(&(int){0}, link.ctx, t->now + LIFETIME), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token"), 1);
    assert_int_equal(ua_token_sweep(&(int){0}, link.ctx, t->now + LIFETIME + 1), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token"), 0);
    assert_int_equal(verify_standing(&link), UA_TOKEN_INVALID);
}

/* A retry of the request issues the same link (design 4). */
static void the_same_on_a_retry(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    ua_token_t token = {NULL, site_account(ctx, "mike"), UA_PURPOSE_VERIFY, "m@x.org", 0, 0};
    const char *ids[2] = {NULL, NULL};

    for (int i = 0; i < 2; i++) {
        ua_draw_rewind(ctx);
        assert_int_equal(ua_db_begin(ctx, UA_SERIALIZABLE), APR_SUCCESS);
        assert_int_equal(ua_token_issue(&ids[i], ctx, &token, LIFETIME), APR_SUCCESS);
        ua_db_rollback(ctx);
    }
    assert_string_equal(ids[0], ids[1]);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token"), 0);
}

static int use_alone(ua_ctx_t *ctx, void *token)
{
    return ua_token_use(ctx, token) == APR_SUCCESS;
}

/* As a request does it: read, then use inside a transaction. */
static int use_inside(ua_ctx_t *ctx, void *token)
{
    apr_status_t rv = ua_db_begin(ctx, UA_SERIALIZABLE);

    rv = rv == APR_SUCCESS ? ua_token_use(ctx, token) : rv;
    if (rv != APR_SUCCESS) {
        ua_db_rollback(ctx);
        return 0;
    }
    return ua_db_commit(ctx) == APR_SUCCESS;
}

/* RACE-01, INV-1: of all who use a token at the same moment, exactly one does. */
static void one_winner(void **state)
{
    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);

    for (int round = 0; round < 50; round++) {
        assert_int_equal(ua_token_issue(&link.token.id, link.ctx, &link.token, LIFETIME),
                         APR_SUCCESS);
        assert_int_equal(site_race(t, round % 2 ? use_inside : use_alone, &link.token), 1);
    }
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM token WHERE state = 1"), 50);
}

/* INV-7: a token that cannot be read is a failure, neither good nor invalid. */
static void failures(void **state)
{
    ua_test_t *t = *state;
    link_t link = link_make(t, UA_PURPOSE_VERIFY);
    ua_ctx_t *ctx = link.ctx;
    const char *id = "untouched";
    ua_token_t *token = NULL;

    site_break(t, "token");
    assert_failure(ctx, ua_token_issue(&id, ctx, &link.token, LIFETIME), "token_insert");
    assert_string_equal(id, "untouched");
    assert_failure(ctx, ua_token_read(&token, ctx, UA_PURPOSE_VERIFY, link.text), "token_get");
    assert_null(token);
    assert_failure(ctx, ua_token_use(ctx, &link.token), "token_use");
    assert_failure(ctx, ua_token_end(ctx, "a", UA_PURPOSE_VERIFY, UA_ENDED_CHANGE),
                   "token_end_purpose");
    assert_failure(ctx, ua_token_sweep(&(int){0}, ctx, t->now), "token_old");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(issued),
        site_test(expiry),
        site_test(judged_in_order),
        site_test(other_texts),
        site_test(bound_to_purpose),
        site_test(bound_to_its_row),
        site_test(rows_give_no_link),
        site_test(used_once),
        site_test(ended),
        site_test(swept),
        site_test(the_same_on_a_retry),
        site_test(one_winner),
        site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
