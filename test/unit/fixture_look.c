/* fixture_look.c: what a site's rows and mails are, for the assertions of a test: see fixture.h.
 *
 * Rows are read through apr_dbd on a connection that the site knows nothing of. */
#include "fixture.h"

#include <apr_dbd.h>
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <stdarg.h>

struct ua_test_look_t {
    apr_pool_t *pool;
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
};

static apr_status_t close_look(void *data)
{
    const ua_test_look_t *look = data;

    return apr_dbd_close(look->driver, look->handle);
}

/* One for as long as the site runs: to open it is the dearest part of a look. */
static const ua_test_look_t *look_of(ua_test_t *t)
{
    apr_pool_t *pool = t->site ? t->site : t->pool;
    ua_test_look_t *look = t->look;

    if (!look) {
        look = apr_pcalloc(pool, sizeof *look);
        look->pool = pool;
        assert_int_equal(apr_dbd_get_driver(pool, "sqlite3", &look->driver), APR_SUCCESS);
        assert_int_equal(apr_dbd_open(look->driver, pool,
                                      apr_pstrcat(pool, t->folder, "/userauth.db", NULL),
                                      &look->handle),
                         APR_SUCCESS);
        apr_pool_cleanup_register(pool, look, close_look, apr_pool_cleanup_null);
        t->look = look;
    }
    return look;
}

/* The rows of a SELECT, as lines of values with "|" behind each; `most` columns at most. */
static const char *select_text(ua_test_t *t, const char *sql, int most)
{
    const ua_test_look_t *look = look_of(t);
    apr_pool_t *pool = NULL;
    apr_dbd_results_t *rows = NULL;
    apr_dbd_row_t *row = NULL;
    const char *text = "";

    assert_int_equal(apr_pool_create(&pool, look->pool), APR_SUCCESS);
    if (apr_dbd_select(look->driver, pool, look->handle, &rows, sql, 0) != 0) {
        fail_msg("%s: %s", sql, apr_dbd_error(look->driver, look->handle, 0));
    }
    for (int n = 0; apr_dbd_get_row(look->driver, pool, rows, &row, -1) == 0; n++) {
        for (int i = 0; i < most && i < apr_dbd_num_cols(look->driver, rows); i++) {
            const char *value = apr_dbd_get_entry(look->driver, row, i);

            text = most == 1 && n > 0 ? text
                                      : apr_pstrcat(pool, text, value ? value : "",
                                                    most == 1 ? "" : "|", NULL);
        }
        text = most == 1 ? text : apr_pstrcat(pool, text, "\n", NULL);
        row = NULL;
    }
    text = apr_pstrdup(t->pool, text);
    apr_pool_destroy(pool);
    return text;
}

const char *ua_test_scalar(ua_test_t *t, const char *sql, ...)
{
    va_list values;
    const char *text = NULL;

    va_start(values, sql);
    text = apr_pvsprintf(t->pool, sql, values);
    va_end(values);
    return select_text(t, text, 1);
}

apr_int64_t ua_test_count(ua_test_t *t, const char *sql, ...)
{
    va_list values;
    const char *text = NULL;

    va_start(values, sql);
    text = apr_pvsprintf(t->pool, sql, values);
    va_end(values);
    text = select_text(t, text, 1);
    assert_true(*text != '\0');
    return apr_atoi64(text);
}

static void change(ua_test_t *t, const char *sql, va_list values)
{
    const ua_test_look_t *look = look_of(t);
    const char *text = apr_pvsprintf(t->pool, sql, values);
    int changed = 0;

    if (apr_dbd_query(look->driver, look->handle, &changed, text) != 0) {
        fail_msg("%s: %s", text, apr_dbd_error(look->driver, look->handle, 0));
    }
}

void ua_test_elsewhere(ua_test_t *t, const char *sql, ...)
{
    va_list values;

    va_start(values, sql);
    change(t, sql, values);
    va_end(values);
}

void ua_test_sql(ua_test_t *t, const char *sql, ...)
{
    apr_uint32_t *counters = (apr_uint32_t *)t->generations;
    va_list values;

    va_start(values, sql);
    change(t, sql, values);
    va_end(values);
    for (apr_size_t i = 0; i < ua_generations_size() / sizeof *counters; i++) {
        counters[i]++;
    }
}

const char *ua_test_rows(ua_test_t *t)
{
    static const char *const tables[] = {
        "setting", "account", "held_name", "held_email", "profile_field", "old_password",
        "token",   "session", "refresh",   "device",     "outbox",        "event"};
    const char *all = "";

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const char *sql =
            apr_pstrcat(t->pool, "SELECT * FROM ", tables[i], " ORDER BY 1", NULL);

        all = apr_pstrcat(t->pool, all, tables[i], "\n", select_text(t, sql, 100), NULL);
    }
    return all;
}

/* The last name in the mail folder that ends so; NULL when there is none. */
static const char *newest_file(ua_test_t *t, const apr_table_t *known, int *fresh)
{
    const char *folder = apr_pstrcat(t->pool, t->folder, "/mail", NULL);
    const char *newest = NULL;
    apr_dir_t *dir = NULL;
    apr_finfo_t info;

    assert_int_equal(apr_dir_open(&dir, folder, t->pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        apr_size_t length = strlen(info.name);

        if (length < 4 || strcmp(info.name + length - 4, ".eml") != 0 ||
            (known && apr_table_get(known, info.name))) {
            continue;
        }
        *fresh += 1;
        if (!newest || strcmp(info.name, newest) > 0) {
            newest = apr_pstrdup(t->pool, info.name);
        }
    }
    apr_dir_close(dir);
    return newest;
}

/* The names of the mails that are there already. */
static apr_table_t *known_files(ua_test_t *t)
{
    apr_table_t *known = apr_table_make(t->pool, 8);
    int more = 1;

    while (more) {
        const char *name = NULL;

        more = 0;
        name = newest_file(t, known, &more);
        if (name) {
            apr_table_setn(known, name, "");
        }
    }
    return known;
}

const char *ua_test_mail(ua_test_t *t)
{
    apr_table_t *known = known_files(t);
    const char *name = NULL;
    int fresh = 0;

    (void)ua_jobs_mail(t->jobs, t->now);
    name = newest_file(t, known, &fresh);
    t->mail = name ? ua_test_read(t, apr_pstrcat(t->pool, "mail/", name, NULL)) : NULL;
    return t->mail;
}

const char *ua_test_link(ua_test_t *t, const char *purpose)
{
    const char *path = apr_pstrcat(t->pool, t->conf->path, "/", purpose, "?token=", NULL);
    const char *start = apr_pstrcat(t->pool, t->conf->site, path, NULL);
    const char *found = t->mail ? strstr(t->mail, start) : NULL;

    if (!found) {
        fail_msg("no %s link in the mail: %s", purpose, t->mail ? t->mail : "(none)");
        return "";
    }
    found += strlen(t->conf->site);
    return apr_pstrmemdup(t->pool, found, strcspn(found, " \r\n\"<>"));
}

const char *ua_test_token(ua_test_t *t, const char *purpose)
{
    return strstr(ua_test_link(t, purpose), "token=") + strlen("token=");
}
