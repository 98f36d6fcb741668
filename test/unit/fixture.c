/* fixture.c: the site of a unit test: see fixture.h.
 *
 * Every site has a folder below /tmp and pools of its own, so that a forgotten cleanup shows as a
 * leak. Its rows and mails are looked at in fixture_look.c. */
#include "fixture.h"
#include "base/curl_smtp.h"
#include "base/pwhash.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- folder and files ---- */

/* Once per program. */
static apr_pool_t *process_pool(void)
{
    static apr_pool_t *pool;
    const char *why = NULL;

    if (!pool) {
        assert_int_equal(apr_initialize(), APR_SUCCESS);
        assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
        assert_int_equal(ua_crypto_init(), APR_SUCCESS);
        assert_int_equal(ua_pwhash_init(), APR_SUCCESS);
        assert_int_equal(ua_smtp_global_init(), APR_SUCCESS);
        assert_int_equal(ua_db_load(pool, "sqlite3", &why), APR_SUCCESS);
    }
    return pool;
}

/* "{}" becomes the folder. */
static const char *with_folder(ua_test_t *t, const char *text)
{
    const char *mark = strstr(text, "{}");

    return mark ? apr_pstrcat(t->pool, apr_pstrmemdup(t->pool, text, (apr_size_t)(mark - text)),
                              t->folder, mark + 2, NULL)
                : text;
}

static const char *path_of(ua_test_t *t, const char *name)
{
    return apr_pstrcat(t->pool, t->folder, "/", name, NULL);
}

void ua_test_write(ua_test_t *t, const char *name, const char *text)
{
    const char *path = path_of(t, name);
    const char *folder = apr_pstrmemdup(t->pool, path, (apr_size_t)(strrchr(path, '/') - path));
    apr_file_t *file = NULL;

    assert_int_equal(apr_dir_make_recursive(folder, APR_OS_DEFAULT, t->pool), APR_SUCCESS);
    assert_int_equal(apr_file_open(&file, path,
                                   APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE,
                                   APR_UREAD | APR_UWRITE, t->pool),
                     APR_SUCCESS);
    assert_int_equal(apr_file_write_full(file, text, strlen(text), NULL), APR_SUCCESS);
    apr_file_close(file);
}

const char *ua_test_read(ua_test_t *t, const char *name)
{
    apr_file_t *file = NULL;
    apr_finfo_t info;
    char *text = NULL;

    assert_int_equal(
        apr_file_open(&file, path_of(t, name), APR_FOPEN_READ, APR_OS_DEFAULT, t->pool),
        APR_SUCCESS);
    assert_int_equal(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    text = apr_pcalloc(t->pool, (apr_size_t)info.size + 1);
    assert_int_equal(apr_file_read_full(file, text, (apr_size_t)info.size, NULL), APR_SUCCESS);
    apr_file_close(file);
    return text;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

/* ---- start and end ---- */

static void note_log(void *baton, ua_level_e level, const char *line)
{
    ua_test_t *t = baton;

    APR_ARRAY_PUSH(t->logs, const char *) = apr_psprintf(t->pool, "%d %s", (int)level, line);
}

static void note_event(void *baton, const char *line)
{
    ua_test_t *t = baton;

    APR_ARRAY_PUSH(t->events, const char *) = apr_pstrdup(t->pool, line);
}

ua_test_t *ua_test_begin(void)
{
    apr_pool_t *pool = NULL;
    ua_test_t *t = NULL;
    apr_uintptr_t lock = 0;

    assert_int_equal(apr_pool_create(&pool, process_pool()), APR_SUCCESS);
    t = apr_pcalloc(pool, sizeof *t);
    t->pool = pool;
    (void)apr_snprintf(t->folder, sizeof t->folder, "%s/ua-test-XXXXXX",
                       getenv("UNIT_FOLDER") ? getenv("UNIT_FOLDER") : "/tmp");
    assert_non_null(mkdtemp(t->folder));
    assert_int_equal(apr_dir_make(path_of(t, "mail"), APR_OS_DEFAULT, pool), APR_SUCCESS);
    t->now = UA_TEST_START;
    t->address = UA_TEST_ADDRESS;
    t->agent = "unit test";
    t->body = "";
    t->row = -1;
    t->jar = apr_table_make(pool, 8);
    t->headers = apr_table_make(pool, 8);
    t->announced = apr_table_make(pool, 4);
    t->generations = apr_pcalloc(pool, ua_generations_size());
    t->logs = apr_array_make(pool, 8, sizeof(const char *));
    t->events = apr_array_make(pool, 8, sizeof(const char *));
    assert_int_equal(apr_pool_create(&t->turn, pool), APR_SUCCESS);
    lock = ((apr_uintptr_t)apr_pcalloc(pool, ua_lock_size() + 64) + 63) & ~(apr_uintptr_t)63;
    assert_int_equal(ua_lock_init(&t->writer, (void *)lock), APR_SUCCESS);
    return t;
}

static void stop(ua_test_t *t)
{
    t->req = NULL;
    t->res = NULL;
    t->body = "";
    apr_pool_clear(t->turn);
    if (t->app && t->app->dbs) {
        ua_dbs_destroy(t->app->dbs);
    }
    if (t->site) {
        apr_pool_destroy(t->site);
    }
    t->site = NULL;
    t->look = NULL;
    t->app = NULL;
    t->conf = NULL;
    t->jobs = NULL;
}

static int row_of(const char *name)
{
    for (int i = 0; i < UA_DIRECTIVES; i++) {
        if (strcmp(ua_directives[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("no such directive: %s", name);
    return -1;
}

/* One line, as httpd reads it. NULL, or what is wrong with it. */
static const char *take_line(ua_test_t *t, const char *line)
{
    char **words = NULL;
    int count = 0;

    assert_int_equal(apr_tokenize_to_argv(with_folder(t, line), &words, t->site), APR_SUCCESS);
    while (words[count]) {
        count++;
    }
    t->row = row_of(words[0]);
    return ua_conf_set(t->conf, t->site, t->row, count - 1, (const char *const *)words + 1,
                       apr_pstrcat(t->site, "test.conf: ", line, NULL));
}

/* The lines every site begins with, but those named "-UserAuthX" in `left_out`. */
static void take_defaults(ua_test_t *t, const char *left_out)
{
    static const char *const lines[] = {
        "UserAuthBaseURL http://localhost:8080",
        "UserAuthDatabase sqlite3 {}/userauth.db",
        "UserAuthMail folder:{}/mail \"Example <accounts@example.com>\"",
        "UserAuthPasswordHash m=7168,t=5,p=1",
    };

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char name[64] = "-";

        apr_cpystrn(name + 1, lines[i], strcspn(lines[i], " ") + 1);
        if (!strstr(left_out, apr_pstrcat(t->site, name, " ", NULL))) {
            assert_null(take_line(t, lines[i]));
        }
    }
}

static const char *take_lines(ua_test_t *t, const char *line, va_list lines)
{
    const char *left_out = "";
    va_list again;
    const char *err = NULL;

    va_copy(again, lines);
    for (const char *l = line; l; l = va_arg(again, const char *)) {
        left_out = *l == '-' ? apr_pstrcat(t->site, left_out, l, " ", NULL) : left_out;
    }
    va_end(again);
    take_defaults(t, left_out);
    for (const char *l = line; l && !err; l = va_arg(lines, const char *)) {
        err = *l == '-' ? NULL : take_line(t, l);
    }
    return err;
}

static const char *start(ua_test_t *t)
{
    int away = 0;
    ua_host_t host = {t, note_log, note_event};
    ua_dbs_conf_t dbs = {NULL, NULL, 0, UA_QUERIES, t->writer};
    const char *err = NULL;

    t->row = -1;
    err = ua_app_create(&t->app, t->site, t->conf, &host, &t->row);
    if (err) {
        return err;
    }
    if (t->conf->pwhash.memory_kib ==
        7168) { /* a fifth of the work that a directive may ask for */
        t->conf->pwhash.passes = 1;
    }
    dbs.driver = t->conf->database[0];
    dbs.params = t->conf->database[1];
    dbs.connections = (int)t->conf->database_connections;
    assert_int_equal(ua_dbs_create(&t->app->dbs, &dbs), APR_SUCCESS);
    t->app->mail_cause = &t->cause;
    t->app->generations = t->generations;
    err = ua_app_prepare(t->app, t->site, &t->row, &away);
    if (!err) {
        assert_int_equal(ua_app_enter(t->app, t->site), APR_SUCCESS);
    }
    assert_int_equal(ua_jobs_create(&t->jobs, t->site, t->app), APR_SUCCESS);
    return err;
}

static const char *start_from(ua_test_t *t, const char *line, va_list lines)
{
    const char *err = NULL;

    stop(t);
    assert_int_equal(apr_pool_create(&t->site, t->pool), APR_SUCCESS);
    t->conf = ua_conf_create(t->site);
    err = take_lines(t, line, lines);
    err = err ? err : start(t);
    return err ? apr_pstrdup(t->pool, err) : NULL;
}

const char *ua_test_start(ua_test_t *t, const char *line, ...)
{
    va_list lines;
    const char *err = NULL;

    va_start(lines, line);
    err = start_from(t, line, lines);
    va_end(lines);
    return err;
}

ua_test_t *ua_test_open(const char *line, ...)
{
    ua_test_t *t = ua_test_begin();
    va_list lines;
    const char *err = NULL;

    va_start(lines, line);
    err = start_from(t, line, lines);
    va_end(lines);
    if (err) {
        fail_msg("the site does not start: %s", err);
    }
    return t;
}

/* ---- logs ---- */

void ua_test_expect(ua_test_t *t, const char *part)
{
    apr_table_addn(t->announced, apr_pstrdup(t->pool, part), "");
}

/* Takes the announcement of a line away; 0 when there is none. */
static int was_announced(apr_array_header_t *announced, const char *line)
{
    for (int i = 0; i < announced->nelts; i++) {
        const char **part = &APR_ARRAY_IDX(announced, i, const char *);

        if (*part && strstr(line, *part)) {
            *part = NULL;
            return 1;
        }
    }
    return 0;
}

static void check_logs(ua_test_t *t)
{
    const apr_array_header_t *entries = apr_table_elts(t->announced);
    apr_array_header_t *left = apr_array_make(t->pool, 4, sizeof(const char *));

    for (int i = 0; i < entries->nelts; i++) {
        APR_ARRAY_PUSH(left, const char *) = APR_ARRAY_IDX(entries, i, apr_table_entry_t).key;
    }
    for (int i = 0; i < t->logs->nelts; i++) {
        const char *line = APR_ARRAY_IDX(t->logs, i, const char *);

        if (line[0] - '0' <= UA_LOG_WARNING && !was_announced(left, line)) {
            fail_msg("logged, and nobody announced it: %s", line);
        }
    }
    for (int i = 0; i < left->nelts; i++) {
        if (APR_ARRAY_IDX(left, i, const char *)) {
            fail_msg("announced, but not logged: %s", APR_ARRAY_IDX(left, i, const char *));
        }
    }
}

void ua_test_close(ua_test_t *t)
{
    stop(t);
    check_logs(t);
    assert_int_equal(nftw(t->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    apr_pool_destroy(t->pool);
}

static int holding(const apr_array_header_t *lines, const char *part)
{
    int n = 0;

    for (int i = 0; i < lines->nelts; i++) {
        n += strstr(APR_ARRAY_IDX(lines, i, const char *), part) != NULL;
    }
    return n;
}

int ua_test_logged(const ua_test_t *t, const char *part)
{
    return holding(t->logs, part);
}

int ua_test_events(const ua_test_t *t, const char *part)
{
    return holding(t->events, part);
}

/* ---- clock and contexts ---- */

ua_ctx_t *ua_test_context(ua_test_t *t)
{
    apr_pool_t *pool = NULL;
    ua_ctx_t *ctx = NULL;

    assert_int_equal(apr_pool_create(&pool, t->turn), APR_SUCCESS);
    assert_int_equal(ua_app_context(&ctx, t->app, pool, t->now), APR_SUCCESS);
    ctx->address = t->address;
    ctx->agent = t->agent;
    return ctx;
}

void ua_test_clock(ua_test_t *t, apr_int64_t seconds)
{
    t->now += apr_time_from_sec(seconds);
}
