"""/auth/reauth: the password once more, before what a stolen session must not do."""
import time

import pytest
from client import Client, the_form
from pages import Page, problem, refused
from people import PASSWORD, is_signed_in, signed_in

REAUTH = "/auth/reauth"
WANTED = "/dashboard/profile?a=b"


@pytest.fixture
def member(server):
    return signed_in(server)


def grow_stale(member):
    """The password was given half an hour ago."""
    member.server.db(
        "UPDATE session SET auth_time = auth_time - 1800000000 WHERE account_id = ?", member.person.id
    )


def is_fresh(member):
    times = member.json("GET", "/auth/me").json()["session"]
    return times["fresh_until"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def test_a_person(member):
    """SESS-02: goes on with another secret; the old one is dead."""
    grow_stale(member)
    assert not is_fresh(member)
    old = member.cookies["userauth"]
    page = Page(member.get(REAUTH, params={"next": WANTED}))
    assert page.headings == ["Enter your password"]
    assert page.fields["username"]["value"] == member.person.username and "readonly" in page.fields["username"]
    assert page.fields["password"]["autocomplete"] == "current-password"
    answer = member.form(f"{REAUTH}?next=/dashboard/profile%3Fa=b", {"password": PASSWORD}, action=REAUTH)
    assert (answer.status_code, answer.headers["Location"]) == (303, WANTED)
    assert is_fresh(member) and member.cookies["userauth"] != old
    replay = Client(member.server).json("GET", "/dashboard", headers={"Cookie": f"userauth={old}"})
    assert replay.status_code == 401


def test_the_form_whenever_it_is_asked_for(member):
    """Contract 1: GET is the form, with next, also right after a sign-in."""
    for query in ("", "?next=/dashboard/profile%3Fa=b"):
        answer = member.get(REAUTH + query)
        assert answer.status_code == 200 and Page(answer).headings == ["Enter your password"]
    answer = member.form(f"{REAUTH}?next=/dashboard/profile%3Fa=b", {"password": PASSWORD}, action=REAUTH)
    assert (answer.status_code, answer.headers["Location"]) == (303, WANTED)


@pytest.mark.parametrize("query, there", [("", "/dashboard"), ("?next=%2Fx", "/x"), ("?next=//x", "/dashboard"), ("d?next=/x", None)])
def test_a_sign_in_goes_past_it(member, query, there):
    fields = {"login": member.person.username, "password": PASSWORD, "next": REAUTH + query}
    assert Client(member.server).post("/auth/login", fields).headers["Location"] == (there or REAUTH + query)


def test_a_program(member):
    grow_stale(member)
    answer = member.json("POST", REAUTH, {"password": PASSWORD})
    assert answer.status_code == 200 and answer.json() == {"message": "Thank you. You can go on."}
    assert is_fresh(member)
    assert [field["name"] for field in member.json("GET", REAUTH).json()["fields"]] == ["password", "next"]


def test_by_access_token(server, member):
    """A program that holds no cookie."""
    answer = Client(server).json("POST", "/auth/login", {"login": member.person.username, "password": PASSWORD})
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    client = Client(server)
    before = client.json("GET", "/auth/me", headers=headers).json()["session"]["fresh_until"]
    grow_stale(member)
    assert client.json("GET", "/auth/me", headers=headers).json()["session"]["fresh_until"] < before
    assert client.json("POST", REAUTH, {"password": PASSWORD}, headers=headers).status_code == 200
    assert client.json("GET", "/auth/me", headers=headers).json()["session"]["fresh_until"] >= before


def test_a_wrong_password(member):
    grow_stale(member)
    body = problem(member.json("POST", REAUTH, {"password": "wrong"}), 422, "invalid_fields")
    assert set(body["errors"]) == {"password"}
    page = refused(member.form(REAUTH, {"password": "wrong"}, action=REAUTH), 422)
    assert body["errors"]["password"] in page.beside("password")
    assert not is_fresh(member) and is_signed_in(member)
    for _ in range(3):
        member.json("POST", REAUTH, {"password": "wrong"})
    problem(member.json("POST", REAUTH, {"password": PASSWORD}), 429, "account_locked")
    assert is_signed_in(member), "a wait ends no session"


def test_a_stranger_gets_there_in_the_end(server, member):
    client = Client(server)
    answer = client.get(REAUTH, params={"next": WANTED})
    assert answer.headers["Location"].startswith("/auth/login?next=")
    fields = {"login": member.person.username, "password": PASSWORD}
    answer = client.form(answer.headers["Location"], fields)
    while answer.headers["Location"] != WANTED:
        assert answer.headers["Location"].startswith(REAUTH)
        answer = client.follow(answer)
        assert answer.status_code == 303, "asked twice for the password"
    problem(Client(server).json("GET", REAUTH), 401, "login_required")
    problem(Client(server).json("POST", REAUTH, {"password": PASSWORD}), 401, "login_required")


@pytest.mark.parametrize("bad", ["//evil.example", "https://evil.example/", "/\\evil.example", "relative"])
def test_next_is_local(member, bad):
    """RED-01"""
    form = the_form(member.get(REAUTH, params={"next": bad}).text, REAUTH)
    assert "next" not in form["hidden"]
    answer = member.post(REAUTH, {**form["hidden"], "password": PASSWORD, "next": bad})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")


def test_only_from_our_own_page(member):
    """CSRF-01"""
    assert member.post(REAUTH, {"password": PASSWORD}).status_code == 403
    answer = member.form(REAUTH, {"password": PASSWORD}, action=REAUTH, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
