/* test_transact_faults.c: check and submit while the database fails. */
#include "transact_script.h"

#include "base/generation.h"

/* DB-03, DB-10: a COMMIT that failed is of unknown outcome; the outcome counts once. */
static void a_lost_commit_counts_once(void **state)
{
    static const struct {
        fault_t faults[3];
        int fails; /* so many scripted failures first */
        int tries;
        const char *comment;
    } rows[] = {
        {{{.kinds = FAULT_COMMIT, .times = 1}}, 0, 2, "not committed: made again"},
        {{{.kinds = FAULT_COMMIT, .times = 1, .done = 1}}, 0, 1, "committed: found"},
        {{{.kinds = FAULT_COMMIT, .times = 1, .done = 1}}, 1, 2, "found after a second try"},
        {{{.kinds = FAULT_COMMIT, .times = 1, .done = 1}}, 2, 3, "found after the last try"},
        {{{.kinds = FAULT_COMMIT, .times = 1, .done = 1},
          {.kinds = FAULT_SELECT, .times = 2, .after = 1},
          {.kinds = FAULT_BEGIN, .times = 1, .after = 3}},
         0,
         1,
         "committed, then the database is away for a moment"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = begin();

        print_message("%s\n", rows[i].comment);
        for (int n = 0; n < rows[i].fails; n++) {
            script.submit[n] = APR_EGENERAL;
        }
        for (int n = 0; n < 3; n++) {
            faults_add(rows[i].faults[n]);
        }
        assert_int_equal(play(t), 200);
        assert_int_equal(script.tries, rows[i].tries);
        assert_done(t);
        ua_test_close(t);
    }
}

/* DB-10: a COMMIT whose connection was given up happens while the next try runs, which finds its work done and would
 * refuse it: the first one's answer is told. */
static void a_commit_that_happens_later(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    script.late = UA_PROBLEM_RATE_LIMITED;
    script.happens = 1;
    script.changes = "mike";
    faults_add((fault_t){.kinds = FAULT_COMMIT, .times = 1});
    assert_int_equal(play(t), 200);
    assert_int_equal(script.tries, 2);
    /* INV-5: a child may have kept what it read between those two; the second try, which is undone, says nothing. */
    assert_int_equal(*ua_generation_of(t->generations, "mike"), 2);
    assert_done(t);
    ua_test_close(t);
}

/* INV-4: it did not happen, and what was right then is wrong now: the refusal, which has an event of its own, stands. */
static void a_refusal_after_a_lost_commit(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    script.late = UA_PROBLEM_RATE_LIMITED;
    faults_add((fault_t){.kinds = FAULT_COMMIT, .times = 1});
    assert_int_equal(play(t), 429);
    assert_int_equal(script.tries, 2);
    assert_int_equal(t->res->problem, UA_PROBLEM_RATE_LIMITED);
    ua_test_close(t);
}

/* Two requests never take each other's event for their own. */
static void anothers_event_is_not_ours(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    assert_int_equal(play(t), 200);
    faults_add((fault_t){.kinds = FAULT_COMMIT, .times = 1});
    assert_int_equal(play(t), 200);
    assert_int_equal(script.tries, 2);
    assert_int_equal(happened(t), 2);
    ua_test_close(t);
}

/* DB-01, DB-02, DB-12: no BEGIN, no COMMIT. */
static void a_transaction_that_never_works(void **state)
{
    static const struct {
        fault_t fault;
        int tries;
        ua_problem_e problem;
        apr_int64_t retry_after;
        const char *logged;
    } rows[] = {
        {{.kinds = FAULT_BEGIN, .times = 9},
         0,
         UA_PROBLEM_STORAGE_UNAVAILABLE,
         2,
         "refused: begin: "},
        {{.kinds = FAULT_BEGIN, .times = 9, .rc = 5},
         0,
         UA_PROBLEM_BUSY,
         5,
         "refused: begin: "},
        {{.kinds = FAULT_COMMIT, .times = 9},
         3,
         UA_PROBLEM_STORAGE_UNAVAILABLE,
         2,
         "refused: commit: "},
        {{.kinds = FAULT_WRITE, .times = 9},
         3,
         UA_PROBLEM_STORAGE_UNAVAILABLE,
         2,
         "refused: event_insert: "},
        {{.kinds = FAULT_WRITE, .times = 9, .rc = 5},
         1,
         UA_PROBLEM_BUSY,
         5,
         "refused: event_insert: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = begin();

        faults_add(rows[i].fault);
        ua_test_expect(t, rows[i].logged);
        assert_int_equal(play(t), 503);
        assert_int_equal(script.tries, rows[i].tries);
        assert_undone(t, rows[i].problem, rows[i].retry_after);
        ua_test_close(t);
    }
}

/* What a handler left open is undone, and the next request finds a good connection (DB-03..DB-05). */
static void the_next_request_works(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    faults_add((fault_t){.kinds = FAULT_COMMIT, .times = 9});
    ua_test_expect(t, "UA0101");
    assert_int_equal(play(t), 503);
    assert_int_equal(play(t), 200);
    assert_int_equal(happened(t), 1);
    ua_test_close(t);
}

/* A GET of a bad link counts the guess: reading and counting may each fail. */
static void a_page_that_cannot_be_read_is_said(void **state)
{
    static const struct {
        fault_t fault;
        int status;
        ua_problem_e problem;
        apr_int64_t retry_after;
    } rows[] = {
        {{.kinds = FAULT_SELECT, .times = 9}, 503, UA_PROBLEM_STORAGE_UNAVAILABLE, 2},
        {{.kinds = FAULT_BEGIN, .times = 9}, 503, UA_PROBLEM_STORAGE_UNAVAILABLE, 2},
        {{.kinds = FAULT_BEGIN, .times = 9, .rc = 5}, 503, UA_PROBLEM_BUSY, 5},
        {{.kinds = FAULT_COMMIT, .times = 9}, 503, UA_PROBLEM_STORAGE_UNAVAILABLE, 2},
        {{.kinds = 0}, 400, UA_PROBLEM_TOKEN_INVALID, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ua_test_t *t = ua_test_open(NULL);

        faults_off();
        faults_add(rows[i].fault);
        if (rows[i].status == 503) {
            ua_test_expect(t, "UA0101: /auth/verify was refused: ");
        }
        assert_status(t, ua_test_get(t, "/auth/verify?token=guess"), rows[i].status);
        faults_off();
        assert_int_equal(t->res->problem, rows[i].problem);
        assert_int_equal(t->res->retry_after, rows[i].retry_after);
        assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM throttle"),
                         rows[i].status == 400);
        ua_test_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_commit_counts_once),
        cmocka_unit_test(a_commit_that_happens_later),
        cmocka_unit_test(a_refusal_after_a_lost_commit),
        cmocka_unit_test(anothers_event_is_not_ours),
        cmocka_unit_test(a_transaction_that_never_works),
        cmocka_unit_test(the_next_request_works),
        cmocka_unit_test(a_page_that_cannot_be_read_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
