"""Rights nobody was given (AUTHZ-02, AUTHZ-03): extra fields, and accounts that may not come in."""
import pytest

from attacks import exchange, request
from client import Client
from people import is_signed_in, join, register, sign_in, signed_in, stranger

COLUMNS = {
    "id": "00000000-0000-4000-8000-000000000000", "enabled": "1", "verified": "1", "email_verified": "true", "failures": "-50",
    "device_failures": "-50", "corrections": "-9", "created": "0", "password_hash": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "address": "203.0.113.1",
    "last_sign_in": "1", "role": "admin", "groups": "admin", "admin": "1", "is_admin": "true", "locked": "0", "username_key": "admin", "email_key": "x@y.example",
    "account_id": "1", "site": "https://evil.example", "session": "x", "user[enabled]": "1", "account.enabled": "1", "__proto__": "x", "constructor": "x", "remote_user": "admin",
}


@pytest.mark.parametrize("how", ["form", "json"])
def test_authz_02_extra_fields_of_a_registration(server, how):
    """AUTHZ-02: no column is reached by naming it; the account is an ordinary unconfirmed one."""
    person, client = stranger("mass"), Client(server)
    fields = {**COLUMNS, "username": person.username, "email": person.email, "password": person.password}
    answer = client.post("/auth/register", fields) if how == "form" else client.json("POST", "/auth/register", fields)
    assert answer.status_code in (201, 303), answer.text
    row = dict(server.db("SELECT * FROM account WHERE username = ?", person.username)[0])
    assert (row["enabled"], row["verified"], row["failures"], row["corrections"], row["last_sign_in"]) == (0, 0, 0, 0, 0)
    assert row["id"] != COLUMNS["id"] and row["created"] > 0 and row["username_key"] == person.username.lower()
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,") and row["address"] == client.address
    assert Client(server).json("POST", "/auth/login", {"login": person.email, "password": person.password}).status_code == 403


def test_authz_02_extra_fields_elsewhere(server, victim, victim_account):
    """AUTHZ-02: nor by naming it in a sign-in, a resend, a correction or a sign-out."""
    before = dict(server.db("SELECT * FROM account WHERE id = ?", victim_account.id)[0])
    client = Client(server)
    extra = {name: value for name, value in COLUMNS.items() if name not in ("session",)}
    client.json("POST", "/auth/login", {**extra, "login": victim_account.email, "password": victim_account.password})
    Client(server).json("POST", "/auth/resend", {**extra, "email": victim_account.email})
    Client(server).json("POST", "/auth/check-email", {**extra, "email": "new@example.org"})
    client.json("POST", "/auth/logout", extra)
    after = dict(server.db("SELECT * FROM account WHERE id = ?", victim_account.id)[0])
    for column in ("last_sign_in", "previous_sign_in"):
        del before[column], after[column]
    assert after == before
    assert is_signed_in(victim)


def test_authz_02_somebody_elses_registration(server):
    """AUTHZ-02: naming another account in a correction changes the browser's own, or nothing."""
    attacker, victim = Client(server), register(Client(server))
    mine = register(attacker)
    for extra in ({"id": victim.id}, {"account_id": victim.id}, {"username": victim.username}, {"user": victim.id}):
        new = stranger("other")
        answer = attacker.json("POST", f"/auth/check-email?id={victim.id}", {**extra, "email": new.email})
        assert answer.status_code in (200, 403, 429)
        server.db("DELETE FROM throttle")
    assert server.db("SELECT email FROM account WHERE id = ?", victim.id)[0][0] == victim.email
    stranger_ = Client(server)
    answer = stranger_.json("POST", "/auth/check-email", {"email": "free@example.org", "id": mine.id})
    assert answer.status_code == 403


def test_authz_02_corrections_end_after_three(server):
    """AUTHZ-02, MAIL-01: the address can be corrected three times, whatever happens in between; then never."""
    client = Client(server)
    mine, statuses = register(client), []
    for _ in range(5):
        statuses.append(client.json("POST", "/auth/check-email", {"email": stranger("fix").email}).status_code)
        server.db("DELETE FROM throttle")
    assert statuses == [200, 200, 200, 403, 403]
    assert server.db("SELECT corrections FROM account WHERE id = ?", mine.id)[0][0] == 3


def test_authz_02_a_correction_takes_no_taken_address(server):
    """AUTHZ-02: another's address, in any spelling, is 409; a confirmed account is not corrected at all."""
    client, other = Client(server), join(server)
    mine = register(client)
    for text in (other.email, other.email.upper(), f" {other.email} "):
        assert client.json("POST", "/auth/check-email", {"email": text}).status_code == 409
    token = server.wait_mail(mine.email).token("verify")
    assert client.json("POST", "/auth/verify", {"token": token}).status_code == 200
    client.json("POST", "/auth/check-email", {"email": "taken.over@example.org"})
    assert server.db("SELECT email FROM account WHERE id = ?", mine.id)[0][0] == mine.email


GATED = ("/dashboard", "/dashboard/nothing", "/dashboard/profile", "/dashboard/members")


def refused_everywhere(server, client):
    for path in GATED:
        for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND", "M-ODD"):
            answer = client.request(method, path, headers={"Accept": "application/json"})
            assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
            assert "Bearer" in answer.headers["WWW-Authenticate"]
            page = client.request(method, path, headers={"Accept": "text/html"})
            assert page.status_code == 303 and page.headers["Location"].startswith("/auth/login?next="), f"{method} {path}"
            assert page.text == ""


def test_authz_03_who_has_no_session(server):
    """AUTHZ-03: anonymous, unconfirmed, signed out: refused on every method, in HTML and JSON."""
    refused_everywhere(server, Client(server))
    unverified = Client(server)
    person = register(unverified)
    unverified.json("POST", "/auth/login", {"login": person.email, "password": person.password})
    refused_everywhere(server, unverified)
    gone = signed_in(server)
    value = gone.cookies["userauth"]
    gone.json("POST", "/auth/logout", {})
    gone.session.cookies.set("userauth", value)
    refused_everywhere(server, gone)


@pytest.mark.parametrize("change", [
    "UPDATE account SET enabled = 0 WHERE id = ?", "DELETE FROM account WHERE id = ?", "UPDATE session SET ended = 1 WHERE account_id = ?",
    "UPDATE session SET expires = 1 WHERE account_id = ?", "DELETE FROM session WHERE account_id = ?",
])
def test_authz_03_a_session_without_its_right(server, change):
    """AUTHZ-03: locked, deleted, ended, expired behind the session's back: the next request is refused."""
    client = signed_in(server)
    assert is_signed_in(client)
    server.db(change, client.person.id)
    for path in GATED:
        assert client.json("GET", path).status_code == 401
    assert client.get("/auth/login").status_code == 200
    server.db("DELETE FROM session WHERE account_id = ?", client.person.id)


def test_authz_03_other_credentials_are_none(server, victim_account):
    """AUTHZ-03: Basic, Digest, Bearer, query and header identities open nothing."""
    client = Client(server)
    for headers in (
        {"Authorization": requests_basic(victim_account)}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Bearer"},
        {"Authorization": f"Digest username=\"{victim_account.username}\""}, {"Authorization": "Negotiate x"}, {"X-Remote-User": victim_account.username},
        {"Remote-User": victim_account.username}, {"Remote_User": "x"}, {"X-Userauth-Id": victim_account.id}, {"Proxy-Authorization": requests_basic(victim_account)},
        {"X-Forwarded-User": victim_account.username}, {"Userauth-Id": victim_account.id}, {"X-Original-URL": "/auth/login"}, {"X-Rewrite-URL": "/auth/login"},
        {"X-Forwarded-For": "127.0.0.1"}, {"X-Test-Address": "127.0.0.1"}, {"Referer": server.base + "/auth/login"}, {"Upgrade": "h2c"},
    ):
        answer = client.json("GET", "/dashboard", headers=headers)
        assert answer.status_code == 401, headers


def requests_basic(person):
    import base64

    return "Basic " + base64.b64encode(f"{person.username}:{person.password}".encode()).decode()


def test_authz_05_ids_tell_nothing(server):
    """AUTHZ-05: ids of accounts, sessions, tokens and events are random UUIDs, none is the next of another."""
    first, second = register(Client(server)), register(Client(server))
    assert first.id[14] == second.id[14] == "4" and first.id[:8] != second.id[:8]
    for table in ("session", "token", "event", "outbox", "account"):
        ids = [row[0] for row in server.db(f"SELECT id FROM {table}")]
        assert len({name[:8] for name in ids}) >= len(ids) - 1, table
        assert all(len(name) == 36 and name[14] == "4" for name in ids if name.count("-") == 4)


def test_authz_one_person_cannot_use_anothers_link_for_himself(server):
    """Beyond the list: confirming somebody else's link while signed in changes neither session nor account."""
    attacker, other = signed_in(server), register(Client(server))
    token = server.wait_mail(other.email).token("verify")
    answer = attacker.json("POST", "/auth/verify", {"token": token, "id": attacker.person.id, "user": attacker.person.username})
    assert answer.status_code == 200
    assert attacker.json("GET", "/dashboard").json()["username"] == attacker.person.username
    sign_in(Client(server), other)


def test_authz_two_requests_one_connection_line(server, victim):
    """Beyond the list: a cookie of the first request is not the second one's, also with an absolute target."""
    cookie = ("Cookie", f"userauth={victim.cookies['userauth']}")
    for target in ("/dashboard", "http://localhost/dashboard", f"http://localhost:{server.port}/dashboard"):
        data = request("GET", target, [cookie], close=False) + request("GET", target, [("Accept", "application/json")])
        assert [answer.status for answer in exchange(server, data)] == [200, 401]
