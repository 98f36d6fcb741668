/* test_common_try_faults.c: passwords that can't be checked, since the memory for a hash is not there.
 *
 * Nobody is let in, and nobody's failures are counted: the machine failed, not the person. Cases: INV-7, BF.
 */
#include "failing_requests.h"

#include <errno.h>
#include <sodium.h>

static int without_memory;

int crypto_pwhash(unsigned char *const out, unsigned long long outlen, const char *const passwd,
                  unsigned long long passwdlen, const unsigned char *const salt,
                  unsigned long long opslimit, size_t memlimit, int alg)
{
    int (*real)(unsigned char *, unsigned long long, const char *, unsigned long long,
                const unsigned char *, unsigned long long, size_t, int) = NULL;

    FIND_REAL(real, "crypto_pwhash");
    if (without_memory) {
        errno = ENOMEM;
        return -1;
    }
    return real(out, outlen, passwd, passwdlen, salt, opslimit, memlimit, alg);
}

int crypto_pwhash_str_alg(char out[crypto_pwhash_STRBYTES], const char *const passwd,
                          unsigned long long passwdlen, unsigned long long opslimit,
                          size_t memlimit, int alg)
{
    int (*real)(char *, const char *, unsigned long long, unsigned long long, size_t, int) =
        NULL;

    FIND_REAL(real, "crypto_pwhash_str_alg");
    if (without_memory) {
        errno = ENOMEM;
        return -1;
    }
    return real(out, passwd, passwdlen, opslimit, memlimit, alg);
}

/* The form is refused without memory, and nothing is changed; with it, it works. */
static void try_form(ua_test_t *t, int success)
{
    kept_t before = keep(t);

    without_memory = 1;
    (void)post_form(t);
    without_memory = 0;
    expect_kept(t, &before, FAULT_ANY, 0);
    announce(t, &before);
    assert_status(t, post_form(t), success);
}

static void a_visitor(void **state)
{
    static const struct {
        const char *uri;
        const char *body;
        int success;
    } rows[] = {
        {"/auth/login", "login=alice&password=" UA_TEST_PASSWORD, 303},
        {"/auth/login", "login=alice&password=not-the-password", 401},
        {"/auth/login", "login=nobody&password=not-the-password", 401},
        {"/auth/register", "username=bob&email=bob%40example.org&password=" UA_TEST_PASSWORD,
         303},
    };

    ua_test_t *t = tireless_alice(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        apr_table_clear(t->jar);
        form.uri = rows[i].uri;
        form.body = rows[i].body;
        try_form(t, rows[i].success);
    }
    ua_test_close(t);
}

static void somebody_signed_in(void **state)
{
    static const struct {
        const char *uri;
        const char *fields;
    } rows[] = {
        {"/auth/reauth", "password=" UA_TEST_PASSWORD},
        {"/dashboard/profile", "email=new%40example.org&current_password=" UA_TEST_PASSWORD},
        {"/dashboard/password",
         "current_password=" UA_TEST_PASSWORD "&password=seven-quiet-otters-paint-12"},
        {"/dashboard/close", "current_password=seven-quiet-otters-paint-12"},
    };

    ua_test_t *t = tireless_alice(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ua_test_clock(t, 15 * 60); /* the password was given long ago */
        fill_form(t, rows[i].uri, rows[i].fields);
        try_form(t, 303);
    }
    ua_test_close(t);
}

/* By the link that undoes a change of the address, and by the one that brings a closed account back. */
static void the_owner_of_a_link(void **state)
{
    ua_test_t *t = tireless_alice(NULL);

    (void)state;
    move_to(t, "new@example.org");
    form.uri = "/auth/undo";
    form.body =
        apr_pstrcat(t->pool, "password=" UA_TEST_PASSWORD "&token=", undo_link(t, ALICE), NULL);
    apr_table_clear(t->jar);
    try_form(t, 303);
    ua_test_sql(t, "UPDATE account SET password_off = 0");
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    ua_test_clock(t, 1);
    fill_form(t, "/dashboard/close", "current_password=" UA_TEST_PASSWORD);
    assert_status(t, post_form(t), 303);
    assert_non_null(letter(t, ALICE));
    form.uri = "/auth/restore";
    form.body = apr_pstrcat(
        t->pool, "password=" UA_TEST_PASSWORD "&token=", ua_test_token(t, "restore"), NULL);
    apr_table_clear(t->jar);
    try_form(t, 303);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_visitor),
        cmocka_unit_test(somebody_signed_in),
        cmocka_unit_test(the_owner_of_a_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
