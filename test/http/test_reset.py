"""/auth/reset: the link of a forgotten password, from the mail to the next sign-in."""
import threading

import pytest
from client import Client, the_form
from pages import Page, problem, refused
from people import PASSWORD, is_signed_in, join, letter, link_token, register, sign_in, signed_in
from server import Server, wait_for

NEW = "seven-quiet-otters-paint-12"
OTHER = "green-lamps-hum-softly-4"


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthMailLimit off\nUserAuthRateLimit token off\nUserAuthRateLimit login off\n")
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


def ask(server, person, after=0):
    """A new link by mail; its token."""
    assert Client(server).json("POST", "/auth/forgot", {"email": person.email}).status_code == 202
    return link_token(server, person.email, "reset", after)


def link(token):
    return f"/auth/reset?token={token}"


def reset(client, token, password=NEW):
    return client.json("POST", "/auth/reset", {"token": token, "password": password})


def log_in(server, person, password):
    return Client(server).json("POST", "/auth/login", {"login": person.email, "password": password})


def notices(server, person):
    return [mail for mail in server.mails(person.email) if "password" in mail.subject and "changed" in mail.subject]


def test_as_a_person_does_it(site):
    """The link in a browser: out of the address bar, the form, the sign-in."""
    person = join(site)
    token = ask(site, person)
    client = Client(site, browser=True)
    answer = client.get(link(token))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/reset")
    page = Page(client.follow(answer))
    assert page.headings == ["Set a new password"]
    assert page.fields["username"]["value"] == person.username and "readonly" in page.fields["username"]
    assert page.fields["username"]["autocomplete"] == "username"
    assert page.fields["password"]["autocomplete"] == "new-password"
    done = client.form("/auth/reset", {"password": NEW}, action="/auth/reset")
    assert (done.status_code, done.headers["Location"]) == (303, "/auth/login?notice=password-changed")
    assert not any(token in value for value in client.cookies.values())
    assert Page(client.follow(done)).roles == ["Your password is changed."]
    assert not is_signed_in(client)
    assert log_in(site, person, PASSWORD).status_code == 401
    assert client.form("/auth/login", {"login": person.username, "password": NEW}).headers["Location"] == "/dashboard"


def test_a_program(site, client):
    person = join(site)
    token = ask(site, person)
    assert client.json("GET", link(token)).json()["fields"]
    answer = reset(client, token)
    assert answer.status_code == 200 and answer.json() == {"message": "Your password is changed."}
    assert "Set-Cookie" not in answer.headers
    assert log_in(site, person, NEW).status_code == 200


def test_the_notice(site, client):
    person = join(site)
    reset(client, ask(site, person))
    mail = wait_for(lambda: notices(site, person), what="the notice")[0]
    assert mail.link("disown") and "This wasn't you?" in mail.text and NEW not in mail.data.decode()


def test_a_weak_password_leaves_the_link(site, client):
    person = join(site)
    token = ask(site, person)
    body = problem(reset(client, token, person.username), 422, "weak_password")
    assert list(body["errors"]) == ["password"] and body["suggestion"]
    page = refused(client.form(link(token), {"password": "short"}, action="/auth/reset"), 422)
    assert page.beside("password") and page.codes, "no way out is shown"
    assert the_form(page.answer.text)["hidden"]["token"] == token
    assert reset(client, token).status_code == 200


def test_no_get_uses_it_up(site, client):
    """TOK-11"""
    token = ask(site, join(site))
    for _ in range(5):
        answer = client.get(link(token), headers={"User-Agent": "MailScanner"})
        assert answer.status_code == 200 and answer.headers["Referrer-Policy"] == "no-referrer"
        assert client.request("HEAD", link(token)).status_code == 200
        assert client.request("OPTIONS", link(token)).status_code == 204
    assert reset(client, token).status_code == 200


def test_used_and_wrong_links(site, client):
    """TOK-01, TOK-04, TOK-05"""
    person = join(site)
    verify = letter(site, person).token("verify")
    first, second = ask(site, person), ask(site, person, 1)
    for bad in (verify, "", "x", first[:-1], first + "A", f"{second.split('.')[0]}.{first.split('.')[1]}"):
        body = problem(reset(client, bad), 400, "token_invalid", "Invalid password reset link")
        assert body["links"] == {"reset": "/auth/forgot"}
        refused(client.get("/auth/reset", params={"token": bad}), 400, "Invalid password reset link")
    assert reset(client, first).status_code == 200
    for used in (first, second):
        body = problem(reset(client, used, OTHER), 410, "token_used", "Password reset link has already been used")
        assert body["links"] == {"login": "/auth/login", "reset": "/auth/forgot"}
        refused(client.get(link(used)), 410, "Password reset link has already been used")
    assert log_in(site, person, OTHER).status_code == 401


def test_a_change_elsewhere_ends_it(site, client):
    """TOK-08"""
    own = signed_in(site)
    token = ask(site, own.person)
    fields = {"current_password": PASSWORD, "password": OTHER}
    assert own.form("/dashboard/password", fields, action="/dashboard/password").status_code == 303
    problem(reset(client, token), 400, "token_invalid", "Invalid password reset link")
    assert log_in(site, own.person, OTHER).status_code == 200


def test_everything_else_ends(site, client):
    """SESS-06, INV-5: cookies, access and refresh tokens from before."""
    own = signed_in(site)
    tokens = log_in(site, own.person, PASSWORD).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.json("GET", "/dashboard", headers=bearer).status_code == 200
    assert reset(client, ask(site, own.person)).status_code == 200
    assert not is_signed_in(own)
    problem(client.json("GET", "/dashboard", headers=bearer), 401, "login_required")
    renewal = {"refresh_token": tokens["refresh_token"]}
    problem(client.json("POST", "/auth/token", renewal), 401, "login_required")


def test_an_unconfirmed_address_is_proven(site, client):
    """TOK-17"""
    person = register(Client(site))
    verify = letter(site, person).token("verify")
    assert reset(client, ask(site, person)).status_code == 200
    user = log_in(site, person, NEW).json()["user"]
    assert user["email_verified"] is True and user["display_name"] == ""
    assert client.json("POST", "/auth/verify", {"token": verify}).status_code == 410


def test_a_wait_is_over(site, client):
    """TOK-16"""
    person = join(site)
    known = Client(site)
    sign_in(known, person)
    for one in (client, known):
        while one.json("POST", "/auth/login", {"login": person.email, "password": "wrong-1"}).status_code == 401:
            pass
    assert reset(client, ask(site, person)).status_code == 200
    for one in (client, known):
        assert one.json("POST", "/auth/login", {"login": person.email, "password": NEW}).status_code == 200


def test_expired(new_server):
    server = new_server(conf="UserAuthResetLifetime 1s\nUserAuthMailLimit off\n")
    client, person = Client(server), join(server)
    token = ask(server, person)
    wait_for(lambda: client.json("GET", link(token)).status_code == 410, what="the link to expire")
    body = problem(reset(client, token), 410, "token_expired", "Password reset link has expired")
    assert body["links"] == {"reset": "/auth/forgot"} and "1 second" in body["detail"]
    assert log_in(server, person, PASSWORD).status_code == 200


def test_one_winner(site):
    """RACE-02: many at once with a password each: one works, and there is one notice."""
    person = join(site)
    token = ask(site, person)
    answers, passwords = {}, [f"seven-quiet-otters-paint-{n}" for n in range(10, 26)]

    def run(password):
        answers[password] = reset(Client(site), token, password)

    threads = [threading.Thread(target=run, args=(password,)) for password in passwords]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = sorted(answer.status_code for answer in answers.values())
    assert codes == [200] + [410] * 15
    winner = next(password for password, answer in answers.items() if answer.status_code == 200)
    assert log_in(site, person, winner).status_code == 200
    assert log_in(site, person, passwords[0] if winner != passwords[0] else passwords[1]).status_code == 401
    query = "SELECT COUNT(*) AS n FROM outbox WHERE account_id = ? AND kind = 'password-changed'"
    assert site.db(query, person.id)[0]["n"] == 1
