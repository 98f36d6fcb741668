/* schema.c: brings a database up to date by numbered steps, each in a transaction of its own.
 *
 * A step is a built-in file schema/<driver>/NNN_name.sql; the table schema_step remembers which ran.
 * Two nodes may start at once: the second finds the step done when its turn comes. */
#include "app.h"
#include "base/builtin.h"

#include <string.h>

/* Another process may be at the same steps: what fails between its statements works afterwards. */
#define TRIES 10

/* Behind the comments and empty lines at the start of `text`. */
static char *skip_comments(char *text)
{
    while (*text == '\n' || strncmp(text, "--", 2) == 0) {
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return text;
}

/* Runs each statement of a step; they end with ";" at the end of a line. */
static apr_status_t run_statements(ua_ctx_t *ctx, const ua_builtin_t *step)
{
    char *text = skip_comments(apr_pstrmemdup(ctx->pool, step->data, step->length));

    while (*text) {
        char *end = strstr(text, ";\n");

        if (!end) {
            return ua_fail(ctx, APR_EINVAL, step->name);
        }
        *end = '\0';
        UA_CHECK(ua_db_literal(ctx, step->name, text));
        text = skip_comments(end + 2);
    }
    return APR_SUCCESS;
}

static apr_status_t newest_step(apr_int64_t *out, ua_ctx_t *ctx)
{
    ua_row_t row = NULL;

    UA_CHECK(ua_db_one(&row, ctx, UA_Q(schema_steps), NULL));
    *out = ua_row_number(row, 0);
    return APR_SUCCESS;
}

static apr_status_t run_step(ua_ctx_t *ctx, const ua_builtin_t *step, apr_int64_t number)
{
    apr_int64_t done = 0;

    UA_CHECK(ua_db_begin(ctx, UA_UNHURRIED));
    UA_CHECK(newest_step(&done, ctx));
    if (done < number) {
        UA_CHECK(run_statements(ctx, step));
        UA_CHECK(ua_db_exec(ctx, NULL, UA_Q(schema_step_insert),
                            UA_ARGS(ua_n(number), ua_n(ctx->now))));
    }
    UA_CHECK(ua_db_commit(ctx));
    ua_db_reset(ctx);
    return APR_SUCCESS;
}

/* Step 0 makes the table of steps itself, and runs at every start. */
static apr_status_t run_if_new(ua_ctx_t *ctx, const ua_builtin_t *step, apr_int64_t number,
                               apr_int64_t *done)
{
    if (number == 0) {
        UA_CHECK(run_statements(ctx, step));
        return newest_step(done, ctx);
    }
    return number > *done ? run_step(ctx, step, number) : APR_SUCCESS;
}

/* The number of a step of this driver, -1 for another file. */
static apr_int64_t number_of(const ua_builtin_t *file, const char *folder)
{
    apr_size_t length = strlen(folder);

    return strncmp(file->name, folder, length) == 0 ? apr_atoi64(file->name + length) : -1;
}

apr_int64_t ua_schema_newest(apr_pool_t *pool, const char *driver)
{
    const char *folder = apr_pstrcat(pool, "schema/", driver, "/", NULL);
    apr_int64_t newest = 0;

    for (const ua_builtin_t *file = ua_builtin_all(); file->name; file++) {
        apr_int64_t number = number_of(file, folder);

        newest = number > newest ? number : newest;
    }
    return newest;
}

static apr_status_t run_all(ua_ctx_t *ctx, const char *folder, apr_int64_t *newest)
{
    apr_int64_t done = 0;
    apr_int64_t known = 0;

    for (const ua_builtin_t *file = ua_builtin_all(); file->name; file++) {
        apr_int64_t number = number_of(file, folder);

        if (number < 0) {
            continue;
        }
        known = number;
        UA_CHECK(run_if_new(ctx, file, number, &done));
    }
    *newest = done > known ? done : known;
    return done > known ? APR_EINVAL : APR_SUCCESS;
}

/* No connection can be made: the next try would only be told to wait. But another process may be making a SQLite file,
 * and lock it for a moment: then waits as long. */
static int is_away(const ua_ctx_t *ctx)
{
    const char *why = ctx->failed ? ctx->failed : "";

    if (strncmp(why, "connect:", 8) != 0) {
        return 0;
    }
    if (!strstr(why, "database is locked")) {
        return 1;
    }
    apr_sleep(UA_CONNECT_PAUSE);
    return 0;
}

apr_status_t ua_schema_migrate(ua_ctx_t *ctx, const char *driver, apr_int64_t *newest)
{
    const char *folder = apr_pstrcat(ctx->pool, "schema/", driver, "/", NULL);
    apr_status_t rv = APR_EGENERAL;

    for (int tries = 0; tries < TRIES && (rv == APR_EGENERAL || rv == UA_CONFLICT); tries++) {
        rv = run_all(ctx, folder, newest);
        if (rv != APR_SUCCESS && is_away(ctx)) {
            return rv;
        }
        if (rv != APR_SUCCESS) {
            ua_db_rollback(ctx);
            ua_db_reset(ctx);
        }
    }
    return rv;
}

apr_status_t ua_schema_check(ua_ctx_t *ctx)
{
    ua_row_t row = NULL;

    return ua_db_one(&row, ctx, UA_Q(schema_tables), NULL);
}
