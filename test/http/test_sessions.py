"""How long a session lives: without use, in any case, and remembered. The times here are seconds."""
import time

import pytest
from client import Client
from people import PASSWORD, is_signed_in, join, sign_in
from server import Server, wait_for


@pytest.fixture(scope="module")
def idle(run_folder):
    server = Server(run_folder, conf="UserAuthSessionIdle 2s\nUserAuthRememberLifetime 30s\n")
    try:
        server.start()
        server.person = join(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def absolute(run_folder):
    server = Server(run_folder, conf="UserAuthSessionLifetime 2s\nUserAuthRememberLifetime 5s\nUserAuthSessionIdle 30s\n")
    try:
        server.start()
        server.person = join(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(idle, absolute, log_gate):
    log_gate.watch(idle)
    log_gate.watch(absolute)


def is_alive(server, value):
    """Whether the server knows a session, whatever a browser thinks of its cookie's age."""
    return Client(server).json("GET", "/dashboard", headers={"Cookie": f"userauth={value}"}).status_code == 200


def member(server, **fields):
    client = Client(server)
    sign_in(client, server.person, **fields)
    assert is_signed_in(client)
    return client


def test_idle(idle):
    """SESS-05: unused, it ends. Each look is a use, so each waits longer than the one before."""
    client, pause = member(idle), iter((2.2, 2.6, 3.0))

    def is_over():
        time.sleep(next(pause))
        return not is_signed_in(client)

    wait_for(is_over, what="the session to end")
    assert client.get("/dashboard").status_code == 303


def test_in_use(idle):
    """Used, it lives on, longer than the idle limit."""
    client, end = member(idle), time.monotonic() + 4
    wait_for(lambda: not is_signed_in(client) or time.monotonic() > end)
    assert is_signed_in(client), "a session in use ended as if it were idle"


def test_remembered_is_not_idle(idle):
    plain, kept = member(idle), member(idle, remember="1")
    end = time.monotonic() + 2.4
    wait_for(lambda: time.monotonic() > end, what="the idle limit")
    assert not is_signed_in(plain)
    assert is_signed_in(kept)


def test_absolute(absolute):
    """SESS-05: no use prolongs it."""
    began = time.monotonic()
    plain, kept = member(absolute), member(absolute, remember="1")
    wait_for(lambda: not is_signed_in(plain), what="the session to end")
    assert time.monotonic() - began >= 2
    value = kept.cookies["userauth"]
    assert is_alive(absolute, value)
    wait_for(lambda: not is_alive(absolute, value), what="the remembered session to end")
    assert time.monotonic() - began >= 5


def test_an_ended_session_does_not_come_back(absolute):
    client = member(absolute)
    value = client.cookies["userauth"]
    wait_for(lambda: not is_alive(absolute, value), what="the session to end")
    answer = client.json("POST", "/auth/login", {"login": absolute.person.username, "password": PASSWORD})
    assert answer.status_code == 200
    assert is_signed_in(client) and not is_alive(absolute, value)


def test_a_restart_signs_nobody_out(new_server):
    server = new_server()
    server.person = join(server)
    client = member(server)
    server.restart()
    assert is_signed_in(client)
    server.graceful()
    assert is_signed_in(client)
