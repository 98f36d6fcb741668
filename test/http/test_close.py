"""/dashboard/close: a person closes the account, and at once it is nobody's."""
import pytest
from client import Client
from moves import link_mail, site_for
from pages import Page, problem, refused
from people import PASSWORD, fields_of, is_signed_in, join, signed_in, stranger

CLOSE = "/dashboard/close"
WRONG = "not-the-password-92"


@pytest.fixture(scope="module")
def site(run_folder):
    with site_for(run_folder) as server:
        yield server


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


def close(client, password=PASSWORD):
    return client.json("POST", CLOSE, {"current_password": password})


def test_a_person_closes_it(site):
    person, browser = join(site), Client(site, browser=True)
    assert browser.form("/auth/login", {"login": person.username, "password": PASSWORD}).status_code == 303
    page = Page(browser.get(CLOSE))
    assert page.headings == ["Close your account"] and "For 7 days you can bring it back" in page.text
    assert "Close my account" in page.buttons and page.links["/dashboard/export"]
    page = refused(browser.form(CLOSE, {"current_password": WRONG}, action=CLOSE), 422)
    assert page.beside("current_password") == "This is not your password."
    answer = browser.form(CLOSE, {"current_password": PASSWORD}, action=CLOSE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login?notice=closed")
    assert "userauth" not in browser.cookies
    assert "Your account is closed." in Page(browser.follow(answer)).roles[0]
    mail = link_mail(site, person.email, "restore")
    assert mail.subject == "Your account on Example is closed"
    assert person.username in mail.text and mail.link("restore") in mail.html


def test_everything_ends(site):
    """SESS-03: every session, cookie and token at once; the answer is that for an unknown name."""
    first = signed_in(site)
    person = first.person
    second, program = signed_in(site, person), Client(site)
    tokens = program.json("POST", "/auth/login", {"login": person.email, "password": PASSWORD}).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert Client(site).json("GET", "/auth/me", headers=bearer).status_code == 200
    answer = close(second)
    assert answer.status_code == 200 and "closed" in answer.json()["message"]
    assert not is_signed_in(first) and not is_signed_in(second) and not is_signed_in(program)
    problem(Client(site).json("GET", "/auth/me", headers=bearer), 401, "login_required")
    problem(Client(site).json("POST", "/auth/token", {"refresh_token": tokens["refresh_token"]}), 401, "login_required")
    unknown = Client(site).json("POST", "/auth/login", {"login": stranger().email, "password": PASSWORD})
    for login in (person.email, person.username):
        again = Client(site).json("POST", "/auth/login", {"login": login, "password": PASSWORD})
        assert (again.status_code, again.text) == (unknown.status_code, unknown.text)


def test_name_and_address_are_held(site):
    client = signed_in(site)
    person = client.person
    assert close(client).status_code == 200
    other = stranger()
    other.username, other.email = person.username.upper(), person.email
    body = problem(Client(site).json("POST", "/auth/register", fields_of(other)), 409, "email_in_use")
    assert set(body["errors"]) == {"username", "email"}
    reader = signed_in(site)
    problem(reader.json("GET", f"/dashboard/members/{person.username}"), 404, "not_found")
    assert reader.get("/dashboard/members", params={"q": person.username},
                      headers={"Accept": "application/json"}).json()["members"] == []


def test_forgot_leads_back(site):
    """Who lost the mail gets another one; it restores, and sets no password."""
    client = signed_in(site)
    assert close(client).status_code == 200
    link_mail(site, client.person.email, "restore")
    assert Client(site).json("POST", "/auth/forgot", {"email": client.person.email}).status_code == 202
    mail = link_mail(site, client.person.email, "restore", count=2)
    assert "/auth/reset" not in mail.text


def test_guesses_are_counted(site):
    client = signed_in(site)
    for _ in range(5):
        problem(close(client, WRONG), 422, "invalid_fields")
    problem(close(client), 429, "account_locked")
    assert is_signed_in(client)
