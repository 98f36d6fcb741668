"""/auth/email: the link to a new address moves the account there, by a button only, and tells both addresses."""
import pytest
from client import Client
from moves import PROFILE, address_of, ask, link_mail, move, site_for
from pages import Page, problem, refused
from people import is_signed_in, register, signed_in, stranger


@pytest.fixture(scope="module")
def site(run_folder):
    with site_for(run_folder) as server:
        yield server


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def person(site):
    """A Client that is signed in and asked for the address .new; .token is its link's."""
    client = signed_in(site)
    client.new = stranger("new").email
    ask(client, client.new)
    client.token = link_mail(site, client.new, "email").token("email")
    return client


def test_a_person_opens_it(site, person):
    """As a browser does: the token leaves the address bar, a button posts it."""
    browser = Client(site, browser=True)
    answer = browser.get(f"/auth/email?token={person.token}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/email")
    page = Page(browser.follow(answer))
    assert page.headings == ["Confirm your new email address"]
    assert person.new in page.text and person.person.username in page.text
    answer = browser.form("/auth/email", {})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login?notice=email-changed")
    assert Page(browser.follow(answer)).roles == ["Your email address is changed."]
    assert address_of(site, person.person) == person.new
    refused(browser.post("/auth/email", {"token": person.token}, headers={"Sec-Fetch-Site": None}), 403)


def test_the_same_browser_stays_signed_in(site, person):
    """SESS-02: with another secret."""
    before = person.cookies["userauth"]
    answer = person.form(f"/auth/email?token={person.token}", {}, action="/auth/email")
    assert (answer.status_code, answer.headers["Location"]) == (303, PROFILE + "?notice=email-changed")
    assert Page(person.follow(answer)).typed("email") == person.new
    assert person.cookies["userauth"] != before
    assert not is_signed_in_with(site, before)


def test_a_link_that_is_over_offers_a_way_on(site, person):
    """Contract 2: "log in / request again"."""
    link = f"/auth/email?token={person.token}"
    for path in ("/auth/email", link[:-1] + ("A" if link[-1] != "A" else "B")):
        assert problem(person.json("GET", path), 400, "token_invalid")["links"] == {"profile": PROFILE}
    site.db("UPDATE token SET expires = 1 WHERE id = ?", person.token.split(".")[0])
    assert problem(person.json("GET", link), 410, "token_expired")["links"] == {"profile": PROFILE}
    assert Page(person.get(link)).links[PROFILE]
    site.db("UPDATE token SET state = 1 WHERE id = ?", person.token.split(".")[0])
    assert problem(person.json("GET", link), 410, "token_used")["links"] == {"login": "/auth/login"}


def test_a_used_undo_link_offers_a_way_on(site, person):
    move(site, person, stranger("newer").email)
    body = {"token": link_mail(site, person.person.email, "undo").token("undo"), "password": person.person.password}
    assert person.json("POST", "/auth/undo", body).status_code == 200
    assert problem(person.json("POST", "/auth/undo", body), 410, "token_used")["links"] == {"reset": "/auth/forgot"}


def is_signed_in_with(site, cookie):
    other = Client(site)
    other.session.cookies.set("userauth", cookie)
    return is_signed_in(other)


def test_no_get_changes_anything(site, person):
    """TOK-11"""
    for client in (Client(site, address="127.0.0.1"), person):
        for method in ("GET", "HEAD", "OPTIONS"):
            assert client.request(method, f"/auth/email?token={person.token}").status_code in (200, 204)
    assert address_of(site, person.person) == person.person.email


def test_once(site, person):
    """TOK-01"""
    post = lambda: Client(site).json("POST", "/auth/email", {"token": person.token})
    assert post().json() == {"message": "Your email address is changed."}
    problem(post(), 410, "token_used", "Link has already been used")
    problem(Client(site).json("POST", "/auth/email", {}), 400, "token_invalid", "Invalid link")


def test_both_are_told(site, person):
    """MAIL-15"""
    move(site, person, stranger("other").email)
    mail = link_mail(site, person.person.email, "undo")
    assert mail.subject == "Your email on Example was changed"
    assert "This wasn't you? Open this link within 7 days" in mail.text
    assert mail.html.count(mail.link("undo")) >= 1


def test_the_old_address_is_kept(site, person):
    """Nobody else gets it for seven days; the owner may go back."""
    move(site, person, person.new)
    old, other = person.person, signed_in(site)
    problem(other.json("POST", PROFILE, {"email": old.email}), 409, "email_in_use")
    fields = {"username": stranger().username, "email": old.email, "password": old.password}
    problem(Client(site).json("POST", "/auth/register", fields), 409, "email_in_use")
    ask(person, old.email)
    mail = link_mail(site, old.email, "email")
    assert person.json("POST", "/auth/email", {"token": mail.token("email")}).status_code == 200
    assert address_of(site, old) == old.email


def test_bound_to_its_address(site, person):
    """RACE-04, TOK-07: a link for one address never confirms another."""
    ask(person, stranger("victim").email)
    problem(Client(site).json("POST", "/auth/email", {"token": person.token}), 400, "token_invalid")
    ask(person, person.new)
    problem(Client(site).json("POST", "/auth/email", {"token": person.token}), 400, "token_invalid")
    assert address_of(site, person.person) == person.person.email


def test_bound_to_its_account(site, person):
    """TOK-06: whoever is signed in, it is the asker's address."""
    other = signed_in(site)
    answer = other.json("POST", "/auth/email", {"token": person.token, "id": other.person.id})
    assert answer.status_code == 200
    assert address_of(site, other.person) == other.person.email
    assert address_of(site, person.person) == person.new


def test_taken_meanwhile(site, person):
    joined = stranger()
    joined.email = person.new
    register(Client(site), joined)
    problem(Client(site).json("POST", "/auth/email", {"token": person.token}), 409, "email_in_use", "Email already in use")
    assert address_of(site, person.person) == person.person.email
