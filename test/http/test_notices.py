"""What a person hears by mail without asking: the welcome, a new browser, failed sign-ins; and the way out
that each of them offers."""
import os
import threading

import pytest
from client import Client
from pages import Page, problem, refused
from people import is_signed_in, join, letter, sign_in, signed_in
from server import Server, wait_for

@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthRateLimit login off\nUserAuthRateLimit token off\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


def mails_named(site, person, subject):
    return [mail for mail in site.mails(person.email) if mail.subject.startswith(subject)]


def wait_named(site, person, subject, n=1):
    return wait_for(lambda: mails_named(site, person, subject)[n - 1 : n], what=f"a mail {subject}")[0]


def queued(site, person, kind):
    return site.db("SELECT COUNT(*) FROM outbox WHERE kind = ? AND account_id = ?", kind, person.id)[0][0]


def fail(site, person, times, client=None):
    client = client or Client(site)
    for _ in range(times):
        assert client.json("POST", "/auth/login", {"login": person.username, "password": "wrong-1"}).status_code == 401


def test_a_welcome_after_the_confirmation(site):
    person = join(site)
    mail = letter(site, person, 2)
    assert mail.subject == "Welcome to Example"
    assert f"{site.base}/auth/login" in mail.text and "token=" not in mail.text
    assert person.display_name not in mail.text


def test_a_new_browser_is_told_of(site):
    person = join(site)
    first = signed_in(site, person)
    assert queued(site, person, "new-device") == 0, "the first sign-in is no news"
    first.json("POST", "/auth/logout", {})
    sign_in(first, person)
    assert queued(site, person, "new-device") == 0, "nor is a known browser"
    second = Client(site, address="203.0.113.23")
    second.session.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    sign_in(second, person)
    mail = wait_named(site, person, "New sign-in to Example")
    assert "203.0.113.23" in mail.text and "Firefox" in mail.text
    assert mail["Auto-Submitted"] == "auto-generated" and "<img" not in mail.html  # MAIL-12
    sign_in(Client(site), person)
    assert queued(site, person, "new-device") == 1, "one a day"


def test_failed_sign_ins_are_told_of_once(site):
    """BF-05: strangers can't lock the owner out of a browser he used, or of a reset."""
    person = join(site)
    own = signed_in(site, person)
    own.json("POST", "/auth/logout", {})
    fail(site, person, 5)
    problem(Client(site).json("POST", "/auth/login", {"login": person.username, "password": person.password}), 429, "account_locked")
    mail = wait_named(site, person, "Failed sign-ins to Example")
    assert f"{site.base}/auth/forgot" in mail.text and mail.token("disown")
    sign_in(own, person)
    assert queued(site, person, "locked") == 1


def test_parallel_failures_are_one_episode(site):
    person = join(site)
    clients = [Client(site) for _ in range(16)]
    threads = [
        threading.Thread(target=lambda c=c: c.json("POST", "/auth/login", {"login": person.username, "password": "wrong-1"}))
        for c in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queued(site, person, "locked") == 1
    events = [line for line in site.events() if f'"account":"{person.id}"' in line]
    failed = sum('"login_failed"' in line for line in events)
    assert 5 <= failed <= 4 + os.cpu_count(), "what waits is not tried, but for what had its hash slot already"
    assert sum('"login_wait"' in line for line in events) == failed - 4  # INV-10


def test_a_name_nobody_has_costs_the_same_rows(site):
    """ENUM-02"""
    fail(site, join(site), 4)
    known = join(site)
    site.wait_mail(known.email, 2)

    def grown(login):
        client, sizes = Client(site), []
        for _ in range(2):
            sizes.append([site.db(f"SELECT COUNT(*) FROM {t}")[0][0] for t in ("token", "outbox", "event", "throttle")])
            for _ in range(5 if len(sizes) == 1 else 0):
                client.json("POST", "/auth/login", {"login": login, "password": "wrong-1"})
        return [after - before for before, after in zip(*sizes)]

    assert grown(known.username) == grown("nobody-has-this-name") == [1, 1, 6, 2]


def test_this_was_not_me(site):
    """One button: nobody is signed in, no password works, the address stays."""
    person = join(site)
    thief = [signed_in(site, person) for _ in range(3)]
    api = Client(site).json("POST", "/auth/login", {"login": person.username, "password": person.password}).json()
    token = wait_named(site, person, "New sign-in").token("disown")
    owner = Client(site, browser=True)
    page = Page(owner.follow(owner.get(f"/auth/disown?token={token}")))
    assert page.headings == ["This wasn't me"] and page.buttons == ["Sign everybody out"]
    assert all(is_signed_in(client) for client in thief), "opening it changes nothing"
    done = owner.form("/auth/disown", {}, action="/auth/disown")
    assert done.status_code == 200 and Page(done).headings == ["Everybody is signed out"]
    assert not any(is_signed_in(client) for client in thief)
    bearer = {"Authorization": f"Bearer {api['access_token']}"}
    assert Client(site).json("GET", "/dashboard", headers=bearer).status_code == 401
    assert Client(site).json("POST", "/auth/token", {"refresh_token": api["refresh_token"]}).status_code == 401
    problem(
        Client(site).json("POST", "/auth/login", {"login": person.username, "password": person.password}), 401,
        "invalid_credentials"
    )
    mail = wait_named(site, person, "Your account on Example is locked")
    assert f"{site.base}/auth/forgot" in mail.text and "token=" not in mail.text
    assert site.db("SELECT email FROM account WHERE id = ?", person.id)[0][0] == person.email
    refused(Client(site).get(f"/auth/disown?token={token}"), 410, "Link has already been used")
    assert sum('"disowned"' in line and person.id in line for line in site.events()) == 1


def test_many_buttons_at_once(site):
    """RACE-01, INV-1"""
    person = join(site)
    for _ in range(2):
        signed_in(site, person)
    token = wait_named(site, person, "New sign-in").token("disown")
    answers = []
    threads = [
        threading.Thread(target=lambda c=c: answers.append(c.json("POST", "/auth/disown", {"token": token}).status_code))
        for c in [Client(site) for _ in range(32)]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [410] * 31
    assert queued(site, person, "disowned") == 1
