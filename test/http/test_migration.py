"""Schema steps: each runs once, whoever starts and whoever is killed in the midst of it (UPG-01 to UPG-05)."""
import threading

import engines
import pytest
from client import Client
from confhelp import site
from people import signed_in
from preload import FAIL_FROM, FAIL_ONCE, KILL_AFTER, KILL_BEFORE, NOTHING, Preload
from server import Server, StartFailed, wait_for


@pytest.fixture(scope="module")
def faults(run_folder):
    return Preload(run_folder)


def steps(server):
    return [row[0] for row in server.db("SELECT step FROM schema_step ORDER BY step")]


@pytest.fixture(scope="module")
def known(run_folder):
    """(the steps of a whole schema, its tables)"""
    server = Server(run_folder).start()
    try:
        return steps(server), engines.tables(server)
    finally:
        server.stop()


def starts(server):
    try:
        server.start()
    except StartFailed:
        return False
    return True


@pytest.mark.parametrize("how", [KILL_BEFORE, KILL_AFTER], ids=["before", "after"])
def test_a_start_that_is_killed_at_each_statement(new_server, faults, known, how):
    """The next start brings the schema to its end, each step once."""
    at, up = 1, False
    while not up:  # later calls are a child's
        server = new_server(start=False)
        server.expect_log("UA0|AH00|exit signal")
        faults.set(how, at)
        with faults.loaded():
            up = starts(server)
        assert faults.done > 0 or up
        faults.set(NOTHING)
        server.stop()
        server.start()
        assert (steps(server), engines.tables(server)) == known, f"killed at call {at}"
        engines.check_sound(server)
        if at % 10 == 1:
            signed_in(server)
        server.stop()
        at += 1
    assert at > 20, "the schema has more statements than that"


@pytest.mark.parametrize("how", [FAIL_ONCE, FAIL_FROM], ids=["once", "for good"])
def test_a_start_whose_statement_fails(new_server, faults, known, how):
    """It starts whole, or it refuses in words; the next one starts."""
    at, failed = 1, True
    while failed:
        server = new_server(start=False)
        server.expect_log("UA0|AH00")
        faults.set(how, at)
        with faults.loaded():
            up = starts(server)
        failed = faults.done > 0
        faults.set(NOTHING)
        assert up or "UA0001" in server.log(), f"at call {at}: {server.log()[-500:]}"
        server.stop()
        server.start()
        assert (steps(server), engines.tables(server)) == known, f"failed at call {at}"
        server.stop()
        at += 1
    assert at > 20


def start_together(nodes):
    """Each from a thread that lives as long as they do: the kernel ends a server with the thread that started it."""
    up = threading.Barrier(len(nodes) + 1)

    def run(node):
        try:
            node.start()
        finally:
            up.wait()
        wait_for(lambda: node.process is None, 120, "the test to stop it")

    for node in nodes:
        threading.Thread(target=run, args=(node,), daemon=True).start()
    up.wait()


def test_two_nodes_start_at_the_same_time(new_server, known):
    """One empty database, one key file: both come up, each step ran once."""
    first = new_server()
    first.stop()
    for turn in range(5):
        lines = {"UserAuthDatabase": f'sqlite3 "{first.folder}/fresh{turn}.db"', "UserAuthKeyFile": f'"{first.folder}/userauth.keys"'}
        nodes = [new_server(start=False, site=False, conf=site(**lines)) for _ in range(2)]
        start_together(nodes)
        done = engines.query(first, "SELECT step FROM schema_step ORDER BY step", (), f"fresh{turn}")
        assert [row[0] for row in done] == known[0]
        for node in nodes:
            assert Client(node).get("/auth/health").json()["status"] == "ok"
            node.stop()
