"""The 8 digits in the verification mail, for who reads it on another device than the one that registered."""
import threading

import pytest
from client import Client, the_form
from pages import Page, problem
from people import fields_of, link_token, register, sign_in, stranger
from server import Server, wait_for


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthMailLimit off\nUserAuthRateLimit token off\nUserAuthVerifyOnGet browser\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def client(site):
    """The browser that registered; .person, and .code from the mail."""
    client = Client(site, browser=True)
    client.person = stranger()
    assert client.form("/auth/register", fields_of(client.person)).status_code == 303
    client.code = site.wait_mail(client.person.email).code
    return client


def other_code(code, step=1):
    return f"{(int(code) + step) % 10**8:08d}"


def is_confirmed(site, person):
    return site.db("SELECT enabled FROM account WHERE username = ?", person.username)[0]["enabled"] == 1


def test_as_a_person_types_it(site, client):
    page = Page(client.get("/auth/check-email"))
    field = page.fields["code"]
    assert field["autocomplete"] == "one-time-code" and field["inputmode"] == "numeric"
    assert page.ids["h-code"] and field["aria-describedby"] == "h-code"
    answer = client.form("/auth/check-email", {"code": f"{client.code[:4]} {client.code[4:]}"}, action="/auth/verify")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login?notice=verified")
    assert "Your email address is verified. You can log in now." in Page(client.follow(answer)).text
    sign_in(Client(site), client.person)


def test_a_wrong_one_comes_back_beside_the_field(site, client):
    answer = client.form("/auth/check-email", {"code": other_code(client.code)}, action="/auth/verify")
    assert answer.status_code == 422
    page = Page(answer)
    assert page.ids["e-code"] == "This code is not right. You have 4 more tries."
    assert page.fields["code"]["aria-invalid"] == "true" and page.fields["code"]["inputmode"] == "numeric"
    assert page.headings == ["Confirm your email address"] and client.person.email in page.text
    form = the_form(answer.text, "/auth/verify")
    done = client.post("/auth/verify", {**form["hidden"], "code": client.code})
    assert done.status_code == 303 and is_confirmed(site, client.person)


def test_five_tries_then_the_link(site, client):
    texts = []
    for step in range(1, 7):
        answer = client.json("POST", "/auth/verify", {"code": other_code(client.code, step)})
        texts.append(problem(answer, 422, "invalid_fields")["errors"]["code"])
    assert texts[4:] == [
        "This code is not right. Use the link in the email, or ask for a new email.",
        "Too many wrong codes. Use the link in the email, or ask for a new email.",
    ]
    assert client.json("POST", "/auth/verify", {"code": client.code}).status_code == 422
    token = site.wait_mail(client.person.email).token("verify")
    assert Client(site).json("POST", "/auth/verify", {"token": token}).status_code == 200


def test_only_where_it_was_asked_for(site, client):
    """INV-2"""
    elsewhere = Client(site)
    problem(elsewhere.json("POST", "/auth/verify", {"code": client.code}), 400, "token_invalid", "Invalid verification link")
    register(elsewhere)
    problem(elsewhere.json("POST", "/auth/verify", {"code": client.code}), 422, "invalid_fields")
    assert not is_confirmed(site, client.person)


def test_many_at_once(site, client):
    """RACE-01, INV-1: of 24 right ones one confirms; five tries are five, however parallel."""
    answers = []

    def send(code):
        answers.append(twin(site, client).json("POST", "/auth/verify", {"code": code}).status_code)

    wrong = [threading.Thread(target=send, args=[other_code(client.code, n)]) for n in range(1, 13)]
    for thread in wrong:
        thread.start()
    for thread in wrong:
        thread.join()
    assert answers == [422] * 12
    events = [line for line in site.events() if '"detail":"code"' in line and account_id(site, client.person) in line]
    assert len(events) == 12
    client.json("POST", "/auth/resend", {"email": client.person.email})
    link_token(site, client.person.email, "verify", after=1)
    client.code = site.wait_mail(client.person.email, 2).code
    answers.clear()
    right = [threading.Thread(target=send, args=[client.code]) for _ in range(24)]
    for thread in right:
        thread.start()
    for thread in right:
        thread.join()
    assert sorted(answers) == [200] + [410] * 23
    wait_for(lambda: len([m for m in site.mails(client.person.email) if m.subject.startswith("Welcome")]) == 1)
    assert site.db("SELECT COUNT(*) FROM event WHERE kind = 'verified' AND account_id = ?", account_id(site, client.person))[0][0] == 1


def twin(site, client):
    """The same browser in another tab: its cookies."""
    other = Client(site)
    other.session.cookies.update(client.session.cookies)
    return other


def account_id(site, person):
    return site.db("SELECT id FROM account WHERE username = ?", person.username)[0]["id"]
