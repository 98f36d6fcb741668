"""/auth/forgot: a link that sets a new password, with one answer for every address; and its limits."""
import pytest
from client import Client
from pages import Page, problem, refused
from people import join, register, sign_in, stranger
from server import Server, wait_for


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthMailLimit off\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def client(site):
    return Client(site)


def forgot(client, email):
    return client.json("POST", "/auth/forgot", {"email": email})


def essence(answer):
    """All that must not differ between addresses."""
    headers = {k: v for k, v in answer.headers.items() if k not in ("Date", "Keep-Alive")}
    return answer.status_code, headers, answer.content


def reset_mails(server, person):
    return [mail for mail in server.mails(person.email) if "/auth/reset?token=" in mail.text]


def test_the_form(client):
    page = Page(client.get("/auth/forgot"))
    assert page.headings == ["Forgot your password?"] and "Send reset link" in page.buttons
    assert page.fields["email"]["inputmode"] == page.fields["email"]["autocomplete"] == "email"
    assert "/auth/login" in page.links
    assert "/auth/forgot" in Page(client.get("/auth/login")).links


def test_a_person(site, client):
    person = join(site)
    answer = client.form("/auth/forgot", {"email": person.email.upper()})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/forgot?notice=reset-sent")
    page = Page(client.follow(answer))
    assert page.roles == ["If this address has an account here, a link to set a new password is on its way."]
    assert person.email not in page.text
    mail = wait_for(lambda: reset_mails(site, person), what="the mail")[0]
    assert mail.subject.startswith("Reset your password") and len(mail.subject) <= 60
    assert f"Hello {person.username}," in mail.text and "Not you?" in mail.text
    assert mail.link("reset").startswith(f"{site.base}/auth/reset?token=")
    assert mail.link("reset") in mail.html


def test_answers_are_alike(site):
    """ENUM-05: known or not, confirmed or not, and in whatever spelling."""
    waiting, done = register(Client(site)), join(site)
    addresses = [waiting.email, done.email, stranger().email, waiting.email.upper(), "someone@bücher.example"]
    programs = [forgot(Client(site, address="203.0.113.50"), email) for email in addresses]
    assert all(essence(answer) == essence(programs[0]) for answer in programs)
    assert programs[0].status_code == 202 and programs[0].json()["message"]
    persons = [Client(site, address="203.0.113.51").post("/auth/forgot", {"email": email}) for email in addresses]
    assert all(essence(answer) == essence(persons[0]) for answer in persons)
    assert persons[0].headers["Location"] == "/auth/forgot?notice=reset-sent"


def test_an_unknown_address_gets_nothing(site, client):
    nobody, person = stranger(), join(site)
    assert forgot(client, nobody.email).status_code == 202
    assert forgot(client, person.email).status_code == 202
    wait_for(lambda: reset_mails(site, person), what="the mail that was asked for later")
    assert not site.mails(nobody.email)


def test_the_mail_goes_to_the_stored_address_only(site, client):
    """UNI-01"""
    person = join(site)
    name = person.email.partition("@")[0]
    for alike in (f"{name.upper()}@EXAMPLE.ORG", f"{name.replace('p', 'ᴘ', 1)}@example.org", f"{name}@exampIe.org"):
        assert forgot(client, alike).status_code in (202, 422)
    forgot(client, person.email)
    wait_for(lambda: len(reset_mails(site, person)) == 2, what="the two mails of the right address")
    assert {mail["To"] for mail in site.mails() if name in str(mail["To"]).lower()} == {person.email}


def test_no_wait_stops_it(site, client):
    person = join(site)
    while client.json("POST", "/auth/login", {"login": person.email, "password": "wrong-password-1"}).status_code == 401:
        pass
    assert forgot(client, person.email).status_code == 202
    wait_for(lambda: reset_mails(site, person), what="the mail")


@pytest.mark.parametrize("email", ["", "nobody", "a@example.org,b@example.org", "a@b.c>\r\nRCPT TO:<evil@x.example"])
def test_a_wrong_address_is_named(client, email):
    body = problem(forgot(client, email), 422, "invalid_fields")
    assert list(body["errors"]) == ["email"]
    page = refused(client.form("/auth/forgot", {"email": email}), 422)
    assert body["errors"]["email"] in page.beside("email")


def test_limits(new_server):
    """Per address alike for who has an account and who has none; a known browser has a count of its own;
    per client address."""
    server = new_server(conf="UserAuthMailLimit 2/1h\nUserAuthRateLimit mail 6/1h\n")
    person, nobody = join(server), stranger()
    known = Client(server)
    sign_in(known, person)
    refusals = {}
    for email in (person.email, nobody.email):
        answers = [forgot(Client(server), email) for _ in range(4)]
        assert answers[0].status_code == 202 and answers[-1].status_code == 429
        refusals[email] = problem(answers[-1], 429, "rate_limited")
        refused(Client(server).form("/auth/forgot", {"email": email}), 429)
    assert refusals[person.email] == refusals[nobody.email]
    assert forgot(known, person.email).status_code == 202, "strangers used up the owner's mails"
    one = Client(server, address="203.0.113.5")
    assert [forgot(one, stranger().email).status_code for _ in range(8)] == [202] * 6 + [429] * 2


@pytest.mark.parametrize("name, value", [("Site", "same-origin"), ("Mode", "navigate"), ("Dest", "document"), ("User", "?1")])
def test_a_browser_needs_the_hidden_field(server, name, value):
    """Contract 4, "Forgery": a form submit that carries Sec-Fetch-*."""
    answer = Client(server).post("/auth/forgot", {"email": "somebody@example.org"}, headers={f"Sec-Fetch-{name}": value})
    assert answer.status_code == 403
