/* test_jobs.c: what is removed when its time is over, and nothing else (contract 8). */
#include "fixture.h"
#include "db_faults.h"

#define MINUTE apr_time_from_sec(60)
#define DAY    (1440 * MINUTE)
#define KEPT   (90 * DAY) /* UserAuthRetention */

/* A row of a table. Every column that `set` does not name is the id, if a text, or 0. */
typedef struct swept_t {
    const char *table;
    const char *id;
    const char *set;  /* "enabled=0 verified=1" */
    const char *time; /* the column whose age decides */
    apr_interval_time_t age;
    int gone;
    const char *comment;
} swept_t;

#define FAR "9000000000000000"

static const swept_t rows[] = {
    {"account", "a1", "", "created", 7 * DAY + 1, 1, "never verified for a week"},
    {"account", "a2", "", "created", 7 * DAY, 0, "not yet a week"},
    {"account", "a3", "enabled=1 verified=1", "created", 400 * DAY, 0, "verified"},
    {"account", "a4", "verified=1", "created", 400 * DAY, 0, "verified, then shut out"},
    {"token", "t1", "state=1 ended=1", "expires", KEPT + 1, 1, "used, long past its end"},
    {"token", "t2", "state=1 ended=1", "expires", KEPT, 0, "used, not yet"},
    {"token", "t3", "", "expires", KEPT + 1, 1, "never used, long past its end"},
    {"token", "t4", "", "expires", DAY, 0, "expired yesterday: still says so"},
    {"token", "t5", "", "expires", -DAY, 0, "open"},
    {"session", "s1", "", "expires", KEPT + 1, 1, "expired long ago"},
    {"session", "s2", "", "expires", KEPT, 0, "not yet"},
    {"session", "s3", "", "expires", -1, 0, "alive"},
    {"session", "s4", "expires=" FAR, "ended", KEPT + 1, 1, "ended long ago"},
    {"session", "s5", "expires=" FAR, "ended", KEPT, 0, "not yet"},
    {"device", "d1", "", "expires", 1, 1, "expired: knows nobody"},
    {"device", "d2", "", "expires", 0, 0, "expires now"},
    {"device", "d3", "", "expires", -1, 0, "known"},
    {"throttle", "h1", "", "touched", DAY + 1, 1, "idle for a day"},
    {"throttle", "h2", "", "touched", DAY, 0, "not yet"},
    {"throttle", "h3", "until=" FAR, "touched", DAY + 1, 0, "its wait lasts on"},
    {"outbox", "o1", "state=1", "created", 7 * DAY + 1, 1, "sent: only the state is told"},
    {"outbox", "o2", "state=1", "created", 7 * DAY, 0, "not yet"},
    {"outbox", "o3", "state=2", "created", 7 * DAY + 1, 1, "given up"},
    {"outbox", "o4", "expires=" FAR, "created", KEPT + 1, 0, "still waits: no mail is lost"},
    {"outbox", "o5", "state=0", "created", KEPT + 1, 1, "of a former base URL, and over"},
    {"event", "e1", "", "happened", KEPT + 1, 1, "long ago"},
    {"event", "e2", "", "happened", KEPT, 0, "not yet"},
};

/* A counter is kept as long as a rate counts in it. */
static void a_rate_of_weeks(void **state)
{
    static const char *const lines[] = {"UserAuthRateLimit login 5/14d",
                                        "UserAuthMailLimit 1/1m 20/14d",
                                        "UserAuthMailBudget 1000/14d"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        ua_test_t *t = ua_test_open(lines[i], NULL);

        ua_test_sql(t,
                    "INSERT INTO throttle (name, hits, since, until, touched) VALUES ('r', 5, "
                    "0, 0, %" APR_TIME_T_FMT ")",
                    t->now);
        ua_test_clock(t, 14 * 24 * 3600);
        ua_jobs_sweep(t->jobs, t->now);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM throttle"), 1);
        ua_test_clock(t, 61);
        ua_jobs_sweep(t->jobs, t->now);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM throttle"), 0);
        ua_test_close(t);
    }
}

/* What `set` says of a column, or NULL. */
static const char *said(ua_test_t *t, const swept_t *row, const char *column)
{
    const char *name = apr_pstrcat(t->pool, " ", column, "=", NULL);
    const char *found = strstr(apr_pstrcat(t->pool, " ", row->set, NULL), name);

    if (strcmp(column, row->time) == 0) {
        return apr_psprintf(t->pool, "%" APR_TIME_T_FMT, t->now - row->age);
    }
    if (!found) {
        return NULL;
    }
    found += strlen(name);
    return apr_pstrmemdup(t->pool, found, strcspn(found, " "));
}

static const char *value_of(ua_test_t *t, const swept_t *row, const char *column)
{
    const char *value = said(t, row, column);
    int text = ua_test_count(t,
                             "SELECT COUNT(*) FROM pragma_table_info('%s') WHERE name = '%s' "
                             "AND type = 'TEXT'",
                             row->table, column) > 0;

    if (value) {
        return value;
    }
    return !text                               ? "0"
           : strcmp(column, "account_id") == 0 ? "'keeper'"
                                               : apr_psprintf(t->pool, "'%s'", row->id);
}

static void insert(ua_test_t *t, const swept_t *row)
{
    const char *columns =
        ua_test_scalar(t, "SELECT group_concat(name) FROM pragma_table_info('%s')", row->table);
    const char *values = "";
    char *state = NULL;

    for (char *c = apr_strtok(apr_pstrdup(t->pool, columns), ",", &state); c;
         c = apr_strtok(NULL, ",", &state)) {
        values = apr_pstrcat(t->pool, values, *values ? ", " : "", value_of(t, row, c), NULL);
    }
    ua_test_sql(t, "INSERT INTO %s (%s) VALUES (%s)", row->table, columns, values);
}

static const char *key_of(const char *table)
{
    return strcmp(table, "throttle") == 0 ? "name"
           : strcmp(table, "device") == 0 ? "digest"
                                          : "id";
}

static apr_int64_t is_there(ua_test_t *t, const char *table, const char *id)
{
    return ua_test_count(t, "SELECT COUNT(*) FROM %s WHERE %s = '%s'", table, key_of(table),
                         id);
}

/* A site with an account that keeps what hangs on it. */
static ua_test_t *begin(const char *line)
{
    static const swept_t keeper = {"account", "keeper", "enabled=1 verified=1", "created", 0,
                                   0,         ""};
    ua_test_t *t = ua_test_open(line, NULL);

    insert(t, &keeper);
    return t;
}

static void only_what_is_over_goes(void **state)
{
    ua_test_t *t = begin(NULL);
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        insert(t, &rows[i]);
        assert_int_equal(is_there(t, rows[i].table, rows[i].id), 1);
    }
    ua_jobs_sweep(t->jobs, t->now);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (is_there(t, rows[i].table, rows[i].id) == rows[i].gone) {
            print_error("%s %s: %s\n", rows[i].table, rows[i].gone ? "stays" : "is gone",
                        rows[i].comment);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(is_there(t, "account", "keeper"), 1);
    assert_string_equal(ua_test_scalar(t, "PRAGMA foreign_key_check"), "");
    ua_test_close(t);
}

/* UserAuthRetention, UserAuthUnverifiedLifetime */
static void the_directives_decide(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthRetention 2d", "UserAuthUnverifiedLifetime 1h", NULL);
    const swept_t old[] = {{"event", "e1", "", "happened", 2 * DAY + 1, 1, ""},
                           {"event", "e2", "", "happened", 2 * DAY, 0, ""},
                           {"account", "a1", "", "created", 60 * MINUTE + 1, 1, ""},
                           {"account", "a2", "", "created", 60 * MINUTE, 0, ""}};

    (void)state;
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
        insert(t, &old[i]);
    }
    ua_jobs_sweep(t->jobs, t->now);
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
        assert_int_equal(is_there(t, old[i].table, old[i].id), !old[i].gone);
    }
    ua_test_close(t);
}

/* Contract 8: name and address are free again; what hung on the account is gone with it (PRIV-05). */
static void an_unverified_account_leaves_nothing(void **state)
{
    ua_test_t *t = ua_test_open("UserAuthMailLimit off", NULL);

    (void)state;
    ua_test_register(t, "alice");
    assert_non_null(ua_test_mail(t));
    ua_test_clock(t, (apr_int64_t)7 * 24 * 3600 + 1);
    ua_jobs_sweep(t->jobs, t->now);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM session"), 0);
    assert_in_range(ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                    400, 410); /* its link does nothing */
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 0);
    apr_table_clear(t->jar);
    ua_test_register(t, "alice");
    ua_test_close(t);
}

/* Every child sweeps, but each only once a minute. */
static void once_a_minute(void **state)
{
    static const swept_t old = {"event", "e1", "", "happened", KEPT + MINUTE, 1, ""};

    static const struct {
        apr_int64_t seconds; /* since the first sweep; CLK-01: 25 hours before it, too */
        int sweeps;
    } calls[] = {{0, 1},   {5, 0},   {55, 0},     {60, 1},     {65, 0},
                 {119, 0}, {125, 1}, {-90000, 1}, {-89995, 0}, {-89940, 1}};

    ua_test_t *t = begin(NULL);
    apr_time_t start = t->now;

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        t->now = start + apr_time_from_sec(calls[i].seconds);
        insert(t, &old);
        ua_jobs_sweep(t->jobs, t->now);
        assert_int_equal(is_there(t, "event", "e1"), !calls[i].sweeps);
        ua_test_sql(t, "DELETE FROM event");
    }
    ua_test_close(t);
}

static void a_failure_is_said_and_tried_again(void **state)
{
    static const swept_t old = {"event", "e1", "", "happened", KEPT + MINUTE, 1, ""};
    ua_test_t *t = begin(NULL);

    (void)state;
    insert(t, &old);
    faults_add((fault_t){.kinds = FAULT_WRITE, .times = 1});
    ua_test_expect(t, "UA0204: old rows can't be removed: event_sweep");
    ua_jobs_sweep(t->jobs, t->now);
    faults_off();
    assert_int_equal(is_there(t, "event", "e1"), 1);
    ua_test_clock(t, 60);
    ua_jobs_sweep(t->jobs, t->now);
    assert_int_equal(is_there(t, "event", "e1"), 0);
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_over_goes),
        cmocka_unit_test(the_directives_decide),
        cmocka_unit_test(a_rate_of_weeks),
        cmocka_unit_test(an_unverified_account_leaves_nothing),
        cmocka_unit_test(once_a_minute),
        cmocka_unit_test(a_failure_is_said_and_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
