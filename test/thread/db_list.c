/* db_list.c: eight threads that share three connections: they write, read, fail, forget to give back; stuck ones are ended.
 *
 * Run by test/run/threads.sh on an SQLite file. Each connection gets a socket, which a server would be behind, so that
 * ua_dbs_rescue() has something to end. A connection belongs to one thread: its marks here are plain memory. */
#include "threads.h"
#include "base/db_conn.h"

#include <apr_file_io.h>
#include <apr_general.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 3
#define ROUNDS      1500
#define HOUR        apr_time_from_sec(3600)

static const ua_query_t add = {0, "add", "UPDATE t SET n = n + %lld"};
static const ua_query_t get = {1, "get", "SELECT n FROM t"};
static const ua_query_t broken = {2, "broken", "SELECT n FROM absent"};

static ua_dbs_t *dbs;
static atomic_int leased;
static atomic_long added; /* committed */
static atomic_ulong read_rows, failed, forgotten, ended, connected;

static struct {
    const ua_db_t *db;
    unsigned long uses;
} marks[CONNECTIONS];

/* The socket's other end is never read: SQLite needs neither. */
static int a_socket(void *connection)
{
    int pair[2] = {-1, -1};

    (void)connection;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
        wrong("no socket");
        return -1;
    }
    (void)close(pair[1]);
    atomic_fetch_add(&connected, 1);
    return pair[0];
}

/* Which of the list's holders this is; they are all made before the threads begin. */
static void mark(const ua_db_t *db)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        if (marks[i].db == db) {
            marks[i].uses++;
            return;
        }
    }
    wrong("a connection more than %d", CONNECTIONS);
}

static void took(const ua_ctx_t *ctx)
{
    int now = atomic_fetch_add(&leased, 1) + 1;

    if (now > CONNECTIONS) {
        wrong("%d connections at once", now);
    }
    mark(ctx->db);
}

static int lease(ua_ctx_t *ctx)
{
    apr_status_t rv = ua_dbs_lease(ctx);

    if (rv != APR_SUCCESS) {
        wrong("no connection: %d %s", rv, ctx->failed);
        return 0;
    }
    took(ctx);
    return 1;
}

/* Leases by itself, for it waits for the writer's lock without a connection. */
static int begin(ua_ctx_t *ctx)
{
    apr_status_t rv = ua_db_begin(ctx, UA_SERIALIZABLE);

    if (rv != APR_SUCCESS) {
        wrong("a transaction: %d %s", rv, ctx->failed);
        return 0;
    }
    took(ctx);
    return 1;
}

/* The last thing before what gives the connection back, whichever that is. */
static void done_with(const ua_ctx_t *ctx)
{
    mark(ctx->db);
    atomic_fetch_sub(&leased, 1);
}

static void write_one(ua_ctx_t *ctx, worker_t *worker)
{
    apr_int64_t more = 1 + pick(worker, 9);
    int rows = 0;

    if (!begin(ctx)) {
        return;
    }
    if (ua_db_exec(ctx, &rows, &add, UA_ARGS(ua_n(more))) != APR_SUCCESS || rows != 1) {
        wrong("a write: %s", ctx->failed);
    }
    done_with(ctx);
    if (pick(worker, 4) == 0) {
        ua_db_rollback(ctx);
        return;
    }
    if (ua_db_commit(ctx) != APR_SUCCESS) {
        wrong("a commit: %s", ctx->failed);
        return;
    }
    atomic_fetch_add(&added, more);
}

static void read_one(ua_ctx_t *ctx)
{
    long before = atomic_load(&added);
    ua_row_t row = NULL;

    if (!lease(ctx)) {
        return;
    }
    if (ua_db_one(&row, ctx, &get, NULL) != APR_SUCCESS) {
        wrong("a read: %s", ctx->failed);
    }
    else if (ua_row_number(row, 0) < before) {
        wrong("%ld were committed, and %ld are read", before, (long)ua_row_number(row, 0));
    }
    atomic_fetch_add(&read_rows, 1);
    done_with(ctx);
}

/* Whose connection is lost is given another one. */
static void fail_one(ua_ctx_t *ctx)
{
    ua_row_t row = NULL;

    if (!lease(ctx)) {
        return;
    }
    done_with(ctx);
    if (ua_db_one(&row, ctx, &broken, NULL) == APR_SUCCESS) {
        wrong("a table that is not there was read");
    }
    atomic_fetch_add(&failed, 1);
}

/* A request that ends in the middle: its pool gives the connection back, and nothing of it stays. Its context may go on
 * with another one, but not with this, which is somebody else's by then. */
static void forget(ua_ctx_t *ctx, worker_t *worker)
{
    if (!begin(ctx)) {
        return;
    }
    if (ua_db_exec(ctx, NULL, &add, UA_ARGS(ua_n(1000000))) != APR_SUCCESS) {
        wrong("a write to be forgotten: %s", ctx->failed);
    }
    done_with(ctx);
    atomic_fetch_add(&forgotten, 1);
    apr_pool_clear(worker->pool);
    read_one(ctx);
}

static void one_round(worker_t *worker)
{
    ua_ctx_t ctx = {.pool = worker->pool, .dbs = dbs, .slot = -1};
    unsigned what = pick(worker, 16);

    if (what == 0) { /* as if an hour had gone by */
        atomic_fetch_add(&ended, (unsigned)ua_dbs_rescue(dbs, apr_time_now() + HOUR));
    }
    else if (what == 1) {
        forget(&ctx, worker);
    }
    else if (what == 2) {
        fail_one(&ctx);
    }
    else if (what < 9) {
        read_one(&ctx);
    }
    else {
        write_one(&ctx, worker);
    }
    ua_db_release(&ctx);
}

/* The list with all its connections made, and a table with one row. */
static apr_status_t prepare(apr_pool_t *pool, const char *file, const ua_engine_t *engine)
{
    const ua_dbs_conf_t conf = {"sqlite3", file, CONNECTIONS, 3, NULL};
    const char *why = NULL;
    ua_lock_t *writer = NULL;
    ua_ctx_t ctx[CONNECTIONS];

    UA_CHECK(ua_db_load(pool, "sqlite3", &why));
    UA_CHECK(
        ua_lock_init(&writer, memset(aligned_alloc(64, ua_lock_size()), 0, ua_lock_size())));
    UA_CHECK(ua_dbs_create(&dbs, &conf));
    dbs->conf.writer = writer;
    dbs->engine = engine;
    for (int i = 0; i < CONNECTIONS; i++) {
        ctx[i] = (ua_ctx_t){.pool = pool, .dbs = dbs, .slot = -1};
        UA_CHECK(ua_dbs_lease(&ctx[i]));
        marks[i].db = ctx[i].db;
    }
    UA_CHECK(ua_db_literal(&ctx[0], "table", "CREATE TABLE t (n BIGINT NOT NULL)"));
    UA_CHECK(ua_db_literal(&ctx[0], "row", "INSERT INTO t (n) VALUES (0)"));
    for (int i = 0; i < CONNECTIONS; i++) {
        ua_db_release(&ctx[i]);
    }
    return APR_SUCCESS;
}

static void judge_end(apr_pool_t *pool)
{
    ua_ctx_t ctx = {.pool = pool, .dbs = dbs, .slot = -1};
    ua_row_t row = NULL;
    unsigned long uses = 0;

    if (ua_db_one(&row, &ctx, &get, NULL) != APR_SUCCESS ||
        ua_row_number(row, 0) != atomic_load(&added)) {
        wrong("%ld were committed, and %s are there", atomic_load(&added),
              row ? row[0] : "none");
    }
    ua_db_release(&ctx);
    if (apr_reslist_acquired_count(dbs->list) != 0 || atomic_load(&leased) != 0) {
        wrong("a connection is still out");
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        uses += marks[i].uses;
    }
    expect_some("uses", uses);
    expect_some("added", (unsigned long)atomic_load(&added));
    expect_some("read", read_rows);
    expect_some("failed", failed);
    expect_some("forgotten", forgotten);
    expect_some("ended", ended);
    expect_some("connected", connected);
}

int main(void)
{
    char folder[] = "/tmp/userauth-threads-XXXXXX";
    apr_pool_t *pool = NULL;
    const char *file = NULL;
    ua_engine_t engine = *ua_engine_find("sqlite3");

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS ||
        !mkdtemp(folder)) {
        return 2;
    }
    engine.opened = a_socket;
    file = apr_pstrcat(pool, folder, "/db", NULL);
    if (prepare(pool, file, &engine) == APR_SUCCESS) {
        together(one_round, ROUNDS);
        judge_end(pool);
        ua_dbs_destroy(dbs);
    }
    else {
        wrong("no database");
    }
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end;
         end++) {
        (void)apr_file_remove(apr_pstrcat(pool, file, *end, NULL), pool);
    }
    (void)apr_dir_remove(folder, pool);
    apr_pool_destroy(pool);
    return finished();
}
