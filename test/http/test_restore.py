"""/auth/restore: the link in the mail about a closed account brings it back, until it is erased."""
import pytest
from client import Client
from mails import read_folder
from moves import link_mail, site_for
from pages import Page, problem, refused
from people import PASSWORD, is_signed_in, signed_in
from server import wait_for

WRONG = "not-the-password-92"
TABLES = ("account", "session", "device", "token", "profile_field", "old_password")


@pytest.fixture(scope="module")
def site(run_folder):
    with site_for(run_folder) as server:
        yield server


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


def closed(server, **kwargs):
    """A client that closed its account; .token is the mailed one's."""
    client = signed_in(server, **kwargs)
    client.session_before = client.cookies["userauth"]
    assert client.json("POST", "/dashboard/close", {"current_password": PASSWORD}).status_code == 200
    client.token = link_mail(server, client.person.email, "restore").token("restore")
    return client


def restore(server, token, password=PASSWORD):
    return Client(server).json("POST", "/auth/restore", {"token": token, "password": password})


def test_a_person_restores_it(site):
    owner = closed(site)
    browser = Client(site, browser=True)
    answer = browser.get(f"/auth/restore?token={owner.token}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/restore")
    page = Page(browser.follow(answer))
    assert page.headings == ["Restore your account"]
    assert page.fields["username"]["value"] == owner.person.username and "readonly" in page.fields["username"]
    page = refused(browser.form("/auth/restore", {"password": WRONG}), 422)
    assert page.beside("password") == "This is no password of the account."
    answer = browser.form("/auth/restore", {"password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login?notice=restored")
    assert Page(browser.follow(answer)).roles == ["Your account is restored. You can log in now."]
    assert browser.form("/auth/login", {"login": owner.person.username, "password": PASSWORD}).status_code == 303
    assert is_signed_in(browser)
    old = Client(site).json("GET", "/dashboard", headers={"Cookie": f"userauth={owner.session_before}"})
    problem(old, 401, "login_required")


def test_once(site):
    """TOK-01, and the owner is told."""
    owner = closed(site)
    assert restore(site, owner.token).json() == {"message": "Your account is restored. You can log in now."}
    problem(restore(site, owner.token), 410, "token_used", "Link has already been used")
    subject = "Your account on Example is restored"
    mail = wait_for(lambda: [m for m in read_folder(site.folder / "mail", owner.person.email) if m.subject == subject], what=subject)
    assert mail[0].token("disown") and owner.person.username in mail[0].text


def test_a_thief_stays_out(site):
    """He changed the password and closed the account: the owner's password opens it again, and his does not."""
    thief = signed_in(site)
    new = "thieves-like-long-passwords-17"
    change = {"current_password": PASSWORD, "password": new}
    assert thief.json("POST", "/dashboard/password", change).status_code == 200
    assert thief.json("POST", "/dashboard/close", {"current_password": new}).status_code == 200
    token = link_mail(site, thief.person.email, "restore").token("restore")
    answer = restore(site, token)
    assert answer.json() == {"message": "Your account is restored. Set a new password to log in."}
    for password in (new, PASSWORD):
        body = {"login": thief.person.username, "password": password}
        problem(Client(site).json("POST", "/auth/login", body), 401, "invalid_credentials")
    assert Client(site).json("POST", "/auth/forgot", {"email": thief.person.email}).status_code == 202
    reset = link_mail(site, thief.person.email, "reset").token("reset")
    owner, owned = Client(site), "quartz-meadow-lantern-58"
    assert owner.json("POST", "/auth/reset", {"token": reset, "password": owned}).status_code == 200
    assert owner.json("POST", "/auth/login", {"login": thief.person.username, "password": owned}).status_code == 200


def test_guesses_are_counted(site):
    owner = closed(site)
    for _ in range(5):
        problem(restore(site, owner.token, WRONG), 422, "invalid_fields")
    problem(restore(site, owner.token), 429, "account_locked")
    assert site.db("SELECT closed FROM account WHERE id = ?", owner.person.id)[0]["closed"] > 0


def test_without_a_good_link(site):
    problem(restore(site, "x"), 400, "token_invalid", "Invalid link")
    page = refused(Client(site).get("/auth/restore"), 400, "Invalid link")
    assert page.links["/auth/login"]


def test_after_its_time(new_server):
    """PRIV-05, RACE-10: expired, then erased by the sweep: no row, no name, no address, no client's address."""
    server = new_server(conf="UserAuthRestoreLifetime 1s\nUserAuthMailLimit off\n")
    owner = closed(server)
    person = owner.person
    look = Client(server)
    wait_for(lambda: look.json("GET", f"/auth/restore?token={owner.token}").status_code == 410, what="the link to expire")
    server.restart()  # a child sweeps when it starts
    wait_for(lambda: not server.db("SELECT id FROM account WHERE id = ?", person.id), what="the erasure")
    wait_for(lambda: server.db("SELECT id FROM event WHERE kind = 'erased' AND account_id = ?", person.id))
    for table in TABLES:
        column = "id" if table == "account" else "account_id"
        assert not server.db(f"SELECT * FROM {table} WHERE {column} = ?", person.id), table
    kept = [tuple(row) for row in server.db("SELECT * FROM event WHERE account_id = ?", person.id)]
    kept += [tuple(row) for row in server.db("SELECT * FROM outbox WHERE account_id = ?", person.id)]
    assert kept
    for trace in (person.username, person.email, person.display_name, owner.address):
        assert trace not in str(kept)
    problem(restore(server, owner.token), 400, "token_invalid")
    body = {"username": person.username, "email": person.email, "password": PASSWORD}
    answer = problem(Client(server).json("POST", "/auth/register", body), 409, "username_taken")
    assert set(answer["errors"]) == {"username"}
