/* test_db_stuck.c: a server that does not answer loses the connection, and nobody else does.
 *
 * Case: DB-08. A pair of sockets stands for a connection; SQLite's own has none.
 */
#include "db_world.h"
#include "base/db_conn.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct pair_t {
    int ours;
    int theirs;
} pair_t;

/* A leased holder with a connection to somebody. */
static pair_t connected(world_t *world)
{
    int ends[2];

    assert_int_equal(ua_dbs_lease(&world->ctx), APR_SUCCESS);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ua_db_socket(world->ctx.db, ends[0]);
    return (pair_t){ends[0], ends[1]};
}

static void closed(pair_t pair)
{
    close(pair.ours);
    close(pair.theirs);
}

static int is_ended(pair_t pair)
{
    char byte;

    return recv(pair.theirs, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_no_answer(void **state)
{
    world_t *world = *state;
    pair_t pair = connected(world);
    apr_time_t now = apr_time_now();

    ua_db_asks(world->ctx.db);
    assert_int_equal(ua_dbs_rescue(world->dbs, now + UA_DB_PATIENCE - 1), 0);
    assert_false(is_ended(pair));
    assert_int_equal(ua_dbs_rescue(world->dbs, now + 2 * UA_DB_PATIENCE), 1);
    assert_true(is_ended(pair));
    assert_int_equal(ua_dbs_rescue(world->dbs, now + 3 * UA_DB_PATIENCE), 0); /* once */
    closed(pair);
}

static void test_an_answer(void **state)
{
    world_t *world = *state;
    pair_t pair = connected(world);

    ua_db_asks(world->ctx.db);
    ua_db_heard(world->ctx.db);
    assert_int_equal(ua_dbs_rescue(world->dbs, apr_time_now() + 2 * UA_DB_PATIENCE), 0);
    assert_false(is_ended(pair));
    closed(pair);
}

/* The number of a socket that was closed may be somebody else's. */
static void test_a_dropped_connection(void **state)
{
    world_t *world = *state;
    pair_t pair = connected(world);

    ua_db_asks(world->ctx.db);
    ua_db_drop(world->ctx.db);
    assert_int_equal(ua_dbs_rescue(world->dbs, apr_time_now() + 2 * UA_DB_PATIENCE), 0);
    assert_false(is_ended(pair));
    closed(pair);
}

static void test_a_file(void **state)
{
    world_t *world = *state;

    assert_int_equal(ua_dbs_lease(&world->ctx), APR_SUCCESS);
    ua_db_asks(world->ctx.db);
    assert_int_equal(ua_dbs_rescue(world->dbs, apr_time_now() + 2 * UA_DB_PATIENCE), 0);
    assert_int_equal(world_insert(&world->ctx, "a", 1), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_answer, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_an_answer, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_a_dropped_connection, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_a_file, world_setup, world_teardown),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
