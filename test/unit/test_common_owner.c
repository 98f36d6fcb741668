/* test_common_owner.c: a link and a password prove together whose account it is: which passwords count, what
 * a link that is no good asks for, and where guesses are counted.
 *
 * Cases: BF-01, INV-7.
 */
#include "moves.h"

#define WRONG   "not-the-password-92"
#define OTHER   "quartz-meadow-lantern-58"
#define NEW     "new@example.org"
#define UNDO    "/auth/undo"
#define RESTORE "/auth/restore"

/* Alice moved to a new address and closed the account, both a moment ago. */
typedef struct links_t {
    const char *undo;    /* sent to the old address */
    const char *restore; /* sent to the new one */
} links_t;

static ua_test_t *closed_site(links_t *links)
{
    ua_test_t *t = site_of_alice(NULL);

    move_to(t, NEW);
    links->undo = undo_link(t, ALICE);
    assert_status(
        t, ua_test_submit(t, "/dashboard/close", "current_password", UA_TEST_PASSWORD, NULL),
        303);
    apr_table_clear(t->jar);
    assert_non_null(letter(t, NEW));
    links->restore = ua_test_token(t, "restore");
    return t;
}

/* What is found for a link to `page` and a password, before anything is done about it. */
static const ua_owner_t *look(ua_test_t *t, const char *page, const char *token,
                              const char *password)
{
    ua_owner_t *owner = NULL;

    assert_status(t, ua_test_get(t, apr_pstrcat(t->pool, page, "?token=", token, NULL)), 200);
    apr_table_setn(t->req->form, "token", token);
    apr_table_setn(t->req->form, "password", password);
    ua_res_init(t->res, t->req);
    assert_int_equal(ua_owner_verify(&owner, t->res, t->req, t->req->route->path), APR_SUCCESS);
    assert_int_equal(t->res->problem, UA_PROBLEM_NONE);
    ua_password_leave(t->req->ctx);
    ua_db_release(t->req->ctx);
    assert_non_null(owner->account);
    return owner;
}

/* The account's password becomes one that was replaced at `ended`; another is present. */
static void replace(ua_test_t *t, apr_time_t ended)
{
    ua_ctx_t *ctx = ua_test_context(t);
    const char *hash = NULL;

    assert_int_equal(ua_password_enter(ctx), APR_SUCCESS);
    assert_int_equal(ua_password_hash(&hash, ctx, OTHER), APR_SUCCESS);
    ua_password_leave(ctx);
    ua_db_release(ctx);
    ua_test_sql(t,
                "INSERT INTO old_password SELECT 'old', id, password_hash, %" APR_TIME_T_FMT
                " FROM account",
                ended);
    ua_test_sql(t, "UPDATE account SET password_hash = '%s'", hash);
}

static void the_present_one(void **state)
{
    links_t links;
    ua_test_t *t = closed_site(&links);
    const ua_owner_t *owner = look(t, RESTORE, links.restore, UA_TEST_PASSWORD);

    (void)state;
    assert_int_equal(owner->right + owner->present, 2);
    owner = look(t, RESTORE, links.restore, WRONG);
    assert_int_equal(owner->right + owner->present, 0);
    owner = look(t, RESTORE, links.restore, "");
    assert_int_equal(owner->right + owner->present, 0);
    ua_test_sql(t, "UPDATE account SET password_off = 1"); /* still its owner's */
    owner = look(t, RESTORE, links.restore, UA_TEST_PASSWORD);
    assert_int_equal(owner->right, 1);
    assert_int_equal(owner->present, 0);
    ua_test_close(t);
}

/* Of the last 7 days: before the closing for a link that opens a closed account, else before now. */
static void replaced_ones(void **state)
{
    static const struct {
        const char *page;
        apr_int64_t age; /* seconds between its end and the closing */
        int right;
    } rows[] = {{RESTORE, DAYS(7) - 1, 1},
                {RESTORE, DAYS(7), 0},
                {UNDO, DAYS(2) - 1, 1},
                {UNDO, DAYS(2), 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        links_t links;
        ua_test_t *t = closed_site(&links);
        const char *token = strcmp(rows[i].page, UNDO) == 0 ? links.undo : links.restore;
        const ua_owner_t *owner = NULL;

        replace(t, t->now - apr_time_from_sec(rows[i].age));
        ua_test_clock(t, DAYS(5));
        owner = look(t, rows[i].page, token, UA_TEST_PASSWORD);
        assert_int_equal(owner->right, rows[i].right);
        assert_int_equal(owner->present, 0);
        owner = look(t, rows[i].page, token, OTHER);
        assert_int_equal(owner->right + owner->present, 2);
        ua_test_close(t);
    }
}

/* Who is not shown the form is not asked to fill it in: the link's fault is what is said. */
static void without_a_good_link(void **state)
{
    links_t links;
    ua_test_t *t = closed_site(&links);

    (void)state;
    t->json = 1;
    assert_status(t, ua_test_post(t, RESTORE, "token", "x", NULL), 400);
    assert_value(t, "code", "token_invalid");
    assert_status(t, ua_test_post(t, RESTORE, "token", links.undo, "password", WRONG, NULL),
                  400);
    ua_test_sql(t, "UPDATE token SET state = 1");
    assert_status(t, ua_test_post(t, RESTORE, "token", links.restore, NULL), 410);
    ua_test_sql(t, "UPDATE token SET state = 0");
    assert_status(t, ua_test_post(t, RESTORE, "token", links.restore, NULL), 422);
    assert_value(t, "errors.password", "Enter a password.");
    ua_test_sql(t, "DELETE FROM account");
    assert_status(t, ua_test_post(t, RESTORE, "token", links.restore, "password", WRONG, NULL),
                  400);
    assert_int_equal(ua_test_events(t, "_failed\""), 0);
    ua_test_close(t);
}

/* BF-01: for each link apart: who holds one stops nobody with another. */
static void counts_for_the_link(void **state)
{
    links_t links;
    ua_test_t *t = closed_site(&links);

    (void)state;
    t->json = 1;
    for (int i = 0; i < 5; i++) {
        assert_status(t, ua_test_post(t, UNDO, "token", links.undo, "password", WRONG, NULL),
                      422);
        assert_value(t, "errors.password", "This is no password of the account.");
    }
    assert_int_equal(ua_test_events(t, "\"undo_failed\""), 5);
    assert_status(
        t, ua_test_post(t, UNDO, "token", links.undo, "password", UA_TEST_PASSWORD, NULL), 429);
    assert_value(t, "code", "account_locked");
    assert_int_equal(ua_test_count(t, "SELECT failures + device_failures FROM account"), 0);
    assert_status(
        t, ua_test_post(t, RESTORE, "token", links.restore, "password", UA_TEST_PASSWORD, NULL),
        200);
    ua_test_close(t);
}

/* INV-7: passwords that can't be read are no wrong ones. */
static void without_storage(void **state)
{
    links_t links;
    ua_test_t *t = closed_site(&links);

    (void)state;
    ua_test_sql(t, "ALTER TABLE old_password RENAME TO away");
    ua_test_expect(t, "UA0101");
    t->json = 1;
    assert_status(
        t, ua_test_post(t, RESTORE, "token", links.restore, "password", UA_TEST_PASSWORD, NULL),
        503);
    assert_int_equal(ua_test_events(t, "restore_failed"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_present_one),     cmocka_unit_test(replaced_ones),
        cmocka_unit_test(without_a_good_link), cmocka_unit_test(counts_for_the_link),
        cmocka_unit_test(without_storage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
