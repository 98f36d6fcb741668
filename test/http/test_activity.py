"""/dashboard/activity: what happened to my account, in words."""
import re

import pytest
from client import Client
from pages import Page, problem
from people import PASSWORD, join, sign_in, signed_in

ACTIVITY = "/dashboard/activity"


def events(client):
    answer = client.json("GET", ACTIVITY)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["events"]
    return answer.json()["events"]


def test_a_walk(server):
    """Everything that a person did since the registration, the newest first."""
    person = join(server)
    client = Client(server)
    client.json("POST", "/auth/login", {"login": person.username, "password": "wrong"})
    sign_in(client, person)
    sign_in(Client(server), person)
    assert client.json("POST", "/dashboard/sessions", {"others": True}).status_code == 200
    assert client.json("POST", "/auth/reauth", {"password": PASSWORD}).status_code == 200
    found = events(client)
    assert [event["event"] for event in found] == [
        "reauthenticated", "session_ended", "login", "login", "login_failed", "verified", "registered"
    ]
    for event in found:
        assert set(event) == {"id", "event", "time", "address", "device"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])
    assert found[0]["address"] == client.address
    page = Page(client.get(ACTIVITY))
    assert page.headings == ["Recent activity"]
    for text in (
        "You entered your password again", "You signed out all other devices", "You logged in from a new device",
        "Someone tried to log in with a wrong password", "You confirmed your email address", "You registered"
    ):
        assert text in page.text
    assert client.address in page.text
    assert "/dashboard/activity" in Page(client.get("/dashboard/sessions")).links


@pytest.mark.parametrize("agent", [
    "<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{{csrf}}{{{csrf}}}", "Mozilla/5.0 <b>Firefox/1</b>"
])
def test_nothing_of_the_agent(server, agent):
    """XSS-07"""
    person = join(server)
    client = Client(server)
    client.session.headers["User-Agent"] = agent
    sign_in(client, person)
    for answer in (client.get(ACTIVITY), client.get("/dashboard/sessions"), client.json("GET", ACTIVITY)):
        assert answer.status_code == 200
        for part in ("alert(1)", "<b>", "{{", "onerror"):
            assert part not in answer.text


def test_ones_own_only(server):
    """AUTHZ-01"""
    client, other = signed_in(server), signed_in(server)
    mine = {event["id"] for event in events(client)}
    answer = other.json("GET", ACTIVITY, params={"account_id": client.person.id, "id": client.person.id})
    assert not mine & {event["id"] for event in answer.json()["events"]}
    assert client.address not in other.get(ACTIVITY).text
    problem(Client(server).json("GET", ACTIVITY), 401, "login_required")
    problem(client.json("POST", ACTIVITY, {}), 405, "method_not_allowed")
