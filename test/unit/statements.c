/* statements.c: see statements.h. The library is asked for by name: apr_dbd's driver has it loaded, its headers
 * are not needed for three calls. */
#include "statements.h"
#include "fixture.h"

#include <dlfcn.h>

/* sqlite3.h: SQLITE_TRACE_STMT, SQLITE_TRACE_ROW */
#define STATEMENT 0x01U
#define ROW       0x04U

typedef int trace_f(unsigned what, void *data, void *statement, void *text);
typedef int opened_f(void *db, char **error, const void *api);

static int (*trace)(void *db, unsigned what, trace_f *each, void *data);
static statements_t counted;

static int count(unsigned what, void *data, void *statement, void *text)
{
    (void)data;
    (void)statement;
    (void)text;
    counted.run += what == STATEMENT;
    counted.rows += what == ROW;
    return 0;
}

static int opened(void *db, char **error, const void *api)
{
    (void)error;
    (void)api;
    return trace(db, STATEMENT | ROW, count, NULL);
}

void count_statements(void)
{
    void *library = dlopen("libsqlite3.so.0", RTLD_NOW);
    int (*on_open)(opened_f * call) = NULL;

    assert_non_null(library);
    *(void **)&trace = dlsym(library, "sqlite3_trace_v2");
    *(void **)&on_open = dlsym(library, "sqlite3_auto_extension");
    assert_true(trace && on_open);
    assert_int_equal(on_open(opened), 0);
}

statements_t statements_counted(void)
{
    statements_t now = counted;

    counted = (statements_t){0, 0};
    return now;
}
