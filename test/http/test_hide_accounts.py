"""UserAuthHideAccounts on: nobody learns from a registration, or from what comes after it, whether an address
is used; its owner does (ENUM-04, ENUM-05, ENUM-10)."""
import json
import re

import pytest
from client import Client
from pages import problem
from people import PASSWORD, Person, confirm, fields_of, join, letter, sign_in, signed_in, stranger
from server import Server, wait_for


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthHideAccounts on\nUserAuthRateLimit register off\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def pair(site):
    """Two who register, each in an own browser: with a free address, and with that of .owner."""
    owner = join(site)
    site.wait_mail(owner.email, 2)
    free, used = stranger(), stranger()
    used.email = owner.email
    made = [(Client(site), free), (Client(site), used)]
    for client, person in made:
        client.owner = owner
        # past the limit of mails, which the owner's own registration began
        site.db("DELETE FROM throttle WHERE name LIKE 'mail%'")
    return made


def neutral(answer, person):
    """An answer without what differs between two people."""
    text = f"{answer.status_code} {answer.headers.get('Location')}\n"
    for name, value in sorted(answer.headers.items()):
        if name not in ("Date", "Content-Length", "Keep-Alive", "Set-Cookie"):
            text += f"{name}: {value}\n"
    text += re.sub(r"=[^;]*", "=*", answer.headers.get("Set-Cookie", ""), count=1) + "\n" + answer.text
    for own in (person.email, person.username, person.display_name):
        text = text.replace(own, "?")
    text = re.sub(r'name="csrf" value="[^"]*"', "", text)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "(id)", text)


WAIT = re.compile(r"(?<=in )(\d+) (second|minute)s?\b|(?<=Retry-After: )(\d+)")


def waits(text):
    """How long it tells to wait, in seconds, in words and in the header."""
    return [int(number or header) * (60 if unit == "minute" else 1) for number, unit, header in WAIT.findall(text)]


def alike(pair, step):
    """A wait may be a moment longer for the second of them, who began and asks a moment later."""
    answers = [step(client, person) for client, person in pair]
    texts = [neutral(answer, person) for answer, (_, person) in zip(answers, pair)]
    assert WAIT.sub("(wait)", texts[0]) == WAIT.sub("(wait)", texts[1])
    assert all(abs(one - other) <= 3 for one, other in zip(waits(texts[0]), waits(texts[1])))
    return answers[0]


def test_programs_are_answered_alike(pair):
    answer = alike(pair, lambda c, p: c.json("POST", "/auth/register", fields_of(p)))
    assert answer.status_code == 201 and list(answer.json()) == ["mail", "user", "message"]
    assert alike(pair, lambda c, p: c.json("POST", "/auth/login", {"login": p.username, "password": p.password})).status_code == 403
    assert alike(pair, lambda c, p: c.json("POST", "/auth/login", {"login": p.email, "password": "x" * 9})).status_code == 401
    assert alike(pair, lambda c, p: c.json("POST", "/auth/resend", {"email": p.email})).status_code == 429
    assert alike(pair, lambda c, p: c.json("POST", "/auth/verify", {"code": "00000000"})).status_code == 422


def test_browsers_are_answered_alike(site, pair):
    answer = alike(pair, lambda c, p: c.form("/auth/register", fields_of(p)))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/check-email")
    for client, _ in pair:
        wait_for(lambda c=client: c.json("GET", "/auth/check-email").json()["mail"] == "sent", what="the mail to be sent")
    page = alike(pair, lambda c, p: c.get("/auth/check-email"))
    assert "We sent an email to" in page.text and 'name="code"' in page.text
    moved = alike(pair, lambda c, p: c.form("/auth/check-email", {"email": p.username + "@example.net"}, action="/auth/check-email"))
    assert moved.status_code == 303


def lift(site):
    """Past the limit of mails."""
    site.db("DELETE FROM throttle WHERE name LIKE 'mail%'")


def wait_until_sent(site, pair):
    for client, _ in pair:
        wait_for(lambda c=client: c.json("GET", "/auth/check-email").json()["mail"] == "sent", what="the mail to be sent")
    wait_for(lambda: not site.db("SELECT id FROM outbox WHERE state = 0"), what="every mail to be sent")


def test_a_stranger_s_resend_does_not_show(site, pair):
    """Nor does it bring new tries of the code."""
    alike(pair, lambda c, p: c.json("POST", "/auth/register", fields_of(p)))
    wait_until_sent(site, pair)
    for _ in range(3):
        assert alike(pair, lambda c, p: c.json("POST", "/auth/verify", {"code": "00000000"})).status_code == 422
    lift(site)
    assert alike(pair, lambda c, p: Client(site).json("POST", "/auth/resend", {"email": p.email})).status_code == 202
    assert alike(pair, lambda c, p: c.json("GET", "/auth/check-email")).json()["mail"] == "sent"
    assert "1 more try" in alike(pair, lambda c, p: c.json("POST", "/auth/verify", {"code": "00000000"})).text


def test_a_corrected_account_has_no_past(site, pair):
    """What strangers did at the first address, and what was mailed there."""
    alike(pair, lambda c, p: c.json("POST", "/auth/register", fields_of(p)))
    wait_until_sent(site, pair)
    lift(site)
    for _, person in pair:
        assert Client(site).json("POST", "/auth/resend", {"email": person.email}).status_code == 202
        assert Client(site).json("POST", "/auth/login", {"login": person.email, "password": "x" * 9}).status_code == 401
    found = []
    for client, person in pair:
        before, person.email = person.email, person.username + "@example.net"
        assert client.json("POST", "/auth/check-email", {"email": person.email}).status_code == 200
        confirm(client, letter(site, person).token("verify"))
        sign_in(client, person)
        past = client.get("/dashboard/export")
        assert before not in past.text
        past = past.json()
        events = client.json("GET", "/dashboard/activity").json()["events"]
        found.append([sorted(kinds) for kinds in (
            [event["event"] for event in events], [event["event"] for event in past["events"]],
            [mail["mail"] for mail in past["mails"]], [link["purpose"] for link in past["links"]])])
    assert found[0] == found[1]


def test_a_change_of_address_is_stored_alike(site):
    """ENUM-08"""
    owner, stored = join(site), []
    for email in (stranger().email, owner.email):
        member = signed_in(site)
        site.db("DELETE FROM throttle")  # nobody has asked for a mail yet
        answer = member.json("POST", "/dashboard/profile", {"email": email})
        assert answer.status_code == 200, answer.text
        mails = [mail for mail in member.get("/dashboard/export").json()["mails"] if mail["mail"] == "email"]
        stored.append([(mail["to"] == email, sorted(json.loads(mail["detail"]))) for mail in mails])
    assert stored[0] == stored[1] and len(stored[0]) == 1
    assert wait_for(lambda: [mail for mail in site.mails(owner.email) if mail.subject == "Someone tried to use your email"], what="the owner's mail")


def test_the_owner_hears_of_it(site, pair):
    """UNI-01: at the address as it is stored, whatever was typed; and nothing typed is told."""
    client, person = pair[1]
    owner = client.owner
    person.email = owner.email.replace("person", "Person")
    assert person.email != owner.email
    before = tuple(site.db("SELECT * FROM account WHERE id = ?", owner.id)[0])
    assert client.json("POST", "/auth/register", fields_of(person)).status_code == 201
    mail = site.wait_mail(owner.email, 3)
    assert mail.to == owner.email and mail.subject == "Someone tried to register with your email"
    assert owner.username in mail.text and person.username not in mail.text and person.display_name not in mail.text
    assert "token=" not in mail.text
    assert tuple(site.db("SELECT * FROM account WHERE id = ?", owner.id)[0]) == before
    sign_in(Client(site), owner)


def test_a_username_is_public(site, pair):
    """ENUM-10: and held by either registration."""
    for client, person in pair:
        assert client.json("POST", "/auth/register", fields_of(person)).status_code == 201
    again = alike(pair, lambda c, p: c.json("POST", "/auth/register", {**fields_of(p), "email": "third@example.org"}))
    assert problem(again, 409, "username_taken", "Username already in use")["errors"] == {"username": "Username already in use"}
    taken = Person(pair[0][0].owner.username, pair[0][0].owner.email, "x")
    answer = Client(site).json("POST", "/auth/register", fields_of(taken))
    assert "email" not in problem(answer, 409, "username_taken")["errors"]


def test_either_costs_a_hash(site):
    """ENUM-05: no timing is asserted here, but each registration has a hash of its own."""
    owner = join(site)
    for _ in range(3):
        person = stranger()
        person.email = owner.email
        assert Client(site).json("POST", "/auth/register", fields_of(person)).status_code == 201
    assert site.db("SELECT COUNT(DISTINCT password_hash) FROM account WHERE email = ?", owner.email)[0][0] == 4


def test_without_it_an_address_in_use_is_said(new_server):
    server = new_server()
    person = join(server)
    answer = Client(server).json("POST", "/auth/register", {**fields_of(stranger()), "email": person.email, "password": PASSWORD})
    problem(answer, 409, "email_in_use", "Email already in use")
