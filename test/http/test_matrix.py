"""The route matrix: every route, asked and posted to, in HTML and JSON, by everybody there is, with the status that the contract
gives. A route that the module serves and this table does not know fails, so that a new one finds its row here."""
import re
from pathlib import Path

import pytest
from client import Client
from people import join, link_token, register, signed_in, stranger
from server import Server

TOP = Path(__file__).resolve().parents[2]
WHO = ("guest", "unverified", "user", "stale", "ended")
NOBODY = ("guest", "unverified", "ended")  # no session

# Who is answered how: one status for all, or by who asks; HTML first, then JSON.
LOGIN = {"html": 303, "json": 401}


def needs_session(html, json=None, stale=None):
    """The route answers those with a session; the others are asked to log in."""
    row = {}
    for who in WHO:
        row[who] = LOGIN if who in NOBODY else {"html": html, "json": json or html}
    if stale:
        row["stale"] = stale
    return row


def anyone(html, json=None, user=None):
    row = {who: {"html": html, "json": json or html} for who in WHO}
    if user:
        row["user"] = row["stale"] = {"html": user, "json": user}
    return row


FRESH = {"html": 303, "json": 403}

GET = {
    "/auth": anyone(303),
    "/auth/register": anyone(200, user=303),
    "/auth/check-email": anyone(200),
    "/auth/verify": anyone(400),
    "/auth/resend": anyone(200),
    "/auth/login": anyone(200, user=303),
    "/auth/logout": anyone(200),
    "/auth/forgot": anyone(200),
    "/auth/reset": anyone(400),
    "/auth/reauth": needs_session(200),
    "/auth/email": anyone(400),
    "/auth/undo": anyone(400),
    "/auth/disown": anyone(400),
    "/auth/restore": anyone(400),
    "/auth/token": anyone(405),
    "/auth/strength": anyone(405),
    "/auth/jwks.json": anyone(200),
    "/auth/openapi.json": anyone(200),
    "/auth/me": {who: {"html": 401, "json": 401} if who in NOBODY else {"html": 200, "json": 200} for who in WHO},
    "/auth/health": anyone(200),
    "/auth/nothing": anyone(404),
    "/.well-known/change-password": anyone(302),
    "/dashboard": needs_session(200),
    "/dashboard/profile": needs_session(200),
    "/dashboard/password": needs_session(200),
    "/dashboard/members": needs_session(200),
    "/dashboard/members/{other}": needs_session(200),
    "/dashboard/members/{unknown}": needs_session(404),
    "/dashboard/sessions": needs_session(200),
    "/dashboard/activity": needs_session(200),
    "/dashboard/export": needs_session(200, stale=FRESH),
    "/dashboard/close": needs_session(200),
    "/dashboard/nothing": needs_session(404),
}

# An empty form. A guest's own pages refuse what is missing; nothing happens.
POST = {
    "/auth": anyone(405),
    "/auth/register": anyone(422),
    "/auth/check-email": anyone(422),
    "/auth/verify": anyone(400),
    "/auth/resend": anyone(422),
    "/auth/login": anyone(422),
    "/auth/forgot": anyone(422),
    "/auth/reset": anyone(400),
    "/auth/reauth": needs_session(422),
    "/auth/email": anyone(400),
    "/auth/undo": anyone(400),
    "/auth/disown": anyone(400),
    "/auth/restore": anyone(400),
    "/auth/jwks.json": anyone(405),
    "/auth/openapi.json": anyone(405),
    "/auth/me": anyone(405),
    "/auth/health": anyone(405),
    "/auth/nothing": anyone(404),
    "/.well-known/change-password": anyone(405),
    "/dashboard": needs_session(405),
    "/dashboard/profile": needs_session(303, 200),
    "/dashboard/password": needs_session(422),
    "/dashboard/members": needs_session(405),
    "/dashboard/members/{other}": needs_session(405),
    "/dashboard/sessions": needs_session(422),
    "/dashboard/activity": needs_session(405),
    "/dashboard/export": needs_session(405),
    "/dashboard/close": needs_session(422),
    "/dashboard/nothing": needs_session(404),
}

FREE = "UserAuthMailLimit off\nUserAuthRateLimit login off\nUserAuthRateLimit register off\nUserAuthRateLimit token off\nUserAuthRateLimit mail off\n"


class Everybody:
    """One client of each kind, and two other members."""

    def __init__(self, server):
        self.server = server
        self.other = join(server)
        self.clients = {"guest": Client(server), "unverified": Client(server), "user": signed_in(server)}
        register(self.clients["unverified"])
        self.clients["stale"] = signed_in(server)
        self._age("stale", "auth_time = 1")
        self.clients["ended"] = signed_in(server)
        self._age("ended", "ended = 1")

    def _age(self, who, change):
        person = self.clients[who].person
        self.server.db(f"UPDATE session SET {change} WHERE account_id = ?", person.id)

    def path(self, path):
        return path.replace("{other}", self.other.username).replace("{unknown}", stranger().username)

    def ask(self, who, method, path, kind):
        headers = {"Accept": "application/json" if kind == "json" else "text/html"}
        client, path = self.clients[who], self.path(path)
        if method == "GET":
            return client.get(path, headers=headers)
        if kind == "json":
            return client.json("POST", path, {})
        return client.post(path, {"csrf": self.csrf(client)}, headers=headers)

    @staticmethod
    def csrf(client):
        """The hidden field of any page of this client; its cookie comes with it."""
        found = re.search(r'name="csrf" value="([^"]*)"', client.get("/auth/resend").text)
        return found.group(1) if found else ""


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf=FREE)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def people(site):
    return Everybody(site)


@pytest.fixture
def everybody(people, log_gate):
    log_gate.watch(people.server)
    return people


@pytest.mark.parametrize("kind", ["html", "json"])
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("path", GET)
def test_get(everybody, path, who, kind):
    """AUTHZ-03, ENUM-11: who sees what."""
    answer = everybody.ask(who, "GET", path, kind)
    assert answer.status_code == GET[path][who][kind], answer.text
    if answer.status_code == 401:
        assert answer.json()["code"] == "login_required"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    if answer.status_code == 303 and GET[path][who] is LOGIN:
        assert answer.headers["Location"].startswith("/auth/login?next=")


@pytest.mark.parametrize("kind", ["html", "json"])
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("path", POST)
def test_post_of_nothing(everybody, path, who, kind):
    """AUTHZ-03: an empty form is refused, and only to those who may send it with a reason."""
    answer = everybody.ask(who, "POST", path, kind)
    assert answer.status_code == POST[path][who][kind], answer.text


@pytest.mark.parametrize("path", sorted(GET))
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_other_methods(everybody, path, method):
    """CSRF-06, APA-02: HEAD answers as GET, OPTIONS says what is allowed, the rest is not."""
    answer = everybody.clients["user"].request(method, everybody.path(path), headers={"Accept": "application/json"})
    expected = {"HEAD": GET[path]["user"]["json"], "OPTIONS": 204}.get(method, 405)
    if "nothing" in path:
        expected = 404
    assert answer.status_code == expected
    assert method == "HEAD" or "nothing" in path or answer.headers["Allow"]


def test_every_route_has_its_rows(everybody):
    served = set(everybody.clients["guest"].get("/auth/openapi.json").json()["paths"])
    known = {re.sub(r"\{.*\}", "{username}", path) for path in {*GET, *POST}}
    missing = {path for path in served if path not in known}
    assert not missing
    routes = {path for path in known if "nothing" not in path and path not in ("/auth", "/.well-known/change-password")}
    assert routes <= served | {"/auth/health"}


def test_ids_of_others_never_work(everybody):
    """AUTHZ-01: the other's session, name, id in path, body and query."""
    me, server = everybody.clients["user"], everybody.server
    victim = signed_in(server, everybody.other)
    theirs = victim.json("GET", "/dashboard/sessions").json()["sessions"][0]["id"]
    assert me.json("POST", "/dashboard/sessions", {"session": theirs}).status_code == 404
    assert victim.get("/dashboard", headers={"Accept": "application/json"}).status_code == 200
    before = server.db("SELECT * FROM account WHERE id = ?", everybody.other.id)
    for extra in ({"id": everybody.other.id}, {"account": everybody.other.id}, {"user": everybody.other.username}):
        answer = me.json("POST", f"/dashboard/profile?id={everybody.other.id}", {"display_name": "Mine", **extra})
        assert answer.status_code == 200
    export = me.get(f"/dashboard/export?id={everybody.other.id}", headers={"Accept": "application/json"})
    assert export.status_code == 200 and everybody.other.username not in export.text
    after = server.db("SELECT * FROM account WHERE id = ?", everybody.other.id)
    assert [tuple(row) for row in before] == [tuple(row) for row in after]


def test_a_link_acts_on_its_own_account_only(everybody):
    """TOK-06: with somebody else's session, and with a parameter that names somebody else."""
    server = everybody.server
    asker = Client(server)
    asker.post("/auth/forgot", {"email": everybody.other.email})
    token = link_token(server, everybody.other.email, "reset")
    me = everybody.clients["user"]
    before = server.db("SELECT password_hash FROM account WHERE id = ?", me.person.id)[0][0]
    answer = me.json("POST", f"/auth/reset?user={me.person.username}",
                     {"token": token, "password": "quartz-meadow-lantern-58", "user": me.person.username, "id": me.person.id})
    assert answer.status_code == 200
    assert server.db("SELECT password_hash FROM account WHERE id = ?", me.person.id)[0][0] == before
    assert me.get("/dashboard", headers={"Accept": "application/json"}).status_code == 200
