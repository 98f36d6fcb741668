/* failing_requests.h: one request while calls of the database or of OpenSSL fail: the first and all that follow, then
 * the second and all that follow, and so forth until it works; or each write alone, which shows a failure that is
 * overlooked.
 *
 * DB-14, INV-4, INV-7: as long as it fails, the answer says so, the log too, and no row, cookie or event line is
 * changed; when it works, all of it is there. Include it in one source file of a program only.
 */
#ifndef FAILING_REQUESTS_H
#define FAILING_REQUESTS_H

#include "crypto_faults.h"
#include "moves.h"

#define MOST_CALLS 200
#define BUSY       5 /* to SQLite; a submit is not tried again then */
/* Reads before the transaction may fail once; of a lost COMMIT is test_transact_faults.c. */
#define ONE_ALONE (FAULT_BEGIN | FAULT_WRITE)
/* With these kinds each fails alone, not all that follow, too. */
#define FAULT_ONCE 1024

/* Asks once; the status. The same request each time. */
typedef int request_f(ua_test_t *t);

/* The cookies that the browser holds, but for the one of forms, which any page sets. */
static inline const char *jar_text(ua_test_t *t)
{
    const apr_array_header_t *pairs = apr_table_elts(t->jar);
    const char *text = "";

    for (int i = 0; i < pairs->nelts; i++) {
        const apr_table_entry_t *pair = &APR_ARRAY_IDX(pairs, i, apr_table_entry_t);

        if (strcmp(pair->key, "userauth-csrf") != 0) {
            text = apr_pstrcat(t->pool, text, pair->key, "=", pair->val, "\n", NULL);
        }
    }
    return text;
}

/* What may not change while the request fails. */
typedef struct kept_t {
    const char *rows;
    const char *jar;
    int events;
    int logged;
} kept_t;

static inline kept_t keep(ua_test_t *t)
{
    return (kept_t){ua_test_rows(t), jar_text(t), t->events->nelts, t->logs->nelts};
}

/* Without OpenSSL even the page that says so can't be made. */
static inline void expect_kept(ua_test_t *t, const kept_t *before, int kinds, int number)
{
    kept_t now = keep(t);
    int said = (t->res->status == 503 && t->res->retry_after > 0) ||
               (t->res->status == 500 && kinds == FAULT_CRYPTO);

    if (!said || strcmp(now.rows, before->rows) != 0 || strcmp(now.jar, before->jar) != 0 ||
        now.events != before->events || now.logged == before->logged) {
        fail_msg("call %d: status %d, rows %s, jar %s, %d events, %d log lines: %.300s", number,
                 t->res->status, strcmp(now.rows, before->rows) == 0 ? "as before" : "changed",
                 strcmp(now.jar, before->jar) == 0 ? "as before" : now.jar,
                 now.events - before->events, now.logged - before->logged, t->body);
    }
}

/* The calls of OpenSSL that the fixture makes for a request's context, before the site has the request. */
static inline int calls_before(ua_test_t *t)
{
    faults_off();
    faults_add((fault_t){.kinds = FAULT_CRYPTO});
    (void)ua_test_context(t);
    return faults.rules[0].seen;
}

/* 1 when only the page about it failed: it is done, and what the scenario looks at then has to be all of it. */
static inline int is_done(ua_test_t *t, const kept_t *before, int kinds)
{
    return kinds == FAULT_CRYPTO && t->res->status == 500 && t->events->nelts > before->events;
}

static inline void announce(ua_test_t *t, const kept_t *before)
{
    for (int i = before->logged; i < t->logs->nelts; i++) {
        ua_test_expect(t, "UA010");
    }
}

/* The site's call number `skip` + 1 of these kinds fails. 1 when it is not done yet. */
static inline int play(ua_test_t *t, kept_t *before, request_f *request, int kinds, int skip)
{
    int first = kinds == FAULT_CRYPTO ? calls_before(t) + skip : skip;
    int failed = 0;

    faults_off();
    faults_add((fault_t){.kinds = kinds,
                         .skip = first,
                         .times = kinds == ONE_ALONE || kinds & FAULT_ONCE ? 1 : 1000,
                         .rc = BUSY});
    (void)request(t);
    failed = faults.failed && !is_done(t, before, kinds);
    faults_off();
    if (failed) {
        expect_kept(t, before, kinds, skip + 1);
    }
    announce(t, before);
    before->logged = t->logs->nelts;
    return failed;
}

/* Plays it until it works, which has to give this status. */
static inline void play_until(ua_test_t *t, request_f *request, int kinds, int success)
{
    kept_t before = keep(t);
    int n = 0;

    while (n < MOST_CALLS && play(t, &before, request, kinds, n)) {
        n++;
    }
    assert_in_range(n, 1, MOST_CALLS - 1); /* it got somewhere, and came to an end */
    if (kinds != FAULT_CRYPTO || t->res->status != 500) {
        assert_status(t, t->res->status, success);
    }
}

/* A site that remembers nothing and has no limits, so that the same request may come again and again. */
static inline ua_test_t *tireless_site(const char *line)
{
    return ua_test_open("UserAuthMailLimit off", "UserAuthRateLimit login off",
                        "UserAuthRateLimit register off", "UserAuthRateLimit token off",
                        "UserAuthRateLimit mail off", "UserAuthLockAfter 1000",
                        "UserAuthLockDisable 100", "UserAuthSessionCacheTTL 0", line, NULL);
}

/* The same with a confirmed alice, signed in. */
static inline ua_test_t *tireless_alice(const char *line)
{
    ua_test_t *t = tireless_site(line);

    join(t, "alice");
    assert_status(t, log_in(t, "alice", UA_TEST_PASSWORD), 303);
    return t;
}

/* The hidden field against forgery of a page of whom the jar belongs to. */
static inline const char *csrf_of(ua_test_t *t, const char *page)
{
    assert_status(t, ua_test_get(t, page), 200);
    return apr_pstrdup(t->pool, ua_test_hidden(t, "csrf"));
}

/* The form that post_form() sends. */
static struct {
    const char *uri;
    const char *body; /* urlencoded */
} form;

static inline int post_form(ua_test_t *t)
{
    return ua_test_request(t, UA_METHOD_POST, form.uri, "application/x-www-form-urlencoded",
                           form.body);
}

/* Fills a page's form; its hidden field is that of whom the jar belongs to. */
static inline void fill_form(ua_test_t *t, const char *uri, const char *fields)
{
    form.uri = uri;
    form.body = apr_pstrcat(t->pool, "csrf=", csrf_of(t, uri), "&", fields, NULL);
}

/* A scenario sets a site up, plays one request or more, and looks at what came of it. */
typedef void scenario_f(int kinds);

typedef struct scenario_t {
    const char *name;
    scenario_f *run;
} scenario_t;

static inline void run_scenarios(const scenario_t *scenarios, size_t count, int kinds)
{
    for (size_t i = 0; i < count; i++) {
        print_message("%s\n", scenarios[i].name);
        scenarios[i].run(kinds);
    }
}

#endif
