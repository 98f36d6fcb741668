/* test_common_hidden_traces.c: with UserAuthHideAccounts neither what strangers do at an address, nor what becomes of its
 * mail, nor what is stored, tells whoever registered it, or asked for it, whether it is used (ENUM-01, ENUM-04, ENUM-08). */
#include "hidden_pair.h"

#define WRONG UA_TEST_PASSWORD "!"

static void send_all(ua_test_t *t)
{
    while (ua_test_mail(t)) {
    }
}

/* Both take the step, each in a new browser. */
static int strangers(const pair_t *pair, step_f *step)
{
    pair_t others = *pair;

    others.jars[0] = apr_table_make(pair->t->pool, 4);
    others.jars[1] = apr_table_make(pair->t->pool, 4);
    return both(&others, step);
}

static int forgot(ua_test_t *t, const char *name, const char *email)
{
    (void)name;
    return ua_test_post(t, "/auth/forgot", "email", email, NULL);
}

static int fail_by_address(ua_test_t *t, const char *name, const char *email)
{
    (void)name;
    return ua_test_post(t, "/auth/login", "login", email, "password", WRONG, NULL);
}

static int fail_by_name(ua_test_t *t, const char *name, const char *email)
{
    (void)email;
    return ua_test_post(t, "/auth/login", "login", name, "password", WRONG, NULL);
}

/* A resend that another browser asked for. */
static void a_stranger_s_resend_does_not_show(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        ua_test_t *t = open_site(NULL);
        pair_t pair = pair_of(t);

        send_all(t);
        t->json = json;
        assert_status(t, both(&pair, post), json ? 201 : 303);
        send_all(t);
        ua_test_clock(t, 120);
        assert_status(t, both(&pair, look), 200);
        assert_status(t, strangers(&pair, resend), json ? 202 : 303);
        assert_status(t, both(&pair, look), 200);
        assert_shows(t, json ? "\"mail\":\"sent\"" : "We sent an email to");
        assert_status(t, both(&pair, resend), json ? 202 : 303);
        assert_status(t, both(&pair, look), 200);
        assert_shows(t, json ? "\"mail\":\"queued\"" : "It is on its way.");
        ua_test_close(t);
    }
}

/* Nor does it bring new tries of the code, or a longer time for them: only an own one does. */
static void a_stranger_s_resend_brings_no_tries(void **state)
{
    ua_test_t *t = open_site(NULL);
    pair_t pair = pair_of(t);

    (void)state;
    assert_status(t, both(&pair, post), 303);
    for (int i = 0; i < 4; i++) {
        assert_status(t, both(&pair, type_code), 422);
    }
    ua_test_clock(t, 12 * 3600);
    assert_status(t, strangers(&pair, resend), 303);
    assert_status(t, both(&pair, type_code), 422);
    assert_shows(t, "This code is not right. Use the link in the email");
    assert_status(t, both(&pair, type_code), 422);
    assert_shows(t, "Too many wrong codes.");
    ua_test_clock(t, 12 * 3600 - 1);
    assert_status(t, both(&pair, type_code), 422);
    ua_test_clock(t, 1);
    assert_status(t, both(&pair, type_code), 410);
    assert_shows(t, "Verification link has expired");
    assert_status(t, both(&pair, resend), 303);
    assert_status(t, both(&pair, type_code), 422);
    assert_shows(t, "You have 4 more tries.");
    ua_test_close(t);
}

/* BF-02: failures by one of the names, which disable its password, do not show by the other. */
static void failures_count_for_one_name(void **state)
{
    (void)state;
    for (int by_name = 0; by_name < 2; by_name++) {
        ua_test_t *t = open_site("UserAuthRateLimit login off");
        pair_t pair = pair_of(t);

        assert_status(t, both(&pair, post), 303);
        for (int i = 0; i < 50; i++) {
            assert_status(t, strangers(&pair, by_name ? fail_by_name : fail_by_address), 401);
            ua_test_clock(t, 3600);
        }
        assert_status(t, strangers(&pair, by_name ? fail_by_name : fail_by_address), 429);
        assert_status(t, strangers(&pair, by_name ? fail_by_address : login_by_name),
                      by_name ? 401 : 403);
        assert_int_equal(
            ua_test_count(t, "SELECT SUM(failures) FROM account WHERE verified = 0"), 0);
        ua_test_close(t);
    }
}

/* A confirmed account's failures, and on another site those of any, count under all its names together. */
static void other_failures_count_together(void **state)
{
    static const char *const lines[] = {NULL, "UserAuthHideAccounts off"};

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        ua_test_t *t = ua_test_open(lines[i] ? lines[i] : HIDE, NULL);

        if (!lines[i]) {
            ua_test_member(t, "frieda");
        }
        else {
            ua_test_register(t, "frieda");
        }
        assert_status(t, fail_by_name(t, "frieda", ""), 401);
        assert_status(t, fail_by_address(t, "", "frieda@example.org"), 401);
        assert_int_equal(ua_test_count(t, "SELECT failures + device_failures FROM account"), 2);
        ua_test_close(t);
    }
}

static int correct_own(ua_test_t *t, const char *name, const char *email)
{
    (void)email;
    return ua_test_post(t, "/auth/check-email", "email",
                        apr_pstrcat(t->pool, name, ".own@example.net", NULL), NULL);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The values of one list of the export, or of the events page, without ids and in a fixed order. */
static const char *list_of(ua_test_t *t, const char *path, const char *name)
{
    const json_t *list = NULL;
    apr_array_header_t *entries = apr_array_make(t->pool, 16, sizeof(char *));
    json_t *entry = NULL;
    size_t i = 0;

    t->json = 1;
    assert_status(t, ua_test_get(t, path), 200);
    t->json = 0;
    list = json_object_get(ua_json_own(t->pool, json_loads(t->body, 0, NULL)), name);
    assert_true(json_array_size(list) > 0);
    json_array_foreach(list, i, entry)
    {
        json_object_del(entry, "id");
        APR_ARRAY_PUSH(entries, const char *) = ua_json_text(t->pool, entry);
    }
    qsort(entries->elts, (size_t)entries->nelts, sizeof(char *), compare_texts);
    return apr_array_pstrcat(t->pool, entries, '\n');
}

/* Whatever a person can find about the time before, from page to page. */
static void expect_same_past(const pair_t *pair)
{
    static const char *const lists[][2] = {{"/dashboard/activity", "events"},
                                           {"/dashboard/export", "events"},
                                           {"/dashboard/export", "mails"},
                                           {"/dashboard/export", "links"}};
    ua_test_t *t = pair->t;

    for (size_t i = 0; i < COUNT(lists); i++) {
        const char *found[2];

        for (int who = 0; who < 2; who++) {
            t->jar = pair->jars[who];
            found[who] = neutral(t, list_of(t, lists[i][0], lists[i][1]), pair->names[who],
                                 pair->emails[who]);
        }
        expect_alike(found[0], found[1]);
        assert_null(strstr(found[0], "?@"));
        if (i == 0) {
            assert_non_null(strstr(found[0], "\"registered\""));
            assert_non_null(strstr(found[0], "\"address_corrected\""));
        }
    }
}

/* A registration is corrected to an own address, confirmed, and looks back. */
static void a_corrected_account_has_no_past(void **state)
{
    (void)state;
    for (int sent = 0; sent < 2; sent++) {
        ua_test_t *t = open_site(NULL);
        pair_t pair = pair_of(t);

        send_all(t);
        assert_status(t, both(&pair, post), 303);
        if (sent) {
            send_all(t);
        }
        ua_test_clock(t, 3600);
        assert_status(t, strangers(&pair, forgot), 303);
        assert_status(t, strangers(&pair, fail_by_address), 401);
        ua_test_clock(t, 3600);
        assert_status(t, strangers(&pair, resend), 303);
        ua_test_clock(t, 3600);
        assert_status(t, both(&pair, resend), 303);
        ua_test_clock(t, 3600);
        assert_status(t, both(&pair, correct_own), 303);
        for (int i = 0; i < 2; i++) {
            pair.emails[i] = apr_pstrcat(t->pool, pair.names[i], ".own@example.net", NULL);
        }
        ua_test_clock(t, 60);
        for (int i = 0; i < 2; i++) {
            t->jar = pair.jars[i];
            send_all(t);
            assert_status(t, resend(t, "", pair.emails[i]), 303);
            assert_non_null(ua_test_mail(t));
            assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
        }
        send_all(t);
        assert_status(t, both(&pair, login_by_name), 303);
        expect_same_past(&pair);
        ua_test_close(t);
    }
}

/* The owner is told all the same, when mail was delayed for so long. */
static void a_mail_to_the_owner_outlives_it(void **state)
{
    ua_test_t *t = open_site(NULL);

    (void)state;
    send_all(t);
    assert_status(t, post(t, "uschi", "alice@example.org"), 303);
    ua_test_sql(t, "UPDATE outbox SET due = %" APR_TIME_T_FMT " WHERE kind = 'taken'",
                t->now + apr_time_from_sec(300));
    assert_status(t, correct_own(t, "uschi", ""), 303);
    assert_non_null(ua_test_mail(t));
    assert_status(t, ua_test_get(t, ua_test_link(t, "verify")), 303);
    send_all(t);
    assert_int_equal(ua_test_count(t, "SELECT state FROM outbox WHERE kind = 'taken'"), 0);
    ua_test_clock(t, 300);
    assert_non_null(ua_test_mail(t));
    assert_non_null(strstr(t->mail, "Subject: Someone tried to register with your email\r\n"));
    assert_non_null(strstr(t->mail, "Hello alice,"));
    ua_test_close(t);
}

/* A row to nobody fares unlike a mail that a server takes its time for, or refuses: the page follows neither. */
static void the_page_does_not_follow_the_mail(void **state)
{
    static const char *const fates[] = {
        "UPDATE outbox SET state = 1, sent = 1", "UPDATE outbox SET state = 2",
        "UPDATE outbox SET attempts = 3", "UPDATE outbox SET kind = 'nobody', email = ''",
        "DELETE FROM outbox"};

    (void)state;
    for (size_t i = 0; i < COUNT(fates) * 2; i++) {
        ua_test_t *t = open_site(NULL);
        pair_t pair = pair_of(t);

        assert_status(t, both(&pair, post), 303);
        ua_test_sql(t, "%s WHERE username = '%s'", fates[i / 2], pair.names[i % 2]);
        assert_status(t, both(&pair, look), 200);
        assert_shows(t, "It is on its way.");
        ua_test_clock(t, 2);
        assert_status(t, both(&pair, look), 200);
        assert_shows(t, "We sent an email to");
        ua_test_clock(t, 6 * 24 * 3600);
        assert_status(t, both(&pair, look), 200);
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_s_resend_does_not_show),
        cmocka_unit_test(a_stranger_s_resend_brings_no_tries),
        cmocka_unit_test(failures_count_for_one_name),
        cmocka_unit_test(other_failures_count_together),
        cmocka_unit_test(a_corrected_account_has_no_past),
        cmocka_unit_test(a_mail_to_the_owner_outlives_it),
        cmocka_unit_test(the_page_does_not_follow_the_mail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
