"""Sessions that a child read a moment ago: what is ended on this server ends with the next request to any child, what
is changed in the database by others within UserAuthSessionCacheTTL."""
import http.client
import time
from collections import Counter

import pytest
from client import Client
from mpm import several
from people import PASSWORD, join, signed_in
from server import Server, wait_for
from tokens import bearer, log_in

CONF = """
UserAuthSessionCacheTTL 2s
UserAuthMailLimit off
UserAuthRateLimit login off
<Location "/private">
    AuthType UserAuth
    Require valid-user
</Location>
"""
NEW = "quartz-meadow-lantern-58"


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf=CONF, head=several(4, 32))
    (server.folder / "htdocs" / "private").mkdir()
    (server.folder / "htdocs" / "private" / "a.txt").write_text("private")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


def statuses(site, headers, times=48):
    """Of requests on connections of their own, so that every child gets some."""
    seen = Counter()
    for _ in range(times):
        link = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        link.request("GET", "/private/a.txt", headers={"Host": "localhost", "Accept": "application/json", **headers})
        seen[link.getresponse().status] += 1
        link.close()
    return seen


def cookie_of(client):
    return {"Cookie": f"userauth={client.cookies['userauth']}"}


def end_place(client):
    places = client.json("GET", "/dashboard/sessions").json()["sessions"]
    assert len(places) == 2
    it = next(place for place in places if not place["current"])
    assert client.json("POST", "/dashboard/sessions", {"session": it["id"]}).status_code == 200


def change_password(client):
    assert client.json("POST", "/dashboard/password", {"current_password": PASSWORD, "password": NEW}).status_code == 200


def close(client):
    assert client.json("POST", "/dashboard/close", {"current_password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("act", [end_place, change_password, close])
def test_what_is_ended_here_ends_in_every_child(site, act):
    """SESS: with the very next request, whichever child gets it."""
    person = join(site)
    other = signed_in(site, person)
    client = signed_in(site, person)
    assert statuses(site, cookie_of(other)) == {200: 48}
    act(client)
    assert statuses(site, cookie_of(other)) == {401: 48}


def test_signing_out_ends_cookie_and_token_in_every_child(site):
    own = log_in(site)
    cookie = {"Cookie": f"userauth={own.cookie}"}
    assert statuses(site, cookie) == {200: 48} == statuses(site, bearer(own.access))
    assert Client(site).json("POST", "/auth/logout", headers=bearer(own.access)).status_code == 200
    assert statuses(site, cookie) == {401: 48} == statuses(site, bearer(own.access))


def test_what_others_end_is_noticed_in_time(site):
    client = signed_in(site)
    cookie = cookie_of(client)
    assert statuses(site, cookie) == {200: 48}
    site.db("UPDATE session SET ended = 1")
    began = time.monotonic()
    wait_for(lambda: statuses(site, cookie, 16) == {401: 16}, what="every child to ask the database")
    assert time.monotonic() - began < 12  # 2 s and what a busy machine takes


def test_a_profile_is_new_at_once(site):
    """An application is told of what is true now."""
    client = signed_in(site)
    for number in range(3):
        name = f"Person number {number}"
        assert client.json("POST", "/dashboard/profile", {"username": client.person.username, "email": client.person.email, "display_name": name}).status_code == 200
        for _ in range(16):
            assert Client(site).json("GET", "/auth/me", headers=cookie_of(client)).json()["display_name"] == name
