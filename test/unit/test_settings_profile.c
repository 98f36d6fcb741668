/* test_settings_profile.c: UserAuthProfileField name "Label" [required] [public]. */
#include "settings_lines.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define FIELD        "UserAuthProfileField "
#define RIGHT        "city \"City\" required"

static const struct {
    const char *line;
    const char *name;
    const char *label;
    int required;
    int is_public;
} fields[] = {
    {"city City", "city", "City", 0, 0},
    {"city \"Home town\"", "city", "Home town", 0, 0},
    {"city City required", "city", "City", 1, 0},
    {"city City public", "city", "City", 0, 1},
    {"city City required public", "city", "City", 1, 1},
    {"city City public required", "city", "City", 1, 1},
    {"city Required", "city", "Required", 0, 0}, /* the words are as they are written */
    {"city \"  Home town  \" public", "city", "Home town", 0, 1},
    {"phone \"Not public\"", "phone", "Not public", 0,
     0}, /* what stands in quotes stays whole */
    {"phone \"Is required\" public", "phone", "Is required", 0, 1},
    {"phone \"required public\"", "phone", "required public", 0, 0},
    {"city City REQUIRED Public", "city", "City", 1, 1},
    {"city Public required", "city", "Public", 1, 0},
    {"city \"A  B\"", "city", "A  B", 0, 0},
    {"c C", "c", "C", 0, 0},
    {"line_2 \"Line 2\"", "line_2", "Line 2", 0, 0},
    {"stadt \"Stra\xc3\x9f"
     "e & Ort <b>\"",
     "stadt",
     "Stra\xc3\x9f"
     "e & Ort <b>",
     0, 0},
    {"abcdefghijklmnopqrstuvwxyz012345 L", "abcdefghijklmnopqrstuvwxyz012345", "L", 0, 0},
};

static void reads_fields(void **state)
{
    ua_test_t *t = ua_test_begin();

    (void)state;
    for (size_t i = 0; i < COUNT(fields); i++) {
        ua_conf_t *conf = resolved(t, apr_pstrcat(t->pool, FIELD, fields[i].line, NULL));
        const ua_profile_field_t *field =
            &APR_ARRAY_IDX(conf->profile_fields, 0, ua_profile_field_t);

        assert_int_equal(conf->profile_fields->nelts, 1);
        assert_string_equal(field->name, fields[i].name);
        assert_string_equal(field->label, fields[i].label);
        assert_int_equal(field->required, fields[i].required);
        assert_int_equal(field->is_public, fields[i].is_public);
    }
    ua_test_close(t);
}

static const char *lines_of(ua_test_t *t, int count)
{
    const char *lines = "";

    for (int i = 0; i < count; i++) {
        lines = apr_psprintf(t->pool, "%s" FIELD "f%d \"Field %d\"\n", lines, i, i);
    }
    return lines;
}

static void keeps_their_order(void **state)
{
    ua_test_t *t = ua_test_begin();
    ua_conf_t *conf = resolved(t, lines_of(t, 16));

    (void)state;
    assert_int_equal(conf->profile_fields->nelts, 16);
    for (int i = 0; i < 16; i++) {
        assert_string_equal(APR_ARRAY_IDX(conf->profile_fields, i, ua_profile_field_t).label,
                            apr_psprintf(t->pool, "Field %d", i));
    }
    assert_null(resolved(t, "")->profile_fields);
    ua_test_close(t);
}

static const refused_t refusals[] = {
    {FIELD "city", "UserAuthProfileField", "not \"city\"", RIGHT},
    {FIELD "city required", "UserAuthProfileField", "not \"city required\"", RIGHT},
    {FIELD "city public required", "UserAuthProfileField", "a label", RIGHT},
    {FIELD "city \" \"", "UserAuthProfileField", "a label", RIGHT},
    {FIELD "City City", "UserAuthProfileField", "lower-case", RIGHT},
    {FIELD "home-town Town", "UserAuthProfileField", "home-town", RIGHT},
    {FIELD "2nd Second", "UserAuthProfileField", "2nd", RIGHT},
    {FIELD "_x X", "UserAuthProfileField", "_x", RIGHT},
    {FIELD "\"\" X", "UserAuthProfileField", "name", RIGHT},
    {FIELD "st\xc3\xa4"
           "dt X",
     "UserAuthProfileField", "name", RIGHT},
    {FIELD "abcdefghijklmnopqrstuvwxyz0123456 L", "UserAuthProfileField", "name", RIGHT},
    {FIELD "city \"A\xe2\x80\xae"
           "B\"",
     "UserAuthProfileField", "label", RIGHT},
    {FIELD "city \"A\xff"
           "B\"",
     "UserAuthProfileField", "label", RIGHT},
    {FIELD "city \"\xe4\"", "UserAuthProfileField", "label", RIGHT},
    {FIELD "city \"1234567890123456789012345678901234567890123456789012345678901234x\"",
     "UserAuthProfileField", "label", RIGHT},
    {FIELD "city City\n" FIELD "city Town", "UserAuthProfileField", "city is given twice",
     "16"},
};

/* What follows the label: each of two words, once. */
static const refused_t words[] = {
    {FIELD "city \"City\" optional", "UserAuthProfileField", "city", "not \"optional\""},
    {FIELD "city \"City\" requierd", "UserAuthProfileField", "not \"requierd\"",
     "required and public"},
    {FIELD "city City required privat", "UserAuthProfileField", "not \"privat\"",
     "required and public"},
    {FIELD "city Home town", "UserAuthProfileField", "not \"town\"", "in quotes: " RIGHT},
    {FIELD "city \"City\" \"required public\"", "UserAuthProfileField",
     "not \"required public\"", "required and public"},
    {FIELD "city City \"\"", "UserAuthProfileField", "not \"\"", "required and public"},
    {FIELD "city \"City\" required required public", "UserAuthProfileField", "required twice",
     RIGHT},
    {FIELD "city \"City\" public required Public", "UserAuthProfileField", "public twice",
     RIGHT},
    {FIELD "city City optional\n" FIELD "town Town", "UserAuthProfileField", "city",
     "not \"optional\""},
};

static void refuses_other_words(void **state)
{
    (void)state;
    judge_refusals(words, COUNT(words));
}

static void refuses_what_is_no_field(void **state)
{
    (void)state;
    judge_refusals(refusals, COUNT(refusals));
}

/* Every name of a form of ours, and of what stands beside the fields in an answer. */
static void refuses_names_of_forms(void **state)
{
    static const char *const names[] = {"username",
                                        "email",
                                        "password",
                                        "password_confirm",
                                        "current_password",
                                        "hidden",
                                        "display_name",
                                        "show_email",
                                        "flags",
                                        "cancel_email",
                                        "token",
                                        "resend_email",
                                        "code",
                                        "csrf",
                                        "next",
                                        "login",
                                        "remember",
                                        "session",
                                        "others",
                                        "all",
                                        "id",
                                        "notice",
                                        "refresh_token"};
    ua_test_t *t = ua_test_begin();

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        ua_conf_t *conf = NULL;
        int row = 0;
        const char *err =
            resolve(t, &conf, &row, apr_pstrcat(t->pool, FIELD, names[i], " Label", NULL));

        assert_non_null(err);
        assert_int_equal(row, UA_D_profile_field_lines);
    }
    ua_test_close(t);
}

static void refuses_more_than_sixteen(void **state)
{
    ua_test_t *t = ua_test_begin();
    ua_conf_t *conf = NULL;
    int row = 0;

    (void)state;
    assert_string_equal(resolve(t, &conf, &row, lines_of(t, 17)),
                        "UserAuthProfileField f16 is given twice, or is more than the 16 "
                        "possible");
    ua_test_close(t);
}

/* XSS-01: the label is text wherever it is shown. */
static void shows_the_field_in_the_form(void **state)
{
    ua_test_t *t =
        ua_test_open(FIELD "town \"Town <b>&\" required public", FIELD "age Age", NULL);

    (void)state;
    assert_status(t, ua_test_get(t, "/auth/register"), 200);
    assert_shows(t, "<label for=\"f-town\">Town &lt;b&gt;&amp;</label>");
    assert_shows(t, "Other members can see this.");
    assert_shows(t, "<label for=\"f-age\">Age <span class=\"optional\">(optional)</span>");
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(keeps_their_order),
        cmocka_unit_test(refuses_what_is_no_field),
        cmocka_unit_test(refuses_other_words),
        cmocka_unit_test(refuses_names_of_forms),
        cmocka_unit_test(refuses_more_than_sixteen),
        cmocka_unit_test(shows_the_field_in_the_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
