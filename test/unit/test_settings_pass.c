/* test_settings_pass.c: the names of the headers that tell applications of the person.
 *
 * Case: APA-01: no name may be one that httpd or a backend reads as something else.
 */
#include "settings_lines.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define USER         "UserAuthPassUserHeader"
#define PREFIX       "UserAuthPassHeaderPrefix"
#define LETTERS_64   "a234567890123456789012345678901234567890123456789012345678901234"

static void names(void **state)
{
    static const char *const good[] = {
        USER " X-Webauth-User", USER " Remote-User", USER " u",
        USER " " LETTERS_64,    PREFIX " X-Auth-",   PREFIX " auth-",
    };
    ua_test_t *t = ua_test_begin();

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        (void)resolved(t, good[i]);
    }
    assert_string_equal(resolved(t, good[0])->pass_user_header, "X-Webauth-User");
    assert_string_equal(resolved(t, good[0])->pass_prefix, "X-Userauth-");
    ua_test_close(t);
}

static void no_names(void **state)
{
    static const refused_t rows[] = {
        {USER " X_User", USER, "takes letters", "digits"},
        {USER " \"X User\"", USER, "takes letters", "digits"},
        {USER " X:User", USER, "takes letters", "digits"},
        {USER " " LETTERS_64 "5", USER, "at most 64", "digits"},
        {USER " Cookie", USER, "Cookie is a header", "meaning of its own"},
        {USER " HOST", USER, "HOST is a header", "meaning of its own"},
        {USER " connection", USER, "connection is a header", "meaning of its own"},
        {USER " Authorization", USER, "Authorization is", "meaning of its own"},
        {USER " Origin", USER, "Origin is a header", "meaning of its own"},
        {USER " x-userauth-id", USER, "x-userauth-id tells", "something else"},
        {PREFIX " X-", PREFIX, "x-forwarded-for", "begins so"},
        {PREFIX " Sec-Fetch-", PREFIX, "sec-fetch-dest", "begins so"},
        {PREFIX " -", PREFIX, "begins with a letter", "or digit"},
        {PREFIX " X_Auth-", PREFIX, "takes letters", "digits"},
        {PREFIX " X-Userauth", PREFIX, "ends with", "X-Userauth-"},
    };

    (void)state;
    judge_refusals(rows, COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(no_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
