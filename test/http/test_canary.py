"""PRIV-01: one walk through the whole account with passwords that are found again, at the module's highest log level. Afterwards no
password, link, code, session value or API token stands in a log, a row, a Location, or a mail but the one that carries it."""
import itertools
import re

import pytest
from client import Client
from people import link_token, stranger
from server import Server, wait_for

CONF = """
UserAuthMailLimit off
UserAuthVerifyOnGet browser
LogLevel info userauth:trace8
CustomLog "${RUN}/logs/access.log" full
"""
_passwords = (f"canary-marmalade-tuba-{n}" for n in itertools.count(71))


class Witness(Client):
    """A client that remembers what it was sent, and where it was led."""

    def __init__(self, server, told, **kwargs):
        super().__init__(server, **kwargs)
        self.told = told

    def request(self, method, path, **kwargs):
        answer = super().request(method, path, **kwargs)
        self.told.locations.append(answer.headers.get("Location", ""))
        for cookie in answer.cookies:
            if cookie.value and "-link-" not in cookie.name and not cookie.name.endswith("registration"):
                self.told.secrets.add(cookie.value)
        if "json" in answer.headers.get("Content-Type", ""):
            for name in ("access_token", "refresh_token"):
                if name in answer.json():
                    self.told.secrets.add(answer.json()[name].rpartition(".")[2])
        return answer


class Walk:
    def __init__(self, server):
        self.server, self.secrets, self.locations = server, set(), []
        self.person = stranger()

    def client(self, **kwargs):
        return Witness(self.server, self, **kwargs)

    def password(self):
        self.person.password = next(_passwords)
        self.secrets.add(self.person.password)
        return self.person.password

    def token(self, purpose, email=None, after=0):
        """The newest link's token, opened as a browser opens it, too: it leaves the address bar."""
        token = link_token(self.server, email or self.person.email, purpose, after)
        self.secrets.add(token.partition(".")[2])
        self.client(browser=True).get(f"/auth/{purpose}?token={token}")
        return token

    def sign_in(self, expected=200):
        client = self.client()
        answer = client.json("POST", "/auth/login", {"login": self.person.username, "password": self.person.password})
        assert answer.status_code == expected, answer.text
        return client, answer.json()


def post(client, path, fields, expected=200):
    answer = client.json("POST", path, fields)
    assert answer.status_code == expected, f"{path}: {answer.status_code} {answer.text}"
    return answer


def join(walk):
    client, person = walk.client(browser=True), walk.person
    fields = {"username": person.username, "email": person.email, "password": walk.password()}
    client.form("/auth/register", fields)
    mail = walk.server.wait_mail(person.email)
    walk.secrets.add(mail.code)
    post(client, "/auth/verify", {"code": "00000000" if mail.code != "00000000" else "1" * 8}, 422)
    walk.token("disown")
    post(client, "/auth/verify", {"code": mail.code})


def use_passwords(walk):
    client, _ = walk.sign_in()
    old = walk.person.password
    post(client, "/dashboard/password", {"current_password": walk.password(), "password": walk.password()}, 422)
    post(client, "/dashboard/password", {"current_password": old, "password": walk.person.password})
    client.form("/dashboard/profile", {"display_name": "Anna"})
    post(walk.client(), "/auth/forgot", {"email": walk.person.email}, 202)
    post(walk.client(), "/auth/reset", {"token": walk.token("reset"), "password": walk.password()})


def use_tokens(walk):
    client, answer = walk.sign_in()
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    assert walk.client().get("/auth/me", headers=bearer).status_code == 200
    new = post(walk.client(), "/auth/token", {"refresh_token": answer["refresh_token"]}).json()
    post(walk.client(), "/auth/token", {"refresh_token": new["refresh_token"]})
    post(walk.client(), "/auth/token", {"refresh_token": new["refresh_token"][:-1] + "_"}, 401)
    post(client, "/auth/reauth", {"password": walk.person.password})
    post(client, "/auth/strength", {"password": walk.person.password})


def move_and_undo(walk):
    client, _ = walk.sign_in()
    new = stranger("moved").email
    post(client, "/dashboard/profile", {"email": new})
    post(walk.client(), "/auth/email", {"token": walk.token("email", new)})
    post(walk.client(), "/auth/undo", {"token": walk.token("undo"), "password": walk.person.password})
    post(walk.client(), "/auth/forgot", {"email": walk.person.email}, 202)
    post(walk.client(), "/auth/reset", {"token": walk.token("reset", after=1), "password": walk.password()})


def close_and_restore(walk):
    client, _ = walk.sign_in()
    assert client.get("/dashboard/export").status_code == 200
    post(client, "/dashboard/close", {"current_password": walk.person.password})
    post(walk.client(), "/auth/restore", {"token": walk.token("restore"), "password": walk.person.password})
    server, email = walk.server, walk.person.email
    mail = wait_for(lambda: [mail for mail in server.mails(email) if "is restored" in mail.subject], what="the mail")[0]
    walk.secrets.add(mail.token("disown").partition(".")[2])
    post(walk.client(), "/auth/disown", {"token": mail.token("disown")})


@pytest.fixture(scope="module")
def walk(run_folder):
    server = Server(run_folder, conf=CONF)
    try:
        walk = Walk(server.start())
        for part in (join, use_passwords, use_tokens, move_and_undo, close_and_restore):
            part(walk)
        walk.secrets.discard("")
        yield walk
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(walk, log_gate):
    log_gate.watch(walk.server)


def test_the_walk_met_every_kind_of_secret(walk):
    assert len(walk.secrets) > 25
    assert any(secret.startswith("canary-") for secret in walk.secrets)
    assert any(re.fullmatch(r"\d{8}", secret) for secret in walk.secrets)


def test_no_file_holds_a_secret(walk):
    """PRIV-01, TOK-10, INV-6: logs and rows, the database's own files as they are."""
    files = [file for file in walk.server.folder.rglob("*") if file.is_file() and "mail" not in file.parts]
    assert len(files) > 5
    for file in files:
        data = file.read_bytes()
        found = [secret for secret in walk.secrets if secret.encode() in data]
        assert not found, f"{file.name} holds {found[0][:8]}…"


def test_no_redirect_holds_a_secret(walk):
    assert any(walk.locations)
    for location in walk.locations:
        assert not [secret for secret in walk.secrets if secret in location], location


def test_a_mail_holds_only_its_own_links(walk):
    """PRIV-01: no password, session or API token in any; each link in one mail only."""
    seen = {}
    for mail in walk.server.mails():
        for secret in walk.secrets:
            if secret in mail.text or secret in mail.html:
                seen.setdefault(secret, []).append(mail.subject)
                assert f".{secret}" in mail.text or secret == mail.code, f"in {mail.subject}"
    assert seen and all(len(subjects) == 1 for subjects in seen.values())
