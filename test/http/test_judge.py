"""/auth/strength: how good a password would be, by the registration's judgment."""

import engines
import pytest
from client import Client
from pages import Page, problem
from people import fields_of, stranger


def judge(client, password, **fields):
    answer = client.json("POST", "/auth/strength", {"password": password, **fields})
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["acceptable", "text", "score"]
    return answer.json()


def test_good_and_bad(client):
    assert judge(client, "purple-monkey-dishwasher-92") == {
        "acceptable": True, "text": "Very good: this is very hard to guess.", "score": 4
    }
    bad = judge(client, "password1")
    assert not bad["acceptable"] and bad["score"] == 0 and "easy to guess" in bad["text"]
    assert judge(client, "")["text"] == "Enter a password."


@pytest.mark.parametrize("password", ["qwertyuiop", "short", "correct horse battery staple", "aaaaaaaaaaaaaaaa", "Tr0ub4dor&3"])
def test_the_registration_agrees(server, password):
    client, person = Client(server), stranger()
    person.password = password
    fine = judge(client, password, username=person.username, email=person.email, display_name=person.display_name)
    answer = client.json("POST", "/auth/register", fields_of(person))
    assert answer.status_code == (201 if fine["acceptable"] else 422)
    if not fine["acceptable"]:
        assert answer.json()["errors"]["password"] == fine["text"]


def test_own_words_count(client):
    name = "xavierxenophon"
    assert judge(client, name + "7")["acceptable"]
    assert not judge(client, name + "7", username=name)["acceptable"]
    assert not judge(client, name + "7", display_name=name)["acceptable"]


@pytest.mark.parametrize("field, value, password", [
    ("display_name", "Wolfgangus Xanthopoulos", "wolfgangusxanthopoulos"),
    ("display_name", "Wolfgangus Xanthopoulos", "xanthopouloswolfgangus"),
    ("display_name", "WÖLFGANGÜS QVYZT", "wölfgangüs"),
    ("username", "wolfgangus-xanthopoulos1", "wolfgangusxanthopoulos"),
    ("email", "wolfgangus.xanthopoulos@example.org", "xanthopoulos1985"),
    ("email", "a1@quibblethorpian.example", "quibblethorpian2024"),
])
def test_parts_of_own_words_count(client, field, value, password):
    """BF-15"""
    assert judge(client, password)["acceptable"]
    assert not judge(client, password, **{field: value})["acceptable"]


@pytest.mark.parametrize("password", ["😀" * 8, "😀" * 15, "密码" * 4, "1a!A" * 4])
def test_few_characters_are_few(client, password):
    """BF-15"""
    assert judge(client, password) == {
        "acceptable": False,
        "text": "This password is too easy to guess. Use a few words that don't belong together.",
        "score": 0
    }


def test_it_waits_for_no_writer(server, client):
    """It changes nothing, so it needs no transaction."""
    with engines.written(server):
        assert judge(client, "purple-monkey-dishwasher-92")["acceptable"]


def test_it_is_for_programs(client):
    problem(client.json("GET", "/auth/strength"), 405, "method_not_allowed")
    answer = client.request("POST", "/auth/strength", json={"password": "x"}, headers={"Accept": "text/html"})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store" and not answer.cookies


def test_not_from_elsewhere(client):
    """CSRF-01"""
    problem(client.json("POST", "/auth/strength", {"password": "x"}, headers={"Sec-Fetch-Site": "cross-site"}), 403, "csrf")
    problem(client.json("POST", "/auth/strength", {"password": "x"}, headers={"Origin": "https://evil.example"}), 403, "csrf")


def test_it_leaves_no_trace(server, client):
    """INV-6"""
    canary = "canary-judged-password-7"
    events = len(server.events())
    for _ in range(60):
        judge(client, canary)
    assert len(server.events()) == events
    for data in [engines.contents(server), *(path.read_bytes() for path in server.folder.glob("logs/*"))]:
        assert canary.encode() not in data


def test_the_page_names_it(client):
    page = Page(client.get("/auth/register"))
    assert page.fields["password"]["data-judge"] == "/auth/strength"
    assert "data-judge" not in page.fields["username"]
