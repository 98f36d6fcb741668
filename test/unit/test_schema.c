/* test_schema.c: numbered steps bring a database up to date, wholly or not at all.
 *
 * The program has its own table of built-in files, the module's and a few steps more, so that a broken
 * step can be played.
 */
#include "fixture.h"
#include "db_faults.h"

#include "base/builtin.h"

#include <pthread.h>

#define MOST_FILES 200
#define TABLES     "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'"

extern const ua_builtin_t ua_builtin_table[];

static const ua_builtin_t extra_steps[] = {
    {"schema/sqlite3/900_good.sql",
     "-- two tables\nCREATE TABLE one (a TEXT);\n\n"
     "-- and one more\nCREATE TABLE two (a TEXT);\n",
     0},
    {"schema/sqlite3/901_broken.sql",
     "CREATE TABLE three (a TEXT);\nCREATE NONSENSE;\n"
     "CREATE TABLE four (a TEXT);\n",
     0},
    {"schema/sqlite3/901_endless.sql", "CREATE TABLE three (a TEXT);\nCREATE TABLE four (a)\n",
     0},
    {"schema/other/902_other.sql", "CREATE NONSENSE;\n", 0},
    {"schema/sqlite3/901_empty.sql", "-- nothing to do\n", 0},
};

enum { GOOD = 1, BROKEN = 2, ENDLESS = 4, OTHER = 8, EMPTY = 16 };

/* What stands in for base/builtin.c: the module's files, then the chosen steps. */
static ua_builtin_t files[MOST_FILES];
static apr_int64_t newest; /* of the module's own steps */

static void choose_steps(int chosen)
{
    int n = 0;

    for (const ua_builtin_t *file = ua_builtin_table; file->name; file++) {
        const char *number = strstr(file->name, "schema/sqlite3/");

        files[n++] = *file;
        newest = number ? apr_atoi64(number + strlen("schema/sqlite3/")) : newest;
    }
    for (size_t i = 0; i < sizeof extra_steps / sizeof *extra_steps; i++) {
        if (chosen & (1 << i)) {
            files[n] = extra_steps[i];
            files[n].length = strlen(files[n].data);
            n++;
        }
    }
    assert_true(n < MOST_FILES);
    memset(&files[n], 0, sizeof files[n]);
}

const ua_builtin_t *ua_builtin_all(void)
{
    return files;
}

const ua_builtin_t *ua_builtin_find(const char *name)
{
    for (const ua_builtin_t *file = files; file->name; file++) {
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}

/* A site; its database is at the module's newest step. */
static ua_test_t *begin(void)
{
    faults_off();
    choose_steps(0);
    return ua_test_open(NULL);
}

static apr_status_t migrate(ua_test_t *t, apr_int64_t *reached)
{
    ua_ctx_t *ctx = ua_test_context(t);
    apr_status_t rv = ua_schema_migrate(ctx, "sqlite3", reached);

    ua_db_rollback(ctx);
    ua_db_release(ctx);
    faults_off();
    return rv;
}

static const char *schema_of(ua_test_t *t)
{
    return ua_test_scalar(t, "SELECT group_concat(name || ' ' || coalesce(sql, ''), ';') FROM "
                             "(SELECT * FROM sqlite_master ORDER BY name)");
}

static const char *steps_of(ua_test_t *t)
{
    return ua_test_scalar(t, "SELECT group_concat(step || '@' || applied) FROM schema_step");
}

static void from_nothing(void **state)
{
    static const char *const tables[] = {"setting", "account", "held_name", "token", "session",
                                         "device",  "outbox",  "throttle",  "event"};
    ua_test_t *t = begin();

    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        assert_int_equal(ua_test_count(t, TABLES " AND name = '%s'", tables[i]), 1);
    }
    assert_int_equal(ua_test_count(t, "SELECT MAX(step) FROM schema_step"), newest);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM schema_step"), newest);
    assert_string_equal(ua_test_scalar(t, "PRAGMA integrity_check"), "ok"); /* INV-9 */
    ua_test_close(t);
}

/* UPG-01: a second start changes nothing, and no row is touched. */
static void again(void **state)
{
    ua_test_t *t = begin();
    const char *schema = schema_of(t);
    const char *steps = steps_of(t);
    const char *rows = NULL;
    apr_int64_t reached = 0;

    (void)state;
    ua_test_register(t, "alice");
    rows = ua_test_rows(t);
    ua_test_clock(t, 100);
    assert_int_equal(migrate(t, &reached), APR_SUCCESS);
    assert_int_equal(reached, newest);
    assert_string_equal(schema_of(t), schema);
    assert_string_equal(steps_of(t), steps);
    assert_string_equal(ua_test_rows(t), rows);
    ua_test_close(t);
}

/* Only what is new runs, and says when. */
static void a_new_step_runs_once(void **state)
{
    ua_test_t *t = begin();
    apr_int64_t reached = 0;

    (void)state;
    ua_test_register(t, "alice");
    choose_steps(GOOD);
    ua_test_clock(t, 100);
    assert_int_equal(migrate(t, &reached), APR_SUCCESS);
    assert_int_equal(reached, 900);
    assert_int_equal(ua_test_count(t, TABLES " AND name IN ('one', 'two')"), 2);
    assert_int_equal(ua_test_count(t, "SELECT applied FROM schema_step WHERE step = 900"),
                     t->now);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM account"), 1);
    assert_int_equal(migrate(t, &reached), APR_SUCCESS);
    assert_int_equal(ua_test_count(t, "SELECT COUNT(*) FROM schema_step WHERE step = 900"), 1);
    ua_test_close(t);
}

static void a_step_without_statements(void **state)
{
    ua_test_t *t = begin();
    apr_int64_t reached = 0;

    (void)state;
    choose_steps(GOOD | EMPTY);
    assert_int_equal(migrate(t, &reached), APR_SUCCESS);
    assert_int_equal(reached, 901);
    ua_test_close(t);
}

static void another_engines_step_is_not_run(void **state)
{
    ua_test_t *t = begin();
    apr_int64_t reached = 0;

    (void)state;
    choose_steps(OTHER);
    assert_int_equal(migrate(t, &reached), APR_SUCCESS);
    assert_int_equal(reached, newest);
    ua_test_close(t);
}

/* UPG-01: old or new schema, never between: the steps before a broken one stay, it leaves nothing. */
static void a_broken_step_leaves_nothing(void **state)
{
    static const int broken[] = {GOOD | BROKEN, GOOD | ENDLESS};

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        ua_test_t *t = begin();
        apr_int64_t reached = -7;

        choose_steps(broken[i]);
        assert_int_not_equal(migrate(t, &reached), APR_SUCCESS);
        assert_int_equal(reached, -7); /* outputs stay untouched on failure */
        assert_int_equal(ua_test_count(t, TABLES " AND name IN ('one', 'two')"), 2);
        assert_int_equal(ua_test_count(t, TABLES " AND name IN ('three', 'four')"), 0);
        assert_int_equal(ua_test_count(t, "SELECT MAX(step) FROM schema_step"), 900);
        choose_steps(GOOD | EMPTY); /* repaired */
        assert_int_equal(migrate(t, &reached), APR_SUCCESS);
        assert_int_equal(reached, 901);
        ua_test_close(t);
    }
}

/* CFG-08: the start says which statement, and that nothing is lost. */
static void a_broken_step_refuses_the_start(void **state)
{
    ua_test_t *t = begin();
    const char *err = NULL;

    (void)state;
    choose_steps(GOOD);
    assert_null(ua_test_start(t, NULL));
    choose_steps(GOOD | BROKEN);
    err = ua_test_start(t, NULL);
    assert_non_null(err);
    assert_non_null(strstr(err, "UserAuthDatabase"));
    assert_non_null(strstr(err, "schema/sqlite3/901_broken.sql"));
    choose_steps(GOOD);
    assert_null(ua_test_start(t, NULL));
    ua_test_close(t);
}

/* UPG-05: data that a newer version wrote is not touched by an older one. */
static void a_newer_database_is_refused(void **state)
{
    ua_test_t *t = begin();
    const char *schema = NULL;
    const char *err = NULL;
    apr_int64_t reached = 0;

    (void)state;
    choose_steps(GOOD);
    assert_int_equal(migrate(t, &reached), APR_SUCCESS);
    schema = schema_of(t);
    choose_steps(0);
    assert_int_equal(migrate(t, &reached), APR_EINVAL);
    assert_int_equal(reached, 900);
    assert_string_equal(schema_of(t), schema);
    err = ua_test_start(t, NULL);
    assert_non_null(err);
    assert_non_null(strstr(err, "newer version"));
    assert_non_null(strstr(err, "900"));
    assert_int_equal(t->row, UA_D_database);
    ua_test_close(t);
}

/* An empty database beside the site's own. */
static ua_ctx_t *beside(ua_test_t *t, ua_dbs_t **dbs, const char *name)
{
    ua_dbs_conf_t conf = {"sqlite3", apr_pstrcat(t->pool, t->folder, "/", name, NULL), 2,
                          UA_QUERIES, NULL};
    ua_ctx_t *ctx = ua_test_context(t);

    assert_int_equal(ua_dbs_create(dbs, &conf), APR_SUCCESS);
    ctx->dbs = *dbs;
    return ctx;
}

enum { COUNT_TABLES, COUNT_STEPS };

static apr_int64_t count_beside(ua_ctx_t *ctx, int which)
{
    static const ua_query_t counts[] = {{0, "tables", TABLES},
                                        {1, "steps", "SELECT COUNT(*) FROM schema_step"}};
    ua_row_t row = NULL;

    assert_int_equal(ua_db_one(&row, ctx, &counts[which], NULL), APR_SUCCESS);
    return ua_row_number(row, 0);
}

/* UPG-01, DB-12, DB-14: stopped before each call in turn, then run again. */
static void stopped_anywhere_it_goes_on(void **state)
{
    ua_test_t *t = begin();
    int calls = 0;
    int failed = 1;

    (void)state;
    for (; failed; calls++) {
        const char *name = apr_psprintf(t->pool, "beside%d.db", calls);
        ua_dbs_t *dbs = NULL;
        ua_ctx_t *ctx = beside(t, &dbs, name);
        apr_int64_t reached = 0;
        apr_status_t rv;

        faults_add((fault_t){.kinds = FAULT_ANY, .skip = calls, .times = 1000});
        rv = ua_schema_migrate(ctx, "sqlite3", &reached);
        failed = faults.failed;
        faults_off();
        assert_int_equal(rv == APR_SUCCESS, failed == 0);
        ua_db_rollback(ctx);
        ua_db_release(ctx);
        if (failed) { /* all of a step or nothing: the account stands in the first */
            apr_int64_t tables = count_beside(ctx, COUNT_TABLES);
            apr_int64_t done = tables > 0 ? count_beside(ctx, COUNT_STEPS) : 0;

            assert_true(done > 0 ? tables > 8 : tables <= 1);
            assert_int_equal(ua_schema_migrate(ctx, "sqlite3", &reached), APR_SUCCESS);
        }
        assert_int_equal(reached, newest);
        ua_db_release(ctx);
        ua_dbs_destroy(dbs);
    }
    print_message("%d calls\n", calls - 1);
    assert_true(calls > 20);
    ua_test_close(t);
}

typedef struct rival_t {
    pthread_t thread;
    pthread_barrier_t *barrier;
    ua_ctx_t *ctx;
    ua_dbs_t *dbs;
    apr_int64_t reached;
    apr_status_t rv;
} rival_t;

static void *migrate_beside(void *data)
{
    rival_t *rival = data;

    pthread_barrier_wait(rival->barrier);
    rival->rv = ua_schema_migrate(rival->ctx, "sqlite3", &rival->reached);
    ua_db_release(rival->ctx);
    return NULL;
}

/* UPG-01: two starts at once, without a lock between them: one does it, both find it done. */
static void two_at_once(void **state)
{
    ua_test_t *t = begin();

    (void)state;
    for (int round = 0; round < 10; round++) {
        const char *name = apr_psprintf(t->pool, "round%d.db", round);
        pthread_barrier_t barrier;
        rival_t rivals[2] = {{0}};

        pthread_barrier_init(&barrier, NULL, 2);
        for (int i = 0; i < 2; i++) {
            rivals[i].barrier = &barrier;
            rivals[i].ctx = beside(t, &rivals[i].dbs, name);
            assert_int_equal(
                pthread_create(&rivals[i].thread, NULL, migrate_beside, &rivals[i]), 0);
        }
        for (int i = 0; i < 2; i++) {
            pthread_join(rivals[i].thread, NULL);
        }
        for (int i = 0; i < 2; i++) {
            if (rivals[i].rv != APR_SUCCESS) {
                print_error("round %d, rival %d: %s\n", round, i, rivals[i].ctx->failed);
            }
            assert_int_equal(rivals[i].rv, APR_SUCCESS);
            assert_int_equal(rivals[i].reached, newest);
        }
        assert_int_equal(count_beside(rivals[0].ctx, COUNT_STEPS), newest);
        for (int i = 0; i < 2; i++) {
            ua_db_release(rivals[i].ctx);
            ua_dbs_destroy(rivals[i].dbs);
        }
        pthread_barrier_destroy(&barrier);
    }
    ua_test_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_nothing),
        cmocka_unit_test(again),
        cmocka_unit_test(a_new_step_runs_once),
        cmocka_unit_test(a_step_without_statements),
        cmocka_unit_test(another_engines_step_is_not_run),
        cmocka_unit_test(a_broken_step_leaves_nothing),
        cmocka_unit_test(a_broken_step_refuses_the_start),
        cmocka_unit_test(a_newer_database_is_refused),
        cmocka_unit_test(stopped_anywhere_it_goes_on),
        cmocka_unit_test(two_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
