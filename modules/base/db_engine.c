/* db_engine.c: what differs between the engines, and what is added to an operator's connection parameters.
 *
 * SQLite lets one write at a time. The others run SERIALIZABLE transactions as if one came after the other, and end one
 * of two that cannot be put in an order: a conflict, which is tried again. */
#include "db_conn.h"

#include <dlfcn.h>
#include <string.h>

/* busy_timeout sleeps inside the driver's process-wide mutex, and the driver itself tries 17 times
 * with 100 ms between, outside the mutex (3). 200 ms so make about 5 s in all; 5000 would be 85 s,
 * most of it with every other thread of this process kept from its database.
 * SQLite takes the memory of its first 20 pages at once and keeps it; every further page is a malloc(), freed with the
 * next commit of another connection, and scattered over the arenas of all threads: half a MiB in each child. The system
 * has the pages anyway. A transaction still collects 500 pages before any go to the log. */
static const char *const sqlite3_connect[] = {"PRAGMA busy_timeout=200",
                                              "PRAGMA foreign_keys=ON",
                                              "PRAGMA journal_mode=WAL",
                                              "PRAGMA synchronous=FULL",
                                              "PRAGMA cache_size=20",
                                              "PRAGMA cache_spill=500",
                                              NULL};

static const char *const pgsql_connect[] = {
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET lock_timeout = '5s'",
    "SET statement_timeout = '10s'",
    "SET idle_in_transaction_session_timeout = '30s'",
    "SET client_encoding = 'UTF8'",
    "SET client_min_messages = 'error'",
    NULL};

static const char *const mysql_connect[] = {
    "SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin",
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO'",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION innodb_lock_wait_timeout = 5",
    "SET SESSION max_statement_time = 10",
    "SET SESSION idle_transaction_timeout = 30",
    "SET SESSION autocommit = 1",
    "SET SESSION completion_type = 'NO_CHAIN'",
    NULL};

/* Connecting has a bound, and a server that is gone without a word is noticed. */
static const ua_param_t pgsql_params[] = {{"connect_timeout", "3", 0},
                                          {"tcp_user_timeout", "10000", 0},
                                          {"keepalives_idle", "30", 0},
                                          {"application_name", "mod_userauth", 0},
                                          {NULL, NULL, 0}};

/* Without the first an UPDATE that changes nothing counts no row; with reconnecting a transaction is lost
 * silently (10). */
static const ua_param_t mysql_params[] = {
    {"flags", "CLIENT_FOUND_ROWS", 1}, {"reconnect", "0", 1}, {NULL, NULL, 0}};

static const ua_param_t no_params[] = {{NULL, NULL, 0}};

static const char *const sqlite3_begin[] = {"BEGIN IMMEDIATE", NULL};
static const char *const pgsql_committed[] = {"BEGIN ISOLATION LEVEL READ COMMITTED", NULL};
static const char *const pgsql_serializable[] = {"BEGIN ISOLATION LEVEL SERIALIZABLE", NULL};
/* Another node may be at the same step: it is waited for. A table that requests use is not, beyond what they wait: all
 * that come later stand behind who waits for it. */
static const char *const pgsql_unhurried[] = {
    "BEGIN ISOLATION LEVEL READ COMMITTED", "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = '10min'",     "LOCK TABLE schema_step IN EXCLUSIVE MODE",
    "SET LOCAL lock_timeout = '5s'",        NULL};
static const char *const mysql_unhurried[] = {"SET SESSION max_statement_time = 0",
                                              "START TRANSACTION", NULL};
static const char *const mysql_committed[] = {"START TRANSACTION", NULL};
static const char *const mysql_serializable[] = {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                                                 "START TRANSACTION", NULL};

/* 5: another one writes */
static apr_status_t sqlite3_judge(int rc, const char *text)
{
    (void)text;
    return rc == 5 ? APR_TIMEUP : APR_EGENERAL;
}

static int is_among(const char *state, const char *const *states, apr_size_t count)
{
    for (apr_size_t i = 0; i < count; i++) {
        if (strncmp(state, states[i], 5) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The driver's own numbers tell nothing; with PQERRORS_VERBOSE the text begins with SQLSTATE. */
static apr_status_t pgsql_judge(int rc, const char *text)
{
    /* Not in an order; a deadlock; another one has this key by now. */
    static const char *const conflicts[] = {"40001", "40P01", "23505"};
    /* A row stays locked; the statement's time is over. */
    static const char *const busy[] = {"55P03", "57014"};
    const char *state = strstr(text, ":  "); /* behind the severity, in whatever language */

    (void)rc;
    state = state ? state + 3 : "";
    if (is_among(state, conflicts, sizeof conflicts / sizeof *conflicts)) {
        return UA_CONFLICT;
    }
    return is_among(state, busy, sizeof busy / sizeof *busy) ? APR_TIMEUP : APR_EGENERAL;
}

/* 1205: a row stays locked. 1969: the statement's time is over. 1213: a deadlock, or another node of a cluster was
 * first. 1020: the row is another one. 1062: another one has this key by now. */
static apr_status_t mysql_judge(int rc, const char *text)
{
    (void)text;
    return rc == 1213 || rc == 1020 || rc == 1062 ? UA_CONFLICT
           : rc == 1205 || rc == 1969             ? APR_TIMEUP
                                                  : APR_EGENERAL;
}

/* The driver has loaded the client's own library. -1 without such a function. */
static int socket_of(void *connection, const char *function)
{
    union {
        void *symbol;
        int (*call)(const void *);
    } get = {dlsym(RTLD_DEFAULT, function)};

    return get.symbol ? get.call(connection) : -1;
}

/* 2 is PQERRORS_VERBOSE. */
static int pgsql_opened(void *connection)
{
    union {
        void *symbol;
        int (*call)(void *, int);
    } set = {dlsym(RTLD_DEFAULT, "PQsetErrorVerbosity")};

    if (set.symbol) {
        (void)set.call(connection, 2);
    }
    return socket_of(connection, "PQsocket");
}

static int mysql_opened(void *connection)
{
    return socket_of(connection, "mysql_get_socket");
}

static int sqlite3_opened(void *connection)
{
    (void)connection;
    return -1;
}

static const ua_engine_t engines[] = {
    {"sqlite3",
     {sqlite3_begin, sqlite3_begin, sqlite3_begin},
     sqlite3_judge,
     sqlite3_opened,
     sqlite3_connect,
     no_params},
    {"pgsql",
     {pgsql_committed, pgsql_serializable, pgsql_unhurried},
     pgsql_judge,
     pgsql_opened,
     pgsql_connect,
     pgsql_params},
    {"mysql",
     {mysql_committed, mysql_serializable, mysql_unhurried},
     mysql_judge,
     mysql_opened,
     mysql_connect,
     mysql_params},
};

const ua_engine_t *ua_engine_find(const char *driver)
{
    for (apr_size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (strcmp(engines[i].driver, driver) == 0) {
            return &engines[i];
        }
    }
    return NULL;
}

static int is_uri(const char *params)
{
    apr_size_t scheme = strspn(params, "abcdefghijklmnopqrstuvwxyz");

    return scheme > 0 && strncmp(params + scheme, "://", 3) == 0;
}

/* What stands behind "name=" in the parameters, as the drivers read them, or NULL. */
static const char *value_of(const char *params, const char *name)
{
    apr_size_t length = strlen(name);

    for (const char *at = strstr(params, name); at; at = strstr(at + 1, name)) {
        const char *behind = at + length + strspn(at + length, " ");

        if (*behind == '=' && (at == params || strchr(" \t,;|?&", at[-1]))) {
            return behind + 1 + strspn(behind + 1, " ");
        }
    }
    return NULL;
}

static int is_value(const char *found, const char *wanted)
{
    apr_size_t length = strlen(wanted);

    return strncmp(found, wanted, length) == 0 &&
           (found[length] == '\0' || strchr(" \t,;|&", found[length]));
}

const char *ua_db_params_refusal(apr_pool_t *pool, const char *driver, const char *params)
{
    const ua_engine_t *engine = ua_engine_find(driver);

    for (const ua_param_t *p = engine ? engine->params : no_params; p->name; p++) {
        const char *found = p->fixed ? value_of(params, p->name) : NULL;

        if (found && !is_value(found, p->value)) {
            return apr_psprintf(pool, "%s has to be %s: leave it out, or write \"%s=%s\"",
                                p->name, p->value, p->name, p->value);
        }
    }
    return NULL;
}

const char *ua_dbs_params(apr_pool_t *pool, const ua_engine_t *engine, const char *params)
{
    const char *out = params;

    for (const ua_param_t *p = engine->params; p->name; p++) {
        const char *between = is_uri(params) ? strchr(out, '?') ? "&" : "?" : " ";

        if (!value_of(params, p->name)) {
            out = apr_pstrcat(pool, out, between, p->name, "=", p->value, NULL);
        }
    }
    return apr_pstrdup(pool, out);
}
