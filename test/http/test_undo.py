"""/auth/undo: the owner of an address takes the account back from whoever moved it away."""
import pytest
from client import Client
from mails import read_folder
from moves import address_of, link_mail, move, site_for
from pages import Page, problem, refused
from people import PASSWORD, is_signed_in, signed_in, stranger
from server import wait_for

TOLD = "The change of your email was undone"
WRONG = "not-the-password-92"


@pytest.fixture(scope="module")
def site(run_folder):
    with site_for(run_folder) as server:
        yield server


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def thief(site):
    """A Client signed in to an account that it moved to .new; .person is the owner, .token the owner's link."""
    client = signed_in(site)
    client.new = stranger("thief").email
    move(site, client, client.new)
    client.token = link_mail(site, client.person.email, "undo").token("undo")
    return client


def undo(site, token, password=PASSWORD):
    return Client(site).json("POST", "/auth/undo", {"token": token, "password": password})


def test_a_person_undoes_it(site, thief):
    browser = Client(site, browser=True)
    answer = browser.get(f"/auth/undo?token={thief.token}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/undo")
    page = Page(browser.follow(answer))
    assert page.headings == ["Bring your address back"]
    assert page.fields["username"]["value"] == thief.person.username and "readonly" in page.fields["username"]
    page = refused(browser.form("/auth/undo", {"password": WRONG}), 422)
    assert "This is no password of the account." in page.beside("password")
    answer = browser.form("/auth/undo", {"password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login?notice=email-undone")
    assert Page(browser.follow(answer)).roles == ["Your old email address is back. Set a new password to log in."]
    assert address_of(site, thief.person) == thief.person.email


def test_everybody_is_out(site, thief):
    """INV-5: no session, no password, and the link is used up; both addresses are told."""
    assert undo(site, thief.token).status_code == 200
    assert not is_signed_in(thief)
    for login in (thief.person.email, thief.person.username, thief.new):
        problem(Client(site).json("POST", "/auth/login", {"login": login, "password": PASSWORD}), 401, "invalid_credentials")
    problem(undo(site, thief.token), 410, "token_used")
    for email in (thief.person.email, thief.new):
        told = wait_for(lambda: [m for m in read_folder(site.folder / "mail", email) if m.subject == TOLD], what=TOLD)
        assert thief.person.email in told[-1].text


def test_the_first_link_wins(site, thief):
    """Moved again, and undone by the thief himself: the owner's link still works, and ends his."""
    first_move = thief.token
    other = stranger("thief2").email
    move(site, thief, other)
    second = link_mail(site, thief.new, "undo").token("undo")
    assert undo(site, second).status_code == 200
    assert address_of(site, thief.person) == thief.new
    assert undo(site, first_move).status_code == 200
    assert address_of(site, thief.person) == thief.person.email


def test_the_last_link_is_ended_by_the_first(site, thief):
    move(site, thief, stranger("thief2").email)
    second = link_mail(site, thief.new, "undo").token("undo")
    assert undo(site, thief.token).status_code == 200
    assert undo(site, second).status_code in (400, 410)
    assert address_of(site, thief.person) == thief.person.email


def test_a_closed_account_opens(site, thief):
    """As a thief closes it: no sign-in, no session."""
    site.db("UPDATE account SET enabled = 0, closed = 1 WHERE id = ?", thief.person.id)
    assert undo(site, thief.token).status_code == 200
    row = site.db("SELECT enabled, closed, email FROM account WHERE id = ?", thief.person.id)[0]
    assert (row["enabled"], row["closed"], row["email"]) == (1, 0, thief.person.email)


def test_failures_of_others_are_no_obstacle(site, thief):
    """Sign-ins that fail on purpose lock the name, not the way back."""
    for _ in range(6):
        Client(site).json("POST", "/auth/login", {"login": thief.person.username, "password": WRONG})
    problem(Client(site).json("POST", "/auth/login", {"login": thief.person.username, "password": PASSWORD}), 429, "account_locked")
    assert undo(site, thief.token).status_code == 200


def test_guesses_are_counted(site, thief):
    for _ in range(5):
        problem(undo(site, thief.token, WRONG), 422, "invalid_fields")
    body = problem(undo(site, thief.token), 429, "account_locked")
    assert "Please try again in" in body["detail"] and body["links"]["reset"] == "/auth/forgot"
    assert address_of(site, thief.person) == thief.new


def test_without_a_good_link(site):
    problem(undo(site, "x"), 400, "token_invalid", "Invalid link")
    refused(Client(site).get("/auth/undo"), 400, "Invalid link")
