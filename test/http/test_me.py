"""/auth/me: who I am and how long my session lasts; asking it prolongs nothing."""
import time
from datetime import datetime

import pytest
from client import Client
from pages import problem
from people import PASSWORD, join, signed_in
from server import wait_for

ME = "/auth/me"


def me(client, **kwargs):
    answer = client.json("GET", ME, **kwargs)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_account(server):
    client = signed_in(server)
    body, person = me(client), client.person
    times = body.pop("session")
    assert body == {
        "id": person.id, "username": person.username, "email": person.email, "email_verified": True,
        "display_name": person.display_name
    }
    assert set(times) == {"idle_seconds_left", "expires_at", "fresh_until"}
    assert 3590 <= times["idle_seconds_left"] <= 3600
    expires, fresh = (datetime.strptime(times[name], "%Y-%m-%dT%H:%M:%SZ") for name in ("expires_at", "fresh_until"))
    assert 0 <= 85500 - (expires - fresh).total_seconds() < 2, "a day, and a quarter of an hour"


def test_always_json(server):
    client = signed_in(server, browser=False)
    answer = client.get(ME, headers={"Accept": "text/html"})
    assert answer.headers["Content-Type"] == "application/json" and answer.json()["id"] == client.person.id
    answer = Client(server).get(ME, headers={"Accept": "text/html", "Sec-Fetch-Mode": "navigate"})
    problem(answer, 401, "login_required")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_by_access_token(server):
    person = join(server)
    answer = Client(server).json("POST", "/auth/login", {"login": person.username, "password": PASSWORD})
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert me(Client(server), headers=headers)["id"] == person.id
    problem(Client(server).json("GET", ME, headers={"Authorization": "Bearer x"}), 401, "login_required")


def test_asking_is_no_use(new_server):
    """SESS-05: a page that asks and asks ends as if nobody had looked at it."""
    server = new_server(conf="UserAuthSessionIdle 3s\n")
    client = signed_in(server)
    began = time.monotonic()
    wait_for(lambda: client.json("GET", ME).status_code == 401, 8, "the session to end while it is asked about")
    assert time.monotonic() - began < 6
    client = signed_in(server, client.person)
    end = time.monotonic() + 6
    wait_for(lambda: client.get("/dashboard").status_code != 200 or time.monotonic() > end)
    assert client.get("/dashboard").status_code == 200, "looking at a page is a use"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods(server, method):
    client = signed_in(server)
    problem(client.json(method, ME, {}), 405, "method_not_allowed")
