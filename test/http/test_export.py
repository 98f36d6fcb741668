"""/dashboard/export: everything stored about a person, as one download."""
import json
import re

import pytest
from client import Client
from pages import problem
from people import PASSWORD, signed_in

EXPORT = "/dashboard/export"


@pytest.fixture
def member(server):
    return signed_in(server)


def grow_stale(server, person):
    server.db("UPDATE session SET auth_time = 1 WHERE account_id = ?", person.id)


def exported(server, person):
    return server.db("SELECT COUNT(*) AS n FROM event WHERE kind = 'exported' AND account_id = ?", person.id)[0]["n"]


def test_the_download(server, member):
    """PRIV-09: complete, and nothing in it opens the account."""
    person = member.person
    assert member.json("POST", "/dashboard/profile", {"display_name": "Žofie"}).status_code == 200
    answer = member.get(EXPORT)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="localhost-{person.username}.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    body = json.loads(answer.content.decode("utf-8"))
    assert set(body) == {"site", "exported", "account", "fields", "sessions", "known_browsers", "old_passwords", "mails", "links", "events"}
    account = body["account"]
    assert (account["id"], account["email"], account["display_name"]) == (person.id, person.email, "Žofie")
    for table, part in (("session", "sessions"), ("device", "known_browsers"), ("outbox", "mails"), ("token", "links")):
        rows = server.db(f"SELECT COUNT(*) AS n FROM {table} WHERE account_id = ?", person.id)
        assert len(body[part]) == rows[0]["n"] > 0, part
    assert {"registered", "verified", "login", "profile_changed"} <= {event["event"] for event in body["events"]}
    secrets = [member.cookies["userauth"], person.password]
    secrets += [row["password_hash"] for row in server.db("SELECT password_hash FROM account WHERE id = ?", person.id)]
    secrets += [row["digest"] for row in server.db("SELECT digest FROM session WHERE account_id = ?", person.id)]
    secrets += [row["id"] for row in server.db("SELECT id FROM token WHERE account_id = ?", person.id)]
    assert not [secret for secret in secrets if secret in answer.text]
    assert not re.search(r"argon2|digest|\"tag\"", answer.text)


def test_of_oneself_only(server, member):
    """AUTHZ-01"""
    other = signed_in(server)
    answer = other.get(f"{EXPORT}?id={member.person.id}&username={member.person.username}")
    assert answer.json()["account"]["username"] == other.person.username
    assert member.person.username not in answer.text and member.person.email not in answer.text


def test_the_password_comes_first(server, member):
    grow_stale(server, member.person)
    answer = member.get(EXPORT)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/reauth?next=%2Fdashboard%2Fexport")
    problem(member.json("GET", EXPORT), 403, "reauth_required")
    assert exported(server, member.person) == 0
    back = member.form(answer.headers["Location"], {"password": PASSWORD})
    assert (back.status_code, back.headers["Location"]) == (303, EXPORT)
    assert member.follow(back).json()["account"]["username"] == member.person.username
    assert exported(server, member.person) == 1


@pytest.mark.parametrize("stale", [False, True])
def test_only_a_get_takes_it(server, member, stale):
    """Whatever its method, a request that can't get it needs no password for that answer."""
    if stale:
        grow_stale(server, member.person)
    answer = member.request("OPTIONS", EXPORT)
    assert (answer.status_code, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    for method in ("POST", "DELETE"):
        assert member.request(method, EXPORT, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 405


def test_a_head_and_a_guest_get_nothing(server, member):
    head = member.request("HEAD", EXPORT)
    assert (head.status_code, head.content) == (200, b"")
    assert exported(server, member.person) == 0
    problem(Client(server).json("GET", EXPORT), 401, "login_required")
