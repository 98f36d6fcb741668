"""How long a session lives: without use, in any case, and remembered (the times here are seconds); and
/dashboard/sessions: where a person is signed in, and the end of one place, the others, or all."""
import time

import pytest
from client import Client, forms
from pages import Page, problem, refused
from people import PASSWORD, is_signed_in, join, sign_in, signed_in
from server import Server, wait_for

SESSIONS = "/dashboard/sessions"
OUT = "/auth/login?notice=logged-out"


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


def listed(client):
    answer = client.json("GET", SESSIONS)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["sessions"]
    return answer.json()["sessions"]


@pytest.fixture
def two(server):
    """One person in two browsers."""
    first = signed_in(server)
    return first, signed_in(server, first.person)


def test_the_list(server, two):
    first, second = two
    second.json("GET", SESSIONS, headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Firefox/133.0"})
    places = listed(second)
    assert [place["current"] for place in places] == [True, False]
    assert all(set(place) == {"id", "device", "address", "created", "last_used", "current"} for place in places)
    assert {place["id"] for place in places} == {place["id"] for place in listed(first)}
    assert [place["address"] for place in places] == [second.address, first.address]
    assert "Mozilla" not in str(places)
    page = Page(second.get(SESSIONS))
    assert page.title.startswith("Security") and page.headings == ["Security"]
    assert "this device" in page.text and first.address in page.text
    assert page.buttons.count("Sign out") == 2, "of the frame, and of the other browser"
    for path in ("/dashboard/activity", "/dashboard/password"):
        assert path in page.links
    alone = Page(signed_in(server).get(SESSIONS))
    assert "You are signed in nowhere else." in alone.text and "Sign out all other devices" not in alone.buttons


def test_one_is_ended(two):
    """SESS-03: the other browser's next request is refused."""
    first, second = two
    form = next(f for f in forms(second.get(SESSIONS).text) if "session" in f["hidden"])
    answer = second.post(form["action"], form["hidden"])
    assert (answer.status_code, answer.headers["Location"]) == (303, SESSIONS + "?notice=session-ended")
    assert Page(second.follow(answer)).roles == ["That device is signed out."]
    assert is_signed_in(second) and not is_signed_in(first)
    refused(second.post(form["action"], form["hidden"]), 404, "Device not found")


@pytest.mark.parametrize("fields, where, alive", [
    ({"others": "1"}, SESSIONS + "?notice=others-ended", [False, True]),
    ({"all": "1"}, OUT, [False, False]),
])
def test_many_are_ended(two, fields, where, alive):
    found = [f for f in forms(two[1].get(SESSIONS).text) if f["action"] == SESSIONS and "session" not in f["hidden"]]
    answer = two[1].post(SESSIONS, {**found[0]["hidden"], **fields})
    assert (answer.status_code, answer.headers["Location"]) == (303, where)
    assert [is_signed_in(client) for client in two] == alive
    assert ("userauth" in two[1].cookies) == alive[1]
    assert ("Clear-Site-Data" in answer.headers) != alive[1]


def test_this_one_is_ended(two):
    """SESS-03: a logout; the cookie goes, and a replay opens nothing."""
    first, second = two
    value = second.cookies["userauth"]
    here = next(place["id"] for place in listed(second) if place["current"])
    answer = second.json("POST", SESSIONS, {"session": here})
    assert answer.status_code == 200 and answer.json() == {"message": "You are logged out."}
    assert "userauth" not in second.cookies and not is_alive(second.server, value)
    assert is_signed_in(first)


def test_nobody_elses(server, two):
    """AUTHZ-01"""
    stranger = signed_in(server)
    ids = [place["id"] for place in listed(two[0])]
    for one in ids + ["11111111-2222-4333-8444-555555555555", "x", "' OR 1=1 --"]:
        problem(stranger.json("POST", SESSIONS, {"session": one}), 404, "not_found")
    assert all(is_signed_in(client) for client in two)
    assert not set(ids) & {place["id"] for place in listed(stranger)}
    assert stranger.json("POST", SESSIONS, {"all": True}).status_code == 200
    assert all(is_signed_in(client) for client in two)


@pytest.mark.parametrize("body", [{}, {"others": True, "all": True}, {"session": "x", "others": True}, {"all": False}])
def test_one_choice(server, body):
    client = signed_in(server)
    body = problem(client.json("POST", SESSIONS, body), 422, "invalid_fields")
    assert set(body["errors"]) == {"session"}, "contract 2: errors, field by field"
    assert is_signed_in(client)


def test_only_from_our_own_page(two):
    """CSRF-01"""
    first, second = two
    answer = second.post(SESSIONS, {"others": "1"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert second.post(SESSIONS, {"others": "1"}).status_code == 403, "without the page's field"
    assert is_signed_in(first)
