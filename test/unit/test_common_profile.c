/* test_common_profile.c: the operator's own fields of one account, in the operator's order. */
#include "domain_site.h"

#include "domain/profile_field.h"
#include "features/feature.h"

static ua_test_t *site(void)
{
    return ua_test_open("UserAuthProfileField town \"Home town\" required public",
                        "UserAuthProfileField age Age", NULL);
}

static void save(ua_ctx_t *ctx, const char *id, const char *name, const char *value)
{
    ua_req_t req = {.ctx = ctx};

    req.form = apr_table_make(ctx->pool, 4);
    apr_table_setn(req.form, "username", "mallory");
    apr_table_setn(req.form, "secret", "of no field");
    if (name) {
        apr_table_setn(req.form, name, value);
    }
    assert_int_equal(ua_own_fields_save(&req, id), APR_SUCCESS);
}

static void expect_fields(ua_ctx_t *ctx, const char *id, const char *expected)
{
    apr_array_header_t *own = NULL;
    const char *all = "";

    assert_int_equal(ua_own_fields_read(&own, ctx, id), APR_SUCCESS);
    for (int i = 0; i < own->nelts; i++) {
        const ua_own_field_t *one = &APR_ARRAY_IDX(own, i, ua_own_field_t);

        all = apr_psprintf(ctx->pool, "%s%s%d%d=%s;", all, one->field->name,
                           one->field->required, one->field->is_public, one->value);
    }
    assert_string_equal(all, expected);
}

static void saves_what_was_sent(void **state)
{
    ua_test_t *t = site();
    ua_ctx_t *ctx = ua_test_context(t);
    const char *alice = site_member(ctx, "alice");

    (void)state;
    expect_fields(ctx, alice, "town11=;age00=;");
    save(ctx, alice, "age", "33");
    expect_fields(ctx, alice, "town11=;age00=33;");
    save(ctx, alice, "town", "Ulm");
    save(ctx, alice, NULL, NULL);
    expect_fields(ctx, alice, "town11=Ulm;age00=33;");
    save(ctx, alice, "age", "");
    expect_fields(ctx, alice, "town11=Ulm;age00=;");
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM profile_field"), 1);
    ua_db_release(ctx);
    ua_test_close(t);
}

/* A field that the operator took away is neither shown nor saved; its row stays for later. */
static void shows_only_todays_fields(void **state)
{
    ua_test_t *t = site();
    ua_ctx_t *ctx = ua_test_context(t);
    const char *alice = apr_pstrdup(t->pool, site_member(ctx, "alice"));

    (void)state;
    save(ctx, alice, "town", "Ulm");
    ua_db_release(ctx);
    assert_null(ua_test_start(t, "UserAuthProfileField phone Phone", NULL));
    ctx = ua_test_context(t);
    save(ctx, alice, "town", "Bonn");
    expect_fields(ctx, alice, "phone00=;");
    ua_db_release(ctx);
    assert_null(ua_test_start(t, NULL));
    ctx = ua_test_context(t);
    save(ctx, alice, "town", "Bonn");
    expect_fields(ctx, alice, "");
    assert_string_equal(ua_test_scalar(t, "SELECT value FROM profile_field"), "Ulm");
    ua_db_release(ctx);
    ua_test_close(t);
}

static void fails_with_its_table(void **state)
{
    ua_test_t *t = site();
    ua_ctx_t *ctx = ua_test_context(t);
    ua_req_t req = {.ctx = ctx};
    apr_array_header_t *own = NULL;

    (void)state;
    req.form = apr_table_make(ctx->pool, 1);
    apr_table_setn(req.form, "town", "Ulm");
    site_break(t, "profile_field");
    assert_failure(ctx, ua_own_fields_save(&req, "a"), "profile_field_delete");
    assert_failure(ctx, ua_own_fields_read(&own, ctx, "a"), "profile_field_list");
    assert_null(own);
    ua_db_release(ctx);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saves_what_was_sent),
        cmocka_unit_test(shows_only_todays_fields),
        cmocka_unit_test(fails_with_its_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
