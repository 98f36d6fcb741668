/* test_username.c: which names can be registered, and names held for good (UNI-02). */
#include "domain_site.h"
#include "domain/username.h"

#define SHORT_LONG "Use 3 to 32 characters."
#define LETTERS    "Use only letters A to Z, digits, dots, hyphens and underscores."
#define FIRST      "Begin with a letter or a digit."
#define RESERVED   "This username is reserved. Choose another one."
#define WWW        "A username can't begin with \"www.\"."

static const struct {
    const char *comment, *name, *refusal;
} tried[] = {
    {"usual", "mike", NULL},
    {"all kinds of characters", "Mike.O_b-1", NULL},
    {"first a digit", "1st", NULL},
    {"last a mark", "mike-", NULL},
    {"shortest", "abc", NULL},
    {"longest", "abcdefghijklmnopqrstuvwxyz012345", NULL},
    {"nothing", "", "Choose a username."},
    {"too short", "ab", SHORT_LONG},
    {"too long", "abcdefghijklmnopqrstuvwxyz0123456", SHORT_LONG},
    {"blank inside", "mi ke", LETTERS},
    {"blank behind", "mike ", LETTERS},
    {"line end", "mike\r\nx", LETTERS},
    {"at sign: would look like an address", "mike@example", LETTERS},
    {"markup", "<b>mike", LETTERS},
    {"quote", "o'brien", LETTERS},
    {"slash", "../mike", LETTERS},
    {"accent", "mik\xC3\xA9", LETTERS},
    {"UNI-02 superscript letters", "\xE1\xB4\xAE\xE1\xB5\xA2\xE1\xB4\xB3", LETTERS},
    {"UNI-02 joiner", "b\xE2\x80\x8Digbird", LETTERS},
    {"UNI-02 combining mark", "mike\xCC\x81", LETTERS},
    {"UNI-01 Kelvin sign",
     "mi\xE2\x84\xAA"
     "e",
     LETTERS},
    {"Cyrillic a",
     "\xD0\xB0"
     "dmin",
     LETTERS},
    {"first a dot", ".mike", FIRST},
    {"first a hyphen", "-mike", FIRST},
    {"first an underscore", "_mike", FIRST},
    {"like a host", "www.mike", WWW},
    {"like a host, other case", "wWw.mike", WWW},
    {"not like a host", "www", NULL},
    {"not like a host either", "wwwmike", NULL},
    {"reserved", "admin", RESERVED},
    {"reserved, other case", "PostMaster", RESERVED},
    {"longer than a reserved one", "admins", NULL},
    {"shorter than a reserved one", "admi", NULL},
    {"by the site's own line", "staff", RESERVED},
    {"by the second word of it", "TEAM", RESERVED},
    {"by another line", "press", RESERVED},
};

static void refusals(void **state)
{
    ua_test_t *t = *state;

    assert_null(ua_test_start(t, "UserAuthUsernameReserved staff team",
                              "UserAuthUsernameReserved press", NULL));
    for (size_t i = 0; i < COUNT(tried); i++) {
        const char *got = ua_username_refusal(t->conf, tried[i].name);
        const char *expected = tried[i].refusal;

        if (!got != !expected || (got && strcmp(got, expected) != 0)) {
            fail_msg("%s: %s", tried[i].comment, got ? got : "taken");
        }
    }
}

/* Contract 8, word for word. */
static void reserved_by_default(void **state)
{
    static const char *const names[] = {"admin",     "administrator", "root",      "system",
                                        "support",   "help",          "security",  "postmaster",
                                        "webmaster", "abuse",         "anonymous", "nobody"};
    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(names); i++) {
        const char *got = ua_username_refusal(t->conf, names[i]);

        if (!got || strcmp(got, RESERVED) != 0) {
            fail_msg("%s: %s", names[i], got ? got : "taken");
        }
    }
    assert_null(ua_username_refusal(t->conf, "staff"));
}

/* UNI-02: one form, and the form of that form is itself. */
static void keys(void **state)
{
    static const char *const names[] = {"mike", "Mike", "MIKE", "mIkE"};
    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(names); i++) {
        const char *key = ua_username_key(t->pool, names[i]);

        assert_string_equal(key, "mike");
        assert_string_equal(ua_username_key(t->pool, key), key);
    }
    assert_string_equal(ua_username_key(t->pool, "I.J_K-0"), "i.j_k-0"); /* UNI-10 */
}

static void held_for_good(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *mike = site_account(ctx, "mike");
    const char *holder = "untouched";

    assert_int_equal(ua_username_holder(&holder, ctx, "mike"), APR_NOTFOUND);
    assert_string_equal(holder, "untouched");
    assert_int_equal(ua_username_hold(ctx, "mike", mike), APR_SUCCESS);
    assert_int_equal(ua_username_holder(&holder, ctx, "mike"), APR_SUCCESS);
    assert_string_equal(holder, mike);
    /* Its own again, and another's: neither changes anything. */
    assert_int_equal(ua_username_hold(ctx, "mike", mike), APR_SUCCESS);
    assert_int_equal(ua_username_hold(ctx, "mike", "another"), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM held_name"), 1);
    assert_int_equal(ua_username_holder(&holder, ctx, "mike"), APR_SUCCESS);
    assert_string_equal(holder, mike);
    assert_int_equal(ua_username_holder(&holder, ctx, "mik"), APR_NOTFOUND);
    /* It outlives the account. */
    assert_int_equal(ua_account_remove(ctx, mike, "mike@example.org"), APR_SUCCESS);
    assert_int_equal(ua_username_holder(&holder, ctx, "mike"), APR_SUCCESS);
    assert_string_equal(holder, mike);
}

/* What stands in the table is keyed: nobody can try names against it without the key file. */
static void held_as_a_digest(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    unsigned char secret[32] = {1};
    ua_keys_t *keys = NULL;
    const char *digest = NULL;
    const char *holder = NULL;

    assert_int_equal(ua_username_hold(ctx, "mike", "id"), APR_SUCCESS);
    digest = ua_test_scalar(t, "SELECT digest FROM held_name");
    assert_int_equal(strlen(digest), UA_DIGEST_TEXT);
    assert_null(strstr(digest, "mike"));
    assert_int_equal(ua_digest_text(&holder, t->pool, "mike"), APR_SUCCESS);
    assert_string_not_equal(digest, holder);
    assert_int_equal(ua_keys_derive(&keys, t->pool, secret), APR_SUCCESS);
    ctx->keys = keys;
    assert_int_equal(ua_username_holder(&holder, ctx, "mike"), APR_NOTFOUND);
}

static void failures(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *holder = "untouched";

    site_break(t, "held_name");
    assert_failure(ctx, ua_username_holder(&holder, ctx, "mike"), "held_name_get");
    assert_failure(ctx, ua_username_hold(ctx, "mike", "id"), "held_name_get");
    assert_string_equal(holder, "untouched");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(refusals),      site_test(reserved_by_default), site_test(keys),
        site_test(held_for_good), site_test(held_as_a_digest),    site_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
