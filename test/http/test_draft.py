"""A form that was sent after its session had ended: it comes back filled in after the sign-in, not sent.

Through a real server, where the gate answers before the handler has read anything."""
import pytest
from client import Client, the_form
from pages import Page
from people import is_signed_in, join, sign_in, signed_in

PROFILE = "/dashboard/profile"
NOTICE = "Your changes are not saved yet. Check them and send them again."
LOGIN = "/auth/login?next=%2Fdashboard%2Fprofile"
TYPED = {"display_name": "Änne & <b>Söhne</b>", "current_password": "Secret-typed-9"}


@pytest.fixture
def member(server):
    client = Client(server, browser=True)
    client.person = join(server)
    log_in(client, client.person)
    return client


def filled_in(member):
    form = the_form(member.get(PROFILE).text, PROFILE)
    return {**form["hidden"], **form["fields"], **TYPED}


def end(member):
    member.server.db("UPDATE session SET ended = 1 WHERE account_id = ?", member.person.id)


def send(member, fields):
    return member.post(PROFILE, fields, headers={"Referer": member.base + PROFILE})


def log_in(client, person, path="/auth/login"):
    answer = client.form(path, {"login": person.username, "password": person.password})
    assert answer.status_code == 303
    return answer


def stored_name(member):
    return member.server.db("SELECT display_name FROM account WHERE id = ?", member.person.id)[0]["display_name"]


def test_comes_back(member):
    fields = filled_in(member)
    end(member)
    answer = send(member, fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, LOGIN)
    cookie = answer.headers["Set-Cookie"]
    assert "userauth-draft=" in cookie and "HttpOnly" in cookie and "Max-Age=600" in cookie
    answer = log_in(member, member.person, answer.headers["Location"])
    assert answer.headers["Location"] == PROFILE
    answer = member.follow(answer)
    page = Page(answer)
    assert page.roles == [NOTICE]
    assert page.typed("display_name") == TYPED["display_name"]
    assert "Secret-typed-9" not in answer.text
    assert stored_name(member) == member.person.display_name, "not sent by itself"
    assert "userauth-draft" not in member.cookies
    again = Page(member.get(PROFILE))
    assert not again.roles and again.typed("display_name") == member.person.display_name


def test_can_be_sent_then(member):
    fields = filled_in(member)
    end(member)
    send(member, fields)
    log_in(member, member.person)
    form = the_form(member.get(PROFILE).text, PROFILE)
    assert send(member, {**form["hidden"], **form["fields"], "current_password": ""}).status_code == 303
    assert stored_name(member) == TYPED["display_name"]


def test_never_to_another_person(member):
    """AUTHZ-01"""
    fields = filled_in(member)
    end(member)
    send(member, fields)
    other = join(member.server)
    log_in(member, other)
    answer = member.get(PROFILE)
    assert not Page(answer).roles and "Söhne" not in answer.text
    assert "userauth-draft" not in member.cookies


def test_another_site_leaves_none(member):
    """CSRF-01: nobody else writes into a form of mine."""
    fields = filled_in(member)
    end(member)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": None, "Origin": "https://evil.example"}):
        answer = member.post(PROFILE, fields, headers=headers)
        assert answer.status_code == 303 and "userauth-draft" not in member.cookies
    member.post(PROFILE, {**fields, "csrf": "x"})
    assert "userauth-draft" not in member.cookies
    member.post(PROFILE, fields)
    assert "userauth-draft" in member.cookies


def test_too_much_is_dropped(member):
    fields = filled_in(member)
    end(member)
    answer = send(member, {**fields, "display_name": "x" * 3000})
    assert (answer.status_code, answer.headers["Location"]) == (303, LOGIN)
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("body, declared", [(b"a=" + b"x" * 70000, True), (b"%ff", True), (b"", True), (b"x" * 70000, False)])
def test_any_body_is_answered(member, body, declared):
    """The gate reads it, bounded, and the connection goes on or ends cleanly."""
    end(member)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = member.post(PROFILE, body if declared else iter([body]), headers=headers)
    assert answer.status_code == 303 and "userauth-draft" not in member.cookies
    assert member.get("/auth/login").status_code == 200


def test_a_live_session_reads_its_body_once(server):
    """What the gate has read, the page gets."""
    client = signed_in(server)
    form = the_form(client.get(PROFILE).text, PROFILE)
    answer = client.post(PROFILE, {**form["hidden"], **form["fields"], "display_name": "Once"})
    assert answer.status_code == 303 and is_signed_in(client)
    name = client.json("GET", PROFILE).json()["display_name"]
    assert name == "Once"
    assert client.json("POST", PROFILE, {"display_name": "x" * 70000}).status_code == 413


def test_a_stranger_leaves_none(server):
    client = Client(server)
    answer = client.post(PROFILE, {"display_name": "x"})
    assert answer.status_code == 303 and "Set-Cookie" not in answer.headers
    person = join(server)
    sign_in(client, person)
    assert Page(client.get(PROFILE)).typed("display_name") == person.display_name
