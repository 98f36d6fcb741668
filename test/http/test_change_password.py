"""/dashboard/password: another password with the present one; what was issued before ends."""
import pytest
from client import Client
from pages import Page, problem, refused
from people import PASSWORD, is_signed_in, join, sign_in
from server import Server, wait_for

NEW = "seven-quiet-otters-paint-12"
PAGE = "/dashboard/password"


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthMailLimit off\nUserAuthRateLimit login off\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def own(site):
    """A signed-in person's browser."""
    client = Client(site, browser=True)
    client.person = join(site)
    assert client.form("/auth/login", {"login": client.person.username, "password": PASSWORD}).status_code == 303
    return client


def change(client, present=PASSWORD, password=NEW):
    return client.form(PAGE, {"current_password": present, "password": password}, action=PAGE)


def log_in(server, person, password):
    return Client(server).json("POST", "/auth/login", {"login": person.username, "password": password})


def test_the_page(own):
    page = Page(own.get(PAGE))
    assert page.headings == ["Change your password"]
    assert page.fields["username"]["value"] == own.person.username and "readonly" in page.fields["username"]
    assert page.fields["username"]["autocomplete"] == "username"
    assert page.fields["current_password"]["autocomplete"] == "current-password"
    assert page.fields["password"]["autocomplete"] == "new-password"
    well_known = own.get("/.well-known/change-password")
    assert (well_known.status_code, well_known.headers["Location"]) == (302, PAGE)


def test_a_person(site, own):
    """SESS-02, SESS-06: a new session here, none elsewhere."""
    before = own.cookies["userauth"]
    elsewhere = Client(site)
    sign_in(elsewhere, own.person)
    answer = change(own)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard?notice=password-changed")
    assert Page(own.follow(answer)).roles == ["Your password is changed."]
    assert own.cookies["userauth"] != before
    assert not is_signed_in(elsewhere)
    stolen = {"Cookie": f"userauth={before}", "Accept": "application/json"}
    assert Client(site).get("/dashboard", headers=stolen).status_code == 401
    assert log_in(site, own.person, PASSWORD).status_code == 401
    assert log_in(site, own.person, NEW).status_code == 200


def test_the_notice_helps_who_did_not_do_it(site, own):
    change(own)

    def found():
        return [mail for mail in site.mails(own.person.email) if "/auth/disown?token=" in mail.text and "changed" in mail.subject]

    mail = wait_for(found, what="the notice")[0]
    answer = Client(site).json("POST", "/auth/disown", {"token": mail.token("disown")})
    assert answer.status_code == 200
    assert not is_signed_in(own)
    assert log_in(site, own.person, NEW).status_code == 401


def test_a_program(site):
    """INV-5: its old tokens end, and it goes on with those of the answer."""
    person, client = join(site), Client(site)
    old = client.json("POST", "/auth/login", {"login": person.username, "password": PASSWORD}).json()
    client.session.cookies.clear()
    bearer = {"Authorization": f"Bearer {old['access_token']}"}
    answer = client.json("POST", PAGE, {"current_password": PASSWORD, "password": NEW}, headers=bearer)
    assert answer.status_code == 200
    new = answer.json()
    assert new["message"] == "Your password is changed." and new["user"]["id"] == person.id
    client.session.cookies.clear()
    problem(client.json("GET", "/dashboard", headers=bearer), 401, "login_required")
    problem(client.json("POST", "/auth/token", {"refresh_token": old["refresh_token"]}), 401, "login_required")
    bearer = {"Authorization": f"Bearer {new['access_token']}"}
    assert client.json("GET", "/dashboard", headers=bearer).status_code == 200
    assert client.json("POST", "/auth/token", {"refresh_token": new["refresh_token"]}).status_code == 200


def test_the_present_password_is_needed(site, own):
    page = refused(change(own, "wrong-password-1"), 422)
    assert "This is not your password." in page.beside("current_password")
    assert "value" not in page.fields["password"]
    refused(change(own, ""), 422)
    assert is_signed_in(own)
    assert log_in(site, own.person, PASSWORD).status_code == 200


def test_wrong_ones_are_counted(site, own):
    answers = [change(own, "wrong-password-1") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert change(own).status_code == 429, "the right one does not count during a wait"
    assert is_signed_in(own)


@pytest.mark.parametrize("password", ["short", "password1234", PASSWORD, "{username}@example.org"])
def test_weak_passwords(site, own, password):
    password = password.format(username=own.person.username)
    page = refused(change(own, PASSWORD, password), 422)
    assert page.beside("password") and not page.beside("current_password")
    assert log_in(site, own.person, PASSWORD).status_code == 200


def test_only_signed_in(site):
    client = Client(site)
    answer = client.get(PAGE)
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/auth/login?next=")
    problem(client.json("POST", PAGE, {"current_password": PASSWORD, "password": NEW}), 401, "login_required")
